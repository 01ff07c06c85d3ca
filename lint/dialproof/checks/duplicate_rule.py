"""A rule that does the same as an earlier one to the same contacts, or that has the same name.

## What it does

Reports a rule whose conditions hold on exactly the contacts of an earlier rule of its category and whose actions
are the same (a warning), and a rule whose name an earlier rule of the campaign has already (an error).

## Why it matters

Of two equal rules, sooner or later only one is corrected. Names identify rules: on the target, in audit records and in
the expectations of cases.

## Example

    - name: texas
      conditions: [{attribute: state, operator: equals, value: TX}]
      actions: [{type: setList, listId: south, value: "true"}]
    - name: texas again
      conditions: [{attribute: state, operator: in, value: [TX]}]
      actions: [{type: setList, listId: south, value: "true"}]

## Instead

One rule, where the two were meant to be the same:

    - name: texas
      conditions: [{attribute: state, operator: equals, value: TX}]
      actions: [{type: setList, listId: south, value: "true"}]

or the condition that the second one was meant to have. Where only the name is taken, another name is enough.

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.regions import intersect
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK", "duplicates"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    names: dict[str, Rule] = {}
    for rule in ctx.campaign.rules:
        first = names.setdefault(rule.name, rule)
        if first is not rule:
            yield ctx.finding(
                rule.path,
                rule.name_span,
                f'two rules are named "{rule.name}"',
                details=f"first: {first.path}:{first.name_span.line}",
                rules=(rule.name,),
                fix="give one of them another name",
                severity="error",
            )
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        for earlier, later in duplicates(ctx, runs):
            yield _finding(ctx, runs, earlier, later)


def duplicates(ctx: CheckContext, runs: Runs) -> Iterator[tuple[int, int]]:
    """Yield each rule that does the same to the same contacts as an earlier one, behind that one.

    A rule is compared with those of the same key; most have a key of their own.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, rule in enumerate(runs.rules):
        if rule.name not in ctx.analysis.broken and ctx.analysis.region(rule).boxes:
            groups.setdefault(_key(ctx, rule), []).append(index)
    for members in groups.values():
        kept: list[int] = []
        for index in members:
            first = next((k for k in kept if _equal(ctx, runs.rules[k], runs.rules[index])), None)
            if first is None:
                kept.append(index)
            elif runs.rules[first].name != runs.rules[index].name:
                yield first, index


def _key(ctx: CheckContext, rule: Rule) -> Hashable:
    """Return what equal rules have in common: the actions, and the cells of each column that their contacts have."""
    actions = tuple((a.type, tuple(sorted(a.fields.items(), key=lambda f: f[0]))) for a in rule.actions)
    if not ctx.analysis.is_exact(rule):
        return actions, rule.conditions
    axes, boxes = ctx.analysis.axes, ctx.analysis.region(rule).boxes
    cells: list[Hashable] = []
    for variable in sorted(set.intersection(*(set(box) for box in boxes))):
        mask = 0
        for box in boxes:
            mask |= box[variable]
        if mask != axes[variable].full:
            cells.append((variable, mask))
    return actions, tuple(cells)


def _equal(ctx: CheckContext, one: Rule, other: Rule) -> bool:
    if one.conditions == other.conditions:
        return True
    if not (ctx.analysis.is_exact(one) and ctx.analysis.is_exact(other)):
        return False
    analysis = ctx.analysis
    return all(
        not intersect(analysis.region(a), analysis.region(b, "not true")).boxes for a, b in ((one, other), (other, one))
    )


def _finding(ctx: CheckContext, runs: Runs, first: int, index: int) -> Finding:
    one, rule = runs.rules[first], runs.rules[index]
    shown = runs.shown_on(runs.acting(index))
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'rule "{rule.name}" does the same as "{one.name}" to the same contacts',
        details=f'first rule "{one.name}": {one.path}:{one.name_span.line}',
        rules=(rule.name, one.name),
        witness=None if shown is None else shown_by(lambda: shown.scene, lambda scene: (runs.run(scene), None)),
        fix=f'delete "{rule.name}" or correct its conditions',
    )


CHECK = Check(
    code="DP305",
    name="duplicate-rule",
    severity="warning",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
)
