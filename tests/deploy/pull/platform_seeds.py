"""Rule sets as people make them in the platform's user interface: every type of condition and of action there is."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

ZONE = "America/Denver"
TEXT_OPERATORS = ("EQUALS", "CONTAINS", "BEGINS_WITH", "ENDS_WITH")
ORDERS = ("LESS_THAN", "LESS_THAN_EQUALS", "GREATER_THAN", "GREATER_THAN_EQUALS")
CONTACT_LIST = {
    "name": "Customers 2026",
    "columnNames": ["name", "phone", "e mail", "tier", "balance", "seen", "yes", "a.b", "touched"],
    "phoneColumns": [{"columnName": "phone", "type": "Home"}],
    "emailColumns": [{"columnName": "e mail", "type": "Personal"}],
    "columnDataTypeSpecifications": [
        {"columnName": "balance", "columnDataType": "NUMERIC", "min": 0, "max": 100000},
        {"columnName": "seen", "columnDataType": "TIMESTAMP"},
        {"columnName": "tier", "columnDataType": "TEXT", "maxLength": 10},
    ],
}


def attribute(name: str, operator: str, value: str, kind: str, *, inverted: bool = False) -> dict[str, Any]:
    """Return a condition on a column."""
    head = {"type": "contactAttributeCondition", "attributeName": name, "operator": operator}
    return {**head, "value": value, "valueType": kind, "inverted": inverted}


def clock(*parts: dict[str, Any], any_of_them: bool = False) -> dict[str, Any]:
    """Return a time and date condition."""
    return {
        "type": "timeAndDateCondition",
        "subConditions": list(parts),
        "matchAnyConditions": any_of_them,
        "timeZoneId": ZONE,
        "inverted": False,
    }


HOURS = {"type": "timeOfDay", "operator": "BETWEEN", "range": {"min": "08:00", "max": "20:00"}, "inverted": True}
DAYS = {"type": "dayOfWeek", "operator": "IN", "range": {"inSet": ["1", "7"]}, "inverted": False}
MONTH = {"type": "dayOfMonth", "operator": "IN", "range": {"inSet": ["1", "31"]}, "inverted": False}
DATE = {"type": "specificDate", "operator": "BEFORE", "thresholdValue": "2026-12-24", "includeYear": True,
        "inverted": False}  # fmt: skip


def lookup(operator: str, value: str) -> dict[str, Any]:
    """Return a condition on an answer of a data action."""
    missing = value == ""
    predicate = {"outputField": "score", "outputOperator": operator, "comparisonValue": value, "inverted": False,
                 "outputFieldMissingResolution": missing}  # fmt: skip
    head = {"type": "dataActionCondition", "dataAction": {"id": "da-1"}, "dataNotFoundResolution": missing}
    return {**head, "predicates": [predicate], "inverted": False}


def last(kind: str, operator: str, value: str, value_type: str, prop: str = "") -> dict[str, Any]:
    """Return a condition on the last attempt or wrap-up."""
    head = {"type": "contactPropertyCondition", "propertyType": kind, **({"property": prop} if prop else {})}
    return {**head, "operator": operator, "value": value, "valueType": value_type, "inverted": False}


PRE_CALL = [
    *(attribute("tier", o, "gold", "STRING", inverted=turned) for o in TEXT_OPERATORS for turned in (False, True)),
    *(attribute("tier", o, "m", "STRING") for o in ORDERS),
    *(attribute("yes", "EQUALS", value, "STRING") for value in ("no", "010", "1:30", "")),
    attribute("a.b", "EQUALS", "null", "STRING"),
    *(attribute("balance", o, "5000", "NUMERIC") for o in ("EQUALS", *ORDERS)),
    *(attribute("seen", o, "2026-03-07", "DATETIME") for o in ("EQUALS", "BEFORE", "AFTER")),
    *(attribute("seen", o, "P-7DT-0H-0M", "PERIOD") for o in ("BEFORE", "AFTER")),
    *({"type": "phoneNumberCondition", "operator": o, "value": "+1303555", "inverted": False} for o in TEXT_OPERATORS),
    {"type": "phoneNumberTypeCondition", "operator": "EQUALS", "value": "Home", "inverted": True},
    last("LAST_ATTEMPT_OVERALL", "BEFORE", "P-1DT-0H-0M", "PERIOD"),
    last("LAST_ATTEMPT_BY_COLUMN", "AFTER", "2026-03-07", "DATETIME", "phone"),
    last("LAST_WRAPUP_OVERALL", "EQUALS", "code-1", "STRING"),
    last("LAST_WRAPUP_BY_COLUMN", "EQUALS", "code-2", "STRING", "phone"),
    *(lookup(o, "high") for o in TEXT_OPERATORS),
    lookup("EQUALS", ""),
    clock(HOURS),
    clock(DAYS),
    clock(MONTH),
    clock(DATE),
    clock(HOURS, DAYS, any_of_them=True),
]
WRAP_UP = [
    *({"type": "callAnalysisCondition", "operator": o, "value": "live", "inverted": False} for o in TEXT_OPERATORS),
    {"type": "wrapupCondition", "codes": ["code-1", "code-2"], "inverted": False},
    {"type": "wrapupCondition", "codes": ["code-1"], "inverted": True},
    {"type": "systemDispositionCondition", "codes": ["disposition.classification.callable.busy"], "inverted": False},
]


def action(name: str, **properties: str) -> dict[str, Any]:
    """Return an action."""
    return {"type": "Action", "actionTypeName": name, "properties": properties}


def modify(option: str, value: str = "") -> dict[str, Any]:
    """Return a change of a column."""
    head = {"type": "modifyContactAttribute", "actionTypeName": "MODIFY_CONTACT_ATTRIBUTE"}
    return {**head, "updateOption": option, "properties": {"touched": value}}


DATA = {
    "type": "dataActionBehavior",
    "actionTypeName": "DATA_ACTION",
    "dataAction": {"id": "da-2"},
    "contactColumnToDataActionFieldMappings": [{"contactColumnName": "tier", "dataActionField": "Tier: yes"}],
}
PRE_CALL_ACTIONS = [
    action("DO_NOT_DIAL"),
    action("SWITCH_TO_PREVIEW"),
    action("SET_CALLER_ID", callerAddress="contact.tier", callerName="010"),
    action("SET_SKILLS", skills='["skill-1", "skill-2"]'),
    action("CONTACT_UNCALLABLE"),
    action("NUMBER_UNCALLABLE"),
    *(modify(option) for option in ("INCREMENT", "DECREMENT", "CURRENT_TIME")),
    *(modify("SET", value) for value in ("yes", "010", "")),
    DATA,
]
WRAP_UP_ACTIONS = [
    action("APPEND_NUMBER_TO_DNC_LIST", neverExpire="true"),
    action("APPEND_NUMBER_TO_DNC_LIST", expirationDuration="P3DT0H0M"),
    action("APPEND_CUSTOM_ENTRY_TO_DNC_LIST", neverExpire="true"),
    action("SCHEDULE_CALLBACK", callbackOffset="30"),
    modify("SET", "done"),
]


def rule_sets(count: int) -> list[dict[str, Any]]:
    """Return so many rule sets, of two rules each, which together hold everything above."""
    before = zip(islice(cycle(PRE_CALL), count), islice(cycle(PRE_CALL_ACTIONS), count), strict=True)
    after = zip(islice(cycle(WRAP_UP), count), islice(cycle(WRAP_UP_ACTIONS), count), strict=True)
    return [
        {
            "name": f"Set {number}: no",
            "contactList": {"id": "cl-1"},
            "rules": [
                {"name": "yes", "order": 0, "category": "DIALER_PRECALL", "conditions": [one], "actions": [done]},
                {"name": "- 010", "order": 4, "category": "DIALER_WRAPUP", "conditions": [two], "actions": [then]},
            ],
        }
        for number, ((one, done), (two, then)) in enumerate(zip(before, after, strict=True), 1)
    ]
