"""Reads actions through the action table: built-in types and those of plugins."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from dialproof.model.actions import action_types
from dialproof.model.contacts import ExpectedAction
from dialproof.model.parse_base import INVALID, Fields, Reader, head
from dialproof.model.rules import Action, FieldMapping
from dialproof.model.schema import Choice, Custom, Key, Kind, ListOf, MapOf, Number, Plain, Record, Text, Whole
from dialproof.source import Mapping, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping as AbstractMapping

    from dialproof.model.actions import ActionType, Field

__all__ = ["action_record", "read_action", "read_expected_action", "read_flag_text", "read_period"]

_KINDS: AbstractMapping[str, Kind] = {
    "text": Text(),
    "flag": Custom("flag text", {"enum": ["true", "false", True, False]}),
    "number": Number(),
    "integer": Whole(),
    "period": Custom("period", {"type": "string"}),
    "texts": ListOf(Text(), filled=True),
    "mapping": MapOf(Plain()),
    "any": Plain(),
}


@cache
def _record(name: str, partial: bool) -> Record:
    return action_record(action_types()[name], partial=partial)


def action_record(action_type: ActionType, *, partial: bool = False) -> Record:
    """Return the keys of actions of one type; ``partial`` ones (expectations) need none but the type."""
    keys = {"type": Key(Text(), "The type of the action.", required=True)}
    for name, field in action_type.fields.items():
        keys[name] = Key(_kind(field), action_type.doc, required=field.required and not partial)
    return Record(f"{action_type.name} action", keys)


def _kind(field: Field) -> Kind:
    return Choice(field.choices) if field.choices else _KINDS[field.kind]


def read_action(reader: Reader, node: Node, label: str) -> Any:
    """Return the :class:`Action` of a node, defaults filled in."""
    fields = _fields(reader, node, label, partial=False)
    if fields is INVALID:
        return INVALID
    action_type = action_types()[fields.get("type")]
    given = {name: _hashable(fields.get(name, field.default)) for name, field in action_type.fields.items()}
    return Action(action_type.name, {k: v for k, v in given.items() if v is not None}, node.span)


def _hashable(value: Any) -> Any:
    return FieldMapping(value) if isinstance(value, dict) else value


def read_expected_action(reader: Reader, node: Node, label: str) -> Any:
    """Return the :class:`ExpectedAction` of a node."""
    fields = _fields(reader, node, label, partial=True)
    if fields is INVALID:
        return INVALID
    return ExpectedAction(fields.get("type"), {k: v for k, v in fields.values.items() if k != "type"})


def _fields(reader: Reader, node: Node, label: str, *, partial: bool) -> Fields | Any:
    if not isinstance(node, Mapping):
        return reader.expected(node, label, "a mapping with type and the fields of the action")
    written = node.get("type")
    if written is None:
        return reader.problem(head(node), "this action lacks type", "DP107")
    name = reader.text(Text(), written, "type")
    if name is INVALID:
        return INVALID
    if name not in action_types():
        return reader.unknown(written, f"there is no action type {name!r}", name, action_types())
    return reader.record(_record(name, partial), node, label)


def read_flag_text(reader: Reader, node: Node, label: str) -> Any:
    """Return ``"true"`` or ``"false"``, written as text or as a boolean."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value in ("true", "false") else reader.expected(node, label, '"true" or "false"')


def read_period(reader: Reader, node: Node, label: str) -> Any:
    """Return the text of a period."""
    from dialproof.cel.values import parse_period

    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, str) and parse_period(value) is not None:
        return value
    return reader.expected(node, label, "a period such as P7DT0H0M")
