"""The entities of the platform as versioned JSON documents; each change is audited in the same transaction."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from dialproof_deploy.sandbox.errors import ApiError
from dialproof_deploy.sandbox.events import iso

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping

    from dialproof_deploy.sandbox.store import Store

__all__ = [
    "CAMPAIGNS",
    "CONTACT_LISTS",
    "EVENTS",
    "KINDS",
    "QUEUES",
    "RULE_SETS",
    "Actor",
    "Document",
    "Documents",
    "Session",
    "self_uri",
]

Document = dict[str, Any]
"""An entity as it is answered: id, name, dateCreated, dateModified, version, its own fields, selfUri."""

RULE_SETS: Final = "rulesets"
CAMPAIGNS: Final = "campaigns"
CONTACT_LISTS: Final = "contactlists"
QUEUES: Final = "queues"
EVENTS: Final = "events"

KINDS: Final[Mapping[str, tuple[str, str | None]]] = {
    RULE_SETS: ("rule set", "RuleSet"),
    CAMPAIGNS: ("campaign", "Campaign"),
    CONTACT_LISTS: ("contact list", "ContactList"),
    QUEUES: ("queue", None),
    EVENTS: ("event", None),
}
"""Kind (the collection's name in a path) -> its name in a message, and its entity type in the audit of Outbound."""

_REFERENCES: Final = {"contactList": CONTACT_LISTS, "queue": QUEUES, "ruleSets": RULE_SETS}
"""Field that refers to another document, or to several -> their kind; only ids are stored."""

_SELECT: Final = "SELECT position, body, previous, stale_reads FROM documents WHERE kind = ?"
_OWN: Final = ("id", "name", "dateCreated", "dateModified", "version", "selfUri")


@dataclass(frozen=True)
class Actor:
    """Who makes a change: an OAuth client, and the user if a person works with it."""

    client_id: str
    user_id: str = ""
    user_name: str = ""


_NOBODY: Final = Actor("")


class Documents:
    """Reads, and the sessions in which documents change."""

    def __init__(self, store: Store, stale_reads: Callable[[], int], *, auto_create: bool) -> None:
        """Keep documents in ``store``; with ``auto_create`` every campaign id is a campaign.

        ``stale_reads`` tells how many reads after a write still answer what was there before it.
        """
        self._store = store
        self._stale_reads = stale_reads
        self._auto_create = auto_create

    @contextmanager
    def session(self, actor: Actor) -> Iterator[Session]:
        """Give what reads and changes the current documents in one transaction, undone if the body raises."""
        with self._store.transaction() as db:
            yield self.within(db, actor)

    def within(self, db: sqlite3.Connection, actor: Actor = _NOBODY) -> Session:
        """Return what reads and changes the current documents in a transaction that somebody else holds."""
        return Session(db, actor, self._store.now(), self._stale_reads(), auto_create=self._auto_create)

    def read(self, kind: str, key: str) -> Document:
        """Return a document as readers see it, or raise 404."""
        with self._store.transaction() as db:
            row = db.execute(f"{_SELECT} AND id = ?", (kind, key)).fetchone()
            seen = None if row is None else _seen(db, *row)
            found = None if seen is None else _shown(db, seen)
        if row is None and kind == CAMPAIGNS and self._auto_create:
            return _unseen_campaign(key)
        if found is None:
            raise _not_found(kind, key)
        return found

    def listed(self, kind: str) -> list[Document]:
        """Return all documents of a kind as readers see them, oldest first."""
        with self._store.transaction() as db:
            rows = db.execute(f"{_SELECT} ORDER BY position", (kind,)).fetchall()
            seen = [_seen(db, *row) for row in rows]
            return [_shown(db, document) for document in seen if document is not None]


class Session:
    """One transaction over the documents; reads are current, whatever other readers still see."""

    def __init__(self, db: sqlite3.Connection, actor: Actor, now: int, stale_reads: int, *, auto_create: bool) -> None:
        self._db = db
        self._actor = actor
        self._now = now
        self._stale_reads = stale_reads
        self._auto_create = auto_create

    @property
    def now(self) -> str:
        """The time of the transaction."""
        return iso(self._now)

    def find(self, kind: str, key: str) -> Document | None:
        """Return a document, or None."""
        stored = self._stored(kind, key)
        if stored is not None:
            return _shown(self._db, _load(stored))
        return _unseen_campaign(key) if kind == CAMPAIGNS and self._auto_create else None

    def get(self, kind: str, key: str) -> Document:
        """Return a document, or raise 404."""
        found = self.find(kind, key)
        if found is None:
            raise _not_found(kind, key)
        return found

    def listed(self, kind: str) -> list[Document]:
        """Return all documents of a kind, oldest first."""
        rows = self._db.execute("SELECT body FROM documents WHERE kind = ? ORDER BY position", (kind,))
        return [_shown(self._db, _load(body)) for (body,) in rows.fetchall()]

    def names(self, kind: str) -> dict[str, str]:
        """Return the names of all documents of a kind by their ids."""
        return dict(self._db.execute("SELECT id, name FROM documents WHERE kind = ?", (kind,)).fetchall())

    def keep_campaign(self, key: str) -> None:
        """Store a campaign that exists only because every id does, as it is; raise 404 if none does."""
        campaign = {"dateCreated": self.now, "dateModified": self.now, **self.get(CAMPAIGNS, key)}
        self._db.execute(
            "INSERT OR IGNORE INTO documents (kind, id, name, body, stale_reads) VALUES (?, ?, ?, ?, 0)",
            (CAMPAIGNS, key, campaign["name"], _dump(campaign)),
        )

    def save(self, kind: str, key: str, fields: Mapping[str, Any]) -> Document:
        """Create or replace a document by ``fields``, with the next version, and return it.

        What the server owns (id, version, dates, selfUri) is not taken from ``fields``.
        """
        stored = self._stored(kind, key)
        before = None if stored is None else _load(stored)
        after = {
            "id": key,
            "name": fields["name"],
            "dateCreated": self.now if before is None else before["dateCreated"],
            "dateModified": self.now,
            "version": 1 if before is None else before["version"] + 1,
            **{name: _kept(name, value) for name, value in fields.items() if name not in _OWN},
            "selfUri": self_uri(kind, key),
        }
        self._db.execute(
            "INSERT INTO documents (kind, id, name, body, previous, stale_reads) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, body = excluded.body,"
            " previous = excluded.previous, stale_reads = excluded.stale_reads",
            (kind, key, after["name"], _dump(after), stored, self._stale_reads),
        )
        self._audit("Create" if before is None else "Update", kind, before or {}, after)
        return _shown(self._db, after)

    def remove(self, kind: str, key: str) -> None:
        """Remove a document, or raise 404."""
        stored = self._stored(kind, key)
        if stored is None:
            raise _not_found(kind, key)
        self._db.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, key))
        self._audit("Delete", kind, _load(stored), {})

    def _stored(self, kind: str, key: str) -> str | None:
        """Return a document as it is stored."""
        row = self._db.execute("SELECT body FROM documents WHERE kind = ? AND id = ?", (kind, key)).fetchone()
        return None if row is None else str(row[0])

    def _audit(self, action: str, kind: str, before: Document, after: Document) -> None:
        entity = after or before
        entity_type = KINDS[kind][1]
        if entity_type is None:
            return
        client = self._actor.client_id
        message = {
            "id": str(uuid.uuid4()),
            "user": _person(self._actor),
            "client": {"id": client, "selfUri": f"/api/v2/oauth/clients/{quote(client, safe='')}"},
            "serviceName": "Outbound",
            "eventDate": self.now,
            "action": action,
            "entity": {"id": entity["id"], "name": entity["name"], "selfUri": entity["selfUri"]},
            "entityType": entity_type,
            "status": "SUCCESS",
            "level": "USER",
            "propertyChanges": [
                {"property": name, "oldValues": _texts(before.get(name)), "newValues": _texts(after.get(name))}
                for name in dict.fromkeys([*before, *after])
                if name not in ("id", "dateCreated", "dateModified", "selfUri") and before.get(name) != after.get(name)
            ],
        }
        self._db.execute("INSERT INTO audits (moment, body) VALUES (?, ?)", (self._now, _dump(message)))


def self_uri(kind: str, key: str) -> str:
    """Return the path of a document."""
    service = "routing" if kind == QUEUES else "outbound"
    return f"/api/v2/{service}/{kind}/{quote(key, safe='')}"


def _seen(db: sqlite3.Connection, position: int, body: str, previous: str | None, stale_reads: int) -> Document | None:
    """Return what a reader sees of a document, and count the read; None for one too new to be seen."""
    if not stale_reads:
        return _load(body)
    db.execute("UPDATE documents SET stale_reads = stale_reads - 1 WHERE position = ?", (position,))
    return None if previous is None else _load(previous)


def _kept(field: str, value: Any) -> Any:
    """Return what is kept of a field: of references the ids alone, for names may change."""
    if field not in _REFERENCES or value is None:
        return value
    return [{"id": each["id"]} for each in value] if isinstance(value, list) else {"id": value["id"]}


def _shown(db: sqlite3.Connection, document: Document) -> Document:
    """Return a document with the name (None if unknown) and the path of what it refers to."""

    def reference(kind: str, key: str) -> Document:
        row = db.execute("SELECT name FROM documents WHERE kind = ? AND id = ?", (kind, key)).fetchone()
        return {"id": key, "name": None if row is None else row[0], "selfUri": self_uri(kind, key)}

    shown = dict(document)
    for field, kind in _REFERENCES.items():
        value = document.get(field)
        if isinstance(value, list):
            shown[field] = [reference(kind, each["id"]) for each in value]
        elif value is not None:
            shown[field] = reference(kind, value["id"])
    return shown


def _unseen_campaign(key: str) -> Document:
    campaign = {"id": key, "name": key, "version": 1, "campaignStatus": "off", "ruleSets": []}
    return {**campaign, "selfUri": self_uri(CAMPAIGNS, key)}


def _not_found(kind: str, key: str) -> ApiError:
    return ApiError(404, "not.found", f"no {KINDS[kind][0]} {key}")


def _person(actor: Actor) -> Document | None:
    if not actor.user_id:
        return None
    return {"id": actor.user_id, "name": actor.user_name, "selfUri": f"/api/v2/users/{actor.user_id}"}


def _texts(value: Any) -> list[str]:
    """Return a value as the texts that the audit shows of it."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [item if isinstance(item, str) else _dump(item) for item in values]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _load(text: str) -> Document:
    document: Document = json.loads(text)
    return document
