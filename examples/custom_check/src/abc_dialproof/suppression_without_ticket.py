"""A rule that keeps contacts from being dialed and names no ticket.

## What it does

Looks at every enabled rule with an action after which a contact is not dialed (`doNotDial`, and before the call
`contactUncallable` and `numberUncallable`), and expects the key `ticket`.

## Why it matters

Whom we do not call is agreed with Compliance. Who finds the rule a year later has to know where.

## Example

    - name: no consent
      conditions: [{attribute: consent, operator: notEquals, value: "yes"}]
      actions: [{type: doNotDial}]

## Instead

    - name: no consent
      ticket: COMP-112
      conditions: [{attribute: consent, operator: notEquals, value: "yes"}]
      actions: [{type: doNotDial}]

## Options

`prefix` (default ""): what a ticket begins with, such as `COMP-`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.model.actions import action_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    prefix = str(ctx.option("prefix"))
    for rule in ctx.campaign.rules:
        stops = [a for a in rule.actions if rule.category in action_types()[a.type].stops_dial_in]
        if not rule.enabled or not stops:
            continue
        ticket = str(rule.metadata.get("ticket", ""))
        if not ticket:
            span, what = rule.name_span, "names no ticket"
        elif not ticket.startswith(prefix):
            span, what = rule.spans["ticket"], f"names a ticket that does not begin with {prefix}"
        else:
            continue
        yield ctx.finding(
            rule.path,
            span,
            f'rule "{rule.name}" keeps contacts from being dialed and {what}',
            rules=(rule.name,),
            fix=f"add `ticket: {prefix or 'COMP-'}...` with the number under which it was agreed",
        )


CHECK = Check(
    code="ABC001",
    name="suppression-without-ticket",
    severity="warning",
    family="actions",
    run=_run,
    doc=__doc__ or "",
    options={"prefix": ""},
)
