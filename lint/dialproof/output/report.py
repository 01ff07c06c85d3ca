"""What every format is given: findings that may be shown, and the text of the files they stand in."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dialproof.findings import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.findings import Finding, Severity
    from dialproof.lint import Suppressed
    from dialproof.source.positions import Span

__all__ = ["Report", "count", "printable"]


@dataclass(frozen=True, slots=True)
class Report:
    """A lint result as it is shown: personal data masked, paths as the user would write them.

    ``files`` are all files that were looked at; ``lines`` returns the lines of one of them; findings at or above
    ``fail_on`` of their file (default error) are failures; ``color`` allows ANSI colours. ``rules`` tells where the
    rule of a campaign has its name; ``failures`` are sentences about checks that broke, so that something may be
    missing.
    """

    findings: Sequence[Finding]
    files: Sequence[str]
    lines: Callable[[str], Sequence[str]]
    suppressed: Sequence[Suppressed] = ()
    decided: Mapping[str, int] = field(default_factory=dict)
    fail_on: Mapping[str, Severity] = field(default_factory=dict)
    color: bool = False
    rules: Mapping[tuple[str, str], tuple[str, Span]] = field(default_factory=dict)
    failures: Sequence[str] = ()

    def fails(self, finding: Finding) -> bool:
        """Tell whether the finding is grave enough to fail the run."""
        return SEVERITIES.index(finding.severity) >= SEVERITIES.index(self.fail_on.get(finding.path, "error"))

    def joined(self, other: Report) -> Report:
        """Return the report on both projects."""
        return replace(
            self,
            findings=[*self.findings, *other.findings],
            files=[*self.files, *other.files],
            suppressed=[*self.suppressed, *other.suppressed],
            decided=Counter(self.decided) + Counter(other.decided),
            fail_on={**self.fail_on, **other.fail_on},
            rules={**self.rules, **other.rules},
        )

    def renamed(self, name: Callable[[str], str]) -> Report:
        """Return the same report with other names for its files."""
        hidden = (suppressed.finding.path for suppressed in self.suppressed)
        was = {name(path): path for path in (*self.files, *self.fail_on, *hidden)}

        def rename(finding: Finding) -> Finding:
            edits = tuple(replace(edit, path=name(edit.path)) for edit in finding.edits)
            return replace(finding, path=name(finding.path), edits=edits)

        return replace(
            self,
            findings=[rename(f) for f in self.findings],
            files=[name(path) for path in self.files],
            lines=lambda path: self.lines(was.get(path, path)),
            suppressed=[replace(s, finding=rename(s.finding)) for s in self.suppressed],
            fail_on={name(path): severity for path, severity in self.fail_on.items()},
            rules={rule: (name(path), span) for rule, (path, span) in self.rules.items()},
        )


def count(number: int, noun: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """Return one line of text with control characters made visible, so that no file can steer a terminal."""
    if text.isprintable():
        return text
    return "".join(_visible(c) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)


def _visible(character: str) -> str:
    return " " if character == "\t" else character.encode("unicode_escape").decode("ascii")
