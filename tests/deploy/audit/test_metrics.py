"""Metrics of the audit log, read back by the parser of the Prometheus project."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dialproof_deploy.audit.export import built_in_sink
from dialproof_deploy.audit.log import AuditLog

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 7, 17, 0, tzinfo=UTC)


@pytest.fixture
def records(tmp_path: Path) -> list[dict[str, Any]]:
    """Return the records of two deploys, an undone write, a refusal and a rollback, a second apart, and two events."""
    times = (START + timedelta(seconds=number) for number in range(100))
    log = AuditLog(tmp_path / "staging.jsonl", clock=lambda: next(times), actor="ada", commit=None)
    found = []
    for _ in range(2):
        found += [
            log.append("decision", decision="apply", campaign="r1", logicalCampaign='a "b"\\\n'),
            log.append("request", phase="change.started", action="create", campaign="r1"),
            log.append("change", phase="change.made", action="create", campaign="r1"),
            log.append("decision", decision="deployed", campaign="r1", logicalCampaign='a "b"\\\n'),
        ]
    found += [
        log.append("change", phase="change.made", action="update", campaign="r2"),
        log.append("change", phase="rollback.made", action="update", campaign="r2"),
        log.append("refusal", details={"reasons": ["frozen"]}),
        log.append("decision", decision="rolled back", deploy="d2", restores="d1"),
    ]
    event = {"timestamp": "t", "eventType": "outbound.rule.created", "entityId": "x", "campaignId": "r1"}
    return [*found, {**event, "changed_by": "dialproof"}, {**event, "changed_by": "other"}]


def export(records: list[dict[str, Any]], file: Path) -> str:
    """Export and return the text."""
    sink = built_in_sink(file)
    assert sink is not None
    sink(records)
    return file.read_text(encoding="utf-8")


def test_prometheus_reads_the_numbers(records: list[dict[str, Any]], tmp_path: Path) -> None:
    """Every number has its type and labels; a campaign's name with quotes and line ends comes back as it is."""
    families = list(text_string_to_metric_families(export(records, tmp_path / "metrics.prom")))
    found = {}
    for family in families:
        assert family.documentation
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("environment") == "staging"
            found[sample.name, tuple(labels.values())] = family.type, sample.value
    campaign = 'a "b"\\\n'
    assert found == {
        ("dialproof_deploys_total", (campaign,)): ("counter", 2),
        ("dialproof_last_deploy_timestamp_seconds", (campaign,)): ("gauge", START.timestamp() + 7),
        ("dialproof_rollbacks_total", ("rolled back",)): ("counter", 1),
        ("dialproof_rollbacks_total", ("aborted",)): ("counter", 0),
        ("dialproof_writes_total", ("create",)): ("counter", 2),
        ("dialproof_writes_total", ("update",)): ("counter", 1),
        ("dialproof_writes_total", ("shift",)): ("counter", 0),
        ("dialproof_writes_total", ("delete",)): ("counter", 0),
        ("dialproof_undone_writes_total", ("create",)): ("counter", 0),
        ("dialproof_undone_writes_total", ("update",)): ("counter", 1),
        ("dialproof_undone_writes_total", ("shift",)): ("counter", 0),
        ("dialproof_undone_writes_total", ("delete",)): ("counter", 0),
        ("dialproof_refusals_total", ()): ("counter", 1),
        ("dialproof_audit_records_total", ("decision",)): ("counter", 5),
        ("dialproof_audit_records_total", ("request",)): ("counter", 2),
        ("dialproof_audit_records_total", ("change",)): ("counter", 4),
        ("dialproof_audit_records_total", ("refusal",)): ("counter", 1),
        ("dialproof_target_events_total", ("outbound.rule.created", "dialproof")): ("counter", 1),
        ("dialproof_target_events_total", ("outbound.rule.created", "other")): ("counter", 1),
    }


def test_json_has_the_same_numbers(records: list[dict[str, Any]], tmp_path: Path) -> None:
    """The same content, for whoever has no Prometheus."""
    assert json.loads(export(records, tmp_path / "audit.metrics.json")) == {
        "environment": "staging",
        "deploys": {'a "b"\\\n': 2},
        "lastDeploy": {'a "b"\\\n': START.timestamp() + 7},
        "rollbacks": {"rolled back": 1, "aborted": 0},
        "writes": {"create": 2, "update": 1, "shift": 0, "delete": 0},
        "undoneWrites": {"create": 0, "update": 1, "shift": 0, "delete": 0},
        "refusals": 1,
        "auditRecords": {"decision": 5, "request": 2, "change": 4, "refusal": 1},
        "targetEvents": [
            {"event": "outbound.rule.created", "changedBy": "dialproof", "count": 1},
            {"event": "outbound.rule.created", "changedBy": "other", "count": 1},
        ],
    }


def test_nothing_at_all_is_zero(tmp_path: Path) -> None:
    """A log without records is a valid exposition."""
    families = list(text_string_to_metric_families(export([], tmp_path / "metrics.prom")))
    assert sum(sample.value for family in families for sample in family.samples) == 0
