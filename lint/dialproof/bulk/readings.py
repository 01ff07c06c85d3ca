"""How a column of any engine is read, as Narwhals expressions: what :mod:`dialproof.cel.values` says of one value.

Only operations that every engine does alike are used: a time is taken apart and counted in whole numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import narwhals as nw

from dialproof.bulk.expressions import Inexpressible
from dialproof.cel.values import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dialproof.cel.values import Kind

__all__ = ["READING_TYPES", "Form", "Reading", "form_of", "in_calendar", "read_raw"]

Form: TypeAlias = Literal["text", "number", "boolean", "instant", "local"]
"""What a column holds: an instant is in microseconds since 1970 (UTC), a local time is text without an offset."""

Reading: TypeAlias = "Kind | Literal['blank']"
Keep: TypeAlias = "Callable[[dict[str, nw.Expr]], list[nw.Expr]]"

READING_TYPES: Mapping[str, Any] = {
    "text": nw.String,
    "number": nw.Float64,
    "boolean": nw.Boolean,
    "timestamp": nw.Int64,
    "blank": nw.Boolean,
}
"""A reading -> the type of its column."""

_NUMBER = r"\A *[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+) *\z"
_TIME = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?\z"
_SIGNED = "[+-][0-9]{4}"
_DAY = 24 * 60 * 60
_SECOND = 1_000_000
_DAYS_TO_1970 = 719_469
"""From the first of March of the year 0."""
_FIRST, _LAST = parse_datetime("0001-01-01"), parse_datetime("9999-12-31T23:59:59.999999")


def form_of(kind: nw.dtypes.DType) -> Form | None:
    """Return what a column of a type holds, None where conditions read nothing of that type."""
    if isinstance(kind, (nw.String, nw.Enum, nw.Categorical)):
        return "text"
    if isinstance(kind, nw.Boolean):
        return "boolean"
    if isinstance(kind, nw.Datetime):
        return "local" if kind.time_zone is None else "instant"
    if isinstance(kind, nw.Date):
        return "local"
    return "number" if kind.is_numeric() else None


def read_raw(raw: nw.Expr, form: Form, kind: Reading, zone: str | None, keep: Keep) -> nw.Expr:
    """Return a column under a kind: text is never null, the others are where the column holds nothing of that kind.

    ``keep`` makes columns of expressions, so that they are not written out again and again. Raises
    :class:`Inexpressible` for a text that engines write in different ways, and for local times outside of UTC.
    """
    if kind == "blank":
        return raw.fill_null("") == "" if form == "text" else raw.is_null()
    if kind == "text":
        return _text(raw, form)
    if kind == "number":
        return _number(raw, form)
    if kind == "boolean":
        return _boolean(raw, form)
    if form in ("text", "local"):
        if zone not in (None, "UTC"):
            raise Inexpressible(f"a time that may be local, in {zone}")
        return _instant(raw, keep)
    return raw if form == "instant" else nw.lit(None, dtype=nw.Int64)


def in_calendar(micros: nw.Expr) -> nw.Expr:
    """Return instants, null where they lie outside of the years 1 to 9999."""
    return nw.when(micros.is_between(_FIRST, _LAST)).then(micros)


def _text(raw: nw.Expr, form: Form) -> nw.Expr:
    if form == "text":
        return raw.fill_null("")
    if form == "boolean":
        return nw.when(raw).then(nw.lit("true")).otherwise(nw.when(~raw).then(nw.lit("false")).otherwise(nw.lit("")))
    raise Inexpressible("a number that is read as text" if form == "number" else "a time that is read as text")


def _number(raw: nw.Expr, form: Form) -> nw.Expr:
    if form == "number":
        return nw.when(raw.is_finite()).then(raw)
    if form != "text":
        return nw.lit(None, dtype=nw.Float64)
    number = raw.str.strip_chars(" ").cast(nw.Float64)
    return nw.when(raw.str.contains(_NUMBER)).then(nw.when(number.is_finite()).then(number))


def _boolean(raw: nw.Expr, form: Form) -> nw.Expr:
    if form == "boolean":
        return raw
    if form != "text":
        return nw.lit(None, dtype=nw.Boolean)
    true, false = raw.is_in(["true", "True", "TRUE"]), raw.is_in(["false", "False", "FALSE"])
    return nw.when(true | false).then(true)


def _instant(raw: nw.Expr, keep: Keep) -> nw.Expr:
    """Return the instants of a text, in which a time without an offset is one of UTC."""
    (time,) = keep({"time": nw.when(raw.str.contains(_TIME)).then(raw.str.replace_all(":", "", literal=True))})
    hours, minutes = _digits(time, -4, 2), _digits(time, -2, 2)
    distance = nw.when((hours <= 23) & (minutes <= 59)).then(hours * 60 + minutes)
    signed = nw.when(time.str.slice(-5, 1) == "-").then(distance * -1).otherwise(distance)
    offset, plain = keep(
        {
            "offset": nw.when(time.str.contains(rf"{_SIGNED}\z")).then(signed).otherwise(nw.lit(0)),
            "without offset": time.str.replace_all(rf"(Z|{_SIGNED})\z", ""),
        }
    )
    clock = {"hour": 11, "minute": 13, "second": 15}
    year, month, day, hour, minute, second, fraction = keep(
        {
            "year": _digits(plain, 0, 4),
            "month": _digits(plain, 5, 2),
            "day": _digits(plain, 8, 2),
            **{name: _digits(plain, at, 2, padded=True) for name, at in clock.items()},
            "microsecond": _digits(plain, 18, 6, padded=True),
        }
    )
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    february = nw.when(leap).then(nw.lit(29)).otherwise(nw.lit(28))
    others = nw.when(month.is_in([4, 6, 9, 11])).then(nw.lit(30)).otherwise(nw.lit(31))
    since_march, days_of_month = keep(
        {
            "months since March": year * 12 + month - 3,
            "days of month": nw.when(month == 2).then(february).otherwise(others),
        }
    )
    (years,) = keep({"years since March": since_march // 12})
    # As Howard Hinnant counts days: a year that begins in March ends with the day that leap years add.
    days = day + ((since_march - years * 12) * 153 + 2) // 5 + years * 365 + years // 4 - years // 100 + years // 400
    seconds = (days - _DAYS_TO_1970) * _DAY + hour * 3600 + (minute - offset) * 60 + second
    valid = (
        (year >= 1) & month.is_between(1, 12) & day.is_between(1, days_of_month)
        & (hour <= 23) & (minute <= 59) & (second <= 59)
    )  # fmt: skip
    (micros,) = keep({"microseconds": nw.when(valid).then(seconds * _SECOND + fraction)})
    return in_calendar(micros)


def _digits(text: nw.Expr, at: int, count: int, *, padded: bool = False) -> nw.Expr:
    part = text.str.slice(at, count)
    if padded:
        part = nw.concat_str(part, nw.lit("0" * count)).str.slice(0, count)
    return part.cast(nw.Int64)
