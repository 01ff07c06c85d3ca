"""A case with a timeline is held against kept rules, and its personal values are known, as those of other cases are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.config import Config
from dialproof.project import Project
from dialproof_deploy.audit.personal import personal_values
from dialproof_deploy.plan.kept import refusals_of_kept
from tests.lint.cel.build import action, condition, rule
from tests.lint.timelines.build import WINBACK, contacts_file

if TYPE_CHECKING:
    from dialproof.model.rules import Rule

FILE = contacts_file("""\
timeZone: America/Denver
cases:
  - name: two calls
    contact: {attempts: 0, cell: "+13035550001"}
    context: {phone: {number: "+13035550002"}}
    timeline:
      - {at: 2026-03-02T10:00, attempt: {wrapUpCode: no_answer}, context: {phone: {number: "+13035550003"}}}
      - {at: P1D, update: {cell: "+13035550004"}}
      - {at: P1D, attempt: {}, expect: {contact: {cell: "+13035550005"}}}
""")
PROJECT = Project(Config(root=Path()), {}, {FILE.path: FILE}, {}, (WINBACK,), {FILE.path: WINBACK}, (), {})


def refusals(kept: Rule) -> list[str]:
    """Return what speaks against a kept rule, as far as the cases do."""
    rules = {one.name: one for one in (*WINBACK.rules, kept)}
    wires = [{"name": one.name} for one in WINBACK.rules]
    found = refusals_of_kept(PROJECT, WINBACK, wires, [{"name": kept.name}], lambda wire: rules[wire["name"]])
    return [text for text in found if "the outcome of" in text]


def test_a_kept_rule_must_not_change_what_a_timeline_shows() -> None:
    """One that acts on who was called once is refused; one that nobody meets is not."""
    after_one = rule("by_hand", condition("attempts", "equals", 1.0), order=50, actions=(action("doNotDial"),))
    (text,) = refusals(after_one)
    assert text.startswith("winback.contacts.yaml:3: kept rule 'by_hand' changes the outcome of the case 'two calls'")
    assert refusals(replace(after_one, conditions=(condition("attempts", "equals", 7.0),))) == []


def test_the_personal_values_of_a_timeline_are_known() -> None:
    """Of the contact, of updates, of what is expected, and of the numbers that are called."""
    assert sorted(personal_values(PROJECT)) == [f"+1303555000{n}" for n in range(1, 6)]
