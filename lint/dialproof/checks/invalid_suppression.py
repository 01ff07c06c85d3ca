"""A suppression that names an unknown check, gives no reason or cannot be read.

## What it does

Reads every `# dialproof:` comment and reports those that are not of the form
`# dialproof: ignore[CODE, ...] reason`, with an optional `until YYYY-MM-DD` at the end, or `ignore-file[...]` above the
first key of the file. Codes and a reason are required, each code must be that of a check, and the check must be one
that can be suppressed.

## Why it matters

A suppression with a typing error suppresses nothing, or worse, looks as if it did. One without a reason cannot be
reviewed: a compliance finding that was waved through needs a sentence that says why.

## Example

    - name: weekend  # dialproof: ignore[DP301]

## Instead

    - name: weekend  # dialproof: ignore[DP301] the later rule wins on purpose until 2026-12-31

## Options

None. This finding cannot be suppressed.
"""

from __future__ import annotations

from dialproof.checks.base import Check
from dialproof.checks.passive import reported_elsewhere

__all__ = ["CHECK"]

CHECK = Check(
    code="DP902",
    name="invalid-suppression",
    severity="error",
    family="schema",
    run=reported_elsewhere,
    doc=__doc__ or "",
)
