"""A condition that cannot be decided for some contacts, so that its rule is undecided for them.

## What it does

Reports a condition that is neither true nor false for some contact of the contact list, because the column is blank or
cannot be read as what the condition compares, where that leaves the whole rule undecided. It does not where another
condition of the rule is false then, as `exists` on the same column is.

## Why it matters

A rule that is undecided does not act, and what happens to the contact is a switch (`semantics.undecided`), by default
that it is not dialed. A column that is often blank can empty a campaign.

## Example

    conditions:
      - {attribute: lifetimeValue, operator: greaterThan, value: 5000, type: number}

where `lifetimeValue` may be blank.

## Instead

Say what a blank value means:

    conditions:
      - {attribute: lifetimeValue, operator: exists}
      - {attribute: lifetimeValue, operator: greaterThan, value: 5000, type: number}

or make the column `required` in the contact list, if it always has a value.

## Options

None.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Unknown, require
from dialproof.analysis.regions import meetings
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check
from dialproof.model.rules import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Condition, Rule, When
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]

_TRIES = 50
"""Contacts that are tried for one condition."""
_NO_VALUE = Unknown("no value that was tried leaves it undecided", "texts")


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        for index, rule in enumerate(runs.rules):
            if rule.name in ctx.analysis.broken:
                continue
            for leaf in leaves(rule.conditions):
                found = _undecided_at(runs, index, leaf)
                if isinstance(found, Unknown):
                    ctx.analysis.leave_open("DP205", (rule,), found)
                elif found is not None:
                    yield _finding(ctx, runs, rule, leaf, found)


def _undecided_at(runs: Runs, index: int, leaf: Condition | When) -> Assignment | Unknown | None:
    """Return a contact on which a condition and the rule as a whole are undecided, None where there is none."""
    analysis, rule = runs.analysis, runs.rules[index]
    if analysis.evaluator.leaf(leaf).reads_text_alone:
        return None
    part = analysis.part_of(leaf)
    neither = [analysis.region_of(part, "not true"), analysis.region_of(part, "not false")]
    if next(meetings(neither), None) is None:
        return None
    exact = analysis.is_exact(rule)
    evaluator = runs.evaluator_of([rule])
    problem: Unknown | None = None
    both = [*neither, analysis.region(rule, "not true"), analysis.region(rule, "not false")]
    for box in islice(meetings(both), _TRIES):
        assignment = runs.representative(box)
        if assignment is not None and exact:
            return assignment
        problem = next((r.open for r in both if r.open), _NO_VALUE)
        if assignment is not None:
            scene = runs.scene_at(assignment)
            view = evaluator.view(scene.contact, context=scene.context, now=scene.now)
            verdicts = evaluator.verdicts(scene.contact, context=scene.context, now=scene.now)
            if verdicts[rule.name] is None and evaluator.leaf(leaf).verdict(view) is None:
                return assignment
    return problem


def _finding(ctx: CheckContext, runs: Runs, rule: Rule, leaf: Condition | When, found: Assignment) -> Finding:
    def outcomes(scene: Scene) -> tuple[Outcome, None]:
        outcome = runs.evaluator_of([rule]).run(
            scene.contact, category=runs.category, context=scene.context, now=scene.now
        )
        require(rule.name in outcome.undecided, "the witness does not leave the rule undecided")
        return outcome, None

    names = sorted({v.name for v in ctx.evaluator.leaf(leaf).reads if v.source != "now"})
    return ctx.finding(
        rule.path,
        leaf.span,
        f'rule "{rule.name}": this condition cannot be decided for some contacts',
        details=f"{', '.join(names)} may be blank or unreadable, and no other condition of the rule is false then.",
        rules=(rule.name,),
        witness=shown_by(lambda: runs.scene_at(found), outcomes, (f'"{rule.name}" alone', "")),
        fix="add a condition for blank values (`exists`, or `any` with `notExists`), or make the column `required`",
    )


CHECK = Check(
    code="DP205",
    name="undecidable-condition",
    severity="warning",
    family="conditions",
    run=_run,
    doc=__doc__ or "",
)
