"""``dialproof pull`` from the public platform: rule sets, contact lists, and a masked sample of contacts."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.project import load_project
from dialproof_deploy.pull import platform
from dialproof_deploy.targets import rulesets
from tests.deploy.pull import platform_seeds as seeds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox

PULL = ["pull", "--env", "sandbox"]
CONFIG = """\
[environments.sandbox]
target = "rulesets"
time_zone = "America/Denver"
retry = {requestsPerMinute = 100000}
"""
GOLD = seeds.attribute("tier", "EQUALS", "gold", "STRING")
STOP = seeds.action("DO_NOT_DIAL")


class Console:
    """What people do in the platform's user interface."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def put(self, kind: str, key: str, body: Any) -> None:
        """Make or change a thing."""
        answer = self._http.put(f"/_sandbox/{kind}/{key}", json=body)
        assert answer.is_success, answer.text

    def rule_set(self, key: str, *rules: dict[str, Any], campaign: str = "") -> None:
        """Make a rule set of pre-call rules, used by a campaign."""
        named = [{"name": f"r{n}", "order": n, "category": "DIALER_PRECALL", **rule} for n, rule in enumerate(rules)]
        self.put("rulesets", key, {"name": key, "rules": named})
        body = {"name": f"Campaign of {key}", "ruleSets": [{"id": key}], "contactList": {"id": "cl-1"}}
        self.put("campaigns", campaign or f"c-{key}", body)


@pytest.fixture
def console(project: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """Return the user interface of a platform that has a contact list and no rule sets."""
    (project / "dialproof.toml").write_text(CONFIG, encoding="utf-8")
    for module in (platform, rulesets):
        monkeypatch.setattr(module, "_POLLS", (0.0,) * len(module._POLLS))
    with httpx.Client(base_url=sandbox.url, auth=(sandbox.client_id, sandbox.client_secret), verify=False) as http:
        one = Console(http)
        http.put("/_sandbox/settings", json={"rate_limit": 1_000_000}).raise_for_status()
        one.put("contactlists", "cl-1", seeds.CONTACT_LIST)
        yield one


def test_fifty_rule_sets_of_every_type_come_back_without_a_change(
    project: Path, console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pull, lint, plan: every type of condition and action that the platform has, and nothing to write."""
    sets = seeds.rule_sets(50)
    known = json.loads(files("dialproof_deploy.sandbox").joinpath("rule_sets.json").read_text("utf-8"))
    rules = [rule for one in sets for rule in one["rules"]]
    assert {c["type"] for rule in rules for c in rule["conditions"]} == known["conditions"].keys()
    assert {a["actionTypeName"] for rule in rules for a in rule["actions"]} == known["actions"].keys()
    for number, one in enumerate(sets):
        console.put("rulesets", f"rs-{number}", one)
        body = {"name": f"C {number}", "ruleSets": [{"id": f"rs-{number}"}], "contactList": {"id": "cl-1"}}
        console.put("campaigns", f"c-{number}", body)
    assert main([*PULL, "--sample", "0"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.endswith("Pulled 100 rules: a plan of them has no changes\n")
    assert main(["plan", "--env", "sandbox", "--detailed-exitcode"]) == 0
    assert "Plan for environment sandbox: no changes" in capsys.readouterr().out
    assert main(["lint"]) == 0
    loaded = load_project(load_config(project))
    assert sorted(i for campaign in loaded.campaigns for i in campaign.ids) == sorted(f"c-{n}" for n in range(50))


def test_columns_become_a_contact_list(project: Path, console: Console) -> None:
    """Types and bounds as the platform has them, phones and mail addresses marked, awkward names kept."""
    console.rule_set("one", {"conditions": [GOLD], "actions": [STOP]})
    assert main([*PULL, "--sample", "0"]) == 0
    loaded = load_project(load_config(project))
    (columns,) = loaded.contact_lists.values()
    assert list(columns.columns) == seeds.CONTACT_LIST["columnNames"]
    found = {c.name: (c.type, c.min, c.max, c.phone, c.pii, c.remote) for c in columns.columns.values()}
    assert found["phone"] == ("string", None, None, True, False, "phone")
    assert found["e mail"] == ("string", None, None, False, True, "e mail")
    assert found["balance"] == ("number", 0.0, 100000.0, False, False, "balance")
    assert found["seen"][0] == "datetime"
    assert found["a.b"] == ("string", None, None, False, False, "a.b")
    (file,) = loaded.rules_files.values()
    assert (file.rule_set, file.contact_list) == ("one", "Customers_2026.contactlist.yaml")


def test_contacts_come_masked_and_pass(
    pytester: pytest.Pytester,
    project: Path,
    console: Console,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody can be told from the sample: what few contacts have is gone, and the cases hold for what is left."""
    monkeypatch.chdir(project)
    rules = [
        {"conditions": [GOLD], "actions": [STOP]},
        {"conditions": [seeds.attribute("phone", "EQUALS", "", "STRING")], "actions": [STOP]},
        {"conditions": [seeds.attribute("e mail", "CONTAINS", "@", "STRING")], "actions": [seeds.modify("SET", "x")]},
        {"conditions": [seeds.attribute("balance", "LESS_THAN", "5", "NUMERIC")], "actions": [STOP]},
    ]
    console.rule_set("one", *rules)
    people = [
        {"data": {"name": f"Ada {n}", "phone": f"+130355501{n:02}", "e mail": f"ada{n}@example.org",
                  "tier": "gold" if n % 2 else "silver", "balance": "10" if n < 8 else f"9977{n}.25",
                  "touched": f"secret {n}"}}
        for n in range(12)
    ]  # fmt: skip
    people.append({"data": {"tier": "platinum of Ada", "balance": "10"}})
    console.put("contactlists", "cl-1/contacts", people)
    assert main([*PULL, "--sample", "6"]) == 0
    text = (project / "one.contacts.yaml").read_text(encoding="utf-8")
    for secret in ("Ada", "3035550", "example.org", "secret", "platinum", "9977"):
        assert secret not in text
    assert "tier: gold" in text
    assert 'phone: "+1555' in text
    assert text.count("- name: ") == 6
    captured = capsys.readouterr()
    assert "Ada" not in captured.out + captured.err
    result = pytester.run(sys.executable, "-m", "pytest", str(project / "one.contacts.yaml"), "-q")
    result.assert_outcomes(passed=6)
    assert main(["plan", "--env", "sandbox", "--detailed-exitcode"]) == 0


def test_what_is_left_out_is_said(project: Path, console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    """Sets that nobody uses, a second set of a campaign, and rules that no rule of ours can be."""
    odd = seeds.lookup("EQUALS", "x") | {"contactIdField": "id"}
    console.rule_set(
        "one",
        {"conditions": [GOLD], "actions": [STOP]},
        {"conditions": [seeds.clock(seeds.DAYS) | {"timeZoneId": "Europe/Berlin"}], "actions": [STOP]},
        {"conditions": [odd], "actions": [STOP]},
        {"conditions": [{"type": "moonPhaseCondition", "operator": "EQUALS", "value": "full"}], "actions": [STOP]},
        {"conditions": [GOLD], "actions": [seeds.action("SEND_FAX")]},
        {"conditions": [GOLD], "actions": []},
    )
    console.put("rulesets", "idle", {"name": "idle", "rules": []})
    console.put("rulesets", "second", {"name": "second", "rules": []})
    console.put("campaigns", "c-one", {"ruleSets": [{"id": "one"}, {"id": "second"}]})
    assert main([*PULL, "--sample", "0"]) == 0
    captured = capsys.readouterr()
    assert captured.out.endswith("Pulled 1 rule\n")
    for sentence in (
        (
            "rule set 'one': rule 'r1' cannot be written as a rule of ours: its times are those of Europe/Berlin: "
            "write time_zone = 'Europe/Berlin' to the environment"
        ),
        "rule 'r2' cannot be written as a rule of ours: a rule of ours cannot say contactIdField",
        "rule 'r3' cannot be written as a rule of ours: a condition of type 'moonPhaseCondition'",
        "rule 'r4' cannot be written as a rule of ours: an action of type 'SEND_FAX'",
        "rule 'r5' cannot be written as a rule of ours: a rule of ours needs at least one action",
        "rule set 'idle' is the first of no campaign: it is left out",
        "campaign 'Campaign of one' has several rule sets ('one', 'second'), and in which order they run is not",
    ):
        assert sentence in captured.err
    text = (project / "one.rules.yaml").read_text(encoding="utf-8")
    assert text.count("cannot be written as a rule of ours") == 5
    assert "moonPhaseCondition" in text
    assert "foreign rule 'r3'" in captured.err


def test_another_form_of_the_same_is_said(project: Path, console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    """Times that are joined there and apart here are a rule, and what a deploy would write is said beforehand."""
    both = seeds.clock(seeds.HOURS, seeds.DAYS)
    console.rule_set("one", {"conditions": [both], "actions": [STOP]}, {"conditions": [], "actions": [STOP]})
    assert main([*PULL, "--sample", "0"]) == 0
    captured = capsys.readouterr()
    assert captured.out.endswith("Pulled 2 rules\n")
    assert "a plan would write the same in another form: update of rule set 'one' (update of rule 'r0')" in captured.err
    assert 'when: "true"' in (project / "one.rules.yaml").read_text(encoding="utf-8")


def test_campaigns_that_share_a_set_share_a_file(project: Path, console: Console) -> None:
    """One file for both, with their names beside their ids."""
    console.rule_set("one", {"conditions": [GOLD], "actions": [STOP]})
    console.rule_set("one", {"conditions": [GOLD], "actions": [STOP]}, campaign="another")
    assert main([*PULL, "--sample", "0"]) == 0
    text = (project / "one.rules.yaml").read_text(encoding="utf-8")
    assert "# another: Campaign of one\n" in text
    (file,) = load_project(load_config(project)).rules_files.values()
    assert sorted(file.campaigns) == ["another", "c-one"]


def test_ids_of_the_target_become_those_of_the_files(
    project: Path, console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrap-up codes wherever they are compared, skills and data actions: what the environment maps is turned round."""
    ids = '[environments.sandbox.ids]\nwrapUpCodes = {sold = "code-1", busy = "code-2"}\nskills = {gold = "skill-1"}\n'
    (project / "dialproof.toml").write_text(f'{CONFIG}{ids}dataActions = {{score = "da-1"}}\n', encoding="utf-8")
    ended = {"type": "wrapupCondition", "codes": ["code-1", "code-2"], "inverted": False}
    console.rule_set(
        "one",
        {"conditions": [seeds.last("LAST_WRAPUP_OVERALL", "EQUALS", "code-1", "STRING")], "actions": [STOP]},
        {"conditions": [seeds.lookup("EQUALS", "high")], "actions": [seeds.action("SET_SKILLS", skills='["skill-1"]')]},
        {"conditions": [ended], "actions": [seeds.modify("SET", "x")], "category": "DIALER_WRAPUP"},
    )
    assert main([*PULL, "--sample", "0"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.endswith("Pulled 3 rules: a plan of them has no changes\n")
    text = (project / "one.rules.yaml").read_text(encoding="utf-8")
    assert "value: sold" in text
    assert "value: [sold, busy]" in text
    assert "skills: [gold]" in text
    assert "data.score.score" in text
    assert not any(there in text for there in ("code-1", "code-2", "skill-1", "da-1"))
