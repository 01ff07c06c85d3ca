"""Where something stands in a file: the one currency of positions in findings, errors and reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_PROBLEMS", "Problem", "Problems", "Span"]

MAX_PROBLEMS = 100
"""How many problems of one file are written out; of the others there is the number."""


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

    ``code`` is the code of the check that reports it (DP101, DP102, DP103, DP107, DP108).
    """

    path: str
    span: Span
    code: str
    message: str

    def __str__(self) -> str:
        """Return ``path:line:column: CODE message``."""
        return f"{self.path}:{self.span.line}:{self.span.column}: {self.code} {self.message}"


_P = TypeVar("_P", bound=Problem)


class Problems(Generic[_P]):
    """Collects the problems of one file: the first ones in full, of the others how many there are."""

    def __init__(self, kind: type[_P]) -> None:
        self.count = 0
        self._kind = kind
        self._first: list[_P] = []

    @property
    def full(self) -> bool:
        """Whether further problems are only counted, so that nobody has to word them."""
        return self.count >= MAX_PROBLEMS

    def add(self, path: str, span: Span, code: str, message: str, **more: Any) -> None:
        """Add a problem; ``more`` are further fields of its kind."""
        if not self.full:
            self._first.append(self._kind(path, span, code, message, **more))
        self.count += 1

    def skip(self) -> None:
        """Count a problem that is not written out."""
        self.count += 1

    def all(self) -> Sequence[_P]:
        """Return the problems, with a last one that says how many more there are."""
        further = self.count - len(self._first)
        if not further:
            return self._first
        last = max(self._first, key=lambda problem: problem.span)
        behind = Span.point(last.span.end_line, last.span.end_column)
        return [*self._first, self._kind(last.path, behind, last.code, f"and {further:,} more in this file")]
