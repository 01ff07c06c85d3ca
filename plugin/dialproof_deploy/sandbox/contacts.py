"""The contacts of contact lists, and their export."""

from __future__ import annotations

import csv
import io
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from dialproof_deploy.sandbox.errors import ApiError, Detail, detail, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof_deploy.sandbox.documents import Document
    from dialproof_deploy.sandbox.store import Store

__all__ = ["Contacts", "as_csv"]

_CONTACT: Final = (
    *("ContactCallable", "ContactableByVoice", "ContactableBySms", "ContactableByEmail"),
    "ZipCodeAutomaticTimeZone",
)
"""System columns of a contact."""
_ATTEMPT: Final = (
    *("CallRecordLastAttempt", "CallRecordLastResult", "CallRecordLastAgentWrapup", "SmsLastAttempt", "SmsLastResult"),
    *("Callable", "ContactableByVoice", "ContactableBySms", "AutomaticTimeZone"),
)
"""System columns of each phone column."""


class Contacts:
    """The contacts of one data file."""

    def __init__(self, store: Store) -> None:
        """Keep contacts in ``store``."""
        self._store = store

    def replace(self, list_id: str, body: object) -> int:
        """Make ``body`` the contacts of a list, and return how many they are; raise 400.

        A contact is ``{data, id?, callable?, callRecords?}``; every value of ``data`` is a text.
        """
        entries: list[Any] = body if isinstance(body, list) else [None]
        problems = [problem for index, entry in enumerate(entries) for problem in _problems(entry, f"[{index}]")]
        if problems:
            raise invalid(problems)
        contacts = [{"id": str(uuid.uuid4()), "callable": True, **entry} for entry in entries]
        with self._store.transaction() as db:
            db.execute("DELETE FROM contacts WHERE list = ?", (list_id,))
            db.executemany(
                "INSERT OR REPLACE INTO contacts (list, id, body) VALUES (?, ?, ?)",
                [(list_id, contact["id"], json.dumps(contact, ensure_ascii=False)) for contact in contacts],
            )
        return self.count(list_id)

    def count(self, list_id: str) -> int:
        """Return how many contacts a list has."""
        with self._store.transaction() as db:
            count: int = db.execute("SELECT count(*) FROM contacts WHERE list = ?", (list_id,)).fetchone()[0]
        return count

    def all(self, list_id: str) -> list[dict[str, Any]]:
        """Return the contacts of a list, in the order in which they came."""
        with self._store.transaction() as db:
            rows = db.execute("SELECT body FROM contacts WHERE list = ? ORDER BY position", (list_id,)).fetchall()
        return [json.loads(body) for (body,) in rows]

    def get(self, list_id: str, contact_id: str) -> dict[str, Any]:
        """Return a contact as it is answered, or raise 404."""
        with self._store.transaction() as db:
            row = db.execute("SELECT body FROM contacts WHERE list = ? AND id = ?", (list_id, contact_id)).fetchone()
        if row is None:
            raise ApiError(404, "not.found", f"no contact {contact_id} in contact list {list_id}")
        return {"contactListId": list_id, **json.loads(row[0])}


def as_csv(contact_list: Document, contacts: Sequence[Mapping[str, Any]]) -> str:
    """Return the export of a list: a byte order mark, every value quoted; id, the list's columns, system columns."""
    columns = contact_list["columnNames"]
    phones = [str(phone.get("columnName")) for phone in contact_list["phoneColumns"]]
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(
        ["inin-outbound-id", *columns, *_CONTACT, *(f"{name}-{phone}" for phone in phones for name in _ATTEMPT)]
    )
    for contact in contacts:
        callable_ = "1" if contact["callable"] else "0"
        row = [contact["id"], *(contact["data"].get(column, "") for column in columns)]
        row += [callable_, callable_, callable_, callable_, ""]
        for phone in phones:
            record = (contact.get("callRecords") or {}).get(phone) or {}
            row += [record.get("lastAttempt", ""), record.get("lastResult", ""), "", "", ""]
            row += [callable_, callable_, callable_, ""]
        writer.writerow(row)
    return out.getvalue()


def _problems(entry: object, at: str) -> Iterator[Detail]:
    if not isinstance(entry, dict):
        yield detail(at, "invalid.value", "expected a list of contacts")
        return
    data = entry.get("data")
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        yield detail(f"{at}.data", "invalid.value", "expected an object of strings")
    if not isinstance(entry.get("id", ""), str):
        yield detail(f"{at}.id", "invalid.value", "expected a string")
    if not isinstance(entry.get("callable", True), bool):
        yield detail(f"{at}.callable", "invalid.value", "expected true or false")
    records = entry.get("callRecords", {})
    if not isinstance(records, dict) or not all(isinstance(record, dict) for record in records.values()):
        yield detail(f"{at}.callRecords", "invalid.value", "expected {COLUMN: {lastAttempt, lastResult}}")
