"""The value next to a value: one more or less of a number, a date, a time or a period; or simply another one."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dialproof.cel.values import (
    from_micros,
    number_text,
    parse_datetime,
    parse_period,
    read_number,
    read_text,
    same_value,
)

if TYPE_CHECKING:
    from dialproof.model.contactlist import Column

__all__ = ["other_value", "shifted", "shifted_span"]

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_OFFSET = re.compile(r".*(?:Z|[+-]\d\d:?\d\d)", re.IGNORECASE | re.DOTALL)
_SECOND = 1_000_000
_UNITS = (86_400 * _SECOND, 3_600 * _SECOND, 60 * _SECOND, _SECOND)


def shifted(value: str | float | bool, kind: str, subject: str, by: int) -> str | float | bool | None:
    """Return the value ``by`` (1 or -1) away under a type of conditions; None where there is none.

    A day is one away from a day, a second from a time, a minute from a time of day, and of a period it is the smallest
    unit that it is written in.
    """
    if kind == "number":
        number = None if isinstance(value, bool) else read_number(value)
        if number is None:
            return None
        return number_text(number + by) if isinstance(value, str) else type(value)(number + by)
    if not isinstance(value, str):
        return None
    if kind == "period":
        return _period(value, by)
    if kind == "datetime" or subject == "now.date":
        return _instant(value, by)
    if subject == "now.timeOfDay" and (found := _TIME.fullmatch(value)):
        minutes = int(found[1]) * 60 + int(found[2]) + by
        return f"{minutes // 60:02d}:{minutes % 60:02d}" if 0 <= minutes < 24 * 60 else None
    return None


def shifted_span(micros: int, by: int) -> int:
    """Return a span of time one of its units longer or shorter: days, else hours, minutes or seconds."""
    return micros + by * next((unit for unit in _UNITS if micros % unit == 0), 1)


def other_value(value: object, column: Column | None) -> str | float | bool:
    """Return another value that a column may hold."""
    if column is not None and column.enum is not None:
        others = [v for v in column.enum if not same_value(v, value)]
        if others:
            return others[0]
    if isinstance(value, bool):
        return not value
    number = read_number(value)
    if number is not None:
        return number_text(number + 1) if isinstance(value, str) else number + 1
    text = read_text(value)
    moved = _instant(text, 1) if column is not None and column.type in ("date", "datetime") else None
    return moved or f"{text}x"


def _instant(text: str, by: int) -> str | None:
    if _DAY.fullmatch(text):
        try:
            return (date.fromisoformat(text) + timedelta(days=by)).isoformat()
        except (ValueError, OverflowError):
            return None
    micros = parse_datetime(text, None)
    if micros is None:
        return None
    try:
        moment = from_micros(micros + by * _SECOND)
    except OverflowError:
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'Z' if _OFFSET.fullmatch(text) else ''}"


def _period(text: str, by: int) -> str | None:
    micros = parse_period(text)
    if micros is None or micros < 0:
        return None
    seconds = shifted_span(micros, by) // _SECOND
    if seconds < 0:
        return None
    days, rest = divmod(seconds, 86_400)
    return f"P{days}DT{rest // 3600}H{rest % 3600 // 60}M" + (f"{rest % 60}S" if rest % 60 else "")
