"""A set is written once, and only what has changed; a rollback is a write too."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dialproof.errors import RefusedError
from dialproof_deploy.audit.log import verify
from dialproof_deploy.targets.rulesets import RuleSetsTarget
from tests.deploy.gate.conftest import records, statement_of
from tests.deploy.gate.rule_sets.conftest import edit, stored

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.gate.conftest import Make
    from tests.deploy.gate.rule_sets.conftest import Console


def test_a_set_is_deployed_and_then_left_alone(root: Path, deployer: Make, console: Console) -> None:
    """It is created and given to its campaign, which keeps running; a second deploy writes nothing."""
    console.put("campaigns", "cmp_123", name="Spring", campaignStatus="on")
    result = deployer().deploy(statement_of(root))
    assert [(made.step.title, made.version_after) for made in result.applied[0].made] == [
        ("create of rule set 'Premium routing'", 1),
        ("attach to campaign 'Spring'", 2),
    ]
    rule_set, campaigns = stored(deployer)
    assert [(r["name"], r["order"], r["category"]) for r in rule_set["rules"]] == [
        ("no_consent", 0, "DIALER_PRECALL"),
        ("high_value", 1, "DIALER_PRECALL"),
    ]
    assert [c["attributeName"] for c in rule_set["rules"][1]["conditions"]] == ["ltv", "state", "state"]
    assert [(c["name"], c["ruleSet"], c["campaignStatus"]) for c in campaigns] == [("Spring", "Premium routing", "on")]
    before = console.requests()
    again = deployer().deploy(statement_of(root))
    now = console.requests()
    assert again.writes == 0
    more = {key: now[key] - before.get(key, 0) for key in now if now[key] != before.get(key, 0)}
    assert (more.pop("POST audits"), more.pop("GET audits")) == (1, 3)
    assert more == {"POST oauth": 1, "GET rulesets": 2, "GET campaigns": 1}
    assert (result.new_events, again.new_events) == (1, 0)
    assert verify(result.audit_log).ok


def test_the_platform_says_who_changed_the_set(root: Path, deployer: Make, console: Console) -> None:
    """Changes of the set are events, ours and others'; further back than it answers at once they are queried."""
    deployer(clock=lambda: datetime.now(UTC)).deploy(statement_of(root, datetime.now(UTC)))
    rule_set, _ = stored(deployer)
    console.put("rulesets", rule_set["id"], queue=None, rules=rule_set["rules"][:1])
    assert deployer().sync_events() == 1
    assert deployer().sync_events("30d") == 0
    events = [json.loads(line) for line in deployer().state.events("sandbox").read_text().splitlines()]
    assert [(e["eventType"], e["ruleName"], e["changed_by"]) for e in events] == [
        ("outbound.ruleset.created", "Premium routing", "dialproof"),
        ("outbound.ruleset.updated", "Premium routing", "other"),
    ]


def test_one_changed_rule_is_one_write(root: Path, deployer: Make, console: Console) -> None:
    """The rule keeps its id; the audit has one change, with the rules that it is about."""
    deployer().deploy(statement_of(root))
    before, _ = stored(deployer)
    evidence = edit(root, "5000", "6000")
    asked = console.requests()
    assert deployer().deploy(evidence).writes == 1
    now = console.requests()
    assert now["PUT rulesets"] == asked.get("PUT rulesets", 0) + 1
    assert now.get("PUT campaigns") == asked.get("PUT campaigns")
    after, _ = stored(deployer)
    assert after["version"] == before["version"] + 1
    assert [r["id"] for r in after["rules"]] == [r["id"] for r in before["rules"]]
    change = [r for r in records(root) if r["event"] == "change"][-1]
    assert (change["rule"], change["action"], change["remote_id"]) == ("Premium routing", "update", after["id"])
    assert (change["version_before"], change["version_after"]) == (1, 2)
    assert list(change["rules"]) == ["high_value"]


def test_a_rollback_is_one_write_too(root: Path, deployer: Make, console: Console) -> None:
    """The earlier rules, in the earlier order, in a further version; an edit since then has to be named."""
    deployer().deploy(statement_of(root))
    first, _ = stored(deployer)
    text = (root / "a.rules.yaml").read_text(encoding="utf-8")
    later = (
        text[text.index("  - name: high_value") :]
        .replace("high_value", "later")
        .replace("executionOrder: 2", "executionOrder: 9")
    )
    (root / "a.rules.yaml").write_text(text.replace("5000", "6000") + later, encoding="utf-8")
    deployer().deploy(statement_of(root))
    rule_set, _ = stored(deployer)
    rule_set["rules"][0]["conditions"][0]["value"] = "never"
    console.put("rulesets", rule_set["id"], rules=rule_set["rules"])
    with pytest.raises(RefusedError, match=r"rule 'no_consent' was changed on the target.*name it in --overwrite"):
        deployer().rollback()
    result = deployer().rollback(overwrite=["no_consent"])
    assert [made.step.title for made in result.applied[0].made] == ["update of rule set 'Premium routing'"]
    now, campaigns = stored(deployer)
    assert [r["conditions"] for r in now["rules"]] == [r["conditions"] for r in first["rules"]]
    assert ([r["name"] for r in now["rules"]], now["version"]) == (["no_consent", "high_value"], 4)
    assert [c["ruleSet"] for c in campaigns] == ["Premium routing"]
    assert verify(result.audit_log).ok


def test_a_plan_of_several_sets_reads_the_campaigns_once(root: Path, deployer: Make, console: Console) -> None:
    """There may be thousands of campaigns, and a hundred to a page."""
    text = (root / "a.rules.yaml").read_text(encoding="utf-8")
    other = text.replace("cmp_123", "cmp_456").replace("Premium routing", "Winter")
    (root / "b.rules.yaml").write_text(other, encoding="utf-8")
    for campaign in ("cmp_123", "cmp_456"):
        console.put("campaigns", campaign, name=campaign)
    before = console.requests()
    plans = deployer().plan()
    now = console.requests()
    assert [[step.action for step in plan.steps] for plan in plans] == [["create", "attach"]] * 2
    more = {key: count - before.get(key, 0) for key, count in now.items() if count != before.get(key, 0)}
    assert more == {"POST oauth": 1, "GET rulesets": 2, "GET campaigns": 1}


def test_warnings_of_the_platform_are_notes_and_records(root: Path, deployer: Make, console: Console) -> None:
    """Diagnostics are read once something was written; that they cannot be read is a note as well."""
    console.put("contactlists", "cl1", name="Customers", columnNames=["ltv", "consent", "tier"], phoneColumns=[])
    console.put("campaigns", "cmp_123", name="Spring", contactList={"id": "cl1"})
    notes = deployer().deploy(statement_of(root)).notes
    warning = "rule set 'Premium routing': CONTACT_ATTRIBUTE_NOT_IN_CONTACT_LIST"
    assert f"campaign 'Spring': the platform warns: {warning}" in notes
    (record,) = [r for r in records(root) if r["event"] == "diagnostic"]
    assert (record["remote_id"], record["details"]["warnings"]) == ("cmp_123", [warning])
    assert deployer().deploy(statement_of(root)).notes == ()
    evidence = edit(root, "5000", "6000")
    console.fault(kind="status", status=403, path_contains="/diagnostics")
    notes = deployer().deploy(evidence).notes
    assert [note for note in notes if "the diagnostics could not be read: GET" in note]


def test_an_interrupt_once_all_is_made_is_a_note(root: Path, deployer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deploy is made: it must not end as one that was interrupted."""

    def interrupted(*_: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(RuleSetsTarget, "diagnostics", interrupted)
    result = deployer().deploy(statement_of(root))
    assert (result.writes, result.notes[:1]) == (2, ("the diagnostics were not read: interrupted",))
