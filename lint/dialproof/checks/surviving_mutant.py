"""A rule was changed, and no case noticed.

## What it does

`dialproof mutate` makes one small change after the other to the rules of a campaign (a boundary, a constant, a
condition left out, an action with another value ...) and runs all cases on each. A change under which every case passes
is a surviving mutant, unless it is proved that it changes no outcome of any contact of the contact list. The finding
shows a contact that the changed rule treats otherwise, with both outcomes. Neither `dialproof lint` nor `pytest` looks
for it.

## Why it matters

What no case notices today as an experiment, no case notices tomorrow as a mistake: the number that somebody mistypes,
the condition that gets lost in a merge.

## Example

    conditions:
      - {attribute: attempts, operator: greaterThanOrEqual, value: 6}
    actions: [{type: doNotDial}]

with cases for 2 and 9 attempts only: `greaterThan` in place of `greaterThanOrEqual` makes no case fail.

## Instead

Add a case with the contact that is shown; `dialproof mutate --write FILE` writes it, for you to read. Where the rule
does with that contact what nobody meant, correct the rule. Where the difference does not matter, say so:

    # dialproof: ignore[DP604] five attempts or six are the same to us

## Options

`budget` (default 5000): runs that are spent on the question whether one mutant changes any outcome, where runs have to
be compared. A mutant that is not decided within them counts as not noticed, and is listed.
"""

from __future__ import annotations

from dialproof.checks.base import Check
from dialproof.checks.passive import reported_by_a_command

__all__ = ["CHECK"]

CHECK = Check(
    code="DP604",
    name="surviving-mutant",
    severity="warning",
    family="coverage",
    run=reported_by_a_command,
    doc=__doc__ or "",
    options={"budget": 5000},
)
