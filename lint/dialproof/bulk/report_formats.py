"""The formats of a backtest's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.bulk.report import as_json, as_text
from dialproof.bulk.report_markdown import as_markdown
from dialproof.bulk.report_table import as_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dialproof.bulk.report import Report

__all__ = ["FORMATS"]

FORMATS: Mapping[str, Callable[[Report], str | bytes]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
    "parquet": as_parquet,
}
"""Format -> what makes it."""
