"""Sequences of writes in which no gap opens between rules that go and rules that come.

A *gap* is a constraint about contents: some rules must not all have lost their old content while none of some others
has its new one. The search makes each write that no gap waits for as soon as it can, and tries every order of the
others, up to an amount of work.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof_deploy.plan.ordering import PlacementWrite

__all__ = ["Gap", "joined", "without_gaps"]

_WORK = 500_000
"""Writes and gaps that are looked at before the search is given up."""


@dataclass(frozen=True)
class Gap:
    """Some rule of ``coming`` must have its new content before the last of ``going`` has lost its old one.

    ``going`` hold changed or deleted rules, ``coming`` changed or created ones; they have none in common.
    """

    going: frozenset[str]
    coming: frozenset[str]


def without_gaps(
    earlier: Mapping[PlacementWrite, Sequence[PlacementWrite]],
    key: Callable[[PlacementWrite], tuple[int, int]],
    gaps: Sequence[Gap],
) -> list[PlacementWrite] | None:
    """Sort topologically so that no gap opens; None where there is no such order, or none was found in time."""
    search = _Search(earlier, key, gaps)
    seen: set[int] = set()
    tries = [_Try([], 0, (1 << len(gaps)) - 1)]
    while tries and search.work < _WORK:
        attempt = search.go_on(tries.pop())
        if len(attempt.made) == len(search.writes):
            return [search.writes[index] for index in attempt.made]
        for index in reversed(search.choices(attempt)):
            following = search.make(attempt, index)
            if following.done not in seen:
                seen.add(following.done)
                tries.append(following)
    return None


@dataclass(frozen=True, slots=True)
class _Try:
    """The beginning of a sequence: the writes made, in order and as bits, and the gaps that may still open, as bits."""

    made: list[int]
    done: int
    open: int


class _Search:
    """The writes by number, in the order in which they are wished for; ``work`` counts the steps."""

    def __init__(
        self,
        earlier: Mapping[PlacementWrite, Sequence[PlacementWrite]],
        key: Callable[[PlacementWrite], tuple[int, int]],
        gaps: Sequence[Gap],
    ) -> None:
        self.work = 0
        self.writes = sorted(earlier, key=lambda write: (*key(write), write.name))
        number = {write: index for index, write in enumerate(self.writes)}
        self._before = [sum({1 << number[other] for other in earlier[write]}) for write in self.writes]
        switches = {w.name: i for i, w in enumerate(self.writes) if w.with_content or w.order is None}
        self._going = [sum(1 << switches[name] for name in gap.going) for gap in gaps]
        self._closes = [0] * len(self.writes)
        self._opens: list[list[int]] = [[] for _ in self.writes]
        self._in_gaps = [0] * len(self.writes)
        for gap_number, gap in enumerate(gaps):
            for name in gap.coming:
                self._closes[switches[name]] |= 1 << gap_number
            for name in gap.going:
                self._in_gaps[switches[name]] |= 1 << gap_number
                self._opens[switches[name]].append(gap_number)

    def go_on(self, attempt: _Try) -> _Try:
        """Make every write that no gap waits for: that takes nothing away from the others."""
        made, done, open_ = list(attempt.made), attempt.done, attempt.open
        again = True
        while again:
            again = False
            for index in self._ready(done):
                if not self._in_gaps[index] & open_:
                    made.append(index)
                    done |= 1 << index
                    open_ &= ~self._closes[index]
                    again = True
        return _Try(made, done, open_)

    def choices(self, attempt: _Try) -> list[int]:
        """Return the writes that may come next."""
        return [index for index in self._ready(attempt.done) if not self._opens_one(attempt, index)]

    def make(self, attempt: _Try, index: int) -> _Try:
        """Return what it is after one more write."""
        return _Try([*attempt.made, index], attempt.done | 1 << index, attempt.open & ~self._closes[index])

    def _opens_one(self, attempt: _Try, index: int) -> bool:
        done = attempt.done | 1 << index
        self.work += len(self._opens[index])
        return any(attempt.open >> gap & 1 and not self._going[gap] & ~done for gap in self._opens[index])

    def _ready(self, done: int) -> list[int]:
        self.work += len(self.writes)
        return [i for i, before in enumerate(self._before) if not done >> i & 1 and not before & ~done]


def joined(
    writes: list[PlacementWrite],
    apart: Mapping[str, int],
    gaps: Sequence[Gap],
    content_before_create: Sequence[tuple[str, str]],
) -> list[PlacementWrite]:
    """Let contents that are writes of their own travel with a move of their rule wherever that opens no gap.

    ``apart`` holds these rules with their old places. What stays apart is written at the place where the rule is then.
    """
    for name in sorted(apart):
        content = next(write for write in writes if write.name == name and write.with_content)
        others = [write for write in writes if write is not content]
        for move in [write for write in others if write.name == name]:
            candidate = [replace(write, with_content=True) if write is move else write for write in others]
            if _is_safe(candidate, gaps, content_before_create):
                writes = candidate
                break
    stands = dict(apart)
    last = {write.name: index for index, write in enumerate(writes)}
    result = []
    for index, write in enumerate(writes):
        if write.name in apart and write.order is not None:
            alone = write.with_content and not write.final and write.order == apart[write.name]
            stands[write.name] = stands[write.name] if alone else write.order
            result.append(replace(write, order=stands[write.name], final=index == last[write.name]))
        else:
            result.append(write)
    return result


def _is_safe(
    writes: Sequence[PlacementWrite], gaps: Sequence[Gap], content_before_create: Sequence[tuple[str, str]]
) -> bool:
    """Tell whether the contents change in an order that opens no gap."""
    time = {write.name: index for index, write in enumerate(writes) if write.with_content or write.order is None}
    return all(time[first] < time[then] for first, then in content_before_create) and all(
        min(time[name] for name in gap.coming) < max(time[name] for name in gap.going) for gap in gaps
    )
