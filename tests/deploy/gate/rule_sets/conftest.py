"""A small project whose sandbox is one of rule sets, and the people who work in its user interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dialproof_deploy.targets import platform_audit, rulesets
from tests.deploy.gate.conftest import statement_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox
    from tests.deploy.gate.conftest import Make

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
