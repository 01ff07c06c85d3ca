"""Two actions of one rule that contradict each other, or say the same thing twice.

## What it does

Compares every two actions of a rule by the action table: opposite values for one list, two values for one attribute,
`doNotDial` beside `switchToPreview`, a callback beside an uncallable contact. It also reports an action that is
written twice. `INCREMENT` and `DECREMENT` add up and are left alone.

## Why it matters

Both actions run on every contact that the rule matches, so only the last one has an effect, or the platform refuses
the rule. One of the two is a mistake; which one, only the author knows.

## Example

    actions:
      - {type: setList, listId: premium, value: "true"}
      - {type: setList, listId: premium, value: "false"}

## Instead

    actions:
      - {type: setList, listId: premium, value: "true"}

## Options

None.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.model.actions import action_types, contradicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Action

__all__ = ["CHECK"]

_ADDS_UP = frozenset({"INCREMENT", "DECREMENT"})


def run(context: CheckContext) -> Iterator[Finding]:
    """Report at the later of the two actions."""
    say = context.wording.action
    for rule in context.campaign.rules:
        for earlier, later in combinations(rule.actions, 2):
            if contradicts(earlier, later):
                what = f"{say(later)} contradicts {say(earlier)}"
            elif _repeats(earlier, later):
                what = f"{say(later)} writes what {say(earlier)} wrote"
            else:
                continue
            yield context.finding(
                rule.path,
                later.span,
                f"{what} (line {earlier.span.line}) of the same rule",
                rules=(rule.name,),
                fix="keep one of the two actions",
            )


def _repeats(one: Action, other: Action) -> bool:
    if one.type != other.type or {one.fields.get("option"), other.fields.get("option")} <= _ADDS_UP:
        return False
    if one.fields == other.fields:
        return True
    # Two calls of one data action with different fields are two questions, not one answer twice.
    kind = action_types()[one.type]
    same_thing = all(one.fields.get(key) == other.fields.get(key) for key in kind.key)
    return bool(kind.key) and kind.writes != "data" and same_thing


CHECK = Check(
    code="DP204",
    name="contradicting-actions-in-rule",
    severity="error",
    family="actions",
    run=run,
    doc=__doc__ or "",
)
