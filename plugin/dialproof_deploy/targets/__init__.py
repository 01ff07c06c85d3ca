"""Places that rules are deployed to, and what each of them must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dialproof_deploy.api_client import ApiClient

__all__ = ["TARGETS", "Target", "Written"]


@dataclass(frozen=True)
class Written:
    """A write that was made: the rule as the server now holds it (``None`` once deleted) and the request id.

    ``request_id`` is ``None`` where the answer was lost and the write was found to be made by reading again.
    """

    rule: dict[str, Any] | None
    request_id: str | None


class Target(Protocol):
    """A place that holds the rules of campaigns.

    Rules are wire rules (see ``dialproof_deploy.wire``). Every method raises ``RemoteError`` where the target
    cannot be reached or refuses, and a write raises ``RemoteConflictError`` where the target is not in the state
    that the write was planned against.
    """

    def get_campaign(self, campaign_id: str) -> dict[str, Any]:
        """Return the campaign."""

    def list_rules(self, campaign_id: str) -> list[dict[str, Any]]:
        """Return every rule of the campaign, following the pages to the end."""

    def get_rule(self, campaign_id: str, rule_id: str) -> dict[str, Any]:
        """Return one rule."""

    def create_rule(self, campaign_id: str, rule: Mapping[str, Any]) -> Written:
        """Create a rule from its content; one whose answer is lost is looked up by name before another try."""

    def update_rule(self, campaign_id: str, planned_from: Mapping[str, Any], rule: Mapping[str, Any]) -> Written:
        """Write the content of ``rule`` over the stored rule ``planned_from``, with the next version."""

    def delete_rule(self, campaign_id: str, planned_from: Mapping[str, Any]) -> Written:
        """Delete the stored rule ``planned_from``, unless somebody has changed it."""

    def query_events(self, campaign_id: str, interval: str = "24h") -> Iterator[dict[str, Any]]:
        """Yield the campaign's rule events of the interval, following the pages to the end."""


def _campaign_rules(client: ApiClient) -> Target:
    from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget

    return CampaignRulesTarget(client)


TARGETS: Mapping[str, Callable[[ApiClient], Target]] = {"campaign-rules": _campaign_rules}
"""Target name in the configuration -> what makes one from a client."""
