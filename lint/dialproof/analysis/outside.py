"""What some boxes leave of another: the contacts inside of one box and outside of all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.regions import Box, meet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.analysis.domain import Axis
    from dialproof.cel.values import Variable

__all__ = ["Outside", "TooMuchError"]

_STEPS = 1_000_000
"""Boxes that are looked at for all questions together."""


class TooMuchError(Exception):
    """The budget is used up; the text says which."""


class Outside:
    """Takes boxes out of boxes, all questions together within one number of steps."""

    def __init__(self, axes: Mapping[Variable, Axis]) -> None:
        self._axes = axes
        self._steps = 0

    def parts(self, box: Box, taken: Sequence[Box]) -> Iterator[Box]:
        """Yield parts of a box, apart from each other, that are together all of it that no other box meets.

        Each of the others has to be left through one of its variables: where only one is open that is done at once,
        else one is tried after the other, in the box with the fewest. Raises :class:`TooMuchError`.
        """
        waiting = [(dict(box), [other for other in taken if meet(box, other) is not None])]
        while waiting:
            rest, near = waiting.pop()
            covered, again = False, True
            ways_out: tuple[list[Variable], Box] | None = None
            while again and not covered:
                again, following, ways_out = False, list[Box](), None
                for other in near:
                    ways = self._ways_out(rest, other)
                    if ways is None:
                        continue
                    covered = covered or not ways
                    if len(ways) == 1:
                        rest[ways[0]] = rest.get(ways[0], self._axes[ways[0]].full) & ~other[ways[0]]
                        again = True
                        continue
                    following.append(other)
                    if ways_out is None or len(ways) < len(ways_out[0]):
                        ways_out = ways, other
                self._steps += len(near)
                near = following
            if self._steps > _STEPS:
                raise TooMuchError(f"not decided within {_STEPS} steps")
            if covered:
                continue
            if ways_out is None:
                yield rest
                continue
            variable = ways_out[0][0]
            have, mask = rest.get(variable, self._axes[variable].full), ways_out[1][variable]
            waiting.append(({**rest, variable: have & mask}, near))
            waiting.append(({**rest, variable: have & ~mask}, near))

    def _ways_out(self, box: Box, other: Box) -> list[Variable] | None:
        """Return the variables through which a box can be left for the outside of another, None where it is outside."""
        ways = []
        for variable, mask in other.items():
            have = box.get(variable, self._axes[variable].full)
            if not have & mask:
                return None
            if have & ~mask:
                ways.append(variable)
        return ways

    def without(self, boxes: Sequence[Box], taken: Sequence[Box]) -> tuple[Box, ...]:
        """Return boxes apart from each other: what a few others leave of some boxes."""
        left = list(boxes)
        for other in taken:
            rests = []
            for box in left:
                if meet(box, other) is None:
                    rests.append(box)
                    continue
                inside = box
                for variable, mask in other.items():
                    have = inside.get(variable, self._axes[variable].full)
                    if have & ~mask:
                        rests.append({**inside, variable: have & ~mask})
                    inside = {**inside, variable: have & mask}
            left = rests
        return tuple(left)
