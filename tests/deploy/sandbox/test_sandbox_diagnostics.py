"""The diagnostics of a campaign: what does not fit between its rule sets and the rest of what is stored."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_bodies import CAMPAIGNS, DO_NOT_DIAL, wire_rule

PHONE = {"type": "phoneNumberCondition", "operator": "EQUALS", "value": "1"}
WRAP_UP = {"type": "wrapupCondition", "codes": ["sold"]}
APPEND = {"type": "Action", "actionTypeName": "APPEND_NUMBER_TO_DNC_LIST"}
CALLER = {"type": "Action", "actionTypeName": "SET_CALLER_ID", "properties": {"callerName": "contact.Nmae"}}
MODIFY = {"type": "modifyContactAttribute", "actionTypeName": "MODIFY_CONTACT_ATTRIBUTE", "updateOption": "SET"}
LAST = {
    "type": "contactPropertyCondition",
    "propertyType": "LAST_ATTEMPT_BY_COLUMN",
    "property": "Mobile",
    "operator": "AFTER",
    "value": "P-1DT0H0M",
    "valueType": "PERIOD",
}
DATA = {
    "type": "dataActionCondition",
    "dataAction": {"id": "d"},
    "dataNotFoundResolution": False,
    "predicates": [
        {"outputField": "f", "outputOperator": "EQUALS", "comparisonValue": "", "outputFieldMissingResolution": False}
    ],
    "contactColumnToDataActionFieldMappings": [{"contactColumnName": "Mail", "dataActionField": "m"}],
}
MISSING = "CONTACT_ATTRIBUTE_NOT_IN_CONTACT_LIST"

PRE_CALL: dict[str, Any] = {"conditions": [], "actions": [DO_NOT_DIAL]}
AFTER_CALL: dict[str, Any] = {"category": "DIALER_WRAPUP", "conditions": [], "actions": []}


@pytest.mark.parametrize(
    ("rule", "campaign", "warnings"),
    [
        ({}, {}, []),
        ({"conditions": [LAST]}, {}, [MISSING]),
        ({"actions": [CALLER]}, {}, [MISSING]),
        ({"actions": [MODIFY | {"properties": {"Status": "x"}}]}, {}, [MISSING]),
        ({"actions": [MODIFY | {"properties": {"Phone": "contact.Name"}}]}, {}, [MISSING]),
        ({"conditions": [LAST]}, {"contactList": {"id": "unknown"}}, []),
        ({"conditions": [DATA]}, {}, [MISSING]),
        (AFTER_CALL | {"conditions": [WRAP_UP]}, {}, ["WRAPUP_CODE_NOT_IN_QUEUE"]),
        (AFTER_CALL | {"conditions": [WRAP_UP | {"codes": ["busy"]}]}, {}, []),
        (AFTER_CALL | {"conditions": [WRAP_UP]}, {"queue": None}, []),
        (AFTER_CALL | {"actions": [APPEND]}, {}, ["NO_DNC_LIST_FOR_APPEND"]),
        (AFTER_CALL | {"actions": [APPEND]}, {"dncLists": [{"id": "d"}]}, []),
        ({"conditions": [PHONE]}, {}, []),
        ({"conditions": [PHONE]}, {"dialingMode": "preview"}, ["PHONE_CONDITIONS_WITH_MULTICOLUMN_PREVIEW"]),
        ({"conditions": [PHONE]}, {"dialingMode": "preview", "phoneColumns": [{"columnName": "Phone"}]}, []),
        (PRE_CALL, {"dialingMode": "preview"}, []),
    ],
)
def test_warnings(api: Any, rule: dict[str, Any], campaign: dict[str, Any], warnings: list[str]) -> None:
    """Each warning is about what the rules need and the campaign does not have."""
    api.seed("contactlists/l1", {"columnNames": ["Phone"]})
    api.seed("queues/q1", {"wrapupCodes": ["busy"]})
    created = api.create_set("night", wire_rule("r", **rule))
    fields = {
        "contactList": {"id": "l1"},
        "queue": {"id": "q1"},
        "ruleSets": [{"id": created["id"]}],
        "phoneColumns": [{"columnName": "Phone"}, {"columnName": "Mobile"}],
    }
    api.seed("campaigns/c1", fields | campaign)
    body = api.http.get(f"{CAMPAIGNS}/c1/diagnostics").json()
    (found,) = body["ruleSetDiagnostics"]
    assert (found["ruleSet"]["id"], found["warnings"]) == (created["id"], warnings)
    assert [entity["id"] for entity in body["callableContacts"]["ruleSets"]] == [created["id"]]


def test_a_campaign_without_rule_sets(api: Any) -> None:
    """A campaign without rule sets has no diagnostics of them, and one whose set is gone has no warning."""
    assert api.http.get(f"{CAMPAIGNS}/c1/diagnostics").json()["ruleSetDiagnostics"] == []
    api.seed("campaigns/c1", {"ruleSets": [{"id": "gone"}]})
    assert api.http.get(f"{CAMPAIGNS}/c1/diagnostics").json()["ruleSetDiagnostics"][0]["warnings"] == []
