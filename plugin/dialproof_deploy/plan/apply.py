"""Carry a plan out, one write at a time, and undo it if one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof.errors import (
    DialproofError,
    InputError,
    PartlyAppliedError,
    RefusedError,
    RemoteConflictError,
    RemoteError,
)
from dialproof_deploy.api.errors import AccessDeniedError, BadRequestError, NotFoundError
from dialproof_deploy.targets import StoredOtherwiseError, Target, Written
from dialproof_deploy.targets.documents import title_of
from dialproof_deploy.targets.wire import content_digest, same_content, three_way

if TYPE_CHECKING:
    from dialproof_deploy.plan.plan import Plan, Step

__all__ = ["ApplyResult", "Made", "apply"]

Audit = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Made:
    """A write that was made: versions are those on the wire, ``None`` where there was or is no rule."""

    step: Step
    version_before: int | None
    version_after: int | None
    request_id: str | None


@dataclass(frozen=True)
class ApplyResult:
    """What was made, in order; empty for a plan without changes."""

    campaign: str
    made: tuple[Made, ...]


def apply(
    plan: Plan,
    target: Target,
    *,
    audit: Audit,
    on_step: Callable[[Step], object] = lambda _: None,
) -> ApplyResult:
    """Make the writes of the plan in its order.

    Before the first write the target is read again: it must still be what the plan was made from. ``audit``
    receives a record before and after every write ``{event, phase, campaign, rule, remote_id, action,
    version_before, version_after, digest, request_id}``, ``digest`` being that of the content the write leaves, and
    for a rule set ``rules`` (``Step.rules_in``). A write whose record cannot be stored before it is not made; one
    whose record cannot be stored after it is undone. ``on_step`` is told of each step when it begins; an error of it
    changes nothing.

    When a write fails, those made before are undone in reverse order and the error is raised with a sentence
    that says so; an interrupt gets the sentence as a note. A write that the server stored otherwise than it was sent
    was made, and is undone like the others. Raises ``RefusedError`` (the plan has refusals, or the audit trail cannot
    be written), ``RemoteConflictError`` (the target moved), ``RemoteError`` (the target fails) and
    ``PartlyAppliedError`` (undoing failed, or the audit trail does not show it; its message lists what was made and
    what was not).
    """
    if plan.refusals:
        raise RefusedError("\n".join(plan.refusals))
    if not plan.steps:
        return ApplyResult(plan.campaign, ())
    stored = _read_unmoved(plan, target)
    run = _Run(plan.campaign, target, audit, stored)
    for number, step in enumerate(plan.steps, start=1):
        try:
            with suppress(Exception):  # a closed pipe, say: what is shown decides nothing
                on_step(step)
            run.make(step)
        except BaseException as error:
            outcome = _undone(run, error, plan.steps[number - 1 :], len(plan.steps))
            if outcome is error:
                raise
            raise outcome from error
    return ApplyResult(plan.campaign, tuple(run.made))


def _read_unmoved(plan: Plan, target: Target) -> dict[str, dict[str, Any]]:
    """Read the rules by id; raise ``RemoteConflictError`` unless they are what the plan was made from."""
    stored = {rule["id"]: rule for rule in target.list_rules(plan.campaign)}
    planned = {rule["id"]: rule for rule in plan.remote}
    ours = {step.rule_id: step.after for step in plan.steps if step.rule_id}
    moved = [f"{title_of(rule)} was created" for key, rule in stored.items() if key not in planned]
    for key, rule in planned.items():
        if key not in stored:
            moved.append(f"{title_of(rule)} was deleted")
        elif not same_content(rule, stored[key]):
            report = three_way(rule, ours.get(key) or rule, stored[key])
            moved.append(f"{title_of(rule)} was changed:\n{report}")
    if moved:
        raise RemoteConflictError(
            f"{plan.where} was changed by somebody else since the plan; nothing was written, plan again:\n"
            + "\n".join(moved)
        )
    return stored


class _Run:
    """The writes made so far, and the rules as they stand now."""

    def __init__(self, campaign: str, target: Target, audit: Audit, stored: dict[str, dict[str, Any]]) -> None:
        self.campaign = campaign
        self.made: list[Made] = []
        self.undoing = False
        """From then on a record that cannot be stored stops nothing and sets ``unrecorded``: undoing matters more."""
        self.unrecorded = False
        self._target = target
        self._audit = audit
        self._stored = stored
        self._keys: dict[str, str] = {}  # key of a rule (see _key) -> the id it has now

    def make(self, step: Step) -> None:
        """Make one write, recorded before and after.

        One that the server stored otherwise was made as well: the error is raised once it is recorded.
        """
        before = self._current(step)
        self._record("change.started", step, step.after, before)
        try:
            written = self._write(before, step.after)
        except StoredOtherwiseError as error:
            self._made(step, before, error.written)
            raise
        self._made(step, before, written)

    def has_made(self, step: Step) -> bool:
        """Tell whether the step is the last write made."""
        return bool(self.made) and self.made[-1].step is step

    def settle(self, step: Step) -> None:
        """Find out whether a write of unknown effect was made, and take note of it if so.

        Raises ``RemoteError`` where the target does not answer, or the rule stands there neither as it was nor as it
        should be.
        """
        before = self._current(step)
        rules = self._target.list_rules(self.campaign)
        if step.action == "create":
            found = next((r for r in rules if r["name"] == step.rule), None)
        else:
            found = next((r for r in rules if before and r["id"] == before["id"]), None)
        if _same(found, step.after):
            self._made(step, before, Written(found, None))
        elif not _same(found, before):
            raise RemoteError("it stands there with other content than was sent")

    def undo_last(self) -> None:
        """Write what stood before the last write made, with a further version."""
        last = self.made[-1]
        now = self._current(last.step)
        self._record("rollback.started", last.step, last.step.before, now)
        try:
            written = self._write(now, last.step.before)
        except StoredOtherwiseError as error:
            self._record("rollback.made", last.step, error.written.rule, now, error.written)
            raise
        self._note(last.step, written)
        self.made.pop()
        self._record("rollback.made", last.step, last.step.before, now, written)

    def record_failure(self, step: Step, *, in_doubt: bool) -> None:
        """Record that a write failed, or that nobody knows: the next deploy then looks what became of it."""
        self._record("change.unknown" if in_doubt else "change.failed", step, step.after, self._current(step))

    def _write(self, now: dict[str, Any] | None, wanted: dict[str, Any] | None) -> Written:
        if now is None:
            return self._target.create_rule(self.campaign, wanted or {})
        if wanted is None:
            return self._target.delete_rule(self.campaign, now)
        return self._target.update_rule(self.campaign, now, wanted)

    def _made(self, step: Step, before: dict[str, Any] | None, written: Written) -> None:
        """Take note of a write before it is recorded: one without a record must be undone too."""
        after = written.rule["version"] if written.rule else None
        self.made.append(Made(step, before["version"] if before else None, after, written.request_id))
        self._note(step, written)
        self._record("change.made", step, written.rule, before, written)

    def _current(self, step: Step) -> dict[str, Any] | None:
        key = _key(step)
        return self._stored.get(self._keys.get(key, key))

    def _note(self, step: Step, written: Written) -> None:
        now = self._current(step)
        if now:
            del self._stored[now["id"]]
        if written.rule:
            self._keys[_key(step)] = written.rule["id"]
            self._stored[written.rule["id"]] = written.rule

    def _record(
        self,
        phase: str,
        step: Step,
        wanted: dict[str, Any] | None,
        before: dict[str, Any] | None,
        written: Written | None = None,
    ) -> None:
        """Record a write that leaves ``wanted`` where ``before`` stood; ``written`` is its answer."""
        after = written.rule if written else None
        known = after or before
        rules = step.rules_in(wanted)
        try:
            self._audit(
                {
                    "event": "change" if written else "request",
                    "phase": phase,
                    "campaign": self.campaign,
                    "rule": step.rule,
                    "remote_id": known["id"] if known else None,
                    "action": step.action,
                    "version_before": before["version"] if before else None,
                    "version_after": after["version"] if after else None,
                    "digest": content_digest(wanted) if wanted else None,
                    "request_id": written.request_id if written else None,
                    **({} if rules is None else {"rules": rules}),
                }
            )
        except (OSError, DialproofError) as error:
            if self.undoing:
                self.unrecorded = True
            elif isinstance(error, OSError):
                raise RefusedError(f"the audit trail cannot be written: {error.strerror or error}") from error
            else:
                raise


def _same(one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    return same_content(one, other)


def _key(step: Step) -> str:
    """Identify a rule through all steps of a plan: by the id it had, or by the name it is created under."""
    return step.rule_id or f"+{step.rule}"


def _undone(run: _Run, error: BaseException, left: Sequence[Step], total: int) -> BaseException:
    """Undo what was made and return the error to raise."""
    failed = left[0]
    run.undoing = True
    in_doubt = _may_have_been_made(error) and not run.has_made(failed)
    if in_doubt:
        with suppress(DialproofError, KeyboardInterrupt):  # then it stays in doubt, and is reported so
            run.settle(failed)
            in_doubt = False
    if run.has_made(failed):  # with another content, or without a record
        in_doubt = False
    else:
        run.record_failure(failed, in_doubt=in_doubt)
    made = [m.step for m in run.made]
    where = f"write {total - len(left) + 1} of {total} ({failed.title})"
    if in_doubt and not made:
        return RemoteError(
            f"{_reason(error)}\n{where} failed; whether it was made is not known: look at the target and plan again"
        )
    problem: str | None = None
    while run.made and problem is None:
        try:
            run.undo_last()
        except (Exception, KeyboardInterrupt) as failure:  # noqa: BLE001  (what stands must be said, whatever it was)
            problem = _reason(failure)
    lines = [_reason(error)]
    if problem is None and not in_doubt:
        if not (made and run.unrecorded):
            return _failed(error, where, len(made))
        lines.append(f"{where} failed; {_were_undone(len(made))}, but the audit trail cannot be written to show it")
    else:
        lines.append(f"{where} failed and what was made before could not all be undone")
    standing = [m.step for m in run.made]
    lines += [f"undoing stopped at: {problem}"] if problem else []
    lines += [f"made and still standing: {step.title}" for step in standing]
    lines += [f"made and undone: {step.title}" for step in made if step not in standing]
    lines += [f"not known whether made: {failed.title}"] if in_doubt else []
    lines += [f"not made: {step.title}" for step in left if step not in made and not (in_doubt and step is failed)]
    return PartlyAppliedError("\n".join(lines))


def _reason(error: BaseException) -> str:
    if isinstance(error, DialproofError):
        return str(error)
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"internal error ({type(error).__name__})"


def _may_have_been_made(error: BaseException) -> bool:
    """Tell whether the failed write can have reached the target all the same."""
    return not isinstance(
        error, RefusedError | RemoteConflictError | AccessDeniedError | BadRequestError | NotFoundError
    )


def _failed(error: BaseException, where: str, undone: int) -> BaseException:
    text = f"{where} failed; {_were_undone(undone)}"
    for kind in (RefusedError, RemoteConflictError, RemoteError, InputError):
        if isinstance(error, kind):
            return kind(f"{error}\n{text}")
    error.add_note(text)  # an interrupt, or a defect: not ours to reword
    return error


def _were_undone(count: int) -> str:
    made = {0: "nothing was changed", 1: "the 1 write made was undone"}
    return made.get(count, f"the {count} writes made were undone")
