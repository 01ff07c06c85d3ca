"""What stands beside our rules, or would not do what it says, is refused before anything is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dialproof.errors import InputError, RefusedError
from tests.deploy.gate.conftest import records, statement_of
from tests.deploy.gate.rule_sets.conftest import CONTACTS, RULES, edit, stored

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.gate.conftest import Make
    from tests.deploy.gate.rule_sets.conftest import Console


def test_rules_of_others_and_what_they_do(root: Path, deployer: Make, console: Console) -> None:
    """A rule that was added by hand is refused; kept, it is read with the columns' names here and run on our cases."""
    deployer().deploy(statement_of(root))
    rule_set, _ = stored(deployer)
    wide = {"type": "contactAttributeCondition", "attributeName": "ltv", "operator": "GREATER_THAN", "value": "10"}
    by_hand = {
        "name": "by_hand",
        "order": 2,
        "category": "DIALER_PRECALL",
        "conditions": [{**wide, "valueType": "NUMERIC", "inverted": False}],
        "actions": [{"type": "Action", "actionTypeName": "SWITCH_TO_PREVIEW", "properties": {}}],
    }
    console.put("rulesets", rule_set["id"], rules=[*rule_set["rules"], by_hand])
    evidence = statement_of(root)
    with pytest.raises(RefusedError, match="rule set 'Premium routing': foreign rule 'by_hand'"):
        deployer().deploy(evidence)
    keeping = replace(deployer().environment, keep=("by_hand",))
    kept = deployer()
    kept.environment = keeping
    assert kept.plan()[0].kept == ("by_hand",)
    by_hand["actions"] = [{"type": "Action", "actionTypeName": "DO_NOT_DIAL", "properties": {}}]
    console.put("rulesets", rule_set["id"], rules=[*rule_set["rules"], by_hand])
    with pytest.raises(RefusedError, match="kept rule 'by_hand' changes the outcome of the case 'one'"):
        kept.deploy(evidence)
    assert deployer(prune=["by_hand"]).deploy(evidence).writes == 1
    assert [r["name"] for r in stored(deployer)[0]["rules"]] == ["no_consent", "high_value"]


def test_another_set_that_is_kept_runs_with_ours(root: Path, deployer: Make, console: Console) -> None:
    """In which order two sets run is not documented: what either order changes is a refusal, as a kept rule's is."""

    def other(action: str, **properties: str) -> None:
        wide = {"type": "contactAttributeCondition", "attributeName": "ltv", "operator": "GREATER_THAN", "value": "10"}
        actions = [{"type": "Action", "actionTypeName": action, "properties": properties}]
        conditions = [{**wide, "valueType": "NUMERIC", "inverted": False}]
        rule = {"name": "x", "order": 0, "category": "DIALER_PRECALL", "conditions": conditions, "actions": actions}
        console.put("rulesets", "legal", name="Legal", rules=[rule])

    other("SET_CALLER_ID", callerName="Acme")
    console.put("campaigns", "cmp_123", name="Spring", ruleSets=[{"id": "legal"}])
    evidence = statement_of(root)
    with pytest.raises(RefusedError, match="campaign 'Spring' has another rule set, 'Legal'"):
        deployer().deploy(evidence)
    kept = deployer()
    kept.environment = replace(kept.environment, keep=("ruleSet:Legal",))
    other("DO_NOT_DIAL")
    with pytest.raises(RefusedError, match="kept rule 'Legal: x' changes the outcome of the case 'one'"):
        kept.deploy(evidence)
    other("SET_CALLER_ID", callerName="Acme")
    assert kept.deploy(evidence).writes == 2
    other("DO_NOT_DIAL")
    with pytest.raises(RefusedError, match="kept rule 'Legal: x'"):
        kept.deploy(evidence)
    assert [step.action for step in deployer(prune=["ruleSet:Legal"]).plan()[0].steps] == ["attach"]


def test_campaigns_of_others_and_several_of_ours(root: Path, deployer: Make, console: Console) -> None:
    """Campaigns of one file share a set, planned once; one of somebody else is refused until keep names it."""
    edit(root, "campaign: cmp_123", "campaigns: [cmp_123, cmp_456]")
    (plan,) = deployer().plan()
    assert plan.logical == "cmp_123, cmp_456"
    assert [step.action for step in plan.steps] == ["create", "attach", "attach"]
    deployer().deploy(statement_of(root))
    rule_set, campaigns = stored(deployer)
    assert [c["id"] for c in campaigns] == ["cmp_123", "cmp_456"]
    console.put("campaigns", "theirs", name="Winter", ruleSets=[{"id": rule_set["id"]}])
    with pytest.raises(RefusedError, match="campaign 'Winter', which is not of these files, uses the rule set"):
        deployer().deploy(statement_of(root))
    kept = deployer()
    kept.environment = replace(kept.environment, keep=("campaign:Winter",))
    assert kept.deploy(statement_of(root)).writes == 0
    decided = [r["logicalCampaign"] for r in records(root) if r.get("decision") == "deployed"]
    assert decided == ["cmp_123, cmp_456"] * 2


def test_a_rule_that_left_the_files_is_an_orphan(root: Path, deployer: Make, console: Console) -> None:
    """The audit log says which rules of a set are ours."""
    deployer().deploy(statement_of(root))
    text = (root / "a.rules.yaml").read_text(encoding="utf-8")
    (root / "a.rules.yaml").write_text(text[: text.index("  - name: high_value")], encoding="utf-8")
    (root / "a.contacts.yaml").write_text(CONTACTS.replace(", contact: {tier: gold}", ""), encoding="utf-8")
    with pytest.raises(RefusedError, match="orphan rule 'high_value', which an earlier deploy created"):
        deployer().deploy(statement_of(root))


def test_a_column_that_the_contact_list_lacks_is_said_before_anything_is_written(
    root: Path, deployer: Make, console: Console
) -> None:
    """A refusing rule on it would never act: refused; of another rule it is a note, and so is a list that is hidden."""
    console.put("contactlists", "cl1", name="Customers", columnNames=["ltv", "tier"], phoneColumns=[])
    console.put("campaigns", "cmp_123", name="Spring", contactList={"id": "cl1"})
    [plan] = deployer().plan()
    assert [r.partition(", so that")[0] for r in plan.refusals] == [
        "rule 'no_consent' uses column 'consent', which contact list 'Customers' of campaign 'Spring' does not have"
    ]
    assert [note.partition(",")[0] for note in plan.notes] == ["rule 'high_value' uses column 'state'"]
    with pytest.raises(RefusedError, match="uses column 'consent'"):
        deployer().deploy(statement_of(root))
    assert [r["decision"] for r in records(root) if "decision" in r] == []
    console.fault(kind="status", status=403, path_contains="/contactlists/cl1")
    [plan] = deployer().plan()
    assert plan.refusals == ()
    assert "is not known: GET /api/v2/outbound/contactlists/cl1: access denied (403)" in plan.notes[0]
    console.put("contactlists", "cl1", columnNames=["ltv", "tier", "consent", "state"])
    assert deployer().plan()[0].notes == ()


def test_two_files_of_one_set_are_refused(root: Path, deployer: Make, console: Console) -> None:
    """Campaigns with other rules cannot share a set: the second would replace the first."""
    other = RULES.replace("cmp_123", "cmp_456").replace("5000", "7000").replace("customFields.lifetimeValue", "ltv")
    (root / "b.rules.yaml").write_text(other, encoding="utf-8")
    with pytest.raises(InputError, match="cmp_123 and cmp_456 would share the rule set 'Premium routing'"):
        deployer().plan()


def test_a_running_campaign_asks_for_the_number_of_those_who_come_to_be_dialed(
    root: Path, deployer: Make, console: Console
) -> None:
    """The platform says which campaigns are on: one that is off takes the rules without a word."""
    console.put("campaigns", "cmp_123", name="Spring", campaignStatus="on")
    deployer().deploy(statement_of(root))
    evidence = edit(
        root,
        'equals, value: "no"}\n',
        'equals, value: "no"}\n      - {attribute: state, operator: equals, value: TX}\n',
    )
    [plan] = deployer().plan()
    assert plan.dialing is not None
    assert (plan.dialing.running, plan.dialing.more, plan.dialing.told) == (("Spring",), 0, True)
    says = r"and so would others \(one with .*consent = \"no\".*\); Spring is running: .* --confirm-widening 0"
    with pytest.raises(RefusedError, match=says):
        deployer().deploy(evidence)
    assert deployer(confirm_widening=0).deploy(evidence).writes == 1
    narrower = edit(root, "value: TX}", "value: NY}")
    console.put("campaigns", "cmp_123", campaignStatus="off")
    assert deployer().deploy(narrower).writes == 1
