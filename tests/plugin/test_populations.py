"""A population under pytest: one item for a whole list, its failure text, and what it means for the gate."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from tests.plugin.conftest import CONTACTS, ITEMS, edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

HEADER = "customFields.lifetimeValue,customFields.leadAge,phone"
ROWS = ["9000,200,+15550001", "100,2,+15550002", "6000,1,+15550003", "50,400,+15550004"]
POPULATION = """\
population:
  - name: the March list
    tags: [slow]
    contacts: lists/*.csv
    expect:
      contacts: 4
      matched: {high_value: 2, new_lead: {max: 50 %}}
      dial: 100 %
      lists: {premium: {min: 1, max: 2}}
      each:
        - {always: '"premium" in outcome.lists', where: contact.customFields.lifetimeValue > 5000.0}
"""
PASSED = "rules/premium.contacts.yaml::population: the March list"


@pytest.fixture
def population(project: Path) -> Path:
    """Return the folder of a project whose contacts file has a population, too."""
    (project / "lists").mkdir()
    (project / "lists" / "march.csv").write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    (project / "premium.contacts.yaml").write_text(CONTACTS + POPULATION, encoding="utf-8")
    return project


def _statement(project: Path) -> Any:
    return json.loads((project.parent / ".dialproof/evidence.json").read_text(encoding="utf-8"))


def test_a_population_is_one_item_of_the_gate(population: Path, run: Run, workers: str) -> None:
    """It passes beside the cases, counts as no evaluation, and its contacts are a subject of the evidence."""
    result = run("rules", workers, "-rA", "--junit-xml=junit.xml")
    result.assert_outcomes(passed=ITEMS + 1)
    result.stdout.fnmatch_lines(
        [
            "4 contacts of 1 file, dialed 4 (100.0 %)",
            "4 contacts checked by cel-python",
            'always "premium" in outcome.lists where contact.customFields.lifetimeValue > 5000.0: shown of 2 contacts',
            "evaluations: 2, latency p50 *",
            f"GATE OPEN: {ITEMS + 1} of {ITEMS + 1} items passed for cmp_123; evidence in .dialproof/evidence.json",
        ]
    )
    statement = _statement(population)
    assert "rules/lists/march.csv" in [subject["name"] for subject in statement["subject"]]
    assert PASSED in statement["predicate"]["passedTests"]
    [case] = (
        ET.parse(population.parent / "junit.xml").getroot().iterfind(".//testcase[@name='population: the March list']")
    )
    properties = {one.get("name"): one.get("value") for one in case.iterfind("properties/property")}
    assert properties["campaign"] == "cmp_123"
    assert (properties["file"], properties["line"]) == ("rules/premium.contacts.yaml", "15")


def test_a_failure_shows_expected_against_got(population: Path, run: Run) -> None:
    """Counts stand in a diff, contacts with their rows and without personal values; the gate says which item failed."""
    edit(population / "premium.contacts.yaml", "high_value: 2", "high_value: 3")
    edit(population / "premium.contacts.yaml", "dial: 100 %\n", "dial: {max: 90 %}\n")
    edit(
        population / "premium.contacts.yaml",
        "lifetimeValue > 5000.0",
        'lifetimeValue < 5000.0 && text.phone != "+15550009"',
    )
    result = run("rules")
    result.assert_outcomes(passed=ITEMS, failed=1)
    result.stdout.fnmatch_lines(
        [
            "Population 'the March list' of campaign cmp_123 is not as expected.",
            "  4 contacts of 1 file, dialed 4 (100.0 %)",
            "  now 2026-03-07T10:00:00-07:00",
            "- matched.high_value: 3",
            "+ matched.high_value: 2 (50.0 %)",
            "- dial: at most 90 %",
            "+ dial: 4 (100.0 %)",
            '- always "premium" in outcome.lists',
            "- where contact.customFields.lifetimeValue < 5000.0 && text.phone != •••",
            "+ violated by 2 of 2 contacts",
            '    rules/lists/march.csv, row 2: customFields.lifetimeValue="100", phone=•••, customFields.leadAge="2"',
            "      matched new_lead; dial; list warm_desk = true",
            '    rules/lists/march.csv, row 4: customFields.lifetimeValue="50", phone=•••',
            "      no rule matched; dial",
            "rules/premium.contacts.yaml:20: expected 3 matched by high_value, got 2 (50.0 %) (and 2 more)",
            "GATE CLOSED",
            f"  - 1 item failed: {PASSED}",
        ]
    )
    result.stdout.no_fnmatch_line("*1555*")


def test_personal_values_of_a_statement_are_masked(population: Path, run: Run) -> None:
    """A literal beside what is personal is none that anybody sees, before the run or after it."""
    edit(
        population / "premium.contacts.yaml",
        "contact.customFields.lifetimeValue > 5000.0",
        "'outcome.contact.phone == \"+15550001\"'",
    )
    edit(population / "premium.contacts.yaml", "'\"premium\" in outcome.lists'", "'!outcome.dial'")
    result = run("rules", "-k", "slow")
    result.assert_outcomes(failed=1, deselected=ITEMS)
    result.stdout.fnmatch_lines(
        [
            "- always !outcome.dial",
            "- where outcome.contact.phone == •••",
            "+ violated by 1 of 1 contact (contact by contact: outcome.contact.phone)",
            "    rules/lists/march.csv, row 1: phone=•••, customFields.lifetimeValue=*",
        ]
    )
    result.stdout.no_fnmatch_line("*1555*")


def test_contacts_that_are_not_there(population: Path, run: Run) -> None:
    """They fail the item at its place, and no case."""
    edit(population / "premium.contacts.yaml", "lists/*.csv", "lists/*.parquet")
    result = run("rules", "-k", "slow")
    result.assert_outcomes(failed=1, deselected=ITEMS)
    result.stdout.fnmatch_lines(["rules/premium.contacts.yaml:15: there is no file lists/[*].parquet"])


def test_statements_without_a_meaning(population: Path, run: Run) -> None:
    """They are errors of the file, with line and column, beside all others."""
    edit(population / "premium.contacts.yaml", "lifetimeValue > 5000.0", "lifetimeValu > 5000.0")
    edit(population / "premium.contacts.yaml", "high_value: 2", "high_valu: 2")
    result = run("rules")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "rules/premium.contacts.yaml:20:17: DP102 *there is no rule 'high_valu'; did you mean high_value?",
            "rules/premium.contacts.yaml:24:57: DP103 column 'customFields.lifetimeValu' is not in *",
        ]
    )


def test_bad_rows_fail_the_item(population: Path, run: Run) -> None:
    """They are named, and not quoted; the text says how to leave them out."""
    with (population / "lists" / "march.csv").open("a", encoding="utf-8") as file:
        file.write("+15550009\n")
    result = run("rules", "-k", "slow")
    result.assert_outcomes(failed=1, deselected=ITEMS)
    result.stdout.fnmatch_lines(
        [
            "to leave such rows out: onBadRow: skip, or report",
            "rules/premium.contacts.yaml:15: rules/lists/march.csv:6:1: row 5: expected 3 cells *, found 1",
        ]
    )


def test_the_extra_is_asked_for(population: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its packages a population fails and says what to install; the rest of the run goes on."""
    monkeypatch.setitem(sys.modules, "polars", None)
    result = run("rules")
    result.assert_outcomes(passed=ITEMS, failed=1)
    result.stdout.fnmatch_lines(
        ["rules/premium.contacts.yaml:15: whole contact lists need polars: pip install 'dialproof[bulk]'"]
    )


def test_contacts_that_change_close_the_gate(population: Path, run: Run) -> None:
    """A list that is another one when the tests are done was not tested; nor was one that came in between."""
    hook = """
        from pathlib import Path

        def pytest_runtest_teardown(item, nextitem):
            if nextitem is None:
                Path("rules/lists/march.csv").write_text("{header}\\n1,1,\\n")
                Path("rules/lists/april.csv").write_text("{header}\\n1,1,\\n")
    """
    (population.parent / "conftest.py").write_text(
        "\n".join(line[8:] for line in hook.format(header=HEADER).splitlines()), encoding="utf-8"
    )
    result = run("rules")
    result.assert_outcomes(passed=ITEMS + 1)
    result.stdout.fnmatch_lines(
        [
            "GATE CLOSED",
            "  - rules/lists/april.csv appeared after collection",
            "  - rules/lists/march.csv was changed after collection",
        ]
    )


def test_a_statement_about_nobody_is_a_warning(population: Path, run: Run) -> None:
    """It passes, and says that nothing was shown."""
    edit(population / "premium.contacts.yaml", "lifetimeValue > 5000.0", "lifetimeValue > 50000.0")
    result = run("rules", "-k", "slow", "-Wdefault")
    result.assert_outcomes(passed=1, deselected=ITEMS, warnings=1)
    result.stdout.fnmatch_lines(["*: DialproofWarning: no contact is one `where` this is about, so nothing was shown"])


def test_a_population_is_no_case(population: Path, run: Run) -> None:
    """A campaign that has nothing else has no case, however many contacts a population runs."""
    text = "rules: premium.rules.yaml\n" + POPULATION
    (population / "premium.contacts.yaml").write_text(text, encoding="utf-8")
    result = run("rules")
    result.assert_outcomes(passed=ITEMS - 1)
    result.stdout.fnmatch_lines(["GATE CLOSED", "  - campaign cmp_123 has no case, so nothing shows what its rules do"])
