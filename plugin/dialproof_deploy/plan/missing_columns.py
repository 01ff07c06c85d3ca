"""Columns that rules of a set use and that the contact list of a campaign does not have: such a rule never acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.targets.rulesets import suppresses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["missing_columns"]

_COLUMN = "contact."
"""What stands before a column in a property of an action."""


def missing_columns(
    rules: Sequence[Mapping[str, Any]], campaigns: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[str]]:
    """Return refusals for rules that keep contacts from being dialed, and notes for others and for unread lists.

    ``campaigns`` are documents of the target.
    """
    refusals: list[str] = []
    notes: list[str] = []
    for campaign in campaigns:
        known = campaign.get("contactList")
        if known is None:
            continue
        if known["columns"] is None:
            notes.append(
                f"campaign {campaign['name']!r}: whether its contact list has the columns of the rules is not known: "
                f"{known['why']}"
            )
            continue
        there = set(known["columns"])
        for rule in rules:
            gone = [name for name in dict.fromkeys(_columns(rule)) if name not in there]
            if gone:
                what = (
                    f"rule {rule['name']!r} uses {'column' if len(gone) == 1 else 'columns'} "
                    f"{', '.join(map(repr, gone))}, which contact list {known['name']!r} of campaign "
                    f"{campaign['name']!r} does not have, so that it never acts as written: correct the name "
                    "(column: in the contact list file), or add the column there"
                )
                (refusals if suppresses(rule) else notes).append(what)
    return refusals, notes


def _columns(rule: Mapping[str, Any]) -> Iterator[str]:
    """Yield the columns of a contact that a rule reads or writes."""
    for condition in _mappings(rule.get("conditions")):
        if condition.get("type") == "contactAttributeCondition":
            yield str(condition.get("attributeName"))
    for action in _mappings(rule.get("actions")):
        properties = action.get("properties")
        if isinstance(properties, dict):
            if action.get("type") == "modifyContactAttribute":
                yield from map(str, properties)
            values = (value for value in properties.values() if isinstance(value, str))
            yield from (value.removeprefix(_COLUMN) for value in values if value.startswith(_COLUMN))
    for part in (*_mappings(rule.get("conditions")), *_mappings(rule.get("actions"))):
        for mapping in _mappings(part.get("contactColumnToDataActionFieldMappings")):
            yield str(mapping.get("contactColumnName"))


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
