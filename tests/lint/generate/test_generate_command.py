"""``dialproof generate contacts``: what a user types, and the file that comes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from dialproof.cli import main
from dialproof.compare import differences
from dialproof.config import load_config
from dialproof.coverage.observe import Observer, cases_of
from dialproof.evaluate import Evaluator
from dialproof.lint import lint
from dialproof.project import load_project

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.project import Project

COLUMNS = """\
columns:
  attempts: {type: integer, min: 0, max: 20, required: true}
  custom.value: {type: number, min: 0, max: 1000, decimals: 2}
  state: {type: string, enum: [TX, CA, NY]}
  zip: {type: string}
  phone: {type: string, phone: true}
  email: {type: string, pii: true}
  tier: {type: string}
"""
RULES = """\
campaign: c
contactList: c.contactlist.yaml
rules:
  - name: many
    version: 1
    priority: 9
    executionOrder: 1
    conditions:
      - {attribute: attempts, operator: greaterThanOrEqual, value: 6}
      - any:
          - {attribute: state, operator: equals, value: TX}
          - {attribute: custom.value, operator: lessThan, value: 99.5}
    actions: [{type: doNotDial}]
  - name: gold
    version: 1
    priority: 5
    executionOrder: 2
    when: contact.attempts > 3.0 && !(contact.attempts > 9.0) && contact.email != ""
    actions:
      - {type: setAttribute, attribute: tier, value: gold}
      - {type: setSkills, skills: [spanish]}
  - name: reached
    version: 1
    priority: 5
    executionOrder: 3
    category: wrapUp
    conditions:
      - {context: call.wrapUpCode, operator: equals, value: reached}
      - {attribute: tier, operator: equals, value: gold}
    actions: [{type: setList, listId: golden}]
"""
CASES = """\
rules: r.rules.yaml
cases:
  - name: by hand
    contact: {attempts: 7, state: TX, zip: "80202", phone: "+13035550100", email: ann@example.com}
    expect: {matched: [many, gold]}
"""

Command = "Callable[..., int]"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project, which is the current folder."""
    files = {
        "dialproof.toml": "[checks.DP606]\ncontactLists = false\n",
        "c.contactlist.yaml": COLUMNS,
        "r.rules.yaml": RULES,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(folder: Path) -> Project:
    """Return the project as it is now."""
    return load_project(load_config(folder))


def test_the_file_lints_clean_and_every_case_holds_under_cel_python(folder: Path) -> None:
    """Both verdicts of each rule and all pairs of MC/DC are in it; conditions are decided by the reference."""
    assert main(["generate", "contacts", "r.rules.yaml", "--expect", "--out", "new.contacts.yaml"]) == 0
    project = loaded(folder)
    assert not project.problems
    assert not [f for f in lint(project).findings if f.path == "new.contacts.yaml" or f.code.startswith("DP6")]
    (campaign,) = project.campaigns
    reference = Evaluator(campaign, project.config.semantics, reference=True)
    observer = Observer(Evaluator(campaign, project.config.semantics))
    met, undecided = 0, 0
    for case, file in cases_of(project, campaign):
        outcome = reference.run(case.contact, **file.run_options(case))
        assert differences(case.expect, outcome, campaign) == []
        assert "review" in case.tags
        undecided += bool(outcome.undecided)
        met |= observer.met_by(case, file)
    (shares,) = observer.goals.coverage(met).files
    assert shares.shown_percent == "100"
    assert undecided  # contacts with blanks, and with what cannot be read


def test_the_pairs_of_a_decision_are_a_table_by_hand(folder: Path) -> None:
    """Of attempts >= 6 && (TX || value < 99.5): what each generated contact shows, recounted from its three columns."""
    assert main(["generate", "contacts", ".", "--kinds", "mcdc", "--expect", "--out", "new.contacts.yaml"]) == 0
    shown: set[str] = set()
    for case, _ in cases_of(project := loaded(folder), project.campaigns[0]):
        if case.category == "preCall" and "custom.value" in case.contact:
            a = int(str(case.contact["attempts"])) >= 6
            b, c = case.contact.get("state") == "TX", float(str(case.contact["custom.value"])) < 99.5
            shown |= {f"a {a}"} if b or c else set()
            shown |= {f"b {b}"} if a and not c else set()
            shown |= {f"c {c}"} if a and not b else set()
    assert shown == {f"{letter} {value}" for letter in "abc" for value in (True, False)}


def test_a_skeleton_is_an_error_until_it_expects_something(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --expect each case is reported at its place; filled in, the file is clean."""
    assert main(["generate", "contacts", "r.rules.yaml", "--kinds", "rules", "--out", "new.contacts.yaml"]) == 0
    text = (folder / "new.contacts.yaml").read_text(encoding="utf-8")
    assert text.count("    expect: {}\n") == text.count("  - name: ") > 0
    assert main(["lint", "new.contacts.yaml"]) == 1
    assert capsys.readouterr().out.count("expect asserts nothing") == text.count("expect: {}")
    filled = re.sub(r"expect: \{\}", "expect: {matched: []}", text)
    (folder / "new.contacts.yaml").write_text(filled, encoding="utf-8")
    assert not loaded(folder).problems


def test_each_case_says_why_it_is_there(folder: Path) -> None:
    """Every kind is named, each reason once but for pairs, and what no contact can show is said to be proved."""
    assert main(["generate", "contacts", "r.rules.yaml", "--expect", "--out", "new.contacts.yaml"]) == 0
    document = yaml.safe_load((folder / "new.contacts.yaml").read_text(encoding="utf-8"))
    reasons = [reason for case in document["cases"] for reason in case["x-why"]]
    once = [reason for reason in reasons if "pairwise" not in reason]
    assert len(once) == len(set(once))
    for wanted in (
        "many matches",
        "many is missed",
        'many: state equals "TX" decides as true',
        "gold: contact.attempts > 9.0 decides as false",
        "attempts 5, on a boundary of attempts greaterThanOrEqual 6",
        "custom.value 99.51, on a boundary of custom.value lessThan 99.5",
        "custom.value absent",
        "custom.value blank",
        "attempts not readable",
    ):
        assert wanted in once
    assert any(re.fullmatch(r"pairwise: \d+ pairs of values", reason) for reason in reasons)


def test_what_is_impossible_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A condition that another one implies never decides."""
    rules = RULES.replace("value: 6}", "value: 6}\n      - {attribute: attempts, operator: greaterThan, value: 1}")
    (folder / "r.rules.yaml").write_text(rules, encoding="utf-8")
    assert main(["generate", "contacts", "r.rules.yaml", "--kinds", "mcdc"]) == 0
    printed = capsys.readouterr()
    line = "impossible, proved: many: attempts greaterThan 1 decides as false"
    assert line in printed.err.splitlines()
    assert f"# {line}" in printed.out.splitlines()


def test_the_same_rules_give_the_same_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Byte for byte."""
    texts = []
    for _ in range(2):
        assert main(["generate", "contacts", str(folder), "--expect"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != ""


def test_values_of_people_are_not_taken_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cases hold in other columns is preferred to made-up values; a number or an address never is."""
    (folder / "a.contacts.yaml").write_text(CASES, encoding="utf-8")
    (folder / "r.rules.yaml").write_text(
        RULES.replace("- any:", "- {attribute: zip, operator: exists}\n      - any:").replace(
            'contact.email != ""', 'contact.email != "" && contact.phone != "x"'
        ),
        encoding="utf-8",
    )
    assert main(["generate", "contacts", "r.rules.yaml", "--expect"]) == 0
    printed = capsys.readouterr()
    assert "80202" in printed.out
    for personal in ("3035550100", "ann@example.com"):
        assert personal not in printed.out + printed.err


def test_missing_leaves_out_what_cases_show(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second file beside a first one: nothing is left to generate."""
    assert main(["generate", "contacts", ".", "--kinds", "rules,mcdc", "--expect", "--out", "new.contacts.yaml"]) == 0
    capsys.readouterr()
    assert main(["generate", "contacts", ".", "--kinds", "rules,mcdc", "--missing"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "there are cases for all of it already: nothing is written\n"


def test_the_clock_is_tried_where_its_zone_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rule on the time of day is run in the last second before and the first after; the file names the zone."""
    quiet = RULES.replace(
        "      - any:", '      - {context: now.timeOfDay, operator: greaterThanOrEqual, value: "01:30"}\n      - any:'
    )
    (folder / "r.rules.yaml").write_text(quiet, encoding="utf-8")
    arguments = ["generate", "contacts", ".", "--time-zone", "America/Denver", "--expect"]
    assert main([*arguments, "--out", "new.contacts.yaml"]) == 0
    text = (folder / "new.contacts.yaml").read_text(encoding="utf-8")
    assert "timeZone: America/Denver\n" in text
    assert "many at 2026-03-08T03:00:00-06:00, where America/Denver changes its offset" in text
    assert "the call's timeOfDay 01:29, on a boundary" in text
    project = loaded(folder)
    (campaign,) = project.campaigns
    reference = Evaluator(campaign, project.config.semantics, reference=True)
    for case, file in cases_of(project, campaign):
        assert not differences(case.expect, reference.run(case.contact, **file.run_options(case)), campaign)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["r.rules.yaml", "--kinds", "rules,pairs"], 2, "there is no kind 'pairs'; there are rules, mcdc, boundary"),
        (["r.rules.yaml", "--out", "new.yaml"], 2, "new.yaml: expected the name of a contacts file"),
        (["r.rules.yaml", "--out", "new.contacts.csv"], 2, "contacts are written as YAML"),
        (["r.rules.yaml", "--out", "r.contacts.yaml"], 2, "this file exists already; --force writes over it"),
        (["r.rules.yaml", "--time-zone", "Mars"], 2, "--time-zone: unknown time zone 'Mars'"),
        (["r.rules.yaml", "--campaign", "d"], 2, "expected the campaign 'd', and there are c"),
        (["q.rules.yaml"], 2, "q.rules.yaml: there is no such file or folder"),
        (["bad.rules.yaml"], 3, "bad.rules.yaml:2:10: DP107"),
    ],
)
def test_a_wrong_command_writes_nothing(
    arguments: list[str], code: int, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence and the exit code; files are as they were."""
    (folder / "r.contacts.yaml").write_text(CASES, encoding="utf-8")
    (folder / "bad.rules.yaml").write_text("campaign: bad\nrules: [{name: x}]\n", encoding="utf-8")
    before = sorted((path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file())
    assert main(["generate", "contacts", *arguments]) == code
    assert message in capsys.readouterr().err
    assert sorted((path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file()) == before


def test_what_yaml_cannot_hold_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column whose name is too long for a key; nothing is written."""
    for name, text in (("c.contactlist.yaml", COLUMNS), ("r.rules.yaml", RULES)):
        (folder / name).write_text(text.replace("attempts", "a" * 101), encoding="utf-8")
    assert main(["generate", "contacts", ".", "--out", "new.contacts.yaml"]) == 3
    assert capsys.readouterr().err == (
        "dialproof: error: c: the contacts cannot be written, because YAML cannot hold a name of more than a hundred "
        "characters\n"
    )
    assert not (folder / "new.contacts.yaml").exists()


def test_force_writes_over_a_file_without_reading_it(folder: Path) -> None:
    """What was generated before counts for nothing, even if somebody has broken it."""
    (folder / "new.contacts.yaml").write_text("cases: [", encoding="utf-8")
    assert main(["generate", "contacts", ".", "--expect", "--out", "new.contacts.yaml", "--force"]) == 0
    assert not loaded(folder).problems
