"""Metrics of evaluations: exact under threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dialproof.metrics import EvaluationMetrics


def make() -> EvaluationMetrics:
    """Return metrics with a clock that stands still."""
    return EvaluationMetrics(lambda: datetime(2026, 3, 7, 17, tzinfo=UTC))


def test_nothing_evaluated_yet() -> None:
    """Without evaluations everything is zero, and nothing is divided by it."""
    snapshot = make().snapshot()
    assert (snapshot.evaluations, snapshot.conflict_rate, snapshot.latency_avg, snapshot.latency_p99) == (0, 0, 0, 0)


def test_a_snapshot_counts_and_ranks() -> None:
    """Average, percentiles by nearest rank, totals and conflicts of known latencies."""
    metrics = make()
    for milliseconds in range(200, 0, -1):
        metrics.record(milliseconds / 1000, conflict=milliseconds % 50 == 0)
    snapshot = metrics.snapshot()
    assert snapshot.timestamp == "2026-03-07T17:00:00.000Z"
    assert (snapshot.evaluations, snapshot.conflicts, snapshot.conflict_rate) == (200, 4, 0.02)
    assert (snapshot.latency_p50, snapshot.latency_p95, snapshot.latency_p99) == (0.1, 0.19, 0.198)
    assert snapshot.latency_total == pytest.approx(20.1)
    assert snapshot.latency_avg == pytest.approx(0.1005)


@given(st.lists(st.floats(0, 10), min_size=1))
def test_percentiles_are_measured_values_in_order(latencies: list[float]) -> None:
    """Each percentile is one of the latencies, and at least that share does not exceed it."""
    metrics = make()
    for latency in latencies:
        metrics.record(latency, conflict=False)
    snapshot = metrics.snapshot()
    for percent, value in ((50, snapshot.latency_p50), (95, snapshot.latency_p95), (99, snapshot.latency_p99)):
        assert value in latencies
        assert sum(latency <= value for latency in latencies) * 100 >= percent * len(latencies)
        assert sum(latency < value for latency in latencies) * 100 < percent * len(latencies)


def test_counters_are_exact_under_threads() -> None:
    """No evaluation is lost when many threads count at once."""
    metrics = make()

    def count(_: int) -> None:
        for number in range(500):
            metrics.record(0.001, conflict=number % 2 == 0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(8)))
    snapshot = metrics.snapshot()
    assert (snapshot.evaluations, snapshot.conflicts) == (4000, 2000)
