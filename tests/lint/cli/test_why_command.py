"""``dialproof why``: which contact is meant, what is told of it, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.cli import main
from tests.lint.cli.test_diff_command import LIST, RULES

if TYPE_CHECKING:
    from pathlib import Path

CASES = """\
now: 2026-01-01T12:00:00Z
cases:
  - name: a tired one
    contact: {attempts: 7, state: CA}
    expect: {dial: false}
  - name: a fresh one
    contact: {attempts: 0, state: TX}
    expect: {dial: true}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project with two cases, as the current one."""
    (tmp_path / "dialproof.toml").write_text("")
    (tmp_path / "c.contactlist.yaml").write_text(LIST)
    (tmp_path / "c.rules.yaml").write_text(RULES)
    (tmp_path / "c.contacts.yaml").write_text(CASES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _text(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["why", *arguments]) == 0
    return capsys.readouterr().out


def _answers(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_text(capsys, *arguments, "-f", "json"))
    return {answer["what"]: answer for answer in document["answers"]}


def test_a_case_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The outcome, what forces it, and the nearest contact with another one."""
    assert _text(capsys, "a tired one").splitlines() == [
        "case 'a tired one', campaign c, before the call",
        "  matched tired; no dial (doNotDial: tired)",
        "",
        "dial: no, doNotDial: tired",
        "  because attempts = 7, whatever else it holds",
        "  otherwise with attempts = 3 instead of 7",
        "    no rule matched; dial",
    ]


def test_what_is_done_is_explained_unless_something_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Lists and columns that are written, rules by their names, alone or with what they are."""
    found = _answers(capsys, "a fresh one")
    assert [*found] == ["dial", "setList texas", "setAttribute state"]
    assert found["setList texas"]["cause"]["columns"] == {"state": "TX"}
    assert found["setAttribute state"]["value"] == '"Texas"'
    assert [*_answers(capsys, "a fresh one", "--of", "texas", "--of", "rule tired")] == ["setList texas", "rule tired"]
    assert main(["why", "a fresh one", "--of", "texs"]) == 2
    assert "the rules do nothing that is called 'texs'; did you mean 'texas'?" in capsys.readouterr().err


def test_rows_files_and_columns(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However it is named, it is the same contact."""
    (project / "people.csv").write_text("attempts,state\n1,TX\n7,CA\n")
    (project / "one.json").write_text('{"attempts": 7, "state": "CA"}')
    expected = {"answer": "found", "others": [], "smallest": True}
    for contact, value in (
        (["people.csv:2"], "7"),
        (["one.json"], 7),
        (["c.contacts.yaml:1"], 7),
        (["attempts=7", "state=CA"], "7"),
    ):
        for rules in ([], ["--rules", "c.rules.yaml"]):
            assert _answers(capsys, *contact, *rules)["dial"]["cause"] == {**expected, "columns": {"attempts": value}}


def test_the_clock_is_that_of_the_case_else_of_its_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rules that ask what time it is are run when the case is."""
    early = RULES.replace(
        'attribute: attempts, operator: greaterThan, value: "3"',
        "context: now.timeOfDay, operator: between, value: ['08:00', '08:30']",
    )
    (project / "c.rules.yaml").write_text(early)
    own = "    now: 2026-01-01T15:00:00Z\n    timeZone: America/Denver\n    expect: {dial: true}"
    (project / "c.contacts.yaml").write_text(CASES.replace("T12:", "T08:").replace("    expect: {dial: true}", own))
    for arguments, refused in (
        (["a fresh one"], True),
        (["a tired one"], True),
        (["c.contacts.yaml:1"], True),
        (["a tired one", "--now", "2026-01-01T08:31:00Z"], False),
    ):
        outcome = _text(capsys, *arguments).splitlines()[1]
        assert ("no dial (doNotDial: tired)" in outcome) is refused


def test_contacts_that_the_contact_list_excludes(capsys: pytest.CaptureFixture[str]) -> None:
    """They are explained as well: everything that such a column may hold counts then."""
    assert _text(capsys, "attempts=many", "state=CA").splitlines()[2:5] == [
        "  the contact list file excludes what it holds in attempts",
        "",
        "dial: no, undecided: tired",
    ]
    assert "because attempts = (blank), whatever else it holds" in _text(capsys, "state=CA")


def test_personal_values_are_nowhere(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither as a cause nor as a change."""
    secret = "+15550100"
    by_number = f"phone, operator: equals, value: '{secret}'"
    rules = RULES.replace('attempts, operator: greaterThan, value: "3"', by_number)
    (project / "c.rules.yaml").write_text(rules)
    for contact in (secret, "+15550111"):
        for form in ("text", "json"):
            text = _text(capsys, f"phone={contact}", "attempts=1", "state=TX", "-f", form)
            assert "+1555" not in text
            assert "phone" in text
            assert form == "json" or "otherwise with another phone" in text


def test_what_is_no_contact(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, and what there is."""
    (project / "people.csv").write_text("attempts,state\n1,TX\n7,CA\n")
    (project / "broken.json").write_text("[1]")
    (project / "one.json").write_text("{}")
    (project / "d.rules.yaml").write_text(RULES.replace("campaign: c", "campaign: d"))
    (project / "c.contacts.yaml").write_text(f"rules: c.rules.yaml\n{CASES}")
    for arguments, code, message in (
        (["a tired 1"], 2, "there is no case 'a tired 1', and no file of that name; did you mean 'a tired one'?"),
        (["a", "tired", "one"], 2, "quote the name of a case"),
        (
            ["people.csv", "--campaign", "c"],
            2,
            "people.csv: expected one contact, found 2 contacts: name one, people.csv:1 say",
        ),
        (["people.csv:3", "--campaign", "c"], 2, "people.csv: expected contact 3, found 2 contacts"),
        (["one.json:2", "--campaign", "c"], 2, "one.json: expected contact 2, found 1 contact"),
        (["broken.json", "--campaign", "c"], 3, "broken.json:1:1: "),
        (["c.rules.yaml", "--campaign", "e"], 2, "expected the campaign 'e', and there are c, d"),
        (["state=TX", "state=CA", "--campaign", "c"], 2, "column 'state' is given twice"),
        (["a=1", "a.b=2", "--campaign", "c"], 2, "'a' and 'a.b' cannot both be columns of a contact"),
        (["attempts=1"], 2, "there are the campaigns c, d: name one with --campaign"),
        (["a tired one", "--now", "noon"], 2, "--now: expected a time"),
        (["a tired one", "--rules", "nowhere"], 2, "nowhere: there is no such file or folder"),
    ):
        assert main(["why", *arguments]) == code
        assert message in capsys.readouterr().err
