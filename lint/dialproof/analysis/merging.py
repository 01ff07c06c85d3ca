"""Which rules could be one rule: equal but for the values of one column, and nothing between them stands in the way.

A *family* are rules of one category that do the same, whose conditions are equal but for those on one column. Members
can be one rule if their values are alternatives (`equals`, `in`) or together a range without a gap, and if one of them
can be moved to the other past every rule that runs between them without any contact noticing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dialproof.analysis.atoms import CLOCK, Junction
from dialproof.analysis.campaign import atoms_of
from dialproof.analysis.contradictions import action_key
from dialproof.analysis.order import counts
from dialproof.analysis.overwrites import overwriting
from dialproof.analysis.pairs import bits, sharing
from dialproof.analysis.passes import wide_regions
from dialproof.model.actions import BUILT_IN
from dialproof.model.rules import Condition

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from dialproof.analysis.domain import Want
    from dialproof.analysis.runs import Runs
    from dialproof.cel.values import Variable
    from dialproof.model.rules import Action, Expression, Rule

__all__ = ["Mergeable", "mergeable"]

_OPEN = 8
"""Groups of one family that a further member is tried with."""
_LINES = ("integer", "number", "date", "datetime")
"""Types whose values stand in an order that people think in."""


@dataclass(frozen=True, slots=True)
class Mergeable:
    """Rules (positions) that could be one, on which column they differ, and whether by single values.

    ``conditions`` are those on that column, of each rule; the one rule would stand at the place of ``at``.
    """

    variable: Variable
    members: tuple[int, ...]
    conditions: tuple[tuple[Expression, ...], ...]
    listed: bool
    at: int


@dataclass(frozen=True, slots=True)
class _Member:
    index: int
    mask: int
    conditions: tuple[Expression, ...]

    @property
    def listed(self) -> Hashable:
        """What the condition compares, if it is one that lists values."""
        first = self.conditions[0]
        if len(self.conditions) > 1 or not isinstance(first, Condition) or first.inverted:
            return None
        return (first.source, first.subject, first.type) if first.operator in ("equals", "in") else None


def mergeable(runs: Runs) -> Iterator[Mergeable]:
    """Yield the groups of rules that could each be one rule; a rule is in one group at most."""
    taken = set[int]()
    obstacles = _Obstacles(runs)
    for variable, family in _families(runs):
        free = [m for m in family if m.index not in taken]
        by_list: dict[Hashable, list[_Member]] = {}
        for member in free:
            by_list.setdefault(member.listed, []).append(member)
        lists = [group for key, group in by_list.items() if key is not None and len(group) > 1]
        rest = [m for m in free if m.listed is None or len(by_list[m.listed]) == 1]
        groups = [*((group, True) for group in lists), *((group, False) for group in _ranges(runs, variable, rest))]
        for group, listed in groups:
            for kept, at in obstacles.placed(_apart(runs, group)):
                if listed or _is_range(runs, variable, kept):
                    members = tuple(m.index for m in kept)
                    taken.update(members)
                    yield Mergeable(variable, members, tuple(m.conditions for m in kept), listed, at)


def _families(runs: Runs) -> Iterator[tuple[Variable, list[_Member]]]:
    """Yield the rules that are equal but for the conditions on one column."""
    found: dict[Hashable, tuple[Variable, list[_Member]]] = {}
    for index, rule in enumerate(runs.rules):
        if rule.name in runs.analysis.broken or runs.writes[index] & runs.reads[index] or not runs.acting(index).boxes:
            continue
        parts = runs.analysis.part(rule).members
        readers = [frozenset(v for atom in atoms_of(p) for v in atom.axes) for p in parts]
        same = _sameness(rule)
        for variable in dict.fromkeys(next(iter(r)) for r in readers if len(r) == 1):
            if variable == CLOCK or any(variable in r and len(r) > 1 for r in readers):
                continue
            on = tuple(c for c, r in zip(rule.conditions, readers, strict=True) if variable in r)
            others = frozenset(p for p, r in zip(parts, readers, strict=True) if variable not in r)
            _, members = found.setdefault((variable, same, others), (variable, []))
            members.append(_Member(index, 0, on))
    for variable, members in found.values():
        if len(members) > 1:
            yield from _alike(runs, variable, members)


def _alike(runs: Runs, variable: Variable, members: list[_Member]) -> Iterator[tuple[Variable, list[_Member]]]:
    """Yield the members by the cells on which their conditions on the column are undecided."""
    groups: dict[int, list[_Member]] = {}
    for member in members:
        rule = runs.rules[member.index]
        if not runs.analysis.is_exact(rule):
            continue
        parts = [
            part for part, c in zip(runs.analysis.part(rule).members, rule.conditions, strict=True)
            if any(c is own for own in member.conditions)
        ]  # fmt: skip
        true, false = (_cells(runs, variable, Junction("all", tuple(parts)), want) for want in _DECIDED)
        undecided = runs.analysis.axes[variable].full & ~(true | false)
        groups.setdefault(undecided, []).append(_Member(member.index, true, member.conditions))
    for group in groups.values():
        if len(group) > 1:
            yield variable, group


_DECIDED: tuple[Want, Want] = ("true", "false")


def _cells(runs: Runs, variable: Variable, part: Junction, want: Want) -> int:
    mask, full = 0, runs.analysis.axes[variable].full
    for box in runs.analysis.region_of(part, want).boxes:
        mask |= box.get(variable, full)
    return mask


def _sameness(rule: Rule) -> Hashable:
    """Return what rules that could be one have in common beside their conditions."""
    actions = tuple(action_key(a) for a in rule.actions)
    metadata = sorted((k, repr(v)) for k, v in rule.metadata.items() if k != "ticket")
    return actions, rule.priority, frozenset(rule.overrides), frozenset(rule.runs_after), tuple(metadata)


def _ranges(runs: Runs, variable: Variable, members: Sequence[_Member]) -> Iterator[list[_Member]]:
    """Yield the members by stretches of the line that have no gap."""
    stretch: list[_Member] = []
    for member in sorted(members, key=lambda m: m.mask & -m.mask):
        if stretch and not _is_range(runs, variable, [*stretch, member]):
            yield stretch
            stretch = []
        stretch.append(member)
    if stretch:
        yield stretch


def _is_range(runs: Runs, variable: Variable, members: Sequence[_Member]) -> bool:
    analysis, mask = runs.analysis, 0
    for member in members:
        mask |= member.mask
    column, axis = analysis.columns[variable], analysis.axes[variable]
    if column.type not in _LINES or column.enum is not None or not mask:
        return False
    low = (mask & -mask).bit_length() - 1
    return not (mask >> low) & ((mask >> low) + 1) and all(axis.cells[p].kind == "value" for p in bits(mask))


def _apart(runs: Runs, group: Sequence[_Member]) -> list[_Member]:
    """Leave out members without a value of their own, and those that share one where acting twice is more than once."""
    seen = shared = 0
    for member in group:
        shared |= seen & member.mask
        seen |= member.mask
    kept: list[_Member] = []
    taken = 0
    for member in sorted(group, key=lambda m: m.index):
        apart = not member.mask & taken or all(_repeatable(a) for a in runs.rules[member.index].actions)
        if apart and member.mask & ~shared:
            kept.append(member)
            taken |= member.mask
    return kept


def _repeatable(action: Action) -> bool:
    return action.type in BUILT_IN and action.type != "dataAction" and not counts(action)


class _Obstacles:
    """Which rules a rule cannot be moved past without some contact noticing it, for all that cells say."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    @cached_property
    def _competing(self) -> list[int]:
        over = overwriting(self._runs.rules, data=True)
        return [a | b for a, b in zip(self._runs.contradicting, over, strict=True)]

    @cached_property
    def _meeting(self) -> list[int]:
        """For each rule the bitset of those that share a contact with it on which neither is false."""
        regions = wide_regions(self._runs)
        return sharing(regions, regions)

    def _reach(self, index: int, own: int) -> tuple[int, int]:
        """Return the positions of the nearest rules in front and behind that a rule cannot be moved past."""
        runs = self._runs
        found = runs.feeding[index] | runs.overlapping[index] & (runs.neighbours[index] | self._competing[index])
        if runs.enders:  # what is not reached is not undecided either
            found |= self._meeting[index] & (-1 if runs.ends[index] else runs.enders)
        found &= ((1 << len(runs.rules)) - 1) & ~own
        behind = found >> index + 1
        nearest = index + (behind & -behind).bit_length() if behind else len(runs.rules)
        return (found & (1 << index) - 1).bit_length() - 1, nearest

    def placed(self, group: Sequence[_Member]) -> Iterator[tuple[list[_Member], int]]:
        """Yield members that can all be moved to the place of the first or of the last of them, and that place."""
        own = sum(1 << m.index for m in group)  # they do the same, and do not stand in each other's way
        open_ones: list[_Cluster] = []
        for member in group:
            front, back = self._reach(member.index, own)
            if not any(cluster.takes(member, front, back) for cluster in open_ones[-_OPEN:]):
                open_ones.append(_Cluster([member], member.index, back))
        for cluster in open_ones:
            if len(cluster.members) > 1:
                yield cluster.members, cluster.at


@dataclass(slots=True)
class _Cluster:
    """Members that can be one rule at the place ``at``; the first obstacle behind any of them is ``back``."""

    members: list[_Member]
    at: int
    back: int

    def takes(self, member: _Member, front: int, back: int) -> bool:
        """Take a further member, if it can be moved to the first one's place, or they to its place."""
        first = self.members[0].index
        up, down = self.at == first and front < first, member.index < self.back
        if not up and not down:
            return False
        self.at = first if up else member.index
        self.back = min(self.back, back)
        self.members.append(member)
        return True
