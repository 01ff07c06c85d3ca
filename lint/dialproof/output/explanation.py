"""What a finding says beyond its summary, as lines that every format for people shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.output.report import printable
from dialproof.output.witness import witness_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.findings import Finding

__all__ = ["explanation", "heading"]


def heading(finding: Finding) -> str:
    """Return place, code and summary on one line."""
    span = finding.span
    return printable(f"{finding.path}:{span.line}:{span.column}: {finding.code} {finding.severity} {finding.summary}")


def explanation(finding: Finding) -> Iterator[str]:
    """Yield the details, the contact that shows the finding with its outcomes, and what to do."""
    for line in finding.details.splitlines():
        yield printable(line)
    if finding.witness is not None:
        yield "a contact that shows it:"
        for line in witness_lines(finding.witness):
            yield f"  {line}"
    if finding.fix:
        yield f"fix: {printable(finding.fix)}"
