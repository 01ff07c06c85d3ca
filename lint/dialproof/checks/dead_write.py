"""A write that is always overwritten before anybody reads it.

## What it does

Reports an action that sets a column, a list, the skills, the caller id or a callback, where on every contact on which
its rule acts a later rule acts as well and writes the same thing, and nobody reads it in between: no condition of a
rule up to that one, that one included, looks at the column, and nobody counts it. It is proved on all contacts, also
where several later rules only together overwrite it on all of them.

## Why it matters

Whoever reads the rule believes that the value is there afterwards. It never is. Either the order is wrong, or the
action can go.

## Example

    - name: many attempts
      executionOrder: 1
      conditions: [{attribute: attempts, operator: greaterThan, value: 5, type: number}]
      actions: [{type: setAttribute, attribute: offer, value: none}]
    - name: everybody gets the spring offer
      executionOrder: 2
      conditions: [{attribute: attempts, operator: greaterThanOrEqual, value: 0, type: number}]
      actions: [{type: setAttribute, attribute: offer, value: spring}]

## Instead

Delete the action, or run its rule after the one that overwrites it (and declare `overrides` there):

    - name: many attempts
      executionOrder: 3
      overrides: [everybody gets the spring offer]

## Options

`budget` (default 20000): runs that are spent on one action; the whole check spends ten times as many. What cannot be
decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown, acted, require
from dialproof.analysis.exchange import where_without, within
from dialproof.analysis.overwrites import overwritten, undisturbed
from dialproof.analysis.pairs import bits
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Action
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]

_NAMED = 5
"""Overwriting rules that one finding names."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        writes = list(overwritten(runs))
        candidates = [0] * len(runs.rules)
        for index, _, over in writes:
            candidates[index] |= over
        inside = within(runs, candidates)
        for index, action, over in writes:
            sure = inside[index] & over & undisturbed(runs, index)
            acts = runs.acts(index, budget.question())
            if not isinstance(acts, Found):
                continue  # where that is open, DP201 or DP302 says so
            spared = Nowhere() if sure else where_without(runs, index, tuple(bits(over)), budget.question())
            if isinstance(spared, Unknown):
                ctx.analysis.leave_open("DP508", (runs.rules[index],), spared)
            elif isinstance(spared, Nowhere):
                yield _finding(ctx, runs, index, action, list(bits(sure & -sure or over)), acts)


def _finding(ctx: CheckContext, runs: Runs, index: int, action: Action, over: list[int], found: Found) -> Finding:
    rule, others = runs.rules[index], [runs.rules[i] for i in over]
    names = [f'"{other.name}"' for other in others[:_NAMED]] + ["others"] * (len(others) > _NAMED)

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        written = runs.run(scene)
        names = acted(written)
        shown = rule.name in names and any(other.name in names for other in others)
        require(shown, "the witness does not show the overwritten action")
        return written, runs.run(scene, without=[rule])

    return ctx.finding(
        rule.path,
        action.span,
        f'{ctx.wording.action(action)} of "{rule.name}" is always overwritten by {" or ".join(names)}',
        details="\n".join(
            f'later rule "{other.name}": {other.path}:{other.name_span.line}' for other in others[:_NAMED]
        ),
        rules=(rule.name, *(other.name for other in others)),
        witness=shown_by(lambda: found.scene, outcomes, ("as written", f'without "{rule.name}"')),
        fix=f'delete the action, or run "{rule.name}" after what overwrites it',
    )


CHECK = Check(
    code="DP508",
    name="dead-write",
    severity="info",
    family="actions",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
