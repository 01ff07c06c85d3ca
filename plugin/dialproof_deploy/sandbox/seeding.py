"""What a test puts into the sandbox as somebody else: people who work in the user interface.

It is stored as it is given, beyond what the API would accept: values that this version of the platform does not know
yet can stand in any field. Only the shape that the sandbox itself reads is checked.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from dialproof_deploy.sandbox.campaigns import STATUSES
from dialproof_deploy.sandbox.documents import CAMPAIGNS, CONTACT_LISTS, EVENTS, QUEUES, RULE_SETS
from dialproof_deploy.sandbox.errors import Detail, detail, invalid
from dialproof_deploy.sandbox.fields import is_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof_deploy.sandbox.documents import Document, Session

__all__ = ["seed"]

_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    RULE_SETS: {"contactList": None, "queue": None, "rules": []},
    CAMPAIGNS: {"campaignStatus": "off", "ruleSets": []},
    CONTACT_LISTS: {"columnNames": [], "phoneColumns": [], "columnDataTypeSpecifications": []},
    QUEUES: {"wrapupCodes": []},
    EVENTS: {"level": "ERROR", "category": "CALL_RULE"},
}
_REFERENCES: Final = ("contactList", "queue")
_TEXTS: Final = ("columnNames", "wrapupCodes")
_OBJECTS: Final = ("rules", "ruleSets", "dncLists", "phoneColumns", "columnDataTypeSpecifications")


def seed(session: Session, kind: str, key: str, body: object) -> Document:
    """Create a document, or change the fields of it that ``body`` gives; return it, or raise 400."""
    if not isinstance(body, dict):
        raise invalid([detail("body", "invalid.value", "expected a JSON object")])
    problems = list(_problems(kind, body))
    if problems:
        raise invalid(problems)
    given = {name: [] if value is None and name in (*_TEXTS, *_OBJECTS) else value for name, value in body.items()}
    fields = {**_DEFAULTS[kind], "name": key, **(session.find(kind, key) or {}), **given}
    if kind == RULE_SETS:
        fields["rules"] = [{"id": str(uuid.uuid4()), **rule} for rule in fields["rules"]]
    if kind == EVENTS:
        fields = {"timestamp": session.now, **fields}
    return session.save(kind, key, fields)


def _problems(kind: str, body: Mapping[str, Any]) -> Iterator[Detail]:
    if not isinstance(body.get("name", ""), str):
        yield detail("name", "invalid.value", "expected a string")
    if kind == CAMPAIGNS and body.get("campaignStatus", "off") not in STATUSES:
        yield detail("campaignStatus", "invalid.value", f"expected one of {', '.join(STATUSES)}")
    for field in _REFERENCES:
        if not (body.get(field) is None or is_reference(body[field])):
            yield detail(field, "invalid.value", "expected an object with an id")
    for field in _TEXTS:
        values = [] if body.get(field) is None else body[field]
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            yield detail(field, "invalid.value", "expected a list of strings")
    for field in _OBJECTS:
        entries = [] if body.get(field) is None else body[field]
        if not _is_list_of_objects(entries):
            yield detail(field, "invalid.value", "expected a list of objects")
        elif field == "ruleSets" and not all(map(is_reference, entries)):
            yield detail(field, "invalid.value", "expected a list of objects with an id")
        elif field == "rules":
            parts = [rule.get(part) or [] for rule in entries for part in ("conditions", "actions")]
            if not all(map(_is_list_of_objects, parts)):
                yield detail(field, "invalid.value", "expected lists of objects as conditions and actions")


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
