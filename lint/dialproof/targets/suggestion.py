"""How else the conditions of a rule could be written so that a target holds them, as far as that is proved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Found, Nowhere, Unknown
from dialproof.analysis.replacement import StandIn, where_stand_in_differs
from dialproof.evaluate import Evaluator
from dialproof.findings import Witness
from dialproof.targets.base import Refusal
from dialproof.targets.rewriting import alternatives, merged, upright

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.analysis.answers import Budget
    from dialproof.checks.base import CheckContext
    from dialproof.model.rules import Condition, Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign
    from dialproof.targets.base import ResolveId, TargetType

__all__ = ["Rewrite", "both_runs", "outcomes_of", "rewrite"]

_SHOWN = 4
"""Alternatives that a fix writes out."""
_SPLIT = ("as written", "one rule for each")


@dataclass
class Rewrite:
    """What is said of how else something could be written: a fix that was proved, or why there is none."""

    details: str = ""
    fix: str = ""
    witness: Witness | None = None


def rewrite(ctx: CheckContext, target: TargetType, resolve: ResolveId, rule: Rule, budget: Budget) -> Rewrite:
    """Return the nearest way to write a rule's conditions that the target can hold, as far as it is proved."""
    written = alternatives(rule.conditions)
    if written is None:
        return Rewrite()
    forms = tuple(tuple(map(upright, form)) for form in written)
    one = merged(forms) if len(forms) > 1 else forms[0]
    every = "on every contact of the contact list" if ctx.campaign.contact_list.declared else "on every contact"
    if one is not None:
        stand_in = _stand_in(ctx.campaign, rule, [one])
        # No verdict depends on whether a rule is written this way; the contacts are asked all the same.
        if _holds(target, resolve, stand_in) and not isinstance(_differs(ctx, stand_in, budget), Found):
            return Rewrite(fix=f"write {_said(ctx, one)} instead: it is the same {every}")
    stand_in = _stand_in(ctx.campaign, rule, forms)
    if len(forms) < 2 or not _holds(target, resolve, stand_in):
        return Rewrite()
    answer = _differs(ctx, stand_in, budget)
    if isinstance(answer, Unknown):
        return Rewrite(f"that one rule for each alternative comes to the same is not proved: {answer.reason}")
    if isinstance(answer, Found):
        witness = both_runs(answer, ctx.evaluator, Evaluator(stand_in.after, ctx.evaluator.semantics), _SPLIT)
        if stand_in.same(*outcomes_of(witness)):
            return Rewrite()
        return Rewrite("one rule for each alternative would come to something else", witness=witness)
    said = [f"({_said(ctx, form)})" for form in forms[:_SHOWN]]
    more = f" and {len(forms) - _SHOWN} more" if len(forms) > _SHOWN else ""
    return Rewrite(fix=f"write {len(forms)} rules, one for each of {', '.join(said)}{more}: they do the same {every}")


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


def both_runs(found: Found, one: Evaluator, other: Evaluator, labels: tuple[str, str]) -> Witness:
    """Run a contact that was found through both."""
    scene, category = found.scene, found.runs.category
    outcome, second = (
        evaluator.run(scene.contact, category=category, context=scene.context, now=scene.now)
        for evaluator in (one, other)
    )
    return Witness(scene.contact, scene.context, scene.now, outcome, second, labels)


def outcomes_of(witness: Witness) -> tuple[Outcome, Outcome]:
    """Return both outcomes of a witness that has two."""
    assert witness.other is not None
    return witness.outcome, witness.other
