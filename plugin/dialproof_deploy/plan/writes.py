"""The writes of one run of a plan: each recorded before and after, and undone by another write."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof.errors import DialproofError, RefusedError, RemoteConflictError, RemoteError
from dialproof_deploy.plan.states import key_of, moved, same_rule, state_after, stored_by_key
from dialproof_deploy.targets import StoredOtherwiseError, Target, Written
from dialproof_deploy.targets.documents import title_of
from dialproof_deploy.targets.wire import content_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof_deploy.plan.plan import Plan, Step

__all__ = ["Audit", "Made", "Writes"]

Audit = Callable[[dict[str, Any]], object]

_TRIES = 3  # of a write that meets others' saves without a change


@dataclass(frozen=True)
class Made:
    """A write that was made: versions are those on the wire, ``None`` where there was or is no rule."""

    step: Step
    version_before: int | None
    version_after: int | None
    request_id: str | None


class Writes:
    """Makes and undoes the steps of a plan, and knows what stands.

    ``stands`` are the stored rules by key (``states.key_of``), ``done`` the number of steps that they show to be made.
    """

    def __init__(
        self, plan: Plan, target: Target, audit: Audit, stands: dict[str, dict[str, Any]], *, done: int
    ) -> None:
        self.plan = plan
        self.done: list[Step] = list(plan.steps[:done])
        """The steps that stand, in order, whichever run made them."""
        self.made: list[Made] = []
        """Those that this run made."""
        self.under_way = False
        """Whether a write was begun of which nobody knows yet that it was made."""
        self._target = target
        self._audit = audit
        self._stands = stands
        self._unrecorded: list[dict[str, Any]] = []
        """Records of writes that were made; nothing else is written before they are stored."""

    @property
    def untouched(self) -> bool:
        """Whether nothing of the plan stands, for certain, and the audit log shows it."""
        return not (self.done or self.under_way or self._unrecorded)

    @property
    def left(self) -> Sequence[Step]:
        """The steps that are still to be made."""
        return self.plan.steps[len(self.done) :]

    def make(self, step: Step) -> None:
        """Make one write, recorded before and after.

        One that the server stored otherwise was made as well: the error is raised once it is recorded.
        """
        self.under_way = True
        try:
            before, written = self._write("change", step, step.after)
        except StoredOtherwiseError as error:
            self._made(step, self._stands.get(key_of(step)), error.written)
            raise
        self._made(step, before, written)

    def settle(self, step: Step) -> None:
        """Find out whether a write of unknown effect was made, and take note of it if so.

        Raises ``RemoteError`` where the target does not answer, or the rule stands there neither as it was nor as it
        should be.
        """
        before = self._stands.get(key_of(step))
        rules = self._target.list_rules(self.plan.campaign)
        if before is None:
            found = next((r for r in rules if step.after and title_of(r) == title_of(step.after)), None)
        else:
            found = next((r for r in rules if r["id"] == before["id"]), None)
        if same_rule(found, step.after):
            self._made(step, before, Written(found, None))
        elif not same_rule(found, before):
            raise RemoteError("it stands there with other content than was sent")

    def undo_last(self) -> None:
        """Write what stood before the last step that stands, with a further version."""
        step = self.done[-1]
        now = self._stands.get(key_of(step))
        try:
            now, written = self._write("rollback", step, step.before)
        except StoredOtherwiseError as error:
            self._record("rollback.made", step, error.written.rule, now, error.written)
            raise
        self._note(step, written)
        self.done.pop()
        self._record("rollback.made", step, step.before, now, written)

    def record_failure(self, step: Step, *, in_doubt: bool) -> None:
        """Record that a write failed, or that nobody knows: whoever goes on then looks what became of it."""
        self.under_way = in_doubt
        with suppress(DialproofError):  # whoever goes on sees the request without its end, and looks all the same
            self._record("change.unknown" if in_doubt else "change.failed", step, step.after, self._now(step))

    def _write(self, kind: str, step: Step, wanted: dict[str, Any] | None) -> tuple[dict[str, Any] | None, Written]:
        """Record and make a write; return the rule that it replaced, and its answer.

        One that conflicts is made again where the rule was only saved without a change.
        """
        for tries in range(1, _TRIES + 1):
            now = self._now(step)
            self._record(f"{kind}.started", step, wanted, now)
            try:
                return now, self._send(now, wanted)
            except RemoteConflictError as error:
                made = self._made_after_all(step, wanted, error)
                if made:
                    return now, made
                if tries == _TRIES or now == self._now(step):
                    raise
                self._record(f"{kind}.failed", step, wanted, now)
        raise AssertionError("the last try returns or raises")

    def _send(self, now: dict[str, Any] | None, wanted: dict[str, Any] | None) -> Written:
        campaign = self.plan.campaign
        if now is None:
            return self._target.create_rule(campaign, wanted or {})
        if wanted is None:
            return self._target.delete_rule(campaign, now)
        return self._target.update_rule(campaign, now, wanted)

    def _made_after_all(self, step: Step, wanted: dict[str, Any] | None, error: RemoteConflictError) -> Written | None:
        """Read the rules after a conflict: a try whose answer was lost may be what it is about.

        None where the rules are still what the plan relies on; their versions are taken note of. Raises
        ``RemoteConflictError`` with the three versions of each rule where they are not, and ``RemoteError`` where
        nobody can tell whether the write was made.
        """
        rules = self._target.list_rules(self.plan.campaign)
        key, planned = key_of(step), state_after(self.plan, len(self.plan.steps))
        others = {k: rule for k, rule in self._stands.items() if k != key}
        if not moved(others if wanted is None else {**others, key: wanted}, planned, rules):
            return Written(next((r for r in rules if wanted and title_of(r) == title_of(wanted)), None), None)
        if changes := moved(self._stands, planned, rules):
            if "\n" in str(error):  # it tells of this rule itself
                changes.pop(key, None)
            lines = [f"{self.plan.where} was changed by somebody else:", *changes.values()] if changes else []
            # Two versions on, ours may be under theirs; to undo those before it would then be another state.
            before = self._now(step) or {"version": 0, "id": None}
            titles = [title_of(wanted)] if wanted and not before["id"] else []
            now = next((rule for rule in rules if rule["id"] == before["id"] or title_of(rule) in titles), None)
            covered = now is not None and now["version"] > before["version"] + 1
            raise (RemoteError if covered else RemoteConflictError)("\n".join([str(error), *lines])) from None
        self._stands = stored_by_key(self._stands, rules)
        return None

    def _made(self, step: Step, before: Mapping[str, Any] | None, written: Written) -> None:
        """Take note of a write before it is recorded: one without a record must be undone too."""
        after = written.rule["version"] if written.rule else None
        self.made.append(Made(step, before["version"] if before else None, after, written.request_id))
        self.done.append(step)
        self.under_way = False
        self._note(step, written)
        self._record("change.made", step, written.rule, before, written)

    def _now(self, step: Step) -> dict[str, Any] | None:
        return self._stands.get(key_of(step))

    def _note(self, step: Step, written: Written) -> None:
        self._stands.pop(key_of(step), None)
        if written.rule:
            self._stands[key_of(step)] = written.rule

    def _record(
        self,
        phase: str,
        step: Step,
        wanted: Mapping[str, Any] | None,
        before: Mapping[str, Any] | None,
        written: Written | None = None,
    ) -> None:
        """Record a write that leaves ``wanted`` where ``before`` stood; ``written`` is its answer."""
        after = written.rule if written else None
        known = after or before
        rules = step.rules_in(wanted)
        record = {
            "event": "change" if written else "request",
            "phase": phase,
            "campaign": self.plan.campaign,
            "rule": step.rule,
            "remote_id": known["id"] if known else None,
            "action": step.action,
            "version_before": before["version"] if before else None,
            "version_after": after["version"] if after else None,
            "digest": content_digest(wanted) if wanted else None,
            "request_id": written.request_id if written else None,
            **({} if rules is None else {"rules": rules}),
        }
        waiting = [*self._unrecorded, record]
        self._unrecorded = waiting if written else waiting[:-1]
        try:
            for kept in waiting:
                self._audit(kept)
                self._unrecorded = [other for other in self._unrecorded if other is not kept]
        except OSError as error:
            raise RefusedError(f"the audit trail cannot be written: {error.strerror or error}") from error
