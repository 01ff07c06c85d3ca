"""The subcommands plan, deploy and audit, with their exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.cli import main
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from tests.deploy.gate.conftest import RULES, statement_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dialproof_deploy.deploy import Deployer
    from dialproof_deploy.sandbox.serve import Sandbox


@pytest.fixture
def evidence(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return evidence of this moment, with the project as current folder."""
    monkeypatch.chdir(root)
    for name in ("DIALPROOF_SANDBOX_URL", "GENESYS_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    path = root.parent / "evidence.json"
    path.write_text(json.dumps(statement_of(root, datetime.now(UTC))), encoding="utf-8")
    return path


def test_plan_then_deploy_then_audit(evidence: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The way from plan to export on the command line."""
    assert main(["plan", "--env", "sandbox", "--detailed-exitcode", "--out", "plan.json"]) == 8
    assert json.loads((root / "plan.json").read_text(encoding="utf-8"))["campaigns"][0]["campaign"] == "cmp_123"
    assert main(["deploy", "plan.json", "--env", "sandbox", "--evidence", str(evidence)]) == 0
    assert "Deployed to sandbox: 2 writes, 2 new events" in capsys.readouterr().out
    assert main(["deploy", "plan.json", "--env", "sandbox", "--evidence", str(evidence)]) == 5
    assert "campaign cmp_123: what stands on the target has changed since it was planned" in capsys.readouterr().err
    assert main(["plan", "--env", "sandbox", "--detailed-exitcode"]) == 0
    assert main(["audit", "verify", "--env", "sandbox"]) == 0
    assert main(["audit", "sync", "--env", "sandbox"]) == 0
    assert "0 new events" in capsys.readouterr().out
    assert main(["audit", "export", "out.json", "--env", "sandbox"]) == 0
    assert len(json.loads((root / "out.json").read_text(encoding="utf-8"))) == 9


def test_a_plan_goes_to_several_readers_at_once(evidence: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text on the terminal, Markdown and JSON in files, and the file for the deploy; an unknown format asks nobody."""
    formats = ["-f", "text", "-f", "markdown=plan.md", "--output-format", "json=shown.json"]
    assert main(["plan", "--env", "sandbox", *formats, "--out", "plan.json", "--detailed-exitcode"]) == 8
    assert capsys.readouterr().out.endswith("Plan for environment sandbox: 2 writes to cmp_123\n")
    assert (root / "plan.md").read_text(encoding="utf-8").count("| + create |") == 2
    assert json.loads((root / "shown.json").read_text(encoding="utf-8"))["writes"] == 2
    assert main(["plan", "--env", "sandbox", "-f", "html"]) == 2
    assert main(["plan", "--env", "sandbox", "-f", "json=missing/plan.json"]) == 2
    assert "missing/plan.json: cannot be written" in capsys.readouterr().err


def test_a_refusal_counts_for_more_than_pending_changes(evidence: Path, root: Path, sandbox: Sandbox) -> None:
    """With --detailed-exitcode: 0 nothing to do, 8 changes, 4 changes that are refused."""
    assert main(["plan", "--env", "sandbox", "--detailed-exitcode"]) == 8
    assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence)]) == 0
    assert main(["plan", "--env", "sandbox", "--detailed-exitcode"]) == 0
    text = RULES.partition("  - name: no_consent")[0].replace("5000", "1")
    (root / "a.rules.yaml").write_text(text, encoding="utf-8")
    assert main(["plan", "--env", "sandbox", "--detailed-exitcode"]) == 4


def test_a_plan_shows_no_personal_value_of_the_target(
    evidence: Path, root: Path, deployer: Callable[..., Deployer], sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """A value that only the target knows is hidden in every format of a plan, and still compared."""
    text = RULES.replace("campaign: cmp_123", "campaign: cmp_123\ncontactList: a.contactlist.yaml")
    text = text.replace(
        'attribute: consent, operator: equals, value: "no"', "attribute: who, operator: equals, value: Ann"
    )
    (root / "a.rules.yaml").write_text(text, encoding="utf-8")
    columns = "columns:\n  lifetimeValue: {type: number}\n  state: {type: string}\n  who: {type: string, pii: true}\n"
    (root / "a.contactlist.yaml").write_text(columns + "  consent: {type: string}\n", encoding="utf-8")
    other = {"attribute": "who", "operator": "equals", "value": "Bob", "type": "string"}
    rule = {"version": 1, "priority": 900, "executionOrder": 2, "actions": [{"type": "doNotDial"}]}
    with deployer().connected() as target:
        target.create_rule("cmp_123", {**rule, "name": "no_consent", "conditions": [other]})
    assert main(["plan", "--env", "sandbox", "-f", "text", "-f", "json=p.json", "-f", "markdown=p.md"]) == 0
    shown = [capsys.readouterr().out, *((root / name).read_text(encoding="utf-8") for name in ("p.json", "p.md"))]
    assert 'conditions[0].value: "[pii]" → "[pii]"' in shown[0]
    assert not [name for name in ("Ann", "Bob") for text in shown if name in text]


def test_deploy_recomputes_the_evidence(evidence: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rule that changed after the tests is refused with exit code 4, each reason on a line."""
    (root / "a.rules.yaml").write_text(RULES.replace("5000", "1"), encoding="utf-8")
    assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence)]) == 4
    error = capsys.readouterr().err.splitlines()
    assert error[0] == "dialproof: error: a.rules.yaml was changed after the tests"
    assert "what would be deployed is not what was tested" in error[1]


def test_deploy_without_evidence_is_refused(evidence: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing evidence is a refusal; no option is a usage error."""
    assert main(["deploy", "--env", "sandbox", "--evidence", "nowhere.json"]) == 4
    assert main(["deploy", "--env", "sandbox"]) == 2
    assert main(["deploy", "--env", "prod", "--evidence", str(evidence)]) == 2
    assert "there is no environment 'prod'; there are sandbox" in capsys.readouterr().err


def test_export_to_an_unknown_suffix_is_a_usage_error(evidence: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No sink takes the file: the message names those that are known."""
    main(["deploy", "--env", "sandbox", "--evidence", str(evidence)])
    assert main(["audit", "export", "out.xls", "--env", "sandbox"]) == 2
    assert "no sink writes .xls: use .json, .jsonl, .csv, .parquet" in capsys.readouterr().err
    assert main(["audit", "export", "out.xls", "--env", "sandbox", "--format", "csv"]) == 0
    assert "out.xls: 8 records" in capsys.readouterr().out


def test_a_broken_chain_is_found(evidence: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Audit verify names the line, with exit code 1; export still writes what can be read and says so."""
    main(["deploy", "--env", "sandbox", "--evidence", str(evidence)])
    path = root / ".dialproof/audit/sandbox.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"high_value"', b'"High_value"', 1))
    assert main(["audit", "verify", "--env", "sandbox"]) == 1
    assert main(["audit", "export", "out.csv", "--env", "sandbox"]) == 1
    place = f"{path}:4: record 4 is broken (hash)"
    captured = capsys.readouterr()
    assert place in captured.out
    assert place in captured.err
    path.with_suffix(".head").write_bytes(b"")
    path.write_bytes(path.read_bytes().replace(b'"High_value"', b'"high_value"', 1))
    assert main(["audit", "export", "out.csv", "--env", "sandbox"]) == 1
    assert f"{path.with_suffix('.head')}: the head is broken" in capsys.readouterr().err


def test_verify_makes_nothing(evidence: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever only reads leaves no state directory, whatever name they mistype."""
    capsys.readouterr()
    assert main(["audit", "verify", "--env", "zz"]) == 2
    assert main(["audit", "export", "out.csv", "--env", "zz"]) == 2
    assert capsys.readouterr().err.count("there is no environment 'zz'; there are sandbox") == 2
    assert main(["audit", "verify", "--env", "sandbox"]) == 2
    assert "there is no audit log" in capsys.readouterr().out
    assert not (root / ".dialproof").exists()


def test_a_closed_pipe_under_the_progress_decides_nothing(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deploy whose progress nobody reads is made as if it were read."""

    class Closed(StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Closed())
    assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence)]) == 0
    assert main(["plan", "--env", "sandbox", "--detailed-exitcode"]) == 0


def test_a_transient_state_that_dials_is_refused_unless_it_is_allowed(
    evidence: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two suppressing rules that swap their conditions: plan and deploy name the contact, and go on if told to."""
    rules = RULES.replace("- {type: setList, listId: premium}", "- {type: doNotDial}")
    swapped = (
        rules.replace("name: high_value", "name: X").replace("no_consent", "high_value").replace("X", "no_consent")
    )
    for text, code in ((rules, 0), (swapped, 4)):
        (root / "a.rules.yaml").write_text(text, encoding="utf-8")
        evidence.write_text(json.dumps(statement_of(root, datetime.now(UTC))), encoding="utf-8")
        assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence)]) == code
    assert "would be dialed in between" in capsys.readouterr().err
    assert main(["plan", "--env", "sandbox"]) == 4
    assert main(["plan", "--env", "sandbox", "--allow-transient"]) == 0
    assert "Note: a contact with" in capsys.readouterr().out
    assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence), "--allow-transient"]) == 0


def test_an_interrupted_deploy_says_what_became_of_it(
    evidence: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C between two writes: the first is undone, the message says so, and the exit code is 130."""
    create = CampaignRulesTarget.create_rule

    def interrupted(self: CampaignRulesTarget, campaign: str, rule: Any) -> Any:
        if rule["name"] == "high_value":
            raise KeyboardInterrupt
        return create(self, campaign, rule)

    monkeypatch.setattr(CampaignRulesTarget, "create_rule", interrupted)
    assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence)]) == 130
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "interrupted",
        "write 2 of 2 (create of rule 'high_value') failed; the 1 write made was undone",
    ]


def test_a_host_that_nobody_answers_at_is_named_with_what_to_check(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The environment, and what of it may be wrong."""
    monkeypatch.chdir(root)
    monkeypatch.setenv("GENESYS_CLIENT_ID", "id")
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", "not-a-secret")
    (root / "dialproof.toml").write_text(
        '[environments.far]\nbase_url = "http://127.0.0.1:9"\nretry = {tries = 1}\n', encoding="utf-8"
    )
    assert main(["plan", "--env", "far"]) == 6
    assert "environment 'far': check base_url, or region, and the proxy (HTTPS_PROXY)" in capsys.readouterr().err
