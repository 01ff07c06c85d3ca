"""A narrow rule in front of a wider one whose actions contradict it.

## What it does

Reports two rules of a category with contradicting actions where the earlier one is the narrower: on every contact on
which it acts in the real run the later one acts too (or, where the earlier one ends the run, the later one would: its
conditions hold), and the later one acts on further contacts.

Where the earlier one ends the run (`hitPolicy: first`, or `doNotDial` while `semantics.doNotDialStops` is true) this is
an exception in front of the general case, and often meant. Where it does not, the later rule undoes the earlier one on
all of its contacts. A pair is told once: as long as DP301 reports that the two contradict each other, this check is
silent; it speaks where `overrides` on the later rule declares that, or where DP301 is not selected.

## Why it matters

An exception works in one order only. Whoever moves the general rule up switches the exception off; and under
`hitPolicy: all`, where the last word counts, an exception in front of the general case never has an effect.

## Example

    - name: gold customers
      executionOrder: 1
      conditions:
        - {attribute: tier, operator: equals, value: gold}
        - {attribute: attempts, operator: greaterThan, value: 5}
      actions: [{type: setList, listId: evening, value: "false"}]
    - name: many attempts
      executionOrder: 2
      conditions: [{attribute: attempts, operator: greaterThan, value: 5}]
      actions: [{type: setList, listId: evening, value: "true"}]
      overrides: [gold customers]

## Instead

Under `hitPolicy: all` put the exception behind the general case, and say that it is one:

    - name: gold customers
      executionOrder: 3
      overrides: [many attempts]

Under `hitPolicy: first` nothing needs to be done, if it is meant.

## Options

`budget` (default 20000): runs that are spent on one question about two rules where other rules can interfere; the whole
check spends ten times as many. A pair that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown, acted, require
from dialproof.analysis.contradictions import contradicting_actions
from dialproof.analysis.exchange import where_without, within
from dialproof.analysis.pairs import bits
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Answer, Budget
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    from dialproof.lint import selected_checks

    conflicts_are_told = any(check.code == "DP301" for check in selected_checks(ctx.project.config))
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        for earlier, later in _candidates(runs):
            declared = runs.rules[earlier].name in runs.rules[later].overrides
            if conflicts_are_told and not declared and not runs.ends[earlier]:
                continue
            answer = _narrower(runs, earlier, later, budget)
            if isinstance(answer, Unknown):
                ctx.analysis.leave_open("DP306", (runs.rules[later], runs.rules[earlier]), answer)
            elif isinstance(answer, Found):
                yield _finding(ctx, runs, earlier, later, answer)


def _candidates(runs: Runs) -> Iterator[tuple[int, int]]:
    """Yield the contradicting pairs whose earlier rule lies within the later one, or may for all that cells say."""
    pairs = [a & b for a, b in zip(runs.contradicting, runs.overlapping, strict=True)]
    if not any(pairs):
        return
    everybody = (1 << len(runs.rules)) - 1
    unsure = everybody if any(runs.may_fail) else runs.written | everybody & ~runs.exact
    for earlier, inside in enumerate(within(runs, pairs)):
        possible = pairs[earlier] if unsure >> earlier & 1 else inside | pairs[earlier] & unsure
        for later in bits(possible >> earlier + 1 << earlier + 1):
            yield earlier, later


def _narrower(runs: Runs, earlier: int, later: int, budget: Budget) -> Answer:
    """Return a contact on which the earlier rule acts, if it does within the later one, which acts elsewhere too."""
    ended = runs.ends[earlier]
    acts = runs.acts(earlier, budget.question()) if ended else runs.both_act(earlier, later, budget.question())
    if not isinstance(acts, Found):
        return acts if ended else Nowhere()  # DP301 leaves it open
    outside = where_without(runs, earlier, (later,), budget.question(), ended=ended)
    if not isinstance(outside, Nowhere):
        return Nowhere() if isinstance(outside, Found) else outside
    wider = where_without(runs, later, (earlier,), budget.question())
    return acts if isinstance(wider, Found) else wider


def _finding(ctx: CheckContext, runs: Runs, earlier: int, later: int, found: Found) -> Finding:
    one, other = runs.rules[earlier], runs.rules[later]
    ended = runs.ends[earlier]

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        written = runs.run(scene)
        names = {one.name} if ended else {one.name, other.name}
        require(names <= acted(written), "the witness does not show the narrower rule inside of the wider one")
        return written, runs.run(scene, without=[one])

    say = ctx.wording.action
    lines = [f"{say(a)} against {say(b)}" for a, b in contradicting_actions(one, other)]
    what = "is an exception in front of" if ended else "is undone on all of its contacts by"
    fix = f'keep "{one.name}" in front of "{other.name}"' if ended else (
        f'if "{one.name}" is the exception, run it after "{other.name}" and declare `overrides: [{other.name}]` on it'
    )  # fmt: skip
    return ctx.finding(
        other.path,
        other.name_span,
        f'rule "{one.name}" {what} the wider rule "{other.name}"',
        details="\n".join([f'earlier rule "{one.name}": {one.path}:{one.name_span.line}', *dict.fromkeys(lines)]),
        rules=(other.name, one.name),
        witness=shown_by(lambda: found.scene, outcomes, ("as written", f'without "{one.name}"')),
        fix=fix,
    )


CHECK = Check(
    code="DP306",
    name="generalised-rule",
    severity="info",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
