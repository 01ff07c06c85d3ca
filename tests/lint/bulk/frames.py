"""Frames of contacts with every kind of column that conditions may meet, and their outcomes row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import strategies as st

from dialproof.bulk.columns import contacts_of
from tests.lint.cel.test_against_cel_python import NUMBERS, TEXTS, TIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.bulk.run import Batch, BulkEvaluator
    from dialproof.outcome import Outcome

NAMES = ["n", "s", "b", "t", "day", "emp.var.rate", "custom.value", "unknown"]
_MORE = [
    "+5",
    "5.",
    "-.5",
    "1,5",
    "inf",
    "nan",
    " 7",
    "1" * 320,
    "-0",
    "True",
    "FALSE",
    "false",
    "2026-01-01T10:00:60Z",
]
_INSTANTS = [
    datetime(2025, 12, 25, 12, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 0, 0, 0, 5, UTC),
]
_KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "text": (pl.String, st.one_of(st.sampled_from([*TEXTS, *TIMES, *_MORE]), st.text(max_size=3))),
    "enum": (pl.Enum(["TX", "", "5", "a", "ab", "true", "2026-01-01"]), st.sampled_from(["TX", "", "5", "a", "true"])),
    "category": (pl.Categorical, st.sampled_from([*TEXTS, *TIMES])),
    "double": (pl.Float64, st.sampled_from([*NUMBERS, 6.0, -0.0, float("inf"), float("nan"), 1e300])),
    "boolean": (pl.Boolean, st.booleans()),
    "instant": (pl.Datetime("us", "UTC"), st.sampled_from(_INSTANTS)),
}


@st.composite
def frames(draw: st.DrawFn, max_size: int = 12) -> pl.DataFrame:
    """Draw a frame; columns may be missing, and any cell may be null."""
    height = draw(st.integers(1, max_size))
    columns = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        dtype, values = _KINDS[draw(st.sampled_from(list(_KINDS)))]
        cells = draw(st.lists(st.one_of(st.none(), values), min_size=height, max_size=height))
        columns[name] = pl.Series(cells, dtype=dtype)
    columns["filler"] = pl.Series([None] * height, dtype=pl.String)
    return pl.DataFrame(columns)


def rows_of(batch: Batch) -> list[dict[str, Any]]:
    """Return what a batch says of each of its contacts."""
    return [
        {
            "matched": tuple(name for name, column in batch.matched.items() if column[i]),
            "undecided": tuple(name for name, column in batch.undecided.items() if column[i]),
            "dial": None if batch.dial is None else batch.dial[i],
            "lists": {name: True for name, column in batch.on.items() if column[i]}
            | {name: False for name, column in batch.off.items() if column[i]},
            "reason": next((reason for reason, column in batch.reasons.items() if column[i]), ""),
            "failure": batch.failed.get(i),
        }
        for i in range(batch.height)
    ]


def same_by_row(bulk: BulkEvaluator, frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return what the row functions say of each contact of a frame."""
    return told(bulk.outcomes(contacts_of(frame)))


def told(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return outcomes in the form of :func:`rows_of`."""
    return [
        {
            "matched": o.matched,
            "undecided": o.undecided,
            "dial": o.dial,
            "lists": dict(o.lists),
            "reason": o.reason if o.dial is not None else "",
            "failure": o.failure,
        }
        for o in outcomes
    ]
