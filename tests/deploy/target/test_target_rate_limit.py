from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from dialproof_deploy.api.rate_limit import TokenBucket

if TYPE_CHECKING:
    from target_fakes import Clock


def times(rate: int, count: int, clock: Clock) -> list[float]:
    """Return when each of ``count`` requests passes."""
    bucket = TokenBucket(rate, clock=clock, sleep=clock.sleep)
    passed = []
    for _ in range(count):
        bucket.acquire()
        passed.append(clock.seconds)
    return passed


@pytest.mark.parametrize("rate", [1, 2, 60, 300, 1000])
def test_no_minute_sees_more_than_the_rate(rate: int, clock: Clock) -> None:
    """Whichever window of a minute a server counts, it never holds more requests than allowed."""
    passed = times(rate, 3 * rate, clock)
    assert all(later - first >= 59.999 for first, later in zip(passed, passed[rate:], strict=False))


def test_the_limit_is_used_up(clock: Clock) -> None:
    """1,500 requests under 300 a minute take no more than 1.1 times requests / limit."""
    passed = times(300, 1500, clock)
    assert passed[-1] - 1000 <= 1.1 * 1500 / 300 * 60


def test_a_burst_passes_at_once_and_comes_back_after_idle_time(clock: Clock) -> None:
    """A few requests never wait, also after a pause."""
    bucket = TokenBucket(60, burst=3, clock=clock, sleep=clock.sleep)
    for _ in range(3):
        bucket.acquire()
    assert clock.slept == []
    clock.seconds += 600
    for _ in range(3):
        bucket.acquire()
    assert clock.slept == []
    bucket.acquire()
    assert len(clock.slept) == 1


def test_a_pause_holds_everything_back(clock: Clock) -> None:
    """After the server has asked for 20 s no request of any thread passes earlier."""
    bucket = TokenBucket(300, clock=clock, sleep=clock.sleep)
    bucket.acquire()
    bucket.pause(20)
    bucket.acquire()
    assert clock.seconds == 1020


def test_threads_share_the_bucket() -> None:
    """Threads that come at one moment get different waits: nobody's token is used twice."""
    waits: list[float] = []
    bucket = TokenBucket(61, burst=1, clock=lambda: 0.0, sleep=waits.append)
    threads = [threading.Thread(target=bucket.acquire) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [float(n) for n in range(1, 10)]


@pytest.mark.parametrize("options", [{"rate_per_minute": 0}, {"rate_per_minute": 5, "burst": 0}])
def test_limits_below_one_are_refused(options: dict[str, int]) -> None:
    """A rate or burst under one would never let a request pass."""
    with pytest.raises(ValueError, match="at least 1"):
        TokenBucket(**options)
