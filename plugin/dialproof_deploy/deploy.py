"""Plan and deploy a project: what pytest and the ``dialproof`` command both call.

A deploy refuses unless the evidence holds for exactly what the files say now, then plans every campaign, applies the
plans in the order of the campaigns, audits each step, and reads the target's events.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from dialproof.errors import DialproofError, RefusedError, UsageError
from dialproof.output.report import count
from dialproof_deploy.audit.log import AuditLog, read_records, refuse_broken
from dialproof_deploy.audit.personal import register_personal_values
from dialproof_deploy.connect import connect
from dialproof_deploy.drift.edits import with_remarks
from dialproof_deploy.gate.attest import payload_of, refusals_of
from dialproof_deploy.gate.evidence import json_digest
from dialproof_deploy.gate.signature import opened
from dialproof_deploy.plan.dialing import refusal_of
from dialproof_deploy.plan.personal import register_values
from dialproof_deploy.plan.plan_file import departure
from dialproof_deploy.planning import Planner, Wanted, campaigns_of, holders_of, wanted_by
from dialproof_deploy.provenance import actor, commit_of
from dialproof_deploy.remote_ids import SANDBOX, RemoteIds
from dialproof_deploy.rollout.journal import Journal, refuse_unfinished
from dialproof_deploy.rollout.record import DeployRecord, Part, new_id
from dialproof_deploy.rollout.required import not_received
from dialproof_deploy.state import StateDir, environment_lock, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dialproof.config import Config, Environment
    from dialproof.model.contacts import ContactsFile
    from dialproof.project import Project
    from dialproof.targets.base import TargetType
    from dialproof_deploy.plan.apply import ApplyResult
    from dialproof_deploy.plan.plan import Plan
    from dialproof_deploy.plan.plan_file import Planned
    from dialproof_deploy.rollout.carry_out import Rollout
    from dialproof_deploy.targets import AtomicTarget, Target

__all__ = ["SANDBOX", "DeployResult", "Deployer", "environment_of"]


@dataclass(frozen=True)
class DeployResult:
    """What a deploy did: the plans, what was made of each, and where the records are; ``notes`` are sentences."""

    environment: str
    plans: tuple[Plan, ...]
    applied: tuple[ApplyResult, ...]
    audit_log: Path
    event_log: Path
    new_events: int
    notes: tuple[str, ...] = ()

    @property
    def writes(self) -> int:
        """The number of writes that were made."""
        return sum(len(result.made) for result in self.applied)

    def summary(self, done: str = "deployed to", nothing: str = "nothing to deploy to") -> str:
        """Return in words what was done in the environment."""
        what = f"{done} {self.environment}: {count(self.writes, 'write')}" if self.writes else ""
        return f"{what or f'{nothing} {self.environment}'}, {count(self.new_events, 'new event')}"


def environment_of(config: Config, name: str) -> Environment:
    """Return the environment; raises ``UsageError`` that lists those there are."""
    found = config.environments.get(name)
    if found is None:
        raise UsageError(f"there is no environment {name!r}; there are {', '.join(config.environments)}")
    return found


@dataclass
class Deployer:
    """Plans and deploys one project to one environment.

    ``environ`` is where credentials come from, ``clock`` gives the current time; ``say`` receives sentences while
    something takes long, ``progress`` shows how far the writes are (``dialproof.progress``); ``prune`` names remote
    rules to delete; ``allow_transient`` deploys although contacts that the
    old and the new rules refuse may be dialed in between. Who comes to be dialed is counted over ``contacts``, or those
    of the project; where anybody does, ``confirm_widening`` must be that count.
    """

    project: Project
    environment: Environment
    state: StateDir
    environ: Mapping[str, str] = field(repr=False)
    prune: Sequence[str] = ()
    allow_transient: bool = False
    contacts: ContactsFile | None = field(default=None, repr=False)
    confirm_widening: int | None = None
    http_log: Path | None = None
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    say: Callable[[str], object] = field(default=lambda _: None)
    progress: Callable[[int], AbstractContextManager[Callable[[str], object]]] = field(
        default=lambda _: nullcontext(lambda _: None)
    )

    def __post_init__(self) -> None:
        register_personal_values(self.project)

    def plan(self) -> tuple[Plan, ...]:
        """Return what a deploy would change, campaign by campaign; only reads.

        Raises ``RefusedError`` for another campaign or organisation than the configured one, ``InputError`` for rules
        that the target cannot hold and ``RemoteError`` as the target does.
        """
        wanted = self._wanted()
        with self.connected() as target:
            return self._plans(wanted, target)

    def deploy(self, evidence: Mapping[str, Any], *, planned: Mapping[str, Planned] | None = None) -> DeployResult:
        """Deploy what the evidence (a statement, or its envelope) says was tested.

        With ``planned`` (by campaign), deploy only if that is the plan.

        Raises ``RefusedError`` with a sentence for each reason (evidence, freeze, another campaign or organisation,
        foreign rules, rules that the target cannot hold, files that are others than for ``planned``), and
        ``RemoteConflictError`` where the target has moved since then; nothing was changed. Otherwise raises as
        ``apply`` does.
        """
        with self._lock():
            wanted, statement = self._accepted(evidence)
            with ExitStack() as stack:
                try:
                    target = stack.enter_context(self.connected())
                except RefusedError as error:
                    raise self._refused([str(error)]) from None
                recovered = self._recover(target, [w.remote for w in wanted])
                plans = self._plans(wanted, target)
                self._check_plans(plans)
                if planned is not None and (departed := departure(planned, plans)):
                    self.record_refusal([str(departed)])
                    raise departed
                self._record_suppressions(statement)
                self._record_confirmation(plans)
                parts = [
                    Part(plan, tuple(want.rules), self._payload_digest(want))
                    for plan, want in zip(plans, wanted, strict=True)
                ]
                rollout = self._rollout(self._record(parts, evidence=json_digest(statement)), target)
                return self._result(rollout, rollout.begin(), recovered)

    def resume(self) -> DeployResult:
        """Carry the deploy that was interrupted on to what was planned then, whatever the files say now.

        It was accepted when it began: evidence, freeze and the environment that comes first are not asked again. Raises
        ``RefusedError`` where there is none, or its record was edited, otherwise as ``Rollout.resume`` does.
        """
        with self.unfinished() as rollout:
            return self._result(rollout, rollout.resume())

    def abort(self) -> int:
        """Take the deploy that was interrupted back to what stood before it; return the number of writes undone.

        Raises ``RefusedError`` where there is none, or its record was edited, otherwise as ``Rollout.abort`` does.
        """
        with self.unfinished() as rollout:
            return rollout.abort()

    def abandon(self) -> None:
        """Forget the deploy that was interrupted; what stands on the target stays, and is what the next plan finds.

        Raises ``RefusedError`` where none was interrupted.
        """
        with environment_lock(self.state, self.environment.name, say=self.say):
            Journal(self.state, self.environment.name).abandon(self.audit_log)

    def rollback(self, to: str = "", *, overwrite: Collection[str] = ()) -> DeployResult:
        """Restore the rules of the deploy with this id, or of the one before the one that stands.

        Asks for no evidence and no freeze, and for ``confirm_widening`` as a deploy does. ``overwrite`` names rules
        that somebody has changed on the target. Raises ``UsageError`` for an unknown id, ``RefusedError`` where there
        is nothing to restore, rules are foreign, or were changed and are not named, and otherwise as a deploy does.
        """
        with self._lock(), self._earlier(to) as (earlier, wanted, notes, target):
            notes += self._recover(target, [want.remote for want in wanted])
            plans = self._plans_back(wanted, target, overwrite)
            self._check_plans(plans, "rollback")
            self._record_confirmation(plans)
            parts = [Part(plan, tuple(want.rules)) for plan, want in zip(plans, wanted, strict=True)]
            record = self._record(parts, evidence=earlier.evidence, restores=earlier.id)
            rollout = self._rollout(record, target)
            return self._result(rollout, rollout.begin(), notes)

    def plan_rollback(self, to: str = "", *, overwrite: Collection[str] = ()) -> tuple[tuple[Plan, ...], list[str]]:
        """Return the plans of such a rollback, with what refuses them, and sentences on it; only reads."""
        with self._earlier(to) as (_, wanted, notes, target):
            return self._plans_back(wanted, target, overwrite), notes

    @contextmanager
    def _earlier(self, to: str) -> Iterator[tuple[DeployRecord, list[Wanted], list[str], Target]]:
        """Give an earlier deploy, what it wanted, sentences on what is not restored of it, and the target."""
        from dialproof_deploy.rollout import rollback

        earlier = rollback.earlier_deploy(self.state, self.environment.name, to)
        wanted, notes = rollback.wanted_again(earlier, self.project, atomic=self._target_type.atomic)
        with self.connected({want.remote: want.campaigns for want in wanted}) as target:
            yield earlier, wanted, notes, target

    def _plans_back(self, wanted: Sequence[Wanted], target: Target, overwrite: Collection[str]) -> tuple[Plan, ...]:
        from dialproof_deploy.rollout import rollback

        records, plans = list(read_records(self.state.audit(self.environment.name))), []
        for want, documents in zip(wanted, self._stored(wanted, target), strict=True):
            gone = rollback.to_delete(records, want, self.environment.keep)
            plan = self._planner(gone).plan(want, documents, self._owned(want.remote), self.clock())
            refusals = (*plan.refusals, *rollback.overwritten(plan, records, gone, overwrite))
            plans.append(replace(plan, refusals=refusals))
        return tuple(plans)

    def _check_plans(self, plans: Sequence[Plan], what: str = "deploy") -> None:
        """Raise ``RefusedError`` for what refuses the plans, or where nobody confirmed who comes to be dialed."""
        refusals = [f"{plan.where}: {reason}" for plan in plans for reason in plan.refusals]
        if refusals := refusals or refusal_of(plans, self.confirm_widening, self.environment.name, what):
            raise self._refused(refusals)

    def _record_confirmation(self, plans: Sequence[Plan]) -> None:
        if self.confirm_widening is not None and any(plan.steps for plan in plans):
            self.audit_log.append("decision", decision="confirm widening", contacts=self.confirm_widening)

    @contextmanager
    def unfinished(self) -> Iterator[Rollout]:
        """Give the deploy that was interrupted, with its target, as the one writer of the environment."""
        name = self.environment.name
        with environment_lock(self.state, name, say=self.say):
            record = Journal(self.state, name).read()
            if record is None:
                raise RefusedError(f"there is no unfinished deploy to environment {name!r}")
            with self.connected(campaigns_of(part.plan for part in record.parts)) as target:
                yield self._rollout(record, target)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Be the one writer of the environment, where no earlier deploy is unfinished."""
        name = self.environment.name
        with environment_lock(self.state, name, say=self.say):
            if broken := refuse_broken(self.state.audit(name)):
                raise RefusedError(broken)  # nothing is added to such a log
            if unfinished := refuse_unfinished(self.state, name):
                raise self._refused([unfinished])
            yield

    def sync_events(self, interval: str = "24h") -> int:
        """Read the target's events of all campaigns and return the number of new ones.

        Waits for a deploy that is under way: its changes are in the audit log only once they are made.
        """
        from dialproof_deploy.audit.events import sync_file

        self._check_campaigns()
        name = self.environment.name
        with environment_lock(self.state, name, say=self.say), self.connected() as target:
            campaigns = [want.remote for want in self._holders()]
            for sentence in self._recover(target, campaigns):
                self.say(sentence)
            return sync_file(
                target, self.state.audit(name), self.state.events(name), campaigns=campaigns, interval=interval
            )

    def events(self, interval: str) -> list[dict[str, Any]]:
        """Return a record of each event of all campaigns, those that were read earlier first; only reads."""
        from dialproof_deploy.audit.events import sync

        name = self.environment.name
        known, found = list(read_records(self.state.events(name))), list[dict[str, Any]]()
        with self.connected() as target:
            campaigns = [want.remote for want in self._holders()]
            audited = list(read_records(self.state.audit(name)))
            sync(target, audited, found.append, campaigns=campaigns, interval=interval, known=known)
        return [*known, *found]

    def compare(self) -> tuple[tuple[Plan, ...], list[str]]:
        """Return what separates the target from the files, and a line for each thing that the target cannot hold.

        Nobody may carry these plans out: they are not looked at further. Where there is something that the target
        cannot hold, they are as if the files wanted no rules. Only reads; raises as ``plan`` does otherwise.
        """
        self._check_campaigns()
        wanted, problems = self._lowered()
        wanted = self._holders() if problems else wanted
        with self.connected() as target:
            stored, planner = self._stored(wanted, target), self._planner()
            found = [planner.compare(w, there, self._owned(w.remote)) for w, there in zip(wanted, stored, strict=True)]
        return tuple(found), problems

    def record_refusal(self, reasons: Sequence[str]) -> None:
        """Record in the audit log that nothing was deployed, and why."""
        self.audit_log.append("refusal", details={"reasons": list(reasons)})

    @cached_property
    def audit_log(self) -> AuditLog:
        """The environment's audit log."""
        return AuditLog(
            self.state.create("audit").audit(self.environment.name),
            clock=self.clock,
            actor=actor(self.environ),
            commit=commit_of(self.project.config.root),
        )

    def _recover(self, target: Target, campaigns: Sequence[str]) -> list[str]:
        """Return a sentence for each write of an earlier run of which only now is known what became of it."""
        from dialproof_deploy.audit.recovery import recover

        return [sentence for campaign in campaigns for sentence in recover(self.audit_log, campaign, target)]

    def _refused(self, reasons: Sequence[str]) -> RefusedError:
        self.record_refusal(reasons)
        return RefusedError("\n".join(reasons))

    def _accepted(self, evidence: Mapping[str, Any]) -> tuple[list[Wanted], Mapping[str, Any]]:
        """Return what to deploy, and the statement, if nothing speaks against it before the target is asked."""
        from dialproof.freeze import frozen

        campaigns = self.project.campaigns
        reasons = [str(p) for p in self.project.problems if getattr(p, "severity", "error") == "error"]
        if not campaigns:
            reasons.append(f"{self.project.config.root}: there is no campaign to deploy")
        now = self.clock()
        reasons += [
            f"environment {self.environment.name!r} is frozen ({window}); it is {now:%a %H:%M} UTC: wait for its end"
            for window in self.environment.freeze
            if frozen(window, now)
        ]
        statement, unsigned = opened(evidence, self.project.config)
        reasons += unsigned or refusals_of(self.project, statement, campaigns, now=now)
        reasons += self._ids.refusals()
        wanted, problems = self._lowered()
        reasons += problems
        if first := self.environment.requires:
            reasons += not_received(self.state, first, [(w.logical, self._payload_digest(w)) for w in wanted])
        if reasons:
            raise self._refused(list(dict.fromkeys(reasons)))
        return wanted, statement

    def _wanted(self) -> list[Wanted]:
        from dialproof.errors import InputError

        self._check_campaigns()
        wanted, problems = self._lowered()
        if problems:
            raise InputError("\n".join(problems))
        return wanted

    def _lowered(self) -> tuple[list[Wanted], list[str]]:
        return wanted_by(self.project, self._target_type, self._ids)

    def _holders(self) -> list[Wanted]:
        return holders_of(self.project, self._target_type, self._ids)

    @cached_property
    def _ids(self) -> RemoteIds:
        return RemoteIds(self.project, self.environment, self.environ)

    def _check_campaigns(self) -> None:
        if refusals := self._ids.refusals():
            raise RefusedError("\n".join(refusals))

    @cached_property
    def _target_type(self) -> TargetType:
        from dialproof_deploy.targets import target_of

        return target_of(self.environment)

    @contextmanager
    def connected(self, uses: Mapping[str, Sequence[str]] | None = None) -> Iterator[Target]:
        """Connect and log in, so that refused credentials fail before anything else is done; raises as ``plan`` does.

        A target of rule sets is told which campaigns (ids) are to use which set: ``uses``, or what the files say.
        """
        kind, environment = self._target_type, self.environment
        if environment.name != SANDBOX:
            self._ids.check_variable(kind)
        root = self.project.config.root
        with connect(environment, kind, self.environ, root=root, state=self.state, http_log=self.http_log) as target:
            if kind.atomic:
                found = {want.remote: want.campaigns for want in self._holders()} if uses is None else uses
                cast("AtomicTarget", target).use_sets_in(found)
            yield target

    def _planner(self, prune: Sequence[str] = ()) -> Planner:
        return Planner(
            self.project,
            self._target_type,
            self.environment.keep,
            (*self.prune, *prune),
            allow_transient=self.allow_transient,
            contacts=self.contacts,
            time_zone=self.environment.time_zone,
            dials=self.environment.name != SANDBOX,
        )

    def _plans(self, wanted: Sequence[Wanted], target: Target) -> tuple[Plan, ...]:
        planner, name = self._planner(), self.environment.name
        return tuple(
            with_remarks(planner.plan(want, documents, self._owned(want.remote), self.clock()), self.state, name)
            for want, documents in zip(wanted, self._stored(wanted, target), strict=True)
        )

    def _stored(self, wanted: Sequence[Wanted], target: Target) -> list[list[dict[str, Any]]]:
        """Return what the target holds for each; raises ``UsageError`` where it does not hold what is to be pruned."""
        remotes = [want.remote for want in wanted]
        if self._target_type.atomic:
            stored = cast("AtomicTarget", target).list_each(remotes)
        else:
            stored = [target.list_rules(remote) for remote in remotes]
        if unknown := self._planner().not_there(wanted, stored):
            raise UsageError(f"--prune: the target holds no rule {', '.join(map(repr, unknown))}")
        return stored

    def _owned(self, remote: str) -> list[str]:
        """Return the names of the rules that our audit log says we wrote and did not delete."""
        from dialproof_deploy.drift.rules import deployed_rules

        records = read_records(self.state.audit(self.environment.name))
        return [name for name, digest in deployed_rules(records, remote).digests.items() if digest is not None]

    def _record_suppressions(self, evidence: Mapping[str, Any]) -> None:
        """Record each finding that a comment hid while the evidence was made."""
        log = self.audit_log
        for hidden in evidence["predicate"]["dialproof"].get("suppressed", ()):
            log.append("suppression", campaign=hidden["campaign"], rule=", ".join(hidden["rules"]), details=hidden)

    def _rollout(self, record: DeployRecord, target: Target) -> Rollout:
        from dialproof_deploy.rollout.carry_out import Rollout

        for part in record.parts:
            register_values([*part.rules, *part.plan.remote], part.plan.personal)
        journal = Journal(self.state, self.environment.name)
        return Rollout(record, journal, self.audit_log, target, self.say, self.progress)

    def _record(self, parts: Iterable[Part], **fields: str) -> DeployRecord:
        now = self.clock()
        return DeployRecord(new_id(now), self.environment.name, utc_text(now), tuple(parts), **fields)

    def _payload_digest(self, want: Wanted) -> str:
        return json_digest(payload_of(want.campaign, self.project.config))

    def _result(self, rollout: Rollout, applied: tuple[ApplyResult, ...], notes: Sequence[str] = ()) -> DeployResult:
        """Read what the target says of a deploy that is made by now, and return what was done."""
        name = self.environment.name
        plans = tuple(part.plan for part in rollout.record.parts)
        warnings = self._diagnose(rollout.target, plans, applied)
        new_events, unread = self._sync(rollout.target, [plan.campaign for plan in plans])
        audit, events = self.state.audit(name), self.state.events(name)
        return DeployResult(
            name, plans, applied, audit, events, new_events, (*notes, *rollout.notes, *warnings, *unread)
        )

    def _diagnose(self, target: Target, plans: Sequence[Plan], applied: Sequence[ApplyResult]) -> list[str]:
        """Return what a target of rule sets warns of where something was written."""
        from dialproof_deploy.audit.diagnostics import diagnose

        if not self._target_type.atomic:
            return []
        written = [plan for plan, result in zip(plans, applied, strict=True) if result.made]
        try:
            return diagnose(cast("AtomicTarget", target), written, self.audit_log)
        except KeyboardInterrupt:  # all of it is made by now
            return ["the diagnostics were not read: interrupted"]

    def _sync(self, target: Target, campaigns: Sequence[str]) -> tuple[int, list[str]]:
        """Read the events; the deploy is made by now, so that a failure here is a note and not its end."""
        from dialproof_deploy.audit.events import sync_file

        name = self.environment.name
        try:
            return sync_file(target, self.state.audit(name), self.state.events(name), campaigns=campaigns), []
        except (DialproofError, KeyboardInterrupt) as error:
            why = str(error) or "interrupted"
            command = f"dialproof audit sync --env {name}{self.state.option}"
            return 0, [f"the target's events could not be read: {why}; '{command}' reads them later"]
