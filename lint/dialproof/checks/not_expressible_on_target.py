"""Something of a rule that a target cannot hold.

## What it does

Lowers every campaign to the rules that would travel, for every target of the configured environments, or those of
`dialproof lint --target NAME`, and reports what the target cannot hold: a category, a field of a condition, an
operator, a group, CEL, an action. [What each target can hold](../targets.md) lists it. `hitPolicy: first` is refused by
targets that run every rule that matches, unless it is proved that no contact can tell the two apart.

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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown
from dialproof.analysis.exchange import same_result
from dialproof.analysis.replacement import StandIn, where_all_differs, where_stand_in_differs
from dialproof.checks.base import Check
from dialproof.evaluate import Evaluator
from dialproof.findings import Witness
from dialproof.targets.base import TIME_ZONE, Refusal
from dialproof.targets.rewriting import alternatives, merged, upright

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.analysis.answers import Budget
    from dialproof.checks.base import CheckContext
    from dialproof.config import Config
    from dialproof.findings import Finding
    from dialproof.model.rules import Condition, Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign
    from dialproof.source.positions import Problem
    from dialproof.targets.base import ResolveId, TargetType

__all__ = ["CHECK"]

_SHOWN = 4
"""Alternatives that a fix writes out."""
_SPLIT = ("as written", "one rule for each")


@dataclass
class _Rewrite:
    """What is said of how else something could be written: a fix that was proved, or why there is none."""

    details: str = ""
    fix: str = ""
    witness: Witness | None = None


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


def _finding(ctx: CheckContext, problem: Problem, rule: Rule | None = None, found: _Rewrite | None = None) -> Finding:
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
    found = _Rewrite(fix="make the conditions exclude each other, so that every contact meets one rule at most")
    if isinstance(answer, Unknown):
        found.details = f"that `all` comes to the same is not proved: {answer.reason}"
    else:
        every = Evaluator(replace(ctx.campaign, hit_policy="all"), semantics)
        witness = _both(answer, ctx.evaluator, every, ("first", "all"))
        found.witness = None if same_result(*_outcomes(witness)) else witness
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
    found = _rewrite(ctx, target, resolve, rule, budget) if in_conditions else None
    yield from (_finding(ctx, problem, rule, found if problem in in_conditions else None) for problem in problems)


def _rewrite(ctx: CheckContext, target: TargetType, resolve: ResolveId, rule: Rule, budget: Budget) -> _Rewrite:
    """Return the nearest way to write a rule's conditions that the target can hold, as far as it is proved."""
    written = alternatives(rule.conditions)
    if written is None:
        return _Rewrite()
    forms = tuple(tuple(map(upright, form)) for form in written)
    one = merged(forms) if len(forms) > 1 else forms[0]
    every = "on every contact of the contact list" if ctx.campaign.contact_list.declared else "on every contact"
    if one is not None:
        stand_in = _stand_in(ctx.campaign, rule, [one])
        # No verdict depends on whether a rule is written this way; the contacts are asked all the same.
        if _holds(target, resolve, stand_in) and not isinstance(_differs(ctx, stand_in, budget), Found):
            return _Rewrite(fix=f"write {_said(ctx, one)} instead: it is the same {every}")
    stand_in = _stand_in(ctx.campaign, rule, forms)
    if len(forms) < 2 or not _holds(target, resolve, stand_in):
        return _Rewrite()
    answer = _differs(ctx, stand_in, budget)
    if isinstance(answer, Unknown):
        return _Rewrite(f"that one rule for each alternative comes to the same is not proved: {answer.reason}")
    if isinstance(answer, Found):
        witness = _both(answer, ctx.evaluator, Evaluator(stand_in.after, ctx.evaluator.semantics), _SPLIT)
        if stand_in.same(*_outcomes(witness)):
            return _Rewrite()
        return _Rewrite("one rule for each alternative would come to something else", witness=witness)
    said = [f"({_said(ctx, form)})" for form in forms[:_SHOWN]]
    more = f" and {len(forms) - _SHOWN} more" if len(forms) > _SHOWN else ""
    return _Rewrite(fix=f"write {len(forms)} rules, one for each of {', '.join(said)}{more}: they do the same {every}")


def _stand_in(campaign: Campaign, rule: Rule, forms: Sequence[Sequence[Condition]]) -> StandIn:
    names = [rule.name] if len(forms) == 1 else [f"{rule.name} ({n}/{len(forms)})" for n in range(1, len(forms) + 1)]
    rules = (replace(rule, name=name, conditions=tuple(form)) for name, form in zip(names, forms, strict=True))
    return StandIn(campaign, rule, tuple(rules))


def _holds(target: TargetType, resolve: ResolveId, stand_in: StandIn) -> bool:
    """Tell whether the target can hold the conditions of the rules that stand in."""
    few = replace(stand_in.campaign, rules=stand_in.rules, hit_policy="all")
    _, problems = target.lower(few, resolve)
    return not any(isinstance(p, Refusal) and p.part == "condition" for p in problems)


def _differs(ctx: CheckContext, stand_in: StandIn, budget: Budget) -> Found | Nowhere | Unknown:
    return where_stand_in_differs(ctx.analysis, stand_in, budget.question())


def _said(ctx: CheckContext, form: Sequence[Condition]) -> str:
    return " and ".join(map(ctx.wording.comparison, form)) or "no condition"


def _both(found: Found, one: Evaluator, other: Evaluator, labels: tuple[str, str]) -> Witness:
    """Run a contact that was found through both."""
    scene, category = found.scene, found.runs.category
    outcome, second = (
        evaluator.run(scene.contact, category=category, context=scene.context, now=scene.now)
        for evaluator in (one, other)
    )
    return Witness(scene.contact, scene.context, scene.now, outcome, second, labels)


def _outcomes(witness: Witness) -> tuple[Outcome, Outcome]:
    assert witness.other is not None
    return witness.outcome, witness.other


CHECK = Check(
    code="DP701",
    name="not-expressible-on-target",
    severity="error",
    family="target",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
