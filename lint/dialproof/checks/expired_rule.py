"""An enabled rule outside of the time that it is meant for.

## What it does

Reports an enabled rule whose `effectiveUntil` has passed, or whose `effectiveFrom` is yet to come. Both are notes: no
run looks at them, so that the rule acts all the same. A date is a whole day, the last one included; of a time only its
day counts, in UTC.

## Why it matters

A holiday rule that goes on in January turns contacts away that nobody means to turn away. One that is enabled too early
does so before anybody expects it.

## Example

    - name: closed over the holidays
      effectiveUntil: 2026-01-06
      enabled: true

on the 7th of January 2026.

## Instead

Delete the rule, set `enabled: false`, or correct the date.

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.cel.values import from_micros, parse_datetime
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for rule in ctx.campaign.rules:
        if not rule.enabled:
            continue
        begins, ends = _day(rule, "effectiveFrom"), _day(rule, "effectiveUntil")
        if ends is not None and ends < ctx.today:
            said = f'rule "{rule.name}" was meant until {ends} and is still enabled'
            yield _finding(ctx, rule, "effectiveUntil", said, "delete or disable the rule, or correct the date")
        if begins is not None and begins > ctx.today:
            said = f'rule "{rule.name}" is meant from {begins} on and is enabled already'
            yield _finding(ctx, rule, "effectiveFrom", said, "disable the rule until then, or correct the date")


def _finding(ctx: CheckContext, rule: Rule, key: str, summary: str, fix: str) -> Finding:
    return ctx.finding(rule.path, rule.spans[key], summary, rules=(rule.name,), fix=fix)


def _day(rule: Rule, key: str) -> date | None:
    written = rule.metadata.get(key)
    micros = parse_datetime(written) if isinstance(written, str) else None
    return None if micros is None else from_micros(micros).date()


CHECK = Check(
    code="DP804",
    name="expired-rule",
    severity="warning",
    family="schema",
    run=_run,
    doc=__doc__ or "",
)
