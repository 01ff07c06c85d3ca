"""Where something stands in a file: the one currency of positions in findings, errors and reports."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Problem", "Span"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A piece of text; lines and columns are 1-based, columns count characters, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def point(cls, line: int, column: int, width: int = 1) -> Span:
        """Return the span of ``width`` characters on one line."""
        return cls(line, column, line, column + width)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with an input file: what was found and what was expected, in one sentence.

    ``code`` is the code of the check that reports it (DP101, DP102, DP107, DP108).
    """

    path: str
    span: Span
    code: str
    message: str

    def __str__(self) -> str:
        """Return ``path:line:column: CODE message``."""
        return f"{self.path}:{self.span.line}:{self.span.column}: {self.code} {self.message}"
