"""A rule that never acts, because one earlier rule always gets in its way.

## What it does

Reports a rule that matches some contacts but acts on none: one earlier rule ends the run on all of them
(`hitPolicy: first`, or `doNotDial` while `semantics.doNotDialStops` is true), or writes a column so that the
conditions no longer hold. That a rule's contacts lie inside those of an earlier one is no finding as long as both act,
and neither is a rule in whose way several earlier rules get, each on a part of its contacts.

## Why it matters

The rule looks as if it worked. What it was meant to do never happens.

## Example

With `hitPolicy: first`:

    - name: everybody from Texas
      executionOrder: 1
      conditions: [{attribute: state, operator: equals, value: TX}]
    - name: premium from Texas
      executionOrder: 2
      conditions:
        - {attribute: state, operator: equals, value: TX}
        - {attribute: tier, operator: equals, value: gold}

## Instead

Put the narrower rule first, or narrow the wider one.

## Options

`budget` (default 20000): runs that are spent on one rule where earlier rules write columns that matter to it; the
whole check spends ten times as many. A rule that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Unknown, acted, require
from dialproof.analysis.pairs import bits
from dialproof.analysis.space import Space
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Budget, Question
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.steps import State
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        for index, rule in enumerate(runs.rules):
            if rule.name in ctx.analysis.broken or not runs.acting(index).boxes:
                continue
            found = _shadow(runs, index, budget)
            if isinstance(found, Unknown):
                ctx.analysis.leave_open("DP302", (rule,), found)
            elif found is not None:
                yield _finding(ctx, runs, index, *found)


def _shadow(runs: Runs, index: int, budget: Budget) -> tuple[int, Found | None] | Unknown | None:
    """Return the one earlier rule that keeps a rule from acting, with a contact; None where there is none."""
    in_front = (1 << index) - 1
    enders = runs.enders & in_front
    sure = runs.covering[index] & ~runs.written
    if not runs.written >> index & 1:
        if sure:
            runs.analysis.decided["cells"] += 1
            return next(bits(sure)), runs.shown_on(runs.acting(index))
        if not enders & runs.written and (not enders or runs.exact & (enders | 1 << index) == enders | 1 << index):
            runs.analysis.decided["cells"] += 1
            return None
    answer = runs.acts(index, budget.question())
    if isinstance(answer, Unknown):
        return answer
    if isinstance(answer, Found):
        return None
    if sure:
        return next(bits(sure)), runs.shown_on(runs.acting(index))
    return _in_the_way(runs, index, budget.question())


def _in_the_way(runs: Runs, index: int, question: Question) -> tuple[int, Found | None] | Unknown | None:
    """Return the rule that ends the run, or makes the verdict untrue, on every contact that the rule matches."""
    involved = runs.involved((index,))
    steps, space = runs.steps, Space(runs, involved)
    common: set[int] | None = None
    shown: Found | None = None
    for assignment in space.inside(runs.acting(index).boxes):
        spent = question.spend()
        if spent is not None:
            return spent
        first = None if assignment is None else steps.start(runs.part_of(assignment))
        if assignment is None or first is None or steps.as_written(involved, first).failed:
            continue
        found = _culprits(runs, involved, first, index)
        common = found if common is None else common & found
        if not common:
            return None  # several rules together: not this check's question
        shown = shown or Found(runs, assignment)
    if space.open is not None:
        return space.open
    return None if not common else (max(common), shown)


def _culprits(runs: Runs, involved: tuple[int, ...], first: State, index: int) -> set[int]:
    """Return the rules that end the run in front of a rule on one contact, or turn its verdict."""
    steps = runs.steps
    written, found = steps.as_written(involved, first), set[int]()
    for earlier, step in written.steps.items():
        if earlier >= index:
            break
        if step.matched and runs.ends[earlier]:
            found.add(earlier)
        elif runs.updated and step.state != written.before[earlier]:
            held = steps.step(index, written.before[earlier], first).matched
            if held and not steps.step(index, step.state, first).matched:
                found.add(earlier)
    return found


def _finding(ctx: CheckContext, runs: Runs, index: int, culprit: int, shown: Found | None) -> Finding:
    rule, other = runs.rules[index], runs.rules[culprit]

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome | None]:
        outcome, alone = runs.run(scene), runs.run(scene, without=[other])
        require(rule.name not in acted(outcome), "the witness does not show that the rule is shadowed")
        return outcome, alone if rule.name in acted(alone) else None

    labels = ("as written", f"without {other.name}")
    how = "ends the run first" if runs.ends[culprit] else "first changes a column that its conditions read"
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'rule "{rule.name}" never acts: on every contact it matches, "{other.name}" {how}',
        details=f'earlier rule "{other.name}": {other.path}:{other.name_span.line}',
        rules=(rule.name, other.name),
        witness=None if shown is None else shown_by(lambda: shown.scene, outcomes, labels),
        fix=f'run "{rule.name}" before "{other.name}", or narrow "{other.name}"',
    )


CHECK = Check(
    code="DP302",
    name="shadowed-rule",
    severity="error",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
