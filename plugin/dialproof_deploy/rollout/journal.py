"""The deploy that is under way in an environment: on disk before its first write, gone when it is made or taken back.

Where the file is there and no process holds the environment's lock, a deploy was interrupted. What of it stands is read
from the target, never from the file (``plan.states``).
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof.errors import RefusedError
from dialproof_deploy.audit.log import broken_sentence, read_records, verify
from dialproof_deploy.rollout.record import DeployRecord, read_record
from dialproof_deploy.state import StateDir, sync_directory, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof_deploy.audit.log import AuditLog

__all__ = ["Journal", "check_record", "refuse_unfinished", "way_out", "ways_on"]

_MEANING = "nothing is written, what stands on the target stays, and is what the next plan finds"


@dataclass(frozen=True)
class Journal:
    """The journal of an environment; whoever uses it holds the environment's lock."""

    state: StateDir
    environment: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.state.journal(self.environment)

    def read(self) -> DeployRecord | None:
        """Return the deploy that was not finished, None where there is none.

        Raises as ``read_record`` does, with the way out.
        """
        try:
            return read_record(self.path)
        except RefusedError as error:
            raise RefusedError(f"{error}; {way_out(self.state, self.environment)}") from None

    def check(self, record: DeployRecord, audit_log: Path) -> None:
        """Check the record as ``check_record`` does, and raise with the way out."""
        try:
            check_record(self.path, record, audit_log)
        except RefusedError as error:
            raise RefusedError(f"{error}; {way_out(self.state, self.environment)}") from None

    def begin(self, record: DeployRecord) -> None:
        """Write the record; raises ``RefusedError`` where it cannot be written: then nothing may be deployed."""
        try:
            self.state.create("journal")
            write_atomic(self.path, record.data)
        except OSError as error:
            raise RefusedError(
                f"{self.path}: the deploy cannot be written down ({error.strerror or error}), and nothing is deployed "
                "without it: make room or access, then run this again"
            ) from None

    def abandon(self, log: AuditLog) -> None:
        """Take the file away, whatever it holds, and record that; raises ``RefusedError`` where there is none."""
        by_hand = f"see what it is and take it away yourself; {_MEANING}"
        if self.path.is_dir():
            raise RefusedError(f"{self.path}: this is a directory and no journal: {by_hand}")
        if not os.path.lexists(self.path):
            raise RefusedError(f"there is no unfinished deploy to environment {self.environment!r}")
        record = None
        with suppress(RefusedError):
            record = read_record(self.path)
        log.append("decision", decision="abandoned", deploy=record.id if record else None)
        try:
            self.path.unlink()
        except OSError as error:
            raise RefusedError(f"{self.path}: cannot be taken away ({error.strerror or error}): {by_hand}") from None
        sync_directory(self.path.parent)

    def end(self, record: DeployRecord, *, keep: bool) -> None:
        """Take the file away; with ``keep`` it becomes a record of the history. Raises ``RefusedError``."""
        folder = self.state.deploys(self.environment)
        try:
            if keep:
                self.state.create("deploys", f"deploys/{folder.name}")
                self.path.replace(folder / f"{record.id}.json")
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            raise RefusedError(
                f"{self.path}: the {record.kind} {record.id} has ended, and this file cannot be taken away "
                f"({error.strerror or error}): make room or access"
            ) from None
        with suppress(OSError):  # a journal that a crash brings back is one of which nothing is left to do
            sync_directory(folder if keep else self.path.parent)
            sync_directory(self.path.parent)


def refuse_unfinished(state: StateDir, environment: str) -> str:
    """Return the sentence that refuses a deploy while an earlier one is unfinished, "" where none is."""
    path = state.journal(environment)
    try:
        record = read_record(path)
    except RefusedError as error:
        why = str(error).removeprefix(f"{path}: ")
        what = f"{path}: a deploy to environment {environment!r} was not finished, and {why}"
        return f"{what}; {way_out(state, environment)}"
    if record is None:
        return ""
    what = f"the {record.kind} {record.id} to environment {environment!r} was not finished"
    return f"{what}: {ways_on(state, environment)}"


def ways_on(state: StateDir, environment: str) -> str:
    """Return what ends a deploy that was interrupted, one way or the other."""
    resume, abort = (f"'{_command(state, environment)} {way}'" for way in ("--resume", "--abort"))
    return f"{resume} carries it on to what was planned, {abort} takes back what was made of it"


def way_out(state: StateDir, environment: str) -> str:
    """Return what is left to do where a deploy can neither be carried on nor taken back."""
    return f"'{_command(state, environment)} --abandon' forgets that deploy: {_MEANING}"


def _command(state: StateDir, environment: str) -> str:
    return f"dialproof deploy --env {environment}{state.option}"


def check_record(path: Path, record: DeployRecord, audit_log: Path) -> None:
    """Raise ``RefusedError`` unless the audit log is whole and its decision to deploy is about exactly this record."""
    if not audit_log.exists():
        raise RefusedError(f"{path}: there is no audit log that could show that this record was not edited")
    result = verify(audit_log)
    if not result.ok:
        raise RefusedError(
            f"{path}: nothing shows that this record was not edited: {broken_sentence(audit_log, result)}"
        )
    digests = [found.get("record") for found in read_records(audit_log) if found.get("deploy") == record.id]
    if record.digest not in digests:
        raise RefusedError(f"{path}: this record is not what the audit log says was decided: it was edited or replaced")
