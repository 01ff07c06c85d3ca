"""Exports as CloudEvents, read back by the SDK of the CloudEvents project."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from dialproof_deploy.audit.export import built_in_sink
from dialproof_deploy.audit.log import AuditLog

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 7, 17, 0, tzinfo=UTC)
EVENT = {
    "timestamp": "2026-03-07T17:00:01.000Z",
    "eventType": "outbound.rule.updated",
    "entityId": "r1",
    "campaignId": "cmp",
    "ruleName": "premium",
    "changed_by": "other",
}


def exported(records: list[dict[str, Any]], file: Path) -> list[dict[str, Any]]:
    """Return the events of an export."""
    sink = built_in_sink(file)
    assert sink is not None
    sink(records)
    events: list[dict[str, Any]] = json.loads(file.read_bytes())
    return events


def test_every_record_is_a_valid_event(tmp_path: Path) -> None:
    """The SDK accepts each: required attributes, a time of RFC 3339, and the record as data."""
    log = AuditLog(tmp_path / "staging.jsonl", clock=lambda: NOW, actor="ada", commit=None)
    change = log.append("change", campaign="cmp", rule="premium", action="update", phase="change.made")
    refusal = log.append("refusal", details={"reasons": ["frozen"]})
    written = exported([change, refusal, EVENT, EVENT], tmp_path / "audit.cloudevents.json")
    events = [JSONFormat().read(CloudEvent, json.dumps(event)) for event in written]
    assert [event.get_type() for event in events] == [
        "dev.dialproof.audit.change",
        "dev.dialproof.audit.refusal",
        "dev.dialproof.target.outbound.rule.updated",
        "dev.dialproof.target.outbound.rule.updated",
    ]
    assert [event.get_subject() for event in events] == ["premium", None, "premium", "premium"]
    assert {event.get_source() for event in events} == {"urn:dialproof:environment:staging"}
    assert [event.get_id() for event in events[:2]] == [change["hash"], refusal["hash"]]
    assert len({event.get_id() for event in events}) == 4
    assert events[0].get_time() == NOW
    assert [event.get_data() for event in events] == [change, refusal, EVENT, EVENT]


def test_what_an_event_cannot_have_is_left_out(tmp_path: Path) -> None:
    """An event of the target whose time is no time stays a valid event, and its record keeps the text."""
    (event,) = exported([{**EVENT, "timestamp": "yesterday", "ruleName": None}], tmp_path / "a.cloudevents.json")
    assert JSONFormat().read(CloudEvent, json.dumps(event)).get_subject() is None
    assert not {"time", "subject"} & event.keys()
    assert event["data"]["timestamp"] == "yesterday"
