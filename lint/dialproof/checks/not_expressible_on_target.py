"""Something of a rule that a target cannot hold.

## What it does

Lowers every campaign to the rules that would travel, for every target of the configured environments, or those of
`dialproof lint --target NAME`, and reports what the target cannot hold: a category, a field of a condition, an
operator, a group, CEL, an action ([what each target can hold](https://dialproof.dev/targets/)). `hitPolicy: first` is
refused by targets that run every rule that matches, unless it is proved that no contact can tell the two apart.

Where the conditions can be written otherwise, the fix says how: groups by De Morgan's laws, the opposite operator, one
`in` for several values, or one rule for each alternative. Such a fix is named only if the rules then come to the same
on every contact of the contact list. Where one rule for each alternative would not, the finding shows a contact on
which it differs, with both outcomes.

## Why it matters

What the target cannot hold ends the deploy, after the tests were green; and whoever rewrites it in a hurry writes
another rule.

## Example

For `campaign-rules`, which has no groups:

    conditions:
      - not:
          any:
            - {attribute: state, operator: equals, value: TX}
            - {attribute: attempts, operator: lessThan, value: 3}

## Instead

    conditions:
      - {attribute: state, operator: notEquals, value: TX}
      - {attribute: attempts, operator: greaterThanOrEqual, value: 3}

## Options

`budget` (default 20000): contacts that are run for one question; the whole check runs ten times as many. What cannot be
decided within them is not suggested.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Nowhere, Unknown
from dialproof.analysis.exchange import same_result
from dialproof.analysis.replacement import where_all_differs
from dialproof.checks.base import Check
from dialproof.evaluate import Evaluator
from dialproof.targets.base import TIME_ZONE, Refusal
from dialproof.targets.suggestion import Rewrite, both_runs, outcomes_of, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.analysis.answers import Budget
    from dialproof.checks.base import CheckContext
    from dialproof.config import Config
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.project import Campaign
    from dialproof.source.positions import Problem
    from dialproof.targets.base import ResolveId, TargetType

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget, campaign = ctx.budget(), ctx.campaign
    for target in ctx.targets:
        resolve = _resolver(ctx.project.config, target)
        _, problems = target.lower(replace(campaign, hit_policy="all"), resolve)
        if campaign.hit_policy == "first":
            _, of_first = target.lower(campaign, resolve)
            yield from _hit_policy(ctx, [p for p in of_first if p not in problems], budget)
        of_rule: dict[str | None, list[Problem]] = {}
        places = {path: sorted(spans) for path, spans in _places(campaign).items()}
        for problem in problems:
            of_rule.setdefault(_rule_at(places, problem), []).append(problem)
        yield from (_finding(ctx, problem) for problem in of_rule.pop(None, ()))
        for rule in campaign.rules:
            if rule.name in of_rule and rule.name not in ctx.analysis.broken:
                yield from _of_rule(ctx, target, resolve, rule, of_rule[rule.name], budget)


def _resolver(config: Config, target: TargetType) -> ResolveId:
    """Return what knows every id, for DP106 looks them up, and the time zone of the target's environments."""
    zones = [e.time_zone for name, e in config.environments.items() if e.target == target.name and name != "sandbox"]

    def resolve(kind: str, logical: str) -> str | None:
        if kind == TIME_ZONE:
            return (zones[0] if all(zones) else None) if zones else "UTC"
        return logical

    return resolve


def _places(campaign: Campaign) -> dict[str, list[tuple[int, int, str]]]:
    """Return for each file the first and the last line of each rule, with its name."""
    found: dict[str, list[tuple[int, int, str]]] = {}
    for rule in campaign.rules:
        found.setdefault(rule.path, []).append((rule.span.line, rule.span.end_line, rule.name))
    return found


def _rule_at(places: Mapping[str, Sequence[tuple[int, int, str]]], problem: Problem) -> str | None:
    """Return the name of the rule that a problem stands in, None where it is about all of them."""
    if isinstance(problem, Refusal) and problem.part == "campaign":
        return None
    rules = places.get(problem.path, ())
    index = bisect_right(rules, problem.span.line, key=lambda place: place[0]) - 1
    return rules[index][2] if index >= 0 and problem.span.line <= rules[index][1] else None


def _finding(ctx: CheckContext, problem: Problem, rule: Rule | None = None, found: Rewrite | None = None) -> Finding:
    hint = problem.hint if isinstance(problem, Refusal) else ""
    return ctx.finding(
        problem.path,
        problem.span,
        problem.message,
        details=found.details if found else "",
        rules=() if rule is None else (rule.name,),
        fix=(found.fix if found else "") or hint,
        witness=found.witness if found else None,
    )


def _hit_policy(ctx: CheckContext, problems: Sequence[Problem], budget: Budget) -> Iterator[Finding]:
    """Yield what a target says of ``hitPolicy: first``, unless ``all`` is proved to come to the same."""
    if not problems:
        return
    semantics = ctx.evaluator.semantics
    answer = where_all_differs(ctx.campaign, semantics, budget)
    if isinstance(answer, Nowhere):
        return
    found = Rewrite(fix="make the conditions exclude each other, so that every contact meets one rule at most")
    if isinstance(answer, Unknown):
        found.details = f"that `all` comes to the same is not proved: {answer.reason}"
    else:
        every = Evaluator(replace(ctx.campaign, hit_policy="all"), semantics)
        witness = both_runs(answer, ctx.evaluator, every, ("first", "all"))
        found.witness = None if same_result(*outcomes_of(witness)) else witness
    yield from (_finding(ctx, problem, found=found) for problem in problems)


def _of_rule(
    ctx: CheckContext,
    target: TargetType,
    resolve: ResolveId,
    rule: Rule,
    problems: Sequence[Problem],
    budget: Budget,
) -> Iterator[Finding]:
    """Yield the findings of one rule; those about its conditions with the rewrite that was proved."""
    in_conditions = [p for p in problems if isinstance(p, Refusal) and p.part == "condition"]
    found = rewrite(ctx, target, resolve, rule, budget) if in_conditions else None
    yield from (_finding(ctx, problem, rule, found if problem in in_conditions else None) for problem in problems)


CHECK = Check(
    code="DP701",
    name="not-expressible-on-target",
    severity="error",
    family="target",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
