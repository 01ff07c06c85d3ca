"""The counts of a backtest as one Parquet table, for whoever keeps those of many."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.bulk.report import Report

__all__ = ["as_parquet"]


def as_parquet(report: Report) -> bytes:
    """Return a file with one row a count: campaign, category, what is counted, of which rule or list, contacts."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = list(_counts(report))
    table = pa.table(
        {
            "campaign": pa.array([report.campaign] * len(rows), pa.string()),
            "category": pa.array([report.tally.bulk.category] * len(rows), pa.string()),
            "what": pa.array([what for what, _, _ in rows], pa.string()),
            "name": pa.array([name for _, name, _ in rows], pa.string()),
            "contacts": pa.array([count for _, _, count in rows], pa.int64()),
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


def _counts(report: Report) -> Iterator[tuple[str, str | None, int]]:
    tally = report.tally
    yield "contacts", None, tally.contacts
    yield "bad rows left out", None, report.left_out
    yield "undecided", None, tally.undecided
    yield "no rule", None, tally.unmatched
    if tally.bulk.category == "preCall":
        yield "dialed", None, tally.dialed
        yield from (("not dialed", reason, n) for reason, n in tally.reasons.items())
    for rule, counts in tally.rules.items():
        yield "rule matched", rule, counts.matched
        yield "rule matched first", rule, counts.first
        yield "rule undecided", rule, counts.undecided
    for name, (on, off) in tally.lists.items():
        yield "on list", name, on
        yield "off list", name, off
    yield from (("conflict", " and ".join(pair), conflict.contacts) for pair, conflict in tally.conflicts.items())
    if report.changes is not None:
        yield "changed", report.against, report.changes.contacts
        yield "come to be dialed", report.against, report.changes.more
        yield "cease to be dialed", report.against, report.changes.fewer
