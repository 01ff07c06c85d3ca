"""Faults on demand: a queue that tests fill over HTTP and that requests use up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dialproof_deploy.sandbox.errors import Detail, detail, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KINDS", "Fault", "FaultQueue"]

KINDS: Final = ("status", "drop_before", "drop_after", "slow", "truncate", "revoke_tokens")
"""What a fault does to the request it meets:

status          answers ``status`` with ``retry_after``, and stores nothing
drop_before     closes the connection before anything is stored
drop_after      stores, and closes the connection without an answer
slow            waits ``seconds``, then goes on as usual
truncate        stores, and answers with half of the JSON body
revoke_tokens   makes every token unknown, then goes on as usual
"""

_FIELDS: Final = ("method", "path_contains", "kind", "status", "retry_after", "seconds", "times", "skip")


@dataclass
class Fault:
    """One queued fault: hits ``times`` matching requests after letting ``skip`` of them pass."""

    kind: str
    method: str | None = None
    path_contains: str = ""
    status: int = 503
    retry_after: int | float | str | None = None
    seconds: float = 0.0
    times: int = 1
    skip: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the fault as it is listed, with what is left of ``times`` and ``skip``."""
        return {key: getattr(self, key) for key in _FIELDS}


class FaultQueue:
    """Faults in the order they were added; a request meets at most one, the first that matches."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, body: object) -> None:
        """Append the fault, or list of faults, in ``body``; raise 400 and add none if one is invalid."""
        entries = body if isinstance(body, list) else [body]
        problems: list[Detail] = [
            problem for index, entry in enumerate(entries) for problem in _problems(entry, f"[{index}].")
        ]
        if problems:
            raise invalid(problems)
        self._faults += [Fault(**entry) for entry in entries if isinstance(entry, dict)]

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault this request meets, and count it."""
        for fault in self._faults:
            if (fault.method or method).upper() != method or fault.path_contains not in path:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if not fault.times:
                self._faults.remove(fault)
            return fault
        return None

    def clear(self) -> None:
        """Forget every fault."""
        self._faults.clear()

    def as_json(self) -> list[dict[str, object]]:
        """Return the faults that are still to come."""
        return [fault.as_json() for fault in self._faults]


def _problems(entry: object, at: str) -> Iterator[Detail]:
    if not isinstance(entry, dict):
        yield detail(at.rstrip("."), "invalid.value", "expected an object")
        return
    if entry.get("kind") not in KINDS:
        yield detail(at + "kind", "invalid.value", f"expected one of {', '.join(KINDS)}")
    for key in ("method", "path_contains"):
        if not isinstance(entry.get(key, ""), str):
            yield detail(at + key, "invalid.value", "expected a string")
    yield from _number(entry, "status", 400, 599, at, whole=True)
    yield from _number(entry, "times", 1, 1_000_000, at, whole=True)
    yield from _number(entry, "skip", 0, 1_000_000, at, whole=True)
    yield from _number(entry, "seconds", 0, 600, at)
    retry_after = entry.get("retry_after")
    if isinstance(retry_after, str):
        # an HTTP date, or nonsense on purpose: sent as it is, as long as it fits in a header
        if not (retry_after.isascii() and retry_after.isprintable()):
            yield detail(at + "retry_after", "invalid.value", "expected seconds or printable ASCII text")
    elif retry_after is not None:
        yield from _number(entry, "retry_after", 0, 86_400, at)
    if entry.get("kind") == "status" and "status" not in entry:
        yield detail(at + "status", "missing", "required")
    for key in entry:
        if key not in _FIELDS:
            yield detail(at + key, "unknown.field", f"expected one of {', '.join(_FIELDS)}")


def _number(
    entry: dict[str, object], key: str, low: int, high: int, at: str, *, whole: bool = False
) -> Iterator[Detail]:
    value = entry.get(key, low)
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        yield detail(at + key, "invalid.value", f"expected a number from {low} to {high}")
