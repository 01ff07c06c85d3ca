"""``dialproof backtest``: what is told of contact lists and of changes, and what is refused."""

from __future__ import annotations

import random
import re
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.bulk import read, read_csv
from dialproof.cel import reference
from dialproof.cli import main
from dialproof.config import load_config
from dialproof.evaluate import Evaluator, conflicts_of
from dialproof.project import load_project
from tests.lint.bulk.backtests import report_of, write_project
from tests.lint.git import Git

if TYPE_CHECKING:
    from pathlib import Path

LIST = """\
columns:
  id: {type: string}
  age: {type: integer, min: 0, max: 120}
  state: {type: string, enum: [TX, CA, NY]}
  consent: {type: string}
  phone: {type: string, phone: true}
"""
RULES = """\
campaign: c
contactList: c.contactlist.yaml
rules:
  - name: minors
    version: 1
    priority: 2
    executionOrder: 1
    conditions: [{attribute: age, operator: lessThan, value: "18"}]
    actions: [{type: doNotDial}]
  - name: texans
    version: 1
    priority: 1
    executionOrder: 2
    conditions: [{attribute: state, operator: equals, value: TX}]
    actions: [{type: setList, listId: texas}]
  - name: phones
    version: 1
    priority: 1
    executionOrder: 3
    conditions:
      - {attribute: phone, operator: beginsWith, value: "+1"}
      - {attribute: age, operator: greaterThan, value: "64"}
    actions: [{type: switchToPreview}, {type: setList, listId: texas, value: "false"}]
"""
ROWS = [
    "id,age,state,consent,phone",
    "a,17,TX,yes,+1555",
    "b,,CA,no,+1444",
    "c,70,TX,yes,+1333",
    "d,30,NY,,",
    "e,x,NY,,",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with a contact list, three rules and five contacts, as the current folder."""
    write_project(tmp_path, LIST, RULES)
    (tmp_path / "people.csv").write_text("\n".join(ROWS) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_counts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each number is one that can be counted by hand."""
    found = report_of(capsys, "c.rules.yaml", "people.csv", "--id", "id")
    assert (found["contacts"], found["dialed"], found["undecided"]) == (5, 2, 2)
    assert found["not_dialed_first_reason"] == {"undecided: minors": 2, "doNotDial: minors": 1}
    rules = {rule["name"]: rule for rule in found["rules"]}
    assert [(r["matched"], r["matched_first"], r["undecided"]) for r in rules.values()] == [
        (1, 1, 2),
        (2, 1, 0),
        (1, 0, 1),
    ]
    assert rules["phones"]["actions"] == {"switchToPreview": 1, "setList texas=false": 1}
    assert found["lists"] == {"texas": {"on": 1, "off": 1}}
    assert found["combinations"] == [
        {"rules": [], "contacts": 3},
        {"rules": ["minors", "texans"], "contacts": 1},
        {"rules": ["texans", "phones"], "contacts": 1},
    ]
    assert found["no_rule"]["contacts"] == 3
    assert [(c["rules"], c["contacts"]) for c in found["conflicts"]] == [(["texans", "phones"], 1)]
    assert found["conflicts"][0]["example"] == {
        "path": "people.csv", "row": 3, "id": "c", "contact": {"age": "70", "state": "TX", "phone": "•••"}
    }  # fmt: skip
    assert found["unreadable_cells"] == {"age": 1}
    assert found["rechecked"]["sampled"] == 5
    assert found["rechecked"]["wrong"] == []


def test_the_text_says_the_same(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a project named it is the one of the current folder; personal values are nowhere."""
    assert main(["backtest", "people.csv"]) == 0
    text = capsys.readouterr().out
    assert "c: 5 contacts of 1 file" in text
    assert "dialed      2 (40.0 %)" in text
    assert "texans and phones: 1 (20.0 %)" in text
    assert "checked by cel-python: 5 contacts drawn with seed 0, 0 on boundaries of conditions; all agree" in text
    assert "+1" not in text


def test_the_slowest_conditions_are_told_where_asked_for(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each condition once, with the rules that share it and why it is not decided by columns; none without asking."""
    more = (
        "  - {name: few, version: 1, priority: 1, executionOrder: 4, "
        "when: 'text.id + text.state != \"\" && contact.age < 18.0', actions: [{type: setList, listId: few}]}\n"
    )
    shared = RULES.replace('operator: greaterThan, value: "64"', 'operator: lessThan, value: "18"')
    (project / "c.rules.yaml").write_text(shared + more)
    costs = report_of(capsys, "people.csv", "--slowest", "9")["slowest_conditions"]
    assert {(c["condition"], tuple(c["rules"])): bool(c["by_row"]) for c in costs} == {
        ("contact.age < 18.0", ("minors", "phones")): False,
        ('contact.state == "TX"', ("texans",)): False,
        ("phone beginsWith •••", ("phones",)): False,
        ('text.id + text.state != "" && contact.age < 18.0', ("few",)): True,
    }
    assert [c["nanoseconds_a_contact"] for c in costs] == sorted(
        (c["nanoseconds_a_contact"] for c in costs), reverse=True
    )
    assert main(["backtest", "people.csv", "--slowest", "1"]) == 0
    text = capsys.readouterr().out
    assert text.count(" ns a contact  ") == 1
    assert "+1" not in text
    assert report_of(capsys, "people.csv")["slowest_conditions"] == []


def test_the_clock_is_told_where_a_condition_reads_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts that depend on the clock say which one it was."""
    assert report_of(capsys, "people.csv")["clock"] is None
    late = RULES.replace(
        "conditions: [{attribute: state, operator: equals, value: TX}]", "when: now > datetime('2026-02-01')"
    )
    (project / "c.rules.yaml").write_text(late)
    assert main(["backtest", "people.csv", "--now", "2026-03-01T10:00:00+02:00", "--time-zone", "Europe/Athens"]) == 0
    assert "conditions read the clock, which stands at 2026-03-01T08:00:00Z (Europe/Athens)" in capsys.readouterr().out


def test_what_cannot_be_decided_is_shown_with_its_blanks(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The column that is blank or unreadable is the reason, so it is part of the example."""
    assert main(["backtest", "people.csv"]) == 0
    text = capsys.readouterr().out
    assert "undecided   2 (40.0 %), for one rule or more" in text
    assert "minors cannot be decided for 2 (40.0 %)\n    for example: people.csv, row 2: age=(blank), state=CA" in text
    assert "column age holds no integer for 1 (20.0 %)" in text


def test_against_old_rules(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who changes, from what to what, with a file of ids."""
    old = RULES.replace('"18"', '"16"').replace("value: TX", "value: NY")
    write_project(project / "old", LIST, old)
    found = report_of(
        capsys, "c.rules.yaml", "people.csv", "--against", "old/c.rules.yaml", "--id", "id", "--ids", "changed.txt"
    )["changes"]
    assert (found["contacts"], found["come_to_be_dialed"], found["cease_to_be_dialed"]) == (4, 0, 1)
    kinds = [(k["before"], k["after"], k["contacts"], [e["id"] for e in k["examples"]]) for k in found["kinds"]]
    texas = "setList texas"
    both = ["switchToPreview", "setList texas=false"]
    assert sorted(kinds, key=lambda k: k[3]) == [
        ({"dial": True, "actions": []}, {"dial": False, "actions": ["doNotDial", texas]}, 1, ["a"]),
        ({"dial": True, "actions": both}, {"dial": True, "actions": [texas, *both]}, 1, ["c"]),
        ({"dial": True, "actions": [texas]}, {"dial": True, "actions": []}, 1, ["d"]),
        ({"dial": False, "actions": [texas]}, {"dial": False, "actions": []}, 1, ["e"]),
    ]
    assert (project / "changed.txt").read_text().split() == ["a", "c", "d", "e"]


def test_against_a_revision(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rules of then are those of git."""
    Git(project).commit()
    (project / "c.rules.yaml").write_text(RULES.replace('"18"', '"31"'))
    found = report_of(capsys, "people.csv", "--against-rev", "HEAD")["changes"]
    assert (found["contacts"], found["cease_to_be_dialed"]) == (1, 1)
    assert main(["backtest", "people.csv", "--against-rev", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_many_batches_are_one_list(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts over small batches of two files are those of the row functions over all contacts."""
    draw = random.Random(7)
    rows = [
        {
            "id": f"p{i}",
            "age": draw.choice(["", "x", *map(str, range(10, 90))]),
            "state": draw.choice(["TX", "CA", "NY", ""]),
            "consent": "yes",
            "phone": draw.choice(["+1555", "", "0049"]),
        }
        for i in range(1000)
    ]
    for name, part in (("x.csv", rows[:600]), ("y.csv", rows[600:])):
        (project / name).write_text("\n".join([ROWS[0], *(",".join(row.values()) for row in part)]) + "\n")
    monkeypatch.setattr(read, "BATCH_BYTES", 2000)
    found = report_of(capsys, "c.rules.yaml", "?.csv", "--top", "100")
    config = load_config(project)
    evaluator = Evaluator(load_project(config).campaigns[0], config.semantics)
    outcomes = [evaluator.run(row) for row in rows]
    assert found["contacts"] == 1000
    assert found["dialed"] == sum(bool(o.dial) for o in outcomes)
    for rule in found["rules"]:
        name = rule["name"]
        assert rule["matched"] == sum(name in o.matched for o in outcomes)
        assert rule["matched_first"] == sum(o.matched[:1] == (name,) for o in outcomes)
        assert rule["undecided"] == sum(name in o.undecided for o in outcomes)
    for one in found["combinations"]:
        assert one["contacts"] == sum(list(o.matched) == one["rules"] for o in outcomes)
    assert sum(one["contacts"] for one in found["combinations"]) == 1000
    assert found["lists"]["texas"]["on"] == sum(o.lists.get("texas") is True for o in outcomes)
    assert found["conflicts"][0]["contacts"] == sum(bool(conflicts_of(o)) for o in outcomes)
    assert found["rechecked"]["on_boundaries"] > 0


def test_a_decimal_comma_is_named_by_row_and_column(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a bad row, not a number that cannot be read."""
    (project / "people.csv").write_text('id,age,state,consent,phone\na,17,TX,,\nb,"1.017,5",TX,,\nc,20,TX,,\n')
    assert main(["backtest", "people.csv"]) == 3
    error = capsys.readouterr().err
    assert "people.csv: row 2: column 'age' holds a number with a decimal comma" in error
    assert "017" not in error
    assert report_of(capsys, "people.csv", "--on-bad-row", "skip")["contacts"] == 2
    assert main(["backtest", "people.csv", "--on-bad-row", "report"]) == 0
    said = capsys.readouterr()
    assert "row 2: column 'age'" in said.err
    assert "1 bad row left out" in said.out


@pytest.mark.parametrize("broken", ["x,20\n", '"x,20,TX,,\n'])
@pytest.mark.parametrize("on_bad_row", ["fail", "report"])
def test_what_cannot_be_read_hides_no_row_before_it(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, broken: str, on_bad_row: str
) -> None:
    """Several batches are under way when the reading fails; their bad rows are said, in order."""
    monkeypatch.setattr(read, "BATCH_BYTES", 4000)
    monkeypatch.setattr(read_csv, "_SAMPLE", 1000)
    rows = [f"{i},30,TX,,\n" for i in range(2000)]
    rows[0], rows[1200], rows[1500] = 'a,"1,5",TX,,\n', 'b,"2,5",TX,,\n', broken
    (project / "people.csv").write_text("id,age,state,consent,phone\n" + "".join(rows))
    code = main(["backtest", "people.csv", "--on-bad-row", on_bad_row])
    said = capsys.readouterr().err
    comma = "column 'age' holds a number with a decimal comma"
    assert f"people.csv: row 1: {comma}" in said
    if on_bad_row == "report":
        assert code == (0 if broken.startswith("x") else 3)
        assert f"people.csv: row 1201: {comma}" in said
    else:
        assert code == 3
        numbers = [int(number) for number in re.findall(r": row (\d+):", said)]
        assert numbers == sorted(numbers)


def test_cel_python_is_asked_by_one_thread_at_a_time(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a rule needs it no batch is run while the sample of another is run again."""
    inside, most, evaluate = [0], [0], reference.evaluate

    def counted(*arguments: Any) -> bool | None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        sleep(0.0002)
        try:
            return evaluate(*arguments)
        finally:
            inside[0] -= 1

    monkeypatch.setattr(reference, "evaluate", counted)
    monkeypatch.setattr(read, "BATCH_BYTES", 2000)
    macro = "when: '[18.0, 19.0].exists(x, x == contact.age && contact.id != \"\")'"
    rules = (project / "c.rules.yaml").read_text()
    old = 'conditions: [{attribute: age, operator: lessThan, value: "18"}]'
    assert old in rules
    (project / "c.rules.yaml").write_text(rules.replace(old, macro))
    rows = (f"{i},{18 + i % 5},TX,,\n" for i in range(400))
    (project / "people.csv").write_text("id,age,state,consent,phone\n" + "".join(rows))
    found = report_of(capsys, "people.csv", "--check", "400")
    assert found["rules"][0]["matched"] == 160
    assert most == [1]


def test_a_column_that_rules_read_has_to_be_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it is blank for everybody on purpose."""
    (project / "people.csv").write_text("id,state,phone\na,TX,\n")
    assert main(["backtest", "people.csv"]) == 3
    assert "people.csv:1:1: there is no column 'age', which rule minors reads" in capsys.readouterr().err
    assert report_of(capsys, "people.csv", "--missing-columns", "blank")["rules"][0]["undecided"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["c.rules.yaml"], 2, "no contacts: name .csv"),
        (["nothing.csv"], 2, "nothing.csv: there is no such file"),
        (["people.csv", "--ids", "x.txt"], 2, "--ids takes the contacts that change"),
        (["people.csv", "--against", "c.rules.yaml", "--ids", "x.txt", "--id", "phone"], 2, "is personal (pii)"),
        (["people.csv", "--against", "c.rules.yaml", "--against-rev", "HEAD"], 2, "not both"),
        (["people.csv", "--now", "soon"], 2, "--now: expected a time"),
        (["people.csv", "--time-zone", "Mars/Olympus"], 2, "--time-zone: unknown time zone"),
        (["people.csv", "--campaign", "other"], 2, "expected the campaign 'other', and there are c"),
        (["people.csv", "--id", "name"], 3, "there is no column 'name', which --id reads"),
        (["people.csv", "--top", "-1"], 2, "not negative"),
        (["people.csv", "--slowest", "-1"], 2, "not negative"),
        (["old", "people.csv"], 2, "old: there are no rules; name a *.rules.yaml file or its folder"),
        (["people.csv", "-f", "xml"], 2, "there is no output format 'xml'"),
    ],
)
def test_what_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    """One sentence and the exit code of its class."""
    (project / "old").mkdir()
    (project / "old" / "dialproof.toml").write_text("")
    assert main(["backtest", *arguments]) == code
    assert message in capsys.readouterr().err


def test_what_is_personal_in_the_old_list_is_masked_as_well(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mark that was taken away does not show old examples; a column that no list declares is never shown."""
    wide = "  - {name: wide, version: 1, priority: 1, executionOrder: 4, when: 'size(contact) > 99', "
    (project / "c.rules.yaml").write_text(f"{RULES}{wide}actions: [{{type: doNotDial}}]}}\n")
    write_project(project / "old", LIST, RULES)
    (project / "c.contactlist.yaml").write_text(LIST.replace(", phone: true", ""))
    (project / "people.csv").write_text("\n".join([f"{ROWS[0]},note", *(f"{row},secret" for row in ROWS[1:])]) + "\n")
    assert main(["backtest", "c.rules.yaml", "people.csv", "--against", "old/c.rules.yaml"]) == 0
    text = capsys.readouterr().out
    assert "phone=•••" in text
    assert "+1" not in text
    assert "secret" not in text


def test_no_contacts_at_all_are_an_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A header alone says nothing about rules."""
    (project / "people.csv").write_text(ROWS[0] + "\n")
    assert main(["backtest", "people.csv"]) == 3
    assert "people.csv: expected at least one contact, found none" in capsys.readouterr().err


def test_rules_with_errors_are_not_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether they cannot be read or have no meaning: the place is named."""
    (project / "c.rules.yaml").write_text(RULES.replace("operator: lessThan", "operator: lessThn"))
    assert main(["backtest", "c.rules.yaml", "people.csv"]) == 3
    assert "c.rules.yaml:8" in capsys.readouterr().err
    (project / "c.rules.yaml").write_text(RULES.replace('value: "18"', "value: soon"))
    assert main(["backtest", "c.rules.yaml", "people.csv"]) == 3
    assert "DP103 expected a number" in capsys.readouterr().err


def test_a_disagreement_with_cel_python_is_a_defect(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named by file and row, and the exit code is that of an internal error."""
    from dialproof.bulk import tally

    def spoil(self: tally.Tally, batch: read.Batch, outcomes: Any) -> None:
        self.contacts += outcomes.height
        outcomes.matched["minors"] = ~outcomes.matched["minors"]

    monkeypatch.setattr(tally.Tally, "add", spoil)
    assert main(["backtest", "people.csv"]) == 70
    text = capsys.readouterr().out
    assert "5 contacts with another outcome, which is a defect" in text
    assert "people.csv: row 1" in text
