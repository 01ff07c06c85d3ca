"""Overlaps of many boxes at once are those of every two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.analysis.pairs import bitset, overlaps
from dialproof.cel.values import Variable

if TYPE_CHECKING:
    from dialproof.analysis.regions import Box

VARIABLES = [Variable("contact", name) for name in "ab"]
STRETCHES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), min_size=1, max_size=3)
BOXES = st.lists(st.dictionaries(st.sampled_from(VARIABLES), STRETCHES), max_size=40)


def _box(drawn: dict[Variable, list[tuple[int, int]]]) -> Box:
    masks = dict.fromkeys(drawn, 0)
    for variable, stretches in drawn.items():
        for first, length in stretches:
            masks[variable] |= ((1 << length) - 1) << first
    return masks


@settings(max_examples=60)
@given(BOXES, BOXES)
def test_overlaps_are_those_of_every_two_boxes(
    asked: list[dict[Variable, list[tuple[int, int]]]], boxes: list[dict[Variable, list[tuple[int, int]]]]
) -> None:
    """Few cells and many, one stretch and several, variables that are left out."""
    one, other = [_box(b) for b in asked], [_box(b) for b in boxes]
    shared = [[all(a[v] & b[v] for v in a if v in b) for b in other] for a in one]
    assert overlaps(one, other) == [sum(1 << i for i, meets in enumerate(row) if meets) for row in shared]


@given(st.lists(st.booleans(), max_size=70))
def test_a_bitset_has_the_positions_that_are_true(flags: list[bool]) -> None:
    """From the lowest bit up."""
    assert bitset(flags) == sum(1 << i for i, flag in enumerate(flags) if flag)
