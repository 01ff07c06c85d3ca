"""The items of a rules file or contact list: one for each family of checks."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.findings import SEVERITIES
from pytest_dialproof.items import DialproofItem
from pytest_dialproof.warning import DialproofWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.findings import Finding
    from pytest_dialproof.failure import ItemFailed

__all__ = ["FamilyItem"]


class FamilyItem(DialproofItem):
    """One family of checks over one file: fails on findings at or above ``fail_on``, warns of the others."""

    def check(self) -> None:
        """Report the findings of the family."""
        level = SEVERITIES.index(self.place.fail_on)
        findings = [self.place.masked(finding) for finding in self.place.findings(self.file, self.name)]
        grave = [f for f in findings if SEVERITIES.index(f.severity) >= level]
        mild = [f for f in findings if SEVERITIES.index(f.severity) < level]
        self.user_properties += [
            ("file", self.place.shown(self.file)),
            *(("campaign", campaign) for campaign in dict.fromkeys(f.campaign for f in findings) if campaign),
            *(("code", code) for code in dict.fromkeys(f.code for f in grave)),
            *(("rule", rule) for rule in dict.fromkeys(rule for f in grave for rule in f.rules)),
            *(("line", str(f.span.line)) for f in grave[:1]),
        ]
        if mild:
            self.add_report_section("call", "stdout: dialproof", "".join(f"{self._line(f)}\n" for f in mild))
        for finding in mild:
            warnings.warn_explicit(
                DialproofWarning(f"{finding.code} {finding.name} ({finding.severity}): {finding.summary}"),
                category=None,
                filename=str(self.place.config.root / finding.path),
                lineno=finding.span.line,
            )
        if grave:
            raise self._failure(grave)

    def _failure(self, findings: Sequence[Finding]) -> ItemFailed:
        from dialproof.output.full import render
        from dialproof.output.report import Report, count

        place = self.place
        shown = [replace(f, path=place.shown(f.path), details=place.shown_in(f.details)) for f in findings]
        sources = {place.shown(f.path): f.path for f in findings}
        report = Report(shown, tuple(sources), lambda path: self._lines(sources[path]))
        first = findings[0]
        more = f" ({count(len(findings) - 1, 'more finding')})" if len(findings) > 1 else ""
        summary = f"{first.code} {first.summary}{more}"
        text = f"{count(len(findings), 'finding')} of the {self.name} checks.\n\n{render(report)}"
        return self.fails(summary, text, file=first.path, line=first.span.line)

    def _line(self, finding: Finding) -> str:
        place = f"{self.place.shown(finding.path)}:{finding.span.line}:{finding.span.column}"
        return f"{place}: {finding.severity} {finding.code} {finding.summary}"

    def _lines(self, path: str) -> Sequence[str]:
        try:
            return (self.place.config.root / path).read_text(encoding="utf-8-sig", errors="replace").splitlines()
        except OSError:
            return ()
