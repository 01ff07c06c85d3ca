"""What a deploy would change: the writes in order, from what stands on the target to what the files say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dialproof_deploy.gate.evidence import json_digest
from dialproof_deploy.plan.matching import Pair, match_rules
from dialproof_deploy.plan.ordering import NoSequenceError, Placement, PlacementWrite, sequence
from dialproof_deploy.plan.safety import Settled, Slot
from dialproof_deploy.targets.documents import Kind, comparable, content, kind_of, rule_in_set, rules_of
from dialproof_deploy.targets.wire import FieldDifference, content_digest, differences

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from dialproof_deploy.plan.dialing import Dialing
    from dialproof_deploy.plan.safety import Safety

__all__ = ["Action", "Plan", "Step", "digest_of", "make_plan", "target_digest"]

Action = Literal["create", "update", "shift", "delete", "attach"]
_FORMAT = 1


@dataclass(frozen=True)
class Step:
    """One write.

    ``before`` and ``after`` are the rule's content (``documents.content``) around this write, ``None`` where there is
    no rule. ``rule`` is its name in the files (or on the target, for a delete); ``rule_id`` is ``None`` for a
    create. A ``shift`` writes a rule to another executionOrder only so that others can pass.

    Where a target writes a whole rule set at once, the set is what is written (``rule`` is its name) and ``parts``
    are the changes of single rules that the write makes; ``attach`` gives a campaign, which ``rule`` names, the set.
    """

    action: Action
    rule: str
    rule_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    parts: tuple[Step, ...] = ()

    @property
    def kind(self) -> Kind:
        """What is written."""
        return kind_of(self.after or self.before or {})

    @property
    def title(self) -> str:
        """What is done, in words: ``update of rule 'x'``."""
        return f"{self.action} {'to' if self.action == 'attach' else 'of'} {self.kind} {self.rule!r}"

    @property
    def differences(self) -> tuple[FieldDifference, ...]:
        """What this write changes, field by field; empty for a create and a delete."""
        return differences(self.before, self.after) if self.before and self.after else ()

    def rules_in(self, document: Mapping[str, Any] | None) -> dict[str, str | None] | None:
        """Return the digest of each rule that the write touches, as it is in a rule set; None where it is not.

        None as a whole for a write of a single rule.
        """
        if self.kind == "rule":
            return None
        held = {rule["name"]: content_digest(rule_in_set(rule, None)) for rule in rules_of(document or {})}
        names = (name for part in self.parts for name in (part.rule, (part.before or part.after or {})["name"]))
        return {name: held.get(name) for name in names}

    def to_json(self) -> dict[str, Any]:
        """Return the write as JSON data."""
        body = {key: value for key, value in vars(self).items() if key != "parts"}
        return {**body, "parts": [part.to_json() for part in self.parts]} if self.parts else body


@dataclass(frozen=True)
class Plan:
    """The writes that lead to the desired rules, in order, and everything they were planned from.

    ``remote`` are the stored rules as they were read, with id and version: apply compares them before it writes.
    While ``refusals`` is not empty the plan must not be applied; each is a sentence that says what to do. ``notes`` are
    sentences that stand against nothing, ``remarks`` further ones, on what others did, that are not part of the digest:
    they depend on what this machine remembers. ``unchanged`` and ``kept`` name rules. ``campaign`` is the id on the
    target and ``logical`` the one of the files; where a rule set holds the rules (``holder``), ``campaign`` is its name
    and ``logical`` are the campaigns that use it. ``personal`` are the columns whose values are not shown.
    ``dialing`` is what the plan does to who is dialed; it depends on the contacts that are known, and is not part of
    the digest.
    """

    campaign: str
    steps: tuple[Step, ...]
    unchanged: tuple[str, ...]
    kept: tuple[str, ...]
    refusals: tuple[str, ...]
    notes: tuple[str, ...]
    remote: tuple[dict[str, Any], ...]
    logical: str = ""
    personal: frozenset[str] = frozenset()
    holder: Literal["campaign", "rule set"] = "campaign"
    dialing: Dialing | None = None
    remarks: tuple[str, ...] = ()

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes and the remarks."""
        return (*self.notes, *self.remarks)

    @property
    def where(self) -> str:
        """What the plan is for, in words."""
        return f"{self.holder} {self.campaign if self.holder == 'campaign' else repr(self.campaign)}"

    @property
    def stored_rules(self) -> list[dict[str, Any]]:
        """The single rules as they were read."""
        if self.holder == "campaign":
            return list(self.remote)
        return [rule for document in self.remote if self._holds(document) for rule in rules_of(document)]

    def _holds(self, document: Mapping[str, Any]) -> bool:
        """Tell whether a document is the rule set of the plan; others stand beside it in its campaigns."""
        return kind_of(document) == "rule set" and document["name"] == self.campaign

    def rule_digest(self, rule: Mapping[str, Any]) -> str | None:
        """Return the digest of a stored rule; of one in a set its place does not count."""
        return content_digest(rule if self.holder == "campaign" else rule_in_set(rule, None))

    @property
    def digest(self) -> str:
        """The sha256 (hex) of the plan in canonical JSON; versions and dates of the stored rules do not count.

        Raises ``InputError`` where the target sent a number that JSON cannot hold exactly.
        """
        return digest_of(self._body())

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON data, its digest included."""
        return {**self._body(), "digest": self.digest}

    def _body(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "campaign": self.campaign,
            **({} if self.holder == "campaign" else {"holder": self.holder}),
            "steps": [step.to_json() for step in self.steps],
            "unchanged": list(self.unchanged),
            "kept": list(self.kept),
            "refusals": list(self.refusals),
            "notes": list(self.notes),
            "remote": list(self.remote),
        }


def make_plan(
    campaign: str,
    desired: Sequence[Mapping[str, Any]],
    remote: Sequence[Mapping[str, Any]],
    *,
    keep: Collection[str] = (),
    prune: Collection[str] = (),
    owned: Collection[str] = (),
    renamed: Mapping[str, str] | None = None,
    suppresses: Callable[[Mapping[str, Any]], bool] = lambda _rule: False,
    safety: Safety | None = None,
    allow_transient: bool = False,
) -> Plan:
    """Plan the writes for one campaign.

    ``desired`` and ``remote`` are wire rules; a desired ``version`` is the author's and is not compared. Rules are
    the same by name, or by ``renamed`` (new name -> old name) where the target knows only the old one. A remote
    rule in no file is refused unless ``prune`` (deleted) or ``keep`` (left as it is) names it; ``owned`` are the
    names of rules that our audit trail says were created by us.

    At every moment of the sequence each pair of rules stands in its old or its new relative order. Where that
    leaves a choice, rules that come to suppress (``suppresses``) are written first and those that cease to, last.
    A suppressing rule that replaces a pruned one at the same executionOrder is written over it, under its id: to
    delete and then create would leave a moment without either.

    With ``safety`` the sequence is one in which no state dials a contact that the rules refuse before and after. Where
    none is found the plan is refused, or with ``allow_transient`` says so in a note.
    """
    pairs, kept, refusals = match_rules(desired, remote, keep, prune, owned, renamed or {})
    joined = _replaced(pairs, suppresses)
    obstacles = _obstacles(joined, kept)
    settled = Settled(_unordered([_placement(pair, suppresses) for pair in joined]))
    if not obstacles:
        try:
            settled = _sequenced(joined, kept, suppresses, safety)
            if settled.refusal and (wider := _replaced(pairs, lambda _rule: True)) != joined:
                # A rule that only refuses what it cannot decide is better written over as well.
                other = _sequenced(wider, kept, suppresses, safety)
                joined, settled = (joined, settled) if other.refusal else (wider, other)
        except NoSequenceError as error:
            names = {r["id"]: r["name"] for r in remote}
            obstacles.append(
                f"rule {names[error.rule]!r} cannot be moved: rule {names[error.fixed]!r}, which is in no file, leaves "
                "no free executionOrder below it; give that one a higher order on the target"
            )
    steps = tuple(_steps(joined, settled.writes))
    updated = {step.rule for step in steps if step.action == "update"}
    return Plan(
        campaign=campaign,
        steps=steps,
        unchanged=tuple(p.name for p in joined if p.desired and p.remote and p.name not in updated),
        kept=tuple(rule["name"] for rule in kept if rule["name"] in keep),
        refusals=(*refusals, *obstacles, *([settled.refusal] if settled.refusal and not allow_transient else [])),
        notes=tuple(text for text in (settled.note, settled.refusal if allow_transient else "") if text),
        remote=tuple(dict(rule) for rule in remote),
    )


def _placement(pair: Pair, suppresses: Callable[[Mapping[str, Any]], bool]) -> Placement:
    old, new = pair.remote, pair.desired
    was, will = bool(old and suppresses(old)), bool(new and suppresses(new))
    changed = bool(old and new and any(d.field != "executionOrder" for d in differences(old, new)))
    return Placement(
        pair.key,
        old["executionOrder"] if old else None,
        new["executionOrder"] if new else None,
        changed=changed,
        rank=1 if was == will else 0 if will else 2,
    )


def _replaced(pairs: Sequence[Pair], suppresses: Callable[[Mapping[str, Any]], bool]) -> list[Pair]:
    """Join each suppressing rule that goes with the one that comes to its executionOrder, into one write."""
    going = {
        pair.remote["executionOrder"]: pair
        for pair in pairs
        if pair.remote and pair.desired is None and suppresses(pair.remote)
    }
    joined: dict[str, Pair] = {}  # key of the rule that comes -> both
    replaced: set[str] = set()
    for pair in pairs:
        if pair.desired and pair.remote is None and suppresses(pair.desired):
            gone = going.pop(pair.desired["executionOrder"], None)
            if gone is not None:
                joined[pair.key] = Pair(pair.desired, gone.remote)
                replaced.add(gone.key)
    return [joined.get(pair.key, pair) for pair in pairs if pair.key not in replaced]


def _obstacles(pairs: Sequence[Pair], kept: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say where the wanted orders cannot all hold at once."""
    found = []
    holders: dict[int, str] = {rule["executionOrder"]: f"rule {rule['name']!r}, which is in no file," for rule in kept}
    names: set[str] = set()
    for pair in pairs:
        if pair.desired is None:
            continue
        order = pair.desired["executionOrder"]
        if order in holders:
            found.append(f"rule {pair.name!r} wants executionOrder {order}, which {holders[order]} holds: change one")
        if pair.name in names:
            found.append(f"the files hold two rules named {pair.name!r}: rename one")
        holders.setdefault(order, f"rule {pair.name!r}")
        names.add(pair.name)
    return found


def _sequenced(
    pairs: Sequence[Pair],
    kept: Sequence[Mapping[str, Any]],
    suppresses: Callable[[Mapping[str, Any]], bool],
    safety: Safety | None,
) -> Settled:
    """Return the writes in order, and what ``safety`` has against them.

    Raises ``NoSequenceError``.
    """
    fixed = [Placement(r["id"], r["executionOrder"], r["executionOrder"], fixed=True) for r in kept]
    placements = [*(_placement(pair, suppresses) for pair in pairs), *fixed]
    renamed = _renamed_away(pairs)
    writes = sequence(placements, content_before_create=renamed)
    if safety is None:
        return Settled(writes)
    slots = [*(Slot(p.key, p.remote, p.desired) for p in pairs), *(Slot(r["id"], r, r) for r in kept)]
    return safety.settle(slots, writes, lambda gaps: sequence(placements, content_before_create=renamed, gaps=gaps))


def _unordered(placements: Sequence[Placement]) -> list[PlacementWrite]:
    """Return one write a change, to show a plan that cannot be applied."""
    return [
        PlacementWrite(p.name, p.new, with_content=p.changed or p.old is None, final=True)
        for p in placements
        if p.changed or p.old != p.new
    ]


def _renamed_away(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Return which rule must have its new name before another is created under the old one."""
    leaving = {p.remote["name"]: p.key for p in pairs if p.desired and p.remote and p.remote["name"] != p.name}
    return [(leaving[p.name], p.key) for p in pairs if p.remote is None and p.name in leaving]


def _steps(pairs: Sequence[Pair], writes: Sequence[PlacementWrite]) -> Iterator[Step]:
    """Turn places into steps by following the content of each rule."""
    by_key = {pair.key: pair for pair in pairs}
    stands = {pair.key: content(pair.remote) if pair.remote else None for pair in pairs}
    for write in writes:
        pair, before = by_key[write.name], stands[write.name]
        after: dict[str, Any] | None = None
        if write.order is not None:
            basis = content(pair.desired) if write.with_content and pair.desired else before
            after = {**(basis or {}), "executionOrder": write.order}
        stands[write.name] = after
        action: Action = "update" if write.with_content or write.final else "shift"
        if before is None or after is None:
            action = "create" if before is None else "delete"
        elif write.final and not write.with_content and pair.remote and pair.remote["executionOrder"] == write.order:
            action = "shift"  # back to where it stood
        yield Step(action, pair.name, pair.remote["id"] if pair.remote else None, before, after)


def digest_of(body: Mapping[str, Any]) -> str:
    """Return the digest of a plan as JSON data without one; raises as ``Plan.digest`` does."""
    return json_digest({**body, "remote": _stood(body["remote"])})


def target_digest(remote: Sequence[Mapping[str, Any]]) -> str:
    """Return the digest of what a plan was made against; raises as ``Plan.digest`` does."""
    return json_digest(_stood(remote))


def _stood(remote: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what counts of the stored rules: a save without a change moves no plan."""
    return [{**comparable(rule), "id": rule["id"]} for rule in remote]
