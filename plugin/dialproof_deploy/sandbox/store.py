"""The data file of a sandbox: SQLite, a file or memory; a change and what is recorded of it are one transaction."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from dialproof.errors import InputError, UsageError
from dialproof_deploy.sandbox.auth import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Store"]

_FORMAT: Final = 4
_SCHEMA: Final = """
CREATE TABLE client (id TEXT NOT NULL, secret TEXT NOT NULL);
CREATE TABLE documents (
    position INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
    body TEXT NOT NULL, previous TEXT, stale_reads INTEGER NOT NULL, UNIQUE (kind, id)
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
CREATE TABLE contacts (
    position INTEGER PRIMARY KEY AUTOINCREMENT, list TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (list, id)
);
CREATE TABLE jobs (
    kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, polls INTEGER NOT NULL, PRIMARY KEY (kind, key)
);
CREATE TABLE audits (
    position INTEGER PRIMARY KEY AUTOINCREMENT, moment INTEGER NOT NULL, body TEXT NOT NULL
);
"""


class Store:
    """The state of a sandbox: one connection under one lock; several processes may share the file."""

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        """Open ``path`` (created with mode 0600 if absent), or memory if it is None.

        ``clock`` gives seconds since the epoch. Raises UsageError if the file cannot be used, InputError if it is
        not a data file of this version of the sandbox.
        """
        self._clock = clock
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
        with self.transaction() as db:
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
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the lock and a transaction, which is undone if the body raises."""
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

    def now(self) -> int:
        """Return the time in milliseconds since the epoch."""
        return int(self._clock() * 1000)

    def credentials(self) -> Credentials:
        """Return the client id and secret of this data file."""
        with self.transaction() as db:
            return Credentials(*db.execute("SELECT id, secret FROM client").fetchone())

    def reset(self) -> None:
        """Remove everything but the client id and secret."""
        with self.transaction() as db:
            for table in ("documents", "rules", "events", "contacts", "jobs", "audits"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from the line above
