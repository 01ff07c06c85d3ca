"""The audit log of an environment: append-only JSON lines, each chained to the one before by its hash.

A record is one line, the RFC 8785 JSON of::

    {"seq": 7, "time": "2026-03-07T17:00:00.000Z", "environment": "staging", "event": "change",
     "actor": "...", "commit": "...", "prev": "<hash of record 6>", "hash": "<hash of this record>", ...}

``hash`` is the SHA-256 of the RFC 8785 bytes of the record without ``hash``; ``prev`` of the first is 64 zeros.
The events that dialproof writes are ``decision``, ``request``, ``change``, ``suppression``, ``refusal``, ``diagnostic``
(what the platform warns of in the campaign ``remote_id`` after a deploy) and
``recovered`` (what a crash left of a line). Their further fields are:

- ``campaign``, ``rule``, ``remote_id`` (the rule's id on the target), ``version_before`` and ``version_after`` (null
  before a creation and after a deletion), ``digest``, ``request_id``;
- of a request and a change ``action``, ``phase`` (``change.started``, ``change.made``, ``change.failed``,
  ``change.unknown``, and the same of a ``rollback``) and, where a later run found out what became of a request,
  ``started``: the number of the record before it; of one that writes a whole rule set ``rule`` is the set and ``rules``
  the digest of each rule that it changes (null: it deletes it), of one that gives the set to a campaign the campaign;
- of a decision ``decision``, ``logicalCampaign`` (its name in the files), ``writes`` and the digests ``payload``,
  ``resolvedPayload``, ``evidence`` and ``record`` (of what is kept of the deploy: rollout/record.py); ``restores`` is
  the deploy that a rollback goes back to;
- ``deploy``, the id of the deploy or rollback, of its decisions, requests and changes;
- ``details``, free text and data of any shape.

``details`` and every field not named here pass through ``redact``. Those named here are names, ids and numbers of rules
and configuration, on which later decisions rest: only secrets are blotted out of them.

A chain alone does not show that its last records were cut off. So ``ENV.head`` beside the log holds the sequence
number and the hash of the last record and is replaced after each append; a log that ends before its head was
truncated. Whoever can write both files can still forge both: keep what ``audit verify`` prints (number and hash of the
last record) where the operators of dialproof cannot write, such as the CI log, and compare.

``append`` returns when the record is on the disk. If it cannot be written, ``append`` raises and the log ends with the
last full record, so the caller stops before the write that it was about to audit. After a crash in the middle of an
append the log ends in a part of a line; nothing was done under it, and the next append keeps the fragment in a
``recovered`` record. Any other damage is never written over: ``append`` refuses.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Literal, TextIO, cast

import rfc8785

from dialproof.errors import DialproofError, ExitCode, RefusedError, UsageError
from dialproof_deploy.redact import scrub_record
from dialproof_deploy.state import exclusive_lock, sync_directory, utc_text, write_atomic

__all__ = [
    "FIELDS",
    "GENESIS",
    "AuditLog",
    "Head",
    "VerifyResult",
    "audit_verify",
    "broken_sentence",
    "read_records",
    "refuse_broken",
    "verify",
]

GENESIS = "0" * 64
"""``prev`` of the first record, and the hash in the head of a log without records."""

_RESERVED = ("seq", "time", "environment", "event", "actor", "commit", "prev", "hash")
_RULE = ("campaign", "rule", "remote_id", "version_before", "version_after", "digest", "request_id")
_WRITE = ("action", "phase", "started", "rules")
_DECISION = (
    "decision",
    "deploy",
    "restores",
    "logicalCampaign",
    "writes",
    "payload",
    "resolvedPayload",
    "evidence",
    "record",
)
FIELDS = (*_RESERVED[:-2], *_RULE, *_WRITE, *_DECISION, *_RESERVED[-2:])
"""The fields of records that are names, ids and numbers, in reading order: all but ``details``."""
_BLOCK = 8192
_EXACT = 2**53  # integers beyond it have no exact JSON number


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a log: its sequence number (0: none) and hash."""

    seq: int = 0
    hash: str = GENESIS


Kind = Literal["json", "seq", "prev", "hash", "truncated", "head"]


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What ``verify`` found: the records that hold, and the first that does not.

    ``kind`` is "" for a whole log; ``line`` is 1-based (0: the head file is what is broken), ``seq`` the sequence
    number that the line should have. ``note`` is a sentence on something that is no damage.
    """

    head: Head
    kind: Kind | Literal[""] = ""
    line: int = 0
    seq: int = 0
    problem: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is broken."""
        return not self.kind


class _BrokenError(Exception):
    def __init__(self, kind: Kind, problem: str) -> None:
        super().__init__(problem)
        self.kind = kind


def open_log(path: Path) -> BinaryIO:
    """Open the log for reading and writing without a buffer, creating it for its owner alone."""

    def create(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CREAT, 0o600)

    return cast("BinaryIO", open(path, "r+b", buffering=0, opener=create))


class AuditLog:
    """Appends records to the chain at ``path``; safe among threads and processes.

    ``clock`` returns the time with its zone, ``actor`` is who acts, ``commit`` what is checked out (None: unknown).
    ``opener`` opens the log as ``open_log`` does.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime],
        actor: str,
        commit: str | None,
        opener: Callable[[Path], BinaryIO] = open_log,
    ) -> None:
        self.path = path
        self._clock = clock
        self._actor = actor
        self._commit = commit
        self._opener = opener

    def append(self, event: str, **fields: object) -> dict[str, Any]:
        """Add a record and return it once it is durable.

        ``fields`` are JSON values, dates or paths. Raises ``RefusedError`` where the record cannot be written or
        the log does not end as it was left; the caller must then not do what it was about to do.
        """
        if clash := sorted(fields.keys() & set(_RESERVED)):
            raise ValueError(f"fields of every record: {', '.join(clash)}")
        given = cast("dict[str, Any]", _plain({"actor": self._actor, "commit": self._commit, **fields}))
        content = {"event": _plain(event), **scrub_record(given, FIELDS)}
        try:
            with _lock(self.path):
                return self._append(content)
        except OSError as error:
            raise RefusedError(
                f"{self.path}: the audit record {event!r} cannot be written ({error.strerror or error}), and "
                "nothing goes on without it: make room or access, then run this again"
            ) from None

    def _append(self, content: dict[str, Any]) -> dict[str, Any]:
        new = not self.path.exists()
        with self._opener(self.path) as log:
            if new:
                sync_directory(self.path.parent)
            head, end, fragment = self._last(log)
            if fragment:
                # The record about the fragment is longer than the fragment and is written over it: a crash here
                # leaves a fragment again.
                details = {
                    "fragment": fragment.decode("utf-8", "backslashreplace"),
                    "sha256": hashlib.sha256(fragment).hexdigest(),
                }
                common = {"event": "recovered", "actor": self._actor, "commit": self._commit}
                head, end, _ = self._write(log, head, end, {**common, "details": details})
            return self._write(log, head, end, content)[2]

    def _last(self, log: BinaryIO) -> tuple[Head, int, bytes]:
        """Return the last record, where it ends, and the part of a line that a crash left after it."""
        line, end, fragment = _tail(log)
        try:
            last = _checked_line(line) if line else None
            head = _read_head(self.path)
            _compare(head, last)
        except _BrokenError as broken:
            raise RefusedError(
                f"{self.path}: the audit log is damaged and nothing is added to it: {broken}. "
                f"{_ways_out(self.path)}; 'dialproof audit verify' says more"
            ) from None
        if head != _head_of(last):  # a crash left it behind, and a second one must not leave it further behind
            self._write_head(_head_of(last))
        return _head_of(last), end, fragment

    def _write_head(self, head: Head) -> None:
        write_atomic(_head_path(self.path), rfc8785.dumps({"hash": head.hash, "seq": head.seq}) + b"\n")

    def _write(self, log: BinaryIO, last: Head, end: int, content: dict[str, Any]) -> tuple[Head, int, dict[str, Any]]:
        """Write one record at ``end``, then the head; on failure the log ends at ``end`` again."""
        place = {
            "seq": last.seq + 1,
            "time": utc_text(self._clock()),
            "environment": self.path.stem,
            "prev": last.hash,
        }
        record = {**place, **content}
        record["hash"] = _digest(record)
        line = rfc8785.dumps(record) + b"\n"
        head = Head(record["seq"], record["hash"])
        try:
            log.seek(end)
            rest = memoryview(line)
            while rest:
                rest = rest[log.write(rest) :]
            os.fsync(log.fileno())
            self._write_head(head)
        except BaseException as error:
            # What cannot be cut off is a fragment for the next append; what the head names already is whole, and
            # stays so if a crash brings the earlier head back.
            with suppress(OSError, _BrokenError):
                named = _read_head(self.path) == head
                if not named:
                    log.truncate(end)
                    os.fsync(log.fileno())
                elif isinstance(error, OSError):
                    return head, end + len(line), record
            raise
        return head, end + len(line), record


def verify(path: Path) -> VerifyResult:
    """Check the whole log and return the first thing that is wrong with it.

    Any changed byte of the log or its head is found. Raises ``UsageError`` if there is neither log nor head, or
    they cannot be read.
    """
    if not path.exists() and not _head_path(path).exists():
        raise UsageError(f"{path}: there is no audit log")
    last: dict[str, Any] | None = None
    line_number = 0
    try:
        with _lock(path, reading=True):
            for line in _lines(path):
                line_number += 1
                last = _checked_line(line, after=_head_of(last))
            line_number += 1
            head = _read_head(path)
        _compare(head, last)
    except _BrokenError as broken:
        good = _head_of(last)
        return VerifyResult(good, broken.kind, 0 if broken.kind == "head" else line_number, good.seq + 1, str(broken))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    behind = head.seq < _head_of(last).seq
    note = "the last append was cut off before its head file; the next one mends it" if behind else ""
    return VerifyResult(_head_of(last), note=note)


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a log (or of any file of JSON lines) in order, without checking the chain.

    A line that is no JSON object is left out: ``verify`` names it. Raises ``UsageError`` if the file cannot be read.
    """
    try:
        for line in _lines(path):
            with suppress(_BrokenError):
                yield _parsed(line)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None


def broken_sentence(path: Path, result: VerifyResult) -> str:
    """Return the sentence that names the first thing that is wrong with the log, and its place."""
    where = f"{path}:{result.line}: record {result.seq}" if result.line else f"{_head_path(path)}: the head"
    return f"{where} is broken ({result.kind}): {result.problem}"


def refuse_broken(path: Path) -> str:
    """Return why nothing is deployed or rolled back on the word of this log, "" where it holds or none has begun.

    A line that a crash left unfinished is no damage: the next append keeps it aside, and holds the rest against the
    head.
    """
    if not path.exists():
        return (
            f"{path}: the audit log is missing, although {_head_path(path).name} shows that there was one. "
            f"{_ways_out(path)} (docs/audit.md)"
            if _head_path(path).exists()
            else ""
        )
    result = verify(path)
    if result.ok or (result.kind == "truncated" and _is_unfinished(path)):
        return ""
    return (
        f"{broken_sentence(path, result)}. Nothing rests on a log that was changed. {_ways_out(path)} (docs/audit.md)"
    )


def audit_verify(path: Path, out: TextIO) -> int:
    """Print what ``verify`` finds; the exit code is 1 for a broken log, 2 where there is none."""
    try:
        result = verify(path)
    except DialproofError as error:
        print(error, file=out)
        return error.exit_code
    if not result.ok:
        print(broken_sentence(path, result), file=out)
        print(f"{path}: {result.head.seq} records before it hold", file=out)
        return ExitCode.FINDINGS
    print(f"{path}: {result.head.seq} records, the chain holds; the last hash is {result.head.hash}", file=out)
    if result.note:
        print(f"{path}: {result.note}", file=out)
    return ExitCode.OK


def _lock(path: Path, *, reading: bool = False) -> AbstractContextManager[None]:
    """Keep appends apart; a reader joins in only where it may, since copies of a log are often read-only."""
    lock = path.with_suffix(".lock")
    if reading and not os.access(lock, os.R_OK | os.W_OK):
        return nullcontext()
    return exclusive_lock(lock, what=f"the audit log {path}", timeout=60.0)


def _ways_out(path: Path) -> str:
    both = f"{path.name} and {_head_path(path).name}"
    return f"Restore {both} from a copy, or move both aside, keep them as evidence, and a new chain begins"


def _is_unfinished(path: Path) -> bool:
    with path.open("rb") as log:
        return bool(_tail(log)[2])


def _head_path(path: Path) -> Path:
    return path.with_suffix(".head")


def _read_head(path: Path) -> Head:
    """Return what the head file says; without a file it is that of an empty log."""
    try:
        data = _head_path(path).read_bytes()
    except FileNotFoundError:
        return Head()
    name = _head_path(path).name
    try:
        value = _parsed(data)
        head = Head(value["seq"], value["hash"])
        whole = data == rfc8785.dumps({"hash": head.hash, "seq": head.seq}) + b"\n"
    except (_BrokenError, KeyError, ValueError):
        whole = False
    if not whole or not _is_seq(head.seq) or not _is_hash(head.hash):
        raise _BrokenError("head", f"the head file {name} cannot be read as a sequence number and a hash")
    return head


def _head_of(record: dict[str, Any] | None) -> Head:
    return Head(record["seq"], record["hash"]) if record else Head()


def _compare(head: Head, last: dict[str, Any] | None) -> None:
    """Hold the last record of the log against the head file; a crash may leave the head one record behind."""
    end = _head_of(last)
    if head.seq > end.seq:
        raise _BrokenError(
            "truncated", f"the log ends after record {end.seq}, but the head file shows that {head.seq} were written"
        )
    if head.seq < end.seq - 1:
        raise _BrokenError("head", f"the log goes on to record {end.seq}, but the head file stands at {head.seq}")
    in_log = end.hash if last is None or head.seq == end.seq else last["prev"]
    if head.hash != in_log:
        raise _BrokenError("head", f"record {head.seq} has another hash in the log than in the head file")


def _checked_line(line: bytes, after: Head | None = None) -> dict[str, Any]:
    """Return the record on a line whose own bytes are as they were written.

    With ``after`` it must be the record that follows.
    """
    if not line.endswith(b"\n"):
        raise _BrokenError(
            "truncated", "the line was never finished, as a crash leaves it; the next append keeps it aside"
        )
    record = _parsed(line)
    seq, prev, given = record.get("seq"), record.get("prev"), record.get("hash")
    if not _is_seq(seq) or not _is_hash(prev) or not _is_hash(given):
        raise _BrokenError("json", "the line is JSON, but not an audit record with seq, prev and hash")
    if after is not None and seq != after.seq + 1:
        raise _BrokenError("seq", f"its number is {seq}, {after.seq + 1} is due: records were removed, added or moved")
    if after is not None and prev != after.hash:
        raise _BrokenError("prev", "it does not follow on the record before it, which was changed or replaced")
    try:
        whole = line == rfc8785.dumps(record) + b"\n" and given == _digest(record)
    except ValueError:
        whole = False
    if not whole:
        raise _BrokenError("hash", "its content is not what was written: the hash does not fit")
    return record


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise _BrokenError("json", "the line is not JSON") from None
    if not isinstance(value, dict):
        raise _BrokenError("json", "the line is JSON, but not an object")
    return value


def _is_seq(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == len(GENESIS)


def _digest(record: dict[str, Any]) -> str:
    content = {key: value for key, value in record.items() if key != "hash"}
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines with their ends; none if the file is missing."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        yield from file


def _tail(log: BinaryIO) -> tuple[bytes, int, bytes]:
    """Return the last full line, where it ends, and the bytes of an unfinished one after it."""
    position = log.seek(0, os.SEEK_END)
    data = b""
    # A line feed ends the last full line, and the one before that begins it.
    while position > 0 and data.count(b"\n") < 2:
        step = min(_BLOCK, position)
        position -= step
        log.seek(position)
        data = log.read(step) + data
    cut = data.rfind(b"\n") + 1
    start = data.rfind(b"\n", 0, max(cut - 1, 0)) + 1
    return data[start:cut], position + cut, data[cut:]


def _plain(value: object) -> object:
    """Return the value as JSON that reads back the same; what JSON has no exact form for becomes text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")  # a lone surrogate has no UTF-8
    if isinstance(value, int | float):
        return value if -_EXACT < value < _EXACT else str(value)
    if isinstance(value, Mapping):
        return {str(_plain(str(key))): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return value.as_posix()
    raise TypeError(f"an audit record cannot hold a {type(value).__name__}")
