"""The environment that must receive rules before another one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof_deploy.audit.log import read_records, verify
from dialproof_deploy.rollout.history import history_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dialproof_deploy.state import StateDir

__all__ = ["not_received"]


def not_received(state: StateDir, first: str, payloads: Iterable[tuple[str, str]]) -> list[str]:
    """Return a refusal for each campaign whose payload the environment called ``first`` has not received.

    ``payloads`` are the ids of the campaigns in the files (joined by a comma), each with the digest of its payload.
    """
    path = state.audit(first)
    if path.exists() and not verify(path).ok:
        what = f"the audit log of environment {first!r}, which must receive these rules first, is broken"
        return [f"{what}: 'dialproof audit verify --env {first}{state.option}' says where"]
    history = history_of(read_records(path), first)
    return [
        f"campaign {logical}: environment {first!r} must receive exactly these rules first"
        for logical, payload in payloads
        if not all(history.holds(campaign, payload) for campaign in logical.split(", "))
    ]
