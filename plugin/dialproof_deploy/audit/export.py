"""Export of an environment's audit log and events: through the sinks of all plugins, the built-in one among them.

The built-in sink writes JSON (one array), JSON lines or CSV, by the suffix of the file. CSV follows RFC 4180 in UTF-8.
Its columns are always ``COLUMNS``; what has no column of its own is JSON in the last one, ``other``. A text that a
spreadsheet would run as a formula (it starts with ``=``, ``+``, ``-``, ``@``, a tab or a line end) gets a leading
apostrophe, in CSV only: JSON and JSON lines hold the exact values.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from dialproof.errors import UsageError
from dialproof_deploy.audit import events
from dialproof_deploy.audit import log as audit
from dialproof_deploy.audit.json_lines import json_lines
from dialproof_deploy.redact import scrub_record
from dialproof_deploy.state import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COLUMNS", "built_in_sink", "export_audit", "sink_of"]

_PLACE = audit.FIELDS.index("prev")
_NAMES = (*audit.FIELDS, *events.FIELDS)
COLUMNS = (*audit.FIELDS[:_PLACE], "details", *audit.FIELDS[_PLACE:], *events.FIELDS, "other")
"""The columns of a CSV export: those of audit records, then those of event records."""

Records = Sequence[Mapping[str, Any]]


def export_audit(logs: Sequence[Path], file: Path) -> int:
    """Write the records of the logs that exist to ``file`` and return their number.

    The first sink of the hook ``dialproof_audit_sink`` that takes the file's suffix writes it. Raises ``UsageError``
    where none does, or the file cannot be written.
    """
    sink = sink_of(file)
    records = [record for log in logs if log.exists() for record in audit.read_records(log)]
    sink(records)
    return len(records)


def sink_of(file: Path) -> Callable[[Records], None]:
    """Return what writes ``file``; asked before a deploy, it finds a wrong suffix before anything is changed."""
    from dialproof.plugins import plugin_manager

    sinks = [sink for sink in plugin_manager().hook.dialproof_audit_sink(path=file) if sink is not None]
    if not sinks:
        raise UsageError(f"{file}: no sink writes {file.suffix or 'files without suffix'}: use .json, .jsonl or .csv")
    return cast("Callable[[Records], None]", sinks[0])


def built_in_sink(file: Path) -> Callable[[Records], None] | None:
    """Return the writer of .json, .jsonl and .csv files; None for any other suffix.

    It writes all records or, on an error (``UsageError``), none: the file is replaced as a whole.
    """
    form = _FORMS.get(file.suffix.lower())
    return None if form is None else lambda records: _write(records, form, file)


def _write(records: Records, form: Callable[[Records], bytes], file: Path) -> None:
    data = form([scrub_record(record, _NAMES) for record in records])
    try:
        write_atomic(file, data)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror or error}") from None


def _json(records: Records) -> bytes:
    return _encoded(json.dumps(records, indent=2, ensure_ascii=False) + "\n")


def _csv(records: Records) -> bytes:
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    for record in records:
        other = {key: value for key, value in record.items() if key not in COLUMNS[:-1]}
        row = {**record, "other": other or None}
        writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return _encoded(sheet.getvalue())


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")  # half of a surrogate pair has no UTF-8


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value


_FORMS: Mapping[str, Callable[[Records], bytes]] = {".json": _json, ".jsonl": json_lines, ".csv": _csv}
