"""The deploys of an environment, as its audit log shows them: which of them stands, and what a rollback goes back to.

A rollback is no deploy of its own: it makes an earlier deploy the one that stands, and takes those after it back. So a
second ``rollback --last`` goes further back, and never to what was just taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["ABORTED", "DEPLOYED", "ROLLED_BACK", "Deployed", "History", "history_of"]

DEPLOYED = "deployed"
ROLLED_BACK = "rolled back"
ABORTED = "aborted"


@dataclass(frozen=True)
class Deployed:
    """A deploy that was made: ``payloads`` are the digests of what was tested, ``rules`` those of what travelled.

    Both are by logical campaign. ``taken_back`` tells that an abort or a rollback went back behind it.
    """

    id: str
    time: str
    actor: str
    commit: str | None
    payloads: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    taken_back: bool = False


@dataclass(frozen=True)
class History:
    """The deploys in their order, and the id of the one that stands ("" where none does)."""

    deploys: tuple[Deployed, ...] = ()
    standing: str = ""

    def find(self, deploy: str) -> Deployed | None:
        """Return the deploy of an id."""
        return next((found for found in self.deploys if found.id == deploy), None)

    def before_standing(self) -> Deployed | None:
        """Return the last deploy before the one that stands that was not taken back and had other rules."""
        earlier: list[Deployed] = []
        for found in self.deploys:
            if found.id == self.standing:
                others = [d for d in earlier if not d.taken_back and d.rules != found.rules]
                return others[-1] if others else None
            earlier.append(found)
        return None

    def holds(self, logical: str, payload: str) -> bool:
        """Tell whether a campaign has received exactly these rules and they were not taken back."""
        return any(d.payloads.get(logical) == payload for d in self.deploys if not d.taken_back)


def history_of(records: Iterable[Mapping[str, Any]], environment: str) -> History:
    """Read the history of an environment from the records of its audit log."""
    deploys: dict[str, Deployed] = {}
    decided: dict[tuple[str, str], str] = {}
    standing = ""
    for record in records:
        if record.get("event") != "decision" or record.get("environment") != environment:
            continue
        decision, campaigns = record.get("decision"), str(record.get("logicalCampaign")).split(", ")
        deploy = str(record.get("deploy") or f"record {record.get('seq')}")
        if decision == "apply":
            decided |= {(deploy, campaign): str(record.get("resolvedPayload")) for campaign in campaigns}
        elif decision == DEPLOYED:
            found = deploys.get(deploy) or Deployed(
                deploy, str(record.get("time")), str(record.get("actor")), record.get("commit")
            )
            deploys[deploy] = replace(
                found,
                payloads={**found.payloads, **{i: str(record.get("payload")) for i in campaigns}},
                rules={**found.rules, **{i: decided.get((deploy, i), "") for i in campaigns}},
            )
            standing = deploy
        elif decision == ABORTED and deploy in deploys:
            deploys[deploy] = replace(deploys[deploy], taken_back=True)
            standing = next((d.id for d in reversed(deploys.values()) if not d.taken_back), "")
        elif decision == ROLLED_BACK and record.get("restores") in deploys:
            standing = str(record["restores"])
            after = list(deploys)[list(deploys).index(standing) + 1 :]
            for key in (standing, *after):
                deploys[key] = replace(deploys[key], taken_back=key != standing)
    return History(tuple(deploys.values()), standing)
