"""Columns of contacts as conditions read them: text, number, boolean or instant, None where blank or unreadable.

What :mod:`dialproof.cel.values` says of one value holds here for a column. A column with few different values is read
by those very functions, once for each value; only long columns are read by Polars.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl

from dialproof.cel import values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.cel.values import Kind

__all__ = ["Coded", "Columns", "contacts_of", "everywhere", "is_readable", "mapped"]

Raw: TypeAlias = str | float | bool | None

FEW = 4096
"""A text column with at most so many different values is kept as codes into a table of them."""

_SAMPLE = 10_000
_TYPES: Mapping[str, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "timestamp": pl.Int64(),
    "blank": pl.Boolean(),
}
_SPACED_NUMBER = r"^ *[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+) *$"
# Only what Polars and Python's calendar read alike; the rest is left to parse_datetime.
_INSTANT = r"^[12]\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ$"
_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"


@dataclass(frozen=True)
class Coded:
    """A column as codes into its different values; every row has a code.

    The values of one batch are mostly those of the next; then ``values`` is mostly the very tuple that it was.
    """

    values: tuple[Raw, ...]
    codes: pl.Series

    def gathered(self, results: Sequence[object], dtype: pl.DataType) -> pl.Series:
        """Return the column of what each value has become."""
        return pl.Series(results, dtype=dtype, strict=True).gather(self.codes)


@dataclass(frozen=True)
class _Patch:
    """A write: the rows it is done in, and what they hold then: one value, or finite numbers that were counted."""

    rows: pl.Series
    value: Raw = None
    counted: pl.Series | None = None


class _Column:
    def __init__(self, raw: pl.Series, zone: str | None) -> None:
        self.raw = raw
        self.zone = zone
        self.patches: list[_Patch] = []
        self._read: dict[str, pl.Series] = {}
        self._coded: Coded | None = None
        self._tried = False

    def copy(self) -> _Column:
        column = _Column(self.raw, self.zone)
        column.patches, column._read = list(self.patches), dict(self._read)
        column._coded, column._tried = self._coded, self._tried
        return column

    def coded(self) -> Coded | None:
        """Return the column as codes, None where it is no text or has many values."""
        if not self._tried:
            self._tried, self._coded = True, _coded(self.raw)
            for patch in self.patches:
                self._coded = _recoded(self._coded, patch)
        return self._coded

    def reading(self, kind: Kind | Literal["blank"]) -> pl.Series:
        if kind not in self._read:
            coded = self.coded()
            if coded is not None:
                results = [_read_value(value, kind, self.zone) for value in coded.values]
                self._read[kind] = coded.gathered(results, _TYPES[kind])
            else:
                series = _read(self.raw, kind, self.zone)
                for patch in self.patches:
                    series = self._patched(series, patch, kind)
                self._read[kind] = series
        return self._read[kind]

    def write(self, patch: _Patch) -> None:
        if self._tried:
            self._coded = _recoded(self._coded, patch)
        self._read = {kind: self._patched(series, patch, kind) for kind, series in self._read.items()}
        self.patches.append(patch)

    def _patched(self, series: pl.Series, patch: _Patch, kind: Any) -> pl.Series:
        if patch.counted is None:
            return _where(patch.rows, _read_value(patch.value, kind, self.zone), series)
        if kind == "number":
            return _where(patch.rows, patch.counted, series)
        if kind == "blank":
            return series & ~patch.rows
        if kind == "text":
            texts = mapped(patch.counted.filter(patch.rows), values.number_text, pl.String())
            whole = pl.Series([None], dtype=pl.String).new_from_index(0, len(series))
            return _where(patch.rows, whole.scatter(patch.rows.arg_true(), texts), series)
        return _where(patch.rows, None, series)


class Columns:
    """The columns of a batch of contacts while rules write to them.

    ``frame`` holds text, enumerations, doubles, booleans and instants (microseconds, UTC) under the contacts' own
    names; a column that it lacks is blank. ``written`` are the names of those that rules have written to; ``beyond``
    the rows, if any, in which a number has become greater than a double can be.
    """

    def __init__(self, frame: pl.DataFrame, zone: str | None) -> None:
        self.frame = frame
        self.height = frame.height
        self.zone = zone
        self.written: set[str] = set()
        self.beyond: pl.Series | None = None
        self._columns: dict[str, _Column] = {}

    def _column(self, name: str) -> _Column:
        if name not in self._columns:
            there = name in self.frame.columns
            raw = self.frame[name] if there else pl.Series(name, [None], dtype=pl.String).new_from_index(0, self.height)
            self._columns[name] = _Column(raw, self.zone)
        return self._columns[name]

    def reading(self, name: str, kind: Kind) -> pl.Series:
        """Return a column as text (never null), double, boolean or microseconds since 1970 (null where unreadable)."""
        return self._column(name).reading(kind)

    def blank(self, name: str) -> pl.Series:
        """Return where a column is blank: absent, null or empty text."""
        return self._column(name).reading("blank")

    def coded(self, name: str) -> Coded | None:
        """Return a column of few different values as codes, else None."""
        return self._column(name).coded()

    def set(self, name: str, rows: pl.Series, value: Raw) -> None:
        """Write one value into the given rows."""
        self.written.add(name)
        self._column(name).write(_Patch(rows, value))

    def keep(self, _name: str, rows: pl.Series) -> pl.Series:
        """Return the rows, which are there already."""
        return rows

    def count(self, name: str, rows: pl.Series, step: float) -> pl.Series:
        """Add to the numbers in the given rows, blank ones being 0; return where the column holds no number."""
        self.written.add(name)
        column = self._column(name)
        number = column.reading("number").set(column.reading("blank"), 0.0)
        counted = number + step
        finite = counted.is_finite().fill_null(value=False)
        if not finite.all():
            infinite = rows & ~finite & number.is_not_null()
            self.beyond = infinite if self.beyond is None else self.beyond | infinite
            rows = rows & finite
        column.write(_Patch(rows, counted=counted))
        return number.is_null()

    def copy(self) -> Columns:
        """Return columns that are written to apart from these."""
        copied = Columns(self.frame, self.zone)
        copied._columns = {name: column.copy() for name, column in self._columns.items()}
        return copied


def contacts_of(frame: pl.DataFrame) -> list[dict[str, object]]:
    """Return the rows as the contacts that the row functions are given."""
    texts = [
        _instant_text(column) if column.dtype.base_type() == pl.Datetime else column.cast(pl.String)
        for column in frame.select(pl.col(pl.Datetime, pl.Enum, pl.Categorical))
    ]
    return frame.with_columns(texts).to_dicts()


def everywhere(height: int, value: bool | None) -> pl.Series:
    """Return a mask, or a column of verdicts, that is the same in every row."""
    return pl.Series([value], dtype=pl.Boolean).new_from_index(0, height)


def mapped(series: pl.Series, function: Callable[[Any], object], dtype: pl.DataType) -> pl.Series:
    """Return a column with a Python function applied, once for each different value; null stays null."""
    different = series.drop_nulls().unique()
    results = [function(value) for value in different.to_list()]
    known = pl.DataFrame({"value": different, "result": pl.Series(results, dtype=dtype, strict=True)})
    found = pl.DataFrame({"value": series}).join(known, on="value", how="left", maintain_order="left")
    return found["result"]


def is_readable(value: Raw, kind: Kind, zone: str | None) -> bool:
    """Tell whether a value is blank, or can be read under a kind."""
    return bool(_read_value(value, "blank", zone)) or _read_value(value, kind, zone) is not None


def _read_value(value: Raw, kind: Kind | Literal["blank"], zone: str | None) -> Any:
    return values.read_text(value) == "" if kind == "blank" else values.read_as(value, kind, zone)


def _read(raw: pl.Series, kind: Kind | Literal["blank"], zone: str | None) -> pl.Series:
    dtype = raw.dtype  # of an enumeration of many words this takes milliseconds
    if isinstance(dtype, pl.Enum):
        read = _READERS[kind](dtype.categories, zone).gather(raw.to_physical())
        blank: object = {"text": "", "blank": True}.get(kind)
        return read if blank is None else read.fill_null(blank)
    return _READERS[kind](raw.cast(pl.String) if dtype == pl.Categorical else raw, zone)


def _where(rows: pl.Series, value: Any, otherwise: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"rows": rows, "otherwise": otherwise})
    if isinstance(value, pl.Series):
        frame = frame.with_columns(value.alias("value"))
        chosen: pl.Expr = pl.col("value")
    else:
        chosen = pl.lit(value, dtype=otherwise.dtype)
    return frame.select(pl.when(pl.col("rows")).then(chosen).otherwise(pl.col("otherwise")).alias("result"))["result"]


def _coded(raw: pl.Series) -> Coded | None:
    dtype = raw.dtype
    if isinstance(dtype, pl.Enum):
        words = dtype.categories
        if len(words) > FEW:
            return None
        codes = raw.to_physical().cast(pl.UInt16)
        return _coded_as(words, raw, codes)
    if dtype == pl.Categorical:
        raw = raw.cast(pl.String)
    elif dtype != pl.String:
        return None
    if len(raw) > _SAMPLE and raw.head(_SAMPLE).n_unique() > _SAMPLE // 4:
        return None
    words = raw.drop_nulls().unique().sort()
    if len(words) > FEW:
        return None
    return _coded_as(words, raw, raw.cast(pl.Enum(words)).to_physical().cast(pl.UInt16))


def _coded_as(words: pl.Series, raw: pl.Series, codes: pl.Series) -> Coded:
    if raw.null_count():
        return Coded(_shared((*words.to_list(), None)), codes.fill_null(len(words)))
    return Coded(_shared(tuple(words.to_list())), codes)


@lru_cache(maxsize=64)
def _shared(words: tuple[str | None, ...]) -> tuple[str | None, ...]:
    return words


def _recoded(coded: Coded | None, patch: _Patch) -> Coded | None:
    if coded is None or patch.counted is not None:
        return None
    # True equals 1.0, and 1.0 is another value.
    at = next((i for i, v in enumerate(coded.values) if type(v) is type(patch.value) and v == patch.value), None)
    known = coded if at is not None else replace(coded, values=(*coded.values, patch.value))
    return replace(known, codes=_where(patch.rows, len(known.values) - 1 if at is None else at, coded.codes))


def _text(raw: pl.Series, _zone: str | None) -> pl.Series:
    if raw.dtype == pl.Float64:
        # Neither infinities nor NaN are numbers; as text they are what Python calls them. Polars joins a lone NaN to
        # nothing.
        return mapped(raw, values.read_text, pl.String()).set(raw.is_nan(), values.read_text(math.nan)).fill_null("")
    if raw.dtype.base_type() == pl.Datetime:
        return _instant_text(raw).fill_null("")
    return raw.cast(pl.String).fill_null("")


def _instant_text(raw: pl.Series) -> pl.Series:
    return _in_calendar(raw).dt.strftime(_FORMAT).str.replace(".000000Z", "Z", literal=True).rename(raw.name)


def _in_calendar(raw: pl.Series) -> pl.Series:
    first, last = values.parse_datetime("0001-01-01"), values.parse_datetime("9999-12-31T23:59:59.999999")
    return raw.set(~raw.to_physical().is_between(first, last), None)


def _blank(raw: pl.Series, _zone: str | None) -> pl.Series:
    if raw.dtype == pl.String:
        return raw.fill_null("") == ""
    return (_in_calendar(raw) if raw.dtype.base_type() == pl.Datetime else raw).is_null()


def _number(raw: pl.Series, _zone: str | None) -> pl.Series:
    if raw.dtype == pl.Float64:
        return _finite(raw)
    if raw.dtype != pl.String:
        return _nothing(raw, pl.Float64())
    numbers = _finite(raw.cast(pl.Float64, strict=False))
    # Of what is no number here Polars reads exponents, infinity and NaN; what it does not read may have spaces around.
    letters = raw.str.join().item()  # to look through one long text takes far less than through many short ones
    if "e" in letters or "E" in letters:
        numbers = numbers.set(raw.str.contains_any(["e", "E"]), None)
    if numbers.null_count() == raw.null_count() + int((raw == "").sum()):
        return numbers
    rest = raw.set(numbers.is_not_null() | ~raw.str.contains(_SPACED_NUMBER), None)
    if rest.null_count() == len(rest):
        return numbers
    spaced = rest.str.strip_chars(" ").cast(pl.Float64, strict=False)
    return numbers.zip_with(numbers.is_not_null(), spaced.set(~spaced.is_finite(), None))


def _finite(numbers: pl.Series) -> pl.Series:
    if math.isfinite(numbers.sum()):  # which it is not as soon as one of them is not
        return numbers
    return numbers.set(~numbers.is_finite(), None)


def _boolean(raw: pl.Series, _zone: str | None) -> pl.Series:
    if raw.dtype == pl.Boolean:
        return raw
    if raw.dtype == pl.String:
        return mapped(raw, values.parse_boolean, pl.Boolean())
    return _nothing(raw, pl.Boolean())


def _timestamp(raw: pl.Series, zone: str | None) -> pl.Series:
    if raw.dtype.base_type() == pl.Datetime:
        return _in_calendar(raw).to_physical()
    if raw.dtype != pl.String:
        return _nothing(raw, pl.Int64())
    plain = raw.set(~raw.str.contains(_INSTANT), None)
    found = plain.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", strict=False).to_physical()
    rest = raw.set(found.is_not_null(), None)
    if rest.null_count() == len(rest):
        return found
    return found.zip_with(found.is_not_null(), mapped(rest, lambda t: values.parse_datetime(t, zone), pl.Int64()))


def _nothing(raw: pl.Series, dtype: pl.DataType) -> pl.Series:
    return pl.Series([None], dtype=dtype).new_from_index(0, len(raw))


_READERS: Mapping[str, Callable[[pl.Series, str | None], pl.Series]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blank": _blank,
}
