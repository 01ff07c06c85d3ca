"""Reads nodes by their description: every difference becomes a problem at its place, and reading goes on."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias

from dialproof.model.schema import (
    MAX_WHOLE,
    Choice,
    Custom,
    Flag,
    Kind,
    ListOf,
    MapOf,
    Number,
    Plain,
    Record,
    Text,
    Whole,
)
from dialproof.source import Mapping, Node, Notes, Scalar, Sequence
from dialproof.source.positions import Problem, Problems, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dialproof.findings import Edit

__all__ = ["INVALID", "MERGE_KEY", "Fields", "Reader", "finite", "found", "head", "hint", "name_problem", "plain_value"]

_DIGITS = re.compile(r"[-+]?[0-9]+")

CustomReader: TypeAlias = "Callable[[Reader, Node, str], object]"


class _Invalid:
    def __repr__(self) -> str:
        return "INVALID"


MERGE_KEY = "YAML 1.2 has no merge key <<: write the keys out"
"""What to say of a key that older readers of YAML take for an instruction."""

INVALID: Any = _Invalid()
"""What reading returns where a problem was reported."""


class Spans(AbstractMapping[str, Span]):
    """The places of a mapping's values (``key``) and of the items of lists in it (``key[0]``), found when asked for."""

    __slots__ = ("_node",)

    def __init__(self, node: Mapping) -> None:
        self._node = node

    def __getitem__(self, key: str) -> Span:
        name, _, number = key.partition("[")
        node = self._node.get(name)
        if not number and node is not None:
            return node.span
        if isinstance(node, Sequence) and int(number.removesuffix("]")) < len(node.items):
            return node.items[int(number.removesuffix("]"))].span
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (entry.key.text for entry in self._node.entries)

    def __len__(self) -> int:
        return len(self._node.entries)


@dataclass(frozen=True, slots=True)
class Fields:
    """A record as read: the valid values by key, the node of each, and the free keys that begin with ``x-``."""

    node: Mapping
    values: dict[str, Any]
    extensions: dict[str, object]

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, ``default`` where the key is absent or was wrong."""
        return self.values.get(key, default)

    def span(self, key: str) -> Span:
        """Return the place of a key's value, of the record's head where it is absent."""
        node = self.node.get(key)
        return head(self.node) if node is None else node.span

    @property
    def spans(self) -> Spans:
        """The place of each key's value, and of each item of a list."""
        return Spans(self.node)


class Reader:
    """Reads the nodes of one file; ``problems`` and ``notes`` collect what there is to say."""

    def __init__(self, path: str, custom: AbstractMapping[str, CustomReader] | None = None) -> None:
        self.path = path
        self.problems = Problems(Problem)
        self.notes = Notes()
        self.records: dict[int, Fields] = {}  # by id of the node: those that are right in a file that is not
        self._custom = custom or {}

    def problem(self, where: Node | Span, message: str, code: str = "DP102") -> Any:
        """Report what is wrong at a place; return :data:`INVALID`."""
        if self.problems.full:
            self.problems.skip()
        else:
            span = where if isinstance(where, Span) else where.span
            self.problems.add(self.path, span, code, message)
        return INVALID

    def note(self, span: Span, message: str, edits: tuple[Edit, ...] = ()) -> None:
        """Note something that makes no file unusable, with the edits that repair it."""
        self.notes.add(self.path, span, "DP102", message, edits=edits)

    def expected(self, node: Node, label: str, what: str) -> Any:
        """Report that a node is not what is due; return :data:`INVALID`."""
        if self.problems.full:
            return self.problem(node, "")
        where = node if isinstance(node, Scalar) else head(node)
        return self.problem(where, f"{label}: expected {what}, found {found(node)}")

    def unknown(self, node: Node | Span, message: str, name: str, known: Iterable[str]) -> Any:
        """Report a name that there is not, with the nearest one that there is; return :data:`INVALID`."""
        return self.problem(node, message if self.problems.full else f"{message}; {hint(name, known)}")

    def read(self, kind: Kind, node: Node, label: str) -> Any:
        """Return the value of a node of some kind, or :data:`INVALID` with the problems reported."""
        match kind:
            case Record():
                return self.record(kind, node, label)
            case ListOf():
                return self.list_of(kind, node, label)
            case MapOf():
                return self.map_of(kind, node, label)
            case Custom():
                return self._custom[kind.name](self, node, label)
            case _:
                return self.scalar(kind, node, label)

    def scalar(self, kind: Text | Whole | Number | Flag | Choice | Plain, node: Node, label: str) -> Any:
        """Return a single value."""
        value = node.value if isinstance(node, Scalar) else INVALID
        match kind:
            case Text():
                return self.text(kind, node, label)
            case Whole():
                number, written = _whole(node)
                if number is None:
                    return self.expected(node, label, "an integer")
                low, high = kind.minimum, kind.maximum
                if low <= number <= high:
                    return value
                between = f"{low} to {high}"
                if high == MAX_WHOLE:
                    between = f"{low} or more" if number < low else f"at most {high}"
                return self.problem(node, f"{label}: expected {between}, found {_short(written)}", kind.code)
            case Number():
                number = finite(value)
                return self.expected(node, label, "a number") if number is None else number
            case Flag():
                return value if isinstance(value, bool) else self.expected(node, label, "true or false")
            case Choice():
                if isinstance(value, str) and value in kind.options:
                    return value
                if isinstance(value, str):
                    return self.unknown(node, f"{label}: there is no {value!r}", value, kind.options)
                return self.expected(node, label, f"one of {', '.join(kind.options)}")
            case Plain():
                if isinstance(value, (str, bool)):
                    return value
                number = finite(value)
                return self.expected(node, label, "text, a number, true or false") if number is None else number

    def text(self, kind: Text, node: Node, label: str) -> Any:
        """Return text of some form."""
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, str):
            quoted = isinstance(node, Scalar) and value is not None
            return self.expected(node, label, "text (in quotes)" if quoted else "text")
        if kind.form != "any" and not value.strip():
            return self.problem(node, f"{label}: expected text, found {'blanks' if value else 'empty text'}")
        if kind.form == "name":
            problem = name_problem(value)
            return value if problem is None else self.problem(node, f"{label}: {problem}")
        if kind.form == "moment":
            from dialproof.cel.values import parse_datetime

            if parse_datetime(value) is None:
                example = "a date or time such as 2026-03-07T10:00:00-07:00"
                return self.problem(node, f"{label}: expected {example}, found {_quoted(value)}")
        if kind.form == "at":
            from dialproof.model.parse_timelines import at_problem

            problem = at_problem(value)
            return value if problem is None else self.problem(node, f"{label}: {problem}, found {_quoted(value)}")
        if kind.form == "zone":
            from dialproof.cel.values import zone_of

            try:
                zone_of(value)
            except ValueError:
                return self.problem(
                    node, f"{label}: expected a time zone such as America/Denver, found {_quoted(value)}"
                )
        return value

    def list_of(self, kind: ListOf, node: Node, label: str) -> Any:
        """Return a tuple of the valid items."""
        if not isinstance(node, Sequence):
            return self.expected(node, label, "a list")
        if kind.filled and not node.items:
            return self.problem(node, f"{label}: expected at least one item, found an empty list", "DP107")
        singular = label.removesuffix("s") if isinstance(kind.item, (Record, Custom)) else f"{label}, item"
        items = [self.read(kind.item, item, singular) for item in node.items]
        return INVALID if any(item is INVALID for item in items) else tuple(items)

    def map_of(self, kind: MapOf, node: Node, label: str) -> Any:
        """Return a dict of the valid items."""
        if not isinstance(node, Mapping):
            return self.expected(node, label, "a mapping")
        if kind.filled and not node.entries:
            return self.problem(node, f"{label}: expected at least one entry, found none", "DP107")
        items = {e.key.text: self.read(kind.item, e.value, f"{label}.{_short(e.key.text)}") for e in node.entries}
        return INVALID if any(item is INVALID for item in items.values()) else items

    def file(self, kind: Record, root: Node) -> Any:
        """Return the record of a whole file; one that holds anything but a mapping is of the wrong kind (DP101)."""
        if isinstance(root, Mapping):
            return self.record(kind, root, "this file")
        keys = ", ".join(list(kind.keys)[:4])
        return self.problem(head(root), f"this file: expected a mapping with {keys} ..., found {found(root)}", "DP101")

    def record(self, kind: Record, node: Node, label: str) -> Any:
        """Return the :class:`Fields` of a record; INVALID where any of it is wrong."""
        if not isinstance(node, Mapping):
            return self.expected(node, label, f"a mapping with {', '.join(list(kind.keys)[:4])} ...")
        before = self.problems.count
        values: dict[str, Any] = {}
        extensions: dict[str, object] = {}
        for key, value in node.entries:
            name = key.text
            if name in kind.keys:
                item = self.read(kind.keys[name].kind, value, name)
                if item is not INVALID:
                    values[name] = item
            elif kind.extension and name.startswith("x-"):
                extensions[name] = plain_value(value)
            elif name in kind.ignored:
                from dialproof.source.edits import without_entry

                message = f"key {name} of an API answer is ignored: remove it"
                self.note(key.span, message, without_entry(self.path, node, name))
            elif name == "<<":
                self.problem(key, MERGE_KEY)
            else:
                self.unknown(key, f"unknown key {_quoted(name)} in this {kind.name}", name, kind.keys)
        self._missing(kind, node)
        if self.problems.count > before:
            return INVALID
        fields = self.records[id(node)] = Fields(node, values, extensions)
        return fields

    def named(self, root: Node, key: str, kind: str, selected: str) -> Iterator[Fields]:
        """Yield those records of a list that could be read, and report a name that two of them have."""
        written = root.get(key) if isinstance(root, Mapping) else None
        first: dict[str, Span] = {}
        for node in written if isinstance(written, Sequence) else ():
            fields = self.records.get(id(node))
            if fields is None:
                continue
            name, place = fields.get("name"), fields.span("name")
            if name in first:
                message = f"duplicate {kind} {name!r}: first given at line {first[name].line}; names select {selected}"
                self.problem(place, message)
            first.setdefault(name, place)
            yield fields

    def _missing(self, kind: Record, node: Mapping) -> None:
        missing = [name for name, key in kind.keys.items() if key.required and name not in node]
        if missing:
            self.problem(head(node), f"this {kind.name} lacks {', '.join(missing)}", "DP107")
        for group in (*kind.one_of, *kind.at_most_one, *kind.at_least_one):
            given = [name for name in group if name in node]
            if len(given) > 1 and group not in kind.at_least_one:
                second = node.entry(given[1])
                assert second is not None
                self.problem(second.key, f"expected one of {' and '.join(given)}, found both")
            elif not given and group not in kind.at_most_one:
                self.problem(head(node), f"this {kind.name} lacks {' or '.join(group)}", "DP107")


def head(node: Node) -> Span:
    """Return the place to report something about a whole node: its first key, or where it begins."""
    if isinstance(node, Mapping) and node.entries:
        return node.entries[0].key.span
    if isinstance(node, Scalar):
        return node.span
    return Span.point(node.span.line, node.span.column)


def hint(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean X?``, or what there is where nothing is near."""
    names = list(dict.fromkeys(known))
    near = get_close_matches(name, names, 1) or get_close_matches(
        name.casefold(), [n for n in names if n.casefold() == name.casefold()], 1, 0.0
    )
    if near:
        return f"did you mean {near[0]}?"
    if not names:
        return "there are none"
    return f"expected one of {', '.join(names[:20])}" + (" ..." if len(names) > 20 else "")


def finite(value: object) -> float | None:
    """Return a number as a finite double, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _whole(node: Node) -> tuple[float | None, str]:
    """Return the whole number that a node is, also one too long to be read exactly, and its text."""
    if not isinstance(node, Scalar) or type(node.value) not in (int, float):
        return None, ""
    if isinstance(node.value, float) and not _DIGITS.fullmatch(node.text):
        return None, ""
    return node.value, node.text  # type: ignore[return-value]


def found(node: Node) -> str:
    """Name what stands there: its kind, and its value where it is a number or text."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    if isinstance(node.value, str):
        return f"the text {_quoted(node.value)}"
    return f"the number {_short(node.text)}"


def plain_value(node: Node) -> object:
    """Return a node as plain dicts, tuples and values."""
    if isinstance(node, Mapping):
        return {entry.key.text: plain_value(entry.value) for entry in node.entries}
    if isinstance(node, Sequence):
        return tuple(plain_value(item) for item in node.items)
    return node.value


def name_problem(value: str) -> str | None:
    """Return what keeps a text from being a name, None for a good one."""
    if "::" in value:
        return f"expected a name without '::', found {_quoted(value)}"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value):
        return "expected a name on one line, found a line break or control character"
    if value != value.strip():
        return f"expected a name without blanks around it, found {_quoted(value)}"
    return None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _quoted(text: str) -> str:
    """Return text in double quotes, escaped and short enough for one line."""
    import json

    return json.dumps(_short(text), ensure_ascii=False)
