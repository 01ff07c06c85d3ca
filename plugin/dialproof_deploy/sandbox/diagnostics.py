"""What the platform warns of between a campaign and its rule sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dialproof_deploy.sandbox.documents import CONTACT_LISTS, QUEUES, RULE_SETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof_deploy.sandbox.documents import Document, Session

__all__ = ["diagnose"]

_PHONE: Final = ("phoneNumberCondition", "phoneNumberTypeCondition")
_APPEND: Final = ("APPEND_NUMBER_TO_DNC_LIST", "APPEND_CUSTOM_ENTRY_TO_DNC_LIST")
_COLUMN: Final = "contact."


def diagnose(session: Session, campaign: Document) -> dict[str, Any]:
    """Return the diagnostics of a campaign: for each of its rule sets the warnings that hold of what is stored.

    A contact list or a queue that the sandbox does not have is not compared with.
    """
    contact_list = _referred(session, CONTACT_LISTS, campaign.get("contactList"))
    queue = _referred(session, QUEUES, campaign.get("queue"))
    found = []
    for reference in campaign.get("ruleSets") or []:
        rule_set = session.find(RULE_SETS, reference["id"])
        rules = [] if rule_set is None else rule_set.get("rules") or []
        warnings = dict.fromkeys(_warnings(campaign, rules, contact_list, queue))
        found.append({"ruleSet": reference, "warnings": list(warnings)})
    return {
        "callableContacts": {
            "attemptLimits": campaign.get("attemptLimits"),
            "callableTimeSet": campaign.get("callableTimeSet"),
            "dncLists": campaign.get("dncLists") or [],
            "ruleSets": campaign.get("ruleSets") or [],
        },
        "ruleSetDiagnostics": found,
        "campaignErrors": [],
    }


def _referred(session: Session, kind: str, reference: Any) -> Document | None:
    return session.find(kind, reference["id"]) if reference else None


def _warnings(
    campaign: Document, rules: list[Document], contact_list: Document | None, queue: Document | None
) -> Iterator[str]:
    conditions = [condition for rule in rules for condition in rule.get("conditions") or []]
    actions = [action for rule in rules for action in rule.get("actions") or []]
    if queue is not None:
        used = {str(c) for x in conditions if x.get("type") == "wrapupCondition" for c in _list(x.get("codes"))}
        if not used <= set(queue["wrapupCodes"]):
            yield "WRAPUP_CODE_NOT_IN_QUEUE"
    if contact_list is not None and not set(map(str, _columns(conditions, actions))) <= set(
        contact_list["columnNames"]
    ):
        yield "CONTACT_ATTRIBUTE_NOT_IN_CONTACT_LIST"
    if not campaign.get("dncLists") and any(action.get("actionTypeName") in _APPEND for action in actions):
        yield "NO_DNC_LIST_FOR_APPEND"
    several = len(_list(campaign.get("phoneColumns"))) > 1
    if several and campaign.get("dialingMode") == "preview" and any(c.get("type") in _PHONE for c in conditions):
        yield "PHONE_CONDITIONS_WITH_MULTICOLUMN_PREVIEW"


def _columns(conditions: list[Document], actions: list[Document]) -> Iterator[object]:
    """Yield the columns of a contact that rules read or write."""
    for condition in conditions:
        if condition.get("type") == "contactAttributeCondition":
            yield condition.get("attributeName")
        if str(condition.get("propertyType")).endswith("_BY_COLUMN"):
            yield condition.get("property")
    for action in actions:
        properties = action.get("properties")
        if isinstance(properties, dict):
            if action.get("type") == "modifyContactAttribute":
                yield from properties
            values = [value for value in properties.values() if isinstance(value, str)]
            yield from (value.removeprefix(_COLUMN) for value in values if value.startswith(_COLUMN))
    for part in (*conditions, *actions):
        for mapping in _list(part.get("contactColumnToDataActionFieldMappings")):
            if isinstance(mapping, dict):
                yield mapping.get("contactColumnName")


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
