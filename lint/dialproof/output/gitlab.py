"""A Code Quality report of GitLab: the part of Code Climate's format that merge requests show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dialproof.fingerprint import fingerprints
from dialproof.output.report import printable

if TYPE_CHECKING:
    from dialproof.findings import Finding
    from dialproof.output.report import Report

__all__ = ["render"]


def render(report: Report) -> str:
    """Return a JSON array with one object a finding; GitLab takes two with one fingerprint for one."""
    known_by = fingerprints(report.findings, report.lines)
    entries = [_entry(*pair, report) for pair in zip(report.findings, known_by, strict=True)]
    return json.dumps(entries, indent=2) + "\n"


def _entry(finding: Finding, fingerprint: str, report: Report) -> dict[str, object]:
    return {
        "description": f"{finding.code} {printable(finding.summary)}",
        "check_name": finding.name,
        "fingerprint": fingerprint,
        "severity": _severity(finding, fails=report.fails(finding)),
        "location": {"path": finding.path, "lines": {"begin": finding.span.line, "end": finding.span.end_line}},
    }


def _severity(finding: Finding, *, fails: bool) -> str:
    """Return GitLab's word: a file that nothing looks at is a blocker, a warning that fails the run a major issue."""
    if finding.code == "DP101":
        return "blocker"
    if finding.severity == "warning":
        return "major" if fails else "minor"
    return "critical" if finding.severity == "error" else "info"
