"""A name that is too long for a target, or that something else there has already.

## What it does

Looks at the names that rules and rule sets have on the target, for every configured target or those of
`dialproof lint --target NAME`. The `rulesets` target names a rule set of at most 64 characters after `ruleSet` (or the
file); a second campaign with other rules must not have the same one. For rules the platform documents no length: one
of more than 64 characters is a warning. A rule that travels as several (`in` on a column) has a longer name there, and
may meet the name of another rule. Names are compared as they are written.

## Why it matters

A name is how a rule, or a rule set, is found again. Of two campaigns with one rule set the later deploy overwrites
the rules of the other, and a name that is too long ends the deploy after the tests were green.

## Example

    campaign: cmp_123
    ruleSet: Premium routing of customers with a high lifetime value, all regions, 2026

## Instead

    campaign: cmp_123
    ruleSet: Premium routing 2026

## Options

None.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.targets.base import span_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.targets.base import TargetType

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for target in ctx.targets:
        yield from _rules(ctx, target)
        if target.holder is not None and ctx.campaign.files:
            yield from _holder(ctx, target)


def _rules(ctx: CheckContext, target: TargetType) -> Iterator[Finding]:
    """Report the names of rules as they travel; that two rules are written with one name is DP305."""
    taken: dict[str, Rule] = {}
    for rule in ctx.campaign.rules:
        wires, _ = target.lower(replace(ctx.campaign, rules=(rule,)), lambda _, logical: logical)
        for name in [str(wire.get("name")) for wire in wires]:
            first = taken.setdefault(name, rule)
            if first.name != rule.name:
                yield ctx.finding(
                    rule.path,
                    rule.name_span,
                    f'on {target.name} the rules "{first.name}" and "{rule.name}" are both named "{name}"',
                    details=f'"{first.name}": {first.path}:{first.name_span.line}',
                    rules=(rule.name, first.name),
                    fix="give one of them another name",
                )
                break
        longest = max((str(wire.get("name")) for wire in wires), key=len, default="")
        if target.longest_name is not None and len(longest) > target.longest_name:
            yield ctx.finding(
                rule.path,
                rule.name_span,
                f'the name "{longest}" has {len(longest)} characters; {target.name} documents {target.longest_name} '
                "for rule sets, and no length for rules",
                rules=(rule.name,),
                fix="shorten the name",
                severity="warning",
            )


def _holder(ctx: CheckContext, target: TargetType) -> Iterator[Finding]:
    assert target.holder is not None
    file, name = ctx.campaign.files[0], target.holder(ctx.campaign)
    span = span_of(file, "ruleSet")
    if target.longest_name is not None and len(name) > target.longest_name:
        yield ctx.finding(
            file.path,
            span,
            f'the rule set "{name}" has a name of {len(name)} characters; {target.name} holds {target.longest_name}',
            fix="write a shorter ruleSet",
        )
    for other in ctx.project.campaigns:
        if other is ctx.campaign:
            return  # of two the second one is reported
        if other.files and target.holder(other) == name:
            yield ctx.finding(
                file.path,
                span,
                f'on {target.name} the campaigns {other.id} and {ctx.campaign.id} would share the rule set "{name}"',
                details=f"{other.id}: {other.files[0].path}",
                fix="write another ruleSet in one of them",
            )


CHECK = Check(
    code="DP703",
    name="name-too-long",
    severity="error",
    family="target",
    run=_run,
    doc=__doc__ or "",
)
