"""The action table: what each action type needs, reads, writes and contradicts, described once as data.

Checks, the evaluator, targets and the docs read the table of ``action_types``: the types below and those of plugins,
all registered through the hook ``dialproof_action_types``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from dialproof.cel.values import same_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.rules import Action, Category

__all__ = ["BUILT_IN", "ActionType", "Field", "action_types", "contradicts", "repeats"]

FieldKind: TypeAlias = Literal["text", "flag", "number", "integer", "period", "texts", "mapping", "any"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an action type; ``choices`` restricts it, ``default`` fills it where it may be left out."""

    kind: FieldKind
    required: bool = True
    choices: tuple[str, ...] = ()
    default: str | None = None


@dataclass(frozen=True, slots=True)
class ActionType:
    """What one type of action is.

    ``key`` names the fields that together with ``writes`` say which thing is written (two setList on one listId write
    the same thing); ``compares`` the fields whose difference makes two such writes contradict each other;
    ``excludes`` the types that contradict this one whatever their fields are; ``dial`` is False where the action keeps
    the contact from being dialed in the categories ``stops_dial_in``. ``repeatable`` where to do it twice in one run is
    to do it once (see :func:`repeats`).
    """

    name: str
    fields: Mapping[str, Field]
    categories: tuple[Category, ...]
    writes: str
    key: tuple[str, ...] = ()
    compares: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    stops_dial_in: tuple[Category, ...] = ()
    doc: str = ""
    repeatable: bool = False


_BOTH: tuple[Category, ...] = ("preCall", "wrapUp")

BUILT_IN: Mapping[str, ActionType] = {
    t.name: t
    for t in (
        ActionType(
            "setList",
            {"listId": Field("text"), "value": Field("flag", required=False, default="true")},
            _BOTH,
            writes="list",
            key=("listId",),
            compares=("value",),
            doc='Puts the contact on a list (value "true") or takes it off ("false").',
            repeatable=True,
        ),
        ActionType(
            "doNotDial",
            {},
            ("preCall",),
            writes="dial",
            excludes=("switchToPreview",),
            stops_dial_in=("preCall",),
            doc="Does not dial the contact this time.",
            repeatable=True,
        ),
        ActionType(
            "setAttribute",
            {
                "attribute": Field("text"),
                "option": Field(
                    "text",
                    required=False,
                    choices=("SET", "INCREMENT", "DECREMENT", "CURRENT_TIME"),
                    default="SET",
                ),
                "value": Field("any", required=False),
            },
            _BOTH,
            writes="attribute",
            key=("attribute",),
            compares=("option", "value"),
            doc="Changes a column of the contact; INCREMENT and DECREMENT read it first (value defaults to 1).",
            repeatable=True,
        ),
        ActionType(
            "switchToPreview",
            {},
            ("preCall",),
            writes="mode",
            excludes=("doNotDial",),
            doc="Shows the contact to an agent before dialing.",
            repeatable=True,
        ),
        ActionType(
            "setCallerId",
            {"callerAddress": Field("text", required=False), "callerName": Field("text", required=False)},
            ("preCall",),
            writes="callerId",
            compares=("callerAddress", "callerName"),
            doc="Sets what the called party sees; a literal or contact.COLUMN.",
            repeatable=True,
        ),
        ActionType(
            "setSkills",
            {"skills": Field("texts")},
            ("preCall",),
            writes="skills",
            compares=("skills",),
            doc="Asks for agents with these skills.",
            repeatable=True,
        ),
        ActionType(
            "scheduleCallback",
            {"offsetMinutes": Field("integer")},
            ("wrapUp",),
            writes="callback",
            compares=("offsetMinutes",),
            excludes=("contactUncallable", "numberUncallable", "appendToDnc"),
            doc="Schedules a callback.",
        ),
        ActionType(
            "appendToDnc",
            {
                "list": Field("text", required=False, choices=("numbers", "custom"), default="numbers"),
                "expires": Field("period", required=False),
            },
            ("wrapUp",),
            writes="dnc",
            key=("list",),
            excludes=("scheduleCallback",),
            doc="Appends the number (or the contact) to the campaign's first do-not-call list.",
            repeatable=True,
        ),
        ActionType(
            "contactUncallable",
            {},
            _BOTH,
            writes="callable",
            excludes=("scheduleCallback",),
            stops_dial_in=("preCall",),
            doc="Marks the contact as uncallable.",
            repeatable=True,
        ),
        ActionType(
            "numberUncallable",
            {},
            _BOTH,
            writes="callable",
            excludes=("scheduleCallback",),
            stops_dial_in=("preCall",),
            doc="Marks this number as uncallable.",
            repeatable=True,
        ),
        ActionType(
            "dataAction",
            {"id": Field("text"), "fields": Field("mapping", required=False)},
            _BOTH,
            writes="data",
            key=("id",),
            doc="Runs a data action.",
        ),
    )
}


@cache
def action_types() -> Mapping[str, ActionType]:
    """Return every action type by name: the built-in ones, then those of plugins by the plugin's name.

    Raises :class:`dialproof.errors.UsageError` where a plugin takes a name that is taken.
    """
    from dialproof.errors import UsageError
    from dialproof.plugins import items_of

    table: dict[str, ActionType] = {}
    for plugin, action_type in items_of("dialproof_action_types", ActionType):
        if action_type.name in table:
            raise UsageError(f"plugin {plugin!r}: there is already an action type {action_type.name!r}")
        table[action_type.name] = action_type
    return MappingProxyType(table)


def repeats(action: Action) -> bool:
    """Tell whether an action may be done twice in one run: counting a column twice is not counting it once."""
    if action.fields.get("option") in ("INCREMENT", "DECREMENT"):
        return False
    known = action_types().get(action.type)
    return known is not None and known.repeatable


def contradicts(one: Action, other: Action) -> bool:
    """Tell whether the two actions cannot both be meant for one contact (the table of the action types)."""
    table = action_types()
    a, b = table.get(one.type), table.get(other.type)
    if a is None or b is None:
        return False
    if other.type in a.excludes or one.type in b.excludes:
        return True
    if one.type != other.type or not a.compares:
        return False
    if any(one.fields.get(k) != other.fields.get(k) for k in a.key):
        return False
    if one.type == "setAttribute":
        return _attribute_writes_contradict(one, other)
    # A field that one of the two leaves out is left alone by it: only two given values can differ.
    return any(
        _comparable(one, k) != _comparable(other, k) for k in a.compares if k in one.fields and k in other.fields
    )


def _comparable(action: Action, key: str) -> object:
    value = action.fields[key]
    return frozenset(value) if isinstance(value, tuple) else value


def _attribute_writes_contradict(one: Action, other: Action) -> bool:
    """Two SETs differ by what the column then holds; a SET undoes any other option; INCREMENT and DECREMENT add up."""
    options = {one.fields.get("option", "SET"), other.fields.get("option", "SET")}
    if options == {"SET"}:
        return not same_value(one.fields.get("value"), other.fields.get("value"))
    return "SET" in options
