"""Conditions as CEL text: what ``dialproof cel FILE`` shows, and what every path evaluates.

In that text ``contact`` holds the columns by the types of the contact list (a blank text is ``""``; a blank or
unreadable value of another type is an error), ``text`` every column as text (``""`` if blank), ``context`` what
surrounds the call, and ``now`` the clock. ``number``, ``boolean`` and ``datetime`` read a text, ``fold``
folds its case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
    from collections.abc import Mapping

    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Condition, ValueType

__all__ = ["ConditionError", "condition_text", "condition_type", "quote"]

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
_ORDER = frozenset({"lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "between"})


class ConditionError(ValueError):
    """The condition has no meaning: what was found and what was expected, in one sentence."""


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
    kind = condition_type(condition, columns)
    operator = condition.operator
    shape, kinds = OPERATORS[operator]
    if kind not in kinds:
        raise ConditionError(f"operator {operator} does not compare values of type {kind}")
    if compares_numbers(condition, kind):
        kind = "number"
    if shape == "none":
        text = f'{_operand_text(condition)} {"==" if operator == "notExists" else "!="} ""'
        return f"!({text})" if condition.inverted else text
    folded = kind == "string" and not case_sensitive
    operand = _operand(condition, columns, kind)
    if folded and operator != "matches":
        operand = f"fold({operand})"
    literals = [_literal(v, kind, folded, operator) for v in _values(condition, shape)]
    text = _apply(operator, operand, literals)
    return f"!({text})" if condition.inverted else text


def _apply(operator: str, operand: str, literals: list[str]) -> str:
    if operator in _COMPARISONS:
        return f"{operand} {_COMPARISONS[operator]} {literals[0]}"
    if operator == "between":
        return f"({operand} >= {literals[0]} && {operand} <= {literals[1]})"
    positive = NEGATED.get(operator, operator)
    if positive == "in":
        text = f"{operand} in [{', '.join(literals)}]"
        return f"!({text})" if operator == "notIn" else text
    text = f"{operand}.{_METHODS[positive]}({literals[0]})"
    return f"!{text}" if operator in NEGATED else text


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


def _literal(value: object, kind: ValueType, folded: bool, operator: str) -> str:
    if kind == "number":
        number = _number(value)
        if number is None:
            raise ConditionError(f"expected a number, found {value!r}")
        text = number_text(number)
        return text if "." in text else f"{text}.0"
    if kind == "boolean":
        truth = value if isinstance(value, bool) else parse_boolean(value) if isinstance(value, str) else None
        if truth is None:
            raise ConditionError(f"expected true or false, found {value!r}")
        return "true" if truth else "false"
    if kind == "period":
        span = parse_period(value) if isinstance(value, str) else None
        if span is None:
            raise ConditionError(f"expected a period such as P7DT0H0M, found {value!r}")
        return f'duration("{span // 1_000_000}s")'
    if kind == "datetime":
        if not isinstance(value, str) or parse_datetime(value, None) is None:
            raise ConditionError(f"expected a date or time such as 2026-03-07T10:00:00Z, found {value!r}")
        return f"datetime({quote(value)})"
    text = value if isinstance(value, str) else _plain(value)
    if operator == "matches":
        _check_pattern(text)
        return quote(f"(?i){text}" if folded else text)
    if not text and (operator in _METHODS or operator in NEGATED) and operator not in ("notEquals", "notIn"):
        raise ConditionError(f'operator {operator} with "" holds for every contact or for none')
    return quote(fold(text) if folded else text)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(float(value)) if isinstance(value, (int, float)) else ""


def _check_pattern(pattern: str) -> None:
    try:
        compile_pattern(pattern)
    except ValueError as error:
        raise ConditionError(f"expected a regular expression of RE2, found {pattern!r}: {error}") from error


def _operand(condition: Condition, columns: ContactList, kind: ValueType) -> str:
    """Return the CEL text that reads the subject under ``kind``."""
    wanted = "datetime" if kind == "period" else kind
    if condition.source == "context":
        native = context_type(condition.subject)
        if native is None:
            raise ConditionError(f"unknown context field {condition.subject!r}")
        operand = path_text("context", condition.subject, ())
        if native != wanted and native != "string":
            raise ConditionError(f"context field {condition.subject} is a {native}, not a {kind}")
        operand = operand if native == wanted else f"{wanted}({operand})"
    else:
        column = columns.columns.get(condition.subject)
        native = None if column is None else VALUE_TYPES[column.type]
        if native == wanted:
            operand = path_text("contact", condition.subject, columns.columns)
        else:
            operand = f"text[{quote(condition.subject)}]"
            operand = operand if wanted == "string" else f"{wanted}({operand})"
    return f"now - {operand}" if kind == "period" else operand


def _operand_text(condition: Condition) -> str:
    if condition.source == "context":
        return f"text[{quote('context.' + condition.subject)}]"
    return f"text[{quote(condition.subject)}]"


def path_text(root: str, name: str, columns: Mapping[str, object] | tuple[()]) -> str:
    """Return ``root.a.b``, or ``root["a.b"]`` where the name is no path of identifiers or hides another column."""
    parts = name.split(".")
    plain = all(_IDENTIFIER.fullmatch(p) and p not in _RESERVED for p in parts)
    hidden = any(".".join(parts[:i]) in columns for i in range(1, len(parts)))
    if plain and not hidden:
        return f"{root}.{name}"
    if root == "context":
        head, *rest = parts
        return f"context.{head}" + "".join(f"[{quote(p)}]" for p in rest)
    return f"{root}[{quote(name)}]"
