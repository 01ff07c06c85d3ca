"""A deploy that was interrupted: carried on, taken back, or forgotten, and what stands in the way of each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.cli import main
from dialproof.errors import PartlyAppliedError, RefusedError, RemoteConflictError
from dialproof_deploy.audit.log import verify
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from tests.deploy.gate.conftest import RULES, records, statement_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox
    from dialproof_deploy.targets import Written
    from tests.deploy.gate.conftest import Make

CHANGED = RULES.replace("5000", "6000").replace("priority: 900", "priority: 901")


class Killed(BaseException):
    """The end of a process that nothing catches."""


@pytest.fixture
def interrupted(root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Deploy, change both rules, and die after the first of the two writes."""
    deployer().deploy(statement_of(root))
    (root / "a.rules.yaml").write_text(CHANGED, encoding="utf-8")
    update, made = CampaignRulesTarget.update_rule, []

    def die(self: CampaignRulesTarget, campaign: str, now: Mapping[str, Any], rule: Mapping[str, Any]) -> Written:
        if made:
            raise Killed
        made.append(rule)
        return update(self, campaign, now, rule)

    with monkeypatch.context() as patch:
        patch.setattr(CampaignRulesTarget, "update_rule", die)
        patch.setattr("dialproof_deploy.plan.apply._undone", lambda run, error, left: error)
        with pytest.raises(Killed):
            deployer().deploy(statement_of(root))
    return deployer


def standing(deployer: Make) -> dict[str, tuple[int, int]]:
    """Return priority and version of the rules on the target."""
    with deployer().connected() as target:
        return {r["name"]: (r["priority"], r["version"]) for r in target.list_rules("cmp_123")}


def test_a_new_deploy_waits_for_the_end_of_the_interrupted_one(root: Path, interrupted: Make) -> None:
    """It is refused with both ways to end it; plans and the audit go on."""
    with pytest.raises(RefusedError, match=r"was not finished: '.* --resume' carries it on .*--abort' takes back"):
        interrupted().deploy(statement_of(root))
    assert records(root)[-1]["event"] == "refusal"
    [plan] = interrupted().plan()
    assert len(plan.steps) == 1
    assert any("was not finished: 'dialproof deploy" in note for note in plan.all_notes)
    assert interrupted().sync_events() >= 0


def test_resume_makes_the_writes_that_are_left(root: Path, interrupted: Make) -> None:
    """It ends in the planned state, whatever the files say by now, and nothing is left of the journal."""
    (root / "a.rules.yaml").write_text("rules: [", encoding="utf-8")
    result = interrupted().resume()
    assert result.writes == 1
    assert standing(interrupted) == {"high_value": (100, 2), "no_consent": (901, 2)}
    assert list((root / ".dialproof/journal").iterdir()) == []
    with pytest.raises(RefusedError, match="there is no unfinished deploy"):
        interrupted().resume()
    (root / "a.rules.yaml").write_text(CHANGED, encoding="utf-8")
    assert interrupted().deploy(statement_of(root)).writes == 0


def test_abort_takes_back_what_was_made(root: Path, interrupted: Make) -> None:
    """It ends in the earlier state, with further versions, and the earlier rules can be deployed again."""
    assert interrupted().abort() == 1
    versions = {name: version for name, (_, version) in standing(interrupted).items()}
    assert sorted(versions.values()) == [1, 3]
    (root / "a.rules.yaml").write_text(RULES, encoding="utf-8")
    assert interrupted().deploy(statement_of(root)).writes == 0
    assert verify(root / ".dialproof/audit/sandbox.jsonl").ok
    decisions = [r["decision"] for r in records(root) if r["event"] == "decision"]
    assert decisions == ["apply", "deployed", "apply", "abort", "aborted", "apply", "deployed"]


def test_an_edit_since_stops_both_ways(root: Path, interrupted: Make) -> None:
    """A rule that somebody changed is never overwritten: three versions are shown, and --abandon is the way out."""
    with interrupted().connected() as target:
        rule = next(r for r in target.list_rules("cmp_123") if r["name"] == "no_consent")
        target.update_rule("cmp_123", rule, {**rule, "description": "by hand"})
    for way in (interrupted().resume, interrupted().abort):
        with pytest.raises(RemoteConflictError, match=r"theirs \"by hand\"[\s\S]*--abandon' forgets that deploy"):
            way()
    interrupted().abandon()
    assert records(root)[-1]["decision"] == "abandoned"
    assert any(step.rule == "no_consent" for step in interrupted().plan()[0].steps)
    with pytest.raises(RefusedError, match="there is no unfinished deploy"):
        interrupted().abandon()


def test_a_journal_that_was_edited_is_not_carried_out(root: Path, interrupted: Make) -> None:
    """What was decided is in the audit log: another content is refused, and can only be forgotten."""
    path = root / ".dialproof/journal/sandbox.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"priority": 901', '"priority": 1'), encoding="utf-8")
    with pytest.raises(RefusedError, match=r"not what the audit log says was decided.*--abandon' forgets that deploy"):
        interrupted().resume()
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(RefusedError, match="this is not the record of a deploy"):
        interrupted().abort()
    with pytest.raises(RefusedError, match=r"sandbox\.json: a deploy to environment 'sandbox' was not finished"):
        interrupted().deploy(statement_of(root))
    interrupted().abandon()


def test_without_its_audit_log_a_journal_is_not_believed(root: Path, interrupted: Make) -> None:
    """A log that is broken or gone shows nothing, and a new one neither."""
    log = root / ".dialproof/audit/sandbox.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole.replace(b"cmp_123", b"cmp_124", 1))
    with pytest.raises(RefusedError, match=r"nothing shows that this record was not edited: .* is broken"):
        interrupted().resume()
    log.unlink()
    with pytest.raises(RefusedError, match="the audit log is damaged"):
        interrupted().abort()
    log.with_suffix(".head").unlink()
    with pytest.raises(RefusedError, match="this record is not what the audit log says was decided"):
        interrupted().abort()


def test_a_full_disk_stops_a_deploy_before_its_first_write(
    root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deploy that cannot be written down could not be resumed: it is not begun."""

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("dialproof_deploy.rollout.journal.write_atomic", full)
        with pytest.raises(RefusedError, match=r"cannot be written down \(No space left on device\)"):
            deployer().deploy(statement_of(root))
    assert standing(deployer) == {}
    assert deployer().deploy(statement_of(root)).writes == 2


def test_the_first_campaign_of_two_is_taken_back_too(
    root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deploy that stops in its second campaign is unfinished as a whole; abort undoes all of it, in reverse order."""
    (root / "b.rules.yaml").write_text(RULES.replace("cmp_123", "cmp_456"), encoding="utf-8")
    (root / "b.contacts.yaml").write_text(
        (root / "a.contacts.yaml").read_text(encoding="utf-8").replace("cases:", "campaign: cmp_456\ncases:"),
        encoding="utf-8",
    )
    text = (root / "a.contacts.yaml").read_text(encoding="utf-8")
    (root / "a.contacts.yaml").write_text(text.replace("cases:", "campaign: cmp_123\ncases:"), encoding="utf-8")
    create = CampaignRulesTarget.create_rule

    def fail(self: CampaignRulesTarget, campaign: str, rule: Mapping[str, Any]) -> Written:
        if campaign == "cmp_456" and rule["name"] == "high_value":
            raise RemoteConflictError("no")
        return create(self, campaign, rule)

    with monkeypatch.context() as patch:
        patch.setattr(CampaignRulesTarget, "create_rule", fail)
        with pytest.raises(PartlyAppliedError, match=r"campaign cmp_456: no[\s\S]*standing in campaign cmp_123"):
            deployer().deploy(statement_of(root))
    assert len(standing(deployer)) == 2
    assert deployer().abort() == 2
    assert standing(deployer) == {}


def test_the_command_ends_an_interrupted_deploy(
    root: Path, interrupted: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit codes of refusal, usage and success; the audit is exported after an abort as well."""
    monkeypatch.chdir(root)
    evidence = root.parent / "evidence.json"
    evidence.write_text(json.dumps(statement_of(root, datetime.now(UTC))), encoding="utf-8")
    assert main(["deploy", "--env", "sandbox", "--evidence", str(evidence)]) == 4
    assert "dialproof deploy --env sandbox --abort" in capsys.readouterr().err
    assert main(["deploy", "--env", "sandbox", "--resume", "--abort"]) == 2
    assert main(["deploy", "plan.json", "--env", "sandbox", "--abort"]) == 2
    assert main(["deploy", "--env", "sandbox", "--abort", "--audit-export", "nowhere/out.json"]) == 2
    assert "nowhere/out.json: cannot be written: there is no folder nowhere" in capsys.readouterr().err
    assert main(["deploy", "--env", "sandbox", "--abort", "--audit-export", "out.json"]) == 0
    assert "Taken back in sandbox: 1 write undone" in capsys.readouterr().out
    assert (root / "out.json").exists()
    assert main(["deploy", "--env", "sandbox", "--resume"]) == 4
    assert main(["deploy", "--env", "sandbox", "--abandon"]) == 4


def test_a_journal_that_cannot_be_taken_away_is_taken_away_later(
    root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deploy is made; that its record could not be filed is no "nothing was changed", and resume files it."""

    def full(path: Path, other: Path) -> Path:
        if other.parent.name == "sandbox":
            raise OSError(28, "No space left on device")
        return path.rename(other)

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full)
        with pytest.raises(PartlyAppliedError, match=r"cannot be taken away \(No space left on device\)"):
            deployer().deploy(statement_of(root))
    assert deployer().resume().writes == 0
    assert len(list((root / ".dialproof/deploys/sandbox").iterdir())) == 1


def test_an_interrupt_while_the_journal_is_filed_tells_that_the_deploy_is_made(
    root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the journal is filed it names both ways to end the deploy, and afterwards it is a note."""

    def interrupt(*paths: Path) -> Path:
        if len(paths) == 2 and paths[1].parent.name != "sandbox":
            return paths[0].rename(paths[1])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", interrupt)
        with pytest.raises(PartlyAppliedError, match=r"all writes of the deploy were made\n.*--resume"):
            deployer().deploy(statement_of(root))
    with monkeypatch.context() as patch:
        patch.setattr("dialproof_deploy.rollout.journal.sync_directory", interrupt)
        assert deployer().resume().notes == ("interrupted when the deploy was made already",)
    assert len(list((root / ".dialproof/deploys/sandbox").iterdir())) == 1
    assert deployer().deploy(statement_of(root)).writes == 0
