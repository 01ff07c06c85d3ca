"""The syntax tree of an expression: what every reader of CEL here (types, compiler, analysis) works on.

``start`` and ``end`` are offsets of characters in the expression's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Call", "Conditional", "Identifier", "Index", "ListLiteral", "Literal", "Node", "Other", "Select"]


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
    the unary minus is ``neg``.
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

    ``what`` names it; ``parts`` are the expressions inside of it.
    """

    what: str
    parts: tuple[Node, ...]
    start: int
    end: int


Node: TypeAlias = Literal | Identifier | Select | Index | Call | Conditional | ListLiteral | Other
