"""The file between ``dialproof plan --out`` and ``dialproof deploy PLAN``: whole plans, each with its digest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof.errors import InputError, RefusedError, RemoteConflictError, UsageError
from dialproof.output.report import printable
from dialproof_deploy.plan.plan import digest_of, target_digest
from dialproof_deploy.state import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dialproof_deploy.plan.plan import Plan

__all__ = ["Planned", "departure", "read_planned", "write_plans"]


@dataclass(frozen=True)
class Planned:
    """The digest of the plan of one campaign in a file, and that of what then stood on the target."""

    digest: str
    target: str


def write_plans(path: Path, environment: str, plans: Sequence[Plan]) -> None:
    """Write the plans for an environment as JSON, readable by the owner alone: the values of contacts may be in it.

    Raises ``UsageError`` where the file cannot be written.
    """
    data = {"environment": environment, "campaigns": [plan.to_json() for plan in plans]}
    text = f"{json.dumps(data, indent=2, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace")
    try:
        if path.exists() and not path.is_file():  # a device or a pipe, which must not be replaced
            path.write_bytes(text)
        else:
            write_atomic(path, text)
    except OSError as error:
        raise UsageError(f"{path}: the plan cannot be written: {error.strerror or error}") from None


def read_planned(path: Path, environment: str) -> dict[str, Planned]:
    """Return for each campaign what its plan was, from a file that ``write_plans`` wrote.

    Raises ``UsageError`` where the file cannot be read, ``InputError`` where it holds no plans, or was edited, and
    ``RefusedError`` where they are for another environment.
    """
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        meant, plans = written["environment"], written["campaigns"]
        found = {plan["campaign"]: Planned(plan["digest"], target_digest(plan["remote"])) for plan in plans}
        whole = all(digest_of({k: v for k, v in plan.items() if k != "digest"}) == plan["digest"] for plan in plans)
    except OSError as error:
        raise UsageError(f"{path}: the plan cannot be read: {error.strerror or error}") from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, InputError):
        found, whole, meant = {}, False, None
    if not found or not isinstance(meant, str):
        raise InputError(f"{path}: this is not a plan: write one with 'dialproof plan --out FILE'")
    if not whole:
        raise InputError(f"{path}: the plan was edited: its digest does not fit; plan again")
    if meant != environment:
        raise RefusedError(
            f"{path}: this plan is for the environment {meant!r}, not for {environment!r}: write one with "
            f"'dialproof plan --env {environment} --out FILE'"
        )
    return found


def departure(planned: Mapping[str, Planned], plans: Sequence[Plan]) -> RefusedError | RemoteConflictError | None:
    """Return the error that names each campaign whose plan is another one now, and why; None where none is."""
    now = {plan.campaign: Planned(plan.digest, target_digest(plan.remote)) for plan in plans}
    others = [key for key in {**planned, **now} if planned.get(key) != now.get(key)]
    moved = [key for key in others if key in planned and key in now and planned[key].target != now[key].target]
    holder = plans[0].holder if plans else "campaign"
    causes = {
        "what stands on the target has changed since it was planned, by somebody or by this very plan": moved,
        "your files, your configuration or your --prune are not those that were planned": [
            key for key in others if key not in moved
        ],
    }
    lines = [f"{holder} {', '.join(map(printable, keys))}: {why}; plan again" for why, keys in causes.items() if keys]
    if not lines:
        return None
    return (RemoteConflictError if moved else RefusedError)("\n".join(lines))
