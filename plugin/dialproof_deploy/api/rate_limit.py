"""A token bucket over all requests of a process."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TokenBucket"]


class TokenBucket:
    """Lets ``rate_per_minute`` requests a minute pass, at most ``burst`` of them at once; safe under threads.

    The bucket refills at ``rate_per_minute - burst`` a minute, so that no window of a minute, the first one
    included, sees more than ``rate_per_minute`` requests. ``clock`` is monotonic and in seconds.
    """

    def __init__(
        self,
        rate_per_minute: int,
        *,
        burst: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if rate_per_minute < 1:
            raise ValueError(f"rate_per_minute must be at least 1, not {rate_per_minute}")
        size = burst if burst is not None else max(1, rate_per_minute // 30)
        if size < 1:
            raise ValueError(f"burst must be at least 1, not {size}")
        self._interval = 60.0 / max(1, rate_per_minute - size)
        self._slack = (size - 1) * self._interval
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = clock() - self._slack  # when the bucket would be empty again if a request came then

    def acquire(self) -> None:
        """Take one token, sleeping until there is one."""
        with self._lock:
            now = self._clock()
            start = max(self._next, now - self._slack)
            self._next = start + self._interval
            wait = start - now
        if wait > 1e-6:  # less is the noise of floating point
            self._sleep(wait)

    def pause(self, seconds: float) -> None:
        """Hold every request back for this long: the server has asked for it."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)
