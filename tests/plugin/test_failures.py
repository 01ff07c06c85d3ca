"""What failing items look like: cases, families of checks, invariants and files with errors."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from tests.plugin.conftest import ITEMS, edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Run = Callable[..., pytest.RunResult]

FAILED_CASE = """\
Case 'gold goes to the premium desk' of campaign cmp_123 is not as expected.

  customFields.lifetimeValue  9000
  customFields.leadAge        200
  phone                       •••
  now                         2026-03-07T10:00:00-07:00

rule high_value did not match (rules/premium.rules.yaml:4)
  attribute                   operator     wanted  actual  verdict
  customFields.lifetimeValue  greaterThan  "9500"  9000    false

- matched: [high_value]
+ matched: []
- lists: premium = true
+ lists: premium = false

rules/premium.contacts.yaml:7: expected rule high_value to match, but it did not (and 1 more)
"""


def _failure(result: pytest.RunResult) -> str:
    """Return the text between the header of the one failure and the summary, without the line of xdist."""
    text = result.stdout.str()
    body = re.search(r"^_{3,} .*? _{3,}\n(.*?)^={3,} ", text, re.DOTALL | re.MULTILINE)
    assert body, text
    return re.sub(r"^\[gw\d\].*\n", "", body[1])


def test_a_failed_case_shows_the_table_the_diff_and_the_place(project: Path, run: Run, workers: str) -> None:
    """The whole text, the same with and without xdist; a pii column is masked and the last line is file:line."""
    edit(project / "premium.rules.yaml", '"5000"', '"9500"')
    result = run("rules", workers)
    result.assert_outcomes(passed=ITEMS - 1, failed=1)
    assert _failure(result) == FAILED_CASE
    assert "5551234567" not in result.stdout.str()


def test_junit_carries_rule_campaign_file_and_line(project: Path, run: Run, workers: str) -> None:
    """Properties of the test case, and the sentence as the failure's message."""
    edit(project / "premium.rules.yaml", '"5000"', '"9500"')
    run("rules", workers, "--junit-xml=out.xml")
    root = ET.parse(project.parent / "out.xml").getroot()
    case = next(c for c in root.iter("testcase") if c.get("name") == "gold goes to the premium desk")
    properties = [(p.get("name"), p.get("value")) for p in case.iter("property")]
    assert properties == [
        ("campaign", "cmp_123"),
        ("file", "rules/premium.contacts.yaml"),
        ("line", "4"),
        ("rule", "high_value"),
    ]
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "expected rule high_value to match, but it did not (and 1 more)"


def test_contradicting_rules_fail_the_conflicts_item_with_a_contact(project: Path, run: Run, workers: str) -> None:
    """Two rules that send one contact to opposite values of one list: DP301 with the witness and both outcomes."""
    edit(project / "premium.rules.yaml", 'listId: warm_desk, value: "true"', 'listId: premium, value: "false"')
    result = run("rules/premium.rules.yaml", workers)
    result.stdout.fnmatch_lines(
        [
            "*_ conflicts _*",
            "1 finding of the conflicts checks.",
            "error[[]DP301[]]*",
            "*a contact that shows it:",
            "*customFields.lifetimeValue *",
            "rules/premium.rules.yaml:*: DP301 *",
            "FAILED rules/premium.rules.yaml::conflicts - DP301 *",
        ]
    )


def test_disjoint_rules_do_not_conflict(project: Path, run: Run) -> None:
    """The same contradiction between rules that no contact meets together is no finding."""
    edit(project / "premium.rules.yaml", 'listId: warm_desk, value: "true"', 'listId: premium, value: "false"')
    edit(
        project / "premium.rules.yaml",
        "      - {attribute: customFields.leadAge,",
        "      - {attribute: customFields.lifetimeValue, operator: lessThan, value: 10, type: number}\n"
        "      - {attribute: customFields.leadAge,",
    )
    run("rules/premium.rules.yaml").assert_outcomes(passed=7)


def test_a_violated_invariant_names_the_case(project: Path, run: Run, workers: str) -> None:
    """An invariant is evaluated on every case; the failure shows the contact, masked, and its outcome."""
    edit(project / "premium.rules.yaml", "always: outcome.dial", 'always: "!(\\"high_value\\" in outcome.matched)"')
    result = run("rules/premium.rules.yaml", workers)
    result.assert_outcomes(passed=6, failed=1)
    text = _failure(result)
    where = "the case 'gold goes to the premium desk' of rules/premium.contacts.yaml"
    assert text.startswith(f"The invariant does not hold for {where}.\n")
    assert text.endswith(f"rules/premium.rules.yaml:21: invariant 'everybody is dialed' does not hold for {where}\n")
    assert "5551234567" not in result.stdout.str()


def test_an_invariant_that_is_no_cel_says_where(project: Path, run: Run) -> None:
    """A statement that does not parse fails its item at its line, instead of being undecided for some contact."""
    edit(project / "premium.rules.yaml", "always: outcome.dial", "always: outcome.dial &&")
    result = run("rules/premium.rules.yaml")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["rules/premium.rules.yaml:22: *"])
    result.stdout.no_fnmatch_line("*is undecided for*")


def test_a_passed_invariant_says_that_it_is_proved(project: Path, run: Run) -> None:
    """The report section of a passed invariant names the contact list for whose contacts it is proved."""
    result = run("rules/premium.rules.yaml", "-rP")
    result.stdout.fnmatch_lines(
        ["invariant: everybody is dialed: proved for every contact of rules/customers.contactlist.yaml"]
    )


def test_file_with_errors_is_one_collection_error_without_traceback(project: Path, run: Run, workers: str) -> None:
    """All problems of the file, one a line with its place; nothing of our code."""
    edit(project / "premium.rules.yaml", "priority: 100", "priority: 0")
    edit(project / "premium.rules.yaml", "priority: 50", "priority: 1001")
    result = run("rules/premium.rules.yaml", workers)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["rules/premium.rules.yaml:6:*: DP108 *", "rules/premium.rules.yaml:14:*: DP108 *"])
    assert "Traceback" not in result.stdout.str()
    assert "dialproof/collection.py" not in result.stdout.str()


def test_mild_findings_are_warnings_and_system_out(project: Path, run_apart: Run, workers: str) -> None:
    """A finding below the failing level passes, is in the warnings summary at its own line, and in JUnit."""
    edit(
        project / "premium.rules.yaml",
        'greaterThan, value: "5000", type: number',
        'greaterThan, value: "5000", type: string',
    )
    result = run_apart("rules/premium.rules.yaml", workers, "--junit-xml=out.xml", "-o", "junit_logging=system-out")
    result.assert_outcomes(passed=7, warnings=1)
    result.stdout.fnmatch_lines(["*rules/premium.rules.yaml:9: DialproofWarning: DP104 *"])
    assert "DP104" in (project.parent / "out.xml").read_text(encoding="utf-8")


def test_fail_on_lowers_the_level(project: Path, run: Run) -> None:
    """--dialproof-fail-on=warning makes a warning fail its item."""
    edit(
        project / "premium.rules.yaml",
        'greaterThan, value: "5000", type: number',
        'greaterThan, value: "5000", type: string',
    )
    result = run("rules/premium.rules.yaml", "--dialproof-fail-on=warning")
    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["FAILED rules/premium.rules.yaml::conditions - DP104 *"])


def test_case_that_names_an_unknown_rule_fails(project: Path, run: Run) -> None:
    """A misspelt rule in not_matched would hold for ever: it fails, with what was probably meant."""
    edit(project / "premium.contacts.yaml", "matched: [new_lead]", "not_matched: [high_valeu]")
    result = run("rules")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*premium.contacts.yaml:13:*high_valeu*high_value*"])


def test_undecided_rule_fails_unless_expected(project: Path, run: Run) -> None:
    """A contact without the column leaves the rule undecided: the case fails until it says so."""
    edit(project / "premium.contacts.yaml", "{lifetimeValue: 100, leadAge: 2}", "{leadAge: 2}")
    result = run("rules/premium.contacts.yaml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "rule high_value could not be decided *",
            "*(absent)  undecided",
            "rules/premium.contacts.yaml:*: rule high_value could not be decided *",
        ]
    )
    edit(project / "premium.contacts.yaml", "matched: [new_lead]", "undecided: [high_value]")
    run("rules/premium.contacts.yaml").assert_outcomes(passed=2)


def test_places_in_details_are_written_as_all_others(project: Path, run: Run) -> None:
    """A finding that points at a second place names it from where pytest was started, as it does the first."""
    edit(project / "premium.rules.yaml", 'listId: warm_desk, value: "true"', 'listId: premium, value: "false"')
    (project.parent / "dialproof.toml").rename(project / "dialproof.toml")
    result = run("rules/premium.rules.yaml")
    result.stdout.fnmatch_lines(["*earlier rule *: rules/premium.rules.yaml:*"])


def test_a_check_of_a_plugin_that_breaks_is_no_traceback(
    project: Path, run_apart: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checks that cannot be loaded are a collection error that names the plugin, and close the gate."""
    pytester.makepyfile(
        house_checks="""
        from dialproof.hookspecs import hookimpl

        @hookimpl
        def dialproof_checks():
            raise ValueError("no house today")
        """
    )
    folder = pytester.mkdir("house-1.0.dist-info")
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: house\nVersion: 1.0\n", encoding="utf-8")
    (folder / "entry_points.txt").write_text("[dialproof]\nhouse = house_checks\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    result = run_apart("rules")
    assert result.ret != 0
    text = result.stdout.str() + result.stderr.str()
    assert "no house today" in text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    result.stdout.fnmatch_lines(["GATE CLOSED"])


def test_literals_of_personal_columns_are_masked(project: Path, run: Run) -> None:
    """What a rule, an invariant or an expectation says of a personal column is as personal as what the contact has."""
    edit(
        project / "premium.rules.yaml",
        "      - {attribute: customFields.leadAge, operator: lessThan,",
        '      - {attribute: phone, operator: notEquals, value: "+15550000001"}\n'
        "      - {attribute: customFields.leadAge, operator: lessThan,",
    )
    edit(
        project / "premium.rules.yaml",
        '{type: setList, listId: warm_desk, value: "true"}',
        '{type: setCallerId, callerAddress: contact.phone, callerName: "+15551234567"}',
    )
    edit(project / "premium.rules.yaml", "always: outcome.dial", "always: contact.phone == '+15550000002'")
    edit(
        project / "premium.contacts.yaml",
        "      matched: [new_lead]",
        '      matched: []\n      actions: [{type: setCallerId, callerAddress: "+15550000003"}]',
    )
    edit(project / "premium.contacts.yaml", "leadAge: 2}}", 'leadAge: 2}, phone: "+15551234567"}')
    result = run("rules", "--junit-xml=out.xml", "--tb=long")
    result.assert_outcomes(passed=ITEMS - 2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "  phone * notEquals * ••• * ••• *",
            "- actions: setCallerId callerAddress=•••",
            "+ actions: setCallerId callerAddress=contact.phone callerName=•••  by new_lead",
            "  contact.phone == •••",
        ]
    )
    shown = result.stdout.str() + (project.parent / "out.xml").read_text(encoding="utf-8")
    numbers = ("5550000001", "5550000002", "5550000003", "5551234567")
    assert not [number for number in numbers if number in shown]


def test_a_clock_that_nobody_set_is_not_shown(project: Path, run: Run) -> None:
    """The text of a failure is the same in the next run: it holds the time only where the file sets it."""
    edit(project / "premium.rules.yaml", "always: outcome.dial", 'always: "!outcome.dial"')
    assert "  now  " in _failure(run("rules/premium.rules.yaml"))
    edit(project / "premium.contacts.yaml", "now: 2026-03-07T10:00:00-07:00\n", "")
    assert "  now  " not in _failure(run("rules/premium.rules.yaml"))
