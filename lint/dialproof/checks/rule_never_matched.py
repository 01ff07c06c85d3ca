"""A rule that no case matches: nobody has seen what it does.

## What it does

Reports an enabled rule that none of its campaign's cases matches, with a contact that it matches. A campaign without
any case is not looked at (the gate refuses it), nor is a rule that no contact can make act: DP201, DP302 and DP303 say
why.

## Why it matters

Whatever such a rule does, a list id with a typo or a condition the wrong way round, every test passes.

## Example

    rules:
      - name: no calls after five attempts
        conditions: [{attribute: attempts, operator: greaterThan, value: 5, type: number}]
        actions: [{type: doNotDial}]
    cases:
      - {name: a first call, contact: {attempts: 0}, expect: {matched: [], dial: true}}

## Instead

    cases:
      - {name: a first call, contact: {attempts: 0}, expect: {matched: [], dial: true}}
      - {name: a sixth attempt, contact: {attempts: 6}, expect: {dial: false}}

`dialproof generate contacts` writes such cases.

## Options

`budget` (default 500): contacts that are searched for one rule; the whole check spends ten times as many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import Unknown
from dialproof.checks.base import Check
from dialproof.output.report import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.coverage.goals import Kind
    from dialproof.findings import Finding

__all__ = ["CHECK", "unseen_rules"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    return unseen_rules(ctx, "matched", "matches")


def unseen_rules(ctx: CheckContext, kind: Kind, word: str) -> Iterator[Finding]:
    """Report each rule of which no case shows one verdict, unless no contact can."""
    budget = ctx.budget()
    for goal in ctx.gaps.open(kind) if ctx.gaps is not None else ():
        assert ctx.gaps is not None
        shown = ctx.gaps.shown_by(goal, budget)
        if shown is None:
            continue
        rule = ctx.campaign.rules[goal.rule]
        details = f"Campaign {ctx.campaign.id} is tested by {count(ctx.gaps.cases, 'case')}."
        if isinstance(shown, Unknown):
            details += f" Whether a contact {word} it is not known: {shown.reason}."
        yield ctx.finding(
            rule.path,
            rule.name_span,
            f'rule "{rule.name}": no case {word} it',
            details=details,
            rules=(rule.name,),
            witness=None if isinstance(shown, Unknown) else shown,
            fix=f"add a case with a contact that {word} it",
        )


CHECK = Check(
    code="DP601",
    name="rule-never-matched",
    severity="warning",
    family="coverage",
    run=_run,
    doc=__doc__ or "",
    options={"budget": 500},
)
