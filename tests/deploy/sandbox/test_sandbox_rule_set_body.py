"""What the sandbox refuses in the body of a rule set, and with which code."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_bodies import DO_NOT_DIAL, RULE_SETS, rule_set, wire_rule


def with_condition(condition: dict[str, Any], category: str = "DIALER_PRECALL") -> dict[str, Any]:
    """Return a set of one rule with one condition."""
    return rule_set("a", wire_rule("r", category=category, conditions=[condition], actions=[]))


def with_action(action: dict[str, Any], category: str = "DIALER_PRECALL") -> dict[str, Any]:
    """Return a set of one rule with one action."""
    return rule_set("a", wire_rule("r", category=category, actions=[action]))


def attribute(**fields: Any) -> dict[str, Any]:
    """Return a condition on a column."""
    kind = {"type": "contactAttributeCondition", "attributeName": "a"}
    return {**kind, "operator": "EQUALS", "value": "1", "valueType": "STRING", **fields}


def time_and_date(*parts: dict[str, Any]) -> dict[str, Any]:
    """Return a condition on the clock."""
    fields = {"subConditions": list(parts), "matchAnyConditions": False, "timeZoneId": "UTC"}
    return {"type": "timeAndDateCondition", **fields}


PREDICATE = {"outputField": "f", "outputOperator": "EQUALS", "comparisonValue": "x", "inverted": False}
DATA_ACTION = {
    "type": "dataActionCondition",
    "dataAction": {"id": "d"},
    "dataNotFoundResolution": False,
    "predicates": [PREDICATE | {"outputFieldMissingResolution": False}],
}
NOON = {"type": "timeOfDay", "operator": "AFTER", "thresholdValue": "12:00"}
CALLBACK = {"type": "Action", "actionTypeName": "SCHEDULE_CALLBACK", "properties": {"callbackOffset": "30"}}
MODIFY = {"type": "modifyContactAttribute", "actionTypeName": "MODIFY_CONTACT_ATTRIBUTE"}

LAST_ATTEMPT = {
    "type": "contactPropertyCondition",
    "propertyType": "LAST_ATTEMPT_BY_COLUMN",
    "property": "Phone",
    "operator": "AFTER",
    "value": "P-1DT0H0M",
    "valueType": "PERIOD",
}

ACCEPTED = [
    with_condition(attribute(value="")),
    with_condition(attribute(valueType="NUMERIC", operator="LESS_THAN", value="-2.5", inverted=True)),
    with_condition(attribute(valueType="DATETIME", operator="BEFORE", value="2026-03-07T12:00Z")),
    with_condition(attribute(valueType="PERIOD", operator="AFTER", value="P-1DT0H0M")),
    with_condition({"type": "phoneNumberCondition", "operator": "BEGINS_WITH", "value": "+1"}),
    with_condition({"type": "phoneNumberTypeCondition", "operator": "EQUALS", "value": "cell"}),
    with_condition(
        attribute(type="contactPropertyCondition", attributeName=None, propertyType="LAST_ATTEMPT_OVERALL")
        | {"valueType": "PERIOD", "value": "P-1DT0H0M"}
    ),
    with_condition(LAST_ATTEMPT),
    with_condition(DATA_ACTION),
    with_condition(time_and_date(NOON)),
    with_condition(time_and_date({"type": "dayOfWeek", "operator": "IN", "range": {"inSet": ["6", "7"]}})),
    with_condition(
        time_and_date({"type": "timeOfDay", "operator": "BETWEEN", "range": {"min": "01:00", "max": "02:00"}})
    ),
    with_condition({"type": "wrapupCondition", "codes": ["w"]}, "DIALER_WRAPUP"),
    with_condition({"type": "systemDispositionCondition", "codes": ["busy"], "inverted": True}, "DIALER_WRAPUP"),
    with_condition({"type": "callAnalysisCondition", "operator": "EQUALS", "value": "x"}, "DIALER_WRAPUP"),
    with_action(DO_NOT_DIAL),
    with_action({"type": "Action", "actionTypeName": "SET_SKILLS", "properties": {"skills": '["s"]'}}),
    with_action({"type": "Action", "actionTypeName": "SET_CALLER_ID", "properties": {"callerName": "contact.Name"}}),
    with_action({"type": "Action", "actionTypeName": "NUMBER_UNCALLABLE"}),
    with_action(MODIFY | {"updateOption": "SET", "properties": {"Status": ""}}),
    with_action({"type": "dataActionBehavior", "actionTypeName": "DATA_ACTION", "dataAction": {"id": "d"}}),
    with_action(CALLBACK, "DIALER_WRAPUP"),
    with_action({"type": "Action", "actionTypeName": "APPEND_NUMBER_TO_DNC_LIST"}, "DIALER_WRAPUP"),
    rule_set("x" * 64),
    {"name": "a", "rules": None},
]


@pytest.mark.parametrize("body", ACCEPTED, ids=lambda value: str(value)[:60])
def test_what_the_platform_documents_is_accepted(api: Any, body: dict[str, Any]) -> None:
    """Each documented condition and action can be stored."""
    answer = api.http.post(RULE_SETS, json=body)
    assert answer.status_code == 200, answer.text


REFUSED = [
    (with_condition(LAST_ATTEMPT | {"property": ""}), "invalid.rule.condition", "property"),
    (with_condition(LAST_ATTEMPT | {"valueType": "STRING"}), "invalid.rule.condition", "valueType"),
    (with_condition(DATA_ACTION | {"predicates": {}}), "invalid.rule.condition", "predicates"),
    (with_condition(DATA_ACTION | {"predicates": ["p"]}), "invalid.rule.condition", "predicates[0]"),
    (with_condition(time_and_date({"type": "timeOfDay", "operator": "BETWEEN", "range": {"min": "1"}})),
     "invalid.rule.condition", "subConditions[0].range.max"),
    (with_condition(time_and_date({"operator": "AFTER", "thresholdValue": "12:00"})), "invalid.rule.condition",
     "subConditions[0].type"),
    (with_condition(time_and_date(NOON | {"range": "1-2"})), "invalid.rule.condition", "subConditions[0].range"),
    (rule_set(""), "name.cannot.be.blank", "name"),
    ({"rules": []}, "name.cannot.be.blank", "name"),
    (rule_set("x" * 65), "name.length.exceeded", "name"),
    (rule_set(5), "invalid.value", "name"),
    ({"name": "a", "rules": {}}, "invalid.value", "rules"),
    (rule_set("a", queue="q"), "invalid.value", "queue"),
    (rule_set("a", description="d"), "unknown.field", "description"),
    (rule_set("a", wire_rule("r"), wire_rule("r")), "rule.conflict", "rules[1].name"),
    (rule_set("a", wire_rule(" ")), "name.cannot.be.blank", "rules[0].name"),
    (rule_set("a", wire_rule("r", -1)), "invalid.value", "rules[0].order"),
    (rule_set("a", wire_rule("r", category="DIALER_NEW")), "invalid.value", "rules[0].category"),
    (rule_set("a", wire_rule("r", enabled=True)), "unknown.field", "rules[0].enabled"),
    (rule_set("a", wire_rule("r", conditions={})), "invalid.value", "rules[0].conditions"),
    (with_condition({"type": "moonPhaseCondition"}), "invalid.rule.condition", "type"),
    (with_condition(attribute(attributeName=None)), "invalid.rule.condition", "attributeName"),
    (with_condition(attribute(value=None)), "invalid.rule.condition", "value"),
    (with_condition(attribute(value=1)), "invalid.rule.condition", "value"),
    (with_condition(attribute(operator="NOT_EQUALS")), "invalid.rule.condition", "operator"),
    (with_condition(attribute(operator="IN")), "invalid.rule.condition", "operator"),
    (with_condition(attribute(valueType="BOOLEAN")), "invalid.rule.condition", "valueType"),
    (with_condition(attribute(valueType="NUMERIC", value="many")), "invalid.value", "value"),
    (with_condition(attribute(valueType="DATETIME", value="tomorrow")), "invalid.value", "value"),
    (with_condition(attribute(valueType="PERIOD", value="1 day")), "invalid.value", "value"),
    (with_condition(attribute(inverted="no")), "invalid.rule.condition", "inverted"),
    (with_condition({"type": "wrapupCondition", "codes": ["w"]}), "invalid.rule.condition.category", "type"),
    (with_condition({"type": "wrapupCondition", "codes": []}, "DIALER_WRAPUP"), "invalid.rule.condition", "codes"),
    (with_condition(DATA_ACTION | {"predicates": [PREDICATE]}), "invalid.rule.condition",
     "predicates[0].outputFieldMissingResolution"),
    (with_condition(DATA_ACTION | {"dataAction": {}}), "invalid.rule.condition", "dataAction"),
    (with_condition(DATA_ACTION | {"agentWrapupField": "f"}), "invalid.rule.condition.category", "agentWrapupField"),
    (with_condition(time_and_date()), "invalid.rule.condition", "subConditions"),
    (with_condition(time_and_date(*[NOON] * 11)), "invalid.rule.condition", "subConditions"),
    (with_condition(time_and_date({"type": "dayOfWeek", "operator": "IN"})), "invalid.rule.condition",
     "subConditions[0].range.inSet"),
    (with_condition(time_and_date({"type": "timeOfDay", "operator": "AFTER"})), "invalid.rule.condition",
     "subConditions[0].thresholdValue"),
    (with_action({"type": "Action", "actionTypeName": "HANG_UP"}), "invalid.rule.action", "actionTypeName"),
    (with_action({"actionTypeName": "DO_NOT_DIAL"}), "invalid.rule.action", "type"),
    (with_action({"type": "dataActionBehavior", "actionTypeName": "DO_NOT_DIAL"}), "invalid.rule.action", "type"),
    (with_action(DO_NOT_DIAL, "DIALER_WRAPUP"), "invalid.rule.action.category", "actionTypeName"),
    (with_action(CALLBACK), "invalid.rule.action.category", "actionTypeName"),
    (with_action(CALLBACK | {"properties": {}}, "DIALER_WRAPUP"), "invalid.rule.action", "properties"),
    (with_action(CALLBACK | {"properties": {"callbackOffset": "soon"}}, "DIALER_WRAPUP"), "invalid.rule.action",
     "properties.callbackOffset"),
    (with_action({"type": "Action", "actionTypeName": "SET_SKILLS", "properties": {"skills": "s"}}),
     "invalid.rule.action", "properties.skills"),
    (with_action(MODIFY | {"updateOption": "DOUBLE", "properties": {"a": ""}}), "invalid.rule.action", "updateOption"),
    (with_action(MODIFY | {"updateOption": "SET"}), "invalid.rule.action", "properties"),
    (with_action(MODIFY | {"updateOption": "SET", "properties": {"a": 1}}), "invalid.rule.action", "properties"),
    (with_action(DO_NOT_DIAL | {"listId": "l"}), "unknown.field", "listId"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "field"), REFUSED, ids=lambda value: str(value)[:60])
def test_what_is_refused(api: Any, assert_error: Any, body: dict[str, Any], code: str, field: str) -> None:
    """A body is refused with the code of its first problem and the field it is in, in a create and in an update."""
    created = api.create_set("stored")
    for answer in (
        api.http.post(RULE_SETS, json=body),
        api.http.put(created["selfUri"], json=body | {"version": 1}),
    ):
        error = assert_error(answer, 400, code)
        assert any(entry["fieldName"].endswith(field) and entry["errorCode"] == code for entry in error["details"])
    assert [entity["name"] for entity in api.http.get(RULE_SETS).json()["entities"]] == ["stored"]


def test_all_problems_come_at_once(api: Any, assert_error: Any) -> None:
    """Each problem of a set is a detail."""
    rules = [wire_rule("", 0, conditions=[{"type": "x"}], actions=[{}]), "no rule"]
    error = assert_error(api.http.post(RULE_SETS, json={"name": None, "rules": rules}), 400)
    fields = ["name", "rules[0].name", "rules[0].conditions[0].type", "rules[0].actions[0].actionTypeName", "rules[1]"]
    assert [entry["fieldName"] for entry in error["details"]] == fields


def test_a_body_that_is_no_object(api: Any, assert_error: Any) -> None:
    """A list or a text is no rule set."""
    for body in ([], "a", 1):
        assert_error(api.http.post(RULE_SETS, json=body), 400)
