"""Contact list files: the typed columns of contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.model.contactlist import Column, ContactList
from dialproof.model.parse_base import INVALID, Fields, Reader
from dialproof.model.schema import CONTACTLIST_FILE, ONLY_FOR
from dialproof.source import Mapping, Node, Scalar, Sequence, SourceFile

if TYPE_CHECKING:
    from dialproof.source.positions import Problem

__all__ = ["parse_contactlist"]


def parse_contactlist(source: SourceFile) -> tuple[ContactList | None, tuple[Problem, ...]]:
    """Return the contact list, None where anything of it is wrong, and its problems and notes."""
    reader = Reader(source.display)
    columns: dict[str, Column] = {}
    if source.root is not None:
        reader.file(CONTACTLIST_FILE, source.root)
        written = source.root.get("columns") if isinstance(source.root, Mapping) else None
        for key, node in written.entries if isinstance(written, Mapping) else ():
            if not key.text.strip("."):
                reader.problem(key, "expected the name of a column, found none")
            fields = reader.records.get(id(node))
            if fields is not None:
                columns[key.text] = _column(key.text, fields)
                _check(reader, columns[key.text], fields)
    wrong = (*source.problems, *reader.problems.all())
    contact_list = None if wrong or source.root is None else ContactList(source.display, columns)
    return contact_list, (*wrong, *source.notes, *reader.notes.all())


def _column(name: str, fields: Fields) -> Column:
    kind = fields.get("type")
    enum = fields.node.get("enum")
    return Column(
        name=name,
        type=kind,
        required=fields.get("required", False),
        min=fields.get("min"),
        max=fields.get("max"),
        decimals=fields.get("decimals"),
        enum=fields.get("enum") if isinstance(enum, Sequence) else None,
        pattern=fields.get("pattern"),
        pii=fields.get("pii", False),
        phone=fields.get("phone", False),
        time_zone=fields.get("timeZone", False),
        remote=fields.get("column", name.rpartition(".")[2]),
        span=fields.node.span,
    )


def _check(reader: Reader, column: Column, fields: Fields) -> None:
    """Report keys that the type does not have and values that do not fit it."""
    unfit = [key for key, kinds in ONLY_FOR.items() if key in fields.node and column.type not in kinds]
    for key in unfit:
        entry = fields.node.entry(key)
        assert entry is not None
        kinds = ", ".join(ONLY_FOR[key])
        reader.problem(entry.key, f"{key} is for columns of type {kinds}, this one is {column.type}")
    given = {key: fields.node.get(key) for key in ("min", "max", "enum", "pattern") if key not in unfit}
    bounds = {key: _fitting(reader, column, given.get(key), fields.get(key), key) for key in ("min", "max")}
    low, high = bounds["min"], bounds["max"]
    if low not in (None, INVALID) and high not in (None, INVALID) and low > high:
        written = [n.text for n in map(fields.node.get, ("max", "min")) if isinstance(n, Scalar)]
        reader.problem(fields.span("max"), f"max {written[0]} is below min {written[1]}")
    enum = given.get("enum")
    seen: dict[object, None] = {}
    for item, value in zip(enum, column.enum or (), strict=True) if isinstance(enum, Sequence) else ():
        comparable = _fitting(reader, column, item, value, "enum")
        if comparable is not INVALID and comparable in seen:
            reader.problem(item, "enum: this value is listed twice")
        seen[comparable] = None
        _check_bounds(reader, item, comparable, fields, bounds)
    if column.pattern is not None and "pattern" in given:
        _check_pattern(reader, given["pattern"], column.pattern)


def _fitting(reader: Reader, column: Column, node: Node | None, value: Any, key: str) -> Any:
    """Return a bound or enum value in a form that compares, INVALID where it does not fit the column's type."""
    from dialproof.cel.values import parse_datetime

    if node is None:
        return None
    if column.type in ("datetime", "date"):
        instant = parse_datetime(value) if isinstance(value, str) else None
        if instant is None or (column.type == "date" and "T" in value):
            what = "a date such as 2026-03-07"
            if column.type == "datetime":
                what = "a date or time such as 2026-03-07T10:00:00Z"
            return reader.expected(node, key, what)
        return instant
    if column.type in ("integer", "number"):
        if isinstance(value, bool) or not isinstance(value, float):
            return reader.expected(node, key, "a number")
        if column.type == "integer" and not value.is_integer():
            return reader.expected(node, key, "an integer")
        return value
    return value if isinstance(value, str) else reader.expected(node, key, "text (in quotes)")


def _check_bounds(reader: Reader, item: Node, value: Any, fields: Fields, bounds: dict[str, Any]) -> None:
    """Report a value of enum that lies outside of min and max: no contact could have it."""
    for key, beyond in (("min", "below"), ("max", "above")):
        bound, written = bounds[key], fields.node.get(key)
        if value is INVALID or bound in (None, INVALID) or not isinstance(item, Scalar):
            continue
        if isinstance(written, Scalar) and (value < bound if key == "min" else value > bound):
            reader.problem(item, f"enum: {item.text} is {beyond} {key} {written.text}")


def _check_pattern(reader: Reader, node: Node | None, pattern: str) -> None:
    from dialproof.cel.values import compile_pattern

    try:
        compile_pattern(pattern)
    except ValueError as error:
        assert node is not None
        reader.problem(node, f"pattern: expected a regular expression of RE2: {error}")
