"""JSON Schemas (draft-07) of the kinds of files, for editors; made from the description in :mod:`.schema`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dialproof.model.actions import action_types
from dialproof.model.operators import CONTEXT_FIELDS, OPERATOR_ALIASES, OPERATORS
from dialproof.model.parse_actions import action_record
from dialproof.model.parse_contacts import CONTEXT_ROOTS
from dialproof.model.populations import CONTACT_SUFFIXES
from dialproof.model.schema import (
    CASE,
    COLUMN,
    CONDITION,
    CONTACTLIST_FILE,
    CONTACTS_FILE,
    GROUP,
    ONLY_FOR,
    RANGE,
    RULES_FILE,
    SHARE,
    TIMELINE,
    Choice,
    Custom,
    Flag,
    Kind,
    ListOf,
    MapOf,
    Number,
    Plain,
    Record,
    Text,
    Whole,
)
from dialproof.model.schema_invariants import READY_INVARIANTS, STATEMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["build"]

_FILES: Mapping[str, tuple[str, Record]] = {
    "rules": ("dialproof rules", RULES_FILE),
    "contacts": ("dialproof contacts", CONTACTS_FILE),
    "contactlist": ("dialproof contact list", CONTACTLIST_FILE),
}
_CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_PLAIN = {"type": ["string", "number", "boolean"]}
_COLUMN_VALUE = {"type": ["string", "number", "boolean", "null"]}


def build(kind: str) -> dict[str, Any]:
    """Return the schema of a kind of file; raises KeyError for an unknown kind."""
    title, record = _FILES[kind]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"https://dialproof.dev/schemas/{kind}.json",
        "title": title,
        **_record(record),
        **({"definitions": definitions} if (definitions := _definitions(kind)) else {}),
    }


def _schema(kind: Kind) -> dict[str, Any]:
    match kind:
        case Text(form="any"):
            return {"type": "string"}
        case Text(form="name"):
            # Not every reader of patterns takes $ for the very end of a text.
            return {"type": "string", "pattern": rf"^(?!.*::)(?!\s)[^{_CONTROLS}]*[^\s{_CONTROLS}](?![\s\S])"}
        case Text(form="at"):
            return {"type": "string", "pattern": r"^(callback(?![\s\S])|P|[0-9]{4}-)"}
        case Text():
            return {"type": "string", "pattern": r"\S"}
        case Whole():
            return {"type": "integer", "minimum": kind.minimum, "maximum": kind.maximum}
        case Number():
            return {"type": "number"}
        case Flag():
            return {"type": "boolean"}
        case Choice():
            return {"enum": list(kind.options)}
        case Plain():
            return dict(_PLAIN)
        case ListOf():
            return {"type": "array", "items": _schema(kind.item), **({"minItems": 1} if kind.filled else {})}
        case MapOf():
            filled = {"minProperties": 1} if kind.filled else {}
            return {"type": "object", "additionalProperties": _schema(kind.item), **filled}
        case Custom():
            return dict(kind.schema)
        case Record():
            return _record(kind)


def _record(record: Record, fixed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of a record; ``fixed`` replaces the schemas of some keys."""
    properties = {
        name: {"description": key.doc, **_schema(key.kind), **(fixed or {}).get(name, {})}
        for name, key in record.keys.items()
    }
    for name in record.ignored:
        properties[name] = {"description": "From an API answer; ignored."}
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if record.extension:
        schema["patternProperties"] = {"^x-": {}}
    required = [name for name, key in record.keys.items() if key.required]
    if required:
        schema["required"] = required
    groups: list[dict[str, Any]] = [{"oneOf": [{"required": [name]} for name in group]} for group in record.one_of]
    groups += [{"not": {"required": list(group)}} for group in record.at_most_one]
    groups += [{"anyOf": [{"required": [name]} for name in group]} for group in record.at_least_one]
    if groups:
        schema["allOf"] = groups
    if record is COLUMN:
        schema["allOf"] = [_only_for(key, kinds) for key, kinds in ONLY_FOR.items()]
    if record.name.startswith("expectation"):
        schema["minProperties"] = 1
    return schema


def _only_for(key: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Return the schema of a column that has a key only if it is of one of some types."""
    fits = {"properties": {"type": {"enum": list(kinds)}}}
    return {"if": {"required": [key]}, "then": fits}


def _definitions(kind: str) -> dict[str, Any]:
    if kind == "contactlist":
        return {}
    if kind == "rules":
        return {
            "expression": {"anyOf": [{"$ref": "#/definitions/condition"}, _record(GROUP)]},
            "condition": _condition(),
            "operator": {"enum": [*OPERATORS, *OPERATOR_ALIASES]},
            "value": {"anyOf": [_PLAIN, {"type": "array", "items": _PLAIN}]},
            "action": _actions(partial=False),
            "invariant": _invariant(),
        }
    contact = {"type": "object", "additionalProperties": {"anyOf": [_COLUMN_VALUE, {"$ref": "#/definitions/contact"}]}}
    return {
        "contact": contact,
        "context": {
            "type": "object",
            "properties": {root: {"$ref": "#/definitions/contact"} for root in CONTEXT_ROOTS},
            "additionalProperties": False,
        },
        "expectedAction": _actions(partial=True),
        "case": {"if": {"required": ["timeline"]}, "then": _record(TIMELINE), "else": _record(CASE)},
        **_populations(),
    }


def _populations() -> dict[str, Any]:
    """Return the schemas of amounts and files of contacts."""
    amount = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": rf"^{SHARE}(?![\s\S])"}]}
    endings = "|".join(re.escape(suffix) for suffix in CONTACT_SUFFIXES)
    file = {"type": "string", "pattern": rf"({_any_case(endings)})(?![\s\S])"}
    return {
        "amount": amount,
        "range": {"anyOf": [{"$ref": "#/definitions/amount"}, _record(RANGE)]},
        "contactFiles": {"anyOf": [file, {"type": "array", "items": file, "minItems": 1}]},
    }


def _any_case(pattern: str) -> str:
    return re.sub(r"[a-z]", lambda found: f"[{found[0]}{found[0].upper()}]", pattern)


def _condition() -> dict[str, Any]:
    """Return the schema of a condition: what its value is depends on the operator."""
    shapes: Mapping[str, dict[str, Any]] = {
        "one": {"properties": {"value": _PLAIN}, "required": ["value"]},
        "list": {"properties": {"value": {"type": "array", "minItems": 1}}, "required": ["value"]},
        "pair": {"properties": {"value": {"type": "array", "minItems": 2, "maxItems": 2}}, "required": ["value"]},
        "none": {"properties": {"value": False}},
    }
    known = "|".join(re.escape(name).replace(r"\*", ".+") for name in CONTEXT_FIELDS)
    schema = _record(CONDITION, {"context": {"pattern": f"^({known})(?![\\s\\S])"}})
    for shape, then in shapes.items():
        operators = [name for name, (its_shape, _) in OPERATORS.items() if its_shape == shape]
        operators += [alias for alias, name in OPERATOR_ALIASES.items() if name in operators]
        condition = {"properties": {"operator": {"enum": operators}}, "required": ["operator"]}
        schema["allOf"] = [*schema["allOf"], {"if": condition, "then": then}]
    return schema


def _invariant() -> dict[str, Any]:
    """Return the schema of an invariant: a statement, or a ready-made one with its options."""
    statement = _record(STATEMENT)
    statement["dependencies"] = {"when": ["implies"], "implies": ["when"]}
    return {"oneOf": [statement, *map(_record, READY_INVARIANTS.values())]}


def _actions(*, partial: bool) -> dict[str, Any]:
    """Return the schema of an action, of plugins' types too where they are installed."""
    return {
        "type": "object",
        "required": ["type"],
        "oneOf": [
            _record(action_record(action_type, partial=partial), {"type": {"const": name}})
            for name, action_type in action_types().items()
        ],
    }
