"""What a rollback restores: the rules of an earlier deploy, and what of the target stands against that.

What it restores has evidence, so nothing is tested again and no freeze refuses it. But nothing that somebody else did
on the target is overwritten without a word: a rule in no deploy is foreign, as it is for a deploy, and a rule of ours
that was changed or deleted there since must be named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.errors import RefusedError, UsageError
from dialproof_deploy.audit.log import read_records, refuse_broken
from dialproof_deploy.drift.edits import edits_of
from dialproof_deploy.drift.rules import deployed_rules
from dialproof_deploy.planning import Wanted, campaigns_of
from dialproof_deploy.rollout.history import history_of
from dialproof_deploy.rollout.journal import check_record
from dialproof_deploy.rollout.record import read_record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Any

    from dialproof.project import Project
    from dialproof_deploy.plan.plan import Plan
    from dialproof_deploy.rollout.history import History
    from dialproof_deploy.rollout.record import DeployRecord
    from dialproof_deploy.state import StateDir

__all__ = ["earlier_deploy", "listed", "overwritten", "to_delete", "wanted_again"]


def earlier_deploy(state: StateDir, environment: str, to: str = "") -> DeployRecord:
    """Return the deploy of this id, or the one before the one that stands.

    Raises ``UsageError`` for an unknown id, and ``RefusedError`` where there is no earlier deploy, or its rules are not
    kept, or are not those that the audit log speaks of, or that log is broken or missing.
    """
    log = state.audit(environment)
    history = _history(state, environment)
    found = history.find(to) if to else history.before_standing()
    if found is None and to:
        raise UsageError(
            f"there is no deploy {to!r} to environment {environment!r}: 'dialproof rollback --list' shows what there is"
        )
    if found is None:
        raise RefusedError(f"there is no earlier deploy of other rules to environment {environment!r} to go back to")
    file = state.deploys(environment) / f"{found.id}.json"
    record = read_record(file)
    if record is None:
        raise RefusedError(f"{file}: the rules of deploy {found.id} are not kept in this state directory")
    check_record(file, record, log)
    return record


def wanted_again(record: DeployRecord, project: Project, *, atomic: bool) -> tuple[list[Wanted], list[str]]:
    """Return what the deploy wanted of each campaign or rule set, and a sentence for each that cannot be restored."""
    wanted, notes = [], []
    for part in record.parts:
        plan = part.plan
        ids = plan.logical.split(", ")
        campaign = next((c for c in project.campaigns if set(ids) & set(c.ids)), None)
        if campaign is None:
            notes.append(f"campaign {plan.logical} is in no file any more, and left as it is")
            continue
        campaigns = tuple(campaigns_of([plan])[plan.campaign]) if atomic else (plan.campaign,)
        wanted.append(Wanted(plan.logical, plan.campaign, campaign, list(part.rules), campaigns))
    restored = {i for part in record.parts for i in part.plan.logical.split(", ")}
    others = [i for campaign in project.campaigns for i in campaign.ids if i not in restored]
    notes += [f"campaign {i} was no part of deploy {record.id}, and is left as it is" for i in others]
    return wanted, notes


def to_delete(records: Iterable[Mapping[str, Any]], want: Wanted, keep: Collection[str]) -> list[str]:
    """Return the names of the rules that later deploys created."""
    names = {rule["name"] for rule in want.rules} | set(keep)
    digests = deployed_rules(records, want.remote).digests
    return [name for name, digest in digests.items() if digest is not None and name not in names]


def overwritten(
    plan: Plan, records: Iterable[Mapping[str, Any]], deleted: Collection[str], overwrite: Collection[str]
) -> Iterator[str]:
    """Yield a sentence for each rule of ours that somebody changed or deleted and that ``overwrite`` does not name."""
    for state, what in edits_of(plan, deployed_rules(records, plan.campaign)):
        if state.rule in overwrite:
            continue
        if state.state == "added" and state.rule not in deleted:
            continue  # a foreign rule: the plan itself refuses it
        yield f"{what}: name it in --overwrite to have it as the earlier deploy had it"


def listed(state: StateDir, environment: str) -> list[str]:
    """Return a line for each deploy of the environment, the last one first.

    Raises ``RefusedError`` where the audit log is broken or missing.
    """
    history = _history(state, environment)
    lines = []
    for deploy in reversed(history.deploys):
        notes = ["stands"] if deploy.id == history.standing else ["taken back"] if deploy.taken_back else []
        if not (state.deploys(environment) / f"{deploy.id}.json").exists():
            notes.append("rules not kept here")
        commit = f" at {deploy.commit[:12]}" if deploy.commit else ""
        shown = f" ({', '.join(notes)})" if notes else ""
        lines.append(f"{deploy.id}  {deploy.time}  {', '.join(deploy.payloads)}  by {deploy.actor}{commit}{shown}")
    return lines


def _history(state: StateDir, environment: str) -> History:
    """Return the deploys of an audit log that holds; where it is gone, their records still show that there was one."""
    log = state.audit(environment)
    if broken := refuse_broken(log):
        raise RefusedError(broken)
    kept = [] if log.exists() else list(state.deploys(environment).glob("*.json"))
    if kept:
        raise RefusedError(
            f"{log}: the audit log is missing, although {kept[0].parent} has records of deploys: restore it from a "
            "copy (docs/audit.md); without it there is nothing to go back to until the next deploy"
        )
    return history_of(read_records(log), environment)
