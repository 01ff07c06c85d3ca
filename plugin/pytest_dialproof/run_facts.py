"""What one run of a campaign's rules shows of them: the rules it misses, and whether two that acted contradict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.evaluate import conflicts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.evaluate import Evaluator
    from dialproof.model.contacts import Contact
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

__all__ = ["conflict", "missed"]


def missed(evaluator: Evaluator, contact: Contact, options: Mapping[str, Any], outcome: Outcome) -> list[str]:
    """Return the rules whose own conditions are false for the contact; not those behind the end of the run."""
    campaign = evaluator.campaign
    rules = [r.name for r in campaign.rules if r.enabled and r.category == options["category"]]
    if campaign.hit_policy == "first" or evaluator.semantics.doNotDialStops:
        circumstances = {key: options[key] for key in ("context", "now", "time_zone")}
        verdicts = evaluator.verdicts(contact, **circumstances)
        return [rule for rule in rules if verdicts[rule] is False]
    if outcome.failure is not None:
        return []
    met = {*outcome.matched, *outcome.undecided}
    return [rule for rule in rules if rule not in met]


def conflict(campaign: Campaign, outcome: Outcome) -> bool:
    """Tell whether two rules that acted contradict each other, declared overwrites aside."""
    if len(outcome.acted) < 2:
        return False
    overrides = {rule.name: rule.overrides for rule in campaign.rules}
    return any(one not in overrides[later] for one, later in conflicts_of(outcome))
