"""Execution orders with gaps between them.

## What it does

Reports a campaign whose rules are not numbered 1, 2, 3 and so on: across all of its files, both categories, and
disabled rules as well. It stands at the first rule whose number is another one. A campaign that shares a rules file
with another is passed over, because one file cannot be numbered for both.

## Why it matters

Nothing but the order of the numbers counts, so a gap is no mistake. But whoever reads "executionOrder: 7" in a campaign
of five rules looks for two more, and a reviewer cannot see whether a rule is missing.

## Example

    - name: weekend
      executionOrder: 1
    - name: holidays
      executionOrder: 7

## Instead

    - name: weekend
      executionOrder: 1
    - name: holidays
      executionOrder: 2

`dialproof lint --fix` numbers the rules; they run in the order in which they ran before. Rules that share a number
(DP501) have no order that could be kept: give each its own first.

## Options

`step` (default 1): the distance from one number to the next; 10 asks for 10, 20, 30 and leaves room for rules to come.
Where the numbers mean something, such as a hundred for each group of rules, ignore this check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.checks.repairs import with_value
from dialproof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["CHECK"]


def run(context: CheckContext) -> Iterator[Finding]:
    """Compare the numbers with those that the rules would have without gaps."""
    step = context.option("step")
    assert isinstance(step, int)
    if step < 1:
        raise UsageError(f"checks.DP510.step: expected 1 or more, found {step}")
    rules, shared = context.campaign.rules, {file.path for file in context.campaign.files}
    others = (campaign for campaign in context.project.campaigns if campaign is not context.campaign)
    if any(file.path in shared for campaign in others for file in campaign.files):
        return
    orders = sorted({rule.execution_order for rule in rules})
    wanted = {order: number * step for number, order in enumerate(orders, 1)}
    moved = [rule for rule in rules if rule.execution_order != wanted[rule.execution_order]]
    if not moved:
        return
    first = moved[0]
    edits = [with_value(context, rule, "executionOrder", wanted[rule.execution_order]) for rule in moved]
    clear = len(orders) == len(rules) and all(edits)
    last = len(orders) * step
    yield context.finding(
        first.path,
        first.spans.get("executionOrder", first.span),
        f"executionOrder {first.execution_order} leaves a gap: without any it is {wanted[first.execution_order]}",
        details=f"{len(moved)} of the {len(rules)} rules would have another number" if len(moved) > 1 else "",
        rules=(first.name,),
        fix=f"number the rules {step} to {last}{f' in steps of {step}' if step > 1 else ''}"
        if clear
        else "give each rule a number of its own (DP501), then number them without gaps",
        edits=tuple(edit for one in edits for edit in one) if clear else (),
    )


CHECK = Check(
    code="DP510",
    name="execution-order-gap",
    severity="info",
    family="ordering",
    run=run,
    doc=__doc__ or "",
    options={"step": 1},
)
