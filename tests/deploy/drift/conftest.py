"""The small project of the gate's tests, deployed to a sandbox that others edit too."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dialproof.cli import main
from tests.deploy.gate.conftest import deployer, root, sandbox, statement_of

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox

__all__ = ["Somebody", "deployer", "root", "sandbox"]


class Somebody:
    """Edits rules on the target by hand."""

    def __init__(self, sandbox: Sandbox, campaign: str = "cmp_123") -> None:
        self._http = httpx.Client(base_url=sandbox.url, trust_env=False, verify=False)
        answer = self._http.post(
            "/api/v2/oauth/token",
            auth=(sandbox.client_id, sandbox.client_secret),
            data={"grant_type": "client_credentials"},
        )
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self._path = f"/api/v2/outbound/campaigns/{campaign}/rules"

    def rule(self, name: str) -> dict[str, Any]:
        """Return a rule."""
        rules = self._http.get(self._path).json()["entities"]
        found: dict[str, Any] = next(rule for rule in rules if rule["name"] == name)
        return found

    def change(self, name: str, **fields: Any) -> None:
        """Change fields of a rule."""
        rule = self.rule(name)
        answer = self._http.put(f"{self._path}/{rule['id']}", json={**rule, **fields, "version": rule["version"] + 1})
        assert answer.status_code == 200, answer.text

    def add(self, name: str, order: int, **fields: Any) -> None:
        """Add a rule."""
        rule = {"name": name, "version": 1, "priority": 1, "executionOrder": order, "conditions": [], "actions": []}
        answer = self._http.post(self._path, json={**rule, **fields})
        assert answer.status_code == 201, answer.text

    def delete(self, name: str) -> None:
        """Delete a rule."""
        assert self._http.delete(f"{self._path}/{self.rule(name)['id']}").status_code == 204

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


@pytest.fixture
def project(root: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the project, deployed, as the current folder."""
    monkeypatch.chdir(root)
    for name in ("DIALPROOF_SANDBOX_URL", "GENESYS_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    columns = (
        "columns:\n  lifetimeValue: {type: number, min: 0, max: 9999}\n  state: {type: string, enum: [TX, CA, NY]}\n"
        '  consent: {type: string, enum: ["yes", "no"], required: true}\n  phone: {type: string, phone: true}\n'
    )
    (root / "a.contactlist.yaml").write_text(columns, encoding="utf-8")
    rules = root / "a.rules.yaml"
    rules.write_text(f"contactList: a.contactlist.yaml\n{rules.read_text(encoding='utf-8')}", encoding="utf-8")
    deploy(root)
    return root


def deploy(root: Path) -> None:
    """Deploy the project as it is now."""
    evidence = root.parent / "evidence.json"
    evidence.write_text(json.dumps(statement_of(root, datetime.now(UTC))), encoding="utf-8")
    assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence)]) == 0


@pytest.fixture
def somebody(sandbox: Sandbox) -> Any:
    """Return somebody who edits the rules of the campaign by hand."""
    one = Somebody(sandbox)
    yield one
    one.close()
