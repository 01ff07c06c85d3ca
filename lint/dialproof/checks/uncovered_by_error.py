"""Contacts that no rule decides only because a condition on them can be neither true nor false.

## What it does

Where a rules file says `total: true`, searches for every rule a contact on which its conditions are undecided (a value
is blank or cannot be read) and that no rule matches. The finding stands at `total`, names these rules and shows a
contact. It says nothing where `semantics.undecided` is `met`, because then such a rule acts.

## Why it matters

Such a contact is refused or dialed by a switch, not by a rule. Nobody decided what happens to it.

## Example

    total: true
    rules:
      - name: few attempts
        executionOrder: 1
        conditions: [{attribute: attempts, operator: lessThan, value: 3, type: number}]
      - name: many attempts
        executionOrder: 2
        conditions: [{attribute: attempts, operator: greaterThanOrEqual, value: 3, type: number}]

where `attempts` may be blank.

## Instead

Say what happens to a blank value, or make the column `required`:

      - name: never called
        executionOrder: 3
        conditions: [{attribute: attempts, operator: notExists}]

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import require
from dialproof.analysis.gaps import undecided_gaps
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check
from dialproof.checks.uncovered_contacts import total_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.analysis.answers import Found
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome
    from dialproof.source.positions import Span

__all__ = ["CHECK"]

_SHOWN = 10
"""Rules that are listed."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    place = total_of(ctx)
    if place is None or ctx.analysis.semantics.undecided == "met":
        return
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        found, problem = undecided_gaps(runs)
        if problem is not None:
            ctx.analysis.leave_open("DP402", runs.rules, problem)
        if found:
            yield _finding(ctx, runs, place, found)


def _finding(ctx: CheckContext, runs: Runs, place: tuple[str, Span], found: Sequence[tuple[int, Found]]) -> Finding:
    rules = [runs.rules[index] for index, _ in found]
    first, shown = rules[0].name, found[0][1]
    lines = [f'"{rule.name}": {rule.path}:{rule.name_span.line}' for rule in rules[:_SHOWN]]
    if len(rules) > _SHOWN:
        lines.append(f"and {len(rules) - _SHOWN} more")

    def outcomes(scene: Scene) -> tuple[Outcome, None]:
        outcome = runs.run(scene)
        require(first in outcome.undecided and not outcome.matched, "the witness of a gap is matched by a rule")
        return outcome, None

    undecided = f'"{first}" is undecided' if len(rules) == 1 else f"{len(rules)} rules are undecided"
    return ctx.finding(
        *place,
        f"contacts are left over: no {runs.category} rule matches them, and {undecided}",
        details="\n".join(["undecided on such contacts:", *lines]),
        rules=tuple(rule.name for rule in rules),
        witness=shown_by(lambda: shown.scene, outcomes),
        fix="add a rule for blank values (`notExists`), or make the column `required`",
    )


CHECK = Check(
    code="DP402",
    name="uncovered-by-error",
    severity="warning",
    family="coverage",
    run=_run,
    doc=__doc__ or "",
)
