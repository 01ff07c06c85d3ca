"""A rule that can be removed: no contact is treated differently without it.

## What it does

Reports a rule that acts on some contact, and without which every contact is dialed or not, listed, written to and
handled as it is with it: whatever the rule does, other rules do or undo. That is proved for every contact of the
contact list. Of rules that make each other redundant the earlier one stays. A rule that never acts is DP302 or DP303,
one that equals another DP305, and one that a later rule contradicts DP301, unless that one `overrides` it.

## Why it matters

Who changes the rule believes that it does something. Who changes one of the others finds it coming alive.

## Example

    - name: no calls after five attempts
      executionOrder: 1
      conditions: [{attribute: attempts, operator: greaterThan, value: 5, type: number}]
      actions: [{type: doNotDial}]
    - name: no calls after eight attempts
      executionOrder: 2
      conditions: [{attribute: attempts, operator: greaterThan, value: 8, type: number}]
      actions: [{type: doNotDial}]

## Instead

Delete the rule, or correct the condition that makes it part of another one.

## Options

`budget` (default 5000): rules that are looked at for one rule, and runs that are spent on it where writes or stops
decide who acts; the whole check spends ten times as many. What cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import Found, Unknown, require
from dialproof.analysis.effects import results
from dialproof.analysis.pairs import bits
from dialproof.analysis.removal import Removal
from dialproof.analysis.sat import Formula
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check
from dialproof.checks.duplicate_rule import duplicates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding, Witness
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        same = {index for pair in duplicates(ctx, runs) for index in pair}
        removal = Removal(runs)
        open_questions: dict[Unknown, list[Rule]] = {}
        for index in reversed(range(len(runs.rules))):
            rule = runs.rules[index]
            if rule.name in ctx.analysis.broken or index in same or not runs.acting(index).boxes:
                continue
            if not removal.is_candidate(index) or _is_contradicted(runs, index):
                continue
            if runs.covers.of(index, budget) is not None:
                continue
            answer = removal.matters(index, budget)
            if isinstance(answer, Unknown):
                open_questions.setdefault(answer, []).append(rule)
            elif not isinstance(answer, Found):
                yield _finding(ctx, removal, runs, index)
                removal.gone |= 1 << index
        for why, rules in open_questions.items():
            ctx.analysis.leave_open("DP304", tuple(rules), why)


def _is_contradicted(runs: Runs, index: int) -> bool:
    """Tell whether a later rule may contradict the rule on some contact without declaring that: DP301 tells that."""
    later = runs.contradicting[index] & runs.overlapping[index] & (-1 << index + 1)
    return any(runs.rules[index].name not in runs.rules[i].overrides for i in bits(later))


def _finding(ctx: CheckContext, removal: Removal, runs: Runs, index: int) -> Finding:
    rule = runs.rules[index]
    wider = _wider(removal, runs, index)
    details = "Whatever it does, other rules do or undo on every contact that it matches."
    if wider is not None:
        other = runs.rules[wider]
        details += f'\nIts contacts are all contacts of "{other.name}": {other.path}:{other.name_span.line}'
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'rule "{rule.name}" changes nothing: without it every contact is treated as it is now',
        details=details,
        rules=(rule.name,) if wider is None else (rule.name, runs.rules[wider].name),
        witness=_witness(runs, index),
        fix="delete the rule, or correct its conditions",
    )


def _wider(removal: Removal, runs: Runs, index: int) -> int | None:
    """Return a rule that does the same and holds on every contact of the rule, if there is one."""
    formula = Formula(runs)
    mine = formula.literal(runs.rules[index], runs.acts_when)
    for other in bits(removal.same_as(index)):
        if formula.holds([mine, -formula.literal(runs.rules[other], runs.acts_when)]) is False:
            return other
    return None


def _witness(runs: Runs, index: int) -> Witness | None:
    rule, shown = runs.rules[index], runs.shown_on(runs.acting(index))
    if shown is None:
        return None

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        others = [i for i in range(len(runs.rules)) if i != index]
        one, other = runs.run(scene), runs.run(scene, order=others)
        require(results(one) == results(other), "the witness of a redundant rule is treated differently without it")
        return one, other

    return shown_by(lambda: shown.scene, outcomes, ("as written", f'without "{rule.name}"'))


CHECK = Check(
    code="DP304",
    name="redundant-rule",
    severity="warning",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
    options={"budget": 5000},
)
