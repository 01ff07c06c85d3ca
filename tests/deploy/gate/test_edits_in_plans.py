"""A plan says what of somebody else's it overwrites, by what the audit log knows of the last deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof_deploy.plan.render import plan_text
from tests.deploy.gate.conftest import RULES, records, statement_of

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox
    from tests.deploy.gate.conftest import Make


def edit(deployer: Make, name: str, **fields: Any) -> None:
    """Change a rule by hand."""
    with deployer().connected() as target:
        found = next(r for r in target.list_rules("cmp_123") if r["name"] == name)
        target.update_rule("cmp_123", found, {**found, **fields})


def notes(deployer: Make, **changes: Any) -> list[str]:
    """Return the notes of the plan."""
    [plan] = deployer(**changes).plan()
    return [line for line in plan_text(plan).splitlines() if line.startswith("Note: ")]


def test_a_plan_names_the_rules_that_somebody_changed(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """Changed and deleted by hand; what only the files changed is no edit; the digest needs no log."""
    assert notes(deployer) == []
    deployer().deploy(statement_of(root))
    (root / "a.rules.yaml").write_text(RULES.replace("priority: 900", "priority: 901"), encoding="utf-8")
    assert notes(deployer) == []
    edit(deployer, "high_value", priority=7)
    [note] = notes(deployer)
    assert note == (
        "Note: rule 'high_value' was changed on the target since the last deploy (priority: 7 → 100): this plan "
        "overwrites that; 'dialproof drift --env sandbox' says by whom"
    )
    [plan] = deployer().plan()
    log = root / ".dialproof/audit/sandbox.jsonl"
    log.rename(log.with_suffix(".aside"))
    [forgotten] = deployer().plan()
    assert forgotten.remarks == ()
    assert forgotten.digest == plan.digest
    log.with_suffix(".aside").rename(log)
    deployer().deploy(statement_of(root))
    [decided] = [r for r in records(root) if r.get("decision") == "apply"][1:]
    assert decided["details"]["notes"] == [note.removeprefix("Note: ")]
    assert notes(deployer) == []


def test_a_plan_names_the_rules_that_somebody_deleted(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """It creates them again."""
    deployer().deploy(statement_of(root))
    with deployer().connected() as target:
        target.delete_rule("cmp_123", next(r for r in target.list_rules("cmp_123") if r["name"] == "no_consent"))
    [note] = notes(deployer)
    assert note.startswith("Note: rule 'no_consent' was deleted on the target since the last deploy: this plan")


def test_of_a_rule_that_goes_the_edit_is_said(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """A rule that no deploy wrote is named by --prune alone."""
    deployer().deploy(statement_of(root))
    edit(deployer, "high_value", priority=7)
    with deployer().connected() as target:
        target.create_rule("cmp_123", {"name": "by_hand", "priority": 5, "executionOrder": 20, "conditions": []})
    text = RULES[: RULES.index("  - name: high_value")] + RULES[RULES.index("  - name: no_consent") :]
    (root / "a.rules.yaml").write_text(text, encoding="utf-8")
    [note] = notes(deployer, prune=["high_value", "by_hand"])
    assert "'high_value', which would be deleted, was changed on the target since it was deployed" in note
