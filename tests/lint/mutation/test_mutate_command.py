"""``dialproof mutate``: what it prints, writes and exits with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.lint import lint
from dialproof.project import load_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RULES = """\
campaign: spring
contactList: a.contactlist.yaml
rules:
  - name: attempt limit
    version: 1
    priority: 1
    executionOrder: 1
    conditions:
      - {attribute: attempts, operator: greaterThanOrEqual, value: 6}
    actions: [{type: doNotDial}]
  - name: our own
    version: 1
    priority: 1
    executionOrder: 2
    conditions:
      - {attribute: phone, operator: equals, value: "+15551234567"}
    actions: [{type: setList, listId: own}]
"""
COLUMNS = """\
columns:
  attempts: {type: integer, min: 0, max: 20, required: true}
  phone: {type: string, pii: true, required: true}
"""
CASES = """\
# kept
rules: a.rules.yaml
defaults: {contact: {attempts: 1, phone: "+12120000000"}}
cases:
  - name: few attempts
    expect: {matched: [], dial: true}
  - name: many attempts
    contact: {attempts: 9}
    expect: {matched: [attempt limit], dial: false}  # kept too
  - name: one of ours
    contact: {phone: "+15551234567"}
    expect: {matched: [our own], dial: true}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project whose cases leave a boundary and a list untested the current folder."""
    for name, text in (("a.rules.yaml", RULES), ("a.contactlist.yaml", COLUMNS), ("a.contacts.yaml", CASES)):
        (tmp_path / name).write_text(text)
    for name in ("NO_COLOR", "FORCE_COLOR", "DIALPROOF_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def mutate(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return what runs the command: exit code, output, errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["mutate", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


Mutate = "Callable[..., tuple[int, str, str]]"


def test_survivors_are_shown_with_the_contact_that_tells_and_both_outcomes(mutate: Mutate) -> None:
    """The place, the change, what the contact has beside that of a case, and the score of each rule."""
    code, out, err = mutate()
    assert (code, err) == (0, "")
    assert (
        "warning[DP604] no case notices when attempts greaterThanOrEqual 6 becomes attempts greaterThan 6 in rule "
        '"attempt limit"\n --> a.rules.yaml:9:9\n'
    ) in out
    assert (
        '  = a contact that shows it: that of case "few attempts" (a.contacts.yaml:5), but for\n'
        "  =   attempts  6\n"
        "  =   phone     •••\n"
        "  = as written  matched attempt limit; no dial (doNotDial: attempt limit)\n"
        "  = changed     no rule matched; dial\n"
    ) in out
    assert "spring: 7 of 13 mutants noticed by 3 cases: 53.8 % (6 survive; left out: 5 change nothing, proved)" in out
    assert "555" not in out.replace("+15551234567", "", 1)  # the line of the file that no case notices


def test_written_cases_pass_and_leave_nothing_unnoticed(mutate: Mutate, project: Path) -> None:
    """They stand behind the others, which stay as they are; a second run has nothing to write."""
    code, _, err = mutate("--write", "a.contacts.yaml")
    assert (code, err) == (0, "4 cases are added to a.contacts.yaml, with the tag `review`: read them\n")
    text = (project / "a.contacts.yaml").read_text()
    assert text.startswith(CASES)
    loaded = load_project(load_config(project))
    [file] = loaded.contacts_files.values()
    assert [c.name for c in file.cases[3:]] == [
        "attempt limit with attempts 6", "attempt limit with attempts 5", "what our own does", "spring with attempts 9",
    ]  # fmt: skip
    assert {c.tags for c in file.cases[3:]} == {("review",)}
    assert file.cases[3].contact["attempts"] == 6
    assert file.cases[5].contact == {"attempts": 1, "phone": "+15551234567"}  # the rule says it, no fixture
    code, out, err = mutate("--write", "a.contacts.yaml", "--fail-under", "100")
    assert code == 0
    assert "13 of 13 mutants noticed by 7 cases: 100.0 %" in out
    assert err == "no case is missing: nothing was written to a.contacts.yaml\n"
    assert (project / "a.contacts.yaml").read_text() == text
    assert {finding.code for finding in lint(loaded).findings} == {"DP509"}


def test_a_new_file_is_written(mutate: Mutate, project: Path) -> None:
    """It names the rules file that it tests."""
    assert mutate("--write", "new.contacts.yaml")[0] == 0
    assert (project / "new.contacts.yaml").read_text().startswith("rules: a.rules.yaml\ncases:\n  # `dialproof mutate`")
    assert "noticed by 7 cases: 100.0 %" in mutate()[1]


def test_a_new_file_names_rules_in_another_folder_whatever_they_are_called(mutate: Mutate, project: Path) -> None:
    """Behind a `#` there would be a comment, and the file would test nothing."""
    (project / "a.contacts.yaml").unlink()
    (project / "a.rules.yaml").rename(project / "a #1.rules.yaml")
    (project / "more").mkdir()
    assert mutate("--write", "more/new.contacts.yaml")[0] == 0
    assert set(load_project(load_config(project)).links) == {"more/new.contacts.yaml"}
    assert " 0 cases" not in mutate()[1]


def test_json_and_markdown_say_the_same(mutate: Mutate, project: Path) -> None:
    """Every mutant with its place, change and fate; the survivors as findings with their witness."""
    assert mutate("-f", "json=o.json", "-f", "markdown=o.md")[:2] == (0, "")
    [found] = json.loads((project / "o.json").read_text())["campaigns"]
    fates = [mutant["fate"] for mutant in found["mutants"]]
    assert {fate: found[fate] for fate in set(fates)} == {fate: fates.count(fate) for fate in set(fates)}
    assert found["score"] == 53.85
    assert [s["line"] for s in found["survivors"]] == [9, 9, 9, 17, 3, 3]
    witness = found["survivors"][0]["witness"]
    assert witness["contact"] == {"attempts": 6, "phone": "•••"}
    assert [o["dial"] for o in witness["outcomes"]] == [False, True]
    assert "| attempt limit | 7 | 4 | 3 | 57.1 % |" in (project / "o.md").read_text()
    assert "555" not in (project / "o.json").read_text() + (project / "o.md").read_text()


def test_a_comment_accepts_a_survivor_and_lint_does_not_call_it_unused(mutate: Mutate, project: Path) -> None:
    """Accepted survivors are counted and left out of the score."""
    text = RULES.replace(
        "    conditions:\n", "    # dialproof: ignore[DP604] five or six are the same to us\n    conditions:\n", 1
    )
    (project / "a.rules.yaml").write_text(text)
    code, out, _ = mutate("--fail-under", "95")
    assert code == 1
    assert (
        "7 of 10 mutants noticed by 3 cases: 70.0 % (3 survive; left out: 5 change nothing, proved, 3 accepted)" in out
    )
    assert "DP903" not in {finding.code for finding in lint(load_project(load_config(project))).findings}


def test_cases_that_fail_come_first(mutate: Mutate, project: Path) -> None:
    """Nothing is mutated while a case is red."""
    (project / "a.contacts.yaml").write_text(CASES.replace("dial: false", "dial: true"))
    code, out, err = mutate()
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == "dialproof: error: a.contacts.yaml:7:5: case 'many attempts' fails"
    assert "make these pass first" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--fail-under", "101"], 2, "--fail-under takes a number from 0 to 100, found 101"),
        (["--write", "a.rules.yaml"], 2, "--write takes a *.contacts.yaml file, found a.rules.yaml"),
        (["--write", "no/a.contacts.yaml"], 2, "--write no/a.contacts.yaml: there is no folder no"),
        (["a.contacts.yaml"], 2, "a.contacts.yaml: there are no rules; name *.rules files, or folders with them"),
        (["-f", "xml"], 2, "there is no output format 'xml'; there are full, json, markdown"),
        (["nowhere"], 2, "nowhere: there is no such file or folder"),
    ],
)
def test_wrong_use_is_one_line(mutate: Mutate, arguments: list[str], code: int, message: str) -> None:
    """What was found and what was expected, and exit code 2."""
    assert mutate(*arguments) == (code, "", f"dialproof: error: {message}\n")


def test_rules_that_cannot_be_read_are_named(mutate: Mutate, project: Path) -> None:
    """Each error with its place, and exit code 3."""
    (project / "a.rules.yaml").write_text(RULES.replace("value: 6", "value: six"))
    code, _, err = mutate()
    assert code == 3
    assert err.startswith("dialproof: error: a.rules.yaml:9:")
    assert "DP103" in err


def test_the_rest_of_a_file_stays_as_it_is(mutate: Mutate, project: Path) -> None:
    """Line ends, indentation, a comment behind the cases and a key behind them."""
    text = CASES.replace("\n  - ", "\n- ").replace("\n    ", "\n  ").replace("\n", "\r\n") + "# the end\r\nx-more: 1"
    (project / "a.contacts.yaml").write_bytes(text.encode())
    assert mutate("--write", "a.contacts.yaml")[0] == 0
    written = (project / "a.contacts.yaml").read_bytes().decode()
    kept, _, end = text.partition("# the end")
    assert written.startswith(kept)
    assert written.endswith(f"# the end{end}")
    assert written.count("\n") == written.count("\r\n")
    assert "noticed by 7 cases: 100.0 %" in mutate()[1]


def test_cases_on_one_line_are_left_alone(mutate: Mutate, project: Path) -> None:
    """Nothing can be put behind them line by line."""
    text = 'rules: a.rules.yaml\ncases: [{name: a, contact: {attempts: 1, phone: "1"}, expect: {dial: true}}]\n'
    (project / "a.contacts.yaml").write_text(text)
    code, _, err = mutate("--write", "a.contacts.yaml")
    assert (code, (project / "a.contacts.yaml").read_text()) == (2, text)
    assert "cases can be added to a list with a case a line (- name: ...), or to a new file" in err


def test_a_case_about_the_time_of_the_call_has_its_clock(mutate: Mutate, project: Path) -> None:
    """Conditions on the clock, and a time that is written, come out as they did when the case was made."""
    late = "{context: now.timeOfDay, operator: greaterThanOrEqual, value: '20:00'}"
    rules = RULES.replace("{attribute: attempts, operator: greaterThanOrEqual, value: 6}", late)
    rules = rules.replace("{type: setList, listId: own}", "{type: setAttribute, attribute: seen, option: CURRENT_TIME}")
    (project / "a.rules.yaml").write_text(rules)
    (project / "a.contactlist.yaml").write_text(f"{COLUMNS}  seen: {{type: datetime}}\n")
    (project / "a.contacts.yaml").write_text(f"timeZone: America/Denver\n{CASES[: CASES.index('  - name: many')]}")
    assert mutate("--write", "a.contacts.yaml")[0] == 0
    text = (project / "a.contacts.yaml").read_text()
    assert "now: 2026-01-01T20:00:00Z\n    timeZone: UTC\n" in text
    assert "100.0 %" in mutate()[1]


def test_an_invariant_that_a_case_expects_is_held_against_the_changed_run(mutate: Mutate, project: Path) -> None:
    """A case that expects an invariant and nothing else notices what breaks it."""
    invariant = "invariants:\n  - {name: six are enough, always: contact.attempts < 6.0 || !outcome.dial}\n"
    (project / "a.rules.yaml").write_text(RULES + invariant)
    case = "  - {name: six, contact: {attempts: 6}, expect: {invariants: [six are enough]}}\n"
    (project / "a.contacts.yaml").write_text(CASES + case)
    assert mutate("-f", "json=o.json")[0] == 0
    [found] = json.loads((project / "o.json").read_text())["campaigns"]
    fates = {mutant["after"]: (mutant["noticed_by"] or {}).get("case") for mutant in found["mutants"]}
    assert fates["attempts greaterThan 6"] == fates["attempts greaterThanOrEqual 7"] == "six"
    assert fates["attempts greaterThanOrEqual 5"] is None
