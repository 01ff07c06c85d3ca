"""Which campaign of the files is which on the target: by the ids of the environment, and GENESYS_CAMPAIGN_ID."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.targets.base import TIME_ZONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.config import Environment
    from dialproof.project import Campaign, Project
    from dialproof.targets.base import TargetType

__all__ = ["SANDBOX", "RemoteIds"]

SANDBOX = "sandbox"
"""The environment that is built in: a server on this machine."""

_CAMPAIGN_ID = "GENESYS_CAMPAIGN_ID"


@dataclass(frozen=True)
class RemoteIds:
    """The ids of a project's things in one environment; ``environ`` may name the campaign of files that name none."""

    project: Project
    environment: Environment
    environ: Mapping[str, str] = field(repr=False)

    def find(self, kind: str, logical: str) -> str | None:
        """Return the id on the target: an environment that maps a kind of ids must map every one of them."""
        if kind == TIME_ZONE:
            return self.environment.time_zone or None
        ids = self.environment.ids.get(kind)
        if not ids:
            return logical
        return ids.get(logical, logical if self.environment.name == SANDBOX else None)

    def campaign(self, campaign: Campaign, logical: str) -> str:
        """Return the id of a campaign on the target; "" where the variable that must name it is missing."""
        if not self._is_named(campaign) and (self._given or self.environment.name != SANDBOX):
            return self._given
        found = self.find("campaigns", logical)
        if found is None:
            raise UsageError(
                f"environment {self.environment.name!r} maps no id for campaign {logical!r} (ids.campaigns)"
            )
        return found

    @property
    def _given(self) -> str:
        return self.environ.get(_CAMPAIGN_ID, "").strip()

    def _is_named(self, campaign: Campaign) -> bool:
        """Tell whether the files or the configuration say which campaign it is; else its id is the file's name."""
        listed = self.project.config.campaigns
        return any(file.campaigns for file in campaign.files) or any(i in listed for i in campaign.ids)

    def refusals(self) -> list[str]:
        """Return a refusal where GENESYS_CAMPAIGN_ID names another campaign than the files, or where two are one."""
        given = self._given
        campaigns = self.project.campaigns
        remote = {i: self.campaign(campaign, i) for campaign in campaigns for i in campaign.ids}
        named = [i for campaign in campaigns if self._is_named(campaign) for i in campaign.ids]
        others = [i for i in named if given and given not in (i, remote[i])]
        if others:
            return [f"{_CAMPAIGN_ID} is {given!r}, and the files are for {', '.join(others)}: unset it, or change one"]
        one: dict[str, list[str]] = {}
        for logical, found in remote.items():
            one.setdefault(found, []).append(logical)
        return [
            f"{', '.join(same)} would all be the campaign {found!r}: write in each rules file which one it is for, "
            "and give each its own id in ids.campaigns"
            for found, same in one.items()
            if found and len(same) > 1
        ]

    def check_variable(self, target_type: TargetType) -> None:
        """Raise ``UsageError`` where a file needs GENESYS_CAMPAIGN_ID and it is not set, naming all that is missing."""
        if self._given or all(map(self._is_named, self.project.campaigns)):
            return
        from dialproof_deploy.api.credentials import missing_message
        from dialproof_deploy.api.secret_command import missing_for

        missing = missing_for(target_type, self.environment, self.environ)
        raise UsageError(missing_message(self.environment.name, [*missing, _CAMPAIGN_ID]))
