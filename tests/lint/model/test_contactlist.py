"""Contact lists are read into typed columns; keys and values are held against the type."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.model.contactlist import Column, ContactList
from dialproof.model.parse_contactlist import parse_contactlist
from dialproof.source import read_source

if TYPE_CHECKING:
    from dialproof.source.positions import Problem


def parse(text: str) -> tuple[ContactList | None, tuple[Problem, ...]]:
    """Parse the text of a contact list."""
    return parse_contactlist(read_source(Path("c.contactlist.yaml"), "c.contactlist.yaml", text.encode()))


def test_columns_are_read_with_their_domain() -> None:
    """Types, bounds, enums and flags arrive; the remote name is the last part of the path by default."""
    contact_list, problems = parse(
        "columns:\n"
        "  customFields.value: {type: number, min: 0, max: 10.5, decimals: 2, required: true}\n"
        '  consent: {type: string, enum: ["yes", "no", ""], pii: true, phone: true, timeZone: true}\n'
        "  due: {type: date, min: 2026-01-01, column: DueDate}\n"
        "  state: {type: string, pattern: '^[A-Z]{2}$', x-note: free}\n"
    )
    assert problems == ()
    assert contact_list is not None
    assert contact_list.declared
    assert list(contact_list.columns.values()) == [
        Column("customFields.value", "number", True, 0.0, 10.5, 2, remote="value"),
        Column("consent", "string", enum=("yes", "no", ""), pii=True, phone=True, time_zone=True, remote="consent"),
        Column("due", "date", min="2026-01-01", remote="DueDate"),
        Column("state", "string", pattern="^[A-Z]{2}$", remote="state"),
    ]


PROBLEMS = {
    "no type": ("{min: 1}", "DP107", "this column lacks type"),
    "type": (
        "{type: text}",
        "DP102",
        "type: there is no 'text'; expected one of string, integer, number, boolean, datetime, date",
    ),
    "decimals": (
        "{type: integer, decimals: 2}",
        "DP102",
        "decimals is for columns of type number, this one is integer",
    ),
    "pattern": ("{type: number, pattern: a}", "DP102", "pattern is for columns of type string, this one is number"),
    "min of text": (
        "{type: string, min: 1}",
        "DP102",
        "min is for columns of type integer, number, datetime, date, this one is string",
    ),
    "enum of boolean": (
        "{type: boolean, enum: [true]}",
        "DP102",
        "enum is for columns of type string, integer, number, datetime, date, this one is boolean",
    ),
    "order": ("{type: number, min: 5, max: 1}", "DP102", "max 1 is below min 5"),
    "order of dates": (
        "{type: date, min: 2026-02-01, max: 2026-01-01}",
        "DP102",
        "max 2026-01-01 is below min 2026-02-01",
    ),
    "text as bound": ('{type: number, min: "5"}', "DP102", 'min: expected a number, found the text "5"'),
    "half as integer": ("{type: integer, max: 1.5}", "DP102", "max: expected an integer, found the number 1.5"),
    "date": (
        "{type: date, min: 2026-01-01T00:00}",
        "DP102",
        'min: expected a date such as 2026-03-07, found the text "2026-01-01T00:00"',
    ),
    "enum": ("{type: string, enum: [1]}", "DP102", "enum: expected text (in quotes), found the number 1"),
    "empty enum": ("{type: string, enum: []}", "DP107", "enum: expected at least one item, found an empty list"),
    "twice": ("{type: number, enum: [1, 1.0]}", "DP102", "enum: this value is listed twice"),
    "below": ("{type: integer, min: 5, max: 9, enum: [5, 4, 9]}", "DP102", "enum: 4 is below min 5"),
    "above": (
        "{type: date, max: 2026-01-31, enum: [2026-01-31, 2026-02-01]}",
        "DP102",
        "enum: 2026-02-01 is above max 2026-01-31",
    ),
    "regex": (
        "{type: string, pattern: '(?=a)'}",
        "DP102",
        "pattern: expected a regular expression of RE2: invalid perl operator: (?=",
    ),
    "unknown key": (
        "{type: string, requred: true}",
        "DP102",
        'unknown key "requred" in this column; did you mean required?',
    ),
    "text": (
        "string",
        "DP102",
        'columns.a: expected a mapping with type, required, min, max ..., found the text "string"',
    ),
}


@pytest.mark.parametrize(("column", "code", "message"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_what_is_wrong_with_a_column(column: str, code: str, message: str) -> None:
    """Keys that the type does not have and values that do not fit it are errors on the column's line."""
    contact_list, problems = parse(f"columns:\n  a: {column}\n")
    assert contact_list is None
    assert [(p.span.line, p.code) for p in problems] == [(2, code)]
    assert problems[0].message.startswith(message)


def test_a_contact_list_has_columns() -> None:
    """A contact list without columns is an error."""
    assert [p.code for p in parse("columns: {}\n")[1]] == ["DP107"]
    assert [p.code for p in parse("x-a: 1\n")[1]] == ["DP107"]


def test_columns_are_checked_beside_columns_that_are_wrong() -> None:
    """A misspelt type hides nothing of the other columns, nor the first misfit of a column the next ones."""
    _, problems = parse(
        "columns:\n"
        "  a: {type: nmber}\n"
        "  b: {type: string, pattern: '('}\n"
        "  c: {type: integer, min: 5, max: 1}\n"
        "  d: {type: string, min: 5, decimals: 3, pattern: ')'}\n"
    )
    assert [(p.span.line, p.message.split(":")[0].split(" is for")[0]) for p in problems] == [
        (2, "type"),
        (3, "pattern"),
        (4, "max 1 is below min 5"),
        (5, "min"),
        (5, "decimals"),
        (5, "pattern"),
    ]
