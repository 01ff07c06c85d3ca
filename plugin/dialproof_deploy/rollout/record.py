"""What is kept of a deploy: the rules of each campaign before and after, and the writes that lead there.

A record is a JSON file: the journal of its environment while the deploy is under way, afterwards a file of the history
(``state.StateDir``). It holds rules as they travel, with the values that their conditions compare with and never a
contact; so it is readable by its owner alone, and nothing of it goes into logs and exports. Its digest is in the audit
log, in the decision to deploy, so that a record that was edited is found.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from dialproof.errors import RefusedError
from dialproof_deploy.plan.plan import Plan, Step
from dialproof_deploy.state import utc_text

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

__all__ = ["DeployRecord", "Part", "new_id", "read_record"]

_FORMAT = 1


@dataclass(frozen=True)
class Part:
    """What a deploy does to one campaign.

    ``rules`` are what the files want of it as they travel, ``payload`` the digest of the same as it was tested ("" in a
    rollback).
    """

    plan: Plan
    rules: tuple[dict[str, Any], ...]
    payload: str = ""


@dataclass(frozen=True)
class DeployRecord:
    """A deploy, or a rollback: then ``restores`` is the id of the deploy whose rules it restores, else "".

    ``time`` is when it began, ``evidence`` the digest of what it rests on. ``digest`` is that of the record's bytes.
    """

    id: str
    environment: str
    time: str
    parts: tuple[Part, ...]
    evidence: str = ""
    restores: str = ""
    data: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        text = json.dumps({"format": _FORMAT, **_to_json(self)}, indent=1, sort_keys=True)
        object.__setattr__(self, "data", f"{text}\n".encode())

    @property
    def digest(self) -> str:
        """The sha256 (hex) of the record as it is written."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def kind(self) -> str:
        """What people call it."""
        return "rollback" if self.restores else "deploy"


def new_id(now: datetime) -> str:
    """Return a new id of a deploy: when it began, and chance to tell those of one second apart."""
    return f"{utc_text(now)[:19].replace('-', '').replace(':', '')}Z-{secrets.token_hex(3)}"


def read_record(path: Path) -> DeployRecord | None:
    """Return the record of a file, None where there is none; raises ``RefusedError`` where it is not a record."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedError(f"{path}: cannot be read: {error.strerror or error}") from None
    try:
        record = _from_json(json.loads(data))
        whole = record.data == data
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        whole = False
    if not whole:
        raise RefusedError(f"{path}: this is not the record of a deploy as this version of dialproof writes it")
    return record


def _to_json(record: DeployRecord) -> dict[str, Any]:
    common = {f.name: getattr(record, f.name) for f in fields(record) if f.name not in ("parts", "data")}
    parts = [
        {
            "payload": part.payload,
            "rules": list(part.rules),
            "campaign": part.plan.campaign,
            "logical": part.plan.logical,
            "personal": sorted(part.plan.personal),
            "holder": part.plan.holder,
            "remote": list(part.plan.remote),
            "kept": list(part.plan.kept),
            "steps": [step.to_json() for step in part.plan.steps],
        }
        for part in record.parts
    ]
    return {**common, "parts": parts}


def _from_json(value: dict[str, Any]) -> DeployRecord:
    if value.pop("format") != _FORMAT:
        raise ValueError("another format")
    parts = []
    for part in value.pop("parts"):
        plan = Plan(
            campaign=part["campaign"],
            steps=tuple(map(_step, part["steps"])),
            unchanged=(),
            kept=tuple(part["kept"]),
            refusals=(),
            notes=(),
            remote=tuple(part["remote"]),
            logical=part["logical"],
            personal=frozenset(part["personal"]),
            holder=part["holder"],
        )
        parts.append(Part(plan, tuple(part["rules"]), part["payload"]))
    return DeployRecord(**value, parts=tuple(parts))


def _step(value: dict[str, Any]) -> Step:
    return Step(**{**value, "parts": tuple(map(_step, value.get("parts", ())))})
