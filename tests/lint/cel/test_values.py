"""How values of a contact are read."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialproof.cel.values import (
    MISSING,
    AmbiguousColumnError,
    fold,
    from_micros,
    lookup,
    number_text,
    parse_datetime,
    parse_duration,
    parse_number,
    parse_period,
    read_boolean,
    read_number,
    read_text,
    same_value,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5.0), (" 5 ", 5.0), ("+5.", 5.0), (".5", 0.5), ("-0.25", -0.25), ("007", 7.0)],
)
def test_text_that_is_a_number(text: str, number: float) -> None:
    """Sign, digits and one point, after trimming spaces."""
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", " ", ".", "1e5", "0x10", "1,5", "1_000", "٣", "5\t", "inf", "nan", "9" * 400])
def test_text_that_is_no_number(text: str) -> None:
    """Exponents, hex, separators, other digits, infinities and texts beyond a double are no numbers."""
    assert parse_number(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_text_of_a_number_reads_back_as_the_same_number(value: float) -> None:
    """The text of a double is decimal, has no exponent, and denotes exactly that double."""
    text = number_text(value)
    assert "e" not in text
    assert not text.endswith(".0")
    assert parse_number(text) == value
    assert float(Decimal(text)) == value


@pytest.mark.parametrize(
    ("value", "text"), [(5000, "5000"), (5000.0, "5000"), (0.1, "0.1"), (-0.0, "0"), (1e-7, "0.0000001")]
)
def test_number_as_text_is_its_shortest_decimal(value: float, text: str) -> None:
    """A number read as text has no trailing .0 and no exponent."""
    assert read_text(value) == text


def test_values_that_are_no_numbers() -> None:
    """Booleans, infinities, NaN and integers beyond a double are unreadable as numbers."""
    for value in (True, math.inf, math.nan, 10**400, None, MISSING, {"a": 1}):
        assert read_number(value) is None


def test_booleans_are_true_and_false_only() -> None:
    """yes, 1 and t are texts, not booleans."""
    assert [read_boolean(v) for v in ("true", "TRUE", "False", True, "yes", "1", 1, "")] == [
        *(True, True, False, True),
        *(None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-03-07T10:00:00-07:00", None, "2026-03-07T17:00:00"),
        ("2026-03-07T10:00", "America/Denver", "2026-03-07T17:00:00"),
        ("2026-03-07", "America/Denver", "2026-03-07T07:00:00"),
        ("2026-03-07", None, "2026-03-07T00:00:00"),
        ("2026-03-07T10:00:00.5Z", "America/Denver", "2026-03-07T10:00:00.500000"),
        # 02:30 does not exist on that day: the offset before the change (-07:00) counts.
        ("2026-03-08T02:30", "America/Denver", "2026-03-08T09:30:00"),
        # 01:30 happens twice on that day: the first one (-06:00) counts.
        ("2026-11-01T01:30", "America/Denver", "2026-11-01T07:30:00"),
    ],
)
def test_instants(text: str, zone: str | None, utc: str) -> None:
    """Dates and times with an offset, or local in the time zone of the file."""
    micros = parse_datetime(text, zone)
    assert micros is not None
    assert from_micros(micros) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "12:30", "2026-02-30", "2026-3-7", "07/03/2026", "2026-03-07 10:00", "2026-03-07T24:00"]
)
def test_text_that_is_no_instant(text: str) -> None:
    """Everything that is not ISO 8601 as the platform writes it is unreadable."""
    assert parse_datetime(text, None) is None


def test_periods() -> None:
    """Days, hours and minutes, each with its own sign."""
    day, hour, minute = 86_400_000_000, 3_600_000_000, 60_000_000
    assert parse_period("P7DT0H0M") == 7 * day
    assert parse_period("P-1DT2H-3M") == -day + 2 * hour - 3 * minute
    assert parse_period("PT90M") == 90 * minute
    for text in ("P", "PT", "P1DT", "7D", "P1Y", "P1W", "P1.5D", "", "p1d"):
        assert parse_period(text) is None


def test_durations() -> None:
    """CEL durations; what would make a backtracking parser run for seconds is refused at once."""
    assert parse_duration("1h30m") == 5_400_000_000
    assert parse_duration("-1.5s") == -1_500_000
    for text in ("", "1", "h", "1d", "1" * 40 + "s", "1h" * 3 + "x"):
        assert parse_duration(text) is None


def test_whole_column_name_comes_before_the_path() -> None:
    """A dotted column is found under its whole name, a nested one by its path, and both at once are refused."""
    assert lookup({"a.b": 1}, "a.b") == 1
    assert lookup({"a": {"b": 2}}, "a.b") == 2
    assert lookup({"a": "text"}, "a.b") is MISSING
    with pytest.raises(AmbiguousColumnError, match=r"a\.b"):
        lookup({"a.b": 1, "a": {"b": 2}}, "a.b")


def test_simple_case_folding_keeps_the_length() -> None:
    """One character folds to one character: the German sharp s is not two letters."""
    assert fold("ẞTRASSE") == fold("ßtrasse")
    assert fold("STRASSE") != fold("straße")
    assert fold("ΣΑΣ") == fold("σας")


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    """Folding is idempotent and keeps the number of characters."""
    assert fold(fold(text)) == fold(text)
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:30", "9999-12-31T23:59:59-07:00", "9999-12-31T23:59:59"])
def test_instants_outside_of_the_calendar_are_unreadable(text: str) -> None:
    """What lies outside of the years 1 to 9999 in UTC is no instant, as in CEL; it must not break a run."""
    assert parse_datetime(text, "America/Denver") is None


def test_same_value_sees_through_types() -> None:
    """5, 5.0 and "5" are one value; blank is one value."""
    assert same_value(5, "5")
    assert same_value(None, "")
    assert not same_value("5.0", 5)
