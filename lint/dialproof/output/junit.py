"""JUnit XML by junit-xml: one suite a file, one case a finding, and one passing case for a file without any.

junit-xml knows no properties of a case: code, rules and campaign stand in class name, name and text; ``file`` and
``line`` (1-based) are attributes.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from dialproof.output.witness import witness_lines

if TYPE_CHECKING:
    from dialproof.findings import Finding
    from dialproof.output.report import Report

__all__ = ["render"]

_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufde0-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """Return the XML document; findings below ``fail_on`` are passing cases with their text as output."""
    from junit_xml import TestCase, TestSuite, to_xml_report_string

    by_file: dict[str, list[Finding]] = {path: [] for path in report.files}
    for finding in report.findings:
        by_file.setdefault(finding.path, []).append(finding)
    suites = []
    for path, findings in sorted(by_file.items()):
        cases = []
        names: Counter[str] = Counter()
        for finding in findings:
            name = _name(finding)
            names[name] += 1
            case = TestCase(
                _clean(name if names[name] == 1 else f"{name} ({names[name]})"),
                classname=_clean(f"dialproof.{finding.campaign or 'files'}.{finding.code}"),
                file=_clean(path),
                line=finding.span.line,
            )
            if report.fails(finding):
                case.add_failure_info(_clean(finding.summary), _clean(_text(finding)), finding.code)
            else:
                case.stdout = _clean(_text(finding))
            cases.append(case)
        if not cases:
            cases.append(TestCase("no findings", classname="dialproof", file=_clean(path)))
        suites.append(TestSuite(_clean(path), cases, file=_clean(path)))
    text: str = to_xml_report_string(suites, encoding="utf-8")
    return text


def _name(finding: Finding) -> str:
    rules = ", ".join(finding.rules)
    return f"{finding.name}{f' ({rules})' if rules else ''} at line {finding.span.line}"


def _text(finding: Finding) -> str:
    lines = [
        f"{finding.path}:{finding.span.line}:{finding.span.column}: {finding.code} {finding.severity}",
        finding.summary,
        *finding.details.splitlines(),
    ]
    if finding.campaign:
        lines.append(f"campaign: {finding.campaign}")
    if finding.rules:
        lines.append(f"rules: {', '.join(finding.rules)}")
    if finding.witness is not None:
        lines += ["a contact that shows it:", *(f"  {line}" for line in witness_lines(finding.witness))]
    if finding.fix:
        lines.append(f"fix: {finding.fix}")
    lines.append(finding.url)
    return "\n".join(lines)


def _clean(text: str) -> str:
    """Replace what XML 1.0 cannot hold (junit-xml fails on a lone surrogate)."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
