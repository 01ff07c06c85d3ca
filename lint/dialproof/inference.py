"""A contact list from use, for campaigns that declare none: the columns that conditions, CEL and actions name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.model.contactlist import Column, ContactList
from dialproof.model.rules import When, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dialproof.cel.ast import Call, Node
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
    yield from _node_uses(tree, None, {})


def _node_uses(
    node: Node, kind: ColumnType | None, items: Mapping[str, ColumnType | None]
) -> Iterator[tuple[str, ColumnType | None]]:
    """Yield the columns below a node, which is used as ``kind``; ``items`` are the variables of macros."""
    from dialproof.cel.ast import Call, Conditional, Identifier, ListLiteral, Other, children, path

    parts = path(node)
    if parts is not None and len(parts) > 1 and parts[0] == "contact":
        yield ".".join(parts[1:]), kind
        return
    kinds: list[ColumnType | None] = [None] * len(children(node))
    if isinstance(node, Call):
        kinds = [_operand_type(node, items)] * len(kinds)
    elif isinstance(node, Conditional):
        kinds = ["boolean", kind, kind]
    elif isinstance(node, ListLiteral):
        kinds = [kind] * len(kinds)
    elif isinstance(node, Other) and len(node.parts) == 3 and isinstance(node.parts[1], Identifier):  # a comprehension
        items = {**items, node.parts[1].name: _literal_type(node.parts[:1], items)}
    for part, its_kind in zip(children(node), kinds, strict=True):
        yield from _node_uses(part, its_kind, items)


def _operand_type(node: Call, items: Mapping[str, ColumnType | None]) -> ColumnType | None:
    """Return the type under which a call uses its operands, None where it does not tell."""
    if node.function in ("&&", "||", "!"):
        return "boolean"
    if node.function in _COMPARISONS or node.function == "in":
        return _literal_type(node.arguments, items)
    if node.function in _ARITHMETIC:
        return "number"
    return "string" if node.target is not None else None


def _literal_type(nodes: Iterable[Node], items: Mapping[str, ColumnType | None]) -> ColumnType | None:
    """Return the type of the first literal, or variable over literals, among some nodes and lists of them."""
    from dialproof.cel.ast import Identifier, ListLiteral, Literal

    for node in nodes:
        for one in node.items if isinstance(node, ListLiteral) else (node,):
            if isinstance(one, Identifier) and items.get(one.name):
                return items[one.name]
            if isinstance(one, Literal):
                return _value_type(one.value)
    return None
