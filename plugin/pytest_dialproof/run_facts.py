"""What one run of a campaign's rules shows of them: whether two that acted contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.evaluate import conflicts_of

if TYPE_CHECKING:
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

__all__ = ["conflict"]


def conflict(campaign: Campaign, outcome: Outcome) -> bool:
    """Tell whether two rules that acted contradict each other, declared overwrites aside."""
    if len(outcome.acted) < 2:
        return False
    overrides = {rule.name: rule.overrides for rule in campaign.rules}
    return any(one not in overrides[later] for one, later in conflicts_of(outcome))
