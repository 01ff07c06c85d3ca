"""Conditions as CEL text: what ``dialproof cel FILE`` shows, and what every path evaluates.

In that text ``contact`` holds the columns by the types of the contact list (a blank text is ``""``; a blank or
unreadable value of another type is an error), ``text`` every column as text (``""`` if blank), ``context`` what
surrounds the call, and ``now`` the clock. ``number``, ``boolean`` and ``datetime`` read a text, ``fold``
folds its case.

It is put together of pieces that know their trees, so that no condition has to be parsed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dialproof.cel import pieces
from dialproof.cel.values import (
    compile_pattern,
    fold,
    number_text,
    parse_boolean,
    parse_datetime,
    parse_number,
    parse_period,
)
from dialproof.model.contactlist import VALUE_TYPES
from dialproof.model.operators import NEGATED, OPERATORS, context_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.cel.ast import Node
    from dialproof.cel.pieces import Piece
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Condition, ValueType

__all__ = ["ConditionError", "column_text", "compares_numbers", "condition_cel", "condition_text", "condition_type"]

_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_RESERVED = frozenset(
    {
        *("as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let"),
        *("loop", "namespace", "null", "package", "return", "true", "var", "void", "while"),
    }
)
_COMPARISONS: Mapping[str, str] = {
    "equals": "==",
    "notEquals": "!=",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
    "before": "<",
    "after": ">",
}
_METHODS: Mapping[str, str] = {
    "contains": "contains",
    "beginsWith": "startsWith",
    "endsWith": "endsWith",
    "matches": "matches",
}
_DEEP = 20
"""Points in the name of a column, from which on the parser has to say whether its path nests too deeply."""
_ORDER = frozenset({"lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "between"})


class ConditionError(ValueError):
    """The condition has no meaning: what was found and what was expected, in one sentence."""


def condition_type(condition: Condition, columns: ContactList) -> ValueType:
    """Return the type under which a condition compares: as written, else that of the column, else string."""
    if condition.type is not None:
        return condition.type
    if condition.source == "context":
        return context_type(condition.subject) or "string"
    column = columns.columns.get(condition.subject)
    return "string" if column is None else VALUE_TYPES[column.type]


def compares_numbers(condition: Condition, kind: ValueType) -> bool:
    """Tell whether an order comparison of type string compares numbers, because its value is one (DP104)."""
    if kind != "string" or condition.operator not in _ORDER:
        return False
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    return all(_number(v) is not None for v in values)


def condition_text(condition: Condition, columns: ContactList, *, case_sensitive: bool = True) -> str:
    """Return the CEL text of a condition; raises :class:`ConditionError` where its value does not fit."""
    return condition_cel(condition, columns, case_sensitive=case_sensitive)[0]


def condition_cel(
    condition: Condition, columns: ContactList, *, case_sensitive: bool = True
) -> tuple[str, Node | None]:
    """Return the CEL text of a condition and its tree; raises :class:`ConditionError` where its value does not fit.

    The tree is None where only parsing the text tells whether it nests too deeply.
    """
    piece = _condition(condition, columns, case_sensitive)
    out = pieces.Writer()
    tree = (pieces.call("!", piece) if condition.inverted else piece)(out)
    return out.text, tree if condition.subject.count(".") < _DEEP else None


def _condition(condition: Condition, columns: ContactList, case_sensitive: bool) -> Piece:
    kind = condition_type(condition, columns)
    operator = condition.operator
    shape, kinds = OPERATORS[operator]
    if kind not in kinds:
        raise ConditionError(f"operator {operator} does not compare values of type {kind}")
    if compares_numbers(condition, kind):
        kind = "number"
    if shape == "none":
        return pieces.operation(_operand_text(condition), "==" if operator == "notExists" else "!=", pieces.quoted(""))
    folded = kind == "string" and not case_sensitive
    operand = _operand(condition, columns, kind)
    if folded and operator != "matches":
        operand = pieces.call("fold", operand)
    return _applied(operator, operand, [_literal(v, kind, folded, operator) for v in _values(condition, shape)])


def _applied(operator: str, operand: Piece, literals: Sequence[Piece]) -> Piece:
    if operator in _COMPARISONS:
        return pieces.operation(operand, _COMPARISONS[operator], literals[0])
    if operator == "between":
        low, high = literals
        at_least, at_most = pieces.operation(operand, ">=", low), pieces.operation(operand, "<=", high)
        return pieces.bracketed(pieces.operation(at_least, "&&", at_most))
    positive = NEGATED.get(operator, operator)
    if positive == "in":
        piece = pieces.operation(operand, "in", pieces.list_of(literals))
        return pieces.call("!", piece) if operator == "notIn" else piece
    piece = pieces.method(operand, _METHODS[positive], literals[0])
    return pieces.negated(piece) if operator in NEGATED else piece


def _values(condition: Condition, shape: str) -> tuple[str | float | bool | None, ...]:
    value = condition.value
    values = value if isinstance(value, tuple) else (value,)
    if shape == "one" and (isinstance(value, tuple) or value is None):
        raise ConditionError(f"operator {condition.operator} takes one value")
    if shape in ("list", "pair") and not isinstance(value, tuple):
        raise ConditionError(f"operator {condition.operator} takes a list of values")
    if shape == "pair" and len(values) != 2:
        raise ConditionError(f"operator between takes [low, high], found {len(values)} values")
    if not values:
        raise ConditionError(f"operator {condition.operator} takes at least one value")
    return values


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    return parse_number(value) if isinstance(value, str) else None


def _literal(value: object, kind: ValueType, folded: bool, operator: str) -> Piece:
    if kind == "number":
        number = _number(value)
        if number is None:
            raise ConditionError(f"expected a number, found {value!r}")
        text = number_text(number)
        text = text if "." in text else f"{text}.0"
        return pieces.constant(text, float(text))
    if kind == "boolean":
        truth = value if isinstance(value, bool) else parse_boolean(value) if isinstance(value, str) else None
        if truth is None:
            raise ConditionError(f"expected true or false, found {value!r}")
        return pieces.constant("true" if truth else "false", truth)
    if kind == "period":
        span = parse_period(value) if isinstance(value, str) else None
        if span is None:
            raise ConditionError(f"expected a period such as P7DT0H0M, found {value!r}")
        return pieces.call("duration", pieces.quoted(f"{span // 1_000_000}s"))
    if kind == "datetime":
        if not isinstance(value, str) or parse_datetime(value, None) is None:
            raise ConditionError(f"expected a date or time such as 2026-03-07T10:00:00Z, found {value!r}")
        return pieces.call("datetime", pieces.quoted(value))
    text = value if isinstance(value, str) else _plain(value)
    if operator == "matches":
        _check_pattern(text)
        return pieces.quoted(f"(?i){text}" if folded else text)
    if not text and (operator in _METHODS or operator in NEGATED) and operator not in ("notEquals", "notIn"):
        raise ConditionError(f'operator {operator} with "" holds for every contact or for none')
    return pieces.quoted(fold(text) if folded else text)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(float(value)) if isinstance(value, (int, float)) else ""


def _check_pattern(pattern: str) -> None:
    try:
        compile_pattern(pattern)
    except ValueError as error:
        raise ConditionError(f"expected a regular expression of RE2, found {pattern!r}: {error}") from error


def _operand(condition: Condition, columns: ContactList, kind: ValueType) -> Piece:
    """Return what reads the subject under ``kind``."""
    wanted = "datetime" if kind == "period" else kind
    if condition.source == "context":
        native = context_type(condition.subject)
        if native is None:
            raise ConditionError(f"unknown context field {condition.subject!r}")
        if native != wanted and native != "string":
            raise ConditionError(f"context field {condition.subject} is a {native}, not a {kind}")
        operand = _path("context", condition.subject, ())
        operand = operand if native == wanted else pieces.call(wanted, operand)
    else:
        column = columns.columns.get(condition.subject)
        native = None if column is None else VALUE_TYPES[column.type]
        if native == wanted:
            operand = _path("contact", condition.subject, columns.columns)
        else:
            operand = _operand_text(condition)
            operand = operand if wanted == "string" else pieces.call(wanted, operand)
    return pieces.operation(pieces.name("now"), "-", operand) if kind == "period" else operand


def _operand_text(condition: Condition) -> Piece:
    subject = condition.subject if condition.source == "contact" else f"context.{condition.subject}"
    return pieces.index(pieces.name("text"), subject)


def column_text(name: str) -> str:
    """Return ``contact.a``, or ``contact["a.b"]``, which finds the column whatever others there are."""
    plain = _IDENTIFIER.fullmatch(name) and name not in _RESERVED
    return f"contact.{name}" if plain else f"contact[{pieces.quote(name)}]"


def _path(root: str, name: str, columns: Mapping[str, object] | tuple[()]) -> Piece:
    """Return ``root.a.b``, or ``root["a.b"]`` where the name is no path of identifiers or hides another column."""
    parts = name.split(".")
    plain = all(_IDENTIFIER.fullmatch(p) and p not in _RESERVED for p in parts)
    hidden = any(".".join(parts[:i]) in columns for i in range(1, len(parts)))
    piece = pieces.name(root)
    if plain and not hidden:
        for part in parts:
            piece = pieces.select(piece, part)
    elif root == "context":
        piece = pieces.select(piece, parts[0])
        for part in parts[1:]:
            piece = pieces.index(piece, part)
    else:
        piece = pieces.index(piece, name)
    return piece
