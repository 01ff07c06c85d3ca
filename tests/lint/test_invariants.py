"""Invariants of a campaign: what is known first, then proof, then the search."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dialproof.analysis.answers import Found
from dialproof.analysis.invariants import Proofs
from dialproof.config import Config
from dialproof.evaluate import Evaluator
from dialproof.invariants import Held, Invariants, Violated
from dialproof.model.contactlist import Column
from dialproof.model.contacts import Case, ContactsFile, Expect
from dialproof.model.rules import Invariant, When
from dialproof.project import Project
from dialproof.source.nodes import Scalar, SourceText
from tests.lint.analysis.build import HERE, act, campaign, cond, rule, when

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.model.rules import Category, Rule

COLUMNS = (
    Column("a", "number", min=0, max=1_000_000),
    Column("b", "number", min=0, max=1_000_000, required=True),
)
LATE = rule("late", 1, [when("contact.a - contact.b > 4")], [act("doNotDial")])
"""A rule whose condition looks at two columns together, which no cell decides."""


def statement(text: str) -> Invariant:
    """Return an invariant."""
    return Invariant("i", When(text, HERE, Scalar(SourceText(text), 0, len(text), text, text, "plain")), HERE)


def case(category: Category, **contact: object) -> Case:
    """Return a case of a contact."""
    return Case("it", (), category, contact, {}, {}, Expect(), None, None, HERE, HERE)


def verified(folder: Path, text: str, *rules: Rule, cases: tuple[Case, ...] = ()) -> Held | Violated:
    """Verify one invariant of a campaign in a project with some cases."""
    built = replace(campaign(rules, COLUMNS), invariants=(statement(text),))
    contacts = ContactsFile("c.contacts.yaml", None, None, None, None, cases, (), "")
    config = Config(folder)
    project = Project(config, {}, {contacts.path: contacts}, {}, (built,), {contacts.path: built}, (), {})
    return Invariants(project, built, Evaluator(built, config.semantics)).verify(built.invariants[0])


def test_a_proof_needs_no_contact(tmp_path: Path) -> None:
    """What is proved is so without any contact at hand."""
    refuse = rule("r", 1, [cond("a", "greaterThan", 3)], [act("doNotDial")])
    assert verified(tmp_path, "!outcome.dial || contact.a <= 3", refuse) == Held(0, "")


def test_few_combinations_are_all_run(tmp_path: Path) -> None:
    """Two columns of few values that are compared with each other need no search."""
    small = [replace(column, type="integer", max=5) for column in COLUMNS]
    built = replace(campaign([LATE], small), invariants=(statement("outcome.dial || contact.a - contact.b > 4"),))
    evaluator = Evaluator(built, Config(tmp_path).semantics)
    answer = Proofs(evaluator).decide(built.invariants[0], "preCall")
    assert isinstance(answer, Found)  # a is blank
    assert dict(answer.scene.contact) == {"b": 0}


def test_what_cells_do_not_decide_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is said, every contact that was run counts, and nothing is written where pytest was started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dialproof.search.CONTACTS", 40)
    text = "outcome.dial || !has(contact.a) || contact.a - contact.b > 3"
    held = verified(tmp_path, text, LATE, cases=(case("preCall", a=6, b=0),))
    assert held == Held(41, "a and b are looked at together")
    assert [path.name for path in tmp_path.iterdir()] in ([], [".dialproof"])


def test_the_search_finds_the_simplest_contact_and_always_the_same(tmp_path: Path) -> None:
    """A counterexample that only two columns together make is found, shrunk, and what the evaluator says of it true."""
    text = "!outcome.dial || contact.a - contact.b <= 3"
    found, again = (verified(tmp_path, text, LATE) for _ in range(2))
    assert isinstance(found, Violated)
    assert found.seen.source == "search"
    assert found.verdict is False
    assert dict(found.seen.contact) == {"a": 4, "b": 0}
    assert again == found


@pytest.mark.parametrize(("category", "kept"), [("preCall", False), ("wrapUp", True)])
def test_an_invariant_about_dialing_asks_no_wrap_up(tmp_path: Path, category: Category, kept: bool) -> None:
    """A wrapUp run has no outcome.dial: a case of that category neither keeps nor breaks such an invariant."""
    refuse = rule("r", 1, [cond("b", "exists")], [act("doNotDial")])
    ended = rule("w", 2, [cond("b", "exists")], [act("setList", listId="l")], category="wrapUp")
    result = verified(tmp_path, "outcome.dial || contact.b == 3", refuse, ended, cases=(case(category, b=3),))
    assert isinstance(result, Violated)  # b may be anything
    assert result.seen.source == "proof"
    assert verified(tmp_path, "!outcome.dial", refuse, ended, cases=(case(category, b=3),)) == Held(int(not kept), "")


def test_wrap_up_runs_are_asked_too(tmp_path: Path) -> None:
    """An invariant that does not speak of dialing must hold for the runs of each category that has rules."""
    first = rule("r", 1, [cond("b", "exists")], [act("setList", listId="l")])
    ended = rule("w", 2, [cond("b", "equals", 2)], [act("setList", listId="l", value="false")], category="wrapUp")
    found = verified(tmp_path, "!('l' in outcome.lists) || outcome.lists['l']", first, ended)
    assert isinstance(found, Violated)
    assert found.seen.options["category"] == "wrapUp"
    assert found.outcome.matched == ("w",)
