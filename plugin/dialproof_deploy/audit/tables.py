"""Audit and event records as a table: CSV and Parquet.

The columns are always ``COLUMNS``; what has no column of its own is JSON in the last one, ``other``. CSV follows RFC
4180 in UTF-8, and a text that a spreadsheet would run as a formula (it starts with ``=``, ``+``, ``-``, ``@``, a tab or
a line end) gets a leading apostrophe there. In Parquet numbers are int64, ``gone`` is a boolean, and everything else is
text; a value that is of another type than its column stands in ``other`` too.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from dialproof_deploy.audit import events
from dialproof_deploy.audit import log as audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof_deploy.audit.records import Records

__all__ = ["COLUMNS", "csv_table", "parquet_table"]

_PLACE = audit.FIELDS.index("prev")
COLUMNS = (*audit.FIELDS[:_PLACE], "details", *audit.FIELDS[_PLACE:], *events.FIELDS, "other")
"""The columns: those of audit records, then those of event records."""
_NUMBERS = ("seq", "version_before", "version_after", "started", "writes", "version", "priority", "audit_seq")
_FLAGS = ("gone",)
_INT64 = 2**63


def csv_table(records: Records) -> bytes:
    """Return the records as CSV; texts are exact but for the apostrophe, other values are JSON."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    for record in records:
        row = {**record, "other": _others(record, COLUMNS[:-1])}
        writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return sheet.getvalue().encode("utf-8", "backslashreplace")  # half of a surrogate pair has no UTF-8


def parquet_table(records: Records) -> bytes:
    """Return the records as one Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = [_typed(record) for record in records]
    types = {name: pa.int64() for name in _NUMBERS} | {name: pa.bool_() for name in _FLAGS}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), file)
    return file.getvalue()


def _others(record: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, Any] | None:
    return {key: value for key, value in record.items() if key not in columns} or None


def _typed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of a row; a value of another type than its column is left to ``other``."""
    cells = {name: record[name] for name in COLUMNS[:-1] if _fits(name, record.get(name))}
    if "details" in record:
        cells["details"] = _json(record["details"])
    cells = {name: _utf8(cell) if isinstance(cell, str) else cell for name, cell in cells.items()}
    others = _others({key: value for key, value in record.items() if value is not None}, tuple(cells))
    return {**cells, "other": _json(others) if others else None}


def _fits(name: str, value: object) -> bool:
    if name in _NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64
    return isinstance(value, bool if name in _FLAGS else str)


def _json(value: object) -> str:
    return _utf8(json.dumps(value, ensure_ascii=False, sort_keys=True))


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value
