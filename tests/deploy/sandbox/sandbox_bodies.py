"""Bodies and paths of the public platform that the tests share."""

from __future__ import annotations

from typing import Any

DO_NOT_DIAL = {"type": "Action", "actionTypeName": "DO_NOT_DIAL"}
RULE_SETS = "/api/v2/outbound/rulesets"
CAMPAIGNS = "/api/v2/outbound/campaigns"


def rule_set(name: Any, *rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the body of a rule set."""
    return {"name": name, "rules": list(rules), **fields}


def wire_rule(name: str, order: int | None = None, category: str = "DIALER_PRECALL", **fields: Any) -> dict[str, Any]:
    """Return a rule of a rule set: Phone is blank, so do not dial."""
    condition = {
        "type": "contactAttributeCondition",
        "attributeName": "Phone",
        "operator": "EQUALS",
        "value": "",
        "valueType": "STRING",
    }
    body = {"name": name, "category": category, "conditions": [condition], "actions": [DO_NOT_DIAL], **fields}
    return body if order is None else body | {"order": order}
