"""The last records of an audit log, one a line, and those that are added while somebody looks on."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from dialproof.errors import UsageError
from dialproof.output.report import printable
from dialproof_deploy.audit.records import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["follow", "last_records", "line_of"]

_POLL_SECONDS = 0.5
_NAMES = ("phase", "decision", "contacts", "action", "campaign", "rule", "request_id")


def last_records(log: Path, count: int) -> list[dict[str, Any]]:
    """Return the last records; raises ``UsageError`` where there is no log."""
    with _opened(log) as file:
        return list(deque(_records(file), maxlen=count))


def follow(log: Path, count: int, *, sleep: Callable[[float], object] = time.sleep) -> Iterator[dict[str, Any]]:
    """Yield the last ``count`` records, then each that is added, once its line is whole, without an end.

    A log that is replaced is read to its end, and the new one from its beginning; so is one that is cut short. Raises
    ``UsageError`` where there is no log.
    """
    file = _opened(log)
    try:
        yield from deque(_records(file), maxlen=count)
        while True:
            yield from _records(file)
            held = os.fstat(file.fileno())
            if held.st_size < file.tell():
                file.seek(0)
                continue
            with suppress(FileNotFoundError):  # between the old one and the new one
                if not os.path.samestat(held, log.stat()):
                    yield from _records(file)  # what was added after it was last read
                    file.close()
                    file = _opened(log)
                    continue
            sleep(_POLL_SECONDS)
    finally:
        file.close()


def line_of(record: Mapping[str, Any]) -> str:
    """Return a record on one line without secrets and personal values: time, number, event, what, who."""
    (record,) = shown([record])
    parts = [str(record.get("time")), f"#{record.get('seq')}", str(record.get("event"))]
    for name in _NAMES:
        value = record.get(name)
        if value is not None:
            parts.append(f"{name}={_quoted(value)}")
    before, after = record.get("version_before"), record.get("version_after")
    if record.get("event") == "change":
        parts.append(f"version={before if before is not None else '-'}→{after if after is not None else '-'}")
    reasons = record.get("details")
    if isinstance(reasons, dict) and isinstance(reasons.get("reasons"), list):
        parts.append(f"reasons={_quoted('; '.join(map(str, reasons['reasons'])))}")
    parts.append(f"by={_quoted(record.get('actor'))}")
    return printable(" ".join(parts))


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or " " in text or '"' in text else text


def _opened(log: Path) -> BinaryIO:
    try:
        return log.open("rb")
    except FileNotFoundError:
        raise UsageError(f"{log}: there is no audit log") from None
    except OSError as error:
        raise UsageError(f"{log}: cannot be read: {error.strerror or error}") from None


def _records(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the records of the whole lines that follow; the part of a line that is still being written is left."""
    while line := file.readline():
        if not line.endswith(b"\n"):
            file.seek(-len(line), os.SEEK_CUR)
            return
        with suppress(ValueError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict):
                yield record
