"""``dialproof diff``: what is told of a change, of which states, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.evaluate import Evaluator
from dialproof.project import load_project
from tests.lint.git import Git

if TYPE_CHECKING:
    from pathlib import Path

LIST = """\
columns:
  attempts: {type: integer, min: 0, max: 9, required: true}
  state: {type: string, enum: [TX, CA], required: true}
  phone: {type: string, phone: true}
"""
RULES = """\
campaign: c
contactList: c.contactlist.yaml
rules:
  - name: tired
    version: 1
    priority: 1
    executionOrder: 1
    conditions: [{attribute: attempts, operator: greaterThan, value: "3"}]
    actions: [{type: doNotDial}]
  - name: texans
    version: 1
    priority: 1
    executionOrder: 2
    conditions: [{attribute: state, operator: equals, value: TX}]
    actions: [{type: setList, listId: texas}, {type: setAttribute, attribute: state, value: Texas}]
"""
ONE_OPERATOR = RULES.replace("greaterThan,", "greaterThanOrEqual,")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project, as the current one."""
    _write(tmp_path, RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(folder: Path, rules: str, columns: str = LIST) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "dialproof.toml").write_text("")
    (folder / "c.contactlist.yaml").write_text(columns)
    (folder / "c.rules.yaml").write_text(rules)


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["diff", *arguments, "-f", "json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def _relations(document: dict[str, Any]) -> dict[str, str]:
    (campaign,) = document["campaigns"]
    return {thing["what"]: thing["relation"] for thing in campaign["things"] if thing["relation"] != "equal"}


def test_one_operator_gives_the_exact_contacts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who is concerned is said exactly, and shown on a contact with what both make of it."""
    git = Git(project)
    git.commit()
    git("checkout", "-q", "-b", "change")
    (project / "c.rules.yaml").write_text(ONE_OPERATOR)
    commit = git.commit()
    assert main(["diff", "main", "change"]) == 0
    text = capsys.readouterr().out
    assert f"-> change ({commit[:12]})" in text
    assert "campaign c: 2 of 5 things that the rules do are not equal" in text
    rows = [line.strip() for line in text.splitlines()[3:7]]
    assert rows[0].startswith("dial        narrower  contact 1")
    assert rows[1] == "lost by exactly the contacts with attempts 3"
    assert rows[2].startswith("rule tired  wider     contact 1")
    assert rows[3] == "gained by exactly the contacts with attempts 3"
    assert "equal (proved): setList texas, setAttribute state, rule texans" in text
    document = _json(capsys, "main")  # the files that are checked out
    (contact,) = document["campaigns"][0]["contacts"]
    config = load_config(project)
    after = Evaluator(load_project(config).campaigns[0], config.semantics)
    before = Evaluator(load_project(config, edited={"c.rules.yaml": RULES.encode()}).campaigns[0], config.semantics)
    assert contact["contact"]["attempts"] == 3
    assert [o["dial"] for o in contact["outcomes"]] == [True, False]
    assert [e.run(contact["contact"]).dial for e in (before, after)] == [True, False]


def test_what_is_written_for_the_same_contacts_with_another_value_is_neither_more_nor_less(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A column is compared with its values; a list that is called otherwise is another list."""
    _write(project / "new", RULES.replace("value: Texas", "value: TEXAS").replace("listId: texas", "listId: south"))
    found = _relations(_json(capsys, ".", "new"))
    assert found == {"setAttribute state": "incomparable", "setList texas": "narrower", "setList south": "wider"}


def test_rules_files_side_by_side(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two files of one campaign may lie in one folder; of two that are named their campaigns are compared."""
    (project / "new.rules.yaml").write_text(ONE_OPERATOR)
    assert _relations(_json(capsys, "c.rules.yaml", "new.rules.yaml")) == {"dial": "narrower", "rule tired": "wider"}
    (project / "new.rules.yaml").write_text(ONE_OPERATOR.replace("campaign: c", "campaign: d"))
    assert _relations(_json(capsys, "new.rules.yaml", "c.rules.yaml")) == {"dial": "wider", "rule tired": "narrower"}


def test_a_revision_is_its_merge_base_for_the_files_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What others have added to it since is no part of a change on disk, and is part of two revisions as they are."""
    git = Git(project)
    git.commit()
    git("checkout", "-q", "-b", "change")
    git.commit({"c.rules.yaml": ONE_OPERATOR})
    git("checkout", "-q", "main")
    git.commit({"c.rules.yaml": RULES.replace("listId: texas", "listId: south")})
    git("checkout", "-q", "change")
    mine = {"dial": "narrower", "rule tired": "wider"}
    assert _relations(_json(capsys, "main")) == mine
    lists = {"setList texas": "wider", "setList south": "narrower"}
    assert _relations(_json(capsys, "main", "change")) == {**mine, **lists}


def test_renamed_rules_and_campaigns_that_come_and_go(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rule is the one that it was renamed from; a campaign without a counterpart is said to be new or gone."""
    renamed = RULES.replace("name: tired", "name: weary\n    renamedFrom: tired")
    _write(project / "new", renamed)
    document = _json(capsys, ".", "new")
    assert document["equal"] is True
    assert "rule weary" in {thing["what"] for thing in document["campaigns"][0]["things"]}
    _write(project / "new", RULES.replace("campaign: c", "campaign: d"))
    assert main(["diff", ".", "new", "--exit-code"]) == 1
    text = capsys.readouterr().out
    assert "campaign d: only in new" in text
    assert "campaign c: only in ." in text
    assert main(["diff", ".", "new", "--campaign", "e"]) == 2
    assert "expected the campaign 'e', and there are c, d" in capsys.readouterr().err


def test_the_exit_code_tells_whether_all_is_equal(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the option a difference is no failure."""
    _write(project / "same", RULES.replace('"3"', '"03"'))
    _write(project / "other", ONE_OPERATOR)
    assert main(["diff", ".", "same", "--exit-code"]) == 0
    assert "equal for every contact (proved)" in capsys.readouterr().out
    assert main(["diff", ".", "other"]) == 0
    assert main(["diff", ".", "other", "--exit-code"]) == 1


def test_personal_values_are_nowhere(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in the contact nor in who is concerned nor in what is written, in any format."""
    secret = "+15550100"
    rules = RULES.replace(
        "attribute: state, operator: equals, value: TX", f"attribute: phone, operator: equals, value: '{secret}'"
    )
    rules = rules.replace("attribute: state, value: Texas", f"attribute: phone, value: '{secret}9'")
    _write(project / "new", rules)
    for form in ("text", "markdown", "json"):
        assert main(["diff", ".", "new", "-f", form]) == 0
        text = capsys.readouterr().out
        assert secret not in text
        assert "•••" in text


def test_what_is_not_decided_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No contact shows it and nothing proves that there is none: that is not equal."""
    columns = "columns:\n  paid: {type: number, required: true}\n  limit: {type: number, required: true}\n"
    cel = RULES.replace(
        '    conditions: [{attribute: attempts, operator: greaterThan, value: "3"}]',
        "    when: contact.paid < contact.limit",
    )
    cel = cel.replace(
        "attribute: state, operator: equals, value: TX", "attribute: paid, operator: greaterThan, value: 1"
    )
    _write(project / "old", cel, columns)
    _write(project / "new", cel.replace("contact.paid < contact.limit", "contact.limit > contact.paid"), columns)
    assert main(["diff", "old", "new", "--exit-code"]) == 1
    text = capsys.readouterr().out
    assert "rule tired  unknown" in text
    assert "whether a contact gains it is not decided: " in text


def test_bad_input_is_said_in_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither file nor revision, broken rules, files of another kind."""
    for arguments, code, message in (
        (["nowhere"], 2, "the configuration root is in no git repository"),
        (["c.contactlist.yaml"], 2, "expected a *.rules.yaml file, a folder or a git revision"),
        ([".", "empty"], 2, "empty: there are no rules of a campaign"),
        ([".", "broken"], 3, "broken/c.rules.yaml:3:"),
    ):
        (project / "empty").mkdir(exist_ok=True)
        (project / "empty" / "dialproof.toml").write_text("")
        _write(project / "broken", RULES.replace("rules:", "rule:"))
        assert main(["diff", *arguments]) == code
        assert message in capsys.readouterr().err
    git = Git(project)
    git.commit()
    assert main(["diff", "nowhere"]) == 2
    assert "there is no revision 'nowhere' in this repository" in capsys.readouterr().err
    git("branch", "broken")
    assert main(["diff", "broken"]) == 2
    assert "'broken' is a folder and a git revision: write ./broken, or heads/broken" in capsys.readouterr().err
    (project / "c.rules.yaml").write_text(RULES.replace("rules:", "rule:"))
    git.commit()
    assert main(["diff", "HEAD~1", "HEAD"]) == 0
    assert main(["diff", "HEAD", "HEAD~1"]) == 0
    text = capsys.readouterr().out
    assert text.count("campaign c: not compared: c.rules.yaml:1:1 has an error at HEAD (DP107 ") == 2


def test_a_campaign_whose_rules_cannot_be_read_is_not_gone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside one that can be compared; one that is only in one state is said to be, its capitals kept."""
    other = RULES.replace("campaign: c", "campaign: d")
    _write(project / "New", RULES)
    (project / "New" / "d.rules.yaml").write_text(other)
    assert main(["diff", ".", "New", "-f", "markdown", "--exit-code"]) == 1
    assert "Only in New." in capsys.readouterr().out
    (project / "d.rules.yaml").write_text(other)
    (project / "New" / "d.rules.yaml").write_text(other.replace("rules:", "rule:"))
    why = "d.rules.yaml:1:1 has an error at New (DP107 this rules file lacks rules)"
    for states in ((".", "New"), ("New", ".")):
        c, d = _json(capsys, *states)["campaigns"]
        assert (c["equal"], d["equal"], d["only_in"], d["not_compared"]) == (True, False, None, why)
        for form in ("text", "markdown"):
            assert main(["diff", *states, "-f", form, "--exit-code"]) == 1
            assert f"not compared: {why}" in capsys.readouterr().out


def test_counts_are_those_of_every_row_run_by_itself(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also of contacts that the contact list excludes."""
    pytest.importorskip("polars")
    rows = [(a, s) for a in (0, 3, 4, 9, 30) for s in ("TX", "CA", "NY")]
    (project / "people.csv").write_text("attempts,state\n" + "".join(f"{a},{s}\n" for a, s in rows))
    change = ONE_OPERATOR.replace("operator: equals, value: TX", "operator: in, value: [TX, NY]")
    _write(project / "new", change)
    document = _json(capsys, ".", "new", "--contacts", "people.csv")
    (campaign,) = document["campaigns"]
    assert campaign["contacts_counted"] == len(rows)
    counts = {t["what"]: (t["counts"]["gained"], t["counts"]["lost"]) for t in campaign["things"]}
    sides = []
    for folder in (project, project / "new"):
        config = load_config(folder)
        sides.append(Evaluator(load_project(config).campaigns[0], config.semantics))
    pairs = [[e.run({"attempts": str(a), "state": s}) for e in sides] for a, s in rows]
    expected = {
        "dial": [(was.dial, now.dial) for was, now in pairs],
        "rule tired": [("tired" in was.matched, "tired" in now.matched) for was, now in pairs],
        "setList texas": [("texas" in was.lists, "texas" in now.lists) for was, now in pairs],
    }
    for what, values in expected.items():
        assert counts[what] == (sum(b and not a for a, b in values), sum(a and not b for a, b in values))
    assert counts["setList texas"] == (5, 0)
    assert main(["diff", ".", "new", "--contacts", "people.csv"]) == 0
    assert (
        "setList texas: +5 -0, all of them with values that the contact list file excludes" in capsys.readouterr().out
    )


def test_a_run_that_breaks_counts_as_one_that_does_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Texans have no number that could be counted up: nothing of what was done to them is done any more."""
    pytest.importorskip("polars")
    _write(project / "new", RULES.replace("attribute: state, value: Texas", "attribute: state, option: INCREMENT"))
    (project / "people.csv").write_text("attempts,state\n0,TX\n3,TX\n4,TX\n0,CA\n9,CA\n")
    (campaign,) = _json(capsys, ".", "new", "--contacts", "people.csv")["campaigns"]
    counts = {t["what"]: (t["counts"]["gained"], t["counts"]["lost"]) for t in campaign["things"]}
    lost = {"dial": 2, "setList texas": 3, "setAttribute state": 3, "rule tired": 1, "rule texans": 3}
    assert counts == {what: (0, number) for what, number in lost.items()}


def test_what_every_contact_gains_is_said_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In words, where there is no column to name."""
    more = """\
  - name: all
    version: 1
    priority: 1
    executionOrder: 3
    conditions: [{attribute: attempts, operator: greaterThanOrEqual, value: 0}]
    actions: [{type: setList, listId: everybody}]
"""
    _write(project / "new", RULES + more)
    assert main(["diff", ".", "new"]) == 0
    rows = [line.strip() for line in capsys.readouterr().out.splitlines()[3:7]]
    assert rows[0].startswith("setList everybody  wider")
    assert rows[2].startswith("rule all           wider")
    assert rows[1] == rows[3] == "gained by every contact"


@pytest.mark.parametrize("how", ["skip", "report"])
def test_bad_rows_and_missing_columns_are_errors_unless_they_are_allowed(
    project: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    """Rows that are left out are counted, and named if they shall be; a column that is not there is blank for all."""
    pytest.importorskip("polars")
    _write(project / "new", ONE_OPERATOR)
    (project / "people.csv").write_text("attempts,phone\n3,\n4,,TX\n3,\n")
    command = ["diff", ".", "new", "--contacts", "people.csv"]
    bad_row = "people.csv:3:1: row 2: expected 2 cells as in the header, found 3"
    assert main([*command, "--missing-columns", "blank"]) == 3
    assert bad_row in capsys.readouterr().err
    assert main([*command, "--on-bad-row", how]) == 3
    assert "there is no column 'state', which rule texans reads" in capsys.readouterr().err
    command += ["--on-bad-row", how, "--missing-columns", "blank"]
    for form, line in (
        ("text", "counted over 2 contacts, 1 bad row left out"),
        ("markdown", "Counted over 2 contacts"),
    ):
        assert main([*command, "-f", form]) == 0
        out, err = capsys.readouterr()
        assert line in out
        assert (bad_row in err) is (how == "report")
    (campaign,) = _json(capsys, *command[1:])["campaigns"]
    assert (campaign["contacts_counted"], campaign["left_out"]) == (2, 1)
    assert campaign["things"][0]["counts"] == {"gained": 0, "lost": 2}
