"""The syntax tree of an expression: what every reader of CEL here (types, compiler, analysis) works on.

``start`` and ``end`` are offsets of characters in the expression's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "MACROS",
    "Call",
    "Conditional",
    "Identifier",
    "Index",
    "ListLiteral",
    "Literal",
    "Node",
    "Other",
    "Select",
    "children",
    "path",
]

MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
"""The comprehensions of CEL: ``list.all(x, condition)``."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A double, string, boolean, null or bytes; integer literals are doubles already (every number here is one)."""

    value: float | str | bool | bytes | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Identifier:
    """A variable."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Select:
    """``operand.field``."""

    operand: Node
    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Index:
    """``operand[key]``."""

    operand: Node
    key: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function, a method (``target`` set) or an operator.

    Operators are calls named by their CEL sign: ``&&  ||  !  ==  !=  <  <=  >  >=  in  +  -  *  /  %``;
    the unary minus is ``neg``. A chain of ``&&`` or of ``||`` is one call with all its operands, two or more.
    """

    function: str
    target: Node | None
    arguments: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """``test ? then : otherwise``."""

    test: Node
    then: Node
    otherwise: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """``[a, b]``."""

    items: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Other:
    """A construct that only cel-python evaluates (maps, messages, comprehension macros).

    ``what`` names it; ``parts`` are the expressions inside of it: of a comprehension the range, the variable and the
    body.
    """

    what: str
    parts: tuple[Node, ...]
    start: int
    end: int


Node: TypeAlias = Literal | Identifier | Select | Index | Call | Conditional | ListLiteral | Other


def children(node: Node) -> tuple[Node, ...]:
    """Return the expressions directly inside of a node, in the order of the text."""
    if isinstance(node, Select):
        return (node.operand,)
    if isinstance(node, Index):
        return (node.operand, node.key)
    if isinstance(node, Call):
        return (*((node.target,) if node.target is not None else ()), *node.arguments)
    if isinstance(node, Conditional):
        return (node.test, node.then, node.otherwise)
    if isinstance(node, ListLiteral):
        return node.items
    return node.parts if isinstance(node, Other) else ()


def path(node: Node) -> list[str] | None:
    """Return the parts of ``a.b["c"]``, None for what is no variable followed by constant fields."""
    parts: list[str] = []
    while True:
        if isinstance(node, Select):
            parts.append(node.field)
            node = node.operand
        elif isinstance(node, Index) and isinstance(node.key, Literal) and isinstance(node.key.value, str):
            parts.append(node.key.value)
            node = node.operand
        else:
            return [node.name, *reversed(parts)] if isinstance(node, Identifier) else None
