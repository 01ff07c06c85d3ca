"""A contact list from use, for campaigns that declare none: the columns that conditions, CEL and actions name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.model.contactlist import Column, ContactList
from dialproof.model.rules import When, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dialproof.cel.ast import Node
    from dialproof.model.contactlist import ColumnType
    from dialproof.model.rules import Condition, Invariant, Rule

__all__ = ["inferred_contact_list"]

_BY_TYPE: dict[str, ColumnType] = {
    "string": "string",
    "number": "number",
    "boolean": "boolean",
    "datetime": "datetime",
    "period": "datetime",
}
_BY_OPTION: dict[str, ColumnType] = {"INCREMENT": "number", "DECREMENT": "number", "CURRENT_TIME": "datetime"}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%"})


def inferred_contact_list(rules: Iterable[Rule], invariants: Iterable[Invariant]) -> ContactList:
    """Return the columns in the order of their first use.

    A column that is used under several types is a string, which holds all of them.
    """
    types: dict[str, dict[ColumnType | None, None]] = {}
    for name, kind in _uses(rules, invariants):
        types.setdefault(name, {})[kind] = None
    columns = {}
    for name, kinds in types.items():
        known = [kind for kind in kinds if kind is not None]
        columns[name] = Column(name, known[0] if len(known) == 1 else "string", remote=name.rpartition(".")[2])
    return ContactList("", columns, declared=False)


def _uses(rules: Iterable[Rule], invariants: Iterable[Invariant]) -> Iterator[tuple[str, ColumnType | None]]:
    for rule in rules:
        for leaf in leaves(rule.conditions):
            if isinstance(leaf, When):
                yield from _cel_uses(leaf.text)
            elif leaf.source == "contact":
                yield leaf.subject, _condition_type(leaf)
        for action in rule.actions:
            if action.type == "setAttribute":
                kind = _BY_OPTION.get(str(action.fields.get("option"))) or _value_type(action.fields.get("value"))
                yield str(action.fields["attribute"]), kind
    for invariant in invariants:
        yield from _cel_uses(invariant.always.text)


def _condition_type(condition: Condition) -> ColumnType | None:
    if condition.type is not None:
        return _BY_TYPE[condition.type]
    value = condition.value[0] if isinstance(condition.value, tuple) and condition.value else condition.value
    return _value_type(value)


def _value_type(value: object) -> ColumnType | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "string" if isinstance(value, str) else None


def _cel_uses(text: str) -> Iterator[tuple[str, ColumnType | None]]:
    """Yield the columns of an expression; those of one that does not parse are unknown (DP103 reports it)."""
    from dialproof.cel.parse import CelSyntaxError, parse

    try:
        tree = parse(text)
    except CelSyntaxError:
        return
    yield from _node_uses(tree, None)


def _node_uses(node: Node, kind: ColumnType | None) -> Iterator[tuple[str, ColumnType | None]]:
    """Yield the columns below a node, which is used as ``kind``."""
    from dialproof.cel.ast import Call, Conditional, Index, ListLiteral, Select

    column = _column(node)
    if column is not None:
        yield column, kind
    elif isinstance(node, Call):
        yield from _call_uses(node)
    elif isinstance(node, Conditional):
        yield from _node_uses(node.test, "boolean")
        yield from _node_uses(node.then, kind)
        yield from _node_uses(node.otherwise, kind)
    elif isinstance(node, ListLiteral):
        for item in node.items:
            yield from _node_uses(item, kind)
    elif isinstance(node, (Select, Index)):
        yield from _node_uses(node.operand, None)


def _call_uses(node: Node) -> Iterator[tuple[str, ColumnType | None]]:
    from dialproof.cel.ast import Call, ListLiteral, Literal

    assert isinstance(node, Call)
    kind: ColumnType | None = None
    if node.function in ("&&", "||", "!"):
        kind = "boolean"
    elif node.function in _ARITHMETIC:
        kind = "number"
    elif node.target is not None:
        kind = "string"
    if node.function in _COMPARISONS or node.function == "in":
        items = [i for a in node.arguments for i in (a.items if isinstance(a, ListLiteral) else (a,))]
        kind = next((_value_type(i.value) for i in items if isinstance(i, Literal)), None)
    for operand in (*((node.target,) if node.target is not None else ()), *node.arguments):
        yield from _node_uses(operand, kind)


def _column(node: Node) -> str | None:
    """Return the column that ``contact.a.b`` or ``contact["a.b"]`` reads."""
    from dialproof.cel.ast import Identifier, Index, Literal, Select

    parts: list[str] = []
    while True:
        if isinstance(node, Select):
            parts.append(node.field)
            node = node.operand
        elif isinstance(node, Index) and isinstance(node.key, Literal) and isinstance(node.key.value, str):
            parts.append(node.key.value)
            node = node.operand
        else:
            break
    return ".".join(reversed(parts)) if parts and isinstance(node, Identifier) and node.name == "contact" else None
