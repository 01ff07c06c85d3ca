"""How a value of a contact is read: as text, number, boolean or instant. Blank and unreadable values are None.

Every path that evaluates conditions (cel-python, compiled functions, columns) reads contacts through these functions,
so that a value means the same everywhere. Instants and spans are integers of microseconds (instants since
1970-01-01T00:00:00Z).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

__all__ = [
    "MISSING",
    "AmbiguousColumnError",
    "Kind",
    "Variable",
    "check_columns",
    "compile_pattern",
    "fold",
    "from_micros",
    "lookup",
    "number_text",
    "overlap",
    "parse_boolean",
    "parse_datetime",
    "parse_duration",
    "parse_number",
    "parse_period",
    "quotient",
    "read_as",
    "read_boolean",
    "read_number",
    "read_text",
    "read_timestamp",
    "same_value",
    "to_micros",
    "zone_of",
]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_PERIOD = re.compile(r"P(?=.)(?:([+-]?\d{1,6})D)?(?:T(?=.)(?:([+-]?\d{1,6})H)?(?:([+-]?\d{1,6})M)?)?", re.ASCII)
_DURATION = re.compile(r"(-?)((?:\d{1,15}(?:\.\d{1,9})?(?:h|ms|us|ns|m|s))+)", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)", re.ASCII)
_DURATION_UNITS = {
    "h": Decimal(3_600_000_000),
    "m": Decimal(60_000_000),
    "s": Decimal(1_000_000),
    "ms": Decimal(1_000),
    "us": Decimal(1),
    "ns": Decimal("0.001"),
}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

Kind: TypeAlias = Literal["text", "number", "boolean", "timestamp", "matched", "undecided", "dial", "lists", "member"]
"""How a variable is read: a value of a contact as one of the first four, the others are of an outcome."""

MISSING = object()
"""What :func:`lookup` returns for a column that a contact does not have."""


class Variable(NamedTuple):  # hashed more often than anything else, and a tuple does that without Python code
    """Something a condition reads: a column of the contact, a field of the context, or the clock (``now``)."""

    source: Literal["contact", "context", "now"]
    name: str


class AmbiguousColumnError(ValueError):
    """A contact has a name both as a whole column and as a path; ``name`` is that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the contact has {name!r} both as a column and as a path: keep one")
        self.name = name


def lookup(contact: Mapping[str, object], name: str) -> object:
    """Return the raw value of a column, looked up as a whole name first, then as a path; :data:`MISSING` if absent."""
    value = contact.get(name, MISSING)
    if "." not in name:
        return value
    nested: object = contact
    for part in name.split("."):
        nested = nested.get(part, MISSING) if isinstance(nested, dict) else MISSING
        if nested is MISSING:
            return value
    if value is not MISSING:
        raise AmbiguousColumnError(name)
    return nested


def overlap(one: str, other: str) -> bool:
    """Tell whether two names are one column, or one stands above the other, as ``custom`` above ``custom.value``."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def check_columns(contact: Mapping[str, object]) -> None:
    """Raise :class:`AmbiguousColumnError` where a contact has a name both as a whole column and as a path."""
    for name in contact:
        if "." in name:
            lookup(contact, name)


def number_text(value: float) -> str:
    """Return the shortest decimal text of a number, without an exponent and without a trailing ``.0``."""
    if value == 0:
        return "0"
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def parse_number(text: str) -> float | None:
    """Return the double that a text denotes, or None (exponents, hex, infinities and separators are no numbers)."""
    text = text.strip(" ")
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return None if value in (float("inf"), float("-inf")) else value


def parse_boolean(text: str) -> bool | None:
    """Return the boolean of ``true`` or ``false`` (also True, TRUE, False, FALSE), or None."""
    return _BOOLEANS.get(text)


@lru_cache(maxsize=256)
def zone_of(name: str | None) -> ZoneInfo:
    """Return the time zone of an IANA name, UTC for None; raises ValueError for a name that there is not."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


@lru_cache(maxsize=65536)
def parse_datetime(text: str, zone: str | None = None) -> int | None:
    """Return the instant of ``yyyy-MM-dd`` or ``yyyy-MM-ddTHH:mm[:ss[.SSS]][Z or offset]``, or None.

    Without an offset the text is local time in ``zone`` (default UTC): in a DST gap the offset before the change
    counts, in an overlap the first of the two instants (fold 0 of PEP 495). Like CEL's timestamps, instants lie in the
    years 1 to 9999 of UTC.
    """
    found = _DATETIME.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "").ljust(6, "0")),
        )
        if offset in (None, "Z"):
            micros = to_micros(moment.replace(tzinfo=zone_of(None if offset else zone)))
        else:
            sign = -1 if offset[0] == "-" else 1
            hours, minutes = int(offset[1:3]), int(offset[-2:])
            if hours > 23 or minutes > 59:
                return None
            micros = to_micros(moment.replace(tzinfo=UTC)) - sign * (hours * 60 + minutes) * 60_000_000
    except (ValueError, OverflowError):
        return None
    return micros if _FIRST <= micros <= _LAST else None


def parse_period(text: str) -> int | None:
    """Return the microseconds of ``PxxDTyyHzzM`` (each number may have a sign), or None."""
    found = _PERIOD.fullmatch(text)
    if not found or found.groups() == (None, None, None):
        return None
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60_000_000


def parse_duration(text: str) -> int | None:
    """Return the microseconds of a CEL duration such as ``36h`` or ``1m30s``, or None.

    Our own parser, because cel-python's can be made to backtrack for seconds.
    """
    found = _DURATION.fullmatch(text)
    if not found:
        return None
    total = sum((Decimal(n) * _DURATION_UNITS[unit] for n, unit in _DURATION_PART.findall(found[2])), Decimal(0))
    if total != int(total) or total > 10**20:
        return None
    return -int(total) if found[1] else int(total)


def to_micros(moment: datetime) -> int:
    """Return the microseconds since 1970-01-01T00:00:00Z of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=micros)


def read_text(value: object) -> str:
    """Return a value as text; blank (absent, null, empty) is the empty text.

    What is no single value, such as the mapping that holds the columns below a path, is blank.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        number = read_number(value)
        return str(value) if number is None else number_text(number)
    return ""


def read_number(value: object) -> float | None:
    """Return a value as a double; None if blank or unreadable (booleans are no numbers)."""
    if isinstance(value, float):
        return value if value - value == 0 else None  # neither infinite nor NaN
    if isinstance(value, str):
        return parse_number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def read_boolean(value: object) -> bool | None:
    """Return a value as a boolean; None if blank or unreadable."""
    if isinstance(value, bool):
        return value
    return parse_boolean(value) if isinstance(value, str) else None


def read_timestamp(value: object, zone: str | None) -> int | None:
    """Return a value as an instant; None if blank or unreadable."""
    return parse_datetime(value, zone) if isinstance(value, str) else None


def read_as(value: object, kind: Kind, zone: str | None) -> Any:
    """Return a value under a kind: text, number, boolean or microseconds; None where blank or unreadable."""
    if kind == "text":
        return read_text(value)
    if kind == "number":
        return read_number(value)
    if kind == "boolean":
        return read_boolean(value)
    return read_timestamp(value, zone)


def same_value(one: object, other: object) -> bool:
    """Tell whether two values of a contact are the same: as text, so that 5, 5.0 and "5" are one value."""
    return read_text(one) == read_text(other)


def quotient(dividend: float, divisor: float) -> float:
    """Return ``dividend / divisor`` of IEEE 754: a division by zero is an infinity by the signs, ``0 / 0`` NaN."""
    if divisor:
        return dividend / divisor
    # A new NaN each time: Python finds the same object in a list although NaN equals nothing.
    if dividend == 0 or math.isnan(dividend):
        return float("nan")
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def compile_pattern(pattern: str) -> Any:
    """Return a compiled pattern of RE2; raises ValueError with the reason for what is none."""
    import re2

    options = re2.Options()
    options.log_errors = False  # RE2 would print the pattern, which may be a contact's value
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "unknown reason"
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else reason) from None


def fold(text: str) -> str:
    """Return the text under Unicode simple case folding (one character to one character)."""
    return text.lower() if text.isascii() else "".join(_fold_character(c) for c in text)


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    folded = character.casefold()
    if len(folded) == 1:
        return folded
    # Full folding made several characters of it: where a simple folding exists it is the lower case letter.
    lower = character.lower()
    return lower if len(lower) == 1 else character
