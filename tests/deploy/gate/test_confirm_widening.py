"""Plan and deploy where contacts come to be dialed: what is said, and what has to be confirmed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from tests.deploy.gate.conftest import RULES, records, statement_of

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox

WIDER = RULES.replace("      - {attribute: consent, operator: equals, value: \"no\"}\n",
                      "      - {attribute: consent, operator: equals, value: \"no\"}\n"
                      "      - {attribute: state, operator: equals, value: TX}\n")  # fmt: skip


@pytest.fixture
def staging(root: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Path:
    """Return a project that is deployed to an environment which does not say whether its campaigns run."""
    monkeypatch.chdir(root)
    for name in ("DIALPROOF_SANDBOX_URL", "GENESYS_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GENESYS_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("GENESYS_CLIENT_SECRET", sandbox.client_secret)
    (root / "dialproof.toml").write_text(f'[environments.staging]\nbase_url = "{sandbox.url}"\n', encoding="utf-8")
    (root / "list.csv").write_text("lifetimeValue,state,consent\n1,TX,no\n2,CA,no\n3,NY,no\n", encoding="utf-8")
    assert write(root, RULES) == 0
    return root


def write(root: Path, rules: str, *options: str) -> int:
    """Deploy rules that were just tested."""
    (root / "a.rules.yaml").write_text(rules, encoding="utf-8")
    (root / "evidence.json").write_text(json.dumps(statement_of(root, datetime.now(UTC))), encoding="utf-8")
    return main(["deploy", "--env", "staging", "--evidence", "evidence.json", *options])


def test_a_widening_deploy_needs_the_number_of_its_plan(staging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """None, and any other number, is refused and recorded; the one that the plan counts is deployed and recorded."""
    assert write(staging, WIDER, "--contacts", "list.csv") == 4
    said = capsys.readouterr().err
    assert "2 of 3 contacts of list.csv are not dialed now and would be; cmp_123 may be running" in said
    assert "Dialing: 2 of 3 contacts of list.csv come to be dialed" in said
    assert write(staging, WIDER, "--contacts", "list.csv", "--confirm-widening", "3") == 4
    assert "--confirm-widening 3 says another number" in capsys.readouterr().err
    assert main(["plan", "--env", "staging", "--contacts", "list.csv"]) == 0
    out = capsys.readouterr().out
    assert "Dialing: 2 of 3 contacts of list.csv come to be dialed, 0 cease to be" in out
    assert out.endswith("a deploy needs --confirm-widening 2\n")
    assert write(staging, WIDER, "--contacts", "list.csv", "--confirm-widening", "2") == 0
    [confirmed] = [r for r in records(staging, "staging") if r.get("decision") == "confirm widening"]
    assert confirmed["contacts"] == 2
    assert main(["audit", "tail", "--env", "staging", "-n", "99"]) == 0
    assert 'decision="confirm widening" contacts=2' in capsys.readouterr().out
    *_, decision = [r for r in records(staging, "staging") if r.get("decision") == "apply"]
    assert decision["details"]["dialing"][0] == "2 of 3 contacts of list.csv come to be dialed, 0 cease to be"
    assert [r["event"] for r in records(staging, "staging")].count("refusal") == 2


def test_without_a_list_the_contacts_of_the_project_count(staging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """None of its cases is widened, and the analysis shows a contact: whoever deploys says that it is meant."""
    assert write(staging, WIDER) == 4
    said = capsys.readouterr().err
    assert (
        "0 of 1 contact of the project's files are not dialed now and would be, and so would others (one with " in said
    )
    assert "'dialproof deploy --env staging --evidence ... --confirm-widening 0'" in said
    assert write(staging, WIDER, "--confirm-widening", "0") == 0


def test_a_deploy_that_dials_nobody_more_needs_no_word(staging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Back to the wider suppression: proved, and a number that is not asked for is refused."""
    assert write(staging, WIDER, "--confirm-widening", "0") == 0
    assert write(staging, RULES, "--confirm-widening", "1") == 4
    assert "nobody comes to be dialed in a campaign that is running: leave it out" in capsys.readouterr().err
    assert write(staging, RULES) == 0
    assert "nobody comes to be dialed (proved)" in capsys.readouterr().out


def test_a_list_without_a_column_of_the_rules_counts_nothing(staging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its contacts would all look alike: it is unreadable input."""
    (staging / "list.csv").write_text("lifetimeValue,state\n1,TX\n", encoding="utf-8")
    (staging / "a.rules.yaml").write_text(WIDER, encoding="utf-8")
    assert main(["plan", "--env", "staging", "--contacts", "list.csv"]) == 3
    assert "list.csv: there is no column consent, which the rules read" in capsys.readouterr().err
    assert main(["plan", "--env", "staging", "--contacts", "nowhere.csv"]) == 2


def test_the_sandbox_dials_nobody(
    root: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the built-in environment the count is shown, and nothing has to be confirmed."""
    monkeypatch.chdir(root)
    for rules in (RULES, WIDER):
        (root / "a.rules.yaml").write_text(rules, encoding="utf-8")
        (root / "evidence.json").write_text(json.dumps(statement_of(root, datetime.now(UTC))), encoding="utf-8")
        assert main(["deploy", "--env", "sandbox", "--evidence", "evidence.json"]) == 0
    assert "Dialing: a contact with" in capsys.readouterr().out


def test_a_rollback_that_widens_needs_the_number_as_well(staging: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its preview counts them and writes nothing; a freeze refuses it no more than before."""
    assert write(staging, WIDER, "--confirm-widening", "0") == 0
    assert write(staging, RULES) == 0
    config = staging / "dialproof.toml"
    always = '["Mon 00:00-Thu 00:00", "Thu 00:00-Mon 00:00"]'
    config.write_text(f"{config.read_text(encoding='utf-8')}freeze = {always}\n", encoding="utf-8")
    back = ["rollback", "--env", "staging", "--last", "--contacts", "list.csv"]
    before = len(records(staging, "staging"))
    capsys.readouterr()
    assert main([*back, "--plan"]) == 0
    out = capsys.readouterr().out
    assert "~ update rule 'no_consent'" in out
    assert "Dialing: 2 of 3 contacts of list.csv come to be dialed, 0 cease to be" in out
    assert out.endswith("a rollback needs --confirm-widening 2\n")
    assert len(records(staging, "staging")) == before
    assert main(back) == 4
    said = capsys.readouterr().err
    assert "2 of 3 contacts of list.csv are not dialed now and would be" in said
    assert "'dialproof rollback --env staging ... --confirm-widening 2'" in said
    assert "Dialing: 2 of 3 contacts of list.csv come to be dialed, 0 cease to be" in said
    assert main([*back, "--confirm-widening", "1"]) == 4
    assert main([*back, "--confirm-widening", "2"]) == 0
    assert [r["contacts"] for r in records(staging, "staging") if r.get("decision") == "confirm widening"] == [0, 2]


def test_the_same_deploy_again_writes_nothing_and_needs_no_word(staging: Path) -> None:
    """Whoever repeats a job with its number is done already."""
    again = (staging, WIDER, "--contacts", "list.csv", "--confirm-widening", "2")
    assert write(*again) == 0
    assert write(*again) == 0
    assert len([r for r in records(staging, "staging") if r.get("decision") == "confirm widening"]) == 1
