"""Failures of our items, in the one shape that looks the same with and without xdist, in the terminal and in JUnit.

xdist keeps only a repr whose location is part of its chain, and pytest has no public way to make one.
"""

from __future__ import annotations

from _pytest._code.code import ExceptionChainRepr, ReprEntry, ReprFileLocation, ReprTraceback

__all__ = ["ItemFailed", "failure_repr"]


class ItemFailed(Exception):  # noqa: N818  (a verdict, as pytest's own Failed is)
    """An item has failed: where, in one sentence why, and the text that explains it (its first line a sentence)."""

    def __init__(self, path: str, line: int, summary: str, text: str = "") -> None:
        super().__init__(summary)
        self.path, self.line, self.summary, self.text = path, line, summary, text


def failure_repr(failure: ItemFailed) -> ExceptionChainRepr:
    """Return what pytest prints: the text, then ``path:line: summary``."""
    location = ReprFileLocation(failure.path, failure.line, failure.summary)
    lines = failure.text.splitlines()
    entry = ReprEntry(lines, None, None, location, "value")  # "value": no syntax colours over tables and diffs
    return ExceptionChainRepr([(ReprTraceback([entry], None, "value"), location, None)])
