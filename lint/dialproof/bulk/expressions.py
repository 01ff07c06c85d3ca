"""Conditions as expressions over columns of contacts: of Narwhals for any engine, of Polars for batches in memory.

The two are written alike; but for Narwhals to make those of Polars takes as long as to run them over a small batch.

A verdict is a column of booleans of three values: true, false, and null for undecided. Such a column is two masks, one
that says which rows are decided and one that says which of them are true; ``&``, ``|`` and ``~`` on it are strong
Kleene logic, as ``&&``, ``||`` and ``!`` are. What cannot be expressed raises :class:`Inexpressible`.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals as nw

from dialproof.cel.ast import Call, Conditional, Identifier, Index, ListLiteral, Select
from dialproof.cel.ast import Literal as LiteralNode
from dialproof.cel.compile import READERS
from dialproof.cel.values import parse_datetime, parse_duration
from dialproof.cel.variables import KINDS, Slot, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dialproof.cel.ast import Node
    from dialproof.cel.values import Kind, Variable
    from dialproof.model.contactlist import ContactList
    from dialproof.view import View

__all__ = ["Expr", "Inexpressible", "Term", "Translator"]

Expr: TypeAlias = Any
"""An expression of Narwhals, or of Polars."""

_DTYPES = {"text": "String", "number": "Float64", "boolean": "Boolean", "timestamp": "Int64"}
"""Kind of a reading -> what both call the type of its column."""

_TERM_TYPES = {"text": "string", "number": "number", "boolean": "boolean", "timestamp": "time"}
_COMPARISONS: Mapping[str, Callable[[Any, Any], Expr]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Expr]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_FAR = 2**62


class Inexpressible(Exception):  # noqa: N818  (not an error: a request to use the row function)
    """The condition is no expression over columns; the text says what it holds."""


@dataclass(frozen=True)
class Term:
    """A part of a condition; ``computed`` numbers may be infinite or NaN. A time or a duration is in microseconds.

    ``constant`` is its value where that stands in the text, else None.
    """

    expr: Expr
    type: str
    computed: bool = False
    constant: float | str | bool | None = None


class Translator:
    """Translates the conditions of a campaign; ``reading`` returns a column as it is read under a kind.

    ``view`` is that of a contact without columns: the clock, the zone and the context. ``re2`` says that the engine's
    patterns are those of RE2, as CEL's are. ``of`` is the module whose expressions are made: Narwhals, or Polars.
    """

    def __init__(
        self,
        contact_list: ContactList,
        view: View,
        reading: Callable[[str, Kind], Expr],
        *,
        re2: bool = False,
        of: Any = nw,
    ) -> None:
        self._contact_list = contact_list
        self._view = view
        self._read = reading
        self._re2 = re2
        self._of = of

    def verdict(self, node: Node) -> Expr:
        """Return the expression of a condition that type-checks; raises :class:`Inexpressible`."""
        term = self._term(node)
        if term.type != "boolean":
            raise Inexpressible(f"a {term.type}")
        return term.expr

    def _term(self, node: Node) -> Term:
        if isinstance(node, LiteralNode):
            return self._literal(node)
        if isinstance(node, (Identifier, Select, Index)):
            return self._variable(node, None)
        if isinstance(node, Conditional):
            return self._conditional(node)
        if isinstance(node, Call):
            return self._call(node)
        raise Inexpressible("a list" if isinstance(node, ListLiteral) else node.what)

    def _variable(self, node: Node, kind: Kind | None) -> Term:
        """Return the reading of a variable, under another kind than its own where one is given."""
        variable, native = resolve(node, self._contact_list)
        if variable is None or native not in KINDS:
            raise Inexpressible("a value that is no column of the contact list")
        kind = kind or KINDS[native]
        return self._constant(variable, kind) if variable.source != "contact" else self._reading(variable.name, kind)

    def _reading(self, name: str, kind: Kind) -> Term:
        return Term(self._read(name, kind), _TERM_TYPES[kind])

    def _constant(self, variable: Variable, kind: Kind) -> Term:
        value: Any = self._view.slot(Slot(variable, kind))
        return Term(self._of.lit(value, dtype=getattr(self._of, _DTYPES[kind])), _TERM_TYPES[kind])

    def _conditional(self, node: Conditional) -> Term:
        test, then, otherwise = self._term(node.test), self._term(node.then), self._term(node.otherwise)
        chosen = self._of.when(test.expr).then(then.expr).otherwise(otherwise.expr)
        return Term(self._of.when(~test.expr.is_null()).then(chosen), then.type, then.computed or otherwise.computed)

    def _call(self, node: Call) -> Term:
        name, arguments = node.function, node.arguments
        if name in ("&&", "||"):
            return Term(reduce(and_ if name == "&&" else or_, [self._term(a).expr for a in arguments]), "boolean")
        if name == "!":
            return Term(~self._term(arguments[0]).expr, "boolean")
        atom = self._atom(node)
        if atom is not None:
            return Term(atom, "boolean")
        if name in _COMPARISONS:
            return self._comparison(name, self._term(arguments[0]), self._term(arguments[1]))
        if name == "in":
            return self._membership(node)
        if name in ("+", "-", "*", "/", "neg"):
            return self._arithmetic(node)
        if name in ("contains", "startsWith", "endsWith") or (name == "matches" and self._re2):
            return self._method(node)
        if name == "size":
            text = self._term(node.target if node.target is not None else arguments[0])
            return Term(text.expr.str.len_chars().cast(self._of.Float64), "number")
        if name == "has":
            return Term(~self._variable(arguments[0], None).expr.is_null(), "boolean")
        if name in READERS and isinstance(arguments[0], (Identifier, Select, Index)):
            return self._variable(arguments[0], KINDS[READERS[name]])
        if name in ("datetime", "timestamp", "duration") and isinstance(arguments[0], LiteralNode):
            return self._time(name, str(arguments[0].value))
        raise Inexpressible(f"the function {name}()")

    def _atom(self, _node: Call) -> Expr | None:
        """Return what decides a part in another way than by the operations that stand in it, if there is any."""
        return None

    def _time(self, name: str, text: str) -> Term:
        value = parse_duration(text) if name == "duration" else parse_datetime(text, self._view.zone)
        if value is not None and abs(value) > _FAR:
            raise Inexpressible("a duration of more than a hundred thousand years")
        return Term(
            self._of.lit(value, dtype=self._of.Int64), "duration" if name == "duration" else "time", constant=value
        )

    def _comparison(self, sign: str, left: Term, right: Term) -> Term:
        if left.type not in ("string", "number", "boolean", "time", "duration"):
            raise Inexpressible(f"{sign} between values of type {left.type}")
        compared = _COMPARISONS[sign](left.expr, right.expr)
        if left.computed or right.computed:
            # NaN equals nothing and has no order; Polars has another opinion.
            both = ~left.expr.is_null() & ~right.expr.is_null()
            no_number = both & (left.expr.is_nan() | right.expr.is_nan())
            compared = self._of.when(no_number).then(self._of.lit(sign == "!=")).otherwise(compared)
        return Term(compared, "boolean")

    def _membership(self, node: Call) -> Term:
        left, listed = self._term(node.arguments[0]), node.arguments[1]
        if not isinstance(listed, ListLiteral):
            raise Inexpressible("a list that is no literal")
        items = [self._term(item) for item in listed.items]
        constants = [item.constant for item in items]
        if items and None not in constants:
            return Term(left.expr.is_in(constants), "boolean")
        tests = [self._comparison("==", left, item).expr for item in items]
        # One undecided item leaves it undecided, whatever the others are.
        unknown = reduce(or_, [term.expr.is_null() for term in (left, *items)])
        return Term(self._of.when(~unknown).then(reduce(or_, tests, self._of.lit(value=False))), "boolean")

    def _arithmetic(self, node: Call) -> Term:
        terms = [self._term(a) for a in node.arguments]
        left, right, name = terms[0], terms[-1], node.function
        if name == "-" and left.type == right.type == "time":
            return Term(left.expr - right.expr, "duration")
        if any(term.type != "number" for term in terms):
            raise Inexpressible(f"{name} between values of type {left.type} and {right.type}")
        if name == "neg":
            return Term(left.expr * -1.0, "number", left.computed)
        return Term(_ARITHMETIC[name](left.expr, right.expr), "number", computed=True)

    def _method(self, node: Call) -> Term:
        assert node.target is not None
        part = node.arguments[0]
        if not isinstance(part, LiteralNode) or not isinstance(part.value, str):
            raise Inexpressible(f"{node.function}() with a text that is no literal")
        text = self._term(node.target).expr.str
        if node.function in ("contains", "matches"):
            return Term(text.contains(part.value, literal=node.function == "contains"), "boolean")
        return Term((text.starts_with if node.function == "startsWith" else text.ends_with)(part.value), "boolean")

    def _literal(self, node: LiteralNode) -> Term:
        value = node.value
        if isinstance(value, bool):
            return Term(self._of.lit(value), "boolean", constant=value)
        if isinstance(value, float):
            return Term(self._of.lit(value), "number", constant=value)
        if isinstance(value, str):
            return Term(self._of.lit(value), "string", constant=value)
        raise Inexpressible("null" if value is None else "a bytes literal")
