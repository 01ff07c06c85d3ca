"""Work that a client starts and then asks for until it is done: exports, queries of the audit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from dialproof_deploy.sandbox.store import Store

__all__ = ["Job", "Jobs"]


@dataclass(frozen=True)
class Job:
    """What was started, and whether it is done."""

    body: Any
    done: bool


class Jobs:
    """The jobs of one data file, each known by its kind and a key."""

    def __init__(self, store: Store, pending_polls: Callable[[], int]) -> None:
        """Keep jobs in ``store``; a job started now is done after ``pending_polls`` times of asking."""
        self._store = store
        self._pending_polls = pending_polls

    def start(self, kind: str, key: str, body: object) -> None:
        """Start a job; one of the same kind and key is forgotten."""
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)",
                (kind, key, json.dumps(body, ensure_ascii=False), self._pending_polls()),
            )

    def ask(self, kind: str, key: str) -> Job | None:
        """Return a job, or None if nobody started it; each time it is asked for it comes nearer to its end."""
        job = self.peek(kind, key)
        with self._store.transaction() as db:
            db.execute("UPDATE jobs SET polls = polls - 1 WHERE kind = ? AND key = ? AND polls > 0", (kind, key))
        return job

    def peek(self, kind: str, key: str) -> Job | None:
        """Return a job as it is, or None if nobody started it."""
        with self._store.transaction() as db:
            row = db.execute("SELECT body, polls FROM jobs WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return None if row is None else Job(json.loads(row[0]), not row[1])
