"""The last section of the terminal: what the cases showed, and the verdict of the gate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from dialproof.coverage.goals import Coverage
    from dialproof_deploy.gate.decision import Verdict

__all__ = ["facts", "write_verdict"]


def facts(verdict: Verdict, latencies: Sequence[int], coverage: Sequence[Coverage]) -> list[str]:
    """Return how many invariants were proved, and what the cases that were evaluated showed, passed or not.

    ``latencies`` are in nanoseconds, one a case; ``coverage`` is that of campaigns with an evaluated case.
    """
    lines = []
    if verdict.proved or verdict.searched:
        searched = f", {verdict.searched} only searched: no contact was found that breaks them"
        lines.append(f"invariants: {verdict.proved} proved{searched if verdict.searched else ''}")
    if not latencies:
        return lines
    from dialproof.coverage.table import table
    from pytest_dialproof.metrics import EvaluationMetrics

    lines = [*table(coverage), *lines]
    for gaps in coverage:
        if gaps.never_matched:
            lines.append(f"campaign {gaps.campaign}: matched by no case that ran: {', '.join(gaps.never_matched)}")
        if gaps.never_missed:
            lines.append(f"campaign {gaps.campaign}: missed by no case that ran: {', '.join(gaps.never_missed)}")
    metrics = EvaluationMetrics(lambda: datetime.now(UTC))
    for latency in latencies:
        metrics.record(latency / 1e9, conflict=False)
    seen = metrics.snapshot()
    p50, p95, p99 = (f"{s * 1000:.3f}" for s in (seen.latency_p50, seen.latency_p95, seen.latency_p99))
    conflicts, total = verdict.conflicts, verdict.evaluations
    lines.append(f"evaluations: {total}, latency p50 {p50} ms, p95 {p95} ms, p99 {p99} ms")
    lines.append(f"conflict rate: {verdict.conflict_rate:.1%} ({conflicts} of {total} evaluations)")
    return lines


def write_verdict(terminal: pytest.TerminalReporter, verdict: Verdict, evidence: str | None) -> None:
    """Write whether the gate is open, and every reason why not; ``evidence`` is the file that was written."""
    if not verdict.open:
        terminal.write_line("GATE CLOSED", red=True, bold=True)
        for reason in verdict.reasons:
            terminal.write_line(f"  - {reason}")
        return
    campaigns = ", ".join(verdict.campaigns)
    more = f"; evidence in {evidence}" if evidence else ""
    terminal.write_line(
        f"GATE OPEN: {len(verdict.passed)} of {len(verdict.items)} items passed for {campaigns}{more}",
        green=True,
        bold=True,
    )
