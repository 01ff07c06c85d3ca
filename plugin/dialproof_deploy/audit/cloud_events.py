"""Audit and event records as CloudEvents 1.0, in the JSON batch format.

``type`` is ``dev.dialproof.audit.EVENT`` for an audit record and ``dev.dialproof.target.EVENT`` for an event of the
target, ``source`` the environment, ``id`` what the record is known by (``records.identities``), ``subject`` the rule,
``time`` when it happened, and ``data`` the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dialproof_deploy.state import time_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof_deploy.audit.records import Records

__all__ = ["BATCH", "cloud_events"]

BATCH = "application/cloudevents-batch+json"
"""The media type of the batch format."""


def cloud_events(records: Records, ids: Sequence[str], environment: str) -> list[dict[str, Any]]:
    """Return one event for each record, in its order."""
    source = f"urn:dialproof:environment:{quote(environment)}"
    return [_event(record, identity, source) for record, identity in zip(records, ids, strict=True)]


def _event(record: Mapping[str, Any], identity: str, source: str) -> dict[str, Any]:
    of_target = "eventType" in record
    kind = f"target.{record['eventType']}" if of_target else f"audit.{record.get('event')}"
    optional = {
        "subject": record.get("ruleName" if of_target else "rule") or record.get("campaign"),
        "time": _time(record.get("timestamp" if of_target else "time")),
    }
    return {
        "specversion": "1.0",
        "id": identity,
        "source": source,
        "type": f"dev.dialproof.{kind}",
        **{name: value for name, value in optional.items() if isinstance(value, str) and value},
        "datacontenttype": "application/json",
        "data": dict(record),
    }


def _time(value: object) -> str | None:
    """Return a time of a log if it is one of RFC 3339; an event of a target may have any text."""
    moment = time_of(value)
    return moment.isoformat().replace("+00:00", "Z") if moment else None
