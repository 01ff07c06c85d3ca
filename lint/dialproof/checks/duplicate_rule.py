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

Delete one of the two, or give it another name.

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import witness_of
from dialproof.analysis.campaign import atoms_of
from dialproof.analysis.regions import intersect
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK"]


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
        yield from _same(ctx, ctx.analysis.runs(category))


def _same(ctx: CheckContext, runs: Runs) -> Iterator[Finding]:
    """Compare each rule with the earlier ones of the same key; most have a key of their own."""
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
                yield _finding(ctx, runs, first, index)


def _key(ctx: CheckContext, rule: Rule) -> Hashable:
    """Return what equal rules have in common: the actions, and the cells of each column that their contacts have."""
    actions = tuple((a.type, tuple(sorted(a.fields.items(), key=lambda f: f[0]))) for a in rule.actions)
    if not _exact(ctx, rule):
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


def _exact(ctx: CheckContext, rule: Rule) -> bool:
    """Tell whether the rule's region is exactly its contacts."""
    axes = ctx.analysis.axes
    atoms = atoms_of(ctx.analysis.part(rule))
    if ctx.analysis.region(rule).reason:
        return False
    return not any(axes[v].verdicts[a.text][2] for a in atoms for v in a.axes)


def _equal(ctx: CheckContext, one: Rule, other: Rule) -> bool:
    if one.conditions == other.conditions:
        return True
    if not (_exact(ctx, one) and _exact(ctx, other)):
        return False
    analysis = ctx.analysis
    return all(
        not intersect(analysis.region(a), analysis.region(b, "not true")).boxes for a, b in ((one, other), (other, one))
    )


def _finding(ctx: CheckContext, runs: Runs, first: int, index: int) -> Finding:
    one, rule = runs.rules[first], runs.rules[index]
    found = next((f for box in runs.acting(index).boxes if (f := runs.run_box(box)) is not None), None)
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'rule "{rule.name}" does the same as "{one.name}" to the same contacts',
        details=f'first rule "{one.name}": {one.path}:{one.name_span.line}',
        rules=(rule.name, one.name),
        witness=None if found is None else witness_of(found[0], found[1]),
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
