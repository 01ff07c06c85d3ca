"""A suppression that suppresses nothing.

## What it does

Reports each code of a `# dialproof: ignore[...]` comment for which its node has no finding, where the check did run.

## Why it matters

A suppression that outlives its finding hides the next one: the rule is changed, a new conflict appears, and nobody
hears of it.

## Example

    - name: weekend  # dialproof: ignore[DP301] overlaps with holidays on purpose

where `weekend` no longer conflicts with any rule.

## Instead

    - name: weekend

## Options

None. This finding cannot be suppressed; delete the comment, or the code from its list.
"""

from __future__ import annotations

from dialproof.checks.base import Check
from dialproof.checks.passive import reported_elsewhere

__all__ = ["CHECK"]

CHECK = Check(
    code="DP903",
    name="unused-suppression",
    severity="warning",
    family="schema",
    run=reported_elsewhere,
    doc=__doc__ or "",
)
