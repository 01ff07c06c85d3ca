"""Pairwise testing: few rows in which every two values of two parameters meet."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["pairwise"]


def pairwise(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield rows of one value a parameter (0 to its size) until every pair of values of two parameters was in one.

    A greedy row at a time, as AETG builds them (Cohen, Dalal, Fredman and Patton, 1997), without its random order: each
    row begins with a pair that is missing, and takes for the other parameters, largest first, the value that brings the
    most missing pairs. The same sizes give the same rows.
    """
    if len(sizes) == 1:
        yield from ((value,) for value in range(sizes[0]))
        return
    order = sorted(range(len(sizes)), key=lambda parameter: -sizes[parameter])
    missing = dict.fromkeys(
        ((one, a), (other, b))
        for one, other in combinations(range(len(sizes)), 2)
        for a, b in product(range(sizes[one]), range(sizes[other]))
    )
    while missing:
        row = dict(next(iter(missing)))
        for parameter in order:
            if parameter not in row:
                row[parameter] = max(
                    range(sizes[parameter]),
                    key=lambda value: sum(_pair((parameter, value), given) in missing for given in row.items()),
                )
        for one, other in combinations(row.items(), 2):
            missing.pop(_pair(one, other), None)
        yield tuple(row[parameter] for parameter in range(len(sizes)))


def _pair(one: tuple[int, int], other: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    return (one, other) if one < other else (other, one)
