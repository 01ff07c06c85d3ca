"""Every two values of two parameters meet in few rows."""

from __future__ import annotations

from itertools import combinations, product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.generate.pairwise import pairwise


@settings(max_examples=40)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_all_pairs_are_in_some_row(sizes: list[int]) -> None:
    """Counted one by one; no row has a value that there is not, and no row is there twice."""
    rows = list(pairwise(sizes))
    assert all(0 <= value < size for row in rows for value, size in zip(row, sizes, strict=True))
    assert len(set(rows)) == len(rows) <= max(prod(sizes), 1)
    for one, other in combinations(range(len(sizes)), 2):
        wanted = set(product(range(sizes[one]), range(sizes[other])))
        assert {(row[one], row[other]) for row in rows} == wanted


@pytest.mark.parametrize(("sizes", "least", "most"), [((3,) * 4, 9, 12), ((2,) * 10, 6, 12), ((10, 10, 2), 100, 105)])
def test_there_are_few_rows(sizes: tuple[int, ...], least: int, most: int) -> None:
    """Near the smallest array there is: 9 for 3^4 (an orthogonal array), 6 for 2^10, 100 for 10 x 10."""
    assert least <= len(list(pairwise(sizes))) <= most


def test_the_rows_are_always_the_same() -> None:
    """No random order."""
    assert list(pairwise([3, 2, 4])) == list(pairwise([3, 2, 4]))
