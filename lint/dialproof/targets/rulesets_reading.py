"""Rules of the platform's rule sets, ours or somebody else's, as rules of ours.

What has no meaning here is no rule of ours: reading it raises ``ValueError`` that says what it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from dialproof.cel.values import parse_number, parse_period
from dialproof.model.rules import Action, Condition, FieldMapping, Group, Rule
from dialproof.source.positions import Span
from dialproof.targets.rulesets import CATEGORIES
from dialproof.targets.rulesets_actions import ACTIONS, CUSTOM_ENTRY
from dialproof.targets.rulesets_conditions import CLOCK, OPERATORS, PROPERTIES, SUB_CONDITIONS, VALUE_TYPES

if TYPE_CHECKING:
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Category, Expression, Value, ValueType

__all__ = ["read_rule"]

_T = TypeVar("_T")
_NOWHERE = Span(1, 1, 1, 1)
_CATEGORY: Mapping[str, Category] = {there: here for here, there in CATEGORIES.items()}
_TYPE: Mapping[str, ValueType] = {there: here for here, there in VALUE_TYPES.items()}
_ACTION: Mapping[str, str] = {**{there: here for here, there in ACTIONS.items()}, CUSTOM_ENTRY: "appendToDnc"}
_CODES = {"wrapupCondition": "call.wrapUpCode", "systemDispositionCondition": "call.systemDisposition"}
_TEXTS = {
    "callAnalysisCondition": "call.analysis",
    "phoneNumberCondition": "phone.number",
    "phoneNumberTypeCondition": "phone.type",
}


def read_rule(wire: Mapping[str, Any], columns: ContactList | None = None) -> Rule:
    """Return a rule of a set as one of ours; ids stay those of the platform.

    ``columns`` turns the platform's names of columns into those of the contact list; without it they stay as they are.
    What the platform does not keep (version, priority, description) is 1 or empty.
    """
    read = _Reader({c.remote or c.name: c.name for c in columns.columns.values()} if columns else {})
    name, order = wire.get("name"), wire.get("order") or 0
    if not isinstance(name, str) or not name:
        raise ValueError("the name is no text")
    if not isinstance(order, int) or isinstance(order, bool) or order < 0:
        raise ValueError(f"order is {order!r}")
    return Rule(
        name=name,
        description="",
        version=1,
        priority=1,
        execution_order=order + 1,
        enabled=True,
        category=_of(_CATEGORY, wire.get("category"), "a rule of category"),
        conditions=tuple(map(read.condition, _list(wire, "conditions"))),
        actions=tuple(map(read.action, _list(wire, "actions"))),
        runs_after=(),
        overrides=(),
        renamed_from=None,
        metadata={},
        path="",
        span=_NOWHERE,
        name_span=_NOWHERE,
        spans={},
    )


class _Reader:
    """Reads conditions and actions; ``names`` maps columns there to ours."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def _column(self, name: object) -> str:
        if not isinstance(name, str) or not name:
            raise ValueError(f"a column named {name!r}")
        return self._names.get(name, name)

    def condition(self, wire: Mapping[str, Any]) -> Expression:
        """Return a condition; one that holds of several is a group."""
        kind, inverted = wire.get("type"), _flag(wire, "inverted")
        if not isinstance(kind, str):
            raise ValueError(f"a condition of type {kind!r}")  # noqa: TRY004  (one error for every reason)
        if kind == "contactAttributeCondition":
            return _compared(wire, "contact", self._column(wire.get("attributeName")), _value_type(wire))
        if kind in _TEXTS:
            return _compared(wire, "context", _TEXTS[kind], "string")
        if kind in _CODES:
            return _condition("context", _CODES[kind], "in", tuple(_texts(wire.get("codes"))), "string", inverted)
        if kind == "contactPropertyCondition":
            subject = next((s for s, p in PROPERTIES.items() if p == wire.get("propertyType")), None)
            if subject is None:
                raise ValueError(f"a condition on the property {wire.get('propertyType')!r}")
            name = self._column(wire.get("property")) if subject.endswith(".") else ""
            return _compared(wire, "context", subject + name, _value_type(wire))
        if kind == "dataActionCondition":
            return _data(wire, inverted=inverted)
        if kind == "timeAndDateCondition":
            parts = _list(wire, "subConditions")
            if not 1 <= len(parts) <= SUB_CONDITIONS:
                raise ValueError(f"a time and date condition of {len(parts)} parts")
            group: Literal["any", "all"] = "any" if _flag(wire, "matchAnyConditions") else "all"
            read = Group(group, tuple(map(_time, parts)), _NOWHERE)
            return Group("not", (read,), _NOWHERE) if inverted else read
        raise ValueError(f"a condition of type {kind!r}")

    def action(self, wire: Mapping[str, Any]) -> Action:
        """Return an action with our names and defaults."""
        there = wire.get("actionTypeName")
        name = _of(_ACTION, there, "an action of type")
        given = _object(wire, "properties")
        fields: dict[str, Value | FieldMapping] = {}
        if name == "setAttribute":
            option = wire.get("updateOption")
            if option not in ("SET", "INCREMENT", "DECREMENT", "CURRENT_TIME") or len(given) != 1:
                raise ValueError(f"an action {there} with updateOption {option!r} and {len(given)} columns")
            ((column, value),) = given.items()
            fields = {"attribute": self._column(column), "option": option}
            if option == "SET":
                fields["value"] = _text(value, f"an action {there}")
            elif value not in ("", None):
                raise ValueError(f"an action {there} that counts by {value!r}")
        elif name == "setCallerId":
            fields = {
                key: self._reference(_text(given[key], f"an action {there}"))
                for key in ("callerAddress", "callerName")
                if given.get(key)
            }
        elif name == "setSkills":
            fields = {"skills": tuple(_texts(_json(given.get("skills"))))}
        elif name == "scheduleCallback":
            minutes = parse_number(str(given.get("callbackOffset")))
            if minutes is None or not minutes.is_integer():
                raise ValueError(f"an action {there} with callbackOffset {given.get('callbackOffset')!r}")
            fields = {"offsetMinutes": int(minutes)}
        elif name == "appendToDnc":
            fields = {"list": "custom" if there == CUSTOM_ENTRY else "numbers"}
            if given.get("expirationDuration"):
                fields["expires"] = _text(given["expirationDuration"], f"an action {there}")
        elif name == "dataAction":
            fields = {"id": _id(wire)}
            mappings = _list(wire, "contactColumnToDataActionFieldMappings")
            if mappings:
                passed = {
                    _text(m.get("dataActionField"), "a field"): f"contact.{self._column(m.get('contactColumnName'))}"
                    for m in mappings
                }
                fields["fields"] = FieldMapping(passed)
        return Action(name, fields, _NOWHERE)  # type: ignore[arg-type]

    def _reference(self, text: str) -> str:
        return f"contact.{self._column(text.removeprefix('contact.'))}" if text.startswith("contact.") else text


def _compared(
    wire: Mapping[str, Any], source: Literal["contact", "context"], subject: str, kind: ValueType
) -> Condition:
    there, value = wire.get("operator"), wire.get("value")
    if not isinstance(value, str):
        raise ValueError(f"a condition on {subject} whose value is no text")  # noqa: TRY004  (one error for every reason)
    operator = next((here for here, known in OPERATORS[kind].items() if known == (there, False)), None)
    if operator is None:
        raise ValueError(f"a condition with operator {there!r} under type {kind}")
    if kind == "period":
        value = _age(value)
    return _condition(source, subject, operator, value, kind, _flag(wire, "inverted"))


def _age(text: str) -> str:
    """Return how long ago a time is that is relative to now: a period in the past is a positive age."""
    micros = parse_period(text)
    if micros is None:
        raise ValueError(f"a period {text!r}")
    return f"P0DT0H{-micros // 60_000_000}M"


def _data(wire: Mapping[str, Any], *, inverted: bool) -> Condition:
    """Return a condition on one answer of a data action, where a missing answer counts as an empty text does here."""
    predicates = _list(wire, "predicates")
    if len(predicates) != 1 or inverted or _flag(predicates[0], "inverted"):
        raise ValueError("a data action condition that is inverted or has several predicates")
    (predicate,) = predicates
    operator = next(
        (o for o, known in OPERATORS["string"].items() if known == (predicate.get("outputOperator"), False)), None
    )
    value = predicate.get("comparisonValue")
    plain = operator in ("equals", "contains", "beginsWith", "endsWith") and isinstance(value, str)
    missing = (wire.get("dataNotFoundResolution"), predicate.get("outputFieldMissingResolution"))
    if not plain or operator is None or any(said is not (value == "") for said in missing):
        raise ValueError("a data action condition that says otherwise than here what a missing answer means")
    field = _text(predicate.get("outputField"), "an answer of a data action")
    return _condition("context", f"data.{_id(wire)}.{field}", operator, value, "string", False)


def _time(wire: Mapping[str, Any]) -> Condition:
    subject = next((s for s, (kind, _) in CLOCK.items() if kind == wire.get("type")), None)
    if subject is None or (subject == "now.date" and wire.get("includeYear") is False):
        raise ValueError(f"a time and date condition on {wire.get('type')!r}")
    kind: ValueType = "number" if subject.startswith("now.dayOf") else "string"
    there, bounds = wire.get("operator"), _object(wire, "range")
    inverted = _flag(wire, "inverted")
    value: Value
    if there in ("BEFORE", "AFTER"):
        operator, value = ("lessThan" if there == "BEFORE" else "greaterThan"), wire.get("thresholdValue")
        values: tuple[object, ...] = (value,)
    elif there == "BETWEEN":
        operator, values = "between", (bounds.get("min"), bounds.get("max"))
        value = values  # type: ignore[assignment]
    elif there == "IN":
        operator, values = "in", tuple(_texts(bounds.get("inSet")))
        value = values  # type: ignore[assignment]
    else:
        raise ValueError(f"a time and date condition with operator {there!r}")
    if not values or not all(isinstance(v, str) and (kind == "string" or parse_number(v) is not None) for v in values):
        raise ValueError(f"a time and date condition with operator {there} and other values than times")
    return _condition("context", subject, operator, value, kind, inverted)


def _condition(
    source: Literal["contact", "context"], subject: str, operator: str, value: Value, kind: ValueType, inverted: bool
) -> Condition:
    return Condition(source, subject, operator, value, kind, inverted, _NOWHERE, _NOWHERE, _NOWHERE)


def _value_type(wire: Mapping[str, Any]) -> ValueType:
    return _of(_TYPE, wire.get("valueType"), "a condition of valueType")


def _of(table: Mapping[str, _T], key: object, what: str) -> _T:
    if not isinstance(key, str) or key not in table:
        raise ValueError(f"{what} {key!r}")
    return table[key]


def _id(wire: Mapping[str, Any]) -> str:
    found = _object(wire, "dataAction").get("id")
    if not isinstance(found, str) or not found:
        raise ValueError("a data action without an id")
    return found


def _json(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what} with {value!r} where a text was expected")  # noqa: TRY004  (one error for every reason)
    return value


def _flag(wire: Mapping[str, Any], name: str) -> bool:
    value = wire.get(name)
    if not isinstance(value, bool | None):
        raise ValueError(f"{name} is {value!r}")  # noqa: TRY004  (one error for every reason)
    return value is True


def _object(wire: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = wire.get(name) or {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is no object")  # noqa: TRY004  (one error for every reason)
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise ValueError(f"a list of texts was expected, found {type(value).__name__}")
    return value


def _list(wire: Mapping[str, Any], name: str) -> list[Any]:
    value = wire.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ValueError(f"{name} is no list of objects")
    return value
