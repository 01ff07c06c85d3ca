"""A rule that never acts because several earlier rules together come first on every contact it matches.

## What it does

Reports a rule that acts on no contact although contacts meet its conditions, where no single earlier rule is the reason
(that is DP302) but several are: on each contact that the rule matches one of them ends the run (under `hitPolicy:
first`, or by doNotDial while `semantics.doNotDialStops` is true), or writes a column so that the conditions hold no
longer. The finding names a smallest set of such rules.

## Why it matters

Nobody sees it by comparing rules in pairs: every one of the earlier rules leaves some contacts over, and none of them
is left over by all. If the rule was meant to keep contacts from being dialed, they are dialed.

## Example

    hitPolicy: first
    rules:
      - name: few attempts
        executionOrder: 1
        conditions: [{attribute: attempts, operator: lessThan, value: 3, type: number}]
      - name: many attempts
        executionOrder: 2
        conditions: [{attribute: attempts, operator: greaterThanOrEqual, value: 3, type: number}]
      - name: gold customers
        executionOrder: 3
        conditions:
          - {attribute: attempts, operator: exists}
          - {attribute: tier, operator: equals, value: gold}

## Instead

Run the rule before one of those named, or narrow one of them.

## Options

`budget` (default 20000): runs that are spent on one rule where earlier rules write columns that matter to it; the
whole check spends ten times as many. A rule that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, acted, require
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check
from dialproof.checks.shadowed_rule import covered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.cover import Cover
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding, Witness
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for runs, index, found in covered(ctx):
        if len(found.rules) > 1:
            yield _finding(ctx, runs, index, found)


def _finding(ctx: CheckContext, runs: Runs, index: int, cover: Cover) -> Finding:
    rule, others = runs.rules[index], [runs.rules[i] for i in cover.rules]
    places = [f'earlier rule "{other.name}": {other.path}:{other.name_span.line}' for other in others]
    how = "end the run first" if all(runs.ends[i] for i in cover.rules) else "end the run first or make it untrue"
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'rule "{rule.name}" never acts: on every contact it matches, one of {len(others)} earlier rules comes first',
        details="\n".join([f"These rules together {how}; none of them can be left out:", *places]),
        rules=(rule.name, *(other.name for other in others)),
        witness=_witness(runs, index, cover),
        fix=f'run "{rule.name}" before one of them, or narrow one of them',
    )


def _witness(runs: Runs, index: int, cover: Cover) -> Witness | None:
    """Return a contact that the rule matches, and what it would do to it without the rules in front."""
    rule, others = runs.rules[index], [runs.rules[i] for i in cover.rules]
    shown = cover.shown
    if shown is None:
        return None

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome | None]:
        outcome, alone = runs.run(scene), runs.run(scene, without=others)
        require(rule.name not in acted(outcome), "the witness does not show that the rule is shadowed")
        return outcome, alone if rule.name in acted(alone) else None

    return shown_by(lambda: shown.scene, outcomes, ("as written", f"without these {len(others)} rules"))


CHECK = Check(
    code="DP303",
    name="shadowed-by-union",
    severity="error",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
