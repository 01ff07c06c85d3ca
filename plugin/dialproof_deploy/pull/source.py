"""Everything that is read of a target for a pull, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dialproof.errors import RemoteError, UsageError
from dialproof_deploy.pull.holders import Holder, campaigns_of, pull_campaigns
from dialproof_deploy.pull.platform import Platform
from dialproof_deploy.pull.sample import MOST_BYTES
from dialproof_deploy.targets import target_of

if TYPE_CHECKING:
    from dialproof_deploy.deploy import Deployer

__all__ = ["Source", "read_target"]


@dataclass
class Source:
    """What a target holds.

    ``names`` are those of campaigns by id, ``lists`` the contact lists by id, and ``exports`` the beginning of the
    export of each, where contacts are wanted. ``notes`` are sentences on what was left out.
    """

    holders: list[Holder]
    names: dict[str, str] = field(default_factory=dict)
    lists: dict[str, dict[str, Any]] = field(default_factory=dict)
    exports: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_target(deployer: Deployer, *, contacts: bool) -> Source:
    """Read the target; that contacts cannot be exported is a note.

    Raises ``UsageError`` where it is not known what to read, otherwise as the target does.
    """
    from dialproof_deploy.targets.rulesets import RuleSetsTarget

    with deployer.connected() as target:
        if not target_of(deployer.environment).atomic:
            given = deployer.environ.get("GENESYS_CAMPAIGN_ID", "").strip()
            known = campaigns_of(deployer.project, deployer.environment, given)
            return Source(list(pull_campaigns(target, known)))
        if not isinstance(target, RuleSetsTarget):
            raise UsageError(f"rules cannot be pulled from the target {deployer.environment.target!r}")
        platform = Platform(target)
        holders, names, notes = platform.holders()
        source = Source(holders, names, notes=notes)
        for key in dict.fromkeys(holder.contact_list for holder in source.holders if holder.contact_list):
            found = platform.contact_list(key)
            if found is None:
                source.notes.append(f"contact list {key} is gone: its columns are not known")
                continue
            source.lists[key] = found
            if contacts:
                try:
                    source.exports[key] = platform.exported(key, MOST_BYTES)
                except RemoteError as error:
                    source.notes.append(f"contacts of {str(found.get('name'))!r} are not pulled: {error}")
        return source
