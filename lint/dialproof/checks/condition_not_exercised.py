"""A condition that no pair of cases exercises: it could be dropped or turned round, and no case would show it (MC/DC).

## What it does

Reports a condition of an enabled rule unless two cases show together that it decides the rule: in one it is true, in
the other false, the rule's verdict is another, and in each the other value of this condition alone would have turned
the verdict round. That is masking MC/DC; the page on [coverage](https://dialproof.dev/coverage/) says more. Conditions
are the entries of `conditions` and of `all`, `any` and `not`, and the operands of `&&`, `||` and `!` in a `when:`. The
contact that is shown is one that a case is missing for. A condition that no contact lets decide, proved, is not
reported (DP203 may say why), nor are those of a rule that no case matches or none misses: DP601 and DP602 come first.

## Why it matters

`greaterThan` for `greaterThanOrEqual`, a wrong column, a forgotten `inverted`: as long as other conditions decide every
case, none of them sees it.

## Example

    conditions:
      - {attribute: poutcome, operator: equals, value: failure, type: string}
      - {attribute: pdays, operator: lessThan, value: 30, type: number}
    cases:
      - {name: too early, contact: {poutcome: failure, pdays: 29}, expect: {dial: false}}
      - {name: a stranger, contact: {poutcome: nonexistent, pdays: 999}, expect: {dial: true}}

## Instead

    cases:
      - {name: too early, contact: {poutcome: failure, pdays: 29}, expect: {dial: false}}
      - {name: thirty days later, contact: {poutcome: failure, pdays: 30}, expect: {dial: true}}
      - {name: no refusal, contact: {poutcome: success, pdays: 29}, expect: {dial: true}}

`dialproof generate contacts --kinds mcdc` writes such cases.

## Options

`budget` (default 500): contacts that are searched for one condition; the whole check spends ten times as many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import Unknown
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.coverage.gaps import Gaps
    from dialproof.coverage.goals import Goal
    from dialproof.findings import Finding, Witness

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    gaps, budget = ctx.gaps, ctx.budget()
    if gaps is None:
        return
    unseen = {goal.rule for goal in gaps.open("matched", "missed")}
    missing: dict[tuple[int, int], list[tuple[Goal, Witness | Unknown | None]]] = {}
    for goal in gaps.open("true", "false", "action", "decides true", "decides false"):
        shown = gaps.shown_by(goal, budget)
        if goal.kind.startswith("decides") and goal.rule not in unseen:
            missing.setdefault((goal.rule, goal.position), []).append((goal, shown))
    for both in missing.values():
        if all(shown is not None for _, shown in both):
            yield _finding(ctx, gaps, both)


def _finding(ctx: CheckContext, gaps: Gaps, both: list[tuple[Goal, Witness | Unknown | None]]) -> Finding:
    goal, shown = both[0]
    rule = ctx.campaign.rules[goal.rule]
    decision = gaps.observer.decisions[goal.rule]
    condition = decision.conditions[goal.position]
    program = gaps.observer.evaluator.leaf(condition)
    details = [ctx.wording.condition(condition, program)]
    for one, other in both:
        value = one.kind == "decides true"
        matches = value is not decision.inverted[one.position]
        come, go = ("matches", "would not") if matches else ("is missed", "would match")
        details.append(
            f"missing: a case in which it is {str(value).lower()} and the rule {come}, but {go} were it "
            f"{str(not value).lower()}"
        )
        if isinstance(other, Unknown):
            details.append(f"whether there is such a contact is not known: {other.reason}")
    return ctx.finding(
        rule.path,
        condition.span,
        f'rule "{rule.name}": no pair of cases shows that this condition decides',
        details="\n".join(details),
        rules=(rule.name,),
        witness=None if isinstance(shown, Unknown) else shown,
        fix="add a case with a contact on which this condition alone decides",
    )


CHECK = Check(
    code="DP603",
    name="condition-not-exercised",
    severity="info",
    family="coverage",
    run=_run,
    doc=__doc__ or "",
    options={"budget": 500},
)
