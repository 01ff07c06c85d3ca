"""Contacts files in CSV: cases where a column begins with ``expect.``, otherwise a population.

An exported contact list works as it is: a byte order mark, ``;`` or tabs between the cells and the platform's own
columns are understood. Every value is text. No message quotes a cell.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof.model.contacts import Case, Contact, ContactsFile, Expect
from dialproof.model.parse_base import hint, name_problem
from dialproof.source import decode, read_bytes
from dialproof.source.positions import Problem, Problems, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["MAX_BYTES", "SYSTEM_COLUMN", "delimiter_of", "parse_csv"]

MAX_BYTES = 256 * 1024 * 1024
"""The largest CSV file that is read, in bytes."""

SYSTEM_COLUMN = re.compile(
    r"inin-outbound-id|ContactCallable|ZipCodeAutomaticTimeZone|ContactableBy\w+"
    r"|(?:(?:CallRecord|Sms|Email)Last(?:Attempt|Result|AgentWrapup)|Callable|ContactableBy\w+|AutomaticTimeZone)-.+"
)
"""Columns of an exported contact list that the platform adds."""

_EXPECTATIONS = ("matched", "not_matched", "undecided", "dial", "lists.ID", "contact.COLUMN")
_LISTS_OF_RULES = ("matched", "not_matched", "undecided")
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with the 1-based line on which it begins, and its text where places inside of it may be needed."""

    cells: list[str]
    line: int
    end_line: int


class _CsvReader:
    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = re.split(r"\r\n|\n|\r", text)
        self.problems = Problems(Problem)
        self.delimiter = delimiter_of(self.lines[0])
        self._cell = re.compile(rf'"(?:[^"]|"")*"|[^{re.escape(self.delimiter)}]*')
        self._edges: tuple[int, list[tuple[int, int]]] = (0, [])

    def problem(self, span: Span, message: str, code: str = "DP101") -> None:
        self.problems.add(self.path, span, code, message)

    def rows(self) -> Iterator[_Row]:
        """Yield every row that is not empty; a file whose quotes do not match ends with a problem."""
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True)
        line = 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                reason = f"not CSV: {error}"
                if "field limit" in reason:
                    reason = (
                        f"a cell has more than {csv.field_size_limit():,} characters: shorten it, or end its quotes"
                    )
                self.problem(self.row_span(line, reader.line_num), reason)
                return
            if cells is None:
                return
            if cells:
                yield _Row(cells, line, reader.line_num)
            line = reader.line_num + 1

    def row_span(self, line: int, end_line: int) -> Span:
        end_line = min(max(line, end_line), len(self.lines))
        line = min(line, end_line)
        return Span(line, 1, end_line, max(len(self.lines[end_line - 1]), 1) + 1)

    def cell_span(self, row: _Row, index: int) -> Span:
        """Return the place of a cell, of the whole row where that spreads over several lines."""
        if row.line != row.end_line:
            return self.row_span(row.line, row.end_line)
        if self._edges[0] != row.line:
            self._edges = (row.line, self._edges_of(self.lines[row.line - 1], len(row.cells)))
        at, end = self._edges[1][index]
        return Span.point(row.line, at + 1, max(end - at, 1))

    def _edges_of(self, text: str, count: int) -> list[tuple[int, int]]:
        edges, at = [], 0
        for _ in range(count):
            found = self._cell.match(text, at)
            end = found.end() if found else at
            edges.append((at, end))
            at = end + 1
        return edges

    def parts(self, row: _Row, index: int) -> list[tuple[str, Span]]:
        """Return the names of a cell ``a|b`` with their places."""
        cell, span = row.cells[index], self.cell_span(row, index)
        written = self.lines[row.line - 1][span.column - 1 : span.end_column - 1]
        exact = row.line == row.end_line and cell in written
        at = span.column + written.find(cell) if exact else 0
        found = []
        for name in cell.split("|"):
            text = name.strip()
            start = at + len(name) - len(name.lstrip())
            found.append((text, Span.point(row.line, start, max(len(text), 1)) if exact else span))
            at += len(name) + 1
        return found


def parse_csv(
    path: Path, display: str, data: bytes | None = None
) -> tuple[ContactsFile | None, tuple[Problem, ...], str]:
    """Return the contacts file (None where anything of it is wrong), its problems, and the sha256 of its bytes."""
    content = read_bytes(path, MAX_BYTES) if data is None else data
    if isinstance(content, str):
        return None, (Problem(display, Span.point(1, 1), "DP101", content),), ""
    digest = hashlib.sha256(content).hexdigest()
    decoded = decode(content)
    if not isinstance(decoded, str):
        span, message = decoded
        return None, (Problem(display, span, "DP101", message),), digest
    if not decoded.strip():
        return None, (Problem(display, Span.point(1, 1), "DP101", "the file is empty"),), digest
    if decoded.startswith("\ufeff"):
        message = "found a second byte order mark, expected text"
        return None, (Problem(display, Span.point(1, 1), "DP101", message),), digest
    reader = _CsvReader(display, decoded)
    cases, population = _read(reader)
    if reader.problems.count:
        return None, tuple(reader.problems.all()), digest
    return ContactsFile(display, None, None, None, None, cases, population, digest), (), digest


def delimiter_of(header: str) -> str:
    """Return the separator that stands most often in the header outside of quotes."""
    bare = re.sub(r'"(?:[^"]|"")*"', "", header)
    return max((",", ";", "\t"), key=bare.count)


def _read(reader: _CsvReader) -> tuple[tuple[Case, ...], tuple[Contact, ...]]:
    rows = reader.rows()
    header = next(rows, None)
    if header is None:
        return (), ()
    _check_header(reader, header)
    is_cases = any(name.startswith("expect.") for name in header.cells)
    own = {i: n for i, n in enumerate(header.cells) if not SYSTEM_COLUMN.fullmatch(n)}
    columns = {i: n for i, n in own.items() if not (is_cases and (n == "name" or n.startswith("expect.")))}
    named_by = header.cells.index("name") if "name" in header.cells else None
    asserted = {i: n[7:] for i, n in enumerate(header.cells) if n.startswith("expect.") and _is_expectation(n[7:])}
    expected = [(i, *n.partition(".")[::2]) for i, n in asserted.items()]
    contacts: list[Contact] = []
    cases: list[Case] = []
    first: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if len(row.cells) != len(header.cells):
            message = f"expected {len(header.cells)} cells as in the header, found {len(row.cells)}"
            reader.problem(reader.row_span(row.line, row.end_line), message)
            continue
        contact = {name: row.cells[i] for i, name in columns.items()}
        if is_cases:
            cases.append(_case(reader, row, number, contact, named_by, expected))
            name = cases[-1].name
            if name in first:
                message = f"duplicate case {name!r}: first given at line {first[name]}; names select cases"
                reader.problem(cases[-1].name_span, message, "DP102")
            first.setdefault(name, row.line)
        else:
            contacts.append(contact)
    if not contacts and not cases and not reader.problems.count:
        reader.problem(reader.row_span(1, 1), "expected at least one row below the header, found none")
    return tuple(cases), tuple(contacts)


def _check_header(reader: _CsvReader, header: _Row) -> None:
    first: dict[str, int] = {}
    for index, name in enumerate(header.cells):
        if not name.strip():
            reader.problem(reader.cell_span(header, index), f"column {index + 1} has no name")
        elif name in first:
            message = f"duplicate column {name!r}: it is also column {first[name]}"
            reader.problem(reader.cell_span(header, index), message)
        elif name.strip().lower().startswith("expect.") and not (name[:7] == "expect." and _is_expectation(name[7:])):
            wanted = "expect." + name.strip()[7:]
            known = [wanted] if _is_expectation(wanted[7:]) else [f"expect.{e}" for e in _EXPECTATIONS]
            message = f"there is no {name!r}; {hint(wanted.lower(), known)}"
            reader.problem(reader.cell_span(header, index), message, "DP102")
        first.setdefault(name, index + 1)


def _is_expectation(name: str) -> bool:
    key, _, of = name.partition(".")
    return name in (*_LISTS_OF_RULES, "dial") or (key in ("lists", "contact") and bool(of))


def _case(
    reader: _CsvReader,
    row: _Row,
    number: int,
    contact: Contact,
    named_by: int | None,
    expected: Sequence[tuple[int, str, str]],
) -> Case:
    span = reader.row_span(row.line, row.end_line)
    name, name_span = f"row {number}", span
    if named_by is not None:
        name_span = reader.cell_span(row, named_by)
        name = row.cells[named_by].strip() or name
        problem = name_problem(name)
        if problem:
            reader.problem(name_span, f"name: {problem}", "DP102")
    expect = _expect(reader, expected, row)
    if expected and not expect.spans:  # without any the header is wrong
        reader.problem(span, "this row asserts nothing: fill at least one expect. column", "DP102")
    return Case(name, (), "preCall", contact, {}, {}, expect, None, None, span, name_span)


class _ExpectSpans(Mapping[str, Span]):
    """Where the expectations of a row stand, found when it is asked: only errors and failures need to know."""

    def __init__(self, reader: _CsvReader, row: _Row, cells: Mapping[str, int]) -> None:
        self._reader, self._row, self._cells = reader, row, cells

    def __getitem__(self, key: str) -> Span:
        name, _, number = key.partition("[")
        index = self._cells[name]
        if not number:
            return self._reader.cell_span(self._row, index)
        places = [span for _, span in self._reader.parts(self._row, index)]
        place = int(number.removesuffix("]"))
        if place >= len(places):
            raise KeyError(key)
        return places[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)


def _expect(reader: _CsvReader, columns: Sequence[tuple[int, str, str]], row: _Row) -> Expect:
    """Return the expectations of a row: an empty cell asserts nothing, ``-`` asserts empty."""
    rules: dict[str, tuple[str, ...]] = {}
    contact: dict[str, object] = {}
    lists: dict[str, bool] = {}
    dial: bool | None = None
    places: dict[str, int] = {}
    for index, key, of in columns:
        cell = row.cells[index].strip()
        if not cell:
            continue
        places.setdefault(key, index)
        if key in _LISTS_OF_RULES:
            rules[key] = () if cell == "-" else tuple(name.strip() for name in cell.split("|"))
        elif key == "contact":
            contact[of] = "" if cell == "-" else row.cells[index]
        elif cell.lower() not in _FLAGS:
            column = f"expect.{key}.{of}" if of else f"expect.{key}"
            reader.problem(reader.cell_span(row, index), f"{column}: expected true or false", "DP102")
        elif key == "dial":
            dial = _FLAGS[cell.lower()]
        else:
            lists[of] = _FLAGS[cell.lower()]
    return Expect(
        matched=rules.get("matched"),
        not_matched=rules.get("not_matched"),
        undecided=rules.get("undecided"),
        contact=contact or None,
        lists=lists or None,
        dial=dial,
        spans=_ExpectSpans(reader, row, places),
    )
