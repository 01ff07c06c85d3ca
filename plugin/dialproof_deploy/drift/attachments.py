"""Where rule sets hold the rules: whether each campaign still has the set, and no other one beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof_deploy.plan.rule_set import RULE_SET
from dialproof_deploy.targets.documents import kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dialproof_deploy.plan.plan import Plan

__all__ = ["Attachment", "attachments_of"]


@dataclass(frozen=True)
class Attachment:
    """A campaign, by name and id on the target, that has not the rule set any more (``detached``), or others too."""

    campaign: str
    campaign_id: str
    detached: bool
    others: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the same as JSON data."""
        return {**vars(self), "others": list(self.others)}

    def sentences(self, rule_set: str) -> list[str]:
        """Return what is otherwise than it was deployed."""
        found = []
        if self.detached:
            found.append(
                f"campaign {self.campaign!r} has not the rule set {rule_set!r} any more: none of its rules runs there"
            )
        if self.others:
            others = ", ".join(map(repr, self.others))
            found.append(f"campaign {self.campaign!r} has other rule sets, which were not deployed: {others}")
        return found


def attachments_of(plan: Plan, deployed_to: Mapping[str, bool], keep: Collection[str]) -> list[Attachment]:
    """Return each campaign whose rule sets are others than were deployed.

    ``deployed_to`` has the campaigns of the files by id on the target, and whether the audit log shows that the set was
    deployed to each; ``keep`` is that of the environment.
    """
    found = []
    for document in plan.remote:
        if kind_of(document) != "campaign" or document["id"] not in deployed_to:
            continue
        others = [
            str(other.get("name") or other["id"])
            for other in document["otherRuleSets"]
            if not any(f"{RULE_SET}{other.get(key)}" in keep for key in ("name", "id"))
        ]
        detached = document["ruleSet"] is None and deployed_to[document["id"]]
        if detached or others:
            found.append(Attachment(str(document["name"]), document["id"], detached, tuple(others)))
    return found
