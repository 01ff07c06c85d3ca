"""A rule that never acts, because one earlier rule always gets in its way.

## What it does

Reports a rule that matches some contacts but acts on none: one earlier rule ends the run on all of them
(`hitPolicy: first`, or `doNotDial` while `semantics.doNotDialStops` is true), or writes a column so that the
conditions no longer hold. That a rule's contacts lie inside those of an earlier one is no finding as long as both act,
and neither is a rule in whose way several earlier rules get, each on a part of its contacts.

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

`budget` (default 20000): runs that are spent on one rule where earlier rules write columns that matter to it; the
whole check spends ten times as many. A rule that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Unknown, acted, require
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Found
    from dialproof.analysis.cover import Cover
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome

__all__ = ["CHECK", "covered"]


def covered(ctx: CheckContext) -> Iterator[tuple[Runs, int, Cover]]:
    """Yield each rule that earlier ones keep from acting, with a smallest set of these."""
    assert ctx.check is not None
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        for index, rule in enumerate(runs.rules):
            found = None if rule.name in ctx.analysis.broken else runs.covers.of(index, budget)
            if isinstance(found, Unknown):
                ctx.analysis.leave_open(ctx.check.code, (rule,), found)
            elif found is not None:
                yield runs, index, found


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for runs, index, found in covered(ctx):
        if len(found.rules) == 1:
            yield _finding(ctx, runs, index, found.rules[0], found.shown)


def _finding(ctx: CheckContext, runs: Runs, index: int, culprit: int, shown: Found | None) -> Finding:
    rule, other = runs.rules[index], runs.rules[culprit]

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome | None]:
        outcome, alone = runs.run(scene), runs.run(scene, without=[other])
        require(rule.name not in acted(outcome), "the witness does not show that the rule is shadowed")
        return outcome, alone if rule.name in acted(alone) else None

    labels = ("as written", f"without {other.name}")
    how = "ends the run first" if runs.ends[culprit] else "first changes a column that its conditions read"
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'rule "{rule.name}" never acts: on every contact it matches, "{other.name}" {how}',
        details=f'earlier rule "{other.name}": {other.path}:{other.name_span.line}',
        rules=(rule.name, other.name),
        witness=None if shown is None else shown_by(lambda: shown.scene, outcomes, labels),
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
