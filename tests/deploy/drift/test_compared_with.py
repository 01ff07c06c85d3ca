"""What ``dialproof drift`` compares the target with: the deploy that stands, or the files where that is not known."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from dialproof.cli import main
from tests.deploy.drift.conftest import Somebody, deploy
from tests.deploy.drift.test_drift import CONSENT, DRIFT, drift_as_json, states

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TEXAS = {"attribute": "state", "operator": "equals", "value": "TX", "type": "string"}
YORK = {"attribute": "state", "operator": "equals", "value": "NY", "type": "string"}


def edit(project: Path, old: str, new: str) -> None:
    """Edit the rules file without a deploy."""
    rules = project / "a.rules.yaml"
    text = rules.read_text(encoding="utf-8")
    assert old in text
    rules.write_text(text.replace(old, new), encoding="utf-8")


def only(report: Any, rule: str) -> Any:
    """Return what a report says of a rule."""
    return next(found for found in report["campaigns"][0]["rules"] if found["rule"] == rule)


def test_a_rule_is_compared_with_the_deploy_and_not_with_the_files(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files are ahead, and somebody has changed the same rule: what it was, and whom it refused, as deployed."""
    edit(project, 'value: "no"', 'value: "yes"')
    somebody.change("no_consent", conditions=[CONSENT])
    report = drift_as_json(capsys, 1)
    assert report["campaigns"][0]["compared_with"] == "deployed"
    differences = {d["field"]: d for d in only(report, "no_consent")["differences"]}
    assert (differences["conditions[0].value"]["deployed"], differences["conditions[0].value"]["target"]) == (
        "no",
        "maybe",
    )
    contacts = [effect["contact"]["consent"] for effect in report["campaigns"][0]["effects"] if effect["dialed"]]
    assert contacts == ["no"]


def test_what_the_files_want_and_somebody_did_by_hand_is_drift(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """That the target stands as the files say does not make it deployed."""
    edit(project, "priority: 100", "priority: 7")
    somebody.change("high_value", priority=7)
    assert states(drift_as_json(capsys, 1)) == {"high_value": "changed", "no_consent": "same"}


def test_a_deleted_rule_that_is_in_no_file_any_more_is_missed(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its contacts are dialed now; a rule that is new in the files is pending."""
    edit(project, "name: no_consent", "name: another")
    edit(project, 'value: "no"', 'value: "yes"')
    somebody.delete("no_consent")
    report = drift_as_json(capsys, 1)
    assert states(report) == {"high_value": "same", "no_consent": "deleted", "another": "pending"}
    (effect,) = report["campaigns"][0]["effects"]
    assert (effect["rule"], effect["contact"]["consent"]) == ("no_consent", "no")


def test_without_the_record_the_words_and_keys_say_files(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is called deployed that is only in the files."""
    shutil.rmtree(project / ".dialproof" / "deploys")
    edit(project, "priority: 900", "priority: 901")
    somebody.change("no_consent", conditions=[CONSENT])
    report = drift_as_json(capsys, 1)
    assert report["campaigns"][0]["compared_with"] == "files"
    differences = {d["field"]: d for d in only(report, "no_consent")["differences"]}
    assert differences["priority"] == {"field": "priority", "files": 901, "target": 900}
    assert "no dial" in report["campaigns"][0]["effects"][0]["files"]
    assert main(DRIFT) == 1
    text = capsys.readouterr().out
    assert "1 as in the files" in text
    assert "rule 'no_consent' is not as in the files" in text
    assert "contacts are dialed that rule 'no_consent' refuses in the files, such as" in text
    assert "deployed" not in text


def test_a_record_that_was_edited_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its digest is in the audit log; the sentence says what to do."""
    (record,) = (project / ".dialproof/deploys/sandbox").iterdir()
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace('"priority": 900', '"priority": 901'), encoding="utf-8")
    assert main(DRIFT) == 4
    error = capsys.readouterr().err
    assert "not what the audit log says was decided" in error
    assert "deploy again" in error


def test_a_tolerated_rule_that_was_changed_is_shown_with_what_it_comes_to(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """The record of the deploy has it as it was; without the record a sentence says what cannot be said."""
    (project / "dialproof.toml").write_text("[environments.sandbox]\nkeep = ['theirs']\n", encoding="utf-8")
    somebody.add("theirs", 9, conditions=[TEXAS], actions=[{"type": "setList", "listId": "x", "value": "true"}])
    deploy(project)
    somebody.change("theirs", conditions=[YORK], actions=[{"type": "doNotDial"}])
    report = drift_as_json(capsys, 1)
    differences = {d["field"]: (d["deployed"], d["target"]) for d in only(report, "theirs")["differences"]}
    assert differences["conditions[0].value"] == ("TX", "NY")
    (effect,) = report["campaigns"][0]["effects"]
    assert (effect["rule"], effect["dialed"], effect["contact"]["state"]) == ("theirs", False, "NY")
    shutil.rmtree(project / ".dialproof" / "deploys")
    report = drift_as_json(capsys, 1)
    assert only(report, "theirs")["state"] == "kept changed"
    (note,) = report["campaigns"][0]["notes"]
    assert note.startswith("rule 'theirs', which keep tolerates, was changed; what it was at the last deploy is not")


def test_a_tolerated_rule_that_was_deleted_is_shown_with_whom_it_refused(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody's deploy put it there, and its contacts are dialed all the same; the next deploy takes that as it is."""
    (project / "dialproof.toml").write_text("[environments.sandbox]\nkeep = ['theirs']\n", encoding="utf-8")
    somebody.add("theirs", 9, conditions=[TEXAS], actions=[{"type": "doNotDial"}])
    deploy(project)
    somebody.delete("theirs")
    report = drift_as_json(capsys, 1)
    rule = only(report, "theirs")
    assert (rule["state"], rule["drift"]) == ("kept deleted", True)
    assert isinstance(rule["rule_id"], str)
    (effect,) = report["campaigns"][0]["effects"]
    assert (effect["rule"], effect["dialed"], effect["contact"]["state"]) == ("theirs", True, "TX")
    assert main(DRIFT) == 1
    assert "- rule 'theirs' was tolerated (keep) at the last deploy and is gone" in capsys.readouterr().out
    deploys = project / ".dialproof" / "deploys"
    shutil.move(deploys, project / "away")
    (note,) = drift_as_json(capsys, 1)["campaigns"][0]["notes"]
    assert note.startswith("rule 'theirs', which keep tolerates, was deleted; what it was at the last deploy is not")
    shutil.move(project / "away", deploys)
    deploy(project)
    assert "theirs" not in states(drift_as_json(capsys, 0))


def test_after_a_rollback_the_earlier_deploy_is_compared(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the one that stands; what the files say beyond it is pending."""
    edit(project, "priority: 900", "priority: 901")
    deploy(project)
    assert main(["rollback", "--env", "sandbox", "--last"]) == 0
    assert states(drift_as_json(capsys, 0)) == {"high_value": "same", "no_consent": "pending"}
    somebody.change("no_consent", priority=5)
    report = drift_as_json(capsys, 1)
    assert only(report, "no_consent")["differences"] == [{"field": "priority", "deployed": 900, "target": 5}]


def test_files_that_the_target_cannot_hold_do_not_hide_what_somebody_did(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """The deploy is compared all the same, and a note says that the files are not; without the deploy they must be."""
    edit(project, "name: high_value", "name: high_value\n    category: wrapUp")
    report = drift_as_json(capsys, 0)
    assert states(report) == {"high_value": "same", "no_consent": "same"}
    somebody.change("no_consent", conditions=[CONSENT])
    report = drift_as_json(capsys, 1)
    assert states(report) == {"high_value": "same", "no_consent": "changed"}
    assert [effect["contact"]["consent"] for effect in report["campaigns"][0]["effects"] if effect["dialed"]] == ["no"]
    (note,) = report["campaigns"][0]["notes"]
    assert note.startswith("what the files are ahead by is not known: a.rules.yaml:")
    assert "wrapUp" in note
    shutil.rmtree(project / ".dialproof" / "deploys")
    assert main(DRIFT) == 3
    assert "wrapUp" in capsys.readouterr().err
