"""Repairs in the words of the rules: the edits that change a key of a rule, a name in a list of it, or a condition.

Each function returns no edits where the text does not allow the change (an alias is written elsewhere).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dialproof.model.rules import Group
from dialproof.source import Mapping, Scalar, Sequence
from dialproof.source.edits import replaced, with_entry, without_entry, without_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Edit
    from dialproof.model.rules import Condition, Expression, Rule
    from dialproof.source import Node

__all__ = ["with_type", "with_value", "without_action", "without_condition", "without_name"]

Edits: TypeAlias = "tuple[Edit, ...]"


def with_value(context: CheckContext, rule: Rule, key: str, value: str | int) -> Edits:
    """Return the edit that gives a key of a rule another value."""
    node = context.nodes.get(id(rule))
    return () if node is None else replaced(rule.path, node.get(key), value)


def without_name(context: CheckContext, rule: Rule, key: str, name: str) -> Edits:
    """Return the edits that take a name out of a list of a rule (``overrides``), or the list with its only name."""
    node = context.nodes.get(id(rule))
    names = None if node is None else node.get(key)
    if node is None or not isinstance(names, Sequence):
        return ()
    if len(names.items) == 1:
        return without_entry(rule.path, node, key)
    places = [index for index, item in enumerate(names.items) if isinstance(item, Scalar) and item.value == name]
    return without_item(rule.path, names, places[0]) if places else ()


def without_condition(context: CheckContext, rule: Rule, condition: Expression) -> Edits:
    """Return the edits that take a condition or group out of a rule, or of a group, that holds others as well."""
    for expression, _, parent, index in _expressions(context, rule):
        if expression is condition and parent is not None and len(parent.items) > 1:
            return without_item(rule.path, parent, index)
    return ()


def without_action(context: CheckContext, rule: Rule, index: int) -> Edits:
    """Return the edits that take one of several actions out of a rule."""
    node = context.nodes.get(id(rule))
    actions = None if node is None else node.get("actions")
    if not isinstance(actions, Sequence) or len(actions.items) < 2:
        return ()
    return without_item(rule.path, actions, index)


def with_type(context: CheckContext, rule: Rule, condition: Condition, kind: str) -> Edits:
    """Return the edit that gives a condition a type, whether it has one or not."""
    for expression, node, _, _ in _expressions(context, rule):
        if expression is condition and isinstance(node, Mapping):
            written = node.get("type")
            if written is None:
                return with_entry(rule.path, node, "value", "type", kind)
            return replaced(rule.path, written, kind)
    return ()


_Place: TypeAlias = "tuple[Expression, Node, Sequence | None, int]"
"""A condition or group, its node, the list that holds it (``not`` holds none) and its place there."""


def _expressions(context: CheckContext, rule: Rule) -> Iterator[_Place]:
    """Yield every condition and group of a rule."""
    node = context.nodes.get(id(rule))
    conditions = None if node is None else node.get("conditions")
    if isinstance(conditions, Sequence):
        yield from _members(rule.conditions, conditions)


def _members(expressions: tuple[Expression, ...], nodes: Sequence) -> Iterator[_Place]:
    for index, (expression, node) in enumerate(zip(expressions, nodes.items, strict=True)):
        yield expression, node, nodes, index
        yield from _inside(expression, node)


def _inside(expression: Expression, node: Node) -> Iterator[_Place]:
    if not isinstance(expression, Group) or not isinstance(node, Mapping):
        return
    inner = node.get(expression.kind)
    if isinstance(inner, Sequence):
        yield from _members(expression.members, inner)
    elif inner is not None:
        (member,) = expression.members
        yield member, inner, None, 0
        yield from _inside(member, inner)
