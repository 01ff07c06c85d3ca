"""A suppression whose date has passed.

## What it does

Reports a `# dialproof: ignore[...] reason until YYYY-MM-DD` comment after that day (UTC). The finding that it
suppressed is reported again.

## Why it matters

`until` is a promise to look again. Without this check the promise would be forgotten and the finding hidden for good.

## Example

    - name: weekend  # dialproof: ignore[DP502] the new order comes with release 7 until 2025-06-30

## Instead

Solve the finding and delete the comment, or set a new date together with whoever has to agree:

    - name: weekend  # dialproof: ignore[DP502] release 7 was moved to autumn until 2099-10-31

## Options

None. This finding cannot be suppressed.
"""

from __future__ import annotations

from dialproof.checks.base import Check
from dialproof.checks.passive import reported_elsewhere

__all__ = ["CHECK"]

CHECK = Check(
    code="DP904",
    name="expired-suppression",
    severity="error",
    family="schema",
    run=reported_elsewhere,
    doc=__doc__ or "",
)
