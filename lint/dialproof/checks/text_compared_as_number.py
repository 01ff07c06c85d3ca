"""A text that is compared with a number by its order.

## What it does

Reports `lessThan`, `lessThanOrEqual`, `greaterThan`, `greaterThanOrEqual` and `between` of type string whose value is a
number.

## Why it matters

As text, "9" is greater than "10". dialproof compares such values as numbers, because nothing else can be meant; the
platform may compare them as text. Which contacts are dialed must not depend on that.

## Example

    conditions:
      - {attribute: attempts, operator: greaterThan, value: "10", type: string}

## Instead

    conditions:
      - {attribute: attempts, operator: greaterThan, value: "10", type: number}

`dialproof lint --fix` writes the type. That changes no outcome, because dialproof compares numbers already; where the
columns are inferred it can also change what another rule compares, and is then left to you.

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.checks.repairs import with_type
from dialproof.model.rules import Condition, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["CHECK"]


def run(context: CheckContext) -> Iterator[Finding]:
    """Ask of each condition whether it is one that the evaluator turns into a comparison of numbers."""
    from dialproof.cel.text import compares_numbers, condition_type

    columns = context.campaign.contact_list
    for rule in context.campaign.rules:
        for leaf in leaves(rule.conditions):
            if isinstance(leaf, Condition) and compares_numbers(leaf, condition_type(leaf, columns)):
                why = "its type is string" if leaf.type else f"column {leaf.subject} is text"
                yield context.finding(
                    rule.path,
                    leaf.value_span,
                    f"{leaf.subject} {leaf.operator} {context.wording.values(leaf)} compares text with a number: {why}",
                    rules=(rule.name,),
                    fix="say `type: number`",
                    edits=with_type(context, rule, leaf, "number"),
                )


CHECK = Check(
    code="DP104",
    name="text-compared-as-number",
    severity="warning",
    family="conditions",
    run=run,
    doc=__doc__ or "",
)
