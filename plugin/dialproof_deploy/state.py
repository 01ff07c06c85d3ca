"""The state directory ``.dialproof/``: where things lie, one writer an environment, files that are whole or absent.

::

    .dialproof/            0700; its own .gitignore keeps all of it out of git
        evidence.json      what was tested, by digest (gate/evidence.py)
        audit/ENV.jsonl    the audit chain, with ENV.head beside it (audit/log.py); their *.lock
        audit/ENV.events.jsonl   the target's own events (audit/events.py)
        audit/ENV.webhook-*.cursor   how far an endpoint has received both (audit/webhook.py)
        locks/ENV.lock     held by the one writer of the environment
        journal/ENV.json   the deploy that is under way, or was interrupted (rollout/record.py)
        deploys/ENV/       one record for each deploy that was made, for rollbacks
        sandbox.sqlite     sandbox.json      cache/
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import RefusedError, UsageError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "StateDir",
    "environment_lock",
    "exclusive_lock",
    "is_time",
    "sync_directory",
    "time_of",
    "utc_text",
    "write_atomic",
]

_POLL_SECONDS = 0.1
_LOCKED_BYTE = 1 << 30  # msvcrt keeps others from reading what it locks: lock a byte that no text reaches


@dataclass(frozen=True, slots=True)
class StateDir:
    """The paths of a state directory; asking for one creates nothing: whoever writes calls ``create`` before.

    ``option`` is what a command that a message suggests must have behind it to mean this directory.
    """

    root: Path
    option: str = ""

    @classmethod
    def at(cls, configuration_root: Path, state_dir: Path | None = None) -> StateDir:
        """Return ``state_dir`` (the option ``--state-dir``), else ``.dialproof`` at the configuration root."""
        if state_dir is None:
            return cls(configuration_root / ".dialproof")
        return cls(state_dir, f" --state-dir {shlex.quote(str(state_dir))}")

    def create(self, *folders: str) -> StateDir:
        """Make the directory, with a ``.gitignore``, and ``folders`` in it, readable by its owner alone.

        What exists is left as it is. Raises ``UsageError`` where that cannot be done.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            ignore = self.root / ".gitignore"
            # A folder of another name that holds something else (``--state-dir .``) must not vanish from git.
            ours = self.root.name == ".dialproof" or not any(self.root.iterdir())
            if ours and not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            for folder in folders:
                (self.root / folder).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.root}: cannot be used as state directory: {error.strerror or error}") from None
        return self

    @property
    def evidence(self) -> Path:
        """The evidence of the last run that would open the gate."""
        return self.root / "evidence.json"

    def audit(self, environment: str) -> Path:
        """Return the audit chain of the environment."""
        return self.root / "audit" / f"{_checked(environment)}.jsonl"

    def events(self, environment: str) -> Path:
        """Return the events that were read from the environment's target."""
        return self.root / "audit" / f"{_checked(environment)}.events.jsonl"

    def journal(self, environment: str) -> Path:
        """Return the record of the environment's deploy that is under way."""
        return self.root / "journal" / f"{_checked(environment)}.json"

    def deploys(self, environment: str) -> Path:
        """Return the folder of the records of the environment's deploys."""
        return self.root / "deploys" / _checked(environment)

    def lock(self, environment: str) -> Path:
        """Return the lock file of the environment."""
        return self.root / "locks" / f"{_checked(environment)}.lock"


def _checked(environment: str) -> str:
    """Refuse a name that would lead out of the folder, or be taken for another file of it."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", environment):
        raise UsageError(
            f"environment name {environment!r}: expected letters, digits, '_' and '-', not starting with '-'"
        )
    return environment


@contextmanager
def environment_lock(
    state: StateDir,
    environment: str,
    *,
    timeout: float = 600.0,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    say: Callable[[str], object] = lambda _: None,
) -> Iterator[None]:
    """Be the one writer of the environment; a second one waits up to ``timeout`` seconds and ``say``s so once.

    The operating system frees the lock when its process ends, however it ends. It is not re-entrant. Raises
    ``RefusedError`` when the time is over.
    """
    what = f"environment {environment!r}"
    path = state.create("audit", "locks").lock(environment)
    with exclusive_lock(path, what=what, timeout=timeout, sleep=sleep, clock=clock, say=say):
        yield


@contextmanager
def exclusive_lock(
    path: Path,
    *,
    what: str,
    timeout: float = 600.0,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    say: Callable[[str], object] = lambda _: None,
) -> Iterator[None]:
    """Hold the lock file ``path``, for threads and processes alike; ``what`` is what messages call it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise RefusedError(f"{path}: cannot be locked: {error.strerror or error}") from None
    try:
        give_up, waiting = clock() + timeout, False
        while not _locked(descriptor, path):
            if not waiting:
                waiting = True
                say(f"{what} is in use by {_holder(descriptor)}; waiting for it to end")
            if clock() >= give_up:
                raise RefusedError(
                    f"{what} is in use by {_holder(descriptor)} and was not released within {timeout:g} s; "
                    "nothing was changed: run this again when the other run has ended"
                )
            sleep(_POLL_SECONDS)
        try:
            # A note for the message of whoever waits; the lock does not rest on it, so a full disk is no matter.
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
                os.lseek(descriptor, 0, os.SEEK_SET)
                os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
            yield
        finally:
            _unlock(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, path: Path) -> bool:
    try:
        return _try_lock(descriptor)
    except OSError as error:  # a file system without locks
        raise RefusedError(f"{path}: cannot be locked: {error.strerror or error}") from None


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 200).decode("utf-8", "replace") or "another process"


if sys.platform == "win32":

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _try_lock(descriptor: int) -> bool:
        # flock and not lockf: a lockf lock is void among threads and lost when any descriptor of the file closes
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the file with ``data``, readable by its owner alone: after a crash it is the old one or the new one.

    Raises ``OSError`` and then leaves the old file.
    """
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(draft).unlink()
        raise
    sync_directory(path.parent)


def sync_directory(folder: Path) -> None:
    """Make names that were created or replaced in ``folder`` durable; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_time(text: str) -> bool:
    """Tell whether a text is a time, or a date, of ISO 8601."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def utc_text(moment: datetime) -> str:
    """Return an aware time as UTC ISO 8601 with milliseconds: ``2026-03-07T17:00:00.000Z``."""
    if moment.tzinfo is None:
        raise ValueError("a time without time zone says nothing")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(text: object) -> datetime | None:
    """Return the time that a record or a target gives, None where it is none or has no zone."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
