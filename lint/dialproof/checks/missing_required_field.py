"""A rule without a field that every rule needs.

## What it does

Reports rules without name, version, priority or executionOrder, rules with neither conditions nor `when:`, rules with
an empty list of conditions, and rules without an action.

## Why it matters

The platform refuses a rule without these fields, in the middle of a deploy. A rule without conditions would hold for
every contact, and one without an action would do nothing; neither is what anybody means by leaving a line out.

## Example

    - name: weekend
      version: 1
      priority: 100
      conditions:
        - {attribute: state, operator: equals, value: TX}
      actions:
        - {type: doNotDial}

`executionOrder` is missing.

## Instead

    - name: weekend
      version: 1
      priority: 100
      executionOrder: 3
      conditions:
        - {attribute: state, operator: equals, value: TX}
      actions:
        - {type: doNotDial}

A rule that is meant for every contact says so: `when: "true"`.

## Options

None.
"""

from __future__ import annotations

from dialproof.checks.base import Check
from dialproof.checks.passive import reported_elsewhere

__all__ = ["CHECK"]

CHECK = Check(
    code="DP107",
    name="missing-required-field",
    severity="error",
    family="schema",
    run=reported_elsewhere,
    doc=__doc__ or "",
)
