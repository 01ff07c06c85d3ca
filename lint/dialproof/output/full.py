"""For people: each finding with its place in the file, the contact that shows it and what to do."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from dialproof.output.explanation import explanation
from dialproof.output.masking import line_may_be_shown
from dialproof.output.report import count, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof.findings import Finding
    from dialproof.output.report import Report

__all__ = ["SHOWN_PER_CODE", "finding_text", "render"]

SHOWN_PER_CODE = 5
"""How many findings of one code are shown; the others are counted."""

_STAGES = {"cells": "by cells", "enumeration": "by runs over every combination of cells"}
"""Stage of the analysis -> how it is said; one that is not here is called by its key."""

_COLORS = {"error": "31", "warning": "33", "info": "36", "place": "34", "dim": "2", "bold": "1"}


def render(report: Report) -> str:
    """Return the first findings of each code in full, and how many more there are of each."""
    seen: Counter[str] = Counter()
    blocks = []
    for finding in report.findings:
        seen[finding.code] += 1
        if seen[finding.code] <= SHOWN_PER_CODE:
            blocks.append(finding_text(finding, report))
    names = {f.code: f.name for f in report.findings}
    more = [
        f"{code} {names[code]}: and {total - SHOWN_PER_CODE} more ({count(total, 'finding')} in all)\n"
        for code, total in sorted(seen.items())
        if total > SHOWN_PER_CODE
    ]
    if more:
        blocks.append("".join([*more, "`-f concise` and `-f json` list all of them\n"]))
    if any(report.decided.values()):
        blocks.append(f"{_decided(report.decided)}\n")
    return "\n".join(blocks)


def finding_text(finding: Finding, report: Report) -> str:
    """Return one finding of a report in full, ending in a newline."""
    return "\n".join(_finding(finding, report, _paint if report.color else _plain)) + "\n"


def _decided(decided: Mapping[str, int]) -> str:
    """Return how many questions about rules and pairs of rules each stage of the analysis has decided."""
    stages = {**dict.fromkeys(_STAGES, 0), **decided}
    left = stages.pop("unknown", 0)
    said = [f"{number:,} {_STAGES.get(stage, f'by {stage}')}" for stage, number in stages.items()]
    return f"questions decided: {', '.join(said)}; left open: {left:,}"


def _plain(text: str, _: str) -> str:
    return text


def _paint(text: str, color: str) -> str:
    return f"\x1b[{_COLORS[color]}m{text}\x1b[0m"


def _finding(finding: Finding, report: Report, paint: _Paint) -> Iterator[str]:
    head = paint(f"{finding.severity}[{finding.code}]", finding.severity)
    yield f"{head} {paint(printable(finding.summary), 'bold')}"
    yield from _excerpt(finding, report, paint)
    bar = " " * len(str(finding.span.line)) + " ="
    for line in explanation(finding):
        yield f"{bar} {line}".rstrip()
    yield f"{bar} {paint(f'{finding.name}: {finding.url}', 'dim')}"


def _excerpt(finding: Finding, report: Report, paint: _Paint) -> Iterator[str]:
    """Yield the place and the line with its span underlined; a span of several lines is underlined on its first."""
    span = finding.span
    margin = " " * len(str(span.line))
    place = f"{printable(finding.path)}:{span.line}:{span.column}"
    yield f"{margin}{paint('-->', 'place')} {place}"
    lines = report.lines(finding.path) if line_may_be_shown(finding) else ()
    if span.line > len(lines):
        return
    line = lines[span.line - 1].rstrip()
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    marked = line[span.column - 1 : end]
    yield f"{margin} {paint('|', 'place')}"
    yield f"{paint(f'{span.line} |', 'place')} {printable(line)}".rstrip()
    underline = " " * _width(line[: span.column - 1]) + paint("^" * max(1, _width(marked)), finding.severity)
    yield f"{margin} {paint('|', 'place')} {underline}"


def _width(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    return sum(_cells(c) for c in printable(text))


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


if TYPE_CHECKING:
    from collections.abc import Callable

    _Paint = Callable[[str, str], str]
