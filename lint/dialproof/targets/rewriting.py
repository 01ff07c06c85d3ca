"""Conditions written otherwise: without groups, without ``inverted``, as several rules. Nothing here changes a verdict.

Conditions are true, false or undecided, and ``all``, ``any`` and ``not`` are those of strong Kleene logic. De Morgan's
laws and the distributive laws hold there, so that whatever is moved into or out of a group keeps its verdict on every
contact, undecided ones included. What a rule does when it is split into several is another question, which only the
contacts can answer (``dialproof.analysis.replacement``).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from dialproof.cel.text import compares_numbers, condition_type
from dialproof.model.rules import Condition, Group, When

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Expression, Value
    from dialproof.source.positions import Span

__all__ = ["MOST", "OPPOSITE", "Clause", "alternatives", "clauses", "halves", "joined_values", "merged", "upright"]

MOST = 64
"""Alternatives of one rule, beyond which it is not taken apart."""

_PAIRS = (
    ("equals", "notEquals"),
    ("lessThan", "greaterThanOrEqual"),
    ("greaterThan", "lessThanOrEqual"),
    ("before", "greaterThanOrEqual"),
    ("after", "lessThanOrEqual"),
    ("contains", "notContains"),
    ("in", "notIn"),
    ("exists", "notExists"),
)
OPPOSITE: Mapping[str, str] = {**{b: a for a, b in reversed(_PAIRS)}, **dict(_PAIRS)}
"""Operator -> the one that is true exactly where it is false, and undecided where it is undecided."""

Clause: TypeAlias = tuple[Condition, ...]
"""Conditions of which one must hold."""


def upright(condition: Condition) -> Condition:
    """Return a condition without ``inverted`` where its operator has an exact opposite."""
    if not condition.inverted or condition.operator not in OPPOSITE:
        return condition
    return replace(condition, operator=OPPOSITE[condition.operator], inverted=False)


def clauses(expressions: Sequence[Expression]) -> tuple[tuple[Span, Clause | Group | When], ...]:
    """Return parts that must all hold, each with the place of the expression that it is from.

    ``not`` is moved inwards, ``all`` is taken apart, an ``any`` of conditions is one clause. What is left as it is: a
    ``when``, and a group in which an alternative holds several conditions.
    """
    found: list[tuple[Span, Clause | Group | When]] = []
    for expression in expressions:
        for part in _flat(_moved(expression, holds=True), "all"):
            members = _flat(part, "any")
            conditions = tuple(m for m in members if isinstance(m, Condition))
            if len(conditions) == len(members):
                found.append((expression.span, conditions))
            elif isinstance(part, Group | When):
                found.append((expression.span, part))
    return tuple(found)


def alternatives(expressions: Sequence[Expression]) -> tuple[Clause, ...] | None:
    """Return the conditions as alternatives: the rule holds where every condition of one of them holds.

    None where there is a ``when``, or more than :data:`MOST` alternatives.
    """
    forms: list[Clause] = [()]
    for expression in expressions:
        found = _forms(_moved(expression, holds=True))
        if found is None or len(found) * len(forms) > MOST:
            return None
        forms = [(*one, *other) for one, other in product(forms, found)]
    written = [{_key(condition): condition for condition in form} for form in forms]
    return tuple({tuple(form): tuple(form.values()) for form in written}.values())


def merged(forms: Sequence[Clause]) -> Clause | None:
    """Return one conjunction for alternatives that differ in the values of one ``equals`` or ``in`` alone.

    ``state equals TX`` or ``state equals CA`` is ``state in [TX, CA]``, undecided on the same contacts.
    """
    keys = [set(map(_key, form)) for form in forms]
    common = keys[0].intersection(*keys[1:])
    rests = [[c for c in form if _key(c) not in common] for form in forms]
    if any(len(rest) != 1 for rest in rests):
        return None
    joined = joined_values([rest[0] for rest in rests])
    return None if joined is None else (*(c for c in forms[0] if _key(c) in common), joined)


def joined_values(members: Sequence[Condition]) -> Condition | None:
    """Return ``in`` with the values of several ``equals`` and ``in`` of one subject and type; else None."""
    first = upright(members[0])
    if len(members) == 1:
        return first
    values: dict[object, str | float | bool] = {}
    for member in map(upright, members):
        same = (member.source, member.subject, member.type) == (first.source, first.subject, first.type)
        if member.inverted or member.operator not in ("equals", "in") or not same:
            return None
        for value in _values(member.value):
            values[type(value), value] = value
    return replace(first, operator="in", value=tuple(values.values()))


def halves(condition: Condition, columns: ContactList) -> tuple[Condition, Condition] | None:
    """Return the two comparisons of a ``between`` (both hold, or of an inverted one: one of them).

    None where they would compare otherwise: a text column whose bounds are a number and a text.
    """
    low, high = _values(condition.value)
    first = replace(condition, operator="greaterThanOrEqual", value=low, inverted=False)
    second = replace(condition, operator="lessThanOrEqual", value=high, inverted=False)
    kind = condition_type(condition, columns)
    if len({compares_numbers(c, kind) for c in (condition, first, second)}) > 1:
        return None
    if condition.inverted:
        return replace(first, operator="lessThan"), replace(second, operator="greaterThan")
    return first, second


def _key(condition: Condition) -> Hashable:
    """Return what equal conditions have in common: to Python the values true and 1 are equal."""
    return condition, repr(condition.value)


def _values(value: Value) -> tuple[str | float | bool, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _moved(expression: Expression, *, holds: bool) -> Expression:
    """Return the expression, or its negation, with ``not`` moved into its conditions."""
    if isinstance(expression, When):
        return expression if holds else Group("not", (expression,), expression.span)
    if isinstance(expression, Condition):
        return expression if holds else replace(expression, inverted=not expression.inverted)
    if expression.kind == "not":
        inner = expression.members[0]
        if len(expression.members) > 1:
            inner = Group("all", expression.members, expression.span)
        return _moved(inner, holds=not holds)
    kind = expression.kind if holds else "any" if expression.kind == "all" else "all"
    return Group(kind, tuple(_moved(m, holds=holds) for m in expression.members), expression.span)


def _flat(expression: Expression, kind: str) -> list[Expression]:
    """Return the members of groups of one kind within one another; a group of one member is that member."""
    if (
        isinstance(expression, Group)
        and expression.kind != "not"
        and (expression.kind == kind or len(expression.members) == 1)
    ):
        return [part for member in expression.members for part in _flat(member, kind)]
    return [expression]


def _forms(expression: Expression) -> list[Clause] | None:
    if isinstance(expression, Condition):
        return [(expression,)]
    if isinstance(expression, When) or expression.kind == "not":
        return None
    forms: list[Clause] = [()] if expression.kind == "all" else []
    for member in expression.members:
        found = _forms(member)
        if found is None:
            return None
        forms = [(*a, *b) for a, b in product(forms, found)] if expression.kind == "all" else [*forms, *found]
        if len(forms) > MOST:
            return None
    return forms
