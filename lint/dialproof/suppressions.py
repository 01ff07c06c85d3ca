"""``# dialproof: ignore[CODES] reason until DATE``: reading suppressions and applying them to findings.

A suppression covers a node of the YAML file: a trailing comment the outermost key or list item that starts on its
line, a comment on a line of its own the next key or list item, each with everything below it. ``ignore-file[...]``
stands above the first key and covers the file. Findings that must not be hidden (unreadable input, and the
suppressions' own) are out of reach.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Literal

from dialproof.findings import Finding
from dialproof.source.positions import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dialproof.checks.base import Check
    from dialproof.findings import Edit
    from dialproof.source import Comment, Node, SourceFile
    from dialproof.source.nodes import SourceText

__all__ = ["NOT_SUPPRESSIBLE", "Suppressed", "Suppression", "apply_suppressions", "may_suppress", "read_suppressions"]

NOT_SUPPRESSIBLE = frozenset({"DP101", "DP102", "DP107", "DP108", "DP902", "DP903", "DP904"})
"""Codes that no comment hides: the file would drop out of every check, or the comment would vouch for itself."""

_ADDRESSED = re.compile(r"#\s*dialproof\s*:|#\s*dialproof\s+ignore", re.IGNORECASE)
_FORM = re.compile(r"#\s*dialproof:\s*(?P<kind>ignore|ignore-file)\s*\[(?P<codes>[^\]]*)\]\s*(?P<rest>.*)")
_UNTIL = re.compile(r"(?P<reason>.*?)\s*\buntil\s+(?P<date>\S*\d\S*)\s*", re.DOTALL)
_BREAK = re.compile(r"[ \t]*(?:\r\n|\n|\r|\Z)")
_EXPECTED = "expected `# dialproof: ignore[CODE, ...] reason`, with an optional `until YYYY-MM-DD`"


@dataclass(frozen=True, slots=True)
class Suppression:
    """One well-formed comment; ``covers`` is None for a whole file; ``codes`` go with their places.

    ``start`` is the offset of its ``#`` in the text of ``source``.
    """

    path: str
    span: Span
    codes: Mapping[str, Span]
    reason: str
    until: date | None
    covers: Span | None
    source: SourceText = field(compare=False, repr=False)
    start: int = 0

    def hides(self, finding: Finding) -> bool:
        """Tell whether the finding has one of the codes and stands at the node, whatever the date is."""
        if finding.path != self.path or finding.code not in self.codes:
            return False
        if self.covers is None:
            return True
        start = (finding.span.line, finding.span.column)
        begin, end = (self.covers.line, self.covers.column), (self.covers.end_line, self.covers.end_column)
        return begin <= start < end or start == begin


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that a comment or the baseline hides, with the comment's reason and, if given, its last day."""

    finding: Finding
    reason: str
    until: date | None
    by: Literal["comment", "baseline"] = "comment"


@dataclass
class _Reader:
    """Reads the comments of one file."""

    source: SourceFile
    checks: Mapping[str, Check]
    path: str
    valid: list[Suppression] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)

    @cached_property
    def parts(self) -> tuple[Span, ...]:
        return tuple(sorted(_parts(self.source.root), key=_start))  # an alias stands for an earlier node

    @cached_property
    def text(self) -> SourceText:
        from dialproof.source.nodes import SourceText

        return SourceText(self.source.text)

    def read(self, comment: Comment) -> None:
        text = comment.text if comment.text.startswith("#") else f"#{comment.text}"
        addressed = _ADDRESSED.search(text)
        if not addressed:
            return
        start = comment.column + addressed.start()
        text = text[addressed.start() :].rstrip()
        span = Span.point(comment.line, start, len(text))
        form = _FORM.fullmatch(text)
        if not form:
            self._problem(span, f"this suppression cannot be read; {_EXPECTED}")
            return
        codes = self._codes(form, comment.line, start)
        reason, until = self._reason(form["rest"], span)
        if codes is None or reason is None:
            return
        covers = None
        if form["kind"] == "ignore":
            covers = _covered(self.parts, comment)
            if covers is None:
                self._problem(span, "this suppression stands at no key and no list item")
                return
        elif not _above_everything(self.parts, comment):
            self._problem(span, "ignore-file must stand above the first key of the file")
            return
        offset = self.text.offset(comment.line, start)
        self.valid.append(Suppression(self.path, span, codes, reason, until, covers, self.text, offset))

    def _problem(self, span: Span, summary: str, fix: str = "") -> None:
        self.problems.append(finding_of(self.checks["DP902"], self.path, span, summary, fix))

    def _codes(self, form: re.Match[str], line: int, start: int) -> dict[str, Span] | None:
        codes: dict[str, Span] = {}
        good = True
        for part in re.finditer(r"[^,]+", form["codes"]):
            code = part[0].strip()
            offset = form.start("codes") + part.start() + len(part[0]) - len(part[0].lstrip())
            span = Span.point(line, start + offset, max(1, len(code)))
            problem = self._code_problem(code)
            if problem:
                good = False
                self._problem(span, problem)
            codes.setdefault(code, span)
        if not codes:
            self._problem(Span.point(line, start + form.start("codes") - 1, 2), f"no code in brackets; {_EXPECTED}")
        return codes if good and codes else None

    def _code_problem(self, code: str) -> str | None:
        if code in NOT_SUPPRESSIBLE:
            return f"{code} cannot be suppressed"
        if code in self.checks:
            return None
        by_name = {check.name: check.code for check in self.checks.values()}
        near = [by_name[code]] if code in by_name else get_close_matches(code.upper(), self.checks, 1, 0.7)
        return f"there is no check {code!r}" + (f"; did you mean {near[0]}?" if near else "")

    def _reason(self, rest: str, span: Span) -> tuple[str | None, date | None]:
        until: date | None = None
        found = _UNTIL.fullmatch(rest)
        if found:
            rest = found["reason"]
            try:
                until = date.fromisoformat(found["date"])
                if len(found["date"]) != len("YYYY-MM-DD"):
                    raise ValueError
            except ValueError:
                self._problem(span, f"{found['date']!r} is no date; expected `until YYYY-MM-DD`")
                return None, None
        reason = rest.strip().strip(":-–—").strip()
        if not any(c.isalnum() for c in reason):
            self._problem(span, "a suppression needs a reason", fix="say after the brackets why the finding may stand")
            return None, None
        return reason, until


def finding_of(check: Check, path: str, span: Span, summary: str, fix: str = "") -> Finding:
    """Return a finding of a check that needs no campaign."""
    return Finding(check.code, check.name, check.severity, path, span, summary, fix=fix)


def may_suppress(content: bytes) -> bool:
    """Tell whether a file holds something that looks like a suppression, however it is spelt."""
    return _ADDRESSED.search(content.decode("utf-8", "replace")) is not None


def read_suppressions(
    source: SourceFile, path: str, checks: Mapping[str, Check]
) -> tuple[tuple[Suppression, ...], tuple[Finding, ...]]:
    """Return the suppressions of a file, and a DP902 finding for each comment that is meant as one but is none."""
    reader = _Reader(source, checks, path)
    for comment in source.comments:
        reader.read(comment)
    return tuple(reader.valid), tuple(reader.problems)


def apply_suppressions(
    findings: Sequence[Finding],
    suppressions: Sequence[Suppression],
    checks: Mapping[str, Check],
    *,
    ran: Collection[str],
    today: date,
) -> tuple[list[Finding], list[Suppressed]]:
    """Split findings into those that stand and those that are suppressed; add DP903 and DP904 to the former.

    ``ran`` are the codes whose checks ran: of the others nobody knows whether a suppression is used.
    """
    standing: list[Finding] = []
    hidden: list[Suppressed] = []
    used: set[tuple[int, str]] = set()
    by_code: dict[tuple[str, str], list[int]] = {}
    for index, suppression in enumerate(suppressions):
        for code in suppression.codes:
            by_code.setdefault((suppression.path, code), []).append(index)
    for finding in findings:
        matching = [i for i in by_code.get((finding.path, finding.code), ()) if suppressions[i].hides(finding)]
        used.update((i, finding.code) for i in matching)
        valid = [suppressions[i] for i in matching if not _expired(suppressions[i], today)]
        if valid:
            hidden.append(Suppressed(finding, valid[0].reason, valid[0].until))
        else:
            standing.append(finding)
    for index, suppression in enumerate(suppressions):
        if _expired(suppression, today):
            summary = f"this suppression ended on {suppression.until} ({suppression.reason})"
            fix = "solve the finding, or agree on a new date"
            standing.append(finding_of(checks["DP904"], suppression.path, suppression.span, summary, fix))
            continue
        for code, span in suppression.codes.items():
            if code in ran and (index, code) not in used:
                summary = f"nothing to suppress: {checks[code].name} ({code}) does not occur here"
                found = finding_of(checks["DP903"], suppression.path, span, summary, f"remove {code}")
                standing.append(replace(found, edits=_without(suppression, code)))
    return standing, hidden


def _without(suppression: Suppression, code: str) -> tuple[Edit, ...]:
    """Return the edit that takes a code out of a suppression, or all of it with the blanks before it."""
    from dialproof.source.edits import edit, without_lines

    source, start = suppression.source, suppression.start
    text = source.text
    if len(suppression.codes) > 1:
        codes = list(suppression.codes)
        span = suppression.codes[code]
        begin, end = (source.offset(span.line, span.column) for _ in "ab")
        end += len(code)
        if code != codes[-1]:
            following = suppression.codes[codes[codes.index(code) + 1]]
            end = source.offset(following.line, following.column)
        else:
            begin = len(text[: text.rindex(",", 0, begin)].rstrip(" \t"))
        return (edit(suppression.path, source, begin, end),)
    stop = start + suppression.span.end_column - suppression.span.column
    before = len(text[:start].rstrip(" \t"))
    if before and text[before - 1] not in "\r\n":
        return (edit(suppression.path, source, before, stop),)
    line_break = _BREAK.match(text, stop)
    return without_lines(suppression.path, source, start, line_break.end() if line_break else stop)


def _expired(suppression: Suppression, today: date) -> bool:
    return suppression.until is not None and today > suppression.until


def _parts(node: Node | None) -> Iterator[Span]:
    """Yield the extent of every key with its value and of every list item, outermost first."""
    from dialproof.source import Mapping as MappingNode
    from dialproof.source import Sequence as SequenceNode

    if isinstance(node, MappingNode):
        for entry in node.entries:
            end = entry.value.span
            yield Span(
                entry.key.span.line,
                entry.key.span.column,
                *max((end.end_line, end.end_column), (entry.key.span.end_line, entry.key.span.end_column)),
            )
            yield from _parts(entry.value)
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield item.span
            yield from _parts(item)


def _covered(parts: Sequence[Span], comment: Comment) -> Span | None:
    """Return the extent of the node that a comment stands at: the outermost of those that begin at one place."""
    place = (comment.line, comment.column)
    index = bisect_right(parts, place if comment.own_line else (comment.line, 0), key=_start)
    if index == len(parts):
        return None
    if not comment.own_line and not (parts[index].line == comment.line and _start(parts[index]) < place):
        return None
    together = takewhile(lambda s: _start(s) == _start(parts[index]), islice(parts, index, None))
    return max(together, key=lambda s: (s.end_line, s.end_column))


def _start(span: Span) -> tuple[int, int]:
    return span.line, span.column


def _above_everything(parts: Sequence[Span], comment: Comment) -> bool:
    return not parts or (comment.line, comment.column) < _start(parts[0])
