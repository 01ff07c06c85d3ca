"""Metrics of evaluations: latency, and how often two acting rules contradicted each other."""

from __future__ import annotations

import math
import threading
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof_deploy.state import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

__all__ = ["EvaluationMetrics", "Snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The counters at one moment; latencies are in seconds, 0 while nothing was evaluated.

    Percentiles are by nearest rank: a value that was measured.
    """

    timestamp: str
    evaluations: int
    conflicts: int
    conflict_rate: float
    latency_total: float
    latency_avg: float
    latency_p50: float
    latency_p95: float
    latency_p99: float


class EvaluationMetrics:
    """Counts evaluations; safe under threads. ``clock`` returns the time with its zone."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._latencies = array("d")
        self._conflicts = 0

    def record(self, seconds: float, *, conflict: bool) -> None:
        """Count one evaluation that took ``seconds``, in which a conflict was seen or not."""
        with self._lock:
            self._latencies.append(seconds)
            self._conflicts += conflict

    def snapshot(self) -> Snapshot:
        """Return all counters as of one moment."""
        with self._lock:
            latencies, conflicts, now = sorted(self._latencies), self._conflicts, self._clock()
        count, total = len(latencies), math.fsum(latencies)
        return Snapshot(
            timestamp=utc_text(now),
            evaluations=count,
            conflicts=conflicts,
            conflict_rate=conflicts / count if count else 0.0,
            latency_total=total,
            latency_avg=total / count if count else 0.0,
            latency_p50=_percentile(latencies, 50),
            latency_p95=_percentile(latencies, 95),
            latency_p99=_percentile(latencies, 99),
        )


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the smallest value that at least ``percent`` of the values do not exceed."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else 0.0
