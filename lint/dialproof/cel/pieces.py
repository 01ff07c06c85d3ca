"""Pieces of CEL text: each writes itself and returns the tree that cel-python parses its text to.

A node reaches from its first token to its last one, of which brackets are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dialproof.cel.ast import Call, Identifier, Index, ListLiteral, Literal, Select

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialproof.cel.ast import Node

    Piece: TypeAlias = Callable[["Writer"], Node]

__all__ = [
    "Piece",
    "Writer",
    "bracketed",
    "call",
    "constant",
    "index",
    "list_of",
    "method",
    "name",
    "negated",
    "operation",
    "quote",
    "quoted",
    "select",
]


def quote(text: str) -> str:
    """Return a CEL string literal."""
    out = []
    for character in text:
        if character in '"\\':
            out.append("\\" + character)
        elif character < " " or character in "\x7f\x85\u2028\u2029":
            out.append(f"\\u{ord(character):04x}")
        else:
            out.append(character)
    return '"' + "".join(out) + '"'


class Writer:
    """What pieces write to."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._at = 0

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)

    def put(self, text: str) -> tuple[int, int]:
        """Add some text; return where it begins and ends."""
        start = self._at
        self._at += len(text)
        self._parts.append(text)
        return start, self._at


def constant(text: str, value: float | str | bool) -> Piece:
    """Return a literal, with the value that its text has."""
    return lambda out: Literal(value, *out.put(text))


def quoted(text: str) -> Piece:
    """Return the literal of a text."""
    return constant(quote(text), text)


def name(name: str) -> Piece:
    """Return a variable."""
    return lambda out: Identifier(name, *out.put(name))


def select(operand: Piece, field: str) -> Piece:
    """Return ``operand.field``."""

    def write(out: Writer) -> Node:
        inner = operand(out)
        out.put(".")
        return Select(inner, field, inner.start, out.put(field)[1])

    return write


def index(operand: Piece, key: str) -> Piece:
    """Return ``operand["key"]``."""

    def write(out: Writer) -> Node:
        inner = operand(out)
        out.put("[")
        written = quoted(key)(out)
        out.put("]")
        return Index(inner, written, inner.start, written.end)

    return write


def call(function: str, argument: Piece) -> Piece:
    """Return ``function(argument)``; with ``!`` as the function its negation."""

    def write(out: Writer) -> Node:
        start, _ = out.put(function)
        inner = bracketed(argument)(out)
        return Call(function, None, (inner,), start, inner.end)

    return write


def method(target: Piece, function: str, argument: Piece) -> Piece:
    """Return ``target.function(argument)``."""

    def write(out: Writer) -> Node:
        operand = target(out)
        out.put(f".{function}")
        inner = bracketed(argument)(out)
        return Call(function, operand, (inner,), operand.start, inner.end)

    return write


def operation(left: Piece, sign: str, right: Piece) -> Piece:
    """Return ``left sign right``."""

    def write(out: Writer) -> Node:
        one = left(out)
        out.put(f" {sign} ")
        other = right(out)
        return Call(sign, None, (one, other), one.start, other.end)

    return write


def negated(operand: Piece) -> Piece:
    """Return ``!operand``, for an operand that needs no brackets."""

    def write(out: Writer) -> Node:
        start, _ = out.put("!")
        inner = operand(out)
        return Call("!", None, (inner,), start, inner.end)

    return write


def bracketed(inner: Piece) -> Piece:
    """Return ``(inner)``."""

    def write(out: Writer) -> Node:
        out.put("(")
        tree = inner(out)
        out.put(")")
        return tree

    return write


def list_of(items: Sequence[Piece]) -> Piece:
    """Return ``[item, item]``, of at least one item."""

    def write(out: Writer) -> Node:
        out.put("[")
        nodes = [items[0](out)]
        for item in items[1:]:
            out.put(", ")
            nodes.append(item(out))
        out.put("]")
        return ListLiteral(tuple(nodes), nodes[0].start, nodes[-1].end)

    return write
