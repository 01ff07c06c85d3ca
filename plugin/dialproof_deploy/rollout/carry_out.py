"""Carry a deploy out, campaign after campaign; carry on or take back one that was interrupted at any point.

Before anything is written the audit log has the decision, with the digest of the record, and the journal the record.
Where the deploy is made, or nothing of it stands, the journal goes. In every other case it stays, and the next run
decides.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from dialproof.errors import DialproofError, PartlyAppliedError, RefusedError, RemoteConflictError, RemoteError
from dialproof_deploy.audit.recovery import recover
from dialproof_deploy.gate.evidence import json_digest
from dialproof_deploy.plan.apply import ApplyResult, InDoubtError, MovedError, apply, take_back
from dialproof_deploy.rollout.history import ABORTED, DEPLOYED, ROLLED_BACK
from dialproof_deploy.rollout.journal import way_out, ways_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialproof_deploy.audit.log import AuditLog
    from dialproof_deploy.plan.plan import Plan, Step
    from dialproof_deploy.plan.writes import Writes
    from dialproof_deploy.rollout.journal import Journal
    from dialproof_deploy.rollout.record import DeployRecord, Part
    from dialproof_deploy.targets import Target

__all__ = ["Rollout"]


_Result = TypeVar("_Result")


@dataclass
class Rollout:
    """One deploy, its journal, the audit log of the environment, and the target.

    ``say`` receives a sentence for each write of an earlier run of which only now is known what became of it. ``notes``
    are sentences on what was carried out.
    """

    record: DeployRecord
    journal: Journal
    log: AuditLog
    target: Target
    say: Callable[[str], object] = lambda _: None
    progress: Callable[[int], AbstractContextManager[Callable[[str], object]]] = field(
        default=lambda _: nullcontext(lambda _: None)
    )
    notes: list[str] = field(default_factory=list, init=False)

    def begin(self) -> tuple[ApplyResult, ...]:
        """Carry the deploy out; raises as ``apply`` does, and ``RefusedError`` where it cannot be written down."""
        for part in self.record.parts:
            self._decide(
                "apply",
                part,
                digest=part.plan.digest,
                record=self.record.digest,
                writes=len(part.plan.steps),
                evidence=self.record.evidence or None,
                resolvedPayload=json_digest(list(part.rules)),
                details={
                    "notes": list(part.plan.all_notes),
                    "dialing": list(part.plan.dialing.sentences) if part.plan.dialing else [],
                    "kept": {
                        rule["name"]: part.plan.rule_digest(rule)
                        for rule in part.plan.stored_rules
                        if rule["name"] in part.plan.kept
                    },
                },
            )
        self.journal.begin(self.record)
        return self._carry_out(resume=False)

    def resume(self) -> tuple[ApplyResult, ...]:
        """Make the writes that are left; raises as ``begin`` does, and ``MovedError`` where somebody changed rules."""
        self._look_again("resume")
        return self._carry_out(resume=True)

    def abort(self) -> int:
        """Undo in reverse order what stands; return the number of writes undone. Raises as ``take_back``."""
        self._look_again("abort")
        undone = 0
        for part in reversed(self.record.parts):
            try:
                undone += self._each(part.plan, take_back)
            except (DialproofError, KeyboardInterrupt) as error:
                raise self._unfinished(part, error, begun=isinstance(error, PartlyAppliedError)) from error
        self.log.append("decision", decision=ABORTED, deploy=self.record.id)
        self.journal.end(self.record, keep=False)
        return undone

    def _look_again(self, decision: str) -> None:
        """Record what is decided, and what became of the write that was under way.

        Raises ``RefusedError`` where the record of the deploy is not what the audit log says was decided. The log is
        mended first: a process that was killed may have left a part of a line.
        """
        self.log.append("decision", decision=decision, deploy=self.record.id)
        self.journal.check(self.record, self.log.path)
        for part in self.record.parts:
            for sentence in recover(self.log, part.plan.campaign, self.target):
                self.say(sentence)

    def _carry_out(self, *, resume: bool) -> tuple[ApplyResult, ...]:
        """Apply the plans one after the other; once a campaign has changed, no error may sound as if none had."""
        done: list[ApplyResult] = []
        for part in self.record.parts:
            begun: list[Writes] = []
            try:
                done.append(self._each(part.plan, partial(apply, resume=resume, on_begin=begun.append)))
                if not self.record.restores:
                    self._decide(DEPLOYED, part, digest=part.plan.digest, payload=part.payload)
            except (DialproofError, KeyboardInterrupt) as error:
                # Whichever run made them: the campaigns before this one stand as a whole.
                standing = [(p.plan, step) for p in self.record.parts[: len(done)] for step in p.plan.steps]
                untouched = begun[0].untouched if begun else not resume
                if standing or not untouched:
                    raise self._unfinished(part, error, standing, begun=bool(begun)) from error
                self.journal.end(self.record, keep=False)
                raise
        try:
            if self.record.restores:
                self.log.append("decision", decision=ROLLED_BACK, deploy=self.record.id, restores=self.record.restores)
            self.journal.end(self.record, keep=not self.record.restores)
        except (RefusedError, KeyboardInterrupt) as error:  # all of it stands
            if isinstance(error, KeyboardInterrupt) and not self.journal.path.exists():
                self.notes.append(f"interrupted when the {self.record.kind} was made already")
                return tuple(done)
            why = str(error) or f"interrupted when all writes of the {self.record.kind} were made"
            raise PartlyAppliedError(f"{why}\n{ways_on(self.journal.state, self.record.environment)}") from error
        return tuple(done)

    def _unfinished(
        self,
        part: Part,
        error: DialproofError | KeyboardInterrupt,
        standing: Sequence[tuple[Plan, Step]] = (),
        *,
        begun: bool = True,
    ) -> DialproofError:
        """Return the error that says what stands, and which ways there are from here."""
        lines = [str(error) or "interrupted", *getattr(error, "__notes__", ())]
        if standing:
            lines[0] = f"{part.plan.where}: {lines[0]}"
        lines += [f"deployed and standing in {plan.where}: {step.title}" for plan, step in standing]
        kind: type[DialproofError] = PartlyAppliedError
        if not standing and (not begun or isinstance(error, InDoubtError)):
            kinds = (InDoubtError, MovedError, RefusedError, RemoteConflictError, RemoteError)
            kind = next((k for k in kinds if isinstance(error, k)), kind)
        state, environment = self.journal.state, self.record.environment
        ways = ways_on(state, environment)
        if isinstance(error, MovedError):
            ways = (
                f"give these rules their earlier content on the target, then {ways}; or {way_out(state, environment)}"
            )
        lines.append(ways)
        return kind("\n".join(lines))

    def _each(self, plan: Plan, work: Callable[..., _Result]) -> _Result:
        with self.progress(len(plan.steps)) as tell:
            return work(
                plan,
                self.target,
                audit=lambda record: self.log.append(**record, deploy=self.record.id),
                on_step=lambda step: tell(step.title),
            )

    def _decide(self, decision: str, part: Part, **fields: Any) -> None:
        self.log.append(
            "decision",
            decision=decision,
            deploy=self.record.id,
            campaign=part.plan.campaign,
            logicalCampaign=part.plan.logical,
            **fields,
        )
