"""The drift of an environment: from its last deploy, its files, the audit log and the target's events; only reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dialproof.errors import RemoteError
from dialproof_deploy.audit.log import read_records
from dialproof_deploy.drift.attachments import attachments_of
from dialproof_deploy.drift.baseline import compare, not_in_files, standing_deploy
from dialproof_deploy.drift.meaning import Effects, effects_of
from dialproof_deploy.drift.rules import deployed_rules
from dialproof_deploy.redact import redact
from dialproof_deploy.remote_ids import RemoteIds
from dialproof_deploy.rollout.journal import refuse_unfinished
from dialproof_deploy.targets import target_of
from dialproof_deploy.targets.documents import kind_of
from dialproof_deploy.targets.wire import shown_differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dialproof_deploy.deploy import Deployer
    from dialproof_deploy.drift.attachments import Attachment
    from dialproof_deploy.drift.baseline import Basis
    from dialproof_deploy.drift.rules import RuleState
    from dialproof_deploy.plan.plan import Plan
    from dialproof_deploy.rollout.record import DeployRecord
    from dialproof_deploy.targets.wire import FieldDifference

__all__ = ["CampaignDrift", "Change", "Drift", "find_drift"]


@dataclass(frozen=True)
class Change:
    """When a rule was last changed by somebody else, as the target tells it; ``by`` is "" where it does not say who."""

    time: str
    event: str
    by: str = ""


@dataclass(frozen=True)
class CampaignDrift:
    """The drift of one campaign or rule set, held against what was deployed or, where that is not known, the files.

    ``changes`` has the last change of a rule by somebody else, by the rule's name. ``attachments`` are campaigns whose
    rule sets are others than were deployed. ``notes`` are sentences.
    """

    plan: Plan
    states: tuple[RuleState, ...]
    changes: Mapping[str, Change]
    effects: Effects
    basis: Basis = "files"
    attachments: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.drifted or self.attachments)

    @property
    def drifted(self) -> tuple[RuleState, ...]:
        """The rules that have drifted."""
        return tuple(state for state in self.states if state.drifted)

    def differences(self, state: RuleState) -> tuple[FieldDifference, ...]:
        """Return what was changed of a rule, without personal values; nothing of one that was added or deleted."""
        if state.state not in ("changed", "kept changed") or state.wanted is None or state.stored is None:
            return ()
        return shown_differences(state.wanted, state.stored, self.plan.personal)


@dataclass(frozen=True)
class Drift:
    """The drift of an environment; true where there is any."""

    environment: str
    campaigns: tuple[CampaignDrift, ...]

    def __bool__(self) -> bool:
        return any(self.campaigns)


def find_drift(deployer: Deployer, interval: str) -> Drift:
    """Return what differs on the target from what was deployed, as far back as ``interval`` who did it.

    Raises as ``Deployer.plan`` does, but for rules of the files that the target cannot hold where all was deployed
    before; that the target does not tell who changed what is a note.
    """
    plans, cannot_hold = deployer.compare()
    name = deployer.environment.name
    records = list(read_records(deployer.state.audit(name)))
    record = standing_deploy(deployer.state, name, records)
    campaigns = [_campaign_drift(deployer, plan, cannot_hold, record, records) for plan in plans]
    if any(campaign.drifted for campaign in campaigns):
        campaigns = _with_changes(deployer, campaigns, records, interval)
    notes = [*filter(None, [refuse_unfinished(deployer.state, name)]), *not_in_files(record, plans)]
    campaigns = [replace(campaign, notes=(*campaign.notes, *notes)) for campaign in campaigns]
    return Drift(name, tuple(campaigns))


def _campaign_drift(
    deployer: Deployer,
    plan: Plan,
    cannot_hold: Sequence[str],
    record: DeployRecord | None,
    records: Sequence[Mapping[str, Any]],
) -> CampaignDrift:
    compared = compare(plan, cannot_hold, record, records, deployer.environment.keep)
    states, notes = compared.states, list(compared.notes)
    campaign = deployer.project.campaign(plan.logical.partition(", ")[0])
    if campaign is None:
        return CampaignDrift(compared.plan, states, {}, Effects(), compared.basis, notes=compared.notes)
    ids = RemoteIds(deployer.project, deployer.environment, deployer.environ)
    deployed_to = deployed_rules(records, plan.campaign).campaigns
    attachments = attachments_of(
        plan, {ids.campaign(campaign, i): i in deployed_to for i in campaign.ids}, deployer.environment.keep
    )
    if any(attachment.others for attachment in attachments):
        notes.append("whom the other rule sets come to dial, or not to dial, is not looked at")
    if any(attachment.detached for attachment in attachments):  # what such a campaign comes to: no rule at all
        states = tuple(
            replace(s, wanted=s.wanted if s.drifted else s.stored, stored=None, state="deleted") for s in states
        )
    effects = Effects()
    if any(state.drifted for state in states):
        read = target_of(deployer.environment).reader(campaign.contact_list)
        effects = effects_of(states, campaign, deployer.project.config.semantics, read, compared.basis)
    return CampaignDrift(compared.plan, compared.states, {}, effects, compared.basis, tuple(attachments), tuple(notes))


def _with_changes(
    deployer: Deployer, campaigns: Sequence[CampaignDrift], records: Sequence[Mapping[str, Any]], interval: str
) -> list[CampaignDrift]:
    """Add when each rule was last changed by somebody else."""
    try:
        events = deployer.events(interval)
    except RemoteError as error:
        note = f"who changed it is not known: {redact(str(error))}"
        return [replace(campaign, notes=(*campaign.notes, note)) for campaign in campaigns]
    last = _last_by_others(events)
    found = []
    for campaign in campaigns:
        keys = _entities(campaign, deployed_rules(records, campaign.plan.campaign).ids)
        found.append(replace(campaign, changes={rule: last[key] for rule, key in keys.items() if key in last}))
    return found


def _entities(campaign: CampaignDrift, ids: Mapping[str, str]) -> dict[str, str]:
    """Return what the target's events call each rule that has drifted: the rule itself, or the set that it is in."""
    plan = campaign.plan
    if plan.holder == "campaign":
        return {state.rule: state.rule_id or ids.get(state.rule, "") for state in campaign.drifted}
    stored = next((str(d["id"]) for d in plan.remote if kind_of(d) == "rule set"), ids.get(plan.campaign, ""))
    return {state.rule: stored for state in campaign.drifted}


def _last_by_others(events: Iterable[Mapping[str, Any]]) -> dict[str, Change]:
    last: dict[str, Change] = {}
    for event in sorted(events, key=lambda event: str(event.get("timestamp"))):
        if event.get("changed_by") == "other":
            last[str(event.get("entityId"))] = Change(
                str(event.get("timestamp")), str(event.get("eventType")), str(event.get("user") or "")
            )
    return last
