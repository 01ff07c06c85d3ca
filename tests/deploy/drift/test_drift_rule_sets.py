"""``dialproof drift`` and ``audit sync`` where rule sets hold the rules: the platform's audit names who it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dialproof.cli import main
from dialproof.errors import RemoteError, UsageError
from dialproof_deploy.targets import platform_audit, rulesets
from dialproof_deploy.targets.platform_audit import rule_set_events
from tests.deploy.gate.conftest import statement_of
from tests.deploy.gate.rule_sets.conftest import COLUMNS, CONTACTS, RULES, Console

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox

DRIFT = ["drift", "--env", "sandbox", "-f", "json"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project whose sandbox is one of rule sets, as the current folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dialproof.toml").write_text('[environments.sandbox]\ntarget = "rulesets"\n', encoding="utf-8")
    rules = RULES.replace("ruleSet:", "contactList: a.contactlist.yaml\nruleSet:")
    for name, text in (("a.rules.yaml", rules), ("a.contacts.yaml", CONTACTS), ("a.contactlist.yaml", COLUMNS)):
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    for name in ("DIALPROOF_SANDBOX_URL", "GENESYS_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    for module in (platform_audit, rulesets):
        monkeypatch.setattr(module, "_POLLS", (0.0,) * len(module._POLLS))
    return folder


@pytest.fixture
def deployed(root: Path, sandbox: Sandbox) -> Path:
    """Return the project, deployed."""
    evidence = root.parent / "evidence.json"
    evidence.write_text(json.dumps(statement_of(root, datetime.now(UTC))), encoding="utf-8")
    assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence)]) == 0
    return root


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Return a client of the sandbox's own requests."""
    auth = (sandbox.client_id, sandbox.client_secret)
    with httpx.Client(base_url=sandbox.url, auth=auth, verify=False) as client:
        yield client


def stored(sandbox: Sandbox, http: httpx.Client) -> dict[str, Any]:
    """Return the rule set as it stands."""
    token = http.post("/api/v2/oauth/token", data={"grant_type": "client_credentials"}).json()["access_token"]
    listed = httpx.get(
        f"{sandbox.url}/api/v2/outbound/rulesets", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )
    found: dict[str, Any] = listed.json()["entities"][0]
    return found


def report(capsys: pytest.CaptureFixture[str], code: int) -> Any:
    """Run the command and return the report on the set."""
    capsys.readouterr()
    assert main(DRIFT) == code
    return json.loads(capsys.readouterr().out)["campaigns"][0]


def test_right_after_a_deploy_there_is_none(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where what is stored has other fields than what was sent."""
    found = report(capsys, 0)
    assert [rule["state"] for rule in found["rules"]] == ["same", "same"]


def test_who_changed_which_rule_and_whom_it_dials(
    deployed: Path, sandbox: Sandbox, http: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule changed, another added and one deleted in the user interface, with the user whom the audit names."""
    rule_set = stored(sandbox, http)
    consent, value = sorted(rule_set["rules"], key=lambda rule: rule["order"])
    consent["conditions"][0]["value"] = "never"
    added = {**value, "id": None, "name": "added", "order": 7}
    Console(http).put("rulesets", rule_set["id"], rules=[consent, {k: v for k, v in added.items() if v is not None}])
    found = report(capsys, 1)
    assert {rule["rule"]: rule["state"] for rule in found["rules"]} == {
        "no_consent": "changed",
        "added": "added",
        "high_value": "deleted",
    }
    (changed,) = (rule for rule in found["rules"] if rule["rule"] == "no_consent")
    assert [(d["field"], d["deployed"], d["target"]) for d in changed["differences"]] == [
        ("conditions[0].value", "no", "never")
    ]
    assert (changed["changed"]["event"], changed["changed"]["by"]) == ("outbound.ruleset.updated", "somebody")
    (effect,) = (effect for effect in found["effects"] if effect["rule"] == "no_consent")
    assert (effect["dialed"], effect["contact"]["consent"]) == (True, "no")


def test_a_rule_that_only_moved_up_is_no_drift(
    deployed: Path, sandbox: Sandbox, http: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the order in a set only the sequence counts."""
    rule_set = stored(sandbox, http)
    rules = [{**rule, "order": rule["order"] * 10 + 3} for rule in rule_set["rules"]]
    Console(http).put("rulesets", rule_set["id"], rules=rules)
    assert {rule["state"] for rule in report(capsys, 0)["rules"]} == {"same"}


def test_files_that_are_ahead_are_no_drift(
    deployed: Path, sandbox: Sandbox, http: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule that stands as it was deployed is pending, also beside one that somebody put in front of it."""
    rules = deployed / "a.rules.yaml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("value: 5000", "value: 6000"), encoding="utf-8")
    assert [rule["state"] for rule in report(capsys, 0)["rules"]] == ["same", "pending"]
    rule_set = stored(sandbox, http)
    first, second = sorted(rule_set["rules"], key=lambda rule: rule["order"])
    new = {**{k: v for k, v in first.items() if k != "id"}, "name": "in front"}
    placed = [{**rule, "order": place} for place, rule in enumerate((new, first, second))]
    Console(http).put("rulesets", rule_set["id"], rules=placed)
    found = {rule["rule"]: rule["state"] for rule in report(capsys, 1)["rules"]}
    assert found == {"in front": "added", "no_consent": "same", "high_value": "pending"}


def test_a_campaign_without_its_rule_set_is_drift(
    deployed: Path, sandbox: Sandbox, http: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody took the set from the campaign: no rule runs, and those whom it refused are dialed."""
    Console(http).put("campaigns", "cmp_123", name="Spring", ruleSets=[])
    found = report(capsys, 1)
    assert found["attachments"] == [{"campaign": "Spring", "campaign_id": "cmp_123", "detached": True, "others": []}]
    assert [rule["state"] for rule in found["rules"]] == ["same", "same"]
    (effect,) = (effect for effect in found["effects"] if effect["rule"] == "no_consent")
    assert (effect["dialed"], effect["contact"]["consent"]) == (True, "no")
    assert main(DRIFT[:-2]) == 1
    text = capsys.readouterr().out
    assert "~ campaign 'Spring' has not the rule set 'Premium routing' any more: none of its rules runs there" in text
    assert text.endswith("Drift of environment sandbox: 1 campaign with other rule sets\n")


def test_another_rule_set_of_a_campaign_is_drift_unless_it_is_kept(
    deployed: Path, sandbox: Sandbox, http: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """In which order two sets run is not documented; ``keep`` tolerates one."""
    console = Console(http)
    console.put("rulesets", "rs-2", name="By hand", rules=[])
    console.put("campaigns", "cmp_123", ruleSets=[{"id": stored(sandbox, http)["id"]}, {"id": "rs-2"}])
    assert [a["others"] for a in report(capsys, 1)["attachments"]] == [["By hand"]]
    with (deployed / "dialproof.toml").open("a", encoding="utf-8") as config:
        config.write('keep = ["ruleSet:By hand"]\n')
    assert report(capsys, 0)["attachments"] == []


def test_a_rule_set_that_was_deleted_is_shown_with_whom_it_dials(
    deployed: Path, sandbox: Sandbox, http: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of its rules are gone: contacts that they refused are dialed, as where the set is only detached."""
    rule_set = stored(sandbox, http)["id"]
    Console(http).put("campaigns", "cmp_123", name="Spring", ruleSets=[])
    token = http.post("/api/v2/oauth/token", data={"grant_type": "client_credentials"}).json()["access_token"]
    gone = httpx.delete(
        f"{sandbox.url}/api/v2/outbound/rulesets/{rule_set}",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    assert gone.is_success
    found = report(capsys, 1)
    assert {rule["state"] for rule in found["rules"]} == {"deleted"}
    assert [attachment["detached"] for attachment in found["attachments"]] == [True]
    (effect,) = (effect for effect in found["effects"] if effect["rule"] == "no_consent")
    assert (effect["dialed"], effect["contact"]["consent"]) == (True, "no")


def test_a_campaign_that_is_new_in_the_files_is_no_drift(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It was never given the set."""
    rules = deployed / "a.rules.yaml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("campaign: cmp_123", "campaigns: [cmp_123, cmp_124]"), encoding="utf-8")
    assert report(capsys, 0)["attachments"] == []


def test_sync_tells_our_changes_from_those_of_others(
    deployed: Path, sandbox: Sandbox, http: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are in the platform's audit; ours are those that our audit log explains. A second sync finds nothing new."""
    Console(http).put("rulesets", stored(sandbox, http)["id"], name="Premium routing")
    assert main(["audit", "sync", "--env", "sandbox"]) == 0
    lines = (deployed / ".dialproof/audit/sandbox.events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    assert [(e["eventType"], e["changed_by"]) for e in events] == [
        ("outbound.ruleset.created", "dialproof"),
        ("outbound.ruleset.updated", "other"),
    ]
    assert events[1]["user"] == "somebody"
    assert events[0]["user"].startswith("client ")
    capsys.readouterr()
    assert main(["audit", "sync", "--env", "sandbox"]) == 0
    assert "0 new events" in capsys.readouterr().out


class Answers:
    """A client that answers what it is given."""

    def __init__(self, *bodies: Any) -> None:
        self._bodies = list(bodies)

    def request(self, *_: Any, **__: Any) -> Any:
        """Return the next body."""
        body = self._bodies.pop(0)
        return type("Answer", (), {"body": body})


@pytest.mark.parametrize(
    ("bodies", "sentence"),
    [
        ([[]], "not a JSON object"),
        ([{"state": "Succeeded"}], "holds no usable id"),
        ([{"id": "../../oauth", "state": "Succeeded"}], "would lead to another path"),
        ([{"id": "q", "state": "Failed"}], "ended as Failed"),
        ([{"id": "q", "state": "Queued"}, *[{"state": "Running"}] * 8], "did not end in time"),
        ([{"id": "q", "state": "Succeeded"}, None], "not a JSON object"),
    ],
)
def test_an_audit_that_does_not_answer_is_an_error(bodies: list[Any], sentence: str) -> None:
    """A query that fails, or never ends, is a sentence."""
    with pytest.raises(RemoteError, match=sentence):
        list(rule_set_events(Answers(*bodies), "7d", sleep=lambda _: None))  # type: ignore[arg-type]


def test_an_interval_that_is_none_is_a_usage_error() -> None:
    """It says what is expected."""
    with pytest.raises(UsageError, match="expected 24h, 30m or 7d, or an ISO 8601 interval"):
        list(rule_set_events(Answers(), "soon", sleep=lambda _: None))  # type: ignore[arg-type]
