"""Findings as text: one module a format, each with ``render(report) -> str``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialproof.output.report import Report

__all__ = ["FORMATS", "OF_THE_REPOSITORY", "render"]

FORMATS = {
    "full": "for people: the place in the file, the contact that shows it, both outcomes",
    "concise": "one line a finding",
    "json": "everything, for programs",
    "jsonl": "the findings of json, one a line",
    "github": "workflow commands: annotations on a pull request",
    "gitlab": "a Code Quality report, for merge requests",
    "sarif": "SARIF 2.1.0, for code scanning and editors",
    "junit": "JUnit XML, one suite a file",
}
"""Format -> what it is for."""

OF_THE_REPOSITORY = frozenset({"github", "gitlab", "sarif", "junit"})
"""Formats whose readers look for files from the root of the repository, wherever the command was run."""

_MODULES = {"json": "json_text"}  # a module called json would hide the library's in a traceback


def render(name: str, report: Report) -> str:
    """Return the report in the format called ``name``, ending in a newline unless empty."""
    text: str = import_module(f"dialproof.output.{_MODULES.get(name, name)}").render(report)
    return text
