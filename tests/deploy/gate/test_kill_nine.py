"""``kill -9`` of a deploy in a process of its own, against the sandbox; the command resumes or aborts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dialproof.cli import main
from dialproof_deploy.audit.log import verify
from tests.deploy.gate.conftest import RULES, records, statement_of

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox
    from tests.deploy.gate.conftest import Make

CHANGED = RULES.replace("5000", "6000").replace("priority: 900", "priority: 901")
HANGS: dict[str, Any] = {"method": "PUT", "kind": "status", "status": 503, "retry_after": 200}
"""The client waits for another try, and nothing was stored."""
STORED: dict[str, Any] = {"method": "PUT", "kind": "slow", "seconds": 2}
"""The server answers late: it stores what nobody waits for any more."""
REFUSED: dict[str, Any] = {"method": "PUT", "kind": "status", "status": 400}
POINTS = {
    "before the first write": [HANGS],
    "after the first write, before its record": [STORED],
    "between two writes": [{**HANGS, "skip": 1}],
    "after the last write, before its record": [{**STORED, "skip": 1}],
    "while undoing": [{**REFUSED, "skip": 1}, {**HANGS, "skip": 1}],
}


@pytest.fixture
def evidence(root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Deploy, change both rules, and return the evidence for what is to be deployed next."""
    monkeypatch.chdir(root)
    for name in ("DIALPROOF_SANDBOX_URL", "GENESYS_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    now = datetime.now(UTC)
    deployer(clock=lambda: datetime.now(UTC)).deploy(statement_of(root, now))
    (root / "a.rules.yaml").write_text(CHANGED, encoding="utf-8")
    path = root.parent / "evidence.json"
    path.write_text(json.dumps(statement_of(root, now)), encoding="utf-8")
    return path


def priorities(deployer: Make) -> list[tuple[str, int]]:
    """Return what tells the rules of both deploys apart."""
    with deployer().connected() as target:
        rules = sorted(target.list_rules("cmp_123"), key=lambda r: str(r["name"]))
    return [(r["conditions"][0]["value"], r["priority"]) for r in rules]


@pytest.mark.parametrize("way", ["--resume", "--abort"])
@pytest.mark.parametrize("point", POINTS)
def test_a_deploy_killed_at(
    point: str,
    way: str,
    evidence: Path,
    root: Path,
    deployer: Make,
    sandbox: Sandbox,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Wherever the process is killed, the command ends the deploy the way it is told, and the audit log is whole."""
    with httpx.Client(base_url=sandbox.url, auth=(sandbox.client_id, sandbox.client_secret)) as control:
        assert control.post("/_sandbox/faults", json=POINTS[point]).is_success
        command = [sys.executable, "-m", "dialproof", "deploy", "--env", "sandbox", "--evidence", str(evidence)]
        process = subprocess.Popen(command, env=dict(os.environ), cwd=root)
        while control.get("/_sandbox/faults").json()["faults"]:  # until the last of them holds the process
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
        process.wait()
        while _is_late(control, POINTS[point]):
            time.sleep(0.05)
    assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence)]) == 4
    assert "was not finished" in capfd.readouterr().err
    assert main(["deploy", "--env", "sandbox", way]) == 0
    planned, before = [("6000", 100), ("no", 901)], [("5000", 100), ("no", 900)]
    assert priorities(deployer) == (planned if way == "--resume" else before)
    assert verify(root / ".dialproof/audit/sandbox.jsonl").ok
    changes = [r for r in records(root) if r["event"] == "change"]
    versions = {r["rule"]: r["version_after"] for r in changes}
    with deployer().connected() as target:
        assert versions == {r["name"]: r["version"] for r in target.list_rules("cmp_123")}
    assert main(["deploy", "--env", "sandbox", "--resume"]) == 4


def _is_late(control: httpx.Client, faults: list[dict[str, Any]]) -> bool:
    """Tell whether the server has still to store what it was sent by a process that is dead."""
    if not any(fault["kind"] == "slow" for fault in faults):
        return False
    served = control.get("/_sandbox/requests").json()["requests"]
    wanted = 1 + max(int(fault.get("skip", 0)) for fault in faults)
    return sum(r["count"] for r in served if r["method"] == "PUT") < wanted
