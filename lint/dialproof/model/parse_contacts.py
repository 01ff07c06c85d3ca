"""Contacts files in YAML and JSON: nodes to :class:`ContactsFile`, with every error at once.

No message quotes a contact's value, which may be personal; its kind and place are enough to find it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dialproof.model.contacts import Case, ContactsFile, Expect, merged
from dialproof.model.operators import CONTEXT_FIELDS, context_type
from dialproof.model.parse_actions import read_expected_action, read_flag_text, read_period
from dialproof.model.parse_base import INVALID, MERGE_KEY, Fields, Reader, finite, head, hint
from dialproof.model.parse_populations import populations, read_amount, read_contact_files, read_range, report_cel
from dialproof.model.schema import CASE, CONTACTS_FILE, TIMELINE
from dialproof.source import Mapping, Node, Scalar, Sequence, SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.model.contacts import Contact
    from dialproof.model.populations import Population
    from dialproof.model.timelines import Timeline
    from dialproof.source.positions import Problem

__all__ = ["CONTEXT_ROOTS", "contact_of", "expectation", "flat", "note_local_time", "parse_contact", "parse_contacts"]

CONTEXT_ROOTS = tuple(dict.fromkeys(name.partition(".")[0] for name in CONTEXT_FIELDS if not name.startswith("now.")))
"""The first parts of what may surround a call: call, phone, lastAttempt, lastWrapUp, data."""

_OFFSET = re.compile(r"T.*(?:Z|[+-]\d\d:?\d\d)$")


def parse_contacts(source: SourceFile) -> tuple[ContactsFile | None, tuple[Problem, ...]]:
    """Return the contacts file, None where anything of it is wrong, and its problems and notes."""
    reader = Reader(
        source.display,
        {
            "case": _case_record,
            "contact": _contact,
            "context": _context,
            "expected action": read_expected_action,
            "flag text": read_flag_text,
            "period": read_period,
            "amount": read_amount,
            "range": read_range,
            "contact files": read_contact_files,
        },
    )
    cases: tuple[Case | Timeline, ...] = ()
    lists: tuple[Population, ...] = ()
    fields: Any = INVALID
    if source.root is not None and not _is_rules_file(reader, source.root):
        fields = reader.file(CONTACTS_FILE, source.root)
        cases, lists = _cases(reader, source.root), populations(reader, source.root)
        if reader.problems.count:
            report_cel(reader, source.root)
        if fields is not INVALID:
            _note_clocks_without_place(reader, fields)
    wrong = (*source.problems, *reader.problems.all())
    problems = (*wrong, *source.notes, *reader.notes.all())
    if wrong or fields is INVALID:
        return None, problems
    target = "rules" if "rules" in fields.values else "campaign"
    file = ContactsFile(
        path=source.display,
        rules=fields.get("rules"),
        campaign=fields.get("campaign"),
        time_zone=fields.get("timeZone"),
        now=fields.get("now"),
        cases=tuple(case for case in cases if isinstance(case, Case)),
        timelines=tuple(case for case in cases if not isinstance(case, Case)),
        population=(),
        populations=lists,
        digest=source.digest,
        target_span=fields.span(target) if target in fields.values else None,
    )
    return file, problems


def parse_contact(source: SourceFile) -> tuple[Contact | None, tuple[Problem, ...]]:
    """Return the contact of a file that holds its columns and nothing else, None where anything is wrong."""
    reader = Reader(source.display)
    contact = INVALID if source.root is None else _contact(reader, source.root, "the contact")
    problems = (*source.problems, *reader.problems.all())
    return None if problems else contact, problems


def _note_clocks_without_place(reader: Reader, file: Fields) -> None:
    """Note every frozen clock that is local time of nobody knows where: it counts as UTC."""
    for record in (file, *file.get("cases", ())):
        if "now" in record.values and not (record.get("timeZone") or file.get("timeZone")):
            note_local_time(reader, record, "now")


def note_local_time(reader: Reader, record: Fields, key: str) -> None:
    """Note that a time is read as UTC, where it has no offset and there is no time zone."""
    if not _OFFSET.search(record.get(key)):
        reader.note(record.span(key), f"{key} has neither an offset nor a timeZone: it is read as UTC")


def _is_rules_file(reader: Reader, root: Node) -> bool:
    entry = root.entry("rules") if isinstance(root, Mapping) and "cases" not in root else None
    if entry is None or not isinstance(entry.value, Sequence):
        return False
    stem = reader.path.rpartition("/")[2].rsplit(".", 2)[0]
    message = f"expected cases:, found a list of rules: rename this file to {stem}.rules.yaml"
    reader.problem(entry.key, message, "DP101")
    return True


def _case_record(reader: Reader, node: Node, label: str) -> Any:
    timeline = isinstance(node, Mapping) and "timeline" in node
    return reader.record(TIMELINE if timeline else CASE, node, label)


def _cases(reader: Reader, root: Node) -> tuple[Case | Timeline, ...]:
    """Return the cases that could be read, with what is wrong between their parts reported."""
    base = root.get("defaults") if isinstance(root, Mapping) else None
    defaults = reader.records.get(id(base))
    below = defaults.values if defaults else {}
    cases: list[Case | Timeline] = []
    for case in reader.named(root, "cases", "case", "cases"):
        if "timeline" in case.values:
            from dialproof.model.parse_timelines import read_timeline

            cases.append(read_timeline(reader, case, below, root))
        else:
            cases.append(_case(reader, case, below))
    return tuple(cases)


def _case(reader: Reader, case: Fields, base: dict[str, Any]) -> Case:
    category = case.get("category", base.get("category", "preCall"))
    contact = contact_of(reader, case, base)
    expect = case.get("expect")
    if not expect.values:
        reader.problem(head(expect.node), "expect asserts nothing: give at least one of matched, actions, dial ...")
    if category == "wrapUp" and "dial" in expect.values:
        reader.problem(expect.span("dial"), "a wrapUp case has no dial: remove it")
    return Case(
        name=case.get("name"),
        tags=case.get("tags", ()),
        category=category,
        contact=contact,
        context=merged(base.get("context", {}), case.get("context", {})),
        lists={**base.get("lists", {}), **case.get("lists", {})},
        expect=expectation(expect),
        now=case.get("now"),
        time_zone=case.get("timeZone"),
        span=case.node.span,
        name_span=case.span("name"),
    )


def expectation(fields: Fields | None) -> Expect:
    """Return what a record expects; nothing is expected where there is none."""
    if fields is None:
        return Expect()
    values = dict(fields.values)
    if "contact" in values:
        values["contact"] = dict(flat(values["contact"]))
    return Expect(**values, spans=fields.spans)


def contact_of(reader: Reader, case: Fields, base: dict[str, Any]) -> dict[str, Any]:
    """Return the contact of a case laid over that of ``defaults``, with columns that are paths as well reported."""
    contact = merged(base.get("contact", {}), case.get("contact", {}))
    for name in _ambiguous(contact):
        where = case.node.get("contact") or case.node
        reader.problem(head(where), f"the contact has {name} both as a column and as a path: keep one")
    return contact


def _ambiguous(contact: dict[str, Any]) -> list[str]:
    """Return the names that a contact has both as a whole column and as a path."""
    from dialproof.cel.values import AmbiguousColumnError, lookup

    names = []
    for name in contact:
        if "." in name:
            try:
                lookup(contact, name)
            except AmbiguousColumnError:
                names.append(name)
    return names


def flat(contact: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the columns of nested mappings by their paths."""
    for name, value in contact.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _contact(reader: Reader, node: Node, label: str) -> Any:
    """Return a contact as nested dicts; values are text, numbers, booleans and None."""
    if not isinstance(node, Mapping):
        return reader.problem(head(node), f"{label}: expected a mapping of columns")
    if node.plain is not None and _are_columns(node.plain):
        return node.plain
    return _columns(reader, node, label, top=True)


def _are_columns(plain: dict[str, Any], *, top: bool = True) -> bool:
    """Tell whether plain values are what :func:`_columns` would return of their nodes, without a problem."""
    for name, value in plain.items():
        if name == "<<" or not (top or "." not in name):
            return False
        if not (_are_columns(value, top=False) if isinstance(value, dict) else _is_column_value(value)):
            return False
    return True


def _columns(reader: Reader, node: Mapping, label: str, *, top: bool) -> Any:
    columns: dict[str, object] = {}
    for key, value in node.entries:
        if not top and "." in key.text:
            columns[key.text] = reader.problem(key, f"{label}: a column name with a dot must stand at the top")
        elif key.text == "<<":
            columns[key.text] = reader.problem(key, f"{label}: {MERGE_KEY}")
        elif isinstance(value, Mapping):
            columns[key.text] = _columns(reader, value, f"{label}.{key.text}", top=False)
        else:
            columns[key.text] = _column_value(reader, value, f"{label}.{key.text}")
    return INVALID if INVALID in columns.values() else columns


def _column_value(reader: Reader, node: Node, label: str) -> Any:
    expected = "expected text, a number, true, false or null"
    if not isinstance(node, Scalar):
        return reader.problem(head(node), f"{label}: {expected}, found a list")
    if _is_column_value(node.value):
        return node.value
    return reader.problem(node, f"{label}: {expected}, found a number that is not finite")


def _is_column_value(value: object) -> bool:
    return value is None or isinstance(value, (str, bool)) or finite(value) is not None


def _context(reader: Reader, node: Node, label: str) -> Any:
    """Return what surrounds the call as nested dicts."""
    if not isinstance(node, Mapping):
        return reader.expected(node, label, f"a mapping with {', '.join(CONTEXT_ROOTS)}")
    return _context_level(reader, node, "")


def _context_level(reader: Reader, node: Mapping, prefix: str) -> Any:
    level: dict[str, object] = {}
    for key, value in node.entries:
        name = f"{prefix}{key.text}"
        if not prefix and key.text not in CONTEXT_ROOTS:
            level[key.text] = reader.unknown(
                key, f"context: there is no {key.text!r}", key.text.partition(".")[0], CONTEXT_ROOTS
            )
        elif isinstance(value, Mapping):
            level[key.text] = _context_level(reader, value, f"{name}.")
        elif context_type(name) is None:
            known = [f for f in CONTEXT_FIELDS if f.startswith(prefix) and not f.endswith("*")]
            level[key.text] = reader.problem(key, f"context: there is no {name}; {hint(name, known or CONTEXT_FIELDS)}")
        else:
            level[key.text] = _column_value(reader, value, name)
    return INVALID if any(value is INVALID for value in level.values()) else level
