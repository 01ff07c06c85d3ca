"""What a target writes with one request, its *document*: a rule, a whole rule set, or the rule sets of a campaign.

On ``campaign-rules`` every rule is a document. On ``rulesets`` a rule set is one, with all of its ``rules``; and so is,
for each campaign, which rule sets it has: ``{id, version, name, campaignStatus, ours, ruleSet, otherRuleSets}``, where
``ours`` tells whether it is to use the set that is looked at, ``ruleSet`` is the name of the set if it does, else None,
and ``otherRuleSets`` are ``{id, name}``. One that is to use the set has its ``contactList`` too, where it is listed
with the set: ``{name, columns, why}``, and ``why`` says why ``columns`` is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

__all__ = ["SERVER_FIELDS", "Kind", "comparable", "content", "kind_of", "rule_in_set", "rules_of", "title_of"]

Kind: TypeAlias = Literal["rule", "rule set", "campaign"]

SERVER_FIELDS = frozenset({"id", "version", "selfUri", "dateCreated", "dateModified"})
"""Fields that the server owns: they never count as a difference and never travel in a planned content."""

_RULE = ("name", "category", "conditions", "actions")
_CONDITION = (
    *("type", "inverted", "attributeName", "operator", "value", "valueType", "property", "propertyType", "codes"),
    *("dataAction", "dataNotFoundResolution", "predicates", "contactIdField", "callAnalysisResultField"),
    *("agentWrapupField", "contactColumnToDataActionFieldMappings"),
    *("subConditions", "matchAnyConditions", "timeZoneId"),
)
_ACTION = (
    *("type", "actionTypeName", "updateOption", "properties", "dataAction", "contactIdField"),
    *("callAnalysisResultField", "agentWrapupField", "contactColumnToDataActionFieldMappings"),
)
_REFERENCES = ("contactList", "queue", "dataAction")


def kind_of(document: Mapping[str, Any]) -> Kind:
    """Return what a document is; a server's rule stays one, whatever fields it adds."""
    if "executionOrder" in document:
        return "rule"
    return "rule set" if "rules" in document else "campaign" if "otherRuleSets" in document else "rule"


def title_of(document: Mapping[str, Any]) -> str:
    """Return what a document is, with its name."""
    return f"{kind_of(document)} {document['name']!r}"


def content(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document without the fields that the server owns."""
    return {key: value for key, value in document.items() if key not in SERVER_FIELDS}


def rules_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rules of a rule set in their order, those that are no object left out."""
    rules = [rule for rule in document.get("rules") or () if isinstance(rule, Mapping)]
    return [dict(rule) for rule in sorted(rules, key=_order)]


def comparable(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what two documents are compared by.

    Of a rule set that are the fields that are known, without ids and names of other things, which a server adds; its
    rules are looked at by name, and of their ``order`` only the sequence counts.
    """
    kind = kind_of(document)
    if kind == "rule":
        return content(document)
    if kind == "campaign":
        return {"ruleSet": document["ruleSet"], "otherRuleSets": [other["id"] for other in document["otherRuleSets"]]}
    rules = rules_of(document)
    names = Counter(str(rule.get("name")) for rule in rules)
    tied = len({_order(rule) for rule in rules}) < len(rules)
    found = {}
    for place, rule in enumerate(rules):
        name = str(rule.get("name"))
        key = name if names[name] == 1 else f"{name} ({place})"
        found[key] = rule_in_set(rule, rule.get("order") if tied else place)
    references = {key: _reference(document[key]) for key in ("contactList", "queue") if document.get(key)}
    return {"name": document.get("name"), **references, "rules": found}


def rule_in_set(rule: Mapping[str, Any], order: Any) -> dict[str, Any]:
    """Return a rule of a set at a place, with the fields that are known: without ids, and names of other things."""
    shown = {"order": order, **_known(rule, _RULE)}
    for key, fields in (("conditions", _CONDITION), ("actions", _ACTION)):
        if isinstance(shown.get(key), list):
            shown[key] = [_known(item, fields) if isinstance(item, Mapping) else item for item in shown[key]]
    return shown


def _known(item: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    shown = {key: item[key] for key in fields if item.get(key) is not None}
    for key in _REFERENCES:
        if key in shown:
            shown[key] = _reference(shown[key])
    if isinstance(shown.get("codes"), list):
        shown["codes"] = sorted(shown["codes"], key=str)
    return shown


def _reference(value: Any) -> Any:
    return {"id": value.get("id")} if isinstance(value, Mapping) else value


def _order(rule: Mapping[str, Any]) -> int:
    order = rule.get("order")
    return order if isinstance(order, int) else 0
