"""What a deploy would change: the writes in order, from what stands on the target to what the files say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dialproof_deploy.gate.evidence import json_digest
from dialproof_deploy.plan.ordering import NoSequenceError, Placement, PlacementWrite, sequence
from dialproof_deploy.plan.safety import Settled, Slot
from dialproof_deploy.targets.wire import FieldDifference, content, differences

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from dialproof_deploy.plan.safety import Safety

__all__ = ["Action", "Plan", "Step", "digest_of", "make_plan"]

Action = Literal["create", "update", "shift", "delete"]
_FORMAT = 1


@dataclass(frozen=True)
class Step:
    """One write.

    ``before`` and ``after`` are the rule's content (``wire.content``) around this write, ``None`` where there is
    no rule. ``rule`` is its name in the files (or on the target, for a delete); ``rule_id`` is ``None`` for a
    create. A ``shift`` writes a rule to another executionOrder only so that others can pass.
    """

    action: Action
    rule: str
    rule_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def differences(self) -> tuple[FieldDifference, ...]:
        """What this write changes, field by field; empty for a create and a delete."""
        return differences(self.before, self.after) if self.before and self.after else ()


@dataclass(frozen=True)
class Plan:
    """The writes that lead to the desired rules, in order, and everything they were planned from.

    ``remote`` are the stored rules as they were read, with id and version: apply compares them before it writes.
    While ``refusals`` is not empty the plan must not be applied; each is a sentence that says what to do. ``notes`` are
    sentences that stand against nothing. ``campaign`` is the id on the target and ``logical`` the one of the files;
    ``personal`` are the columns whose values are not shown.
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
            "steps": [vars(step).copy() for step in self.steps],
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
    pairs, kept, refusals = _match(desired, remote, keep, prune, owned, renamed or {})
    joined = _replaced(pairs, suppresses)
    obstacles = _obstacles(joined, kept)
    settled = Settled(_unordered([pair.placement(suppresses) for pair in joined]))
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


@dataclass(frozen=True)
class _Pair:
    """A rule of the files and the rule on the target that it is; one of them may be missing."""

    desired: Mapping[str, Any] | None
    remote: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        return str((self.desired or self.remote or {})["name"])

    @property
    def key(self) -> str:
        """What identifies the rule while the plan is made: names can change hands."""
        return str(self.remote["id"]) if self.remote else f"+{self.name}"

    def placement(self, suppresses: Callable[[Mapping[str, Any]], bool]) -> Placement:
        old, new = self.remote, self.desired
        was, will = bool(old and suppresses(old)), bool(new and suppresses(new))
        changed = bool(old and new and any(d.field != "executionOrder" for d in differences(old, new)))
        return Placement(
            self.key,
            old["executionOrder"] if old else None,
            new["executionOrder"] if new else None,
            changed=changed,
            rank=1 if was == will else 0 if will else 2,
        )


def _match(
    desired: Sequence[Mapping[str, Any]],
    remote: Sequence[Mapping[str, Any]],
    keep: Collection[str],
    prune: Collection[str],
    owned: Collection[str],
    renamed: Mapping[str, str],
) -> tuple[list[_Pair], list[Mapping[str, Any]], list[str]]:
    """Find which rule is which; return the pairs to write, the rules to leave alone, and the refusals."""
    refusals = [
        f"the target holds {count} rules named {name!r}: rename or delete all but one there"
        for name, count in Counter(rule["name"] for rule in remote).items()
        if count > 1
    ]
    wanted = {rule["name"] for rule in desired}
    refusals += [f"rule {name!r} is in the files and named in --prune" for name in sorted(prune) if name in wanted]
    refusals += [f"rule {name!r} is named in --prune and in keep" for name in sorted(prune) if name in keep]
    by_name = {rule["name"]: rule for rule in reversed(remote)}
    claims: dict[str, str] = {}  # old name -> new name
    for rule in desired:
        old, new = renamed.get(rule["name"]), rule["name"]
        if old is None or old not in by_name or new in by_name:
            continue
        if old in claims:
            refusals.append(f"rules {claims[old]!r} and {new!r} are both renamed from {old!r}")
        claims.setdefault(old, new)
    pairs = []
    for rule in desired:
        name = rule["name"]
        old = renamed.get(name, name)
        if claims.get(old) == name:
            pairs.append(_Pair(rule, by_name[old]))
        elif name in by_name and name not in claims:
            pairs.append(_Pair(rule, by_name[name]))
        else:
            if old != name and old in by_name and name in claims:
                refusals.append(
                    f"rule {name!r} is renamed from {old!r} while {claims[name]!r} is renamed from {name!r}: "
                    "deploy one renaming after the other"
                )
            pairs.append(_Pair(rule, None))
    taken = {pair.remote["id"] for pair in pairs if pair.remote}
    kept = []
    for rule in remote:
        name = rule["name"]
        if rule["id"] in taken:
            continue
        if name in prune:
            pairs.append(_Pair(None, rule))
            continue
        kept.append(rule)
        if name not in keep:
            what = (
                f"orphan rule {name!r}, which an earlier deploy created, is in no file"
                if name in owned
                else f"foreign rule {name!r} is on the target and in no file"
            )
            refusals.append(f"{what}: name it in --prune to delete it, or in keep to leave it")
    return pairs, kept, refusals


def _replaced(pairs: Sequence[_Pair], suppresses: Callable[[Mapping[str, Any]], bool]) -> list[_Pair]:
    """Join each suppressing rule that goes with the one that comes to its executionOrder, into one write."""
    going = {
        pair.remote["executionOrder"]: pair
        for pair in pairs
        if pair.remote and pair.desired is None and suppresses(pair.remote)
    }
    joined: dict[str, _Pair] = {}  # key of the rule that comes -> both
    replaced: set[str] = set()
    for pair in pairs:
        if pair.desired and pair.remote is None and suppresses(pair.desired):
            gone = going.pop(pair.desired["executionOrder"], None)
            if gone is not None:
                joined[pair.key] = _Pair(pair.desired, gone.remote)
                replaced.add(gone.key)
    return [joined.get(pair.key, pair) for pair in pairs if pair.key not in replaced]


def _obstacles(pairs: Sequence[_Pair], kept: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say where the wanted orders cannot all hold at once."""
    found = []
    holders: dict[int, str] = {rule["executionOrder"]: f"rule {rule['name']!r}, which is in no file," for rule in kept}
    names: set[str] = set()
    for pair in pairs:
        if pair.desired is None:
            continue
        order = pair.desired["executionOrder"]
        if order in holders:
            found.append(f"rule {pair.name!r} wants executionOrder {order}, which {holders[order]} holds")
        if pair.name in names:
            found.append(f"the files hold two rules named {pair.name!r}")
        holders.setdefault(order, f"rule {pair.name!r}")
        names.add(pair.name)
    return found


def _sequenced(
    pairs: Sequence[_Pair],
    kept: Sequence[Mapping[str, Any]],
    suppresses: Callable[[Mapping[str, Any]], bool],
    safety: Safety | None,
) -> Settled:
    """Return the writes in order, and what ``safety`` has against them.

    Raises ``NoSequenceError``.
    """
    fixed = [Placement(r["id"], r["executionOrder"], r["executionOrder"], fixed=True) for r in kept]
    placements = [*(pair.placement(suppresses) for pair in pairs), *fixed]
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


def _renamed_away(pairs: Sequence[_Pair]) -> list[tuple[str, str]]:
    """Return which rule must have its new name before another is created under the old one."""
    leaving = {p.remote["name"]: p.key for p in pairs if p.desired and p.remote and p.remote["name"] != p.name}
    return [(leaving[p.name], p.key) for p in pairs if p.remote is None and p.name in leaving]


def _steps(pairs: Sequence[_Pair], writes: Sequence[PlacementWrite]) -> Iterator[Step]:
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
    return json_digest({**body, "remote": [{**content(rule), "id": rule["id"]} for rule in body["remote"]]})
