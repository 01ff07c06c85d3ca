"""``dialproof drift`` against a sandbox on which somebody edits rules by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import markdown
import pytest

from dialproof.analysis.answers import WitnessError
from dialproof.cli import main
from dialproof.errors import RemoteError
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from tests.deploy.drift.conftest import Somebody, deploy

if TYPE_CHECKING:
    from pathlib import Path

DRIFT = ["drift", "--env", "sandbox"]
CONSENT = {"attribute": "consent", "operator": "equals", "value": "maybe", "type": "string"}


def drift_as_json(capsys: pytest.CaptureFixture[str], code: int) -> Any:
    """Run the command and return its JSON."""
    capsys.readouterr()
    assert main([*DRIFT, "-f", "json"]) == code
    return json.loads(capsys.readouterr().out)


def states(report: Any) -> dict[str, str]:
    """Return the state of each rule in a report."""
    return {rule["rule"]: rule["state"] for rule in report["campaigns"][0]["rules"]}


def test_right_after_a_deploy_there_is_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and every rule counted."""
    capsys.readouterr()
    assert main(DRIFT) == 0
    assert capsys.readouterr().out == ("Campaign cmp_123: 2 as deployed\nDrift of environment sandbox: no drift\n")


def test_a_save_without_a_change_is_none(project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]) -> None:
    """Another version of the same content is no drift."""
    somebody.change("no_consent")
    report = drift_as_json(capsys, 0)
    assert (report["drift"], states(report)) == (False, {"high_value": "same", "no_consent": "same"})


def test_a_rule_that_lets_contacts_through_is_shown_with_one_of_them(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1: which field, when, by whom not, and a contact that is dialed now, run on both sides."""
    somebody.change("no_consent", conditions=[CONSENT])
    report = drift_as_json(capsys, 1)
    rule = next(rule for rule in report["campaigns"][0]["rules"] if rule["drift"])
    assert (rule["rule"], rule["state"]) == ("no_consent", "changed")
    assert {d["field"]: (d["deployed"], d["target"]) for d in rule["differences"]}["conditions[0].value"] == (
        "no",
        "maybe",
    )
    assert rule["changed"]["event"] == "outbound.rule.updated"
    (effect,) = report["campaigns"][0]["effects"]
    assert (effect["rule"], effect["dialed"], effect["contact"]["consent"]) == ("no_consent", True, "no")
    assert "no dial" in effect["deployed"]
    assert "; dial" in effect["target"]
    assert main(DRIFT) == 1
    text = capsys.readouterr().out
    assert "  ~ rule 'no_consent' is not what was deployed: outbound.rule.updated at " in text
    assert '      conditions[0].value: "no" → "maybe"\n' in text
    assert "  contacts are dialed that rule 'no_consent' refused as deployed, such as\n" in text
    assert text.endswith("Drift of environment sandbox: 1 rule drifted\n")


def test_a_rule_that_refuses_more_contacts_is_shown_too(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule that somebody added and that is in no file: whom it keeps from being dialed."""
    texas = {"attribute": "state", "operator": "equals", "value": "TX", "type": "string"}
    somebody.add("no texas", 9, conditions=[texas], actions=[{"type": "doNotDial"}])
    report = drift_as_json(capsys, 1)
    assert states(report)["no texas"] == "added"
    effects = {effect["rule"]: effect for effect in report["campaigns"][0]["effects"] if not effect["dialed"]}
    assert effects["no texas"]["contact"]["state"] == "TX"


def test_a_rule_that_was_deleted_is_missed(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was deployed and is gone; the contract has no event for that, so nobody can tell who did it."""
    somebody.delete("no_consent")
    report = drift_as_json(capsys, 1)
    assert states(report) == {"high_value": "same", "no_consent": "deleted"}
    assert [effect["rule"] for effect in report["campaigns"][0]["effects"]] == ["no_consent"]
    assert main(DRIFT) == 1
    assert "  - rule 'no_consent' was deployed and is gone\n" in capsys.readouterr().out


def test_files_that_are_ahead_are_no_drift(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands as it was last deployed is pending; it shows no contact, even beside a rule that has drifted."""
    rules = project / "a.rules.yaml"
    text = rules.read_text(encoding="utf-8")
    assert 'value: "no"' in text
    rules.write_text(text.replace('value: "no"', 'value: "yes"'), encoding="utf-8")
    report = drift_as_json(capsys, 0)
    assert states(report) == {"high_value": "same", "no_consent": "pending"}
    somebody.change("high_value", priority=7)
    report = drift_as_json(capsys, 1)
    assert states(report) == {"high_value": "changed", "no_consent": "pending"}
    assert report["campaigns"][0]["effects"] == []


def test_without_an_audit_log_what_differs_counts_as_drift(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fresh checkout knows of no deploy."""
    somebody.change("no_consent", priority=7)
    for file in (project / ".dialproof" / "audit").iterdir():
        file.unlink()
    assert states(drift_as_json(capsys, 1)) == {"high_value": "same", "no_consent": "changed"}


def test_a_tolerated_rule_is_compared_with_the_last_deploy(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rules in ``keep`` are no drift as long as they stay as they were when the others were deployed."""
    (project / "dialproof.toml").write_text("[environments.sandbox]\nkeep = ['theirs']\n", encoding="utf-8")
    texas = {"attribute": "state", "operator": "equals", "value": "TX", "type": "string"}
    somebody.add("theirs", 9, conditions=[texas], actions=[{"type": "setList", "listId": "x", "value": "true"}])
    somebody.change("high_value", priority=7)
    deploy(project)
    assert states(drift_as_json(capsys, 0))["theirs"] == "kept"
    somebody.change("theirs", priority=5)
    report = drift_as_json(capsys, 1)
    assert states(report)["theirs"] == "kept changed"


def test_a_rule_that_cannot_be_read_back_leaves_its_meaning_open(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rule is named all the same, and why nobody knows what it comes to."""
    somebody.change("no_consent", actions=[{"type": "doNotDial", "unheard": "of"}])
    report = drift_as_json(capsys, 1)
    (note,) = report["campaigns"][0]["notes"]
    assert note.startswith("what it comes to is not known: rule 'no_consent' cannot be read back (")


def test_a_target_that_does_not_tell_who_did_it_is_a_note(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drift itself is reported whatever becomes of the question about events."""

    def refuse(*_: object) -> Any:
        raise RemoteError("access denied (403)")

    somebody.change("no_consent", priority=7)
    monkeypatch.setattr(CampaignRulesTarget, "query_events", refuse)
    report = drift_as_json(capsys, 1)
    assert report["campaigns"][0]["notes"] == ["who changed it is not known: access denied (403)"]


def test_a_deploy_that_was_not_finished_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands half-way would else be taken for somebody's work."""
    journal = project / ".dialproof" / "journal"
    journal.mkdir(exist_ok=True)
    (journal / "sandbox.json").write_text("{}", encoding="utf-8")
    (note,) = drift_as_json(capsys, 0)["campaigns"][0]["notes"]
    assert "a deploy to environment 'sandbox' was not finished" in note


def test_drift_only_reads(project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the target nor the state directory is another one afterwards."""
    somebody.change("no_consent", conditions=[CONSENT])
    before = {p.name: p.read_bytes() for p in (project / ".dialproof" / "audit").iterdir()}
    rule = somebody.rule("no_consent")
    assert main(DRIFT) == 1
    assert {p.name: p.read_bytes() for p in (project / ".dialproof" / "audit").iterdir()} == before
    assert somebody.rule("no_consent") == rule


def test_markdown_is_a_table_whatever_rules_are_called(
    project: Path, somebody: Somebody, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A renderer makes one row of each rule that drifted; several formats at once go to files."""
    somebody.add("a | <b>@all</b> `x`", 9)
    somebody.change("no_consent", conditions=[CONSENT])
    report, page = tmp_path / "drift.json", tmp_path / "drift.md"
    assert main([*DRIFT, "-f", f"markdown={page}", "-f", f"json={report}"]) == 1
    html = markdown.markdown(page.read_text(encoding="utf-8"), extensions=["tables", "fenced_code"])
    assert html.count("<tr>") == 3
    assert "<b>" not in html
    assert json.loads(report.read_text(encoding="utf-8"))["drift"] is True


@pytest.mark.parametrize("arguments", [["drift"], ["drift", "--env", "prod"], [*DRIFT, "-f", "xml"]])
def test_wrong_usage_is_a_sentence(project: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    assert main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("interval", ["abc", "", "7", "24h/", "2026-03-07/soon", "P1D/P1D", "P/2026-03-07"])
def test_an_interval_that_is_none_is_wrong_usage(
    project: Path, interval: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would only leave out who did it and when; the sentence says what one looks like."""
    assert main([*DRIFT, "--interval", interval]) == 2
    assert "expected 24h, 30m or 7d, or an ISO 8601 interval" in capsys.readouterr().err


@pytest.mark.parametrize(
    "interval", ["30m", "2026-03-07T00:00:00Z/2026-03-08T00:00:00Z", "2026-03-07/P1D", "PT1H/2026-03-07"]
)
def test_an_interval_is_relative_or_of_iso_8601(project: Path, interval: str) -> None:
    """Each form is taken."""
    assert main([*DRIFT, "--interval", interval]) == 0


def test_a_defect_of_the_analysis_does_not_hide_the_drift(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which rule has drifted is said all the same."""

    def contradict(*_: object) -> Any:
        raise WitnessError("a contact shows nothing")

    monkeypatch.setattr("dialproof.analysis.difference.Difference.newly_dialed", contradict)
    somebody.change("no_consent", conditions=[CONSENT])
    report = drift_as_json(capsys, 1)
    assert states(report)["no_consent"] == "changed"
    (note,) = report["campaigns"][0]["notes"]
    assert note == "what it comes to is not known: the analysis contradicts itself; report it please"
