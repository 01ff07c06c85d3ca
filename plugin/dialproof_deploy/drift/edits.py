"""What somebody changed on the target since the last deploy, where a plan would write over it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof_deploy.audit.log import read_records
from dialproof_deploy.drift.rules import deployed_rules, rule_states
from dialproof_deploy.redact import redact
from dialproof_deploy.rollout.journal import refuse_unfinished
from dialproof_deploy.targets.wire import shown_differences

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dialproof_deploy.drift.rules import Deployed, RuleState
    from dialproof_deploy.plan.plan import Plan
    from dialproof_deploy.state import StateDir

__all__ = ["edits_of", "with_remarks"]


def edits_of(plan: Plan, deployed: Deployed) -> Iterator[tuple[RuleState, str]]:
    """Yield each rule that the plan would write and that somebody changed, added or deleted there, with a sentence."""
    for state in rule_states(plan, deployed):
        if state.drifted and not state.state.startswith("kept"):
            yield state, _what(state, plan.personal)


def with_remarks(plan: Plan, state: StateDir, environment: str) -> Plan:
    """Return the plan with a remark for each rule of ours that it overwrites, and for a deploy that is unfinished."""
    deployed = deployed_rules(read_records(state.audit(environment)), plan.campaign)
    remarks = [
        f"{what}: this plan overwrites that; 'dialproof drift --env {environment}{state.option}' says by whom"
        for edit, what in edits_of(plan, deployed)
        if deployed.digests.get(str((edit.stored or {}).get("name", edit.rule))) is not None
    ]
    unfinished = refuse_unfinished(state, environment)
    return replace(plan, remarks=(*remarks, *([unfinished] if unfinished else [])))


def _what(state: RuleState, personal: Collection[str]) -> str:
    if state.stored is None:
        return f"rule {state.rule!r} was deleted on the target since the last deploy"
    if state.wanted is None:
        return f"rule {state.rule!r}, which would be deleted, was changed on the target since it was deployed"
    found = shown_differences(state.stored, state.wanted, personal)
    changes = "; ".join(redact(str(difference)) for difference in found)
    return f"rule {state.rule!r} was changed on the target since the last deploy ({changes})"
