"""What the files want of each thing that holds rules on a target, and the plan that leads there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dialproof_deploy.plan.dialing import dialing_of
from dialproof_deploy.plan.personal import personal_names, register_values
from dialproof_deploy.plan.plan import Plan, make_plan
from dialproof_deploy.plan.rule_set import plan_rule_set, prunable, rules_after, rules_beside
from dialproof_deploy.plan.safety import Safety
from dialproof_deploy.plan.sample import sample_of
from dialproof_deploy.targets.documents import content, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from dialproof.model.contacts import ContactsFile
    from dialproof.project import Campaign, Project
    from dialproof.targets.base import TargetType
    from dialproof_deploy.remote_ids import RemoteIds

__all__ = ["Planner", "Wanted", "campaigns_of", "holders_of", "wanted_by"]


@dataclass(frozen=True)
class Wanted:
    """What the files want of what holds rules: a campaign, or a rule set that several campaigns of the files use.

    ``remote`` is the id of the campaign there, or the name of the set; ``campaigns`` are the ids there of the campaigns
    that have these rules, ``logical`` their ids in the files (joined by a comma).
    """

    logical: str
    remote: str
    campaign: Campaign
    rules: list[dict[str, Any]]
    campaigns: tuple[str, ...]


def wanted_by(project: Project, kind: TargetType, ids: RemoteIds) -> tuple[list[Wanted], list[str]]:
    """Return the wire rules of every campaign, and a line for each thing that the target cannot hold."""
    from dialproof.analysis.replacement import as_all

    wanted, problems = [], []
    for campaign in project.campaigns:
        rules, found = kind.lower(as_all(campaign, project.config.semantics), ids.find)
        problems += [str(problem) for problem in found]
        wanted += _wanted_of(kind, campaign, rules, ids)
    return wanted, list(dict.fromkeys([*problems, *_shared_sets(kind, wanted)]))


def holders_of(project: Project, kind: TargetType, ids: RemoteIds) -> list[Wanted]:
    """Return what holds the rules of each campaign, without them: whether or not the target can hold the rules."""
    return [want for campaign in project.campaigns for want in _wanted_of(kind, campaign, [], ids)]


def _wanted_of(kind: TargetType, campaign: Campaign, rules: list[dict[str, Any]], ids: RemoteIds) -> list[Wanted]:
    """Return what is wanted for a campaign of the files, which may have several ids."""
    there = {logical: ids.campaign(campaign, logical) for logical in campaign.ids}
    if kind.atomic and kind.holder is not None:
        return [Wanted(", ".join(there), kind.holder(campaign), campaign, rules, tuple(there.values()))]
    return [Wanted(logical, remote, campaign, rules, (remote,)) for logical, remote in there.items()]


def _shared_sets(kind: TargetType, wanted: Sequence[Wanted]) -> list[str]:
    """Return a sentence for each rule set that campaigns with other rules would share."""
    first: dict[str, Wanted] = {}
    if not kind.atomic:
        return []
    return [
        f"campaigns {one.logical} and {want.logical} would share the rule set {want.remote!r}, each with its own "
        "rules: write another ruleSet in one of them"
        for want in wanted
        if (one := first.setdefault(want.remote, want)) is not want
    ]


def campaigns_of(plans: Iterable[Plan]) -> dict[str, list[str]]:
    """Return the campaigns (ids) that each rule set was planned for, whatever the files say now."""
    return {
        plan.campaign: [d["id"] for d in plan.remote if kind_of(d) == "campaign" and d.get("ours", True)]
        for plan in plans
    }


@dataclass(frozen=True)
class Planner:
    """Plans what a deploy of a project would change on a target of one kind.

    Who comes to be dialed is counted over ``contacts``, or those of the project; ``dials`` says whether a campaign of
    which the target does not tell may dial.
    """

    project: Project
    kind: TargetType
    keep: Collection[str] = ()
    prune: Collection[str] = ()
    allow_transient: bool = False
    contacts: ContactsFile | None = None
    time_zone: str = ""
    dials: bool = True

    def not_there(self, wanted: Sequence[Wanted], stored: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
        """Return what is to be pruned and is on the target nowhere."""
        there = set().union(*map(self._prunable, wanted, stored))
        return [name for name in self.prune if name not in there]

    def plan(self, want: Wanted, stored: Sequence[Mapping[str, Any]], owned: Collection[str], now: datetime) -> Plan:
        """Return the plan for what the files want, given what the target gave for it."""
        columns, suppresses = want.campaign.contact_list, self.kind.suppresses
        safety = Safety(columns, self.project.config.semantics, self.kind.reader(columns), suppresses)
        plan = self.compare(want, stored, owned, safety)
        return self._with_dialing(self._with_kept(plan, want), want, now)

    def compare(
        self,
        want: Wanted,
        stored: Sequence[Mapping[str, Any]],
        owned: Collection[str],
        safety: Safety | None = None,
    ) -> Plan:
        """Return what separates the target from the files.

        Without ``safety`` nobody may carry it out: what it does to who is dialed, on the way and afterwards, was not
        looked at.
        """
        there = self._prunable(want, stored)
        prune = [name for name in self.prune if name in there]
        renamed = {rule.name: rule.renamed_from for rule in want.campaign.rules if rule.renamed_from}
        if self.kind.atomic:
            plan = plan_rule_set(
                want.remote,
                want.rules,
                stored,
                campaigns=want.campaigns,
                keep=self.keep,
                prune=prune,
                owned=owned,
                renamed=renamed,
            )
        else:
            plan = make_plan(
                want.remote,
                want.rules,
                stored,
                keep=self.keep,
                prune=prune,
                owned=owned,
                renamed=renamed,
                suppresses=self.kind.suppresses,
                safety=safety,
                allow_transient=self.allow_transient,
            )
        personal = personal_names(want.campaign.contact_list)
        register_values(stored, personal)
        return replace(plan, logical=want.logical, personal=personal)

    def _prunable(self, want: Wanted, stored: Sequence[Mapping[str, Any]]) -> set[str]:
        return prunable(want.remote, stored) if self.kind.atomic else {rule["name"] for rule in stored}

    def _with_dialing(self, plan: Plan, want: Wanted, now: datetime) -> Plan:
        """Return the plan with what it does to who is dialed."""
        if not plan.steps or plan.refusals:
            return plan
        zone = self.time_zone or None
        sample = sample_of(self.project, want.campaign, self.contacts, now=now, time_zone=zone)
        columns, semantics = want.campaign.contact_list, self.project.config.semantics
        read = self.kind.reader(columns)
        return replace(plan, dialing=dialing_of(plan, columns, semantics, read, sample, dials=self.dials))

    def _with_kept(self, plan: Plan, want: Wanted) -> Plan:
        """Return the plan with a refusal for each reason why the rules that it keeps must not stay."""
        columns = want.campaign.contact_list
        if self.kind.atomic:
            runs = [*([rules_after(plan)] if plan.kept else []), *rules_beside(plan, self.keep)]
        else:
            kept = [rule for rule in plan.stored_rules if rule["name"] in plan.kept]
            runs = [[*want.rules, *kept]] if kept else []
        if not runs:
            return plan
        from dialproof_deploy.plan.kept import refusals_of_kept

        ours = {rule["name"] for rule in want.rules}
        found: dict[str, None] = {}
        for run in runs:
            own = [rule for rule in run if rule["name"] in ours]
            theirs = [content(rule) for rule in run if rule["name"] not in ours]
            found |= dict.fromkeys(
                refusals_of_kept(self.project, want.campaign, own, theirs, self.kind.reader(columns))
            )
        return replace(plan, refusals=(*plan.refusals, *found))
