"""JUnit XML, held against the schema of what readers accept and, where it is at hand, against that of Jenkins."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from lxml import etree

from dialproof.output import render
from tests.lint.output.build import CONFLICT, HINT, report, reports

if TYPE_CHECKING:
    from dialproof.output.report import Report

XSD = etree.XMLSchema(etree.parse(Path(__file__).parents[3] / "fixtures" / "junit.xsd"))


@given(shown=reports())
def test_any_report_is_valid_and_complete(shown: Report) -> None:
    """Whatever names hold, the schema is kept: a case a finding, one for each clean file, and the counts are right."""
    document = etree.fromstring(render("junit", shown).encode())
    XSD.assertValid(document)
    clean = set(shown.files) - {f.path for f in shown.findings}
    assert document.get("tests") == str(len(shown.findings) + len(clean)) == str(len(document.findall("*/testcase")))
    assert document.get("failures") == str(sum(map(shown.fails, shown.findings)))
    assert len(document.findall("*/testcase/failure")) == sum(map(shown.fails, shown.findings))


def test_jenkins_takes_it() -> None:
    """Jenkins' own schema accepts a report but for ``file`` and ``line`` of a case, which other readers need.

    The schema is no part of this repository: ``DIALPROOF_JUNIT_XSD`` names the file junit-10.xsd of
    github.com/jenkinsci/xunit-plugin.
    """
    place = os.environ.get("DIALPROOF_JUNIT_XSD")
    if not place:
        pytest.skip("DIALPROOF_JUNIT_XSD does not name the schema of Jenkins' xunit plugin")
    document = etree.fromstring(render("junit", report(CONFLICT, HINT)).encode())
    for case in document.iter("testcase"):
        for name in ("file", "line"):
            case.attrib.pop(name, None)
    etree.XMLSchema(etree.parse(place)).assertValid(document)


def test_failures_fail_and_nothing_else() -> None:
    """An error is a failure with code, rules and campaign; an info is a passing case with output; clean files pass."""
    document = etree.fromstring(render("junit", report(CONFLICT, HINT)).encode())
    suites = {s.get("name"): s for s in document}
    assert {n: (s.get("tests"), s.get("failures")) for n, s in suites.items()} == {
        "a.rules.yaml": ("1", "1"),
        "b.rules.yaml": ("1", "0"),
        "c.rules.yaml": ("1", "0"),
    }
    (case,) = suites["a.rules.yaml"]
    assert dict(case.attrib) == {
        "name": "conflicting-rules (gold, silver)",
        "classname": "dialproof.c.DP301.gold",
        "file": "a.rules.yaml",
        "line": "3",
    }
    (failure,) = case
    assert (failure.get("type"), failure.get("message")) == ("DP301", "gold and silver contradict each other")
    assert failure.text is not None
    assert failure.text.startswith("a.rules.yaml:3:11: DP301 error gold and silver contradict each other\n")
    assert "campaign: c\nrules: gold, silver\n" in failure.text
    assert suites["b.rules.yaml"][0][0].tag == "system-out"
    assert suites["c.rules.yaml"][0].get("name") == "no findings"


def test_a_case_keeps_its_name_when_it_moves() -> None:
    """Names hold no line, so that a case keeps its history; equal ones are numbered."""
    moved = replace(CONFLICT, span=replace(CONFLICT.span, line=9, end_line=9))
    names = [
        [case.get("name") for case in etree.fromstring(render("junit", report(*found)).encode()).iter("testcase")]
        for found in ([CONFLICT], [moved], [CONFLICT, moved])
    ]
    assert names[0] == names[1]
    assert names[2][:2] == ["conflicting-rules (gold, silver)", "conflicting-rules (gold, silver) (2)"]
