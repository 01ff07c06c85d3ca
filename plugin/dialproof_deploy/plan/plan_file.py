"""The file between ``dialproof plan --out`` and ``dialproof deploy PLAN``: whole plans, each with its digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dialproof.errors import InputError, RefusedError, UsageError
from dialproof_deploy.plan.plan import digest_of
from dialproof_deploy.state import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dialproof_deploy.plan.plan import Plan

__all__ = ["moved_since", "planned_digests", "write_plans"]


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


def planned_digests(path: Path, environment: str) -> dict[str, str]:
    """Return the digest of each campaign's plan in a file that ``write_plans`` wrote.

    Raises ``UsageError`` where the file cannot be read, ``InputError`` where it holds no plans, or was edited, and
    ``RefusedError`` where they are for another environment.
    """
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        meant, plans = written["environment"], written["campaigns"]
        found = {plan["campaign"]: plan["digest"] for plan in plans}
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


def moved_since(planned: Mapping[str, str], plans: Sequence[Plan]) -> str:
    """Return a sentence that names each campaign whose plan is another than the digests say, "" where none is."""
    now = {plan.campaign: plan.digest for plan in plans}
    moved = [i for i in dict.fromkeys((*planned, *now)) if planned.get(i) != now.get(i)]
    what = "what would be written now is not what was planned, because the target or the files have moved; plan again"
    return f"{plans[0].holder if plans else 'campaign'} {', '.join(moved)}: {what}" if moved else ""
