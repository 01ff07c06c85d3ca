"""Export of audit and event records to JSON (one array), JSON lines or CSV, by the suffix of the file.

CSV follows RFC 4180 in UTF-8. Its columns are always ``COLUMNS``; what has no column of its own is JSON in the last
one, ``other``. A text that a spreadsheet would run as a formula (it starts with ``=``, ``+``, ``-``, ``@``, a tab or a
line end) gets a leading apostrophe, in CSV only: JSON and JSON lines hold the exact values.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO, cast

from dialproof.errors import DialproofError, ExitCode, UsageError
from dialproof_deploy.audit import read_records, verify
from dialproof_deploy.redact import scrub
from dialproof_deploy.state import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COLUMNS", "audit_export", "audit_sink", "export_records"]

_AUDIT = ("seq", "time", "environment", "event", "actor", "commit", "campaign", "rule", "remote_id")
_CHANGE = ("version_before", "version_after", "digest", "request_id", "details", "prev", "hash")
_EVENT = ("timestamp", "eventType", "entityId", "campaignId", "source", "ruleName", "version", "priority")
COLUMNS = (*_AUDIT, *_CHANGE, *_EVENT, "gone", "changed_by", "audit_seq", "other")
"""The columns of a CSV export: those of audit records, then those of event records."""

Records = Sequence[Mapping[str, Any]]


def export_records(records: Records, file: Path) -> None:
    """Write the records to ``file``, all of them or, on an error, none: the file is replaced as a whole.

    Raises ``UsageError`` for another suffix than .json, .jsonl or .csv and where the file cannot be written.
    """
    writer = _WRITERS.get(file.suffix.lower())
    if writer is None:
        raise UsageError(f"{file}: cannot be exported to {file.suffix or 'no suffix'!r}: use .json, .jsonl or .csv")
    text = writer(cast("Records", scrub(records)))
    try:
        write_atomic(file, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror or error}") from None


def audit_sink(path: Path) -> Callable[[Records], None] | None:
    """Return the writer for ``path`` if its suffix is ours (the built-in sink of the hook ``dialproof_audit_sink``)."""
    if path.suffix.lower() not in _WRITERS:
        return None
    return lambda records: export_records(records, path)


def audit_export(paths: Sequence[Path], file: Path, out: TextIO) -> int:
    """Export the logs at ``paths`` (audit chains, and event files ``*.events.jsonl``) to ``file``, in this order.

    A broken chain is exported as far as its lines can be read, its break is printed, and the exit code is 1. Other
    errors are printed and give the code of their class.
    """
    records: list[dict[str, Any]] = []
    code = ExitCode.OK
    try:
        for path in paths:
            if path.name.endswith(".events.jsonl"):
                if not path.exists():
                    raise UsageError(f"{path}: there is no event log")
            elif not (result := verify(path)).ok:
                code = ExitCode.FINDINGS
                print(f"{path}:{result.line}: exported, but its chain is broken: {result.problem}", file=out)
            records.extend(read_records(path))
        export_records(records, file)
    except DialproofError as error:
        print(error, file=out)
        return error.exit_code
    print(f"{file}: {len(records)} records", file=out)
    return code


def _json(records: Records) -> str:
    return json.dumps(records, indent=2, ensure_ascii=False) + "\n"


def _jsonl(records: Records) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _csv(records: Records) -> str:
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    for record in records:
        other = {key: value for key, value in record.items() if key not in COLUMNS[:-1]}
        row = {**record, "other": other or None}
        writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return sheet.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value


_WRITERS: Mapping[str, Callable[[Records], str]] = {".json": _json, ".jsonl": _jsonl, ".csv": _csv}
