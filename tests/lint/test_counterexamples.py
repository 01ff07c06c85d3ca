"""Contacts that break an invariant become cases, in a file next to the rules, once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.compare import differences
from dialproof.config import Config
from dialproof.counterexamples import counterexample, save
from dialproof.errors import DialproofError
from dialproof.evaluate import Evaluator
from dialproof.invariants import Invariants, Violated, broken_by
from dialproof.project import Project, load_project

if TYPE_CHECKING:
    from pathlib import Path

RULES = """\
campaign: cmp
contactList: c.contactlist.yaml
rules:
  - name: tired
    version: 1
    priority: 1
    executionOrder: 1
    conditions: [{attribute: attempts, operator: greaterThan, value: 3}]
    actions: [{type: doNotDial}]
  - name: first
    version: 1
    priority: 1
    executionOrder: 2
    conditions: [{attribute: attempts, operator: equals, value: 0}]
    actions: [{type: setList, listId: fresh}]
invariants:
  - {name: enough, always: contact.attempts < 3 || !outcome.dial}
  - {name: only fresh ones, never: '"fresh" in outcome.lists && outcome.dial'}
"""
LIST = """\
columns:
  attempts: {type: integer, min: 0, max: 9, required: true}
  phone: {type: string, pii: true}
"""
CASES = """\
# Ours.
timeZone: America/Denver
defaults:
  contact: {phone: "+15551234567"}
cases:
  - name: one    # the only one
    contact: {attempts: 1}
    expect: {dial: true}
"""


def project_in(folder: Path, cases: str | None = CASES) -> Project:
    """Return a project of one campaign, with a contacts file next to its rules or without one."""
    (folder / "r.rules.yaml").write_text(RULES, encoding="utf-8")
    (folder / "c.contactlist.yaml").write_text(LIST, encoding="utf-8")
    if cases is not None:
        (folder / "r.contacts.yaml").write_text(cases, encoding="utf-8")
    project = load_project(Config(folder))
    assert not [problem for problem in project.problems if getattr(problem, "severity", "error") == "error"]
    return project


def found(project: Project, number: int) -> dict[str, Any]:
    """Return the counterexample to one of the invariants."""
    (campaign,) = project.campaigns
    evaluator = Evaluator(campaign, project.config.semantics)
    invariant = campaign.invariants[number]
    violated = Invariants(project, campaign, evaluator).verify(invariant)
    assert isinstance(violated, Violated)
    return counterexample(invariant, violated, evaluator)


def test_a_case_is_added_and_nothing_else_is_touched(tmp_path: Path) -> None:
    """Comments stay, defaults and time zone of the file are undone where the contact has none, and it is saved once."""
    project = project_in(tmp_path)
    one = found(project, 0)
    assert save(project, one) == "saved in r.contacts.yaml: the case 'counterexample to enough'"
    text = (tmp_path / "r.contacts.yaml").read_text(encoding="utf-8")
    assert text.startswith(CASES)
    assert text[len(CASES) :].split("- name", 1)[1] == (
        ": counterexample to enough\n    tags: [counterexample]\n    now: 2026-01-01T12:00:00Z\n    timeZone: UTC\n"
        "    contact: {attempts: 3, phone: null}\n    expect:\n      dial: false\n"
    )
    again = load_project(Config(tmp_path))
    assert save(again, one) == "r.contacts.yaml has the counterexample already: 'counterexample to enough'"
    assert (tmp_path / "r.contacts.yaml").read_text(encoding="utf-8") == text


def test_where_dialing_is_not_all_that_could_be_mended_the_invariant_is_expected(tmp_path: Path) -> None:
    """The case fails now, and passes whether the contact is no longer dialed or no longer put on the list."""
    project = project_in(tmp_path, None)
    assert save(project, found(project, 1)) == "saved in r.contacts.yaml: the case 'counterexample to only fresh ones'"
    for old, new, kept in (
        ("", "", False),
        ("operator: greaterThan, value: 3", "operator: greaterThanOrEqual, value: 0", True),
        ("operator: equals, value: 0", "operator: equals, value: 9", True),
    ):
        (tmp_path / "r.rules.yaml").write_text(RULES.replace(old, new) if old else RULES, encoding="utf-8")
        mended = load_project(Config(tmp_path))
        (campaign,), file = mended.campaigns, mended.contacts_files["r.contacts.yaml"]
        evaluator, case = Evaluator(campaign, mended.config.semantics), file.cases[0]
        options = file.run_options(case)
        outcome = evaluator.run(case.contact, **options)
        assert case.expect.invariants == ("only fresh ones",)
        broken = broken_by(case.expect.invariants, evaluator, case.contact, options, outcome)
        assert (not differences(case.expect, outcome, campaign, broken)) is kept


def test_a_file_that_cannot_be_added_to_is_left_alone(tmp_path: Path) -> None:
    """Cases in flow style stay as they are: the counterexample has a file of its own."""
    flow = "cases: [{name: one, contact: {attempts: 1}, expect: {dial: true}}]\n"
    project = project_in(tmp_path, flow)
    assert save(project, found(project, 0)).startswith("saved in r.counterexamples.contacts.yaml: ")
    assert (tmp_path / "r.contacts.yaml").read_text(encoding="utf-8") == flow
    again = load_project(Config(tmp_path))
    assert again.links["r.counterexamples.contacts.yaml"] is again.campaigns[0]
    assert "already" in save(again, found(project, 0))


def test_what_cannot_be_saved_is_said(tmp_path: Path) -> None:
    """A campaign that there is no longer, or a folder that takes no file, is one sentence."""
    project = project_in(tmp_path)
    one = found(project, 0)
    with pytest.raises(DialproofError, match="there is no campaign 'gone'"):
        save(project, {**one, "campaign": "gone"})
    folder = replace(project, config=Config(tmp_path / "c.contactlist.yaml"), links={})
    with pytest.raises(DialproofError, match=r"r\.contacts\.yaml: cannot be written: Not a directory"):
        save(folder, one)


def test_an_invariant_that_there_is_not_is_no_expectation(tmp_path: Path) -> None:
    """A misspelt name is an error at its place, with the one that was probably meant."""
    (tmp_path / "r.rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "c.contactlist.yaml").write_text(LIST, encoding="utf-8")
    cases = "cases:\n  - name: one\n    contact: {attempts: 1}\n    expect: {invariants: [enuogh]}\n"
    (tmp_path / "r.contacts.yaml").write_text(cases, encoding="utf-8")
    (problem,) = load_project(Config(tmp_path)).problems
    assert str(problem) == (
        "r.contacts.yaml:4:27: DP605 case 'one': there is no invariant 'enuogh'; did you mean enough?"
    )
