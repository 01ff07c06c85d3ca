"""The rules and lists that an expression names of ``outcome``, so that a misspelt one does not hold for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from dialproof.cel import ast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Named", "names_of_outcome"]

_KINDS: Mapping[str, Literal["rule", "list"]] = {
    "outcome.matched": "rule",
    "outcome.undecided": "rule",
    "outcome.lists": "list",
}
"""What holds names -> of what."""


class Named(NamedTuple):
    """A name in an expression, from ``start`` to ``end`` of its text."""

    kind: Literal["rule", "list"]
    name: str
    start: int
    end: int


def names_of_outcome(node: ast.Node) -> Iterator[Named]:
    """Yield the names in ``"RULE" in outcome.matched`` (or undecided), ``"ID" in outcome.lists``, ``outcome.lists.ID``.

    A name that is computed is none of them.
    """
    parts = ast.path(node)
    if parts is not None:
        if parts[:2] == ["outcome", "lists"] and len(parts) > 2:
            place = node.key if isinstance(node, ast.Index) else node
            yield Named("list", ".".join(parts[2:]), place.start, place.end)
        return
    if isinstance(node, ast.Call) and node.function == "in":
        item, listed = node.arguments
        kind = _KINDS.get(".".join(ast.path(listed) or ()))
        if kind is not None and isinstance(item, ast.Literal) and isinstance(item.value, str):
            yield Named(kind, item.value, item.start, item.end)
    for child in ast.children(node):
        yield from names_of_outcome(child)
