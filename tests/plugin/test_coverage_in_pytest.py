"""Coverage under pytest: the table, the level that a run asks for, and what stands in the report and the evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

TITLES = "coverage                  matched  missed  conditions  MC/DC  actions     all"
ROW = "rules/premium.rules.yaml      2/2     2/2         4/4    2/2      1/2  91.6 %"
"""The second case of the project says which rule matches, and not which list that means."""


def test_the_summary_has_a_line_for_each_rules_file(project: Path, run: Run) -> None:
    """What cases cover crosses processes."""
    result = run("rules", "-n2")
    assert result.ret == 0
    result.stdout.fnmatch_lines([TITLES, ROW, "evaluations: 2, *"])


@pytest.mark.parametrize(("least", "code"), [("91.6", 0), ("91.7", 1)])
def test_a_run_below_the_level_fails_and_closes_the_gate(least: str, code: int, project: Path, run: Run) -> None:
    """All tests pass; the run fails below the level, and says which file is how far."""
    result = run("rules", f"--dialproof-cov-fail-under={least}")
    result.assert_outcomes(passed=10)
    assert result.ret == code
    if code:
        sentence = "  - rules/premium.rules.yaml is covered to 91.6 %, and --dialproof-cov-fail-under asks for 91.7 %"
        result.stdout.fnmatch_lines(["GATE CLOSED", sentence])
    else:
        result.stdout.fnmatch_lines(["GATE OPEN: *"])


def test_cases_that_are_left_out_cover_nothing(project: Path, run: Run) -> None:
    """The table is of the cases that ran."""
    result = run("rules", "-k", "gold", "--dialproof-cov-fail-under=50")
    result.stdout.fnmatch_lines(
        [
            "rules/premium.rules.yaml      1/2     1/2         2/4    0/2      1/2  41.6 %",
            "campaign cmp_123: matched by no case that ran: new_lead",
        ]
    )


def test_a_campaign_without_a_case_is_below_every_level(project: Path, run: Run) -> None:
    """Nothing was measured, which is not a hundred percent."""
    (project / "premium.contacts.yaml").unlink()
    result = run("rules", "--dialproof-cov-fail-under=1")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  - campaign cmp_123 is covered to 0 %, and --dialproof-cov-fail-under asks for 1 %"])


def test_report_and_evidence_hold_the_figures(project: Path, run: Run) -> None:
    """By file and column, as met and of how many."""
    run("rules", "--dialproof-gate-report=gate.json")
    report = json.loads((project.parent / "gate.json").read_text(encoding="utf-8"))
    (file,) = report["projects"][0]["coverage"][0]["files"]
    assert file == {
        "path": "rules/premium.rules.yaml",
        "matched": {"met": 2, "of": 2},
        "missed": {"met": 2, "of": 2},
        "conditions": {"met": 4, "of": 4},
        "mcdc": {"met": 2, "of": 2},
        "actions": {"met": 1, "of": 2},
        "percent": 91.6,
    }
    statement = json.loads((project.parent / ".dialproof/evidence.json").read_text(encoding="utf-8"))
    assert statement["predicate"]["dialproof"]["coverage"]["campaigns"]["cmp_123"] == {
        "neverMatched": [], "neverMissed": [], "files": [file],
    }  # fmt: skip


def test_what_no_contact_can_show_is_no_gap(project: Path, run: Run) -> None:
    """Of two conditions on one column the wider one never decides: two of the three pairs are all there are."""
    edit(
        project / "premium.rules.yaml",
        "      - {attribute: customFields.leadAge, operator: lessThan",
        "      - {attribute: customFields.leadAge, operator: lessThan, value: 99, type: number}\n"
        "      - {attribute: customFields.leadAge, operator: lessThan",
    )
    edit(project / "premium.contacts.yaml", "leadAge: 200", "leadAge: 50")
    result = run("rules")
    result.stdout.fnmatch_lines(["rules/premium.rules.yaml      2/2     2/2         5/6    2/2      1/2  85.7 %"])


def test_a_wrong_level_is_a_wrong_command_line(project: Path, run: Run) -> None:
    """A percentage is a percentage."""
    result = run("rules", "--dialproof-cov-fail-under=101")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--dialproof-cov-fail-under takes a percentage from 0 to 100, found 101*"])
