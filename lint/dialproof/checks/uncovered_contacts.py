"""Contacts that no rule decides although the rules file says that every contact is decided.

## What it does

Where a rules file says `total: true`, searches contacts on which the conditions of every enabled rule are false. The
finding stands at `total`, counts the separate regions of such contacts, describes the widest of them and shows a
contact. Contacts that only a condition which cannot be decided leaves over are DP402.

## Why it matters

A contact that no rule matches is dialed as it is: with no list, no skills, no consent looked at. Where the rules are
meant to be a complete decision table, that is a hole in it.

## Example

    total: true
    rules:
      - name: few attempts
        executionOrder: 1
        conditions: [{attribute: attempts, operator: lessThan, value: 3, type: number}]
      - name: many attempts
        executionOrder: 2
        conditions: [{attribute: attempts, operator: greaterThan, value: 3, type: number}]

## Instead

Close the gap, here at 3 attempts:

        conditions: [{attribute: attempts, operator: greaterThanOrEqual, value: 3, type: number}]

or add a last rule for the rest, or drop `total` where not being matched means being dialed.

## Options

`regions` (default 1000): regions that are looked for; where there are more, the finding says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import Unknown, require
from dialproof.analysis.describe import describe
from dialproof.analysis.gaps import find_gaps
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.gaps import Gap, Gaps
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome
    from dialproof.source.positions import Span

__all__ = ["CHECK", "total_of"]

_SHOWN = 5
"""Regions that are described."""


def total_of(ctx: CheckContext) -> tuple[str, Span] | None:
    """Return path and place of `total: true` in the campaign's files, None where no file says that."""
    for file in ctx.campaign.files:
        if file.total:
            node = file.source.root.get("total")  # type: ignore[union-attr]
            assert node is not None
            return file.path, node.span
    return None


def _run(ctx: CheckContext) -> Iterator[Finding]:
    place = total_of(ctx)
    for category in ("preCall", "wrapUp") if place is not None else ():
        runs = ctx.analysis.runs(category)
        if place is None or not runs.rules:
            continue
        limit = ctx.option("regions")
        gaps = find_gaps(runs, limit if isinstance(limit, int) else 1000)
        if gaps.open is not None and gaps.open.kind != "budget":
            ctx.analysis.leave_open("DP401", runs.rules, gaps.open)
        if gaps.found:
            yield _finding(ctx, runs, place, gaps)


def _finding(ctx: CheckContext, runs: Runs, place: tuple[str, Span], gaps: Gaps) -> Finding:
    count, widest = len(gaps.found), gaps.found[0].shown
    regions = "1 region" if count == 1 else f"{count} regions"
    if isinstance(gaps.open, Unknown):
        regions = f"at least {regions}"
    lines = [_described(ctx, gap) for gap in gaps.found[:_SHOWN]]
    if count > _SHOWN:
        lines.append(f"and {count - _SHOWN} more")

    def outcomes(scene: Scene) -> tuple[Outcome, None]:
        outcome = runs.run(scene)
        require(not outcome.matched and not outcome.undecided, "the witness of a gap is matched by a rule")
        return outcome, None

    return ctx.finding(
        *place,
        f"contacts are left over: no {runs.category} rule decides them ({regions})",
        details="\n".join(["the widest first:", *lines]),
        rules=(),
        witness=shown_by(lambda: widest.scene, outcomes),
        fix="add a rule for them, widen one, or drop `total`",
    )


def _described(ctx: CheckContext, gap: Gap) -> str:
    """Return the columns that a region restricts; a column that is left out can hold anything."""
    analysis = ctx.analysis
    parts = []
    for variable in sorted(gap.box):
        column = analysis.columns[variable]
        text = describe(analysis.axes[variable], column, gap.box[variable])
        parts.append(f"{variable.name} {text}" if not ctx.wording.is_personal(variable.name) else variable.name)
    return "- " + (", ".join(parts) if parts else "every contact")


CHECK = Check(
    code="DP401",
    name="uncovered-contacts",
    severity="warning",
    family="coverage",
    run=_run,
    doc=__doc__ or "",
    options={"regions": 1000},
)
