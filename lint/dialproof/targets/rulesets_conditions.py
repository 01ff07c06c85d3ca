"""Conditions as the rule sets of the platform hold them: nine types, one operator each, and ``inverted``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from dialproof.cel.text import compares_numbers, condition_type
from dialproof.cel.values import number_text, parse_number, parse_period, read_text
from dialproof.targets.base import TIME_ZONE
from dialproof.targets.rewriting import halves, upright

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Condition, Rule, Value, ValueType
    from dialproof.source.positions import Span
    from dialproof.targets.base import Refuse, ResolveId

__all__ = ["CLOCK", "OPERATORS", "PROPERTIES", "SUB_CONDITIONS", "VALUE_TYPES", "Lowering", "Wire", "remote_name"]

Wire: TypeAlias = dict[str, Any]

VALUE_TYPES: Mapping[ValueType, str] = {
    "string": "STRING",
    "number": "NUMERIC",
    "datetime": "DATETIME",
    "period": "PERIOD",
}
"""Type of a condition -> valueType there; there is none for booleans."""

_EQUALITY: Mapping[str, tuple[str, bool]] = {"equals": ("EQUALS", False), "notEquals": ("EQUALS", True)}
_TEXT: Mapping[str, tuple[str, bool]] = {
    "contains": ("CONTAINS", False),
    "notContains": ("CONTAINS", True),
    "beginsWith": ("BEGINS_WITH", False),
    "endsWith": ("ENDS_WITH", False),
}
_ORDER: Mapping[str, tuple[str, bool]] = {
    "lessThan": ("LESS_THAN", False),
    "lessThanOrEqual": ("LESS_THAN_EQUALS", False),
    "greaterThan": ("GREATER_THAN", False),
    "greaterThanOrEqual": ("GREATER_THAN_EQUALS", False),
}
_TIMES: Mapping[str, tuple[str, bool]] = {
    "lessThan": ("BEFORE", False),
    "before": ("BEFORE", False),
    "lessThanOrEqual": ("AFTER", True),
    "greaterThan": ("AFTER", False),
    "after": ("AFTER", False),
    "greaterThanOrEqual": ("BEFORE", True),
}
_AGES: Mapping[str, tuple[str, bool]] = {
    operator: ({"BEFORE": "AFTER", "AFTER": "BEFORE"}[there], inverted)
    for operator, (there, inverted) in _TIMES.items()
}

OPERATORS: Mapping[ValueType, Mapping[str, tuple[str, bool]]] = {
    "string": {**_EQUALITY, **_TEXT, **_ORDER},
    "number": {**_EQUALITY, **_ORDER},
    "datetime": {**_EQUALITY, **_TIMES},
    "period": _AGES,
}
"""Type -> operator -> (operator there, inverted). A period there is a time relative to now (``P-1DT0H0M`` is this time
yesterday), so that an age is less than a period where the time comes after it."""

PROPERTIES: Mapping[str, str] = {
    "lastAttempt.overall": "LAST_ATTEMPT_OVERALL",
    "lastAttempt.byColumn.": "LAST_ATTEMPT_BY_COLUMN",
    "lastWrapUp.overall": "LAST_WRAPUP_OVERALL",
    "lastWrapUp.byColumn.": "LAST_WRAPUP_BY_COLUMN",
}
"""Context field, or its beginning -> propertyType of a contactPropertyCondition."""

_CODES = {"call.wrapUpCode": "wrapupCondition", "call.systemDisposition": "systemDispositionCondition"}
_TEXTS = {
    "call.analysis": "callAnalysisCondition",
    "phone.number": "phoneNumberCondition",
    "phone.type": "phoneNumberTypeCondition",
}

CLOCK: Mapping[str, tuple[str, str]] = {
    "now.timeOfDay": ("timeOfDay", r"(?:[01]\d|2[0-3]):[0-5]\d"),
    "now.dayOfWeek": ("dayOfWeek", "[1-7]"),
    "now.dayOfMonth": ("dayOfMonth", r"[1-9]|[12]\d|3[01]"),
    "now.date": ("specificDate", r"\d{4}-\d\d-\d\d"),
}
"""Field of the clock -> its type of sub-condition, and what its values look like there."""

SUB_CONDITIONS = 10
"""Sub-conditions that one time and date condition may have."""


def remote_name(name: str, columns: ContactList) -> str:
    """Return the name of a column on the platform: as the contact list says, else the last segment of its path."""
    column = columns.columns.get(name)
    return (column.remote if column is not None else "") or name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Lowering:
    """Lowers the conditions of one rule; ``listed`` collects those that take one rule for each value."""

    rule: Rule
    columns: ContactList
    resolve: ResolveId
    refuse: Refuse
    listed: list[Condition] = field(default_factory=list)

    def condition(self, condition: Condition) -> Iterator[list[Wire]]:
        """Yield lists of wire conditions, of each of which one must hold; nothing where it is refused."""
        subject = condition.subject
        if condition.source == "contact":
            head = {"type": "contactAttributeCondition", "attributeName": remote_name(subject, self.columns)}
            yield from self._compared(condition, head)
        elif subject.startswith("call.") and self.rule.category != "wrapUp":
            self._refuse(
                condition.subject_span, f"a condition on {subject} in a pre-call rule", "it is for wrap-up rules"
            )
        elif subject in _CODES:
            yield from self._codes(condition, _CODES[subject])
        elif subject in _TEXTS:
            yield from self._compared(condition, {"type": _TEXTS[subject]}, types=("string",), typed=False)
        elif subject.startswith("now."):
            yield from self.any_time((condition,))
        elif subject.startswith("data."):
            yield from self._data(condition)
        else:
            yield from self._property(condition)

    def _refuse(self, span: Span, message: str, hint: str = "") -> None:
        self.refuse("condition", span, message, hint)

    # Columns, and what is compared as they are.

    def _compared(
        self,
        condition: Condition,
        head: Wire,
        types: Sequence[ValueType] = ("string", "number", "datetime", "period"),
        *,
        typed: bool = True,
    ) -> Iterator[list[Wire]]:
        condition = upright(condition)
        kind = condition_type(condition, self.columns)
        if compares_numbers(condition, kind):
            kind = "number"
        if condition.operator in ("exists", "notExists"):
            wire = {**head, "operator": "EQUALS", "value": "", "inverted": condition.operator == "exists"}
            yield [{**wire, "valueType": "STRING"} if typed else wire]
            return
        if kind not in types:
            hint = "compare it as text (type: string)" if kind == "boolean" else ""
            self._refuse(condition.span, f"a condition of type {kind} on {condition.subject}", hint)
            return
        if condition.operator == "between":
            yield from self._between(condition, head, types, typed=typed)
            return
        if condition.operator in ("in", "notIn") and kind != "period":
            each = [replace(condition, operator="equals", value=v) for v in _listed(condition.value)]
            made = {wire["value"]: wire for one in each for wire in [self._wire(one, head, kind, typed=typed)]}
            wires = list(made.values())
            if condition.operator == "in":
                if len(wires) > 1:
                    self.listed.append(condition)
                yield wires
            else:
                yield from ([{**wire, "inverted": True}] for wire in wires)
            return
        if condition.operator not in OPERATORS[kind]:
            self._refuse(condition.span, f"the operator {condition.operator} under type {kind}")
            return
        yield [self._wire(condition, head, kind, typed=typed)]

    def _between(
        self, condition: Condition, head: Wire, types: Sequence[ValueType], *, typed: bool
    ) -> Iterator[list[Wire]]:
        parts = None if condition.inverted else halves(condition, self.columns)
        if parts is None:
            self._refuse(condition.span, f"{'an inverted' if condition.inverted else 'this'} between")
            return
        for part in parts:
            yield from self._compared(part, head, types, typed=typed)

    @staticmethod
    def _wire(condition: Condition, head: Wire, kind: ValueType, *, typed: bool) -> Wire:
        operator, inverted = OPERATORS[kind][condition.operator]
        wire = {
            **head,
            "operator": operator,
            "value": _value(condition.value, kind),
            "inverted": inverted != condition.inverted,
        }
        return {**wire, "valueType": VALUE_TYPES[kind]} if typed else wire

    # What surrounds the call.

    def _codes(self, condition: Condition, kind: str) -> Iterator[list[Wire]]:
        values = self._equal_to(condition)
        if values is None:
            return
        if kind == "wrapupCondition":
            values = [self._id("wrapUpCodes", value, condition) for value in values]
        yield [{"type": kind, "codes": values, "inverted": _negates(condition)}]

    def _property(self, condition: Condition) -> Iterator[list[Wire]]:
        beginning = next(b for b in PROPERTIES if condition.subject.startswith(b))
        head: Wire = {"type": "contactPropertyCondition", "propertyType": PROPERTIES[beginning]}
        if beginning.endswith("."):
            head["property"] = remote_name(condition.subject.removeprefix(beginning), self.columns)
        if beginning.startswith("lastAttempt"):
            if condition.operator in ("exists", "notExists"):
                self._refuse(condition.span, f"{condition.operator} on {condition.subject}")
                return
            yield from self._compared(condition, head, ("datetime", "period"))
            return
        values = self._equal_to(condition)
        for_each = [{**head, "operator": "EQUALS", "value": self._id("wrapUpCodes", value, condition),
                     "valueType": "STRING", "inverted": _negates(condition)} for value in values or ()]  # fmt: skip
        if _negates(condition):
            yield from ([wire] for wire in for_each)
        elif for_each:
            if len(for_each) > 1:
                self.listed.append(condition)
            yield for_each

    def _equal_to(self, condition: Condition) -> list[str] | None:
        """Return the codes that a condition compares with; None, with a refusal, where it does more than that."""
        values = [read_text(v) for v in _listed(condition.value)]
        if condition.operator not in ("equals", "notEquals", "in", "notIn") or "" in values:
            self._refuse(
                condition.span, f"{condition.operator} on {condition.subject}", "it compares whole codes alone"
            )
            return None
        return list(dict.fromkeys(values))

    def _data(self, condition: Condition) -> Iterator[list[Wire]]:
        """Yield a condition on what a data action answers.

        It must be said there what a missing answer counts as. Here a missing text is "", and any other missing value
        is undecided, which cannot be said.
        """
        _, action, name = condition.subject.split(".", 2) if condition.subject.count(".") > 1 else ("", "", "")
        kind, operator = condition_type(condition, self.columns), condition.operator
        positive = {"equals": "EQUALS", "contains": "CONTAINS", "beginsWith": "BEGINS_WITH", "endsWith": "ENDS_WITH"}
        if kind != "string" or operator not in positive or condition.inverted or not name:
            what = f"{'an inverted ' if condition.inverted else ''}{operator} under type {kind} on {condition.subject}"
            hint = "what a missing answer means there can be said of equals, contains, beginsWith and endsWith on text"
            self._refuse(condition.span, what, hint)
            return
        value = read_text(condition.value)
        missing = value == ""
        predicate = {
            "outputField": name,
            "outputOperator": positive[operator],
            "comparisonValue": value,
            "inverted": False,
            "outputFieldMissingResolution": missing,
        }
        yield [
            {
                "type": "dataActionCondition",
                "dataAction": {"id": self._id("dataActions", action, condition)},
                "dataNotFoundResolution": missing,
                "predicates": [predicate],
                "inverted": False,
            }
        ]

    def any_time(self, conditions: Sequence[Condition]) -> Iterator[list[Wire]]:
        """Yield the time and date condition of which one of some conditions on the clock must hold."""
        zone = self.resolve(TIME_ZONE, "now")
        if not zone:
            hint = "write time_zone to the environment"
            self._refuse(conditions[0].subject_span, "a condition on the clock without a time zone", hint)
            return
        parts = [part for condition in conditions if (part := self._time(condition)) is not None]
        if len(parts) < len(conditions):
            return
        if len(parts) > SUB_CONDITIONS:
            self._refuse(conditions[0].span, f"more than {SUB_CONDITIONS} conditions on the clock in one group")
            return
        yield [
            {
                "type": "timeAndDateCondition",
                "subConditions": parts,
                "matchAnyConditions": len(parts) > 1,
                "timeZoneId": zone,
                "inverted": False,
            }
        ]

    def _time(self, condition: Condition) -> Wire | None:
        """Return the sub-condition of a condition on the clock."""
        condition = upright(condition)
        kind, pattern = CLOCK[condition.subject]
        operator, inverted = condition.operator, condition.inverted
        values = [_clock_value(v) for v in _listed(condition.value)]
        own = "number" if condition.subject.startswith("now.dayOf") else "string"
        typed = condition_type(condition, self.columns) == own
        head: Wire = {"type": kind, "includeYear": True} if kind == "specificDate" else {"type": kind}
        if not typed or not values or not all(re.fullmatch(pattern, v) for v in values):
            self._refuse(condition.span, f"this {operator} on {condition.subject}")
            return None
        if operator in _TIMES:
            there, negated = _TIMES[operator]
            return {**head, "operator": there, "thresholdValue": values[0], "inverted": inverted != negated}
        if operator == "between":
            if _padded(values[0]) > _padded(values[1]):
                self._refuse(condition.span, "between with the later bound first", "nothing is between the two")
                return None
            return {**head, "operator": "BETWEEN", "range": {"min": values[0], "max": values[1]}, "inverted": inverted}
        if operator not in ("equals", "notEquals", "in", "notIn"):
            self._refuse(condition.span, f"{operator} on {condition.subject}")
            return None
        inverted = inverted != _negative(operator)
        if kind != "timeOfDay":
            return {**head, "operator": "IN", "range": {"inSet": list(dict.fromkeys(values))}, "inverted": inverted}
        if len(values) > 1:
            self._refuse(condition.span, f"{operator} on {condition.subject}", "it has no list of times of the day")
            return None
        return {**head, "operator": "BETWEEN", "range": {"min": values[0], "max": values[0]}, "inverted": inverted}

    def _id(self, kind: str, logical: str, condition: Condition) -> str:
        found = self.resolve(kind, logical)
        if found is None:
            self._refuse(condition.value_span, f"{logical!r}", f"the environment maps no such id (ids.{kind})")
        return found or ""


def _negative(operator: str) -> bool:
    return operator in ("notEquals", "notIn")


def _negates(condition: Condition) -> bool:
    return condition.inverted != _negative(condition.operator)


def _listed(value: Value) -> tuple[str | float | bool, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _clock_value(value: object) -> str:
    number = parse_number(read_text(value))
    return read_text(value) if number is None else number_text(number)


def _padded(text: str) -> str:
    return text.rjust(2, "0")


def _value(value: Value, kind: ValueType) -> str:
    """Return a value as it travels, which is always text."""
    text = read_text(value)
    if kind == "number":
        number = parse_number(text)
        return text if number is None else number_text(number)
    return _negated_period(text) if kind == "period" else text


def _negated_period(text: str) -> str:
    """Return the time that lies as far in the past as a period is long: the platform counts from now."""
    minutes = -(parse_period(text) or 0) // 60_000_000
    sign, size = ("-" if minutes < 0 else ""), abs(minutes)
    days, rest = divmod(size, 1440)
    return f"P{sign}{days}DT{sign}{rest // 60}H{sign}{rest % 60}M"
