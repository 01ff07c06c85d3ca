"""Audit and event records as others see them: redacted, with the id that each is known by outside.

A receiver that gets a record twice tells by its id that it is the same one: that of an audit record is its hash; that
of an event of the target is the SHA-256 of its time, kind, entity and campaign, and of how many equal ones came before.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

from dialproof_deploy.audit import events
from dialproof_deploy.audit import log as audit
from dialproof_deploy.redact import scrub_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Records: TypeAlias = Sequence[Mapping[str, Any]]

__all__ = ["NAMES", "environment_of", "identities", "read", "shown"]

NAMES = (*audit.FIELDS, *events.FIELDS)
"""The fields of both kinds of records that are names, ids and numbers."""
_EVENT = events.FIELDS[:4]  # what happened; the rest is what was known of it when it was read


def read(logs: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the records of the logs that exist, one log after the other."""
    return [record for log in logs if log.exists() for record in audit.read_records(log)]


def shown(records: Records) -> list[dict[str, Any]]:
    """Return copies without secrets and personal values."""
    return [scrub_record(record, NAMES) for record in records]


def identities(records: Records) -> list[str]:
    """Return the id of each record; those of a log's first records stay the same while it grows."""
    seen: Counter[str] = Counter()
    found = []
    for record in records:
        digest = record.get("hash")
        if not isinstance(digest, str):
            key = {name: record.get(name) for name in _EVENT} if "eventType" in record else dict(record)
            text = json.dumps(key, sort_keys=True, default=str)
            digest = hashlib.sha256(f"{seen[text]} {text}".encode()).hexdigest()
            seen[text] += 1
        found.append(digest)
    return found


def environment_of(records: Records) -> str:
    """Return the environment that the records are of; "" where no audit record says it."""
    return next((str(record["environment"]) for record in records if record.get("environment")), "")
