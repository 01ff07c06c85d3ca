"""Cases that ``dialproof mutate --write`` adds, as pytest runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.cli import main
from tests.plugin.conftest import ITEMS, edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def test_a_written_case_fails_when_its_change_is_made(
    project: Path, run: Callable[..., pytest.RunResult], capsys: pytest.CaptureFixture[str]
) -> None:
    """All cases pass as the rules are; under each change that no case noticed before, a written one fails."""
    contacts, rules = project / "premium.contacts.yaml", project / "premium.rules.yaml"
    before = contacts.read_text()
    assert main(["mutate", "rules", "--write", "rules/premium.contacts.yaml"]) == 0
    assert "4 cases are added to rules/premium.contacts.yaml" in capsys.readouterr().err
    assert contacts.read_text().startswith(before)
    run("rules").assert_outcomes(passed=ITEMS + 4)
    for old, new, failing in (
        ('greaterThan, value: "5000"', 'greaterThanOrEqual, value: "5000"', "high_value with*"),
        ('lessThan, value: "7"', 'lessThanOrEqual, value: "7"', "new_lead with*leadAge 7"),
        ('lessThan, value: "7"', 'lessThan, value: "6"', "new_lead with*leadAge 6"),
        ('listId: warm_desk, value: "true"', 'listId: warm_desk, value: "false"', "new_lead*"),
    ):
        edit(rules, old, new)
        result = run("rules", "-k", "review")
        assert result.parseoutcomes()["failed"] == 1
        result.stdout.fnmatch_lines([f"FAILED rules/premium.contacts.yaml::{failing} - *"])
        edit(rules, new, old)
