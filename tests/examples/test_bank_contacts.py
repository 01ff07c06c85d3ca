"""The bank example on all 4,119 real contacts, against counts that were made without dialproof.

The file is not in the repository: ``DIALPROOF_BANK_CSV`` names it. It is bank-additional.csv of the Bank Marketing data
set (UCI Machine Learning Repository, CC BY 4.0).
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.evaluate import Evaluator, conflicts_of
from dialproof.project import load_project
from tests.examples.bank_by_hand import OFFERS, ON_LIST, RULES, Counts, count_in_python, count_in_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.model.contacts import Contact
    from dialproof.outcome import Outcome
    from dialproof.project import Project

ROOT = Path(__file__).resolve().parents[2]
EXPORT = os.environ.get("DIALPROOF_BANK_CSV", "")
CONTACTS = 4119
SAMPLE = 60


@pytest.fixture(scope="module")
def export() -> Path:
    """Return the file with the real contacts; without it the tests that need it are skipped."""
    if not EXPORT:
        pytest.skip("the real contacts are not here: set DIALPROOF_BANK_CSV to the path of bank-additional.csv")
    return Path(EXPORT)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, export: Path) -> Project:
    """Return the example with the export put beside its cases, as it is."""
    folder = tmp_path_factory.mktemp("bank")
    shutil.copytree(
        ROOT / "examples" / "bank_campaign",
        folder,
        ignore=shutil.ignore_patterns(".*"),
        dirs_exist_ok=True,
    )
    shutil.copy(export, folder / "export.contacts.csv")
    project = load_project(load_config(folder))
    assert not project.problems
    return project


@pytest.fixture(scope="module")
def population(project: Project) -> Sequence[Contact]:
    """Return the real contacts as the project has read them."""
    return project.contacts_files["export.contacts.csv"].population


@pytest.fixture(scope="module")
def outcomes(project: Project, population: Sequence[Contact]) -> list[Outcome]:
    """Return the outcome of every real contact."""
    evaluator = Evaluator(project.campaigns[0], project.config.semantics)
    assert not evaluator.problems
    assert not evaluator.fallbacks.keys() & RULES.keys()
    return [evaluator.run(contact) for contact in population]


@pytest.fixture(scope="module")
def counted(outcomes: list[Outcome]) -> Counts:
    """Return the counts that dialproof comes to."""
    matched = Counter(rule for outcome in outcomes for rule in outcome.matched)
    lists = Counter(name for outcome in outcomes for name, on in outcome.lists.items() if on)
    offers = Counter(str(outcome.contact.get("offer", "")) for outcome in outcomes)
    assert matched.keys() <= RULES.keys()
    assert lists.keys() <= ON_LIST.keys()
    assert offers.keys() <= {"", *OFFERS}
    return Counts(
        contacts=len(outcomes),
        matched={name: matched[name] for name in RULES},
        lists={name: lists[name] for name in ON_LIST},
        offers={name: offers[name] for name in OFFERS},
        dialed=sum(outcome.dial is True for outcome in outcomes),
    )


def test_counts_agree_with_python(counted: Counts, export: Path) -> None:
    """Per rule, per list, per offer, and dialed: the csv module and plain Python come to the same numbers."""
    assert counted == count_in_python(export)


def test_counts_agree_with_sql(counted: Counts, export: Path) -> None:
    """SQLite, with conditions written in SQL, comes to the same numbers."""
    assert counted == count_in_sql(export)


def test_a_backtest_comes_to_the_same_numbers(
    export: Path, capsys: pytest.CaptureFixture[str], outcomes: list[Outcome]
) -> None:
    """By columns, out of the file itself: per rule, per list and dialed as in Python, combinations as row by row."""
    arguments = ["backtest", str(ROOT / "examples" / "bank_campaign"), str(export), "-f", "json", "--top", "1000"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    by_hand = count_in_python(export)
    assert found["contacts"] == by_hand.contacts
    assert found["dialed"] == by_hand.dialed
    assert {rule["name"]: rule["matched"] for rule in found["rules"]} == by_hand.matched
    assert {name: one["on"] for name, one in found["lists"].items()} == by_hand.lists
    combinations = Counter(outcome.matched for outcome in outcomes)
    assert {tuple(one["rules"]): one["contacts"] for one in found["combinations"]} == combinations
    assert all(conflict["declared"] for conflict in found["conflicts"])
    assert found["rules_by_row"] == {}


def test_the_numbers_are_worth_comparing(counted: Counts) -> None:
    """Every rule but the one for minors (there are none) splits the contacts; so do lists, offers and the dialing."""
    assert counted.contacts == CONTACTS
    numbers = {**counted.matched, **counted.lists, **counted.offers, "dialed": counted.dialed}
    assert {name for name, number in numbers.items() if not 0 < number < counted.contacts} == {"minors"}


def test_every_enabled_rule_is_counted_by_hand(project: Project) -> None:
    """A rule that is added to the example without a count by hand fails here."""
    assert {rule.name for rule in project.campaigns[0].rules if rule.enabled} == RULES.keys()


def test_real_contacts_are_decided_without_conflict(outcomes: list[Outcome], project: Project) -> None:
    """Every real contact fits the contact list; the only contradiction is the overwrite that is declared."""
    declared = {(one, rule.name) for rule in project.campaigns[0].rules for one in rule.overrides}
    assert all(outcome.failure is None and not outcome.undecided for outcome in outcomes)
    assert {pair for outcome in outcomes for pair in conflicts_of(outcome)} == declared


def test_the_invariants_hold_for_every_real_contact(
    project: Project, population: Sequence[Contact], outcomes: list[Outcome]
) -> None:
    """What the example promises of every contact is true of the real ones."""
    evaluator = Evaluator(project.campaigns[0], project.config.semantics)
    for invariant in project.campaigns[0].invariants:
        # What only cel-python can evaluate takes a millisecond a contact: a part of them has to do.
        step = 20 if invariant.name in evaluator.fallbacks else 1
        pairs = list(zip(population, outcomes, strict=True))[::step]
        held = [evaluator.invariant(invariant, contact, outcome) for contact, outcome in pairs]
        assert held == [True] * len(pairs), invariant.name


def test_compiled_and_reference_agree(project: Project, population: Sequence[Contact], outcomes: list[Outcome]) -> None:
    """On contacts spread over the whole file cel-python alone comes to the same outcomes as the compiled rules."""
    reference = Evaluator(project.campaigns[0], project.config.semantics, reference=True)
    for index in range(0, len(population), -(-len(population) // SAMPLE)):
        assert reference.run(population[index]) == outcomes[index]
