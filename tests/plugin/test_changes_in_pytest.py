"""What has changed since a revision, under pytest: the item ``changes``, and the gate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dialproof.config import load_config
from dialproof.items import item_names
from dialproof.project import load_project
from tests.lint.git import Git
from tests.plugin.conftest import edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

REFUSING = """\
  - name: worthless
    version: 1
    priority: 5
    executionOrder: 3
    conditions:
      - {attribute: customFields.lifetimeValue, operator: lessThan, value: 10}
    actions: [{type: doNotDial}]
invariants:
"""
CASE = """\
  - name: nobody calls the worthless
    contact: {customFields: {lifetimeValue: 5, leadAge: 200}}
    expect: {matched: [worthless], dial: false}
"""


@pytest.fixture
def git(project: Path) -> Git:
    """Return the repository of a green project with one rule that refuses contacts."""
    edit(project / "premium.rules.yaml", "invariants:\n", REFUSING)
    edit(project / "premium.rules.yaml", "always: outcome.dial", "always: outcome.dial || outcome.matched.size() > 0")
    with (project / "premium.contacts.yaml").open("a", encoding="utf-8") as file:
        file.write(CASE)
    repository = Git(project.parent)
    repository.commit()
    return repository


def _items(project: Path) -> int:
    """Return how many items the project has without a base."""
    read = load_project(load_config(project))
    return sum(len(item_names(replace(read, config=replace(read.config, base="")), path)) for path in read.digests)


def _narrow(project: Path) -> None:
    edit(project / "premium.rules.yaml", "operator: lessThan, value: 10}", "operator: lessThan, value: 6}")
    edit(project / "premium.rules.yaml", "version: 1\n    priority: 5", "version: 2\n    priority: 5")


def test_an_unchanged_project_opens_the_gate(git: Git, project: Path, run: Run, workers: str) -> None:
    """With a base every rules file has one more item, in the gate's expectation as well."""
    plain = _items(project)
    run("rules", workers).assert_outcomes(passed=plain)
    result = run("rules", workers, "--dialproof-since=HEAD", "-v")
    result.assert_outcomes(passed=plain + 1)
    result.stdout.fnmatch_lines(["*premium.rules.yaml::changes*", f"GATE OPEN: {plain + 1} of {plain + 1} items *"])


def test_a_removed_suppression_fails_the_item(git: Git, project: Path, run: Run, workers: str) -> None:
    """The item shows the contact that is dialed now, and the gate is closed."""
    _narrow(project)
    result = run("rules", workers, "--dialproof-since=HEAD")
    result.assert_outcomes(passed=_items(project), failed=1)
    result.stdout.fnmatch_lines(
        [
            '*error?DP801? contacts that "worthless" kept from being dialed are dialed now: the rule is narrower',
            "*  at HEAD     matched worthless; no dial (doNotDial: worthless)",
            "*GATE CLOSED*",
        ]
    )


def test_the_base_of_the_configuration_counts(git: Git, project: Path, run: Run) -> None:
    """Without an option the configuration decides, and another revision of an option does not open the gate."""
    (project.parent / "dialproof.toml").write_text("base = 'HEAD'\n", encoding="utf-8")
    _narrow(project)
    run("rules").assert_outcomes(passed=_items(project), failed=1)
    git.commit()
    (project.parent / "dialproof.toml").write_text("base = 'HEAD~1'\n", encoding="utf-8")
    result = run("rules", "--dialproof-since=HEAD")
    result.assert_outcomes(passed=_items(project) + 1)
    result.stdout.fnmatch_lines(
        [
            "GATE CLOSED",
            "  - --dialproof-since=HEAD hides changes that base = 'HEAD~1' of the configuration would show",
        ]
    )


@pytest.mark.parametrize("silence", ["comment", "ignore"])
def test_a_silenced_removal_closes_the_gate_unless_it_is_accepted(
    git: Git, project: Path, run: Run, silence: str
) -> None:
    """A comment or ``ignore`` keeps the item green; only an entry of gate.accept opens the gate."""
    _narrow(project)
    configuration = "base = 'HEAD'\n"
    if silence == "comment":
        reason = "  # dialproof: ignore[DP801] agreed with legal\n  - name: worthless"
        edit(project / "premium.rules.yaml", "  - name: worthless", reason)
    else:
        configuration += "ignore = ['DP801']\n"
    (project.parent / "dialproof.toml").write_text(configuration, encoding="utf-8")
    result = run("rules")
    result.assert_outcomes(passed=_items(project) + 1)
    result.stdout.fnmatch_lines(["GATE CLOSED", '  - *DP801 contacts that "worthless" kept from *gate.accept*'])
    accepted = "[[gate.accept]]\ncode = 'DP801'\nrule = 'worthless'\nreason = 'agreed'\nuntil = 2099-01-01\n"
    (project.parent / "dialproof.toml").write_text(configuration + accepted, encoding="utf-8")
    result = run("rules")
    result.assert_outcomes(passed=_items(project) + 1)
    result.stdout.fnmatch_lines(["GATE OPEN*"])


def test_a_revision_that_is_none_is_one_sentence_for_each_file(git: Git, project: Path, run: Run, workers: str) -> None:
    """It is found when files are collected, not item by item."""
    result = run("rules", workers, "--dialproof-since=nope")
    assert result.ret != 0
    assert "there is no revision 'nope' in this repository" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*GATE CLOSED*"])
