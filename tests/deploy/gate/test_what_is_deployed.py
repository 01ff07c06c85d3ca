"""``dialproof deploy PLAN --evidence FILE``: every way in which it is not what was planned, or not what was tested."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.project import load_project
from dialproof_deploy.deploy import Deployer, environment_of
from dialproof_deploy.gate.signature import KEY, signed
from dialproof_deploy.state import StateDir
from tests.deploy.gate.conftest import records, statement_of
from tests.deploy.keys import OTHER, private, public

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox

    Change = Callable[[Path], object]


@pytest.fixture
def planned(root: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Path:
    """Return a project with ``plan.json`` and ``evidence.json`` of this moment, as current folder."""
    monkeypatch.chdir(root)
    for name in ("DIALPROOF_SANDBOX_URL", "GENESYS_CAMPAIGN_ID", KEY):
        monkeypatch.delenv(name, raising=False)
    attest(root)
    assert main(["plan", "--env", "sandbox", "--out", "plan.json"]) == 0
    return root


def attest(root: Path, age: timedelta = timedelta(), **environ: str) -> dict[str, Any]:
    """Write evidence of the files as they are, and return the statement."""
    statement = statement_of(root, datetime.now(UTC) - age)
    (root / "evidence.json").write_text(json.dumps(signed(statement, environ)), encoding="utf-8")
    return statement


def deploy() -> int:
    """Deploy what was planned."""
    return main(["deploy", "plan.json", "--env", "sandbox", "--evidence", "evidence.json"])


def edit(root: Path, name: str, old: str, new: str) -> None:
    """Replace a text in a file."""
    path = root / name
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def edit_evidence(root: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the predicate of the evidence."""
    statement = json.loads((root / "evidence.json").read_text(encoding="utf-8"))
    change(statement["predicate"])
    (root / "evidence.json").write_text(json.dumps(statement), encoding="utf-8")


def by_hand(root: Path) -> None:
    """Create a rule on the target."""
    project = load_project(load_config(root))
    deployer = Deployer(project, environment_of(project.config, "sandbox"), StateDir.at(root), {})
    with deployer.connected() as target:
        # the rule that the files want, so that the plan is another and is refused for no other reason
        [rule] = [r for r in deployer._wanted()[0].rules if r["name"] == "no_consent"]
        target.create_rule("cmp_123", rule)


def other_rules(root: Path) -> None:
    """Change a rule and test it, after the plan."""
    edit(root, "a.rules.yaml", "5000", "6000")
    attest(root)


def keys(root: Path, *written: str) -> None:
    """Ask for signed evidence."""
    (root / "dialproof.toml").write_text(f"[gate]\nevidenceKeys = {json.dumps(written)}\n", encoding="utf-8")


def unsigned(root: Path) -> None:
    """Ask for a signature, and have none."""
    keys(root, public())
    attest(root)


def signed_by_another(root: Path) -> None:
    """Ask for a signature of one key, and have that of another."""
    keys(root, public())
    attest(root, **{KEY: private(OTHER)})


CASES: list[tuple[str, Change, int, str]] = [
    ("target moved", by_hand, 5, "what stands on the target has changed since it was planned"),
    (
        "other rules, tested",
        other_rules,
        4,
        "your files, your configuration or your --prune are not those that were planned",
    ),
    (
        "files changed",
        lambda root: edit(root, "a.rules.yaml", "5000", "6000"),
        4,
        "a.rules.yaml was changed after the tests",
    ),
    (
        "case changed",
        lambda root: edit(root, "a.contacts.yaml", "9000", "9001"),
        4,
        "a.contacts.yaml was changed after the tests",
    ),
    ("evidence missing", lambda root: (root / "evidence.json").unlink(), 4, "there is no evidence"),
    ("evidence stale", lambda root: attest(root, timedelta(hours=25)), 4, "the tests were run 25.0 h ago"),
    (
        "evidence stale by configuration",
        lambda root: (
            (root / "dialproof.toml").write_text("[gate]\nmaxAgeHours = 0.5\n"),
            attest(root, timedelta(hours=1)),
        ),
        4,
        "may be 30 min old",
    ),
    (
        "filtered run",
        lambda root: edit_evidence(root, lambda p: p["passedTests"].pop()),
        4,
        "the evidence does not name all tests as passed",
    ),
    (
        "another version",
        lambda root: edit_evidence(root, lambda p: p["dialproof"]["versions"].update(dialproof="0.0.1")),
        4,
        "the tests were run by dialproof 0.0.1",
    ),
    (
        "other semantics",
        lambda root: (root / "dialproof.toml").write_text("[semantics]\ncaseSensitive = false\n"),
        4,
        "semantics.caseSensitive was true in the tests, now false",
    ),
    ("unsigned", unsigned, 4, "the evidence is not signed, and gate.evidenceKeys asks for it"),
    ("another key", signed_by_another, 4, "the evidence is not signed by a key of gate.evidenceKeys"),
    (
        "plan edited",
        lambda root: edit(root, "plan.json", '"executionOrder": 1', '"executionOrder": 9'),
        3,
        "the plan was edited",
    ),
    (
        "plan for another environment",
        lambda root: edit(root, "plan.json", '"environment": "sandbox"', '"environment": "prod"'),
        4,
        "this plan is for the environment 'prod', not for 'sandbox'",
    ),
]


@pytest.mark.parametrize(("change", "code", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_nothing_else_is_deployed(
    planned: Path, change: Change, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code and sentence; no write is made, and a refusal is in the audit log."""
    change(planned)
    assert deploy() == code
    assert says in capsys.readouterr().err
    if code in (4, 5):
        [record] = records(planned)
        assert record["event"] == "refusal"
        assert says in str(record["details"])
    else:
        assert not (planned / ".dialproof/audit/sandbox.jsonl").exists()


def test_what_was_planned_tested_and_signed_is_deployed(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the key asked for, as PEM in a file; a new plan of the same files is the same plan."""
    (planned / "ci.pem").write_text(public(), encoding="ascii")
    keys(planned, "ci.pem")
    attest(planned, **{KEY: private()})
    assert deploy() == 0
    assert "Deployed to sandbox: 2 writes" in capsys.readouterr().out


def test_a_wrong_public_key_stops_a_deploy(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that cannot be read is a mistake in the configuration, not a reason to go on."""
    keys(planned, "ci.pem")
    assert deploy() == 2
    assert "gate.evidenceKeys[0] (ci.pem): the key cannot be read" in capsys.readouterr().err
