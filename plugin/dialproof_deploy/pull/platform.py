"""What the public platform holds, read whole: rule sets with the campaigns that use them, and contact lists."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dialproof.errors import RemoteError
from dialproof_deploy.api.errors import NotFoundError
from dialproof_deploy.pull.holders import Holder
from dialproof_deploy.targets.answers import is_id, json_object
from dialproof_deploy.targets.documents import rules_of
from dialproof_deploy.targets.rulesets import CAMPAIGNS, LISTS, SETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof_deploy.targets.rulesets import RuleSetsTarget

__all__ = ["Platform"]

_POLLS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds before each look for an export


class Platform:
    """Reads through the client of a target; ``sleep`` waits for an export."""

    def __init__(self, target: RuleSetsTarget, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._target = target
        self._sleep = sleep

    def holders(self) -> tuple[list[Holder], dict[str, str], list[str]]:
        """Return the rule sets that campaigns use, the names of campaigns by id, and sentences on what is left out."""
        using: dict[str, list[Mapping[str, Any]]] = {}
        names: dict[str, str] = {}
        notes: list[str] = []
        for campaign in self._target.pages(CAMPAIGNS, "campaign"):
            name, sets = str(campaign.get("name") or campaign["id"]), _references(campaign.get("ruleSets"))
            names[campaign["id"]] = name
            if len(sets) > 1:
                several = ", ".join(repr(str(one.get("name") or one["id"])) for one in sets)
                notes.append(
                    f"campaign {name!r} has several rule sets ({several}), and in which order they run is not "
                    "documented: it stands in the file of the first one alone"
                )
            if sets:
                using.setdefault(sets[0]["id"], []).append(campaign)
        found = []
        for rule_set in self._target.pages(SETS, "rule set"):
            campaigns = using.get(rule_set["id"], [])
            if not campaigns:
                notes.append(f"rule set {rule_set['name']!r} is the first of no campaign: it is left out")
                continue
            whole = self._target.get_rule(rule_set["name"], rule_set["id"])  # a listing may hold it shortened
            lists = list(dict.fromkeys(ref["id"] for c in campaigns for ref in _references([c.get("contactList")])))
            if len(lists) > 1:
                notes.append(f"rule set {rule_set['name']!r} is used with several contact lists: the first is taken")
            found.append(
                Holder(
                    rule_set["name"],
                    tuple(campaign["id"] for campaign in campaigns),
                    tuple(rules_of(whole)),
                    rule_set=rule_set["name"],
                    contact_list=lists[0] if lists else "",
                )
            )
        return found, names, notes

    def contact_list(self, key: str) -> dict[str, Any] | None:
        """Return a contact list, None if it is gone."""
        try:
            body = self._target.client.request("GET", f"{LISTS}/{key}").body
        except NotFoundError:
            return None
        return json_object(body, f"contact list {key}")

    def exported(self, key: str, most: int) -> bytes:
        """Return the first bytes of the export of a contact list; raises ``RemoteError`` where there is none."""
        self._target.client.request("POST", f"{LISTS}/{key}/export", idempotent=True)
        for wait in _POLLS:
            self._sleep(wait)
            try:
                body = self._target.client.request("GET", f"{LISTS}/{key}/export").body
            except NotFoundError:
                continue
            uri = body.get("uri") if isinstance(body, dict) else None
            if not isinstance(uri, str):
                break
            return self._target.client.download(uri, most)
        raise RemoteError(f"contact list {key}: its export did not get ready")


def _references(value: object) -> list[dict[str, Any]]:
    items: Sequence[object] = value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict) and isinstance(key := item.get("id"), str) and is_id(key)]
