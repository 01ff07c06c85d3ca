"""The sequence of single-rule writes that leads from one order of rules to another.

Two things hold at every moment: no two rules stand at one executionOrder, and each pair of rules stands in its old
or its new relative order (a pair that never existed together has none). Both are about pairs, so a sequence is
right if it is right for each pair.

Writing each changed rule once is enough where no rules wait for each other. Where some do (two that swap, say),
one of the circle is *parked*: written to a free place where every pair is still right, and written to its own
place last. Where there is no free place, the rules that must stay above it are parked higher up first, and return
afterwards: shifts. In one sequence that always works (without rules that must not be written), come the

    deletes, moves that wait for no parked rule, parkings from the top down, the other moves, returns from
    the bottom up, creates.

Of it only the constraints between pairs are kept, and the writes are put in the order of their rank as far as
those allow. No rule is written more than twice.

A *gap* (see :mod:`dialproof_deploy.plan.gaps`) is a further constraint, about contents. Where gaps allow no sequence of
these writes, the content of a rule that moves is a write of its own, so that it need not wait for the rule's place.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof_deploy.plan.gaps import Gap

__all__ = ["NoSafeSequenceError", "NoSequenceError", "Placement", "PlacementWrite", "sequence"]


@dataclass(frozen=True)
class Placement:
    """Where a rule stands and shall stand; ``None`` as old place is a create, as new place a delete.

    ``changed`` says that the content differs too. ``rank`` is the wish when to write it: 0 early, 1, 2 late.
    A ``fixed`` rule is never written and keeps its place.
    """

    name: str
    old: int | None
    new: int | None
    changed: bool = False
    rank: int = 1
    fixed: bool = False


@dataclass(frozen=True)
class PlacementWrite:
    """One write: the rule, its order afterwards (``None``: deleted) and whether it carries the new content."""

    name: str
    order: int | None
    with_content: bool
    final: bool


class NoSafeSequenceError(Exception):
    """No sequence was found that leaves none of the gaps."""


class NoSequenceError(Exception):
    """There is no way past a fixed rule: ``rule`` cannot be moved aside below ``fixed``."""

    def __init__(self, rule: str, fixed: str) -> None:
        super().__init__(f"{rule!r} cannot be moved past {fixed!r}")
        self.rule = rule
        self.fixed = fixed


@dataclass(frozen=True)
class _Survivor:
    """A rule that is there before and after."""

    name: str
    old: int
    new: int
    fixed: bool


def sequence(
    placements: Sequence[Placement],
    *,
    content_before_create: Sequence[tuple[str, str]] = (),
    gaps: Sequence[Gap] = (),
) -> list[PlacementWrite]:
    """Return the writes in order.

    Old places must be unique, and so must new places. ``content_before_create`` holds pairs of names: the content
    of the first must be written before the second is created.

    Raises ``NoSequenceError`` where a fixed rule leaves no way, and ``NoSafeSequenceError`` where ``gaps`` leave none.
    """
    graph = _Graph(placements, content_before_create, gaps)
    if not gaps:
        return _by_rank(graph.earlier({}), graph.key)
    from dialproof_deploy.plan.gaps import joined, without_gaps

    in_gaps = frozenset[str]().union(*(gap.going | gap.coming for gap in gaps))
    moving = {p.name: p.old for p in placements if p.name in in_gaps and p.old and p.new and graph.moves(p)}
    for apart in ({}, moving) if moving else ({},):
        found = without_gaps(graph.earlier(apart), graph.key, gaps)
        if found is not None:
            return joined(found, apart, gaps, content_before_create)
    raise NoSafeSequenceError


class _Graph:
    """The writes, and which of them must come before which others."""

    def __init__(
        self,
        placements: Sequence[Placement],
        content_before_create: Sequence[tuple[str, str]],
        gaps: Sequence[Gap],
    ) -> None:
        self._placements = placements
        self._by_name = {p.name: p for p in placements}
        self._content_before_create = content_before_create
        survivors = [
            _Survivor(p.name, p.old, p.new, p.fixed) for p in placements if p.old is not None and p.new is not None
        ]
        created = {p.new for p in placements if p.old is None and p.new is not None}
        # A rule that shall go late keeps its place until then.
        going = frozenset[str]().union(*(gap.going for gap in gaps))
        reserved = {
            p.old for p in placements if p.new is None and p.old is not None and (p.rank == 2 or p.name in going)
        }
        self._parks, self._late, self._turn = _Parking(survivors, _waits(survivors), created, reserved).solve()
        self._time: dict[PlacementWrite, int] = {}

    def moves(self, placement: Placement) -> bool:
        """Tell whether a rule is written to another place."""
        return placement.old != placement.new or placement.name in self._parks

    def key(self, write: PlacementWrite) -> tuple[int, int]:
        """Return when to make a write that may be made: its rank, and its turn in the sequence that always works."""
        placement = self._by_name[write.name]
        ranked = write.with_content or placement.new is None
        return placement.rank if ranked else 1, self._time[write]

    def earlier(self, apart: Mapping[str, int]) -> dict[PlacementWrite, list[PlacementWrite]]:
        """Return for each write those that come before it.

        The contents of the rules in ``apart`` (name -> old place) are writes of their own.
        """
        chains = {p.name: _chain(p, self._parks.get(p.name), apart=p.name in apart) for p in self._placements}
        contents = {name: PlacementWrite(name, old, with_content=True, final=False) for name, old in apart.items()}
        nodes = [write for chain in chains.values() for write in chain]
        nodes.sort(key=lambda write: (*self._phase(write), write.name))
        self._time = {write: index for index, write in enumerate(nodes)}
        # Contents go before moves, so that those which wait for them can still travel with a move.
        self._time |= {write: self._time[chains[name][0]] - len(nodes) for name, write in contents.items()}
        earlier: dict[PlacementWrite, list[PlacementWrite]] = {write: [] for write in (*nodes, *contents.values())}
        for chain in chains.values():
            for first, second in pairwise(chain):
                earlier[second].append(first)
        moving = [p for p in self._placements if chains[p.name] and self.moves(p)]
        for one, other in combinations(moving, 2):
            _constrain(one, chains[one.name], other, chains[other.name], self._time, earlier)
        for first_name, then_name in self._content_before_create:
            carrying = contents.get(first_name) or next(write for write in chains[first_name] if write.with_content)
            earlier[chains[then_name][0]].append(carrying)
        return earlier

    def _phase(self, write: PlacementWrite) -> tuple[int, ...]:
        """Return the place in the sequence that always works."""
        placement = self._by_name[write.name]
        if placement.new is None:
            return 0, placement.old or 0
        if placement.old is None:
            return 5, placement.new
        if placement.name in self._parks:
            return (4, placement.new) if write.final else (2, -placement.old)
        return 3 if placement.name in self._late else 1, self._turn.get(placement.name, -1), placement.new


def _chain(placement: Placement, park: int | None, *, apart: bool) -> list[PlacementWrite]:
    """Return the writes of one rule in their order; ``apart``: without its content."""
    if placement.fixed or (placement.old == placement.new and not placement.changed and park is None):
        return []
    content = placement.new is not None and (placement.changed or placement.old is None) and not apart
    if park is None:
        return [PlacementWrite(placement.name, placement.new, content, final=True)]
    first = content and placement.rank == 0
    return [
        PlacementWrite(placement.name, park, first, final=False),
        PlacementWrite(placement.name, placement.new, content and not first, final=True),
    ]


def _clash(one: Placement | _Survivor, at: int, other: Placement | _Survivor, other_at: int) -> bool:
    """Tell whether two rules must not stand at these places at one moment."""
    if at == other_at:
        return True
    above, related = at > other_at, False
    if one.old is not None and other.old is not None:
        related = True
        if (one.old > other.old) == above:
            return False
    if one.new is not None and other.new is not None:
        related = True
        if (one.new > other.new) == above:
            return False
    return related


def _waits(survivors: Sequence[_Survivor]) -> dict[str, list[str]]:
    """Return for each moved rule those that must have moved before it may be written to its new place."""
    by_old = sorted((s for s in survivors if s.old != s.new), key=lambda s: s.old)
    olds = [s.old for s in by_old]
    waits: dict[str, list[str]] = {}
    for rule in by_old:
        low, high = min(rule.old, rule.new), max(rule.old, rule.new)
        passed = by_old[bisect_left(olds, low) : bisect_right(olds, high)]
        waits[rule.name] = [p.name for p in passed if p is not rule and _clash(rule, rule.new, p, p.old)]
    return waits


class _Parking:
    """Chooses which rules are parked, and where."""

    def __init__(
        self,
        survivors: Sequence[_Survivor],
        waits: Mapping[str, Sequence[str]],
        created: set[int],
        reserved: set[int],
    ) -> None:
        self._survivors = sorted(survivors, key=lambda s: s.old)
        self._waits = waits
        self._created = created
        self._reserved = reserved
        self._followers: dict[str, list[str]] = {name: [] for name in waits}
        for name, before in waits.items():
            for other in before:
                self._followers[other].append(name)

    def solve(self) -> tuple[dict[str, int], set[str], dict[str, int]]:
        """Return the place of each parked rule, the moves that wait for parked rules, and the turn of each move."""
        costs: dict[str, tuple[int, int]] = {}

        def cost(name: str) -> tuple[int, int]:
            """Prefer what pulls the fewest rules along, then what sets the most others free."""
            if name not in costs:
                _, blockers = self._places({name}, set(self._waits) - {name})
                pulled = len(self._survivors) if any(b.fixed for b in blockers) else len(blockers)
                costs[name] = pulled, -min(len(self._waits[name]), len(self._followers[name]))
            return costs[name]

        parked, turn = self._break_circles(cost)
        while True:
            late = self._waiting_for(parked)
            parks, blockers = self._places(parked, late)
            if not blockers:
                return parks, late, turn
            for blocker in blockers:
                if blocker.fixed:
                    stuck = next(s.name for s in self._survivors if s.name in parked and s.name not in parks)
                    raise NoSequenceError(stuck, blocker.name)
            parked |= {blocker.name for blocker in blockers}

    def _break_circles(self, cost: Callable[[str], tuple[int, int]]) -> tuple[set[str], dict[str, int]]:
        """Take moves that wait for nothing until circles are left, and park the cheapest rule of one; repeat."""
        waiting = {name: len(before) for name, before in self._waits.items()}
        remaining = dict.fromkeys(waiting)
        ready = [name for name, count in waiting.items() if not count]
        parked: set[str] = set()
        turn: dict[str, int] = {}
        while remaining:
            if not ready:
                chosen = min(self._circle(remaining), key=cost)
                parked.add(chosen)
                ready.append(chosen)
            name = ready.pop()
            turn[name] = len(turn)
            del remaining[name]
            for follower in self._followers[name]:
                waiting[follower] -= 1
                if not waiting[follower] and follower in remaining:
                    ready.append(follower)
        return parked, turn

    def _circle(self, remaining: Mapping[str, None]) -> list[str]:
        """Follow what is waited for until a rule comes again."""
        path = [next(iter(remaining))]
        place = {path[0]: 0}
        while True:
            following = next(name for name in self._waits[path[-1]] if name in remaining)
            if following in place:
                return path[place[following] :]
            place[following] = len(path)
            path.append(following)

    def _waiting_for(self, parked: set[str]) -> set[str]:
        """Return the moves that must come after a parked rule has left its old place."""
        late: set[str] = set()
        open_ = [name for name in parked if name in self._followers]
        while open_:
            for follower in self._followers[open_.pop()]:
                if follower not in late and follower not in parked:
                    late.add(follower)
                    open_.append(follower)
        return late

    def _places(self, parked: set[str], late: set[str]) -> tuple[dict[str, int], list[_Survivor]]:
        """Return the lowest place for each parked rule, or the rules that stand in the way of one of them."""

        def spans(rule: _Survivor) -> tuple[int, int]:
            """Return the lowest and highest place the rule takes while others are parked, unless it is parked."""
            early = rule.name in self._waits and rule.name not in late and rule.name not in parked
            return (rule.new, rule.new) if early else (min(rule.old, rule.new), max(rule.old, rule.new))

        span = {rule.name: spans(rule) for rule in self._survivors}
        standing = {place for name, pair in span.items() if name not in parked for place in pair}
        taken = self._reserved | self._created | standing
        parks: dict[str, int] = {}
        for rule in self._survivors:
            if rule.name not in parked:
                continue
            below = [o for o in self._survivors if o.old < rule.old and o.new < rule.new]
            above = [o for o in self._survivors if o.old > rule.old and o.new > rule.new]
            # A parked rule that must stay above leaves first and returns last: its own places are free meanwhile.
            leaving = parked - {o.name for o in above}
            held = taken | {place for name in leaving for place in span[name]} | set(parks.values())
            place = 1 + max((max(span[o.name][1], parks.get(o.name, 0)) for o in below), default=0)
            while place in held:
                place += 1
            blockers = [o for o in above if o.name not in parked and span[o.name][0] < place]
            if blockers:
                return parks, blockers
            parks[rule.name] = place
        return parks, []


def _constrain(
    one: Placement,
    chain: Sequence[PlacementWrite],
    other: Placement,
    other_chain: Sequence[PlacementWrite],
    time: Mapping[PlacementWrite, int],
    earlier: dict[PlacementWrite, list[PlacementWrite]],
) -> None:
    """Keep, of the sequence that always works, what stops these two rules from ever clashing."""
    places = [one.old, *(write.order for write in chain)]
    other_places = [other.old, *(write.order for write in other_chain)]
    for i, at in enumerate(places):
        for j, other_at in enumerate(other_places):
            if at is None or other_at is None or not _clash(one, at, other, other_at):
                continue
            # The clash is avoided because one has left before the other arrives.
            if j and i < len(chain) and time[chain[i]] < time[other_chain[j - 1]]:
                earlier[other_chain[j - 1]].append(chain[i])
            else:
                earlier[chain[i - 1]].append(other_chain[j])


def _by_rank(
    earlier: Mapping[PlacementWrite, Sequence[PlacementWrite]],
    key: Callable[[PlacementWrite], tuple[int, int]],
) -> list[PlacementWrite]:
    """Sort topologically, the lowest key first wherever there is a choice."""
    waiting = {write: len(before) for write, before in earlier.items()}
    followers: dict[PlacementWrite, list[PlacementWrite]] = {write: [] for write in earlier}
    for write, before in earlier.items():
        for other in before:
            followers[other].append(write)
    heap = [(key(write), write.name, write) for write, count in waiting.items() if not count]
    heapq.heapify(heap)
    ordered: list[PlacementWrite] = []
    while heap:
        write = heapq.heappop(heap)[2]
        ordered.append(write)
        for follower in followers[write]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(heap, (key(follower), follower.name, follower))
    assert len(ordered) == len(earlier), "the sequence that always works keeps all constraints"
    return ordered
