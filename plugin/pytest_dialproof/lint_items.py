"""The items of a rules file or contact list: a family of checks, or an invariant."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dialproof.findings import SEVERITIES
from pytest_dialproof.items import DialproofItem
from pytest_dialproof.warning import DialproofWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.findings import Finding
    from dialproof.model.rules import Invariant
    from dialproof.project import Campaign
    from pytest_dialproof.failure import ItemFailed

__all__ = ["FamilyItem", "InvariantItem"]


class FamilyItem(DialproofItem):
    """One family of checks over one file: fails on findings at or above ``fail_on``, warns of the others."""

    def check(self) -> None:
        """Report the findings of the family."""
        level = SEVERITIES.index(self.place.fail_on)
        findings = [self._shown(finding) for finding in self.place.findings(self.file, self.name)]
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

    def _shown(self, finding: Finding) -> Finding:
        """Return a finding as it may be seen: personal values masked."""
        from dialproof.output.masking import masked

        campaign = self.place.project.campaign(finding.campaign) if finding.campaign else None
        return masked(finding, campaign.contact_list) if campaign else finding

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


class InvariantItem(DialproofItem):
    """One invariant, evaluated on every case of its campaign and on the contacts that findings show."""

    def __init__(self, *, invariant: Invariant, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.invariant = invariant

    def check(self) -> None:
        """Evaluate the invariant; a contact on which it is undecided fails it, as one on which it is false does."""
        self.user_properties += [("file", self.place.shown(self.file)), ("line", str(self.line))]
        held = 0
        for campaign in self.place.project.campaigns:
            if not any(file.path == self.file for file in campaign.files):
                continue
            self.user_properties.append(("campaign", campaign.id))
            evaluator = self.place.evaluator(campaign)
            place = self.invariant.always.span
            for problem in evaluator.problems:
                if problem.path == self.file and place.line <= problem.span.line <= place.end_line:
                    raise self.fails(problem.message, line=problem.span.line)
            for origin, contact, options in _contacts(self, campaign):
                outcome = evaluator.run(contact, **options)
                circumstances = {key: options[key] for key in ("context", "now", "time_zone") if key in options}
                verdict = evaluator.invariant(self.invariant, contact, outcome, **circumstances)
                if verdict is not True or outcome.failure is not None:
                    raise self._violated(campaign, origin, contact, options, outcome, verdict)
                held += 1
        self.user_properties.append(("held", str(held)))
        self.add_report_section("call", "stdout: dialproof", f"{self.name}: held on {held} contacts, not proved\n")

    def _violated(
        self,
        campaign: Campaign,
        origin: str,
        contact: Mapping[str, object],
        options: Mapping[str, Any],
        outcome: Any,
        verdict: bool | None,
    ) -> ItemFailed:
        from dialproof.findings import Finding, Witness
        from dialproof.output.masking import masked
        from dialproof.output.witness import witness_lines
        from pytest_dialproof.masking import cel_text, values_masked

        found = "is undecided" if verdict is None else "does not hold"
        context = options.get("context") or {}
        now = options.get("now")
        # a clock that nobody set is another one in the next run
        witness = Witness(contact, context, now if isinstance(now, str) else "", outcome)
        finding = Finding("", "", "error", self.file, self.invariant.span, "", witness=witness)
        safe = masked(finding, campaign.contact_list).witness
        columns, always = campaign.contact_list, self.invariant.always
        cel = cel_text(always.text.strip(), self.place.evaluator(campaign).leaf(always).reads, columns)
        lines = [f"The invariant {found} for {origin}.", "", f"  {cel}", ""]
        lines += [f"  {line}" for line in (witness_lines(safe) if safe else [])]
        mask = values_masked(columns, [contact], context)
        return self.fails(mask(f"invariant {self.invariant.name!r} {found} for {origin}"), mask("\n".join(lines)))


def _contacts(item: InvariantItem, campaign: Campaign) -> Iterator[tuple[str, Mapping[str, object], dict[str, Any]]]:
    """Yield where a contact comes from, the contact, and how it is run: the cases, then the findings' witnesses."""
    project = item.place.project
    for path, linked in project.links.items():
        if linked is campaign:
            file = project.contacts_files[path]
            for case in file.cases:
                yield f"the case {case.name!r} of {item.place.shown(path)}", case.contact, file.run_options(case)
    for finding in item.place.lint_result.findings:
        if finding.witness is not None and finding.campaign in campaign.ids:
            witness = finding.witness
            options = {"context": witness.context, "now": witness.now or None}
            yield f"the contact that shows {finding.code} ({', '.join(finding.rules)})", witness.contact, options
