"""Values on and beside the constants of conditions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dialproof.analysis.campaign import atoms_of
from dialproof.cel.values import parse_datetime
from dialproof.generate.boundaries import edges_of, minutes_around, unreadable, values_around
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, analysis, campaign, cond, rule

NOW = parse_datetime("2026-01-01T12:00:00Z")
assert NOW is not None


def around(column: Column, *condition: object, zone: str | None = None, context: bool = False) -> list[object]:
    """Return the values around the constants of one condition on a column."""
    leaf = cond(column.name, *condition, context=context)  # type: ignore[arg-type]
    made = analysis(campaign([rule("r", 1, [leaf], [act("doNotDial")])], [column]))
    (atom,) = atoms_of(made.part(made.campaign.rules[0]))
    return values_around(column, atom, NOW, zone)


@pytest.mark.parametrize(
    ("column", "condition", "values"),
    [
        (Column("n", "integer"), ("greaterThan", 5), [4, 5, 6]),
        (Column("n", "integer", min=0, max=5), ("greaterThan", 5), [4, 5]),
        (Column("n", "number", decimals=3), ("lessThan", 0.3), [0.299, 0.3, 0.301]),
        (Column("n", "number", decimals=1), ("between", (-0.1, 0.2)), [-0.2, -0.1, 0, 0.1, 0.2, 0.3]),
        (Column("z", "string"), ("greaterThan", 9, "number"), ["8", "9", "10"]),
        (Column("s", "string", enum=("TX", "CA")), ("equals", "TX"), ["TX"]),
        (Column("s", "string"), ("in", ("TX", "5")), ["TX", "tx", "5"]),
        (Column("s", "string"), ("beginsWith", "ab"), ["ab", "a", "aba", "AB"]),
        (Column("d", "date"), ("lessThan", "2026-03-01"), ["2026-02-28", "2026-03-01", "2026-03-02"]),
        (
            Column("t", "datetime"), ("before", "2026-03-01T12:00:00Z"),
            ["2026-03-01T11:59:59Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z", "2026-03-01T00:00:00Z",
             "2026-03-01T23:59:59Z"],
        ),
        (
            Column("t", "datetime"), ("lessThan", "P7D", "period"),
            ["2025-12-25T11:59:59Z", "2025-12-25T12:00:00Z", "2025-12-25T12:00:01Z"],
        ),
    ],
    ids=str,
)  # fmt: skip
def test_values_around_a_constant(column: Column, condition: tuple[object, ...], values: list[object]) -> None:
    """One less, the constant, one more, in the smallest unit of the column and within its bounds."""
    assert around(column, *condition) == values


def test_the_edges_of_a_day_are_those_of_the_zone() -> None:
    """In Denver the day of the constant begins at seven in the morning of UTC."""
    values = around(Column("t", "datetime"), "before", "2026-03-01T12:00:00Z", zone="America/Denver")
    assert values[3:] == ["2026-03-01T07:00:00Z", "2026-03-02T06:59:59Z"]


def test_minutes_around_a_time_of_day() -> None:
    """Midnight has no minute in front of it."""
    made = analysis(campaign([rule("r", 1, [cond("now.timeOfDay", "between", ("00:00", "18:00"), context=True)],
                                   [act("doNotDial")])], []))  # fmt: skip
    assert minutes_around(atoms_of(made.part(made.campaign.rules[0]))) == [0, 1, 1079, 1080, 1081]


def test_where_a_zone_changes_its_offset() -> None:
    """The last second of one offset and the first of the next; a zone that never changes has none."""
    spring, autumn = datetime(2026, 3, 8, 9, tzinfo=UTC), datetime(2026, 11, 1, 8, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert edges_of("America/Denver", 2026) == [spring - second, spring, autumn - second, autumn]
    assert edges_of("UTC", 2026) == []


def test_what_cannot_be_read() -> None:
    """A text where a number is wanted; where every text can be read, or the column holds none, there is nothing."""

    def of(column: Column, *condition: object) -> str | None:
        made = analysis(campaign([rule("r", 1, [cond(column.name, *condition)], [act("doNotDial")])], [column]))  # type: ignore[arg-type]
        return unreadable(column, atoms_of(made.part(made.campaign.rules[0])))

    assert of(Column("n", "integer"), "greaterThan", 5) == "n/a"
    assert of(Column("s", "string"), "equals", "TX") is None
    assert of(Column("s", "string", pattern="[0-9]+"), "greaterThan", 5, "number") is None
