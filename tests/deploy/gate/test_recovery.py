"""A deploy that was killed between a request and its record: resume and abort find out what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dialproof_deploy.audit.log import read_records
from dialproof_deploy.audit.recovery import recover
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from dialproof_deploy.targets.wire import content_digest
from tests.deploy.gate.conftest import MemoryTarget, records, statement_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox
    from dialproof_deploy.targets import Written
    from tests.deploy.gate.conftest import Make


def _killed(deployer: Make, evidence: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, stored: bool) -> None:
    """Deploy and die in the second write, before or after the target has made it, with no chance to undo."""
    create = CampaignRulesTarget.create_rule

    def die(self: CampaignRulesTarget, campaign: str, rule: Mapping[str, Any]) -> Written:
        if stored or rule["name"] == "no_consent":
            written = create(self, campaign, rule)
        if rule["name"] == "high_value":
            raise SystemExit
        return written

    with monkeypatch.context() as patch:
        patch.setattr("dialproof_deploy.plan.apply._undone", lambda run, error, *_: error)
        patch.setattr(CampaignRulesTarget, "create_rule", die)
        with pytest.raises(SystemExit):
            deployer(clock=lambda: datetime.now(UTC)).deploy(evidence)


def test_a_write_of_a_killed_deploy_is_recorded_by_resume(
    root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target has the rule, and now the audit log has its change, as made when the killed deploy asked for it."""
    evidence = statement_of(root, datetime.now(UTC))
    _killed(deployer, evidence, monkeypatch, stored=True)
    request = records(root)[-1]
    assert (request["event"], request["phase"], request["rule"]) == ("request", "change.started", "high_value")
    said: list[str] = []
    late = deployer(clock=lambda: datetime.now(UTC) + timedelta(hours=1), say=said.append)
    result = late.resume()
    what = "the create of rule 'high_value': it was made"
    assert said == [f"an earlier run ended before it knew what became of {what}"]
    assert result.writes == 0
    changes = [record for record in records(root) if record["event"] == "change"]
    made = changes[-1]
    assert [change["rule"] for change in changes] == ["no_consent", "high_value"]
    assert (made["version_before"], made["version_after"], made["started"]) == (None, 1, request["seq"])
    assert (made["digest"], made["remote_id"] is None) == (request["digest"], False)
    assert late._owned("cmp_123") == ["no_consent", "high_value"]
    assert [record["changed_by"] for record in read_records(result.event_log)] == ["dialproof"] * 2
    assert late.deploy(evidence).notes == ()


def test_a_write_that_a_killed_deploy_never_made_is_closed(
    root: Path, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is recorded as failed, so that the write of the next deploy is not taken for it."""
    evidence = statement_of(root, datetime.now(UTC))
    _killed(deployer, evidence, monkeypatch, stored=False)
    now = deployer(clock=lambda: datetime.now(UTC))
    assert now.sync_events() == 1
    assert (records(root)[-1]["event"], records(root)[-1]["phase"]) == ("request", "change.failed")
    assert now.resume().writes == 1
    assert now.deploy(evidence).writes == 0
    assert [r["rule"] for r in records(root) if r["event"] == "change"] == ["no_consent", "high_value"]


@pytest.mark.parametrize(
    ("phase", "wanted", "before", "end", "after"),
    [
        ("change.started", {"priority": 5}, 1, "change.made", 2),
        ("change.started", {"priority": 5}, 2, "change.failed", None),
        ("change.started", {"priority": 7}, 1, "change.unknown", None),
        ("rollback.started", {"priority": 5}, 1, "rollback.made", 2),
        ("change.started", None, 2, "change.failed", None),
        ("rollback.started", None, 2, "rollback.failed", None),
        ("change.started", {"priority": 7}, None, "change.unknown", None),
        ("change.started", {"name": "b"}, None, "change.failed", None),
    ],
)
def test_what_became_of_a_request_is_seen_on_the_target(
    root: Path,
    deployer: Make,
    phase: str,
    wanted: dict[str, Any] | None,
    before: int | None,
    end: str,
    after: int | None,
) -> None:
    """An update, deletion or creation without its end gets it by version and content, and only once."""
    memory = MemoryTarget()
    rule = {"name": "a", "priority": 5, "executionOrder": 1, "conditions": [], "actions": []}
    memory.rules["m0"] = {**rule, "id": "m0", "version": 2, "enabled": True}
    log = deployer().audit_log
    digest = content_digest({**rule, **wanted}) if wanted else None
    names = {"campaign": "c", "rule": (wanted or {}).get("name", "a"), "remote_id": None if before is None else "m0"}
    log.append("request", **names, action="update", phase=phase, version_before=before, digest=digest)
    assert len(recover(log, "c", memory)) == 1
    record = records(root)[-1]
    assert (record["phase"], record["version_after"], record["started"]) == (end, after, 1)
    assert record["event"] == ("change" if after else "request")
    assert recover(log, "c", memory) == []


@pytest.mark.parametrize(("phase", "digest"), [("change.started", None), ("change.started", "0" * 64)])
def test_a_rule_that_is_gone_was_deleted_or_nobody_knows(
    root: Path, deployer: Make, phase: str, digest: str | None
) -> None:
    """A deletion without its end was made where the rule is gone; an update of it cannot be told."""
    log = deployer().audit_log
    names = {"campaign": "c", "rule": "a", "remote_id": "m0", "action": "update", "version_before": 2}
    log.append("request", **names, phase=phase, digest=digest)
    log.append("request", **names, phase="change.unknown", digest=digest)
    recover(log, "c", MemoryTarget())
    expected = ("request", "change.unknown") if digest else ("change", "change.made")
    assert (records(root)[-1]["event"], records(root)[-1]["phase"]) == expected
    assert recover(log, "c", MemoryTarget()) == []
