"""One line a finding: ``path:line:column: CODE severity summary``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.output.explanation import heading

if TYPE_CHECKING:
    from dialproof.output.report import Report

__all__ = ["render"]


def render(report: Report) -> str:
    """Return all findings, one a line."""
    return "".join(f"{heading(finding)}\n" for finding in report.findings)
