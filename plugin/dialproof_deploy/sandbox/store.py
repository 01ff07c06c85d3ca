"""Campaigns, rules and events in SQLite, a file or memory; a change and its event are one transaction."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from dialproof.errors import InputError, UsageError
from dialproof_deploy.sandbox.auth import Credentials
from dialproof_deploy.sandbox.errors import ApiError, Detail, detail
from dialproof_deploy.sandbox.events import EventQuery, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Page", "Store", "campaign_uri"]

_FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE client (id TEXT NOT NULL, secret TEXT NOT NULL);
CREATE TABLE campaigns (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, version INTEGER NOT NULL
);
CREATE TABLE rules (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, campaign TEXT NOT NULL,
    name TEXT NOT NULL, execution_order INTEGER NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL,
    UNIQUE (campaign, name), UNIQUE (campaign, execution_order)
);
CREATE TABLE events (
    position INTEGER PRIMARY KEY AUTOINCREMENT, moment INTEGER NOT NULL, name TEXT NOT NULL,
    entity TEXT NOT NULL, campaign TEXT NOT NULL
);
"""
_RULE: Final = "SELECT id, campaign, body, created, modified, version FROM rules"


@dataclass(frozen=True)
class Page:
    """One page of a listing: its entities, and how many there are in all."""

    entities: list[dict[str, object]]
    total: int


def campaign_uri(campaign_id: str) -> str:
    """Return the path of a campaign, below which are its rules."""
    return f"/api/v2/outbound/campaigns/{quote(campaign_id, safe='')}"


class Store:
    """The state of a sandbox: one connection under one lock; several processes may share the file."""

    def __init__(self, path: Path | None, clock: Callable[[], float], *, auto_create: bool = True) -> None:
        """Open ``path`` (created with mode 0600 if absent), or memory if it is None.

        ``clock`` gives seconds since the epoch. With ``auto_create`` every campaign id exists. Raises
        UsageError if the file cannot be used, InputError if it is not a data file of this version of the sandbox.
        """
        self._clock = clock
        self._auto_create = auto_create
        self._lock = threading.RLock()
        try:
            if path is not None:
                # made here, so that it never exists with another mode; SQLite gives its side files the same one
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
                path.chmod(0o600)
        except OSError as exc:
            raise UsageError(f"{path}: cannot be used as sandbox data: {exc.strerror or exc}") from None
        self._db = sqlite3.connect(
            ":memory:" if path is None else path, timeout=10, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except sqlite3.OperationalError as exc:  # locked, read-only, full: nothing is wrong with the data
            self._db.close()
            raise UsageError(f"{path}: cannot be used as sandbox data: {exc}") from None
        except sqlite3.DatabaseError as exc:
            self._db.close()
            raise InputError(f"{path}: not a sandbox data file ({exc}); run: dialproof sandbox reset") from None
        except InputError as exc:
            self._db.close()
            raise InputError(f"{path}: {exc}; run: dialproof sandbox reset") from None

    def _prepare(self) -> None:
        # a killed process loses nothing all the same; only a power cut could, and these are play data
        self._db.execute("PRAGMA synchronous = OFF")
        with self._transaction() as db:
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_FORMAT}")
                credentials = (f"sandbox-{uuid.uuid4()}", secrets.token_urlsafe(32))
                db.execute("INSERT INTO client VALUES (?, ?)", credentials)
            elif found != _FORMAT:
                raise InputError(f"sandbox data of format {found}, expected {_FORMAT}")

    def close(self) -> None:
        """Close the connection; memory is gone then."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            # IMMEDIATE: what is read inside is what the write is based on, for other processes too
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # a full disk has made SQLite do it already
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def credentials(self) -> Credentials:
        """Return the client id and secret of this data file."""
        with self._transaction() as db:
            return Credentials(*db.execute("SELECT id, secret FROM client").fetchone())

    def reset(self) -> None:
        """Remove every campaign, rule and event; the client id and secret stay."""
        with self._transaction() as db:
            for table in ("campaigns", "rules", "events"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from the line above

    # campaigns

    def campaign(self, campaign_id: str) -> dict[str, object]:
        """Return the campaign, or raise 404."""
        with self._transaction() as db:
            return self._campaign(db, campaign_id)

    def put_campaign(self, campaign_id: str, name: str | None, status: str | None) -> dict[str, object]:
        """Create the campaign, or change what is given of it and add one to its version."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO campaigns VALUES (?, ?, ?, 1) ON CONFLICT (id) DO UPDATE"
                " SET name = coalesce(?, name), status = coalesce(?, status), version = version + 1",
                (campaign_id, name or campaign_id, status or "off", name, status),
            )
            return self._campaign(db, campaign_id)

    def _campaign(self, db: sqlite3.Connection, campaign_id: str) -> dict[str, object]:
        row = db.execute("SELECT name, status, version FROM campaigns WHERE id = ?", (campaign_id,)).fetchone()
        if row is None:
            if not self._auto_create:
                raise ApiError(404, "not.found", f"no campaign {campaign_id}")
            row = (campaign_id, "off", 1)
        name, status, version = row
        uri = campaign_uri(campaign_id)
        return {"id": campaign_id, "name": name, "campaignStatus": status, "version": version, "selfUri": uri}

    # rules

    def list_rules(self, campaign_id: str, name: str | None, page_size: int, page_number: int) -> Page:
        """Return a page of the campaign's rules, oldest first; ``name`` selects by the exact name."""
        where, values = "campaign = ?", [campaign_id]
        if name is not None:
            where, values = where + " AND name = ?", [campaign_id, name]
        with self._transaction() as db:
            self._campaign(db, campaign_id)
            total = db.execute(f"SELECT count(*) FROM rules WHERE {where}", values).fetchone()[0]  # noqa: S608
            rows = db.execute(
                f"{_RULE} WHERE {where} ORDER BY position LIMIT ? OFFSET ?",
                (*values, page_size, min((page_number - 1) * page_size, 2**62)),
            ).fetchall()
        return Page([_rule(row) for row in rows], total)

    def rule(self, campaign_id: str, rule_id: str) -> dict[str, object]:
        """Return the rule, or raise 404."""
        with self._transaction() as db:
            self._campaign(db, campaign_id)
            return _rule(self._row(db, campaign_id, rule_id))

    def create_rule(self, campaign_id: str, body: Mapping[str, object]) -> dict[str, object]:
        """Store a checked rule; raise 404 for the campaign, 409 for a taken name or executionOrder."""
        rule_id, now = str(uuid.uuid4()), self._now()
        with self._transaction() as db:
            self._campaign(db, campaign_id)
            _raise_conflicts(self._taken(db, campaign_id, "", body))
            # the campaign stays known if the same file is served without auto-create later
            db.execute("INSERT OR IGNORE INTO campaigns VALUES (?, ?, 'off', 1)", (campaign_id, campaign_id))
            db.execute(
                "INSERT INTO rules (id, campaign, created, modified, name, execution_order, version, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (rule_id, campaign_id, now, now, *_columns(body)),
            )
            self._append(db, now, "outbound.rule.created", rule_id, campaign_id)
            return _rule(self._row(db, campaign_id, rule_id))

    def update_rule(self, campaign_id: str, rule_id: str, body: Mapping[str, object]) -> dict[str, object]:
        """Replace a rule by a checked one; raise 404, or 409 for a version that is not the stored one + 1."""
        now = self._now()
        with self._transaction() as db:
            self._campaign(db, campaign_id)
            wanted = self._row(db, campaign_id, rule_id)[5] + 1
            conflicts = []
            if body["version"] != wanted:
                message = f"expected {wanted}, found {body['version']}"
                conflicts.append(detail("version", "invalid.update.wrong.version", message))
            _raise_conflicts(conflicts + self._taken(db, campaign_id, rule_id, body))
            db.execute(
                "UPDATE rules SET modified = ?, name = ?, execution_order = ?, version = ?, body = ? WHERE id = ?",
                (now, *_columns(body), rule_id),
            )
            self._append(db, now, "outbound.rule.updated", rule_id, campaign_id)
            return _rule(self._row(db, campaign_id, rule_id))

    def delete_rule(self, campaign_id: str, rule_id: str) -> None:
        """Remove the rule, or raise 404."""
        with self._transaction() as db:
            self._campaign(db, campaign_id)
            self._row(db, campaign_id, rule_id)
            db.execute("DELETE FROM rules WHERE id = ?", (rule_id,))
            self._append(db, self._now(), "outbound.rule.deleted", rule_id, campaign_id)

    def _row(self, db: sqlite3.Connection, campaign_id: str, rule_id: str) -> tuple[str, str, str, int, int, int]:
        row: tuple[str, str, str, int, int, int] | None = db.execute(
            f"{_RULE} WHERE campaign = ? AND id = ?", (campaign_id, rule_id)
        ).fetchone()
        if row is None:
            raise ApiError(404, "not.found", f"no rule {rule_id} in campaign {campaign_id}")
        return row

    def _taken(
        self, db: sqlite3.Connection, campaign_id: str, rule_id: str, body: Mapping[str, object]
    ) -> list[Detail]:
        name, order = body["name"], body["executionOrder"]
        rows = db.execute(
            "SELECT id, name, execution_order FROM rules WHERE campaign = ? AND id <> ?"
            " AND (name = ? OR execution_order = ?) ORDER BY position",
            (campaign_id, rule_id, name, order),
        ).fetchall()
        conflicts = []
        for other, other_name, other_order in rows:
            if other_name == name:
                conflicts.append(detail("name", "duplicate.name", "taken by another rule", entityId=other))
            if other_order == order:
                message = f"{order} is taken by the rule {other_name}"
                conflicts.append(detail("executionOrder", "duplicate.execution.order", message, entityId=other))
        return conflicts

    # events

    def _append(self, db: sqlite3.Connection, now: int, name: str, entity: str, campaign_id: str) -> None:
        db.execute(
            "INSERT INTO events (moment, name, entity, campaign) VALUES (?, ?, ?, ?)",
            (now, name, entity, campaign_id),
        )

    def events(self, query: EventQuery) -> tuple[list[dict[str, object]], str | None]:
        """Return one page of events, oldest first, and the cursor of the next page or None."""
        with self._transaction() as db:
            last = query.last
            if last is None:
                last = db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0]
            names = ", ".join("?" * len(query.names))
            rows = db.execute(
                "SELECT position, moment, name, entity FROM events"  # noqa: S608 - only question marks are added
                f" WHERE position > ? AND position <= ? AND name IN ({names}) AND (? IS NULL OR campaign = ?)"
                " AND moment >= ? AND (? IS NULL OR moment < ?) ORDER BY position LIMIT ?",
                (
                    *(query.after, last, *query.names, query.campaign_id, query.campaign_id),
                    *(query.start, query.end, query.end, query.page_size + 1),
                ),
            ).fetchall()
        shown = rows[: query.page_size]
        following = query.cursor(shown[-1][0], last) if len(rows) > query.page_size else None
        return [{"timestamp": iso(row[1]), "eventName": row[2], "entityId": row[3]} for row in shown], following


def _columns(body: Mapping[str, object]) -> tuple[object, object, object, str]:
    return body["name"], body["executionOrder"], body["version"], json.dumps(body, ensure_ascii=False)


def _rule(row: tuple[str, str, str, int, int, int]) -> dict[str, object]:
    rule_id, campaign_id, body, created, modified, _ = row
    return {
        "id": rule_id,
        **json.loads(body),
        "dateCreated": iso(created),
        "dateModified": iso(modified),
        "selfUri": f"{campaign_uri(campaign_id)}/rules/{rule_id}",
    }


def _raise_conflicts(conflicts: list[Detail]) -> None:
    if conflicts:
        message = "; ".join(f"{entry['fieldName']}: {entry['message']}" for entry in conflicts)
        raise ApiError(409, str(conflicts[0]["errorCode"]), message, conflicts)
