"""A priority outside of 1 to 1000.

## What it does

Reports a rule whose `priority` is below 1 or above 1000.

## Why it matters

The platform refuses the rule, in the middle of a deploy. Priority is also not the order of execution: a rule that is
to run first gets a low `executionOrder`, whatever its priority is.

## Example

    - name: weekend
      priority: 0
      executionOrder: 1

## Instead

    - name: weekend
      priority: 1
      executionOrder: 1

## Options

None. The bounds are those of the campaign-rules API.
"""

from __future__ import annotations

from dialproof.checks.base import Check
from dialproof.checks.passive import reported_elsewhere

__all__ = ["CHECK"]

CHECK = Check(
    code="DP108",
    name="priority-out-of-bounds",
    severity="error",
    family="schema",
    run=reported_elsewhere,
    doc=__doc__ or "",
)
