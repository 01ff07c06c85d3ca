"""What the checks of a change say, beside where they say it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.base import Base
from dialproof.config import load_config
from dialproof.lint import lint
from dialproof.project import load_project
from dialproof.testing import load_cases
from tests.lint.git import rules

if TYPE_CHECKING:
    from dialproof.project import Project

CASES = {case.name: case for case in load_cases(Path(__file__).parents[3] / "fixtures/checks/suppression-removed.yaml")}


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("narrower on contacts without a value", "the rule is narrower"),
        ("gone", "the rule is gone"),
        ("disabled", "the rule is disabled"),
        ("it only marks contacts now", "the rule does not stop dialing any more"),
        ("overtaken by a rule that ends the run first", '"desk" ends the run in front of the rule'),
        ("a rule in front changes what it reads", "an earlier rule changes what the rule reads"),
    ],
)
def test_what_has_become_of_a_suppression_is_said_with_a_contact(case: str, sentence: str, tmp_path: Path) -> None:
    """The sentence says why contacts get through; the contact was refused by the old rule and is dialed."""
    (finding,) = CASES[case].lint(tmp_path)
    assert finding.summary.endswith(f"kept from being dialed are dialed now: {sentence}")
    assert finding.witness is not None
    assert finding.witness.outcome.dial is True
    assert finding.witness.other is not None
    assert finding.witness.other.reason == f"doNotDial: {finding.details.split(chr(34))[1]}"
    assert finding.witness.labels == ("as written", "at the base")


def _project(folder: Path, text: str, columns: str, config: str = "") -> Project:
    folder.mkdir()
    for name, content in (("c.rules.yaml", text), ("c.contactlist.yaml", columns), ("dialproof.toml", config)):
        (folder / name).write_text(content, "utf-8")
    return load_project(load_config(folder))


def test_a_change_of_semantics_or_columns_is_named(tmp_path: Path) -> None:
    """Where the rule says what it said, something around it has changed."""
    number = "columns:\n  consent: {type: integer, min: 0, max: 9}\n"
    text = rules("a").replace("equals, value: 'no'", "notEquals, value: 3")
    met, unmet = ("[semantics]\nundecided = " + repr(how) + "\n" for how in ("met", "unmet"))
    base = Base("main", _project(tmp_path / "old", text, number, met))
    result = lint(_project(tmp_path / "new", text, number, unmet), base=base)
    (finding,) = [f for f in result.findings if f.code == "DP801"]
    assert "columns, `semantics` or what earlier rules write have changed" in finding.summary


def test_what_was_personal_stays_hidden(tmp_path: Path) -> None:
    """A column that was personal is masked in the witness although the contact list does not name it any more."""
    columns = "columns:\n  consent: {type: string, pii: true}\n  state: {type: string}\n"
    base = Base("main", _project(tmp_path / "old", rules("a", "b"), columns))
    now = rules("b").replace("consent", "state")
    result = lint(_project(tmp_path / "new", now, columns.replace("consent", "other")), base=base)
    found = [f for f in result.findings if f.code == "DP801"]
    assert [f.rules for f in found] == [("a",), ("b",)]
    for finding in found:
        assert finding.witness is not None
        assert finding.witness.contact["consent"] == "•••"


def test_an_open_question_names_the_rule_of_then(tmp_path: Path) -> None:
    """A rule that is gone has no place, so the sentence says where it stood."""
    columns = "columns:\n  x: {type: number}\n  y: {type: number}\n  consent: {type: string}\n"
    written = "conditions: [{attribute: consent, operator: equals, value: 'no'}]"
    then = rules("a", "b").replace(written, "when: contact.x > contact.y", 1)
    now = rules("b").replace(written, "when: contact.y < contact.x")
    base = Base("main", _project(tmp_path / "old", then, columns))
    result = lint(_project(tmp_path / "new", now, columns), base=base)
    found = [f.summary for f in result.findings if f.code == "DP901" and f.summary.startswith("DP801")]
    assert len(found) == 1
    assert found[0].endswith('("a" at main: c.rules.yaml:4)')
