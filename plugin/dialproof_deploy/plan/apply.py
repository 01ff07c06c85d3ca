"""Carry a plan out, one write at a time, undo it if one fails, and go on or back where an earlier run was killed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof.errors import (
    DialproofError,
    InputError,
    PartlyAppliedError,
    RefusedError,
    RemoteConflictError,
    RemoteError,
)
from dialproof_deploy.plan.states import distances, moved, state_after, stored_by_key
from dialproof_deploy.plan.writes import Audit, Made, Writes

if TYPE_CHECKING:
    from dialproof_deploy.plan.plan import Plan, Step
    from dialproof_deploy.targets import Target

__all__ = ["ApplyResult", "InDoubtError", "Made", "MovedError", "apply", "take_back"]

OnStep = Callable[["Step"], object]


class InDoubtError(RemoteError):
    """The first write failed and nobody knows whether it was made."""


class MovedError(RemoteConflictError):
    """What an earlier run left of the plan was changed by somebody: it cannot be carried on, nor taken back."""


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
    on_step: OnStep = lambda _: None,
    on_begin: Callable[[Writes], object] = lambda _: None,
    resume: bool = False,
) -> ApplyResult:
    """Make the writes of the plan in its order.

    Before the first write the target is read again: it must still be what the plan was made from or, with ``resume``,
    what some of its writes leave; then the others are made. ``audit`` receives a record before and after every write
    ``{event, phase, campaign, rule, remote_id, action, version_before, version_after, digest, request_id}``, ``digest``
    being that of the content the write leaves, and for a rule set ``rules`` (``Step.rules_in``). A write whose record
    cannot be stored before it is not made, be it one that undoes; where it cannot be stored after it, the deploy ends
    there. Before the first write ``on_begin`` receives what shows at any time which writes stand. ``on_step`` is told
    of each step when it begins; an error of it changes nothing.

    A write that conflicts is made again where the rules are still what the plan relies on, and somebody only saved them
    without a change. When a write fails, all writes of the plan are undone in reverse order and the error is raised
    with a sentence that says so; an interrupt gets the sentence as a note. A write that the server stored otherwise
    than it was sent was made, and is undone like the others.

    Raises ``RefusedError`` (the plan has refusals, or the audit trail cannot be written), ``RemoteConflictError`` (the
    target moved), ``RemoteError`` (the target fails), ``MovedError``, ``InDoubtError`` and ``PartlyAppliedError``
    (undoing failed, or the audit trail does not show it; its message lists what was made and what was not). After the
    last three the plan is neither carried out nor taken back.
    """
    if plan.refusals:
        raise RefusedError("\n".join(plan.refusals))
    if not plan.steps:
        return ApplyResult(plan.campaign, ())
    run = _begun(plan, target, audit) if resume else _unmoved(plan, target, audit)
    on_begin(run)
    while run.left:
        step, *_ = left = run.left
        try:
            _tell(on_step, step)
            run.make(step)
        except BaseException as error:
            outcome = _undone(run, error, left)
            if outcome is error:
                raise
            raise outcome from error
    return ApplyResult(plan.campaign, tuple(run.made))


def take_back(plan: Plan, target: Target, *, audit: Audit, on_step: OnStep = lambda _: None) -> int:
    """Undo in reverse order whatever of the plan stands, and return the number of writes that were undone.

    The rules that stand are written back with further versions, through the states that led there. Raises
    ``MovedError`` where the target is in none of them, and ``PartlyAppliedError`` where an undoing fails.
    """
    if not plan.steps:
        return 0
    run = _begun(plan, target, audit, earliest=True)
    made = list(run.done)
    while run.done:
        try:
            _tell(on_step, run.done[-1])
            run.undo_last()
        except (DialproofError, KeyboardInterrupt) as error:
            lines = [f"undoing stopped at: {_reason(error)}", *_standing(run, made)]
            raise PartlyAppliedError("\n".join(lines)) from error
    return len(made)


def _tell(on_step: OnStep, step: Step) -> None:
    with suppress(Exception):  # a closed pipe, say: what is shown decides nothing
        on_step(step)


def _unmoved(plan: Plan, target: Target, audit: Audit) -> Writes:
    """Read the rules; raise ``RemoteConflictError`` unless they are what the plan was made from."""
    rules = target.list_rules(plan.campaign)
    state = state_after(plan, 0)
    if changes := moved(state, state_after(plan, len(plan.steps)), rules):
        raise RemoteConflictError(
            f"{plan.where} was changed by somebody else since the plan; nothing was written, plan again:\n"
            + "\n".join(changes.values())
        )
    return Writes(plan, target, audit, stored_by_key(state, rules), done=0)


def _begun(plan: Plan, target: Target, audit: Audit, *, earliest: bool = False) -> Writes:
    """Read the rules; raise ``MovedError`` unless they are what some of the plan's writes leave."""
    rules = target.list_rules(plan.campaign)
    found = distances(plan, rules)
    least = min(found)
    done = found.index(least) if earliest else len(found) - 1 - found[::-1].index(least)
    state = state_after(plan, done)
    if least:
        changes = moved(state, state_after(plan, len(plan.steps)), rules)
        raise MovedError(
            f"{plan.where} was changed by somebody else since the deploy was interrupted; nothing was "
            "written:\n" + "\n".join(changes.values())
        )
    return Writes(plan, target, audit, stored_by_key(state, rules), done=done)


def _undone(run: Writes, error: BaseException, left: Sequence[Step]) -> BaseException:
    """Undo what was made and return the error to raise; the first step of ``left`` is the one that failed."""
    failed = left[0]
    # A try before the one that was refused may have been made. After a conflict that was looked at already.
    in_doubt = run.under_way and not isinstance(error, RefusedError | RemoteConflictError)
    if in_doubt:
        with suppress(DialproofError, KeyboardInterrupt):  # then it stays in doubt, and is reported so
            run.settle(failed)
            in_doubt = False
    if run.under_way:
        run.record_failure(failed, in_doubt=in_doubt)
    made = list(run.done)
    where = f"write {len(run.plan.steps) - len(left) + 1} of {len(run.plan.steps)} ({failed.title})"
    unmade = [f"not made: {step.title}" for step in left if step not in made and not (in_doubt and step is failed)]
    if in_doubt:  # to undo those before it would leave a state that the plan never went through
        lines = [_reason(error), f"{where} failed; whether it was made is not known"]
        if not made:
            return InDoubtError("\n".join(lines))
        return PartlyAppliedError("\n".join([*lines, *_standing(run, made), *unmade]))
    problem: str | None = None
    while run.done and problem is None:
        try:
            run.undo_last()
        except (Exception, KeyboardInterrupt) as failure:  # noqa: BLE001  (what stands must be said, whatever it was)
            problem = _reason(failure)
    if problem is None:
        return _failed(error, where, len(made))
    undone = f"{where} failed and what was made before could not all be undone"
    if not run.done:
        undone = f"{where} failed; {_were_undone(len(made))}, but the audit trail cannot be written to show it"
    lines = [_reason(error), undone, f"undoing stopped at: {problem}"]
    return PartlyAppliedError("\n".join([*lines, *_standing(run, made), *unmade]))


def _standing(run: Writes, made: Sequence[Step]) -> list[str]:
    """Return a line for each write that was made: those that stand, and those that were undone."""
    standing = len(run.done)
    lines = [f"made and still standing: {step.title}" for step in made[:standing]]
    return lines + [f"made and undone: {step.title}" for step in made[standing:]]


def _reason(error: BaseException) -> str:
    if isinstance(error, DialproofError):
        return str(error)
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"internal error ({type(error).__name__})"


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
