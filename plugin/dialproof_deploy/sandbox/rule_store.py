"""The rules of the campaign-rules contract and their events; a change and its event are one transaction."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dialproof_deploy.sandbox.documents import CAMPAIGNS, self_uri
from dialproof_deploy.sandbox.errors import ApiError, Detail, detail, refused
from dialproof_deploy.sandbox.events import EventQuery, iso

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from dialproof_deploy.sandbox.documents import Documents
    from dialproof_deploy.sandbox.store import Store

__all__ = ["Page", "RuleStore"]

_RULE: Final = "SELECT id, campaign, body, created, modified, version FROM rules"


@dataclass(frozen=True)
class Page:
    """One page of a listing: its entities, and how many there are in all."""

    entities: list[dict[str, object]]
    total: int


class RuleStore:
    """The rules of campaigns, and the events of their changes."""

    def __init__(self, store: Store, documents: Documents) -> None:
        """Keep rules in ``store``; ``documents`` knows the campaigns."""
        self._store = store
        self._documents = documents

    def list_rules(self, campaign_id: str, name: str | None, page_size: int, page_number: int) -> Page:
        """Return a page of the campaign's rules, oldest first; ``name`` selects by the exact name."""
        where, values = "campaign = ?", [campaign_id]
        if name is not None:
            where, values = where + " AND name = ?", [campaign_id, name]
        with self._store.transaction() as db:
            self._documents.within(db).get(CAMPAIGNS, campaign_id)
            total = db.execute(f"SELECT count(*) FROM rules WHERE {where}", values).fetchone()[0]  # noqa: S608
            rows = db.execute(
                f"{_RULE} WHERE {where} ORDER BY position LIMIT ? OFFSET ?",
                (*values, page_size, min((page_number - 1) * page_size, 2**62)),
            ).fetchall()
        return Page([_rule(row) for row in rows], total)

    def rule(self, campaign_id: str, rule_id: str) -> dict[str, object]:
        """Return the rule, or raise 404."""
        with self._store.transaction() as db:
            self._documents.within(db).get(CAMPAIGNS, campaign_id)
            return _rule(self._row(db, campaign_id, rule_id))

    def create_rule(self, campaign_id: str, body: Mapping[str, object]) -> dict[str, object]:
        """Store a checked rule; raise 404 for the campaign, 409 for a taken name or executionOrder."""
        rule_id, now = str(uuid.uuid4()), self._store.now()
        with self._store.transaction() as db:
            campaigns = self._documents.within(db)
            campaigns.get(CAMPAIGNS, campaign_id)
            _raise_conflicts(self._taken(db, campaign_id, "", body))
            # the campaign stays known if the same file is served without auto-create later
            campaigns.keep_campaign(campaign_id)
            db.execute(
                "INSERT INTO rules (id, campaign, created, modified, name, execution_order, version, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (rule_id, campaign_id, now, now, *_columns(body)),
            )
            self._append(db, now, "outbound.rule.created", rule_id, campaign_id)
            return _rule(self._row(db, campaign_id, rule_id))

    def update_rule(self, campaign_id: str, rule_id: str, body: Mapping[str, object]) -> dict[str, object]:
        """Replace a rule by a checked one; raise 404, or 409 for a version that is not the stored one + 1."""
        now = self._store.now()
        with self._store.transaction() as db:
            self._documents.within(db).get(CAMPAIGNS, campaign_id)
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
        with self._store.transaction() as db:
            self._documents.within(db).get(CAMPAIGNS, campaign_id)
            self._row(db, campaign_id, rule_id)
            db.execute("DELETE FROM rules WHERE id = ?", (rule_id,))
            self._append(db, self._store.now(), "outbound.rule.deleted", rule_id, campaign_id)

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
        with self._store.transaction() as db:
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
        "selfUri": f"{self_uri(CAMPAIGNS, campaign_id)}/rules/{rule_id}",
    }


def _raise_conflicts(conflicts: list[Detail]) -> None:
    if conflicts:
        raise refused(conflicts, 409)
