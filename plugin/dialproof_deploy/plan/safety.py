"""The promise that no state of a deploy dials a contact that both the old and the new rules refuse.

The planner asks here about each sequence of writes. Where the rules that refuse contacts do not change, only come or
only go, there is nothing to ask, and no analysis is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof.model.actions import action_types
from dialproof.output.report import printable
from dialproof_deploy.plan.contact_text import contact_text
from dialproof_deploy.plan.ordering import NoSafeSequenceError, NoSequenceError
from dialproof_deploy.targets.wire import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dialproof.config import Semantics
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Rule
    from dialproof_deploy.plan.gaps import Gap
    from dialproof_deploy.plan.ordering import PlacementWrite
    from dialproof_deploy.plan.refusing import Opening, Refusing, Transient

__all__ = ["Safety", "Settled", "Slot", "is_enabled"]

_ROUNDS = 20
"""Sequences that are tried, each one without the gaps of those before."""
_SHOWN = 10
"""Contacts that are run to show one that is dialed."""

_WAY_OUT = (
    "deploy a rule that refuses such contacts first and delete it afterwards, or pass --allow-transient (a target that "
    "takes all rules in one request, such as rulesets, has no states in between)"
)


@dataclass(frozen=True)
class Slot:
    """One rule on the target, as it stands before and after the deploy; both are wire rules, one may be missing."""

    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def rules(self) -> tuple[Mapping[str, Any], ...]:
        """Those that there are."""
        return tuple(rule for rule in (self.before, self.after) if rule is not None)

    @property
    def writes_contacts(self) -> bool:
        """Whether an action may change what later rules see; what an unknown action does is not known."""
        types = {
            str(action.get("type"))
            for rule in self.rules
            for action in rule.get("actions") or ()
            if isinstance(action, Mapping)
        }
        return "setAttribute" in types or not types <= action_types().keys()

    def refuses_otherwise(self, suppresses: Callable[[Mapping[str, Any]], bool]) -> bool:
        """Tell whether the rule may come to refuse other contacts, as far as its own fields show."""
        return len({suppresses(rule) for rule in self.rules}) > 1 or self.differs("enabled", "conditions")

    def differs(self, *fields: str) -> bool:
        """Tell whether one of the fields changes, or the rule comes or goes."""
        if self.before is None or self.after is None:
            return True
        before, after = self.before, self.after
        return bool(differences({f: before.get(f) for f in fields}, {f: after.get(f) for f in fields}))


@dataclass(frozen=True)
class Settled:
    """A sequence, and what stands against it: ``refusal`` is a sentence, "" where nothing does; ``note`` too.

    ``shown`` tells whether a contact was found on which the promise breaks; ``open`` is why none was and none is proved
    to be missing.
    """

    writes: list[PlacementWrite]
    refusal: str = ""
    note: str = ""
    shown: bool = False
    open: str = ""

    @property
    def proved(self) -> bool:
        """Whether no state breaks the promise."""
        return not (self.refusal or self.note)


@dataclass(frozen=True)
class Safety:
    """What decides whether rules refuse a contact: its columns, and the meaning of a run.

    ``read`` and ``suppresses`` are those of the target (``dialproof.targets.base``).
    """

    columns: ContactList
    semantics: Semantics
    read: Callable[[Mapping[str, Any]], Rule]
    suppresses: Callable[[Mapping[str, Any]], bool]

    def settle(
        self,
        slots: Sequence[Slot],
        writes: list[PlacementWrite],
        again: Callable[[Sequence[Gap]], list[PlacementWrite]],
    ) -> Settled:
        """Look for a sequence that keeps the promise, beginning with ``writes``.

        ``again`` returns a sequence without gaps, and raises as ``ordering.sequence`` does.
        """
        keys = {write.name for write in writes}
        written = [slot for slot in slots if slot.key in keys]
        followed = self.semantics.laterRulesSeeUpdates and any(slot.writes_contacts for slot in slots)
        if len(writes) < 2 or not (self._contents_matter(written) or (followed and _order_matters(slots, written))):
            return Settled(writes)
        # Rules that stay can only help: they are read where the others alone settle nothing.
        stages = [slots] if followed or len(written) == len(slots) else [written, slots]
        settled = self._ask(stages, writes, again, all_rules=True)
        if settled.proved or settled.shown or self.semantics.undecided != "refuseToDial":
            return settled
        # What is refused for want of data alone may stay open; what rules suppress may not.
        suppressed = self._ask(stages, writes, again, all_rules=False)
        if not suppressed.proved:
            return suppressed if suppressed.shown else settled
        note = (
            "no contact that suppressing rules refuse now and afterwards is dialed in between; of contacts that are "
            f"refused only because a rule is undecided, that is not proved ({settled.open})"
        )
        return Settled(suppressed.writes, note=note)

    def _ask(
        self,
        stages: Sequence[Sequence[Slot]],
        writes: list[PlacementWrite],
        again: Callable[[Sequence[Gap]], list[PlacementWrite]],
        *,
        all_rules: bool,
    ) -> Settled:
        from dialproof_deploy.plan.refusing import Refusing, TooMuchError

        settled = Settled(writes)
        for asked in stages:
            refusing = Refusing(asked, self.columns, self.semantics, self.read, self.suppresses, all_rules=all_rules)
            against: Transient | str = ""
            try:
                if refusing.shifting:
                    against = refusing.run_all(writes)
                    if not against:
                        return Settled(writes)
                else:
                    found = _settled(refusing, writes, again)
                    if not isinstance(found, str):
                        return Settled(found)
                    against = next(self._shown(refusing, writes), found) if asked is stages[-1] else found
            except TooMuchError as error:
                against = str(error)
            settled = self._settled_against(writes, refusing, against)
        return settled

    def _contents_matter(self, written: Sequence[Slot]) -> bool:
        """Tell whether a rule that refuses goes while another one comes, as far as their fields show."""
        changed = [slot for slot in written if slot.refuses_otherwise(self.suppresses)]
        going = {slot.key for slot in changed if self._may_refuse(slot.before)}
        coming = {slot.key for slot in changed if self._may_refuse(slot.after)}
        return any(going - {key} for key in coming)

    def _may_refuse(self, rule: Mapping[str, Any] | None) -> bool:
        """Tell whether a rule has an action that stops dialing, or refuses where its conditions are undecided."""
        if rule is None or not is_enabled(rule):
            return False
        return self.semantics.undecided == "refuseToDial" or self.suppresses(rule)

    @staticmethod
    def _shown(refusing: Refusing, writes: Sequence[PlacementWrite]) -> Iterator[Transient]:
        for opening in refusing.openings(writes)[:_SHOWN]:
            if (found := refusing.shown(opening, writes)) is not None:
                yield found

    @staticmethod
    def _settled_against(writes: list[PlacementWrite], refusing: Refusing, against: Transient | str) -> Settled:
        if isinstance(against, str):
            unread = next((f"rule {name!r} cannot be read back: {why}" for name, why in refusing.unread.items()), "")
            text = (
                "it is not proved that no contact which is refused now and by the new rules is dialed in between "
                f"({unread or against}): {_WAY_OUT}"
            )
            return Settled(writes, refusal=printable(text), open=printable(unread or against))
        tried = "this sequence does it" if refusing.shifting else "no sequence of single writes was found without it"
        contact = contact_text(against.scene.contact, against.scene.now, refusing.columns)
        before, after = against.before.reason, against.after.reason
        text = (
            f"a contact with {contact} is refused now ({before}) and by the new rules ({after}), and would be dialed "
            f"in between; {tried}: {_WAY_OUT}"
        )
        return Settled(writes, refusal=printable(text), shown=True)


def is_enabled(rule: Mapping[str, Any]) -> bool:
    """Tell whether a wire rule is enabled."""
    return rule.get("enabled") in (None, True)


def _order_matters(slots: Sequence[Slot], written: Sequence[Slot]) -> bool:
    """Tell whether a rule that writes to contacts changes, or rules change places."""
    if any(slot.writes_contacts and slot.differs("enabled", "conditions", "actions") for slot in written):
        return True
    before = [(s.before["executionOrder"], s.key) for s in slots if s.before is not None and s.after is not None]
    after = [(s.after["executionOrder"], s.key) for s in slots if s.before is not None and s.after is not None]
    return [key for _, key in sorted(before)] != [key for _, key in sorted(after)]


def _settled(
    refusing: Refusing, writes: list[PlacementWrite], again: Callable[[Sequence[Gap]], list[PlacementWrite]]
) -> list[PlacementWrite] | str:
    """Return the first sequence that is proved to keep the promise, or why there is none."""
    gaps: dict[Gap, Opening] = {}
    for _ in range(_ROUNDS):
        openings = refusing.openings(writes)
        if not openings:
            return writes
        gaps |= {opening.gap: opening for opening in openings}
        try:
            writes = again(list(gaps))
        except (NoSafeSequenceError, NoSequenceError):
            return "whether their conditions hold together is not decided"
    return f"not decided within {_ROUNDS} sequences"
