"""The operators of conditions, their spellings in the public API, and the fields of the call's context."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.rules import ValueType

__all__ = [
    "CONTEXT_FIELDS",
    "NEGATED",
    "OPERATORS",
    "OPERATOR_ALIASES",
    "ValueShape",
    "canonical_operator",
    "context_type",
]

ValueShape: TypeAlias = Literal["one", "list", "pair", "none"]

_ORDERED: tuple[ValueType, ...] = ("string", "number", "datetime", "period")
_ALL: tuple[ValueType, ...] = ("string", "number", "boolean", "datetime", "period")

OPERATORS: Mapping[str, tuple[ValueShape, tuple[ValueType, ...]]] = MappingProxyType(
    {
        "equals": ("one", _ALL),
        "notEquals": ("one", _ALL),
        "lessThan": ("one", _ORDERED),
        "lessThanOrEqual": ("one", _ORDERED),
        "greaterThan": ("one", _ORDERED),
        "greaterThanOrEqual": ("one", _ORDERED),
        "contains": ("one", ("string",)),
        "notContains": ("one", ("string",)),
        "beginsWith": ("one", ("string",)),
        "endsWith": ("one", ("string",)),
        "in": ("list", ("string", "number", "datetime")),
        "notIn": ("list", ("string", "number", "datetime")),
        "between": ("pair", _ORDERED),
        "before": ("one", ("datetime", "period")),
        "after": ("one", ("datetime", "period")),
        "matches": ("one", ("string",)),
        "exists": ("none", _ALL),
        "notExists": ("none", _ALL),
    }
)
"""Canonical operator -> (shape of its value, value types that it compares)."""

NEGATED: Mapping[str, str] = MappingProxyType(
    {"notEquals": "equals", "notContains": "contains", "notIn": "in", "notExists": "exists"}
)
"""Operators that are the negation of another: the same text in CEL behind a ``!``."""

OPERATOR_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "EQUALS": "equals",
        "LESS_THAN": "lessThan",
        "LESS_THAN_EQUALS": "lessThanOrEqual",
        "GREATER_THAN": "greaterThan",
        "GREATER_THAN_EQUALS": "greaterThanOrEqual",
        "CONTAINS": "contains",
        "BEGINS_WITH": "beginsWith",
        "ENDS_WITH": "endsWith",
        "BEFORE": "before",
        "AFTER": "after",
        "IN": "in",
        "BETWEEN": "between",
    }
)
"""The public API's spelling -> ours (source: the enum Condition.operator of the public API)."""

CONTEXT_FIELDS: Mapping[str, ValueType] = MappingProxyType(
    {
        "call.wrapUpCode": "string",
        "call.systemDisposition": "string",
        "call.analysis": "string",
        "phone.number": "string",
        "phone.type": "string",
        "lastAttempt.overall": "datetime",
        "lastAttempt.byColumn.*": "datetime",
        "lastWrapUp.overall": "string",
        "lastWrapUp.byColumn.*": "string",
        "now.timeOfDay": "string",
        "now.dayOfWeek": "number",
        "now.dayOfMonth": "number",
        "now.date": "string",
        "data.*": "string",
    }
)
"""What surrounds a call -> its type. ``now.timeOfDay`` is ``HH:MM`` local time, ``now.date`` ``YYYY-MM-DD``,
``now.dayOfWeek`` 1 (Monday) to 7 (Sunday, ISO 8601). A ``*`` stands for one or more path segments."""


def canonical_operator(written: str) -> str | None:
    """Return the canonical operator for any accepted spelling, None for an unknown one."""
    return written if written in OPERATORS else OPERATOR_ALIASES.get(written)


def context_type(name: str) -> ValueType | None:
    """Return the type of a context field, None where there is no such field."""
    if name in CONTEXT_FIELDS:
        return CONTEXT_FIELDS[name]
    for pattern, kind in CONTEXT_FIELDS.items():
        if pattern.endswith("*") and name.startswith(pattern[:-1]) and len(name) > len(pattern) - 1:
            return kind
    return None
