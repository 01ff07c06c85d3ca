"""Workflow commands of GitHub Actions: ``::error file=...,line=...,title=...::message``.

The message holds the place once more, since the log shows nothing else of a command. GitHub takes an annotation with
columns only where it begins and ends on one line. Its columns include the last one, ours end behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.output.explanation import explanation, heading
from dialproof.output.report import printable

if TYPE_CHECKING:
    from dialproof.findings import Finding
    from dialproof.output.report import Report

__all__ = ["render"]

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
_IN_MESSAGES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTIES = {**_IN_MESSAGES, **str.maketrans({":": "%3A", ",": "%2C"})}


def render(report: Report) -> str:
    """Return one command a finding, each on one line."""
    return "".join(f"{_command(finding)}\n" for finding in report.findings)


def _command(finding: Finding) -> str:
    span = finding.span
    properties: dict[str, object] = {"file": printable(finding.path), "line": span.line, "endLine": span.end_line}
    if span.line == span.end_line:
        properties["col"] = span.column
        properties["endColumn"] = max(span.column, span.end_column - 1)
    properties["title"] = f"{finding.code} {finding.name}"
    listed = ",".join(f"{name}={str(value).translate(_IN_PROPERTIES)}" for name, value in properties.items())
    message = "\n".join([heading(finding), *explanation(finding), finding.url])
    return f"::{_COMMANDS[finding.severity]} {listed}::{message.translate(_IN_MESSAGES)}"
