"""Values at which a condition may change its verdict: on, just below and just above what it compares with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dialproof.analysis.lines import DAY
from dialproof.analysis.universe import may_hold, render_instant
from dialproof.cel.values import from_micros, number_text, parse_number, to_micros

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.analysis.atoms import Atom, Cut
    from dialproof.model.contactlist import Column

__all__ = ["edges_of", "minutes_around", "unreadable", "values_around"]

_SECOND = 1_000_000
_TYPED = frozenset({"number", "timestamp", "age", "boolean"})
"""Readings that not every text has."""


def values_around(column: Column, atom: Atom, now: int, zone: str | None) -> list[object]:
    """Return what a column may hold on and beside the constants of a condition, in order; ``now`` in microseconds."""
    found: dict[str, object] = {}
    for cut in atom.cuts:
        for value in _around(column, cut, now, zone):
            if value != "" and may_hold(column, value):
                found.setdefault(repr(value), value)
    return list(found.values())


def _around(column: Column, cut: Cut, now: int, zone: str | None) -> Iterator[object]:
    if cut.how == "size":
        yield from ("x" * max(int(cut.value) + d, 0) for d in (-1, 0, 1) if isinstance(cut.value, float))
    elif cut.reading == "number" and isinstance(cut.value, float):
        yield from _numbers(column, cut.value)
    elif cut.reading == "timestamp" and isinstance(cut.value, (int, float)):
        yield from _instants(column, int(cut.value), zone)
    elif cut.reading == "age" and isinstance(cut.value, (int, float)):
        step = DAY if column.type == "date" else _SECOND
        yield from (render_instant(now - int(cut.value) + d, column) for d in (-step, 0, step))
    elif cut.reading in ("text", "folded") and isinstance(cut.value, str) and cut.how != "pattern":
        yield from _texts(column, cut)


def _numbers(column: Column, value: float) -> Iterator[object]:
    """Yield n-1, n and n+1 in the smallest unit of the column: 1, or its last decimal."""
    step = Fraction(1, 10 ** (column.decimals or 0)) if column.type == "number" else Fraction(1)
    exact = Fraction(repr(value))
    for number in (exact - step, exact, exact + step):
        rounded = float(number)
        if column.type not in ("integer", "number"):
            yield number_text(rounded)
        else:
            yield int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded


def _instants(column: Column, micros: int, zone: str | None) -> Iterator[object]:
    """Yield the instants around one, and the first and the last second of its day in the zone."""
    if column.type == "date":
        yield from (render_instant(micros + d, column) for d in (-DAY, 0, DAY))
        return
    local = from_micros(micros).astimezone(ZoneInfo(zone) if zone else UTC)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    edges = (to_micros(midnight), to_micros(midnight + timedelta(days=1)) - _SECOND)
    for moment in dict.fromkeys((micros - _SECOND, micros, micros + _SECOND, *edges)):
        yield render_instant(moment, column)


def _texts(column: Column, cut: Cut) -> Iterator[object]:
    """Yield a text, for an order or a beginning those just beside it, and the text in other letters."""
    text = str(cut.value)
    if column.type in ("integer", "number"):
        number = parse_number(text)
        yield from _numbers(column, number) if number is not None else ()
        return
    yield text
    if column.enum is None and cut.how in ("order", "prefix"):
        yield from (text[:-1], f"{text}a")
    if column.enum is None and text.swapcase() != text:
        yield text.swapcase()


def minutes_around(atoms: Sequence[Atom]) -> list[int]:
    """Return the minutes of the day on and beside the times of day that conditions compare with."""
    found: dict[int, None] = {}
    for cut in (cut for atom in atoms for cut in atom.cuts):
        hours, colon, minutes = str(cut.value).partition(":")
        if colon and hours.isdigit() and minutes.isdigit():
            at = int(hours) * 60 + int(minutes)
            found.update(dict.fromkeys(m for m in (at - 1, at, at + 1) if 0 <= m < 1440))
    return list(found)


def edges_of(zone: str, year: int) -> list[datetime]:
    """Return the moments at which a time zone changes its offset in a year, each with the second in front of it."""
    place = ZoneInfo(zone)
    found: list[datetime] = []
    hour = datetime(year, 1, 1, tzinfo=UTC)
    while hour.year == year:
        after = hour + timedelta(hours=1)
        if hour.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            found += [after - timedelta(seconds=1), after]
        hour = after
    return found


def unreadable(column: Column, atoms: Sequence[Atom]) -> str | None:
    """Return a text that conditions cannot read as what they compare it with, None where every text can be read."""
    readings = {reading for atom in atoms for reading in atom.readings}
    if not readings & _TYPED:
        return None
    return "n/a" if column.type != "string" or may_hold(column, "n/a") else None
