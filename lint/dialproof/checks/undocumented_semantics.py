"""What becomes of some contact depends on a switch of `semantics`, which the platform does not document.

## What it does

Runs the rules under the configured `semantics` and under the other settings of each switch, and reports every switch
for which some contact comes to another end: it is dialed or not, a column or a list is another, or other actions are
left to be carried out. How a call is made does not count where nobody is called. The finding stands at the first rule
of which the two runs make something else, once a rule set and switch, and shows the contact with both outcomes.

| switch | settings |
|---|---|
| `undecided` | `refuseToDial`, `unmet`, `met`: a condition on a column that is blank or cannot be read |
| `laterRulesSeeUpdates` | whether a rule sees what an earlier one has written in the same run |
| `doNotDialStops` | whether a rule with doNotDial ends the run |
| `caseSensitive` | whether `TX` and `tx` are one text |
| `tieBreak` | `file`, `name`: the order of rules with the same execution order |

A rule that is in the way of another only while a switch has its setting (it never acts, see DP302 and DP303) shows here
too: under the other setting it does act.

Nothing is said where a condition has no meaning at all (DP103); about `undecided` and `caseSensitive` where no contact
list says which columns may be blank and what they hold, and about the case of what surrounds a call, which the platform
writes itself.

## Why it matters

Tests and proofs hold for the configured settings. If the platform does it the other way, contacts are dialed that the
tests say are not.

## Example

    - name: low value
      conditions: [{attribute: lifetimeValue, operator: lessThan, value: 100, type: number}]
      actions: [{type: doNotDial}]

On a contact without `lifetimeValue` the condition is undecided; whether it is dialed depends on `undecided`.

## Instead

Say in the rules what is meant, so that it does not matter:

      conditions:
        - {attribute: lifetimeValue, operator: exists}
        - {attribute: lifetimeValue, operator: lessThan, value: 100, type: number}

or in the contact list (`required: true`, `enum`). Where you have tried on the platform what it does, set the switch and
say that it is settled:

    [tool.dialproof.checks.DP509]
    settled = ["undecided"]

## Options

`settled` (default empty): switches whose setting you know to be that of the platform; they are not reported.

`budget` (default 20000): contacts that are run for one switch and category; the whole check spends ten times as many.
What cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Nowhere, Unknown, require
from dialproof.analysis.effects import same_effect
from dialproof.analysis.suspects import suspects
from dialproof.analysis.switches import SWITCHES, Contrast, settings, under
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check
from dialproof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Budget
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]

_WHY = {
    "undecided": "is undecided there",
    "laterRulesSeeUpdates": "reads what an earlier rule has written",
    "doNotDialStops": "runs after a rule with doNotDial",
    "caseSensitive": "compares a text that is there in another case",
    "tieBreak": "shares its execution order with another rule",
}
_FIX = {
    "undecided": "say what a blank column means (`exists` in the rule, `required` in the contact list)",
    "laterRulesSeeUpdates": "let rules read columns that no earlier rule writes",
    "doNotDialStops": "run rules with doNotDial last, or exclude their contacts from the rules behind them",
    "caseSensitive": "declare the column's values as an `enum`",
    "tieBreak": "give each rule an execution order of its own",
}


def _run(ctx: CheckContext) -> Iterator[Finding]:
    settled = ctx.option("settled")
    assert isinstance(settled, list)
    wrong = [name for name in settled if name not in SWITCHES]
    if wrong:
        raise UsageError(f"checks.DP509.settled: {wrong[0]!r} is no switch; known switches: {', '.join(SWITCHES)}")
    if ctx.analysis.broken:
        return  # a condition without a meaning (DP103) is undecided everywhere
    budget = ctx.budget()
    for switch in SWITCHES:
        if switch not in settled:
            yield from _depending(ctx, switch, budget)


def _depending(ctx: CheckContext, switch: str, budget: Budget) -> Iterator[Finding]:
    """Report the first category of which some contact depends on a switch."""
    left: list[tuple[Rule, Unknown]] = []
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        if not runs.rules:
            continue
        where = suspects(runs, switch)
        others = {s: under(ctx.analysis, switch, s).runs(category) for s in settings(ctx.analysis.semantics, switch)}
        contrast = Contrast(runs, others, where.choices, where.opened)
        found = contrast.search(where.likely, where.boxes, budget.question())
        if isinstance(found, Unknown):
            left.append((runs.rules[0], found))
        elif not isinstance(found, Nowhere):
            yield _finding(ctx, switch, contrast, found)
            return
    for rule, why in left:
        ctx.analysis.leave_open("DP509", (rule,), why)


def _finding(ctx: CheckContext, switch: str, contrast: Contrast, scene: Scene) -> Finding:
    now = getattr(ctx.analysis.semantics, switch)
    setting = contrast.differs(scene)

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        require(setting is not None, "the witness does not show that the switch matters")
        one, other = contrast.runs.run(scene), contrast.others[setting].run(scene)
        require(not same_effect(one, other), "the witness does not show that the switch matters")
        return one, other

    rule = _responsible(contrast, scene, setting)
    labels = (f"{switch} = {_text(now)}", f"{switch} = {_text(setting)}")
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'the outcome of some contact depends on semantics.{switch}: rule "{rule.name}" {_WHY[switch]}',
        details=f"configured is {labels[0]}; the platform does not document what it does",
        rules=(rule.name,),
        witness=shown_by(lambda: scene, outcomes, labels),
        fix=f'{_FIX[switch]}, or try it on the platform and list "{switch}" under `settled`',
    )


def _responsible(contrast: Contrast, scene: Scene, setting: object) -> Rule:
    """Return the first rule that only one of the two runs matches, else one that is undecided or tied."""
    runs = contrast.runs
    one = runs.run(scene)
    other = one if setting is None else contrast.others[setting].run(scene)
    apart = set(one.matched) ^ set(other.matched) or set(one.undecided) | set(other.undecided)
    orders = [rule.execution_order for rule in runs.rules]
    tied = {rule.name for rule in runs.rules if orders.count(rule.execution_order) > 1} if not apart else set()
    return next((rule for rule in runs.rules if rule.name in (apart or tied)), runs.rules[0])


def _text(setting: object) -> str:
    return str(setting).lower() if isinstance(setting, bool) else str(setting)


CHECK = Check(
    code="DP509",
    name="undocumented-semantics",
    severity="warning",
    family="ordering",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET, "settled": []},
)
