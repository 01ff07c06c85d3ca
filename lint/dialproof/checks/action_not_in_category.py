"""An action that the category of its rule does not have: a pre-call action after the call, or the reverse.

## What it does

Looks up every action of every rule in the table of action types. `doNotDial`, `switchToPreview`, `setCallerId` and
`setSkills` prepare a call and belong to rules of category `preCall`; `scheduleCallback` and `appendToDnc` follow one
and belong to `wrapUp`; the others belong to both. It needs no target, because none does otherwise.

## Why it matters

The platform refuses the whole rule set. A target that takes it keeps an action that never does anything: a `doNotDial`
after the call keeps nobody from being dialed.

## Example

    - name: do not call again today
      category: wrapUp
      conditions: [{context: call.wrapUpCode, operator: equals, value: NOT_NOW}]
      actions: [{type: doNotDial}]

## Instead

    - name: do not call again today
      category: wrapUp
      conditions: [{context: call.wrapUpCode, operator: equals, value: NOT_NOW}]
      actions: [{type: setAttribute, attribute: notToday, value: "yes"}]

with a rule of category `preCall` that reads the column, or, where the rule is meant to run before the call, the other
category.

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.model.actions import action_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["CHECK"]

_WHEN = {"preCall": "before the call", "wrapUp": "after the call"}


def _run(ctx: CheckContext) -> Iterator[Finding]:
    types = action_types()
    for rule in ctx.campaign.rules:
        for action in rule.actions:
            categories = types[action.type].categories
            if rule.category not in categories:
                own = " or ".join(categories)
                yield ctx.finding(
                    rule.path,
                    action.span,
                    f'rule "{rule.name}" runs {_WHEN[rule.category]}, and {action.type} is an action of {own} rules',
                    rules=(rule.name,),
                    fix=f"move the action to a rule with category: {own}",
                )


CHECK = Check(
    code="DP702",
    name="action-not-in-category",
    severity="error",
    family="actions",
    run=_run,
    doc=__doc__ or "",
)
