"""A rule that never acts, because one earlier rule always gets in its way.

## What it does

Reports a rule that matches some contacts but acts on none: one earlier rule ends the run on all of them
(`hitPolicy: first`, or `doNotDial` while `semantics.doNotDialStops` is true), or writes a column so that the
conditions no longer hold. That a rule's contacts lie inside those of an earlier one is no finding as long as both act.

## Why it matters

The rule looks as if it worked. What it was meant to do never happens.

## Example

With `hitPolicy: first`:

    - name: everybody from Texas
      executionOrder: 1
      conditions: [{attribute: state, operator: equals, value: TX}]
    - name: premium from Texas
      executionOrder: 2
      conditions:
        - {attribute: state, operator: equals, value: TX}
        - {attribute: tier, operator: equals, value: gold}

## Instead

Put the narrower rule first, or narrow the wider one.

## Options

`budget` (default 20000): runs that are spent on one rule where earlier rules write columns that matter to it; a rule
that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Unknown, acted, budget_of, witness_of
from dialproof.analysis.pairs import bits
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        for index, rule in enumerate(runs.rules):
            if rule.name in ctx.analysis.broken or not runs.acting(index).boxes:
                continue
            finding = _shadowed(ctx, runs, index)
            if finding is not None:
                yield finding


def _shadowed(ctx: CheckContext, runs: Runs, index: int) -> Finding | None:
    rule, covering = runs.rules[index], list(bits(runs.covering[index]))
    written = runs.written_before[index] & runs.reads[index]
    sure = [i for i in covering if not runs.written_before[i] & runs.reads[i]]
    if not written and sure:
        ctx.analysis.decided["cells"] += 1
        return _finding(ctx, runs, index, sure[0])
    if not written and not covering:
        ctx.analysis.decided["cells"] += 1
        return None
    answer = runs.acts(index, budget_of(ctx.option("budget")))
    if isinstance(answer, Unknown):
        ctx.analysis.leave_open("DP302", (rule,), answer.reason)
    if isinstance(answer, (Found, Unknown)):
        return None
    found = next((s for box in runs.acting(index).boxes if (s := runs.scene(box)) is not None), None)
    if found is None:
        return None
    for culprit in runs.involved((index,)):
        if culprit != index and rule.name in acted(runs.run(found, without=(runs.rules[culprit].name,))):
            return _finding(ctx, runs, index, culprit, found)
    return None  # several rules together: not this check's question


def _finding(ctx: CheckContext, runs: Runs, index: int, culprit: int, scene: Scene | None = None) -> Finding:
    rule, other = runs.rules[index], runs.rules[culprit]
    scene = scene or next((s for box in runs.acting(index).boxes if (s := runs.scene(box)) is not None), None)
    witness = None
    if scene is not None:
        outcome = runs.run(scene)
        assert rule.name not in acted(outcome), "the witness does not show that the rule is shadowed"
        alone = runs.run(scene, without=(other.name,))
        shown = alone if rule.name in acted(alone) else None
        witness = witness_of(scene, outcome, shown, ("as written", f"without {other.name}"))
    how = "ends the run first" if runs.ends[culprit] else "first changes a column that its conditions read"
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'rule "{rule.name}" never acts: on every contact it matches, "{other.name}" {how}',
        details=f'earlier rule "{other.name}": {other.path}:{other.name_span.line}',
        rules=(rule.name, other.name),
        witness=witness,
        fix=f'run "{rule.name}" before "{other.name}", or narrow "{other.name}"',
    )


CHECK = Check(
    code="DP302",
    name="shadowed-rule",
    severity="error",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
