"""A rule that runs before one that it declares to run after.

## What it does

Compares `runsAfter` with `executionOrder`: every rule that is named there must exist in the campaign and have a lower
`executionOrder`.

## Why it matters

`runsAfter` is where an author writes down that the order matters. When rules are renumbered, this is what notices.

## Example

    - name: count attempts
      executionOrder: 5
    - name: stop after three attempts
      executionOrder: 2
      runsAfter: [count attempts]

## Instead

    - name: count attempts
      executionOrder: 2
    - name: stop after three attempts
      executionOrder: 5
      runsAfter: [count attempts]

## Options

None.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["CHECK"]


def run(context: CheckContext) -> Iterator[Finding]:
    """Report each name in ``runsAfter`` that is unknown or does not run earlier."""
    by_name = {rule.name: rule for rule in context.campaign.rules}
    for rule in context.campaign.rules:
        span = rule.spans.get("runsAfter", rule.span)
        for name in rule.runs_after:
            other = by_name.get(name)
            if other is None:
                near = get_close_matches(name, by_name, 1, 0.6)
                hint = f'; did you mean "{near[0]}"?' if near else ""
                yield context.finding(
                    rule.path,
                    span,
                    f'runs after "{name}", which is no rule of campaign {context.campaign.id}{hint}',
                    rules=(rule.name,),
                    fix=f"write {near[0]}" if near else "remove the name",
                )
            elif other.execution_order >= rule.execution_order:
                when = "itself" if other is rule else f'rule "{name}", which has executionOrder {other.execution_order}'
                yield context.finding(
                    rule.path,
                    span,
                    f"declared to run after {when}; its own is {rule.execution_order}",
                    rules=(rule.name,) if other is rule else (rule.name, name),
                    fix="remove the name"
                    if other is rule
                    else f"give it an executionOrder above {other.execution_order}",
                )


CHECK = Check(
    code="DP505",
    name="runs-after-violated",
    severity="error",
    family="ordering",
    run=run,
    doc=__doc__ or "",
)
