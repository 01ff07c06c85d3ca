"""Findings as text: one module a format, each with ``render(report) -> str``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialproof.output.report import Report

__all__ = ["FORMATS", "render"]

FORMATS = {
    "full": "for people: the place in the file, the contact that shows it, both outcomes",
    "concise": "one line a finding",
    "json": "everything, for programs",
    "junit": "JUnit XML, one suite a file",
}
"""Format -> what it is for."""

_MODULES = {"full": "full", "concise": "concise", "json": "json_text", "junit": "junit"}


def render(name: str, report: Report) -> str:
    """Return the report in the format called ``name``, ending in a newline unless empty."""
    text: str = import_module(f"dialproof.output.{_MODULES[name]}").render(report)
    return text
