"""What the target is compared with: the rules of the deploy that stands, or the files where those are not known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from dialproof.errors import InputError, RefusedError
from dialproof_deploy.drift.rules import RuleState, deployed_rules, rule_states
from dialproof_deploy.plan.personal import register_values
from dialproof_deploy.plan.plan import make_plan
from dialproof_deploy.plan.rule_set import plan_rule_set
from dialproof_deploy.planning import campaigns_of
from dialproof_deploy.rollout.history import ABORTED, DEPLOYED, ROLLED_BACK, history_of
from dialproof_deploy.rollout.journal import check_record
from dialproof_deploy.rollout.record import read_record
from dialproof_deploy.targets.documents import content, rule_in_set

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dialproof_deploy.drift.rules import Deployed, State
    from dialproof_deploy.plan.plan import Plan
    from dialproof_deploy.rollout.record import DeployRecord, Part
    from dialproof_deploy.state import StateDir

__all__ = ["Basis", "Compared", "compare", "not_in_files", "standing_deploy"]

Basis = Literal["deployed", "files"]
"""What the target is compared with."""

_KEPT_DRIFTED: frozenset[State] = frozenset({"kept changed", "kept deleted"})


@dataclass(frozen=True)
class Compared:
    """The rules of a campaign or rule set, what they were compared with, and sentences on what cannot be said."""

    plan: Plan
    basis: Basis
    states: tuple[RuleState, ...]
    notes: tuple[str, ...] = ()


def standing_deploy(state: StateDir, environment: str, records: Sequence[Mapping[str, Any]]) -> DeployRecord | None:
    """Return the record of the deploy that stands, None where none does or its rules are not kept here.

    Raises ``RefusedError`` where the record is not what the audit log says was decided.
    """
    standing = history_of(records, environment).standing
    if not standing:
        return None
    file = state.deploys(environment) / f"{standing}.json"
    try:
        record = read_record(file)
        if record is not None:
            check_record(file, record, state.audit(environment))
    except RefusedError as error:
        raise RefusedError(
            f"{error}; deploy again to have one, or move this file away to compare the target with the files"
        ) from None
    return record


def compare(
    plan: Plan,
    cannot_hold: Sequence[str],
    record: DeployRecord | None,
    records: Sequence[Mapping[str, Any]],
    keep: Collection[str],
) -> Compared:
    """Compare what stands with the record or, where it does not speak of it, with the files.

    ``plan`` is that of the files, which says nothing of them where ``cannot_hold`` has lines on what the target cannot
    hold: what the files are ahead by is not known then, and without the record ``InputError`` is raised. ``records``
    are those of the audit log, ``keep`` is that of the environment.
    """
    known = deployed_rules(records, plan.campaign)
    part = next((p for p in record.parts if p.plan.campaign == plan.campaign), None) if record else None
    if part is None and cannot_hold:
        raise InputError("\n".join(cannot_hold))
    by_files = rule_states(plan, known)
    if part is None:
        return Compared(
            plan, "files", tuple(by_files), tuple(_unknown(s) for s in by_files if s.state in _KEPT_DRIFTED)
        )
    register_values([*part.rules, *part.plan.remote], part.plan.personal)
    plan = replace(plan, personal=plan.personal | part.plan.personal)
    since = deployed_rules(_since_the_deploy(records), plan.campaign).digests  # an abandoned deploy's, say
    known = replace(known, digests={**{str(r["name"]): plan.rule_digest(r) for r in part.rules}, **since})
    states = rule_states(_back(plan, part, keep), known)
    notes = [f"what the files are ahead by is not known: {line}" for line in cannot_hold]
    if not cannot_hold:
        states = _with_files(states, by_files, len(plan.stored_rules))
    for index, state in enumerate(states):
        if state.state not in _KEPT_DRIFTED:
            continue
        if was := _kept(state, part, known):
            states[index] = was
        else:
            notes.append(_unknown(state))
    return Compared(plan, "deployed", tuple(states), tuple(notes))


def not_in_files(record: DeployRecord | None, plans: Sequence[Plan]) -> list[str]:
    """Return a sentence for each campaign or rule set that was deployed and that the files do not speak of any more."""
    there = {plan.campaign for plan in plans}
    parts = record.parts if record else ()
    return [
        f"{p.plan.where} was deployed and is in no file any more: what stands there was not looked at"
        for p in parts
        if p.plan.campaign not in there
    ]


def _since_the_deploy(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the records behind the last decision that left what the history says stands."""
    ends = [place for place, r in enumerate(records) if r.get("decision") in (ABORTED, DEPLOYED, ROLLED_BACK)]
    return records[ends[-1] + 1 :] if ends else records


def _back(plan: Plan, part: Part, keep: Collection[str]) -> Plan:
    """Return what would lead from what stands to what was deployed; nobody carries it out."""
    if plan.holder == "campaign":
        return make_plan(plan.campaign, part.rules, plan.remote, keep=keep)
    campaigns = campaigns_of([part.plan])[part.plan.campaign]
    return plan_rule_set(plan.campaign, part.rules, plan.remote, campaigns=campaigns, keep=keep)


def _with_files(by_record: Sequence[RuleState], by_files: Sequence[RuleState], there: int) -> list[RuleState]:
    """Return the states that the record gives, and what the files are ahead by; the first rules are on the target."""
    states = [_state(one, files) for one, files in zip(by_record[:there], by_files[:there], strict=True)]
    states += by_record[there:]
    missing = {state.rule for state in by_record[there:]}
    return [*states, *(replace(state, state="pending") for state in by_files[there:] if state.rule not in missing)]


def _state(by_record: RuleState, by_files: RuleState) -> RuleState:
    """Return the state of a rule that is there: where nobody has changed it, the files may be ahead of it."""
    if by_record.state not in ("same", "pending"):
        return by_record
    return replace(by_record, state=by_files.state if by_files.state in ("same", "kept") else "pending")


def _kept(state: RuleState, part: Part, known: Deployed) -> RuleState | None:
    """Return a tolerated rule with what it was at the deploy, None where the record does not have it."""
    for place, rule in enumerate(part.plan.stored_rules):
        if rule["name"] == state.rule and part.plan.rule_digest(rule) == known.kept.get(state.rule):
            order = place if state.stored is None else state.stored.get("order", place)
            was = content(rule) if part.plan.holder == "campaign" else rule_in_set(rule, order)
            return replace(state, wanted=was, rule_id=state.rule_id or str(rule.get("id") or ""))
    return None


def _unknown(state: RuleState) -> str:
    return (
        f"rule {state.rule!r}, which keep tolerates, was {state.state.removeprefix('kept ')}; what it was at the last "
        "deploy is not kept here, so what differs and whom it comes to dial cannot be said"
    )
