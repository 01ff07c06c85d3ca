"""Every case of fixtures/checks, and what must hold of every check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialproof.checks.passive import reported_by_a_command
from dialproof.checks.registry import BUILT_IN, built_in_checks, family_of
from dialproof.docs import pages
from dialproof.testing import CheckCase, load_cases

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "fixtures" / "checks").glob("*.yaml"))
CASES = [pytest.param(case, id=f"{file.stem}: {case.name}") for file in FILES for case in load_cases(file)]
FAMILIES = {
    "schema": "DP101 DP102 DP107 DP108 DP804 DP901 DP902 DP903 DP904",
    "conditions": "DP103 DP104 DP105 DP106 DP201 DP202 DP203 DP205",
    "actions": "DP204 DP508 DP702",
    "conflicts": "DP301 DP302 DP303 DP304 DP305 DP306 DP307 DP308",
    "ordering": "DP501 DP502 DP503 DP504 DP505 DP506 DP507 DP509 DP510",
    "coverage": "DP401 DP402 DP403 DP601 DP602 DP603 DP604 DP605 DP606",
    "target": "DP701 DP703 DP704 DP705 DP706",
    "changes": "DP801 DP802 DP803",
}

HEADINGS = ("What it does", "Why it matters", "Example", "Instead", "Options")
"""The headings of every page, in this order."""


@pytest.mark.parametrize("case", CASES)
def test_case(case: CheckCase, tmp_path: Path) -> None:
    """The check finds exactly what the case says, at exactly these spans."""
    case.check(tmp_path)


def test_every_check_has_cases_that_fail_and_cases_that_pass() -> None:
    """No check without a case that shows the offence and one that shows its absence."""
    by_code: dict[str, list[CheckCase]] = {}
    for case in (case for file in FILES for case in load_cases(file)):
        for code in case.codes:
            by_code.setdefault(code, []).append(case)
    for check in (c for c in built_in_checks() if c.run is not reported_by_a_command):
        cases = by_code.get(check.code, [])
        assert any(e.code == check.code for case in cases for e in case.findings), check.name
        assert any(all(e.code != check.code for e in case.findings) for case in cases), check.name


def test_every_check_is_named_after_its_module() -> None:
    """The module, the name and the code's place in the catalogue agree."""
    assert [check.name.replace("-", "_") for check in built_in_checks()] == list(BUILT_IN)
    assert len({check.code for check in built_in_checks()}) == len(BUILT_IN)


def test_families_are_those_of_the_pytest_items() -> None:
    """Each code belongs to the family whose item fails on it."""
    for family, codes in FAMILIES.items():
        assert {code: family_of(code) for code in codes.split()} == dict.fromkeys(codes.split(), family)


@pytest.mark.parametrize("check", built_in_checks(), ids=lambda check: check.name)
def test_page_has_the_headings_in_order(check: object) -> None:
    """A docstring is a page: one-line summary, then the fixed headings."""
    doc = str(getattr(check, "doc", ""))
    assert tuple(re.findall(r"^## (.+)$", doc, re.MULTILINE)) == HEADINGS
    summary = doc.strip().splitlines()[0]
    assert summary.endswith(".")
    assert doc.strip().splitlines()[1] == ""


def test_pages_are_fresh() -> None:
    """docs/checks is what the docstrings say: ``python -m dialproof.docs docs/checks`` writes it."""
    folder = ROOT / "docs" / "checks"
    written = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    assert written == dict(pages(built_in_checks()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cases: [{name: a, files: {}}]", "cases.yaml: case 'a': missing keys findings"),
        ("cases: [{name: a, files: {}, findings: [], typo: 1}]", "cases.yaml: case 'a': unknown keys typo"),
        ("cases: [{name: a, files: {}, findings: [{code: DP101}]}]", "cases.yaml: case 'a': finding: missing keys at"),
        ("cases: [a]", "cases.yaml: expected a mapping, found str"),
        ("[]", "cases.yaml: expected a mapping, found list"),
    ],
)
def test_a_wrong_case_file_is_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    """The public loader says which case and which key is wrong."""
    path = tmp_path / "cases.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        load_cases(path)


def test_a_failing_case_shows_expected_and_found(tmp_path: Path) -> None:
    """The assertion error lists both sides with places and summaries."""
    path = tmp_path / "cases.yaml"
    path.write_text(
        "cases: [{name: gone, files: {a.rules.yaml: ''}, findings: [{code: DP101, at: 'a.rules.yaml:9:9-9:9'}]}]"
    )
    (case,) = load_cases(path)
    with pytest.raises(AssertionError) as raised:
        case.check(tmp_path / "project")
    assert str(raised.value).splitlines()[:5] == [
        "gone:",
        "expected",
        "    DP101 a.rules.yaml:9:9-9:9",
        "found",
        "    DP101 a.rules.yaml:1:1-1:2",
    ]
