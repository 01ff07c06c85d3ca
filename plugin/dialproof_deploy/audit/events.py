"""Event sync: what the target says happened to its rules, and whether it was dialproof that did it.

One record an event::

    {"timestamp", "eventType", "entityId", "campaignId", "source": "genesys_cloud_outbound",
     "ruleName", "version", "priority",     # of the rule as it is now; of our audit where it is gone
     "gone",                                # true: the rule no longer exists
     "changed_by", "audit_seq",             # "dialproof" and the audit record that explains it, else "other" and null
     "user"}                                # who it was as the target tells it, else null
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from dialproof.errors import RefusedError, RemoteError
from dialproof_deploy.api.errors import NotFoundError
from dialproof_deploy.audit.json_lines import json_lines
from dialproof_deploy.audit.log import read_records
from dialproof_deploy.redact import scrub_record
from dialproof_deploy.state import exclusive_lock, time_of, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

__all__ = ["FIELDS", "SOURCE", "EventSource", "sync", "sync_file"]

SOURCE = "genesys_cloud_outbound"
_EVENT = ("timestamp", "eventType", "entityId", "campaignId", "source")
_RULE = ("ruleName", "version", "priority", "gone")
FIELDS = (*_EVENT, *_RULE, "changed_by", "audit_seq", "user")
"""The fields of a record, in reading order."""
TOLERANCE = timedelta(minutes=2)
"""How far the time of an event may lie from that of our audit record: two clocks, and an answer that took its time."""


class EventSource(Protocol):
    """What a target offers; ``dialproof_deploy.targets.Target`` does."""

    def query_events(self, campaign_id: str, interval: str) -> Iterator[dict[str, Any]]:
        """Yield ``{timestamp, eventName, entityId, user?}`` of the campaign's rules, following the pages to the end."""

    def get_rule(self, campaign_id: str, rule_id: str) -> dict[str, Any] | None:
        """Return the rule; None or ``NotFoundError`` where it is gone."""


def sync(
    source: EventSource,
    audit_records: Iterable[Mapping[str, Any]],
    write: Callable[[dict[str, Any]], object],
    *,
    campaigns: Sequence[str],
    interval: str = "24h",
    known: Iterable[Mapping[str, Any]] = (),
) -> int:
    """Read all events of the campaigns (ids on the target), ``write`` a record for each new one, return their number.

    ``known`` are the records of earlier runs. Two events may agree in timestamp, name and entity: of each kind as many
    are written as the target has more than are known. An event is ours where an audit record ``change`` has its entity
    as ``remote_id``, was a creation, update or deletion as the event says, and lies within ``TOLERANCE``; a record
    explains one event. Raises ``RemoteError`` as the source does, or for an event without its fields; what was written
    until then stays valid.
    """
    known = list(known)
    seen = Counter(_known_key(record) for record in known)
    audit_records = list(audit_records)
    changes = _changes(audit_records, spent={str(record.get("audit_seq")) for record in known})
    names = _last_names(audit_records)
    written = 0
    for campaign in campaigns:
        sent = Counter(_key(event, campaign) for event in source.query_events(campaign, interval))
        events = sorted((sent - seen).elements())
        explained = _explain(events, changes)
        rules: dict[str, dict[str, Any] | None] = {}
        for index, key in enumerate(events):
            entity = key[2]
            if entity not in rules:
                rules[entity] = _rule(source, campaign, entity)
            write(_record(key, campaign, rules[entity], explained.get(index), names.get(entity)))
            written += 1
    return written


def sync_file(
    source: EventSource, audit_log: Path, events_file: Path, *, campaigns: Sequence[str], interval: str = "24h"
) -> int:
    """Sync into ``events_file`` (JSON lines), given the environment's audit log; return the number of new events.

    The file is replaced as a whole, also with what was read before an error. Raises ``RefusedError`` where it cannot
    be written.
    """
    with exclusive_lock(events_file.with_suffix(".lock"), what=f"the event log {events_file}"):
        known = list(read_records(events_file))
        records = list(known)
        try:
            return sync(
                source,
                list(read_records(audit_log)),
                records.append,
                campaigns=campaigns,
                interval=interval,
                known=known,
            )
        finally:
            if len(records) > len(known):
                try:
                    write_atomic(events_file, json_lines(records))
                except OSError as error:
                    raise RefusedError(f"{events_file}: cannot be written: {error.strerror or error}") from None


_Key = tuple[str, str, str, str]
"""When, what, of which entity, and by whom ("": the target does not tell)."""


def _key(event: Mapping[str, Any], campaign: str) -> _Key:
    when, what, entity = (event.get(name) for name in ("timestamp", "eventName", "entityId"))
    if not all(isinstance(value, str) and value for value in (when, what, entity)):
        raise RemoteError(f"campaign {campaign!r}: the target sent an event without timestamp, eventName or entityId")
    return str(when), str(what), str(entity), str(event.get("user") or "")


def _known_key(record: Mapping[str, Any]) -> _Key:
    when, what, entity = (str(record.get(name)) for name in ("timestamp", "eventType", "entityId"))
    return when, what, entity, str(record.get("user") or "")


@dataclass(frozen=True)
class _Change:
    """A change that our audit shows: its record, and when it was made."""

    record: Mapping[str, Any]
    time: datetime | None


def _changes(audit_records: Sequence[Mapping[str, Any]], spent: Collection[str]) -> list[_Change]:
    """Return the changes that explain no known event; one found later was made when its request was started."""
    times = {str(record.get("seq")): time_of(record.get("time")) for record in audit_records}
    return [
        _Change(record, times.get(str(record.get("started", record.get("seq")))))
        for record in audit_records
        if record.get("event") == "change" and str(record.get("seq")) not in spent
    ]


def _explain(events: Sequence[_Key], changes: list[_Change]) -> dict[int, Mapping[str, Any]]:
    """Pair events (by index) and changes one to one, the closest in time first; those used leave the list."""
    alike: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for index, change in enumerate(changes):
        alike[str(change.record.get("remote_id")), _verb(change.record)].append(index)
    pairs = sorted(
        (distance, place, index)
        for place, (timestamp, name, entity, _) in enumerate(events)
        if (happened := time_of(timestamp)) is not None
        for index in alike.get((entity, name.rpartition(".")[2]), ())
        if (made := changes[index].time) is not None and (distance := abs(happened - made)) <= TOLERANCE
    )
    explained: dict[int, Mapping[str, Any]] = {}
    used: set[int] = set()
    for _, place, index in pairs:
        if place not in explained and index not in used:
            explained[place] = changes[index].record
            used.add(index)
    changes[:] = [change for index, change in enumerate(changes) if index not in used]
    return explained


def _verb(change: Mapping[str, Any]) -> str:
    if change.get("version_before") is None:
        return "created"
    return "deleted" if change.get("version_after") is None else "updated"


def _rule(source: EventSource, campaign: str, entity: str) -> dict[str, Any] | None:
    try:
        return source.get_rule(campaign, entity)
    except NotFoundError:
        return None


def _last_names(audit_records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the name of each rule, by its id on the target, as our audit last knew it."""
    named = ((str(record.get("remote_id")), record.get("rule")) for record in audit_records)
    return {entity: name for entity, name in named if isinstance(name, str)}


def _record(
    key: _Key,
    campaign: str,
    rule: Mapping[str, Any] | None,
    change: Mapping[str, Any] | None,
    name: str | None,
) -> dict[str, Any]:
    timestamp, event_name, entity, user = key
    now = rule or {"name": name, "version": change.get("version_after") if change else None}
    record = {
        "timestamp": timestamp,
        "eventType": event_name,
        "entityId": entity,
        "campaignId": campaign,
        "source": SOURCE,
        "ruleName": now.get("name"),
        "version": now.get("version"),
        "priority": now.get("priority"),
        "gone": rule is None,
        "changed_by": "dialproof" if change else "other",
        "audit_seq": change.get("seq") if change else None,
        "user": user or None,
    }
    return scrub_record(record, FIELDS)
