"""Event sync: every event once, enriched, and told apart by who made the change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.errors import RefusedError, RemoteError
from dialproof_deploy.api.errors import NotFoundError
from dialproof_deploy.audit.events import sync, sync_file
from dialproof_deploy.audit.log import AuditLog, read_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATED, UPDATED = "outbound.rule.created", "outbound.rule.updated"


def event(minute: int, second: int, name: str, entity: str) -> dict[str, Any]:
    """Return an event as a target sends it."""
    return {"timestamp": f"2026-03-07T10:{minute:02}:{second:02}Z", "eventName": name, "entityId": entity}


class Target:
    """A target that holds events and rules; reading a rule that it does not hold fails as given."""

    def __init__(self, events: dict[str, list[dict[str, Any]]], rules: dict[str, dict[str, Any]]) -> None:
        self.events = events
        self.rules = rules
        self.gone: Exception | None = None
        self.reads: list[str] = []

    def query_events(self, campaign_id: str, interval: str) -> Iterator[dict[str, Any]]:
        """Yield the events of the campaign."""
        assert interval == "24h"
        yield from self.events[campaign_id]

    def get_rule(self, campaign_id: str, rule_id: str) -> dict[str, Any] | None:
        """Return the rule."""
        self.reads.append(rule_id)
        if rule_id not in self.rules and self.gone:
            raise self.gone
        return self.rules.get(rule_id)


def change(seq: int, minute: int, second: int, entity: str, before: int | None, after: int | None) -> dict[str, Any]:
    """Return an audit record of a change."""
    return {
        "seq": seq,
        "time": f"2026-03-07T10:{minute:02}:{second:02}.000Z",
        "event": "change",
        "rule": f"name of {entity}",
        "remote_id": entity,
        "version_before": before,
        "version_after": after,
    }


def run(target: Target, audit: list[dict[str, Any]], known: tuple[dict[str, Any], ...] = ()) -> list[dict[str, Any]]:
    """Sync and return what was written."""
    written: list[dict[str, Any]] = []
    assert sync(target, iter(audit), written.append, campaigns=["cmp"], known=known) == len(written)
    return written


def test_an_event_is_written_with_its_rule() -> None:
    """The record has the contract's fields, with name, version and priority of the rule."""
    target = Target({"cmp": [event(0, 1, CREATED, "r1")]}, {"r1": {"name": "routing", "version": 3, "priority": 7}})
    assert run(target, [change(4, 0, 2, "r1", None, 1)]) == [
        {
            "timestamp": "2026-03-07T10:00:01Z",
            "eventType": CREATED,
            "entityId": "r1",
            "campaignId": "cmp",
            "source": "genesys_cloud_outbound",
            "ruleName": "routing",
            "version": 3,
            "priority": 7,
            "gone": False,
            "changed_by": "dialproof",
            "audit_seq": 4,
            "user": None,
        }
    ]


@pytest.mark.parametrize("gone", [None, NotFoundError("404")])
def test_a_rule_that_is_gone_is_recorded_as_gone(gone: Exception | None) -> None:
    """A rule that no longer exists keeps its event, with the name that our audit knows, or none."""
    target = Target({"cmp": [event(0, 1, CREATED, "r1"), event(0, 2, CREATED, "r2")]}, {})
    target.gone = gone
    ours, other = run(target, [change(1, 0, 1, "r1", None, 1)])
    assert (ours["gone"], ours["ruleName"], ours["version"], ours["priority"]) == (True, "name of r1", 1, None)
    assert (other["gone"], other["ruleName"], other["changed_by"]) == (True, None, "other")


def test_one_change_of_ours_explains_one_event() -> None:
    """Somebody who edits a rule seconds after our change is not taken for us: the closest event is ours."""
    events = [event(0, 10, UPDATED, "r1"), event(0, 30, UPDATED, "r1"), event(0, 50, UPDATED, "r1")]
    target = Target({"cmp": events}, {"r1": {}})
    written = run(target, [change(9, 0, 31, "r1", 1, 2)])
    assert [record["changed_by"] for record in written] == ["other", "dialproof", "other"]
    assert [record["audit_seq"] for record in written] == [None, 9, None]


@pytest.mark.parametrize(
    "audit",
    [
        change(1, 0, 0, "r2", 1, 2),
        change(1, 0, 0, "r1", None, 1),
        change(1, 3, 0, "r1", 1, 2),
        {**change(1, 0, 0, "r1", 1, 2), "event": "request"},
        {**change(1, 0, 0, "r1", 1, 2), "time": "yesterday"},
    ],
    ids=["another rule", "a creation", "too late", "not a change", "no time"],
)
def test_what_does_not_match_is_somebody_elses(audit: dict[str, Any]) -> None:
    """Another rule, another kind of change, or another time does not make an event ours."""
    (record,) = run(Target({"cmp": [event(0, 0, UPDATED, "r1")]}, {"r1": {}}), [audit])
    assert record["changed_by"] == "other"


def test_syncing_again_adds_only_what_is_new() -> None:
    """Known events are not written again, and the audit record of a known one explains no further event."""
    target = Target({"cmp": [event(0, 0, UPDATED, "r1")]}, {"r1": {}})
    audit = [change(1, 0, 0, "r1", 1, 2)]
    first = run(target, audit)
    assert len(first) == 1
    assert run(target, audit, tuple(first)) == []
    target.events["cmp"].append(event(0, 1, UPDATED, "r1"))
    (later,) = run(target, audit, tuple(first))
    assert (later["timestamp"], later["changed_by"]) == ("2026-03-07T10:00:01Z", "other")


def test_changes_in_one_instant_are_as_many_events(tmp_path: Path) -> None:
    """Events of one rule that share a timestamp are counted: none is lost, and none is written again."""
    target = Target({"cmp": [event(0, 0, UPDATED, "r1")] * 2}, {"r1": {}})
    audit = [change(1, 0, 0, "r1", 1, 2)]
    first = run(target, audit)
    assert [record["audit_seq"] for record in first] == [1, None]
    assert run(target, audit, tuple(first)) == []
    target.events["cmp"].append(event(0, 0, UPDATED, "r1"))
    assert len(run(target, audit, tuple(first))) == 1


def test_a_change_that_was_found_later_was_made_when_it_was_asked_for() -> None:
    """The record of a killed deploy's write comes hours after it: the time of its request explains the event."""
    request = {**change(1, 0, 0, "r1", None, None), "event": "request", "remote_id": None}
    found = {**change(9, 59, 0, "r1", None, 1), "started": 1}
    (record,) = run(Target({"cmp": [event(0, 1, CREATED, "r1")]}, {"r1": {}}), [request, found])
    assert (record["changed_by"], record["audit_seq"]) == ("dialproof", 9)


@pytest.mark.parametrize("odd", [{"seq": [1]}, {"started": {}}, {"time": 7}, {"remote_id": []}, {"rule": {}}])
def test_odd_records_explain_nothing(odd: dict[str, Any]) -> None:
    """Lines of any shape in the audit log or among the known events stop no sync."""
    known = ({"timestamp": [], "eventType": {}, "audit_seq": [2]},)
    target = Target({"cmp": [event(0, 0, UPDATED, "r1")]}, {"r1": {}})
    assert len(run(target, [{**change(1, 9, 0, "r1", 1, 2), **odd}], known)) == 1


def test_a_rule_is_read_once(tmp_path: Path) -> None:
    """A rule with many events is one request, and records come in order of time."""
    events = [event(second % 3, second, UPDATED, "r1") for second in range(9)]
    target = Target({"cmp": events}, {"r1": {}})
    stamps = [record["timestamp"] for record in run(target, [])]
    assert stamps == sorted(stamps)
    assert target.reads == ["r1"]


@pytest.mark.parametrize("broken", [{}, {"timestamp": 1}, {**event(0, 0, CREATED, "r"), "entityId": ""}])
def test_an_event_without_its_fields_is_an_error_of_the_target(broken: dict[str, Any]) -> None:
    """An event that says nothing is not passed over in silence."""
    with pytest.raises(RemoteError, match="campaign 'cmp': the target sent an event without"):
        run(Target({"cmp": [broken]}, {}), [])


def test_the_event_file_grows_by_new_events_and_survives_an_error(tmp_path: Path) -> None:
    """The file holds each event once over many runs; what was read before an error is kept."""
    log, file = tmp_path / "prod.jsonl", tmp_path / "prod.events.jsonl"
    now = datetime(2026, 3, 7, 10, 0, 1, tzinfo=UTC)
    audit = AuditLog(log, clock=lambda: now, actor="ada", commit=None)
    audit.append("change", rule="a", remote_id="r1", version_before=None, version_after=1)
    target = Target({"cmp": [event(0, 1, CREATED, "r1"), event(0, 2, CREATED, "r2")]}, {"r1": {"name": "a 😀"}})
    target.gone = RemoteError("unreachable")
    with pytest.raises(RemoteError, match="unreachable"):
        sync_file(target, log, file, campaigns=["cmp"])
    assert [(r["entityId"], r["ruleName"], r["changed_by"]) for r in read_records(file)] == [
        ("r1", "a 😀", "dialproof")
    ]
    target.gone = None
    assert sync_file(target, log, file, campaigns=["cmp"]) == 1
    assert sync_file(target, log, file, campaigns=["cmp"]) == 0
    assert [r["entityId"] for r in read_records(file)] == ["r1", "r2"]


def test_a_torn_line_of_the_event_file_is_read_again_from_the_target(tmp_path: Path) -> None:
    """A line that cannot be read is replaced by a fresh one."""
    file = tmp_path / "prod.events.jsonl"
    file.write_text('{"timestamp": "2026')
    target = Target({"cmp": [event(0, 1, CREATED, "r1")]}, {})
    assert sync_file(target, tmp_path / "prod.jsonl", file, campaigns=["cmp"]) == 1
    assert len(file.read_text().splitlines()) == 1


def test_no_name_ends_a_line_of_the_event_file(tmp_path: Path) -> None:
    """A rule's name with a line separator leaves one record a line for every reader."""
    file = tmp_path / "prod.events.jsonl"
    target = Target({"cmp": [event(0, 1, CREATED, "r1")]}, {"r1": {"name": "a\u2028b"}})
    assert sync_file(target, tmp_path / "prod.jsonl", file, campaigns=["cmp"]) == 1
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1


def test_an_event_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder that is missing ends in a sentence with the path."""
    target = Target({"cmp": [event(0, 1, CREATED, "r1")]}, {})
    with pytest.raises(RefusedError, match="cannot be"):
        sync_file(target, tmp_path / "prod.jsonl", tmp_path / "no" / "prod.events.jsonl", campaigns=["cmp"])
