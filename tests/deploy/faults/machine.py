"""A process that can end at every point at which it reaches the world, and the network and the disk that it reaches."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO
from unittest.mock import patch

import httpx

from dialproof_deploy.audit.log import open_log
from tests.deploy.target.target_fakes import Clock, Server, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["FAULTS", "Killed", "Machine", "Wire"]

FAULTS = (
    *("429", "429 bare", "500", "502", "503", "connect", "reset before"),  # nothing was stored
    *("500 after", "reset after", "truncated", "slow"),  # the server did its work
    *("revoked", "jump"),
)
"""What can happen to one request."""


class Killed(BaseException):
    """The end of a process: nothing catches it, and nothing can be done after it."""


class Machine:
    """Counts the points at which a process reaches the network or the disk, and ends it at one of them.

    ``full`` are the points at which the disk has no room. ``now`` is the wall clock, which ``jumps`` may set anywhere.
    """

    def __init__(self, kill_at: int = 0, full: range = range(0), jumps: Callable[[], float] = lambda: 0.0) -> None:
        self.points = 0
        self.dead = False
        self._kill_at, self._full, self._jumps = kill_at, full, jumps
        self._now = datetime(2026, 3, 7, 12, tzinfo=UTC)

    def reach(self) -> None:
        """Pass a point, or end."""
        self.points += 1
        if self.dead or self.points == self._kill_at:
            self.dead = True
            raise Killed

    def store(self) -> None:
        """Pass a point at which the disk is written to."""
        self.reach()
        if self.points in self._full:
            raise OSError(28, "No space left on device")

    def now(self) -> datetime:
        """Return the time on the wall."""
        self._now += timedelta(seconds=self._jumps())
        return self._now

    def disk(self) -> AbstractContextManager[object]:
        """Make every fsync of this process a point; none waits for a real disk."""
        return patch.object(os, "fsync", lambda _descriptor: self.store())

    def open_log(self, path: Path) -> BinaryIO:
        """Open an audit log whose writes are points; what fails leaves half of them."""
        return _File(self, open_log(path))  # type: ignore[return-value]


class _File:
    """The part of a file that the audit log uses."""

    def __init__(self, machine: Machine, file: BinaryIO) -> None:
        self._machine, self._file = machine, file
        self.seek, self.read, self.fileno = file.seek, file.read, file.fileno

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: Any) -> int:
        """Write all, or half and fail."""
        try:
            self._machine.store()
        except BaseException:
            self._file.write(bytes(data)[: len(data) // 2])
            raise
        return self._file.write(data)

    def truncate(self, size: int) -> int:
        """Cut the file, unless the process has ended."""
        self._machine.reach()
        return self._file.truncate(size)


class Wire:
    """The way to a server, for ``httpx.MockTransport``: ``draw`` names the fault of each request, "" for none.

    A name that is no fault of ``FAULTS`` is something that ``somebody`` does before the request is served.
    """

    def __init__(
        self,
        machine: Machine,
        server: Server,
        clock: Clock,
        draw: Callable[[], str],
        somebody: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._machine, self._server, self._clock, self._draw, self._somebody = machine, server, clock, draw, somebody
        self._served = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Serve a request, or not."""
        self._machine.reach()
        fault = self._draw()
        match fault:
            case "429":
                return error(429, "too many", Retry_After="3")
            case "429 bare":
                return error(429, "too many")
            case "500" | "502" | "503":
                return error(int(fault), "later")
            case "connect":
                raise httpx.ConnectError("refused", request=request)
            case "reset before":
                raise httpx.ReadError("reset", request=request)
            case "revoked":
                self._server.valid.clear()
            case "jump":
                self._clock.seconds += 200_000
        # A DELETE carries no version: the contract has no guard against what happens between it and the read before,
        # and the token may be renewed in between.
        unguarded = request.method == "DELETE" or ("oauth" in request.url.path and self._served)
        if fault and fault not in FAULTS and not unguarded:
            self._somebody(fault)
        self._served = True
        answer = self._server(request)
        self._machine.reach()
        if fault == "500 after":
            return error(500, "the gateway gave up")
        if fault == "reset after":
            raise httpx.ReadError("reset", request=request)
        if fault == "truncated":
            return httpx.Response(answer.status_code, content=answer.content[: len(answer.content) // 2])
        if fault == "slow":
            return httpx.Response(answer.status_code, stream=_Slow(answer.content, self._clock))
        return answer


class _Slow(httpx.SyncByteStream):
    """A body that takes more than a minute to come."""

    def __init__(self, content: bytes, clock: Clock) -> None:
        self._content, self._clock = content, clock

    def __iter__(self) -> Iterator[bytes]:
        yield self._content[:1]
        self._clock.seconds += 100
        yield self._content[1:]
