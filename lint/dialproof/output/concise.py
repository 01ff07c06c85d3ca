"""One line a finding: ``path:line:column: CODE severity summary``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.output.report import printable

if TYPE_CHECKING:
    from dialproof.output.report import Report

__all__ = ["render"]


def render(report: Report) -> str:
    """Return all findings, one a line."""
    return "".join(
        printable(f"{f.path}:{f.span.line}:{f.span.column}: {f.code} {f.severity} {f.summary}") + "\n"
        for f in report.findings
    )
