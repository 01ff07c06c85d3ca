"""Populations in evidence and plans: the list that was tested has to be there, and kept rules change no count."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.errors import RefusedError
from tests.deploy.gate.conftest import statement_of

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox
    from tests.deploy.gate.conftest import Make

ROWS = "lifetimeValue,state,consent\n9000,NY,yes\n100,TX,no\n"


@pytest.fixture
def listed(root: Path) -> Path:
    """Return the root of a project with one case and a population of two contacts."""
    (root / "march.csv").write_text(ROWS, encoding="utf-8")
    population = "population:\n  - {name: march, contacts: march.csv, expect: {contacts: 2, dial: 1}}\n"
    with (root / "a.contacts.yaml").open("a", encoding="utf-8") as file:
        file.write(population)
    return root


def test_another_list_was_not_tested(listed: Path, deployer: Make, sandbox: Sandbox) -> None:
    """A deploy reads the list again: it must be the one of the tests, to the byte, and in its place."""
    evidence = statement_of(listed)
    (listed / "march.csv").write_text(ROWS + "1,TX,no\n", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"march\.csv was changed after the tests"):
        deployer().deploy(evidence)
    (listed / "march.csv").unlink()
    with pytest.raises(RefusedError, match=r"march\.csv was tested and is gone"):
        deployer().deploy(evidence)
    (listed / "march.csv").write_text(ROWS, encoding="utf-8")
    assert deployer().deploy(evidence).writes == 2


@pytest.mark.parametrize(
    ("actions", "refusals"),
    [
        (
            [{"type": "setList", "listId": "warm", "value": "true"}],
            ["a.contacts.yaml:4: a kept rule changes what the population 'march' counts"],
        ),
        ([{"type": "setSkills", "skills": ["a"]}], []),
    ],
)
def test_a_kept_rule_must_not_change_what_is_counted(
    listed: Path, deployer: Make, sandbox: Sandbox, actions: list[dict[str, Any]], refusals: list[str]
) -> None:
    """The rule of somebody else meets no case, but a contact of the list."""
    poor = {"attribute": "lifetimeValue", "operator": "lessThan", "value": "1000", "type": "number"}
    rule = {"name": "by_hand", "version": 1, "priority": 5, "executionOrder": 9, "conditions": [poor]}
    with deployer().connected() as target:
        target.create_rule("cmp_123", {**rule, "actions": actions})
    kept = deployer()
    kept.environment = replace(kept.environment, keep=("by_hand",))
    assert [refusal.partition(": take")[0] for refusal in kept.plan()[0].refusals] == refusals


def test_without_the_extra_kept_rules_are_refused(
    listed: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows then what they do to the list."""
    rule = {"name": "by_hand", "version": 1, "priority": 5, "executionOrder": 9}
    with deployer().connected() as target:
        target.create_rule("cmp_123", rule)
    kept = deployer()
    kept.environment = replace(kept.environment, keep=("by_hand",))
    monkeypatch.setitem(sys.modules, "polars", None)
    assert (
        "a.contacts.yaml:4: the population 'march' cannot be run beside kept rules: whole contact lists need polars: "
        "pip install 'dialproof[bulk]'"
    ) in kept.plan()[0].refusals
