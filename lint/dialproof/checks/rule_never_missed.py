"""A rule that every case matches: its conditions could be dropped, and no test would fail.

## What it does

Reports an enabled rule whose conditions are not false in any case of its campaign, with a contact on which they are. A
campaign without any case is not looked at, nor is a rule that holds for every contact: DP202 reports that one.

## Why it matters

A suppression that stops everybody, or a route that takes everybody, passes such cases.

## Example

    rules:
      - name: no calls after five attempts
        conditions: [{attribute: attempts, operator: greaterThan, value: 5, type: number}]
        actions: [{type: doNotDial}]
    cases:
      - {name: a sixth attempt, contact: {attempts: 6}, expect: {dial: false}}

## Instead

    cases:
      - {name: a sixth attempt, contact: {attempts: 6}, expect: {dial: false}}
      - {name: a fifth attempt, contact: {attempts: 5}, expect: {matched: [], dial: true}}

`dialproof generate contacts` writes such cases.

## Options

`budget` (default 500): contacts that are searched for one rule; the whole check spends ten times as many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.checks.rule_never_matched import unseen_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    return unseen_rules(ctx, "missed", "misses")


CHECK = Check(
    code="DP602",
    name="rule-never-missed",
    severity="warning",
    family="coverage",
    run=_run,
    doc=__doc__ or "",
    options={"budget": 500},
)
