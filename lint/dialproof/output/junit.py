"""JUnit XML by junit-xml: one suite a file, one case a finding, and one passing case for a file without any.

junit-xml knows no properties of a case: code, rules and campaign stand in class name, name and text; ``file`` and
``line`` (1-based) are attributes. No line stands in a name, so that a case keeps its history when it moves.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from dialproof.output.explanation import explanation, heading
from dialproof.output.report import printable

if TYPE_CHECKING:
    from dialproof.findings import Finding
    from dialproof.output.report import Report

__all__ = ["render"]

_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufde0-\ufffd\U00010000-\U0010ffff]")
_COUNTS = ("tests", "failures", "errors")


def render(report: Report) -> str:
    """Return the XML document; findings below ``fail_on`` are passing cases with their text as output."""
    from junit_xml import TestCase, TestSuite

    by_file: dict[str, list[Finding]] = {path: [] for path in report.files}
    for finding in report.findings:
        by_file.setdefault(finding.path, []).append(finding)
    document = ET.Element("testsuites")
    for path, findings in sorted(by_file.items()):
        cases = []
        names: Counter[tuple[str, str]] = Counter()
        for finding in findings:
            place, name = _class(finding), _name(finding)
            names[place, name] += 1
            number = names[place, name]
            case = TestCase(
                _clean(name if number == 1 else f"{name} ({number})"),
                classname=_clean(place),
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
        suite = TestSuite(_clean(path), cases, file=_clean(path)).build_xml_doc()
        del suite.attrib["disabled"]  # no part of what Jenkins reads
        document.append(suite)
    for name in _COUNTS:
        document.set(name, str(sum(int(suite.get(name, "0")) for suite in document)))
    ET.indent(document, "\t")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(document, "unicode")}\n'


def _class(finding: Finding) -> str:
    """Return campaign, code and rule; readers take what stands before the last dot for a package."""
    parts = ["dialproof", finding.campaign or "files", finding.code, *finding.rules[:1]]
    return ".".join(part.replace(".", "_") for part in parts)


def _name(finding: Finding) -> str:
    rules = ", ".join(finding.rules)
    return f"{finding.name} ({rules})" if rules else finding.name


def _text(finding: Finding) -> str:
    lines = [heading(finding)]
    if finding.campaign:
        lines.append(f"campaign: {printable(finding.campaign)}")
    if finding.rules:
        lines.append(f"rules: {printable(', '.join(finding.rules))}")
    return "\n".join([*lines, *explanation(finding), finding.url])


def _clean(text: str) -> str:
    """Replace what XML 1.0 cannot hold (junit-xml fails on a lone surrogate)."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
