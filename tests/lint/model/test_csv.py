"""Contacts in CSV: exported lists as they are, cases by ``expect.`` columns, ragged rows at their line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.model.parse_csv import parse_csv

if TYPE_CHECKING:
    from dialproof.model.contacts import ContactsFile
    from dialproof.source.positions import Problem


def parse(content: str | bytes) -> tuple[ContactsFile | None, tuple[Problem, ...]]:
    """Parse the content of a CSV file."""
    data = content.encode() if isinstance(content, str) else content
    file, problems, digest = parse_csv(Path("a.contacts.csv"), "a.contacts.csv", data)
    assert len(digest) == 64
    return file, problems


def good(content: str | bytes) -> ContactsFile:
    """Return the file of good content."""
    file, problems = parse(content)
    assert file is not None, problems
    return file


EXPORT = (
    '\ufeff"inin-outbound-id";name;"emp.var.rate";CallRecordLastAttempt-Cell;CallRecordLastResult-Cell;'
    "CallRecordLastAgentWrapup-Cell;Callable-Cell;ContactCallable;ZipCodeAutomaticTimeZone;AutomaticTimeZone-Cell\r\n"
    '1;"Ann ""A"" ; Lee";-1.8;2026-01-01T00:00:00Z;x;y;1;1;z;z\r\n'
    '\r\n2;"two\r\nlines";;;;;;;;\r\n'
)


def test_an_exported_contact_list_works_as_it_is() -> None:
    """Byte order mark, semicolons, quotes and line breaks in cells are read; the platform's columns are dropped."""
    file = good(EXPORT)
    assert file.cases == ()
    assert file.population == (
        {"name": 'Ann "A" ; Lee', "emp.var.rate": "-1.8"},
        {"name": "two\r\nlines", "emp.var.rate": ""},
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_taken_from_the_header(delimiter: str) -> None:
    """Comma, semicolon and tab separate cells, whatever the cells below hold."""
    file = good(f"a{delimiter}b\n{delimiter.join(['x', '1'])}\n")
    assert file.population == ({"a": "x", "b": "1"},)


def test_rows_are_cases_where_a_column_expects() -> None:
    """``expect.`` columns make cases: an empty cell asserts nothing, ``-`` asserts empty, values stay text."""
    file = good(
        "name,state,expect.matched,expect.not_matched,expect.dial,expect.lists.vip,expect.contact.a.b,expect.undecided\n"
        "first,TX,one|two,,true,false,gold,\n"
        ",CA,-,three,,,-,-\n"
    )
    first, second = file.cases
    assert (first.name, first.contact, second.name) == ("first", {"state": "TX"}, "row 2")
    assert (first.expect.matched, first.expect.dial, first.expect.lists) == (("one", "two"), True, {"vip": False})
    assert (first.expect.contact, first.expect.undecided, first.expect.not_matched) == ({"a.b": "gold"}, None, None)
    assert (second.expect.matched, second.expect.not_matched, second.expect.dial) == ((), ("three",), None)
    assert (second.expect.contact, second.expect.undecided, second.expect.lists) == ({"a.b": ""}, (), None)


def test_names_in_cells_know_where_they_stand() -> None:
    """Each rule name of ``a|b`` has its own place, also in quotes."""
    file = good('state;expect.matched\nTX;"one|two"\n')
    spans = file.cases[0].expect.spans
    assert [(s.line, s.column, s.end_column) for s in (spans["matched[0]"], spans["matched[1]"])] == [
        (2, 5, 8),
        (2, 9, 12),
    ]


PROBLEMS = {
    "empty": ("", 1, 1, "DP101", "the file is empty"),
    "only a header": ("a,b\n", 1, 1, "DP101", "expected at least one row below the header, found none"),
    "ragged": ('a,b\n1,2\n"x\ny",2\n1,2,3\n', 5, 1, "DP101", "expected 2 cells as in the header, found 3"),
    "nameless column": ("a,,c\n1,2,3\n", 1, 3, "DP101", "column 2 has no name"),
    "duplicate column": ("a,b,a\n1,2,3\n", 1, 5, "DP101", "duplicate column 'a': it is also column 1"),
    "open quote": ('a,b\n1,"2\n', 2, 1, "DP101", "not CSV: unexpected end of data"),
    "unknown expectation": (
        "a,expect.match\n1,2\n",
        1,
        3,
        "DP102",
        "there is no 'expect.match'; did you mean expect.matched?",
    ),
    "asserts nothing": (
        "a,expect.dial\n1,\n",
        2,
        1,
        "DP102",
        "this row asserts nothing: fill at least one expect. column",
    ),
    "flag": ("a,expect.dial\n1,yes\n", 2, 3, "DP102", "expect.dial: expected true or false"),
    "duplicate name": (
        "name,expect.dial\nx,true\nx,true\n",
        3,
        1,
        "DP102",
        "duplicate case 'x': first given at line 2; names select cases",
    ),
    "name with colons": (
        "name,expect.dial\na::b,true\n",
        2,
        1,
        "DP102",
        "name: expected a name without '::', found \"a::b\"",
    ),
    "not utf-8": (b"a,b\n1,\xe9\n", 2, 3, "DP101", "found the byte 0xe9 that is not UTF-8, expected text in UTF-8"),
}


@pytest.mark.parametrize(("content", "line", "column", "code", "message"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_what_is_wrong_with_a_csv_file(content: str | bytes, line: int, column: int, code: str, message: str) -> None:
    """Each error stands at its line and column, counted with the line breaks inside of quotes."""
    file, problems = parse(content)
    assert file is None
    assert [(p.span.line, p.span.column, p.code, p.message) for p in problems] == [(line, column, code, message)]


def test_rows_below_a_wrong_header_are_checked_too() -> None:
    """A column that there is not does not hide what is wrong in the rows."""
    file, problems = parse("a,expect.match,expect.dial\n1,r,true\n2,r,yes\n3,r\n")
    assert file is None
    assert [(p.span.line, p.span.column) for p in problems] == [(1, 3), (3, 5), (4, 1)]


def test_every_ragged_row_is_reported() -> None:
    """All ragged rows are reported at once."""
    _, problems = parse("a,b\n1\n1,2\n1,2,3\n")
    assert [p.span.line for p in problems] == [2, 4]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Expect.dial", "there is no 'Expect.dial'; did you mean expect.dial?"),
        (" expect.dial", "there is no ' expect.dial'; did you mean expect.dial?"),
        ("EXPECT.dail", "there is no 'EXPECT.dail'; did you mean expect.dial?"),
    ],
)
def test_a_header_that_nearly_expects_is_refused(header: str, message: str) -> None:
    """Capitals or a blank do not silently turn cases into a population that asserts nothing."""
    file, problems = parse(f"name,{header}\na,true\n")
    assert file is None
    assert [(p.code, p.span.line, p.span.column, p.message) for p in problems] == [("DP102", 1, 6, message)]


def test_a_flood_of_ragged_rows_is_counted() -> None:
    """A wrong delimiter in a large export gives the first hundred problems and the number of the others."""
    _, problems = parse("x\n" + "1,2\n" * 3000)
    assert len(problems) == 101
    assert str(problems[-1]) == "a.contacts.csv:101:4: DP101 and 2,900 more in this file"


def test_a_second_byte_order_mark_and_a_giant_cell_have_their_own_words() -> None:
    """What two tools wrote one after the other, and a quote that never ends, are told apart."""
    _, problems = parse("\ufeff\ufeffname\na\n")
    assert [p.message for p in problems] == ["found a second byte order mark, expected text"]
    _, problems = parse(f"name\n{'1' * 200_000}\n")
    assert [p.message for p in problems] == ["a cell has more than 131,072 characters: shorten it, or end its quotes"]
