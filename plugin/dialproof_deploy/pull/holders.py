"""What is pulled: things on a target that hold rules, each of which becomes a rules file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof.config import Environment
    from dialproof.project import Project
    from dialproof_deploy.targets import Target

__all__ = ["Holder", "campaigns_of", "pull_campaigns"]


@dataclass(frozen=True)
class Holder:
    """Rules that stand together on the target.

    ``campaigns`` are ids there; ``contact_list`` is the id there of the list of their contacts, "" where the target
    does not tell. ``rule_set`` is the name of the set, "" where the campaign itself holds the rules.
    """

    name: str
    campaigns: tuple[str, ...]
    rules: tuple[Mapping[str, Any], ...]
    rule_set: str = ""
    contact_list: str = ""


def campaigns_of(project: Project, environment: Environment, given: str) -> dict[str, str]:
    """Return the campaigns that are known by name: logical id -> id on the target.

    These are the ones that the environment maps, those of the files, and that of GENESYS_CAMPAIGN_ID (``given``).
    """
    mapped = environment.ids.get("campaigns", {})
    named = (i for campaign in project.campaigns for i in campaign.ids if any(f.campaigns for f in campaign.files))
    found = {**{i: mapped.get(i, i) for i in (*project.config.campaigns, *named)}, **mapped}
    if given and given not in found.values():
        found[given] = given
    return found


def pull_campaigns(target: Target, campaigns: Mapping[str, str]) -> Iterator[Holder]:
    """Yield each campaign, with its rules in their order; raises ``UsageError`` where none is known by name."""
    if not campaigns:
        raise UsageError(
            "which campaigns to pull is not known: name them in ids.campaigns of the environment, or set "
            "GENESYS_CAMPAIGN_ID"
        )
    for logical, remote in campaigns.items():
        rules = sorted(target.list_rules(remote), key=lambda rule: rule["executionOrder"])
        yield Holder(logical, (remote,), tuple(rules))
