"""CSV files of any size: read by pyarrow, and where that finds something wrong, row by row from there on."""

from __future__ import annotations

import csv
import gzip
import io
from codecs import BOM_UTF8
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
from pyarrow import csv as arrow_csv

from dialproof.bulk import read
from dialproof.errors import InputError
from dialproof.model.parse_csv import SYSTEM_COLUMN, delimiter_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from dialproof.bulk.read import Batch, Problems, Wanted

__all__ = ["read_csv"]

_ROWS = 50_000
_SAMPLE = 1024 * 1024


def read_csv(path: str, file: Path, wanted: Wanted, problems: Problems) -> Iterator[Batch]:
    """Yield the contacts of a CSV file, ``.gz`` ones too; raises ``InputError``."""
    try:
        header, delimiter = _header(file, path)
        names = [name for name in header if not SYSTEM_COLUMN.fullmatch(name)]
        chosen = wanted.of(path, names)
        if not chosen:  # pyarrow does not count rows of which it converts nothing
            yield from _by_row(file, path, header, chosen, delimiter, 0, problems)
            return
        done = 0
        try:
            for batch in _by_arrow(file, path, header, chosen, delimiter, wanted):
                done += batch.frame.height
                yield batch
        except pa.ArrowInvalid:
            yield from _by_row(file, path, header, chosen, delimiter, done, problems)
    except (OSError, EOFError, UnicodeError) as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _open(file: Path) -> Any:
    return gzip.open(file, "rb") if file.suffix.lower() == ".gz" else file.open("rb")


def _header(file: Path, path: str) -> tuple[list[str], str]:
    with _open(file) as raw:
        text = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
        try:
            first = text.readline(1_000_000)
            delimiter = delimiter_of(first)
            text.seek(0)
            header = next(csv.reader(text, delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise InputError(f"{path}:1:1: not CSV: {error}") from None
    if any(map(_is_no_utf_8, header)):
        raise InputError(f"{path}:1:1: the header is no UTF-8")
    lines = [f"{path}:1:1: column {i} has no name" for i, name in enumerate(header, 1) if not name.strip()]
    twice = dict.fromkeys(name for name in header if name.strip() and header.count(name) > 1)
    lines += [f"{path}:1:1: the column {name!r} is there twice" for name in twice]
    if not header:
        lines.append(f"{path}:1:1: expected a header with the names of columns, found nothing")
    if lines:
        raise InputError("\n".join(lines))
    return header, delimiter


def _by_arrow(
    file: Path, path: str, header: list[str], chosen: list[str], delimiter: str, wanted: Wanted
) -> Iterator[Batch]:
    def options() -> arrow_csv.ConvertOptions:
        codes = pa.dictionary(pa.int32(), pa.string())
        few = {*_of_few_values(file, chosen, delimiter)} - {*wanted.plain}
        return arrow_csv.ConvertOptions(
            column_types={name: codes if name in few else pa.string() for name in chosen},
            include_columns=chosen,
            strings_can_be_null=False,
        )

    at = 0
    for table in _tables(file, header, delimiter, options):
        columns = [_column(name, table.column(name)) for name in chosen]
        yield read.Batch(path, pl.DataFrame(columns), read.numbers(at, table.num_rows))
        at += table.num_rows


def _tables(
    file: Path, header: list[str], delimiter: str, options_of: Callable[[], arrow_csv.ConvertOptions]
) -> Iterator[pa.Table]:
    """Yield the rows of a file: a block at a time by all processors, as long as it is plain where rows end.

    pyarrow reads a stream that it has to cut into rows itself on one processor alone.
    """
    names: list[str] | None = None  # they are in the first block
    coming: list[Future[pa.Table]] = []
    with pa.input_stream(str(file), compression=_compression(file)) as source, ThreadPoolExecutor(2) as pool:
        asked = pool.submit(options_of)  # while the first block is being read
        for block, ends in read.ahead(_blocks(source, delimiter)):
            options = asked.result()
            before, coming = coming, []
            for start, end in pairwise([0, *ends]):
                part = _guarded(memoryview(block)[start:end], names)
                coming.append(pool.submit(_half, names, part, delimiter, options))
                names = header
            if before:
                yield pa.concat_tables(half.result() for half in before)
            if not ends:
                yield from _streamed(
                    _QuotesCounted(_guarded(memoryview(block), names), source), names, delimiter, options
                )
                return
        if coming:
            yield pa.concat_tables(half.result() for half in coming)


def _half(
    names: list[str] | None, part: bytes | memoryview, delimiter: str, options: arrow_csv.ConvertOptions
) -> pa.Table:
    """Return the rows of a part as one block: pyarrow would look for the ends of others at any line end."""
    return arrow_csv.read_csv(
        pa.BufferReader(part),
        read_options=arrow_csv.ReadOptions(column_names=names, block_size=len(part) + 1),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter),
        convert_options=options,
    )


def _guarded(part: memoryview, names: list[str] | None) -> bytes | memoryview:
    """Return a part of a file so that pyarrow, which takes a byte order mark off each, takes none that is a cell's."""
    marked = names is not None and bytes(part[:3]) == BOM_UTF8
    return BOM_UTF8 + bytes(part) if marked else part


def _blocks(source: pa.NativeFile, delimiter: str) -> Iterator[tuple[bytearray, list[int]]]:
    """Yield blocks that begin with a row, each with where its rows end; where it is not plain, a last one without."""
    rest, size = b"", read.BATCH_BYTES // 4  # the sooner the first one is there, the sooner others have something to do
    while True:
        block = bytearray(len(rest) + size)
        block[: len(rest)] = rest
        count = source.readinto(memoryview(block)[len(rest) :])
        del block[len(rest) + count :]
        ends = _ends_of_rows(block, delimiter, last=not count)
        if block:
            yield block, ends
        if not ends:
            return
        rest, size = bytes(block[ends[-1] :]), read.BATCH_BYTES


def _ends_of_rows(block: bytes | bytearray, delimiter: str, *, last: bool) -> list[int]:
    """Return where rows end that surely are whole, in the middle of a block and at its end; ``block`` begins with one.

    Two quotes in a row change nothing: they are one in a cell, or a cell without anything. The others have to stand in
    turn where a cell begins and where one ends; elsewhere a quote can be read as part of a cell, and nothing is
    returned.
    """
    end = len(block) if last else block.rfind(b"\n") + 1
    middle = block.rfind(b"\n", 0, end // 2) + 1
    if block.find(b'"', 0, end) >= 0:
        octets = pl.Series(pa.Array.from_buffers(pa.uint8(), end, [None, pa.py_buffer(block)]))
        quotes = (octets == ord('"')).arg_true()
        runs = (quotes.diff() != 1).fill_null(value=True).arg_true()
        lengths = runs.extend_constant(len(quotes), 1).diff().drop_nulls()
        odd = lengths % 2 == 1
        first = quotes.gather(runs.head(len(lengths))).filter(odd)
        behind = first + lengths.filter(odd)
        between = [ord(delimiter), *b"\r\n"]
        begins = octets.gather(first.clip(1) - 1).is_in(between) | (first == 0)
        ends = octets.gather(behind.clip(upper_bound=end - 1)).is_in(between) | (behind == end)
        if not (begins.gather_every(2).all() and ends.gather_every(2, 1).all()):
            return []
        while (count := quotes.search_sorted(end)) % 2:  # the last one begins a cell that does not end here
            end = 0 if last else block.rfind(b"\n", 0, quotes[count - 1]) + 1
        if quotes.search_sorted(middle) % 2:
            middle = 0
    return [place for place in dict.fromkeys((min(middle, end), end)) if place]


def _streamed(
    source: _QuotesCounted, names: list[str] | None, delimiter: str, options: arrow_csv.ConvertOptions
) -> Iterator[pa.Table]:
    """Yield what pyarrow reads of a stream."""
    with arrow_csv.open_csv(
        source,
        read_options=arrow_csv.ReadOptions(column_names=names, block_size=read.BATCH_BYTES),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=options,
    ) as batches:
        yield from (pa.Table.from_batches([batch]) for batch in batches)
    if source.quotes % 2:  # pyarrow takes all that follows an open quote for a cell, silently
        raise pa.ArrowInvalid("a quote has no end")


class _QuotesCounted(io.RawIOBase):
    """A stream behind what has been read of it; it counts the quotes that are read."""

    def __init__(self, begin: bytes | memoryview, source: pa.NativeFile) -> None:
        self._begin = io.BytesIO(begin)
        self._source = source
        self.quotes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._begin.read(size)
        if size < 0 or len(block) < size:  # pyarrow takes less than it asked for as the end
            block += self._source.read(None if size < 0 else size - len(block))
        self.quotes += block.count(b'"')
        return block


def _column(name: str, column: pa.ChunkedArray) -> pl.Series:
    if pa.types.is_dictionary(column.type):
        return read.coded(name, column.unify_dictionaries().combine_chunks())
    return pl.Series(name, column)


def _of_few_values(file: Path, chosen: list[str], delimiter: str) -> list[str]:
    options = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(chosen, pa.string()), include_columns=chosen, strings_can_be_null=False
    )
    with (
        pa.input_stream(str(file), compression=_compression(file)) as source,
        arrow_csv.open_csv(
            source,
            read_options=arrow_csv.ReadOptions(block_size=_SAMPLE, use_threads=False),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=options,
        ) as batches,
    ):
        first = next(iter(batches), None)
    return [] if first is None else read.of_few_values(pa.Table.from_batches([first]))


def _compression(file: Path) -> str | None:
    return "gzip" if file.suffix.lower() == ".gz" else None


def _by_row(
    file: Path, path: str, header: list[str], chosen: list[str], delimiter: str, done: int, problems: Problems
) -> Iterator[Batch]:
    """Read again from the start, without the rows that have been given; every bad row is a problem."""
    with _open(file) as raw:
        text = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        places = [header.index(name) for name in chosen]
        number, line = 0, 1
        cells: list[list[str]] = []
        rows: list[int] = []
        try:
            next(reader)
            for row in reader:
                line, began = reader.line_num + 1, line if number else 2
                if not row:
                    continue
                number += 1
                if number <= done:
                    continue
                wrong = _wrong(row, header, places)
                if wrong:
                    problems.add(path, number, began, wrong)
                    continue
                cells.append([row[i] for i in places])
                rows.append(number)
                if len(rows) >= _ROWS:
                    problems.check()
                    yield _batch(path, chosen, cells, rows)
                    cells, rows = [], []
        except csv.Error as error:
            problems.check()
            raise InputError(f"{path}:{line}:1: not CSV: {error}") from None
    problems.check()
    if rows:
        yield _batch(path, chosen, cells, rows)


def _wrong(row: list[str], header: list[str], places: list[int]) -> str:
    if len(row) != len(header):
        return f"expected {len(header)} cells as in the header, found {len(row)}"
    for i in places:
        if _is_no_utf_8(row[i]):
            return f"column {header[i]!r} is no UTF-8"
    return ""


def _is_no_utf_8(text: str) -> bool:
    return not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text)


def _batch(path: str, chosen: list[str], cells: list[list[str]], rows: list[int]) -> Batch:
    numbers = pl.Series(rows, dtype=pl.UInt32)
    if not chosen:
        return read.Batch(path, read.blank(len(rows)), numbers)
    columns = [
        pl.Series(name, list(column), dtype=pl.String)
        for name, column in zip(chosen, zip(*cells, strict=True), strict=True)
    ]
    return read.Batch(path, pl.DataFrame(columns), numbers)
