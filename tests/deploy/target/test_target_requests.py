"""How many requests a deploy makes, and what the limit of requests makes of them."""

from __future__ import annotations

from tests.benchmarks.deploys import deploys


def test_a_deploy_asks_for_what_differs_and_waits_as_long_as_it_must() -> None:
    """One token, the pages, a write for each changed rule or one for all; the wait is within a tenth of the limit's.

    That other requests were made ends the benchmark, which counts them by kind.
    """
    rows = deploys(500)
    assert len(rows) == 4
    assert all(float(str(row["ratio"])) <= 1.1 for row in rows)
