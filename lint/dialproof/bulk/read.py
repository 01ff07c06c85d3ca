"""Contacts from CSV, gzipped CSV and Parquet, in batches: whatever is wrong with a row is said with its place.

A batch holds what :class:`dialproof.bulk.columns.Columns` reads. CSV cells are text, as in a contacts file; the columns
that lie below one of a Parquet file have its name, a point and their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from glob import glob
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import polars as pl
import pyarrow as pa

from dialproof.bulk.columns import FEW
from dialproof.cel.values import parse_number
from dialproof.errors import InputError, UsageError
from dialproof.model.populations import CONTACT_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pyarrow import parquet

__all__ = [
    "BATCH_BYTES",
    "Batch",
    "OnBadRow",
    "Problems",
    "Wanted",
    "ahead",
    "batches_of",
    "columns_of",
    "files_of",
    "steps_of",
]

_Item = TypeVar("_Item")

OnBadRow: TypeAlias = Literal["fail", "skip", "report"]

BATCH_BYTES = 16 * 1024 * 1024
"""So much of a CSV file is read at a time."""

BATCH_ROWS = 262_144
"""So many rows of a Parquet file are read at a time."""

_CODES: Mapping[pl.DataType, pa.DataType] = {pl.UInt8(): pa.uint8(), pl.UInt16(): pa.uint16(), pl.UInt32(): pa.uint32()}
"""How Polars holds the codes of an enumeration -> the same type of Arrow."""
_SHOWN = 20
_SAMPLE = 8192


@dataclass(frozen=True)
class Batch:
    """Some contacts of a file; ``rows`` are their numbers, the first row below the header being 1."""

    path: str
    frame: pl.DataFrame
    rows: pl.Series


@dataclass(frozen=True)
class Wanted:
    """What is read of each file.

    ``columns`` are names, None for all there are; ``needed`` maps those that must be there to who needs them; those in
    ``plain`` are known to have many different values. ``allow`` is the option that makes a missing column blank.
    """

    columns: Collection[str] | None
    needed: Mapping[str, str]
    plain: Collection[str] = ()
    allow: str = "--missing-columns blank"

    def of(self, path: str, names: Sequence[str]) -> list[str]:
        """Return the columns to read of a file that has ``names``; raises ``InputError`` for what is missing."""
        from difflib import get_close_matches

        missing = [name for name in self.needed if name not in names]
        lines = []
        for name in missing:
            near = get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            lines.append(f"{path}:1:1: there is no column {name!r}, which {self.needed[name]} reads{hint}")
        if lines:
            lines.append(f"a column that is blank for every contact has to be allowed: {self.allow}")
            raise InputError("\n".join(lines))
        return [name for name in names if self.columns is None or name in self.columns]


@dataclass
class Problems:
    """The bad rows of all files: with ``fail`` the first of them ends the run, else they are left out and counted.

    ``allow`` is the option that leaves them out. Who reads and who looks at what was read may both add some at once.
    """

    on_bad_row: OnBadRow
    say: Callable[[str], None]
    count: int = 0
    allow: str = "--on-bad-row skip, or report"
    _lines: list[tuple[int, str]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def add(self, path: str, row: int, line: int | None, message: str) -> None:
        """Take a bad row; its line in the file where that is known."""
        place = f"{path}: row {row}" if line is None else f"{path}:{line}:1: row {row}"
        with self._lock:
            self.count += 1
            if self.on_bad_row == "report":
                self.say(f"{place}: {message}")
            elif self.on_bad_row == "fail" and len(self._lines) < _SHOWN:
                self._lines.append((row, f"{place}: {message}"))

    def check(self) -> None:
        """Raise ``InputError`` with all problems so far where bad rows are errors."""
        if self.on_bad_row == "fail" and self.count:
            more = [f"and {self.count - len(self._lines)} more rows"] if self.count > len(self._lines) else []
            lines = [line for _, line in sorted(self._lines)]
            raise InputError("\n".join([*lines, *more, f"to leave such rows out: {self.allow}"]))


def files_of(patterns: Sequence[str]) -> list[Path]:
    """Return the files of paths and globs, in order; raises ``UsageError`` for those that name none."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        one = Path(pattern)
        names = [one] if one.exists() else [Path(name) for name in sorted(glob(pattern, recursive=True))]
        if not names:
            raise UsageError(f"{pattern}: there is no such file")
        for name in names:
            if name.is_dir():
                raise UsageError(f"{name}: this is a folder; name its files, such as {name}/*.csv")
            if not name.name.lower().endswith(CONTACT_SUFFIXES):
                raise UsageError(f"{name}: expected a .csv, .csv.gz or .parquet file")
            found[name] = None
    return list(found)


def steps_of(files: Iterable[Path]) -> int:
    """Return about how many batches there are, for a bar of progress."""
    return sum(
        max(1, file.stat().st_size // (BATCH_BYTES // 4 if _is_parquet(file) else BATCH_BYTES)) for file in files
    )


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """Yield the same, each while the next one is being made by another thread."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = reader.submit(next, items, None)
            yield item


def batches_of(path: str, file: Path, wanted: Wanted, problems: Problems) -> Iterator[Batch]:
    """Yield the contacts of a file, called ``path`` in messages; raises ``InputError`` for one that cannot be read."""
    if _is_parquet(file):
        yield from _parquet(path, file, wanted)
    else:
        from dialproof.bulk.read_csv import read_csv

        yield from read_csv(path, file, wanted, problems)


def columns_of(path: str, file: Path, wanted: Wanted) -> pa.Table:
    """Return the columns that are read of a file, without rows and as the file has them."""
    if not _is_parquet(file):
        first = next(batches_of(path, file, wanted, Problems("fail", print)), None)
        return pa.table({}) if first is None else first.frame.clear().cast({pl.Enum: pl.String}).to_arrow()
    from pyarrow import parquet

    try:
        schema = parquet.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    chosen = wanted.of(path, [name for name, _ in _paths(schema, "")])
    return schema.empty_table().select([n for n in schema.names if any(f"{c}.".startswith(f"{n}.") for c in chosen)])


def _unreadable(path: str, error: Exception) -> InputError:
    return InputError(f"{path}: cannot be read as Parquet ({type(error).__name__})")


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() in (".parquet", ".pq")


def _parquet(path: str, file: Path, wanted: Wanted) -> Iterator[Batch]:
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
        paths = _paths(opened.schema_arrow, "")
        names = [name for name, _ in paths]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{path}: the column {twice!r} is there twice")
        chosen = wanted.of(path, names)
        texts = [name for name, kind in paths if _is_text(kind) and name in chosen and name not in wanted.plain]
        if texts:
            first = next(opened.iter_batches(batch_size=_SAMPLE, columns=texts), None)
            opened = parquet.ParquetFile(
                file, read_dictionary=[] if first is None else of_few_values(_flat(pa.Table.from_batches([first])))
            )
        at = 0
        for table in ahead(_tables(opened, chosen)):
            flat = _flat(table)
            columns = [_column(path, name, flat.column(name)) for name in chosen]
            frame = pl.DataFrame(columns) if columns else blank(table.num_rows)
            yield Batch(path, frame, numbers(at, table.num_rows))
            at += table.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _paths(schema: pa.Schema | pa.StructType, above: str) -> list[tuple[str, pa.DataType]]:
    """Return the names and types of all columns, those inside of others by their paths."""
    found: list[tuple[str, pa.DataType]] = []
    for column in schema:
        if pa.types.is_struct(column.type):
            found += _paths(column.type, f"{above}{column.name}.")
        else:
            found.append((above + column.name, column.type))
    return found


def _column(path: str, name: str, column: pa.ChunkedArray) -> pl.Series:
    """Return a column as one of the types that conditions are run on."""
    kind, types = column.type, pa.types
    if types.is_dictionary(kind) and _is_text(kind.value_type):
        return coded(name, column.unify_dictionaries().combine_chunks())
    if types.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    if types.is_null(kind):
        return pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(column))
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return pl.Series(name, column.cast(pa.float64(), safe=False))
    if types.is_timestamp(kind) and kind.tz is not None:
        return pl.Series(name, column.cast(pa.timestamp("us", "UTC"), safe=False))
    if types.is_timestamp(kind):  # local time, as a text without offset is
        return pl.Series(name, column.cast(pa.timestamp("us"), safe=False)).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    if types.is_date(kind):
        return pl.Series(name, column).cast(pl.Date).dt.strftime("%Y-%m-%d")
    if types.is_boolean(kind) or _is_text(kind):
        return pl.Series(name, column)
    raise InputError(f"{path}: column {name!r} holds {kind}; expected text, numbers, true and false, or times")


def _tables(file: parquet.ParquetFile, columns: list[str]) -> Iterator[pa.Table]:
    """Yield tables of about a batch: row groups together, and the parts of one that is larger."""
    held: list[int] = []
    rows = 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if held and rows + size > BATCH_ROWS:
            yield file.read_row_groups(held, columns=columns)
            held, rows = [], 0
        if size > 2 * BATCH_ROWS:
            parts = file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group], columns=columns)
            yield from (pa.Table.from_batches([part]) for part in parts)
        else:
            held.append(group)
            rows += size
    if held:
        yield file.read_row_groups(held, columns=columns)


def _flat(table: pa.Table) -> pa.Table:
    while any(pa.types.is_struct(column.type) for column in table.schema):
        table = table.flatten()
    return table


def of_few_values(table: pa.Table) -> list[str]:
    """Return the columns of some first rows that are worth to be read as codes into their different values."""
    return [name for name in table.column_names if len(table.column(name).unique()) <= max(16, table.num_rows // 4)]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def coded(name: str, array: pa.DictionaryArray) -> pl.Series:
    """Return a column that comes as codes as an enumeration.

    Its words are in order, numbers first: then what is less or greater than something is a stretch of codes.
    """
    if array.dictionary.null_count or len(array.dictionary.unique()) < len(array.dictionary):
        array = array.dictionary_decode().dictionary_encode()
    words = array.dictionary.to_pylist()
    ordered = _in_order(frozenset(words)) if len(words) <= FEW else dict(zip(words, range(len(words)), strict=True))
    kind = pl.Enum(list(ordered))
    physical = _CODES[pl.Series([], dtype=kind).to_physical().dtype]
    ranks = pa.array([ordered[word] for word in words], type=physical)
    return pl.Series(name, ranks.take(array.indices)).cat.to(kind)


@lru_cache(maxsize=64)  # they are the same in most batches
def _in_order(words: frozenset[str]) -> Mapping[str, int]:
    return {word: rank for rank, word in enumerate(sorted(words, key=_place))}


def _place(word: str) -> tuple[bool, float, str]:
    number = parse_number(word)
    return number is None, number or 0.0, word


def blank(count: int) -> pl.DataFrame:
    """Return contacts of whom nothing matters."""
    return pl.DataFrame({"": pl.Series([None], dtype=pl.String).new_from_index(0, count)})


def numbers(at: int, count: int) -> pl.Series:
    """Return the numbers of rows behind ``at`` others."""
    return pl.int_range(at + 1, at + count + 1, dtype=pl.UInt32, eager=True)
