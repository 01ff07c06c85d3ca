"""The changes that are made to a condition in CEL: those of conditions, found in its syntax tree.

Comprehensions (``all``, ``exists`` ...) and what stands inside of maps are not changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dialproof.analysis.atoms import cel_text
from dialproof.cel.ast import Call, Conditional, Index, ListLiteral, Node, Select
from dialproof.cel.ast import Literal as LiteralNode
from dialproof.cel.values import parse_duration
from dialproof.mutation.neighbours import shifted, shifted_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Change", "changes_of"]

_BOUNDARIES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_CHAINS = {"&&": "||", "||": "&&"}


@dataclass(frozen=True, slots=True)
class Change:
    """``before`` (``text[start:end]`` begins it) becomes ``after``; ``text`` is the whole condition then."""

    kind: Literal["boundary", "constant", "dropped", "inverted", "junction", "element"]
    start: int
    end: int
    before: str
    after: str
    text: str


def changes_of(tree: Node) -> Iterator[Change]:
    """Yield every change of a condition, in the order of its text."""
    try:
        cel_text(tree)
    except ValueError:  # a construct without a text of ours
        return
    for kind, node, other, whole in _changes(tree, lambda changed: changed):
        yield Change(kind, node.start, node.end, cel_text(node), cel_text(other), cel_text(whole))  # type: ignore[arg-type]
    if not _is_chain(tree):
        turned = _turned(tree)
        yield Change("inverted", tree.start, tree.end, cel_text(tree), cel_text(turned), cel_text(turned))


def _changes(node: Node, put: Callable[[Node], Node]) -> Iterator[tuple[str, Node, Node, Node]]:
    """Yield kind, node, what stands in its place, and the whole tree with it."""

    def to(kind: str, other: Node, at: Node = node) -> tuple[str, Node, Node, Node]:
        return kind, at, other, put(other)

    if isinstance(node, LiteralNode) and isinstance(node.value, float):
        yield from (to("constant", replace(node, value=node.value + by)) for by in (-1, 1))
    elif isinstance(node, Call):
        if node.function in _BOUNDARIES:
            yield to("boundary", replace(node, function=_BOUNDARIES[node.function]))
        if node.function in _CHAINS:
            yield to("junction", replace(node, function=_CHAINS[node.function]))
            yield from _of_operands(node, put)
        if node.function == "in" and isinstance(node.arguments[1], ListLiteral):
            yield from _without_one(node, node.arguments[1], put)
        moved = list(_moved(node))
        yield from (to("constant", other) for other in moved)
        if moved:
            return
    yield from _below(node, put)


def _below(node: Node, put: Callable[[Node], Node]) -> Iterator[tuple[str, Node, Node, Node]]:
    if isinstance(node, Select | Index):
        yield from _changes(node.operand, lambda other: put(replace(node, operand=other)))
    elif isinstance(node, Conditional):
        yield from _changes(node.test, lambda other: put(replace(node, test=other)))
        yield from _changes(node.then, lambda other: put(replace(node, then=other)))
        yield from _changes(node.otherwise, lambda other: put(replace(node, otherwise=other)))
    elif isinstance(node, ListLiteral):
        for place, item in enumerate(node.items):
            yield from _changes(item, lambda o, p=place: put(replace(node, items=_with(node.items, p, o))))  # type: ignore[misc]
    elif isinstance(node, Call):
        if node.target is not None:
            yield from _changes(node.target, lambda other: put(replace(node, target=other)))
        for place, argument in enumerate(node.arguments):
            yield from _changes(
                argument,
                lambda o, p=place: put(replace(node, arguments=_with(node.arguments, p, o))),  # type: ignore[misc]
            )


def _of_operands(chain: Call, put: Callable[[Node], Node]) -> Iterator[tuple[str, Node, Node, Node]]:
    """Yield a chain without each of its operands, and with each of them turned round."""
    for place, operand in enumerate(chain.arguments):
        left = (*chain.arguments[:place], *chain.arguments[place + 1 :])
        shorter = replace(chain, arguments=left) if len(left) > 1 else left[0]
        yield "dropped", chain, shorter, put(shorter)
        if not _is_chain(operand):
            turned = _turned(operand)
            yield "inverted", operand, turned, put(replace(chain, arguments=_with(chain.arguments, place, turned)))


def _without_one(
    node: Call, values: ListLiteral, put: Callable[[Node], Node]
) -> Iterator[tuple[str, Node, Node, Node]]:
    """Yield ``x in [...]`` without each of the values."""
    for place in range(len(values.items) if len(values.items) > 1 else 0):
        left = replace(values, items=(*values.items[:place], *values.items[place + 1 :]))
        other = replace(node, arguments=(node.arguments[0], left))
        yield "element", node, other, put(other)


def _moved(node: Call) -> Iterator[Call]:
    """Yield ``datetime("...")`` or ``duration("...")`` one less and one more."""
    first = node.arguments[0] if len(node.arguments) == 1 and node.target is None else None
    if not isinstance(first, LiteralNode) or not isinstance(first.value, str):
        return
    for by in (-1, 1):
        text: object = None
        if node.function in ("datetime", "timestamp"):
            text = shifted(first.value, "datetime", "", by)
        elif node.function == "duration" and (micros := parse_duration(first.value)) is not None:
            text = f"{shifted_span(micros, by) // 1_000_000}s"
        if isinstance(text, str):
            yield replace(node, arguments=(replace(first, value=text),))


def _turned(node: Node) -> Node:
    if isinstance(node, Call) and node.function == "!":
        return node.arguments[0]
    return Call("!", None, (node,), node.start, node.end)


def _with(nodes: tuple[Node, ...], place: int, other: Node) -> tuple[Node, ...]:
    return (*nodes[:place], other, *nodes[place + 1 :])


def _is_chain(node: Node) -> bool:
    return isinstance(node, Call) and node.function in _CHAINS
