"""What deploys cost a target: requests, writes, and the time that the limit of requests leaves them.

Nothing is measured by the wall: the clock is one that only waiting moves, and the servers are those of the tests.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dialproof_deploy.plan.apply import apply
from dialproof_deploy.plan.plan import make_plan
from dialproof_deploy.plan.rule_set import plan_rule_set
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from tests.deploy.target import rule_set_fakes as sets
from tests.deploy.target import target_fakes as rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

__all__ = ["deploys"]

LIMIT = 300
"""Requests a minute that a target allows."""
_PAGE = 100


def deploys(count: int) -> list[dict[str, object]]:
    """Deploys of ``count`` rules to both targets: six of ten changed, and nothing changed."""
    rows = []
    for changed in (count * 6 // 10, 0):
        pages = -(-count // _PAGE)
        # Where something is written, the target is read again before the first write.
        reads = pages * 2 if changed else pages
        rows.append(
            _row("campaign-rules", count, changed, *_campaign_rules(count, changed), writes=changed, reads=reads)
        )
        # The set by its name and by its id, the campaigns; after the write the set is read until the version shows.
        reads = 3 * 2 + 1 if changed else 3
        rows.append(_row("rulesets", count, changed, *_rule_sets(count, changed), writes=min(changed, 1), reads=reads))
    return rows


def _row(
    target: str,
    count: int,
    changed: int,
    seconds: float,
    requests: Sequence[httpx.Request],
    *,
    writes: int,
    reads: int,
) -> dict[str, object]:
    methods = Counter("token" if "oauth" in request.url.path else request.method for request in requests)
    expected = {"token": 1, "GET": reads, **({"PUT": writes} if writes else {})}
    if dict(methods) != expected:
        raise SystemExit(f"{target}: {dict(methods)} were asked for, and {expected} suffice")
    allowed = len(requests) / LIMIT * 60
    what = f"{target}, {changed:,} of {count:,} rules changed: {len(requests):,} requests"
    # A few requests are let through at once, so that a short deploy takes no time at all.
    return {
        "what": f"{what} / limit",
        "ours": seconds,
        "other": allowed,
        "ratio": seconds / allowed,
        "target": "<= 1.1",
    }


def _campaign_rules(count: int, changed: int) -> tuple[float, Sequence[httpx.Request]]:
    server, clock = (
        rules.Server(rules.Campaign(*(rules.stored(f"r{n}", n) for n in range(1, count + 1)))),
        rules.Clock(),
    )
    desired = [rules.rule(f"r{n}", n, priority=100 + (n <= changed)) for n in range(1, count + 1)]
    start = clock.seconds
    with rules.client(server, clock, rate_per_minute=LIMIT) as client:
        target = CampaignRulesTarget(client)
        apply(make_plan("c1", desired, target.list_rules("c1")), target, audit=lambda _: None)
    return clock.seconds - start, server.requests


def _rule_sets(count: int, changed: int) -> tuple[float, Sequence[httpx.Request]]:
    platform, clock = sets.Platform(), rules.Clock()
    key = platform.add_set(sets.SET, *(sets.rule(f"r{n}") for n in range(count)))
    platform.add_campaign("c1", key)
    desired: list[dict[str, Any]] = [sets.rule(f"r{n}", "7" if n < changed else "5") for n in range(count)]
    start = clock.seconds
    target = sets.target(platform, clock, rate_per_minute=LIMIT)
    apply(plan_rule_set(sets.SET, desired, target.list_rules(sets.SET), campaigns=["c1"]), target, audit=lambda _: None)
    return clock.seconds - start, platform.requests
