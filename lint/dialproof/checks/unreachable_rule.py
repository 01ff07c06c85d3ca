"""A rule whose conditions contradict each other, so that no contact can ever match it.

## What it does

Reports a rule whose conditions hold on no contact of the contact list, whatever the rules before it write. The finding
names a smallest set of conditions that cannot hold together (one, where a single condition lies outside of the column's
declared domain).

## Why it matters

The rule never acts. If it was meant to keep contacts from being dialed, they are dialed.

## Example

    conditions:
      - {attribute: attempts, operator: greaterThan, value: 5}
      - {attribute: attempts, operator: lessThan, value: 3}

## Instead

Correct the constant that is wrong, or put alternatives under `any:`.

    conditions:
      - any:
          - {attribute: attempts, operator: greaterThan, value: 5}
          - {attribute: attempts, operator: lessThan, value: 3}

## Options

`budget` (default 20000): runs that are spent on one rule where earlier rules write columns that it reads; the
whole check spends ten times as many. A rule that cannot be decided within them is DP901.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Nowhere, Unknown
from dialproof.analysis.regions import intersect
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Expression, Rule

__all__ = ["CHECK"]

_SUBSETS = 5_000
"""Sets of conditions that are looked at for the smallest one."""
_PROVED = 100
"""Sets of conditions of which a solver is asked, where cells do not decide it."""
_NO_TEXT = Unknown("none of the texts that were tried meets its conditions", "texts")


def _run(ctx: CheckContext) -> Iterator[Finding]:
    analysis, budget = ctx.analysis, ctx.budget()
    for rule in ctx.campaign.rules:
        if not rule.enabled or rule.name in analysis.broken:
            continue
        runs = analysis.runs(rule.category)
        index = runs.index(rule)
        by_solver = analysis.decided["smt"]
        answer = runs.meets(index, "true", _NO_TEXT)
        if isinstance(answer, Nowhere) and runs.written >> index & 1 and runs.reachable(index).boxes:
            answer = runs.acts(index, budget.question())
        elif not isinstance(answer, Unknown) and by_solver == analysis.decided["smt"]:
            analysis.decided["cells"] += 1
        if isinstance(answer, Unknown):
            analysis.leave_open("DP201", (rule,), answer)
        if not isinstance(answer, Nowhere):
            continue
        culprits = _smallest(ctx, runs, rule)
        places = "\n".join(f"{rule.path}:{c.span.line}:{c.span.column}: {_text(ctx, c)}" for c in culprits)
        if len(culprits) == 1:
            what, why = "this condition holds", "no value that its columns can have meets it"
        else:
            what, why = f"these {len(culprits)} conditions hold together", "they contradict each other"
        yield ctx.finding(
            rule.path,
            rule.name_span,
            f'rule "{rule.name}" can never match: no contact meets its conditions',
            details=f"On no contact of the contact list {what}:\n{places}",
            rules=(rule.name,),
            fix=f"correct the conditions named ({why}), or delete the rule",
        )


def _smallest(ctx: CheckContext, runs: Runs, rule: Rule) -> tuple[Expression, ...]:
    """Return a smallest set of the rule's conditions that no contact meets, as far as it can be told."""
    members = ctx.analysis.part(rule).members
    regions = [ctx.analysis.region_of(member, "true") for member in members]
    seen = 0
    for size in range(1, len(regions)):
        for chosen in combinations(range(len(regions)), size):
            seen += 1
            if seen > _SUBSETS:
                return rule.conditions
            region = regions[chosen[0]]
            for other in chosen[1:]:
                region = intersect(region, regions[other])
            if not region.boxes or (seen <= _PROVED and runs.refuted([members[i] for i in chosen], region.open)):
                return tuple(rule.conditions[i] for i in chosen)
    return rule.conditions


def _text(ctx: CheckContext, expression: Expression) -> str:
    from dialproof.model.rules import leaves

    say = ctx.wording.condition
    return " ... ".join(say(leaf, ctx.evaluator.leaf(leaf)) for leaf in leaves((expression,)))


CHECK = Check(
    code="DP201",
    name="unreachable-rule",
    severity="error",
    family="conditions",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
