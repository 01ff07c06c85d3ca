"""Plan and deploy to rule sets against the embedded sandbox: one write, and nobody's edit is lost."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dialproof.errors import InputError, PartlyAppliedError, RefusedError, RemoteConflictError, RemoteError
from dialproof_deploy.audit.log import verify
from dialproof_deploy.plan.plan import target_digest
from dialproof_deploy.plan.plan_file import Planned
from dialproof_deploy.targets import platform_audit, rulesets
from dialproof_deploy.targets.rulesets import RuleSetsTarget
from tests.deploy.gate.conftest import records, statement_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dialproof_deploy.deploy import Deployer
    from dialproof_deploy.sandbox.serve import Sandbox

    Make = Callable[..., Deployer]

RULES = """\
campaign: cmp_123
ruleSet: Premium routing
rules:
  - name: no_consent
    version: 3
    priority: 900
    executionOrder: 1
    conditions:
      - {attribute: consent, operator: equals, value: "no"}
    actions:
      - {type: doNotDial}
  - name: high_value
    version: 1
    priority: 100
    executionOrder: 2
    conditions:
      - {attribute: customFields.lifetimeValue, operator: greaterThan, value: 5000, type: number}
      - {attribute: state, operator: notIn, value: [TX, CA]}
    actions:
      - {type: setAttribute, attribute: tier, value: gold}
"""
CONTACTS = """\
cases:
  - name: one
    contact: {customFields: {lifetimeValue: 9000}, state: NY, consent: yes}
    expect: {dial: true, contact: {tier: gold}}
"""
COLUMNS = """\
columns:
  customFields.lifetimeValue: {type: number, column: ltv}
  state: {type: string}
  consent: {type: string, enum: ["yes", "no"], required: true}
  tier: {type: string}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of a project whose sandbox is one of rule sets."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dialproof.toml").write_text('[environments.sandbox]\ntarget = "rulesets"\n', encoding="utf-8")
    rules = RULES.replace("ruleSet:", "contactList: a.contactlist.yaml\nruleSet:")
    (folder / "a.rules.yaml").write_text(rules, encoding="utf-8")
    (folder / "a.contacts.yaml").write_text(CONTACTS, encoding="utf-8")
    (folder / "a.contactlist.yaml").write_text(COLUMNS, encoding="utf-8")
    return folder


class Console:
    """What people do in the platform's user interface, and what the sandbox was asked."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def put(self, kind: str, key: str, **fields: Any) -> dict[str, Any]:
        """Make or change a thing."""
        answer = self._http.put(f"/_sandbox/{kind}/{key}", json=fields, params={"user": "somebody"})
        assert answer.is_success, answer.text
        return dict(answer.json())

    def settings(self, **fields: Any) -> None:
        """Change the sandbox's settings."""
        assert self._http.put("/_sandbox/settings", json=fields).is_success

    def fault(self, **fields: Any) -> None:
        """Queue a fault."""
        assert self._http.post("/_sandbox/faults", json=fields).is_success

    def requests(self) -> dict[str, int]:
        """Return the number of requests since the last call, by method and the first part of the path."""
        found: dict[str, int] = {}
        for entry in self._http.get("/_sandbox/requests").json()["requests"]:
            path = entry["path"].removeprefix("/api/v2/").removeprefix("outbound/").split("/")[0]
            found[f"{entry['method']} {path}"] = found.get(f"{entry['method']} {path}", 0) + entry["count"]
        return found


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a written version without waiting in between."""
    for module in (platform_audit, rulesets):
        monkeypatch.setattr(module, "_POLLS", (0.0,) * len(module._POLLS))


@pytest.fixture
def console(sandbox: Sandbox) -> Iterator[Console]:
    """Return the user interface."""
    with httpx.Client(base_url=sandbox.url, auth=(sandbox.client_id, sandbox.client_secret)) as http:
        yield Console(http)


def stored(deployer: Make) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the rule set and the campaigns that use it."""
    with deployer().connected() as target:
        rule_set, *campaigns = target.list_rules("Premium routing")
    return rule_set, campaigns


def edit(root: Path, old: str, new: str) -> dict[str, Any]:
    """Change the rules file, and return the evidence of it."""
    path = root / "a.rules.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return statement_of(root)


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


def test_an_edit_between_plan_and_apply_is_never_overwritten(root: Path, deployer: Make, console: Console) -> None:
    """Not between the plan that was shown and the deploy, and not between the reading of a deploy and its write."""
    deployer().deploy(statement_of(root))
    evidence = edit(root, "5000", "6000")
    planned = {plan.campaign: Planned(plan.digest, target_digest(plan.remote)) for plan in deployer().plan()}
    rule_set, _ = stored(deployer)
    rules = rule_set["rules"]
    rules[0]["conditions"][0]["value"] = "never"
    console.put("rulesets", rule_set["id"], rules=rules)
    with pytest.raises(RemoteConflictError, match="what stands on the target has changed"):
        deployer().deploy(evidence, planned=planned)

    class Editor(RuleSetsTarget):
        """Somebody saves the set while the deploy is about to write it."""

        def update_rule(self, *args: Any) -> Any:
            rules[0]["conditions"][0]["value"] = "maybe"
            console.put("rulesets", rule_set["id"], rules=rules)
            return super().update_rule(*args)

    meddled = deployer()
    open_as_usual = meddled.connected

    @contextmanager
    def opened() -> Iterator[Any]:
        with open_as_usual() as target:
            target.__class__ = Editor
            yield target

    meddled.connected = opened  # type: ignore[method-assign]
    with pytest.raises(RemoteConflictError, match=r'rules\.no_consent\.conditions\[0\]\.value.*theirs "maybe"'):
        meddled.deploy(evidence)
    after, _ = stored(deployer)
    assert [r["conditions"][0]["value"] for r in after["rules"]] == ["maybe", "5000"]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate"])
def test_lost_answers_and_stale_reads(kind: str, root: Path, deployer: Make, console: Console) -> None:
    """A write whose answer is lost is made once; a read that is behind the write is no other state."""
    quick = replace(deployer().environment, retry=replace(deployer().environment.retry, tries=1))
    console.fault(kind=kind, method="POST", path_contains="/rulesets")
    console.settings(stale_reads=1)
    deployer().deploy(statement_of(root))
    console.fault(kind=kind, method="PUT", path_contains="/rulesets")
    evidence = edit(root, "5000", "6000")
    made = deployer()
    made.environment = quick
    if kind == "drop_before":  # nothing was made in the only try, and it says so
        with pytest.raises(RemoteError, match=r"gave no answer(?s:.*)nothing was changed"):
            made.deploy(evidence)
    assert made.deploy(evidence).writes == 1
    after, campaigns = stored(deployer)
    assert (after["version"], after["rules"][1]["conditions"][0]["value"]) == (2, "6000")
    assert [c["ruleSet"] for c in campaigns] == ["Premium routing"]


def test_a_deploy_that_was_killed_is_recovered(
    root: Path, deployer: Make, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the journal and the answer: the next run finds out what became of the write, and goes on."""
    create = RuleSetsTarget.create_rule

    def killed(self: RuleSetsTarget, *args: Any) -> Any:
        create(self, *args)
        raise SystemExit

    monkeypatch.setattr(RuleSetsTarget, "create_rule", killed)
    monkeypatch.setattr("dialproof_deploy.plan.apply._undone", lambda run, error, left: error)
    with pytest.raises(SystemExit):
        deployer().deploy(statement_of(root))
    monkeypatch.undo()
    assert [r["phase"] for r in records(root) if r.get("phase")] == ["change.started"]
    with pytest.raises(RefusedError, match="--resume"):
        deployer().deploy(statement_of(root))
    said: list[str] = []
    resumed = deployer(say=said.append).resume()
    assert [line for line in said if "the create of rule set 'Premium routing': it was made" in line]
    assert [made.step.action for made in resumed.applied[0].made] == ["attach"]
    assert [(r["phase"], r["action"]) for r in records(root) if r["event"] == "change"] == [
        ("change.made", "create"),
        ("change.made", "attach"),
    ]
    assert deployer().deploy(statement_of(root)).writes == 0
    assert verify(resumed.audit_log).ok


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


def test_a_rule_that_left_the_files_is_an_orphan(root: Path, deployer: Make, console: Console) -> None:
    """The audit log says which rules of a set are ours."""
    deployer().deploy(statement_of(root))
    text = (root / "a.rules.yaml").read_text(encoding="utf-8")
    (root / "a.rules.yaml").write_text(text[: text.index("  - name: high_value")], encoding="utf-8")
    (root / "a.contacts.yaml").write_text(CONTACTS.replace(", contact: {tier: gold}", ""), encoding="utf-8")
    with pytest.raises(RefusedError, match="orphan rule 'high_value', which an earlier deploy created"):
        deployer().deploy(statement_of(root))


def test_a_failure_of_the_second_write_takes_the_first_back(root: Path, deployer: Make, console: Console) -> None:
    """The set that was created goes again; where that fails too, the message says what stands."""
    console.fault(kind="status", status=403, method="PUT", path_contains="/campaigns/cmp_123")
    with pytest.raises(RemoteError, match="the 1 write made was undone"):
        deployer().deploy(statement_of(root))
    with deployer().connected() as target:
        assert [d["ruleSet"] for d in target.list_rules("Premium routing")] == [None]
    console.fault(kind="status", status=403, method="PUT", path_contains="/campaigns/cmp_123")
    console.fault(kind="status", status=403, method="DELETE")
    with pytest.raises(PartlyAppliedError, match="made and still standing: create of rule set 'Premium routing'"):
        deployer().deploy(statement_of(root))
    assert deployer().abort() == 1


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
