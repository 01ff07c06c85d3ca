"""Actions as the rule sets of the platform hold them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dialproof.cel.values import parse_number, read_text
from dialproof.targets.rulesets_conditions import remote_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Action
    from dialproof.targets.base import Refuse, ResolveId
    from dialproof.targets.rulesets_conditions import Wire

__all__ = ["ACTIONS", "lower_action"]

ACTIONS: Mapping[str, str] = {
    "doNotDial": "DO_NOT_DIAL",
    "setAttribute": "MODIFY_CONTACT_ATTRIBUTE",
    "switchToPreview": "SWITCH_TO_PREVIEW",
    "setCallerId": "SET_CALLER_ID",
    "setSkills": "SET_SKILLS",
    "scheduleCallback": "SCHEDULE_CALLBACK",
    "appendToDnc": "APPEND_NUMBER_TO_DNC_LIST",
    "contactUncallable": "CONTACT_UNCALLABLE",
    "numberUncallable": "NUMBER_UNCALLABLE",
    "dataAction": "DATA_ACTION",
}
"""Action type -> its name there; appendToDnc on the custom list is APPEND_CUSTOM_ENTRY_TO_DNC_LIST."""

CUSTOM_ENTRY = "APPEND_CUSTOM_ENTRY_TO_DNC_LIST"


def lower_action(action: Action, columns: ContactList, resolve: ResolveId, refuse: Refuse) -> Wire | None:
    """Return an action as it travels; None, with a refusal, where it has no counterpart."""
    name = ACTIONS.get(action.type)
    if name is None:
        hint = "write the membership to a column with setAttribute" if action.type == "setList" else ""
        refuse("action", action.span, f"the action {action.type}, which has no counterpart there", hint)
        return None
    fields = action.fields
    if action.type == "setAttribute":
        return _modify(action, columns, refuse)
    if action.type == "dataAction":
        return _data(action, columns, resolve, refuse)
    properties: dict[str, str] = {}
    if action.type == "setCallerId":
        given = {key: fields.get(key) for key in ("callerAddress", "callerName")}
        properties = {key: _reference(str(value), columns) for key, value in given.items() if value is not None}
    elif action.type == "setSkills":
        skills = fields.get("skills")
        written = [read_text(s) for s in (skills if isinstance(skills, tuple) else (skills,))]
        ids = [known_id(resolve, "skills", skill, action, refuse) for skill in written]
        properties = {"skills": json.dumps(ids)}
    elif action.type == "scheduleCallback":
        properties = {"callbackOffset": read_text(fields.get("offsetMinutes"))}
    elif action.type == "appendToDnc":
        name = CUSTOM_ENTRY if fields.get("list") == "custom" else name
        expires = fields.get("expires")
        properties = {"neverExpire": "true"} if expires is None else {"expirationDuration": read_text(expires)}
    return {"type": "Action", "actionTypeName": name, "properties": properties}


def known_id(resolve: ResolveId, kind: str, logical: str, where: Action, refuse: Refuse) -> str:
    """Return the id there of a logical one, with a refusal where the environment does not map it."""
    found = resolve(kind, logical)
    if found is None:
        refuse("action", where.span, f"{logical!r}", f"the environment maps no such id (ids.{kind})")
    return found or ""


def _modify(action: Action, columns: ContactList, refuse: Refuse) -> Wire:
    option, value = str(action.fields.get("option", "SET")), action.fields.get("value")
    if option in ("INCREMENT", "DECREMENT") and value is not None and parse_number(read_text(value)) != 1:
        refuse("action", action.span, f"setAttribute {option} by another amount than 1", "it counts by one")
    column = remote_name(str(action.fields["attribute"]), columns)
    return {
        "type": "modifyContactAttribute",
        "actionTypeName": ACTIONS[action.type],
        "updateOption": option,
        "properties": {column: read_text(value) if option == "SET" else ""},
    }


def _data(action: Action, columns: ContactList, resolve: ResolveId, refuse: Refuse) -> Wire:
    wire: dict[str, Any] = {
        "type": "dataActionBehavior",
        "actionTypeName": ACTIONS[action.type],
        "dataAction": {"id": known_id(resolve, "dataActions", read_text(action.fields.get("id")), action, refuse)},
    }
    fields: Any = action.fields.get("fields") or {}
    mappings = []
    for field, value in fields.items():
        if isinstance(value, str) and value.startswith("contact."):
            column = remote_name(value.removeprefix("contact."), columns)
            mappings.append({"contactColumnName": column, "dataActionField": field})
        else:
            hint = "it passes columns (contact.COLUMN) alone"
            refuse("action", action.span, f"a constant for the field {field} of a data action", hint)
    if mappings:
        wire["contactColumnToDataActionFieldMappings"] = mappings
    return wire


def _reference(text: str, columns: ContactList) -> str:
    """Return a text with the column that it stands for by its name there."""
    return f"contact.{remote_name(text.removeprefix('contact.'), columns)}" if text.startswith("contact.") else text
