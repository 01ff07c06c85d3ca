"""Rule by rule: what is wanted, what stands on the target, and which of the two has moved since the last deploy.

The files may be ahead of the target: a rule that stands there as it was last deployed has not drifted, it is *pending*.
The audit log knows the digest of what each deploy left. Where it says nothing of a rule, what differs counts as drift.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from dialproof_deploy.targets.documents import content, rule_in_set
from dialproof_deploy.targets.wire import same_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dialproof_deploy.plan.plan import Plan, Step

__all__ = ["Deployed", "RuleState", "State", "deployed_rules", "rule_states"]

State = Literal["same", "pending", "changed", "added", "deleted", "kept", "kept changed", "kept deleted"]
"""What became of a rule: it stands as the files say, or as it was last deployed (pending), or somebody changed, added
or deleted it on the target; a rule that ``keep`` tolerates stands as at the last deploy, or does not, or is gone."""


@dataclass(frozen=True)
class RuleState:
    """A rule as the files want it and as it stands, in the content that is compared; either or both may be missing.

    ``rule_id`` is its id on the target, "" where it is not there.
    """

    rule: str
    rule_id: str
    wanted: Mapping[str, Any] | None
    stored: Mapping[str, Any] | None
    state: State

    @property
    def drifted(self) -> bool:
        """Whether somebody else than a deploy brought it about."""
        return self.state in ("changed", "added", "deleted", "kept changed", "kept deleted")


@dataclass(frozen=True)
class Deployed:
    """What the audit log says of the rules of a campaign or rule set.

    ``digests`` are those of what was last written, None for a rule that was deleted; ``ids`` the ids of rules and sets
    by name; ``kept`` the digests of tolerated rules at the last deploy, and ``campaigns`` those that it was for, by
    their names in the files.
    """

    digests: Mapping[str, str | None]
    ids: Mapping[str, str]
    kept: Mapping[str, str | None]
    campaigns: frozenset[str]


def deployed_rules(records: Iterable[Mapping[str, Any]], holder: str) -> Deployed:
    """Return what the records say of a campaign (its id on the target) or rule set (its name)."""
    digests: dict[str, str | None] = {}
    ids: dict[str, str] = {}
    kept: dict[str, str | None] = {}
    campaigns: frozenset[str] = frozenset()
    for record in records:
        if record.get("campaign") != holder:
            continue
        if record.get("decision") == "apply" and isinstance(record.get("details"), dict):
            kept = dict(record["details"].get("kept") or {})
        if record.get("logicalCampaign"):
            campaigns = frozenset(str(record["logicalCampaign"]).split(", "))
        if record.get("event") != "change":
            continue
        name = str(record.get("rule"))
        if isinstance(record.get("remote_id"), str):
            ids[name] = record["remote_id"]
        if isinstance(record.get("rules"), dict):
            digests |= record["rules"]
        else:
            digests[name] = None if record.get("version_after") is None else record.get("digest")
    return Deployed(digests, ids, kept, campaigns)


def rule_states(plan: Plan, deployed: Deployed) -> list[RuleState]:
    """Return the state of every rule, in the order of the target, then those that are not there."""
    steps = _net(plan)
    by_id = {step.rule_id: step for step in steps if step.rule_id}
    states = []
    for place, rule in enumerate(plan.stored_rules):
        step = by_id.get(str(rule.get("id") or f"#{place}"))
        states.append(_state_of(rule, place, step, plan, deployed))
    for step in steps:
        if step.rule_id is None and step.after is not None:
            state: State = "deleted" if deployed.digests.get(step.rule) is not None else "pending"
            states.append(RuleState(step.rule, "", step.after, None, state))
    there = {state.rule for state in states}
    return states + [RuleState(name, "", None, None, "kept deleted") for name in deployed.kept if name not in there]


def _state_of(rule: Mapping[str, Any], place: int, step: Step | None, plan: Plan, deployed: Deployed) -> RuleState:
    """Return the state of a rule that is on the target; ``step`` is what a deploy would do to it, if anything."""
    name, rule_id = str(rule["name"]), str(rule.get("id") or "")
    as_stored = content(rule) if plan.holder == "campaign" else rule_in_set(rule, place)
    if step is None and name in plan.kept:
        known = deployed.kept.get(name)
        state: State = "kept" if known in (None, plan.rule_digest(rule)) else "kept changed"
        return RuleState(name, rule_id, as_stored, as_stored, state)
    if step is None and name in plan.unchanged:
        return RuleState(name, rule_id, as_stored, as_stored, "same")
    wanted, stored = (None, as_stored) if step is None else (step.after, step.before or as_stored)
    if wanted is not None and same_content(wanted, stored):
        state = "same"
    elif deployed.digests.get(name) == plan.rule_digest(rule):
        state = "pending"
    else:
        state = "added" if wanted is None else "changed"
    return RuleState(step.rule if step else name, rule_id, wanted, stored, state)


def _net(plan: Plan) -> list[Step]:
    """Return one step for each rule, from what stands to what is wanted, without the places that it passes through."""
    found: dict[str, Step] = {}
    for step in plan.steps if plan.holder == "campaign" else _parts(plan):
        key = step.rule_id or f"+{step.rule}"
        found[key] = replace(found[key], after=step.after, rule=step.rule) if key in found else step
    return list(found.values())


def _parts(plan: Plan) -> list[Step]:
    return [part for step in plan.steps if step.kind == "rule set" for part in step.parts]
