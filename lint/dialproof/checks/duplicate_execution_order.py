"""Two rules of a campaign with the same executionOrder.

## What it does

Reports every rule whose `executionOrder` another rule of the campaign has too: across all files of the campaign, both
categories, and disabled rules as well, because the platform holds those too.

## Why it matters

Which of the two runs first is not defined, and the platform refuses the second one (409) in the middle of a deploy.

## Example

    - name: weekend
      executionOrder: 1
    - name: holidays
      executionOrder: 1

## Instead

    - name: weekend
      executionOrder: 1
    - name: holidays
      executionOrder: 2

## Options

None. `semantics.tieBreak` says in which order such rules are evaluated meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK"]


def run(context: CheckContext) -> Iterator[Finding]:
    """Report each rule after the first one that has the same order, with the nearest order that is free."""
    written = [rule for file in context.campaign.files for rule in file.rules]
    taken = {rule.execution_order for rule in written}
    free: dict[int, int] = {}
    for order in sorted(taken, reverse=True):
        free[order] = free.get(order + 1, order + 1)
    first: dict[int, Rule] = {}
    for rule in written:
        order = rule.execution_order
        other = first.setdefault(order, rule)
        if other is rule:
            continue
        yield context.finding(
            rule.path,
            rule.spans.get("executionOrder", rule.span),
            f'executionOrder {order} is also that of rule "{other.name}" ({other.path}:{other.name_span.line})',
            rules=(rule.name, other.name),
            fix=f"the next free order is {free[order]}",
        )


CHECK = Check(
    code="DP501",
    name="duplicate-execution-order",
    severity="error",
    family="ordering",
    run=run,
    doc=__doc__ or "",
)
