"""A rule that stops dialing on the time or the date alone, and so keeps contacts out for longer than it says.

## What it does

Reports an enabled pre-call rule with `doNotDial` whose conditions look at nothing but the clock (`now.*`, or the time
in a `when:`). The finding shows one contact twice: at a time at which the rule keeps it from being dialed, and at one
at which the rules would dial it. It looks only for targets that pass over such a contact until the campaign is
recycled (`rulesets`).

## Why it matters

On the platform a contact that is not dialed is done with. "Not before ten" does not mean that it is dialed after ten:
once all contacts were looked at before ten, nobody is dialed until somebody recycles the campaign.

## Example

    - name: not before ten
      conditions: [{context: now.timeOfDay, operator: lessThan, value: "10:00"}]
      actions: [{type: doNotDial}]

## Instead

Leave the hours of the day to the campaign's contactable times, which wait for them. Where the rule is about some
contacts, say which, and recycle the campaign afterwards:

    - name: California not before ten
      conditions:
        - {attribute: state, operator: equals, value: CA}
        - {context: now.timeOfDay, operator: lessThan, value: "10:00"}
      actions: [{type: doNotDial}]

## Options

`budget` (default 20000): runs that are spent on one rule where other rules can interfere; the whole check spends ten
times as many. A rule that cannot be decided within them is DP901.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Unknown, acted, require
from dialproof.analysis.atoms import CLOCK, DAY_OF_CALL, TIME_OF_CALL
from dialproof.analysis.campaign import atoms_of
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]

_TIMES = frozenset({CLOCK, TIME_OF_CALL, DAY_OF_CALL})
_NO_TIME = Unknown("no time that was tried leaves its condition unmet", "clock")


def _run(ctx: CheckContext) -> Iterator[Finding]:
    if not any(target.platform for target in ctx.targets):
        return
    budget, runs = ctx.budget(), ctx.analysis.runs("preCall")
    for index, rule in enumerate(runs.rules):
        axes = {variable for atom in atoms_of(ctx.analysis.part(rule)) for variable in atom.axes}
        stops = any(action.type == "doNotDial" for action in rule.actions)
        if not stops or not axes or not axes <= _TIMES or rule.name in ctx.analysis.broken:
            continue
        answer = runs.acts(index, budget.question())
        if isinstance(answer, Unknown):
            ctx.analysis.leave_open("DP705", (rule,), answer)
        elif isinstance(answer, Found):
            yield _finding(ctx, runs, index, answer.scene)


def _finding(ctx: CheckContext, runs: Runs, index: int, then: Scene) -> Finding:
    rule = runs.rules[index]
    later = _dialed(runs, index, then)

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome | None]:
        outcome = runs.run(scene)
        require(rule.name in acted(outcome) and outcome.dial is False, "the witness does not show a contact kept out")
        return outcome, None if later is None else runs.run(later)

    labels = (f"at {then.now}", f"at {later.now}" if later else "")
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'rule "{rule.name}" stops dialing by the time alone: it keeps contacts out until the campaign is recycled',
        rules=(rule.name,),
        witness=shown_by(lambda: then, outcomes, labels),
        fix="set the campaign's contactable times instead, or say which contacts are meant and recycle the campaign",
    )


def _dialed(runs: Runs, index: int, then: Scene) -> Scene | None:
    """Return the same contact at a time at which it is dialed, None where none was found."""
    other = runs.meets(index, "not true", _NO_TIME)
    if not isinstance(other, Found):
        return None
    scene = replace(then, now=other.scene.now)
    return scene if runs.run(scene).dial else None


CHECK = Check(
    code="DP705",
    name="do-not-dial-until-recycle",
    severity="warning",
    family="target",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
