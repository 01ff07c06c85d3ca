"""Plan and deploy against the embedded sandbox: evidence, refusals, foreign rules, order of environments, audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.config import Environment
from dialproof.errors import InputError, PartlyAppliedError, RefusedError, UsageError
from dialproof_deploy.audit.log import AuditLog, read_records, verify
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from tests.deploy.gate.conftest import NOW, RULES, records, statement_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dialproof_deploy.deploy import Deployer
    from dialproof_deploy.sandbox.serve import Sandbox
    from dialproof_deploy.targets import Written
    from tests.deploy.gate.conftest import Make


def test_deploy_writes_what_was_tested(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """All fields travel: inverted becomes the opposite operator, a list is a JSON array, values are text."""
    result = deployer().deploy(statement_of(root))
    assert result.writes == 2
    assert result.new_events == 2
    with deployer().connected() as target:
        high, no_consent = sorted(target.list_rules("cmp_123"), key=lambda rule: rule["executionOrder"])
    assert high["conditions"] == [
        {"attribute": "lifetimeValue", "operator": "greaterThan", "value": "5000", "type": "number"},
        {"attribute": "state", "operator": "notIn", "value": '["TX","CA"]', "type": "string"},
    ]
    assert high["actions"] == [{"type": "setList", "listId": "premium", "value": "true"}]
    assert no_consent["actions"] == [{"type": "doNotDial"}]
    assert verify(result.audit_log).ok


def test_changes_have_the_remote_id_and_versions(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """Each change in the audit names the rule's id on the target, its versions and the request."""
    deployer().deploy(statement_of(root))
    text = RULES.replace("5000", "6000")
    (root / "a.rules.yaml").write_text(text, encoding="utf-8")
    deployer().deploy(statement_of(root))
    changes = [r for r in records(root) if r["event"] == "change"]
    assert [(c["rule"], c["version_before"], c["version_after"]) for c in changes] == [
        ("no_consent", None, 1),
        ("high_value", None, 1),
        ("high_value", 1, 2),
    ]
    assert changes[2]["remote_id"] == changes[1]["remote_id"]
    assert all(c["request_id"] and c["digest"] for c in changes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda root: (root / "a.rules.yaml").write_text(RULES + "# later\n"),
            "a.rules.yaml was changed after the tests",
        ),
        (lambda root: (root / "a.contacts.yaml").unlink(), "a.contacts.yaml was tested and is gone"),
        (
            lambda root: (root / "dialproof.toml").write_text("[semantics]\ndoNotDialStops = true\n"),
            "semantics.doNotDialStops",
        ),
        (
            lambda root: (root / "dialproof.toml").write_text("[gate]\nmaxAgeHours = 9999\n"),
            "the configuration is not the one of the tests",
        ),
    ],
)
def test_anything_else_than_what_was_tested_is_refused(
    root: Path, deployer: Make, sandbox: Sandbox, change: Callable[[Path], object], reason: str
) -> None:
    """A changed or missing file and another semantics are refusals, recorded, before any request."""
    evidence = statement_of(root)
    change(root)
    with pytest.raises(RefusedError, match=reason):
        deployer().deploy(evidence)
    assert [record["event"] for record in records(root)] == ["refusal"]


def test_old_evidence_is_refused(root: Path, deployer: Make) -> None:
    """gate.maxAgeHours bounds the age of the tests."""
    evidence = statement_of(root, NOW - timedelta(hours=25))
    with pytest.raises(RefusedError, match=r"25\.0 h ago"):
        deployer().deploy(evidence)


def test_foreign_rules_are_refused_until_kept_or_pruned(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """A rule on the target that is in no file blocks the deploy; prune deletes it, an unknown name is an error."""
    evidence = statement_of(root)
    with deployer().connected() as target:
        target.create_rule("cmp_123", {"name": "by_hand", "version": 1, "priority": 5, "executionOrder": 9})
    with pytest.raises(RefusedError, match="foreign rule 'by_hand'"):
        deployer().deploy(evidence)
    kept = deployer()
    kept.environment = replace(kept.environment, keep=("by_hand",))
    assert kept.deploy(evidence).plans[0].kept == ("by_hand",)
    assert deployer(prune=["by_hand"]).deploy(evidence).writes == 1
    with pytest.raises(UsageError, match="holds no rule 'by_hand'"):
        deployer(prune=["by_hand"]).deploy(evidence)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"actions": [{"type": "sendFax"}]}, "cannot be read back (an action of type 'sendFax')"),
        ({"actions": [{"type": "setSkills", "skills": [{"a": 1}]}]}, "an action setSkills with skills"),
        (
            {"actions": [{"type": "setAttribute", "attribute": "n", "option": "INCREMENT", "value": "abc"}]},
            "an action setAttribute that counts by 'abc'",
        ),
        (
            {"actions": [{"type": "setList", "listId": "premium", "value": "false"}]},
            'kept rule with ours: DP301 rules "high_value" and "by_hand" act on one contact',
        ),
        (
            {"actions": [{"type": "setList", "listId": "warm", "value": "true"}]},
            "a.contacts.yaml:2: kept rule 'by_hand' changes the outcome of the case 'one'",
        ),
    ],
)
def test_a_kept_rule_must_change_nothing_that_was_tested(
    rule: dict[str, Any], says: str, root: Path, deployer: Make, sandbox: Sandbox
) -> None:
    """A rule of somebody else runs with ours: it is read back, linted with ours and run on our cases."""
    wide = {"attribute": "lifetimeValue", "operator": "greaterThan", "value": "10", "type": "number"}
    common = {"name": "by_hand", "version": 1, "priority": 5, "executionOrder": 9, "conditions": [wide]}
    with deployer().connected() as target:
        target.create_rule("cmp_123", {**common, **rule})
    kept = deployer()
    kept.environment = replace(kept.environment, keep=("by_hand",))
    with pytest.raises(RefusedError) as caught:
        kept.deploy(statement_of(root))
    assert says in str(caught.value)
    assert any(says in refusal for refusal in kept.plan()[0].refusals)


def test_a_kept_rule_that_changes_nothing_is_named_in_the_audit(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """It may stay; the decision holds the digest of what it was."""
    never = {"attribute": "lifetimeValue", "operator": "lessThan", "value": "0", "type": "number"}
    with deployer().connected() as target:
        actions = [{"type": "setList", "listId": "warm", "value": "true"}]
        common = {"name": "by_hand", "version": 1, "priority": 5, "executionOrder": 9}
        target.create_rule("cmp_123", {**common, "conditions": [never], "actions": actions})
    kept = deployer()
    kept.environment = replace(kept.environment, keep=("by_hand",))
    assert kept.deploy(statement_of(root)).writes == 2
    [decision] = [r for r in records(root) if r.get("decision") == "apply"]
    assert len(decision["details"]["kept"]["by_hand"]) == 64


def test_a_rule_that_we_made_and_dropped_is_an_orphan(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """The audit log tells our own left-over from a stranger's rule."""
    deployer().deploy(statement_of(root))
    (root / "a.rules.yaml").write_text(RULES.partition("  - name: no_consent")[0], encoding="utf-8")
    with pytest.raises(RefusedError, match="orphan rule 'no_consent'"):
        deployer().deploy(statement_of(root))


def test_a_frozen_environment_is_refused(root: Path, deployer: Make) -> None:
    """Within a freeze window nothing is deployed; planning goes on."""
    frozen = deployer()
    frozen.environment = replace(frozen.environment, freeze=("Sat 00:00-Sun 00:00",))
    with pytest.raises(RefusedError, match="frozen"):
        frozen.deploy(statement_of(root))
    assert len(frozen.plan()[0].steps) == 2


def _elsewhere(deployer: Make, sandbox: Sandbox, name: str, **changes: Any) -> Deployer:
    """Return a deployer for an environment whose target is the sandbox."""
    made = deployer(environ=_login(sandbox))
    made.environment = Environment(name, base_url=sandbox.url, **changes)
    return made


def test_a_required_environment_comes_first(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """Rules that the required environment has not received are refused; afterwards nothing speaks against them."""
    evidence = statement_of(root)
    later = _elsewhere(deployer, sandbox, "prod", requires="staging")
    with pytest.raises(RefusedError, match="'staging' must receive exactly these rules first"):
        later.deploy(evidence)
    _elsewhere(deployer, sandbox, "staging").deploy(evidence)
    assert later.deploy(evidence).writes == 0


def test_a_required_environment_is_believed_only_while_its_chain_holds(
    root: Path, deployer: Make, sandbox: Sandbox
) -> None:
    """Whoever adds a line to the audit log of the first environment, or renames another one's, opens nothing."""
    evidence = statement_of(root)
    staging = _elsewhere(deployer, sandbox, "staging")
    later = _elsewhere(deployer, sandbox, "prod", requires="staging")
    staging.audit_log.append("decision", decision="deployed", logicalCampaign=["x"], payload={}, details=[1])
    with pytest.raises(RefusedError, match="'staging' must receive exactly these rules first"):
        later.deploy(evidence)
    staging.deploy(evidence)
    log, head = staging.audit_log.path, staging.audit_log.path.with_suffix(".head")
    for file in (log, head):
        file.with_name(f"copy{file.suffix}").write_bytes(file.read_bytes())
    with pytest.raises(RefusedError, match="'copy' must receive exactly these rules first"):
        _elsewhere(deployer, sandbox, "prod", requires="copy").deploy(evidence)
    with log.open("ab") as file:
        file.write(log.read_bytes().splitlines(keepends=True)[-1])
    with pytest.raises(RefusedError, match=r"audit log of environment 'staging'.* is broken: 'dialproof audit verify"):
        later.deploy(evidence)


def test_what_the_target_cannot_hold_is_named_with_its_place(root: Path, deployer: Make) -> None:
    """Groups, CEL, context and wrap-up rules are problems with path and line, all at once."""
    text = RULES.replace(
        "      - {attribute: consent,",
        "      - any: [{attribute: consent, operator: exists}]\n      - {attribute: consent,",
    )
    text = text.replace(
        "operator: in, value: [TX, CA], inverted: true", "operator: beginsWith, value: T, inverted: true"
    )
    (root / "a.rules.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        deployer().plan()
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("a.rules.yaml:9:")
    assert "an inverted beginsWith, which has no exact opposite" in lines[0]
    assert lines[1].startswith("a.rules.yaml:17:")
    assert "the group 'any'" in lines[1]


def test_ids_of_the_environment_are_applied(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """Logical campaign and list ids become the environment's; one evidence serves them all."""
    evidence = statement_of(root)
    ids = {"campaigns": {"cmp_123": "c-77"}, "lists": {"premium": "l-5"}}
    mapped = deployer()
    mapped.environment = replace(mapped.environment, ids=ids)
    mapped.deploy(evidence)
    with deployer().connected() as target:
        lists = {rule["name"]: rule["actions"][0].get("listId") for rule in target.list_rules("c-77")}
    assert lists == {"high_value": "l-5", "no_consent": None}


@pytest.mark.parametrize(("state", "writes"), [("exists", None), ("notExists", 2)])
def test_the_first_match_is_deployed_where_it_is_every_match(
    root: Path, deployer: Make, state: str, writes: int | None
) -> None:
    """The policy `first` travels where no contact can meet both rules, and is refused where one can."""
    text = RULES.replace("campaign: cmp_123", "campaign: cmp_123\nhitPolicy: first")
    text = text.replace(
        '{attribute: consent, operator: equals, value: "no"}', f"{{attribute: state, operator: {state}}}"
    )
    text = text.replace("operator: greaterThan, value: 5000, type: number", "operator: exists")
    text = text.replace("operator: in, value: [TX, CA], inverted: true", "operator: exists")
    (root / "a.rules.yaml").write_text(text, encoding="utf-8")
    if writes is None:
        with pytest.raises(InputError, match=r"a\.rules\.yaml:2:12: DP701 campaign-rules runs every rule that matches"):
            deployer().plan()
    else:
        assert [len(plan.steps) for plan in deployer().plan()] == [writes]


UNNAMED = RULES.replace("campaign: cmp_123\n", "")


def _login(sandbox: Sandbox, **more: str) -> dict[str, str]:
    """Return the variables with which an environment of another name reaches the sandbox."""
    return {"GENESYS_CLIENT_ID": sandbox.client_id, "GENESYS_CLIENT_SECRET": sandbox.client_secret, **more}


@pytest.mark.parametrize("name", ["staging", "sandbox"])
@pytest.mark.parametrize("declared", ["campaign: cmp_123", "campaigns: [cmp_123, cmp_9]"])
def test_another_campaign_id_in_the_environment_is_refused(
    root: Path, deployer: Make, name: str, declared: str
) -> None:
    """GENESYS_CAMPAIGN_ID beside files that name campaigns must be each of them, for a plan and for a deploy."""
    (root / "a.rules.yaml").write_text(RULES.replace("campaign: cmp_123", declared), encoding="utf-8")
    other = deployer(environ={"GENESYS_CAMPAIGN_ID": "cmp_9"})
    other.environment = replace(other.environment, name=name)
    reason = "GENESYS_CAMPAIGN_ID is 'cmp_9', and the files are for cmp_123: unset it, or change one"
    for refused in (other.plan, other.sync_events, lambda: other.deploy(statement_of(root))):
        with pytest.raises(RefusedError) as caught:
            refused()
        assert str(caught.value) == reason
    assert [record["event"] for record in records(root, name)] == ["refusal"]


@pytest.mark.parametrize("given", ["cmp_123", "c-77", " c-77 ", ""])
def test_the_campaign_id_of_the_files_may_be_given_too(
    root: Path, deployer: Make, sandbox: Sandbox, given: str
) -> None:
    """The logical id and the one on the target say the same as the files do."""
    same = deployer(environ={"GENESYS_CAMPAIGN_ID": given})
    same.environment = replace(same.environment, ids={"campaigns": {"cmp_123": "c-77"}})
    assert same.plan()[0].campaign == "c-77"


def test_a_file_without_campaign_is_for_the_given_one(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """GENESYS_CAMPAIGN_ID says where rules go that name no campaign; one evidence serves every such place."""
    (root / "a.rules.yaml").write_text(UNNAMED, encoding="utf-8")
    evidence = statement_of(root)
    staging = deployer(environ=_login(sandbox, GENESYS_CAMPAIGN_ID="cmp_9"))
    staging.environment = replace(staging.environment, name="staging", base_url=sandbox.url)
    assert staging.plan()[0].campaign == "cmp_9"
    assert staging.deploy(evidence).new_events == 2
    assert staging.sync_events() == 0
    assert deployer(environ={"GENESYS_CAMPAIGN_ID": "cmp_10"}).deploy(evidence).plans[0].campaign == "cmp_10"
    assert deployer().deploy(evidence).plans[0].campaign == "a"
    with deployer().connected() as target:
        assert [len(target.list_rules(campaign)) for campaign in ("cmp_9", "cmp_10", "a")] == [2, 2, 2]


def test_a_missing_campaign_id_is_named_with_all_that_is_missing(root: Path, deployer: Make) -> None:
    """Rules that name no campaign need GENESYS_CAMPAIGN_ID wherever the sandbox is not meant."""
    (root / "a.rules.yaml").write_text(UNNAMED, encoding="utf-8")
    evidence = statement_of(root)
    staging = deployer()
    staging.environment = replace(staging.environment, name="staging")
    for ask in (staging.plan, staging.sync_events, lambda: staging.deploy(evidence)):
        with pytest.raises(UsageError) as caught:
            ask()
        assert str(caught.value) == (
            "environment 'staging': environment variables are missing or empty: GENESYS_ENV, "
            "GENESYS_CLIENT_ID or DIALPROOF_STAGING_CLIENT_ID, "
            "GENESYS_CLIENT_SECRET or DIALPROOF_STAGING_CLIENT_SECRET, GENESYS_CAMPAIGN_ID"
        )


def test_one_campaign_cannot_be_two(root: Path, deployer: Make) -> None:
    """Two rule sets for one campaign would undo each other: whatever leads to it is refused."""
    (root / "a.rules.yaml").write_text(UNNAMED, encoding="utf-8")
    (root / "b.rules.yaml").write_text(UNNAMED, encoding="utf-8")
    (root / "a.contacts.yaml").write_text("rules: a.rules.yaml\n" + (root / "a.contacts.yaml").read_text())
    with pytest.raises(RefusedError, match="a, b would all be the campaign 'cmp_9': write in each rules file"):
        deployer(environ={"GENESYS_CAMPAIGN_ID": "cmp_9"}).plan()
    assert [plan.campaign for plan in deployer().plan()] == ["a", "b"]


@pytest.mark.parametrize("name", ["staging", "sandbox"])
def test_another_organization_is_refused(root: Path, deployer: Make, sandbox: Sandbox, name: str) -> None:
    """Credentials of an organisation that is not the configured one plan nothing and deploy nothing."""
    evidence = statement_of(root)
    made = deployer(environ=_login(sandbox))
    made.environment = replace(made.environment, name=name, base_url=sandbox.url, organization="sandbox")
    assert len(made.plan()[0].steps) == 2
    made.environment = replace(made.environment, organization="ACME")
    for refused in (made.plan, made.sync_events, lambda: made.deploy(evidence)):
        with pytest.raises(RefusedError, match=f"environment '{name}': organization is 'ACME', .* or 'sandbox'"):
            refused()
    assert [record["event"] for record in records(root, name)] == ["refusal"]


def test_repr_hides_the_variables(deployer: Make) -> None:
    """A deployer in a log or a failed assertion shows no secret of its environment."""
    assert "hush" not in repr(deployer(environ={"GENESYS_CLIENT_SECRET": "hush"}))


def test_a_full_disk_after_the_deploy_says_what_stands(
    root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deploy whose last record cannot be written was made all the same: partly applied, never "nothing changed"."""
    append = AuditLog.append

    def full(log: AuditLog, event: str, **fields: Any) -> dict[str, Any]:
        if fields.get("decision") == "deployed":
            raise RefusedError("the audit record 'decision' cannot be written")
        return append(log, event, **fields)

    monkeypatch.setattr(AuditLog, "append", full)
    with pytest.raises(PartlyAppliedError) as caught:
        deployer().deploy(statement_of(root))
    assert str(caught.value).splitlines() == [
        "campaign cmp_123: the audit record 'decision' cannot be written",
        "deployed and standing in campaign cmp_123: create of rule 'no_consent'",
        "deployed and standing in campaign cmp_123: create of rule 'high_value'",
        (
            "'dialproof deploy --env sandbox --resume' carries it on to what was planned, "
            "'dialproof deploy --env sandbox --abort' takes back what was made of it"
        ),
    ]


def test_personal_values_of_contacts_stay_out_of_the_audit(root: Path, deployer: Make) -> None:
    """Whatever sentence carries a value of a pii column into a record, the record does not show it."""
    columns = "columns:\n  lifetimeValue: {type: number}\n  state: {type: string}\n  consent: {type: string}\n"
    (root / "c.contactlist.yaml").write_text(columns + "  mail: {type: string, pii: true}\n", encoding="utf-8")
    (root / "a.rules.yaml").write_text(RULES.replace("rules:", "contactList: c.contactlist.yaml\nrules:", 1))
    case = (
        "cases:\n  - {name: one, contact: {mail: ann@example.org}, expect: {dial: true, contact: {mail: bob@x.org}}}\n"
    )
    (root / "a.contacts.yaml").write_text(case, encoding="utf-8")
    deployer().record_refusal(["1 item failed: a.contacts.yaml::ann@example.org", "bob@x.org"])
    assert records(root)[0]["details"] == {"reasons": ["1 item failed: a.contacts.yaml::[pii]", "[pii]"]}


def test_names_that_equal_personal_values_stay_names(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """A campaign and a rule named after a contact's city are found again in the audit log, by every later decision."""
    columns = "columns:\n  lifetimeValue: {type: number}\n  state: {type: string}\n  consent: {type: string}\n"
    (root / "c.contactlist.yaml").write_text(columns + "  city: {type: string, pii: true}\n", encoding="utf-8")
    text = RULES.replace("cmp_123", "Houston-spring").replace("high_value", "Houston leads")
    (root / "a.rules.yaml").write_text(text.replace("rules:", "contactList: c.contactlist.yaml\nrules:", 1))
    (root / "a.contacts.yaml").write_text(
        "cases:\n  - {name: one, contact: {city: Houston, consent: yes}, expect: {dial: true}}\n", encoding="utf-8"
    )
    evidence = statement_of(root)
    staging = _elsewhere(deployer, sandbox, "staging")
    staging.deploy(evidence)
    assert staging._owned("Houston-spring") == ["no_consent", "Houston leads"]
    assert _elsewhere(deployer, sandbox, "prod", requires="staging").deploy(evidence).writes == 0


def test_two_campaigns_mapped_to_one_are_refused(root: Path, deployer: Make) -> None:
    """Each would take the rules of the other for somebody else's: both are named before anything is asked."""
    (root / "a.rules.yaml").write_text(RULES.replace("campaign: cmp_123", "campaigns: [cmp_123, cmp_124]"))
    made = deployer()
    made.environment = replace(made.environment, ids={"campaigns": {"cmp_123": "X", "cmp_124": "X"}})
    for act in (made.plan, made.sync_events, lambda: made.deploy(statement_of(root))):
        with pytest.raises(RefusedError, match=r"cmp_123, cmp_124 would all be the campaign 'X': .* own id in ids"):
            act()


def test_a_sync_beside_a_deploy_waits_for_it(
    root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events of a deploy under way are read once its changes are in the audit log, and are ours."""
    clock = lambda: datetime.now(UTC)  # noqa: E731
    waiting = Event()
    syncs: list[int] = []

    def sync() -> None:
        try:
            syncs.append(deployer(clock=clock, say=lambda _: waiting.set()).sync_events())
        finally:
            waiting.set()

    thread = Thread(target=sync)
    create = CampaignRulesTarget.create_rule

    def slow(self: CampaignRulesTarget, campaign: str, rule: Mapping[str, Any]) -> Written:
        written = create(self, campaign, rule)
        if not waiting.is_set():
            thread.start()
            waiting.wait(60)
        return written

    monkeypatch.setattr(CampaignRulesTarget, "create_rule", slow)
    result = deployer(clock=clock).deploy(statement_of(root, clock()))
    thread.join(60)
    assert syncs == [0]
    assert [record["changed_by"] for record in read_records(result.event_log)] == ["dialproof"] * 2


def test_git_is_asked_once(root: Path, deployer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many records a deployer writes, they are of one commit."""
    asked: list[Path] = []
    monkeypatch.setattr("dialproof_deploy.deploy.commit_of", lambda folder: asked.append(folder) or "c0ffee")
    made = deployer()
    made.record_refusal(["one"])
    made.record_refusal(["two"])
    assert [record["commit"] for record in records(root)] == ["c0ffee", "c0ffee"]
    assert len(asked) == 1
