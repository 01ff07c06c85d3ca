"""Reads invariants: statements in CEL, and ready-made ones by name, which are expanded to CEL."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

from dialproof.cel.pieces import quote
from dialproof.cel.text import column_text
from dialproof.cel.values import number_text
from dialproof.model.composed import Composed
from dialproof.model.parse_base import INVALID, Fields, Reader, head
from dialproof.model.rules import Invariant, When
from dialproof.model.schema import Text
from dialproof.model.schema_invariants import READY_INVARIANTS, STATEMENT
from dialproof.source import Mapping, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dialproof.model.composed import Piece

    _Expansion: TypeAlias = tuple[str, tuple[Piece, ...]]

__all__ = ["cel_of", "read_invariant", "read_time_of_day"]

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def read_invariant(reader: Reader, node: Node, label: str) -> Any:
    """Return the :class:`Invariant` of a node."""
    if not isinstance(node, Mapping):
        return reader.expected(node, label, "a mapping with name and always, never or implies, or with use")
    if "use" in node:
        return _ready_made(reader, node, label)
    fields = reader.record(STATEMENT, node, label)
    if fields is INVALID:
        return INVALID
    if ("when" in node) != ("implies" in node):
        lacking, given = ("implies", "when") if "when" in node else ("when", "implies")
        return reader.problem(head(node), f"this invariant lacks {lacking}, which {given} needs", "DP107")
    key = next(key for key in ("always", "never", "implies") if key in node)
    statement = _scalar(node, key)
    if key == "always":
        return _invariant(reader, fields, fields.get("name"), statement)
    if key == "never":
        return _invariant(reader, fields, fields.get("name"), Composed(*_negated(statement)))
    pieces = (*_negated(_scalar(node, "when")), (" || (", statement), *_verbatim(statement), (")", statement))
    return _invariant(reader, fields, fields.get("name"), Composed(*pieces))


def cel_of(node: Mapping) -> Iterator[Scalar]:
    """Yield the CEL that is written in an invariant, right or wrong."""
    for key in ("always", "never", "when", "implies"):
        value = node.get(key)
        if isinstance(value, Scalar) and isinstance(value.value, str):
            yield value


def _scalar(node: Mapping, key: str) -> Scalar:
    value = node.get(key)
    assert isinstance(value, Scalar)
    return value


def _negated(statement: Scalar) -> tuple[Piece, ...]:
    return ("!(", statement), *_verbatim(statement), (")", statement)


def _verbatim(statement: Scalar) -> tuple[Piece, ...]:
    """Return what is written, and a line break behind a comment, which would swallow our words."""
    return ((statement.text, statement), *((("\n", statement),) if "//" in statement.text else ()))


def _invariant(reader: Reader, fields: Fields, name: str, statement: Scalar | Composed) -> Invariant:
    span = fields.node.span
    return Invariant(name, When(statement.text, span, statement), span, reader.path)


# Ready-made invariants.


def _ready_made(reader: Reader, node: Mapping, label: str) -> Any:
    written = node.get("use")
    assert written is not None
    use = reader.text(Text(), written, "use")
    if use is INVALID:
        return INVALID
    if use not in READY_INVARIANTS:
        return reader.unknown(written, f"there is no ready-made invariant {use!r}", use, READY_INVARIANTS)
    fields = reader.record(READY_INVARIANTS[use], node, label)
    if fields is INVALID:
        return INVALID
    try:
        name, pieces = _EXPANSIONS[use](fields)
    except _MisfitError as error:
        return reader.problem(fields.span(error.key), f"{error.key}: {error}")
    return _invariant(reader, fields, fields.get("name", name), Composed(*pieces))


class _MisfitError(ValueError):
    """Options that do not fit together; ``key`` is the one to change."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _words(fields: Fields) -> Callable[[str], Piece]:
    """Return what makes pieces of words of ours: their place is that of ``use``."""
    return lambda text: (text, _scalar(fields.node, "use"))


def _column(fields: Fields, key: str) -> Piece:
    return column_text(str(fields.get(key))), _scalar(fields.node, key)


def _literal(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    text = number_text(float(value))
    return text if "." in text else f"{text}.0"


def _no_dial_without_consent(fields: Fields) -> _Expansion:
    value, node, words = fields.get("value"), fields.node.get("value"), _words(fields)
    assert node is not None
    if value == ():
        raise _MisfitError("value", "expected at least one item, found an empty list")
    if isinstance(value, tuple):
        wanted = (f" in [{', '.join(map(_literal, value))}]", node)
    else:
        wanted = (f" == {_literal(value)}", node)
    return "no dial without consent", (words("!outcome.dial || "), _column(fields, "column"), wanted)


def _no_dial_outside_hours(fields: Fields) -> _Expansion:
    begin, end = fields.get("from", "08:00"), fields.get("to", "21:00")
    if begin >= end:
        raise _MisfitError("to", f"expected a time after {begin}, found {end}")
    words = _words(fields)
    if "timeZone" not in fields.values:
        outside = f'context.now.timeOfDay < "{begin}" || context.now.timeOfDay >= "{end}"'
        pieces: tuple[Piece, ...] = (words(f"!(outcome.dial && ({outside}))"),)
    else:
        zone, where = _column(fields, "timeZone")
        time, low, high = f"now.getHours({zone})", f"{int(begin[:2])}.0", f"{int(end[:2])}.0"
        if not (begin.endswith(":00") and end.endswith(":00")):
            time = f"now.getHours({zone}) * 60.0 + now.getMinutes({zone})"
            low, high = _minutes(begin), _minutes(end)
        # without a zone it would be the time of Greenwich
        outside = f'{zone} == "" || {time} < {low} || {time} >= {high}'
        pieces = (words("!(outcome.dial && ("), (outside, where), words("))"))
    return f"no dial outside {begin}-{end} local time", pieces


def _minutes(time: str) -> str:
    return f"{int(time[:2]) * 60 + int(time[3:])}.0"


def _attempt_limit(fields: Fields) -> _Expansion:
    attempts, days, words = fields.get("attempts"), fields.get("days"), _words(fields)
    last = _column(fields, "last") if "last" in fields.values else words("context.lastAttempt.overall")
    name = f"at most {attempts} attempt{'s' if attempts > 1 else ''} in {days} day{'s' if days > 1 else ''}"
    return name, (
        words("!outcome.dial || "), _column(fields, "column"), words(f" < {attempts}.0 || now - "), last,
        words(f' >= duration("{days * 24}h")'),
    )  # fmt: skip


def _exclusive_lists(fields: Fields) -> _Expansion:
    lists, words = fields.get("lists"), _words(fields)
    if len(set(lists)) < 2:
        raise _MisfitError("lists", "expected two lists or more, found one")
    members = [f"{quote(name)} in outcome.lists && outcome.lists[{quote(name)}]" for name in dict.fromkeys(lists)]
    pairs = " && ".join(f"!({one} && {other})" for one, other in combinations(members, 2))
    return f"never on two of {', '.join(dict.fromkeys(lists))}", (words(pairs),)


_EXPANSIONS: dict[str, Callable[[Fields], _Expansion]] = {
    "noDialWithoutConsent": _no_dial_without_consent,
    "noDialOutsideHours": _no_dial_outside_hours,
    "attemptLimit": _attempt_limit,
    "exclusiveLists": _exclusive_lists,
}
"""Name -> what makes a name and the pieces of its CEL of the options; raises where they do not fit together."""


def read_time_of_day(reader: Reader, node: Node, label: str) -> Any:
    """Return a time of the day as HH:MM."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, str) and _TIME.fullmatch(value):
        return value
    return reader.expected(node, label, 'a time of the day such as "08:00"')
