"""Two rules whose order matters although nothing says that it is meant.

## What it does

Reports two enabled rules of a category whose order decides what becomes of some contact:

- two rules that run one directly after the other, where the run of some contact comes to another result if the two
  change places: another rule matches or is undecided, the contact is dialed or not, it is on other lists, or a column
  has another value;
- any two rules that both act on some contact, each also on one on which the other does not, where the later one
  overwrites what the earlier one wrote (CURRENT_TIME over a counter, a do-not-call entry with another expiry).

A pair is reported by one check. One whose actions contradict each other on a contact is DP301, one in which the later
rule has the higher priority is DP502, one in which the later rule sets a column that the earlier one has read is DP503.
Nothing is reported where the later rule declares the order: `runsAfter` or `overrides` names the earlier one.

Where the earlier rule ends the run (`hitPolicy: first`, or `doNotDial` while `semantics.doNotDialStops` is true), the
order is what decides between the two. That is reported only if they do different things and each of them holds on
contacts on which the other does not: a narrow rule in front of a wider one is an exception (DP306), a wide one in front
of a narrower one shadows it (DP302).

## Why it matters

Somebody moves a rule, or gives it another number, and other contacts are dialed. Nothing in the file warned of it.

## Example

    - name: gold from 5000 on
      executionOrder: 1
      conditions: [{attribute: lifetimeValue, operator: greaterThan, value: 5000, type: number}]
      actions: [{type: setAttribute, attribute: tier, value: gold}]
    - name: gold desk
      executionOrder: 2
      conditions: [{attribute: tier, operator: equals, value: gold}]
      actions: [{type: setList, listId: premium_desk, value: "true"}]

## Instead

Say on the later rule that it runs after the earlier one, which DP505 then guards:

      runsAfter: [gold from 5000 on]

or let the two read and write different columns.

## Options

`budget` (default 5000): runs that are spent on one question about two rules; the whole check spends ten times as many.
A pair that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import Found, Nowhere, Unknown, acted, later_pairs, require
from dialproof.analysis.exchange import (
    may_swap,
    moved,
    same_result,
    where_order_matters,
    where_overturned,
    where_swapping_matters,
    where_without,
)
from dialproof.analysis.overwrites import overwriting
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dialproof.analysis.answers import Answer, Budget
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding, Witness
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        told = set[tuple[int, int]]()
        for earlier in range(len(runs.rules) - 1):
            pair = earlier, earlier + 1
            if may_swap(runs, earlier) and not _is_declared(runs, *pair):
                told.add(pair)
                yield from _told(ctx, runs, pair, _swapping(runs, earlier, budget), "change places")
        over = overwriting(runs.rules)
        for pair in later_pairs([o & m for o, m in zip(over, runs.overlapping, strict=True)] if any(over) else []):
            if pair not in told and not _is_declared(runs, *pair):
                yield from _told(ctx, runs, pair, _overwritten(runs, *pair, budget), "overwrites")


def _told(ctx: CheckContext, runs: Runs, pair: tuple[int, int], answer: Answer, why: str) -> Iterator[Finding]:
    if isinstance(answer, Unknown):
        ctx.analysis.leave_open("DP307", (runs.rules[pair[1]], runs.rules[pair[0]]), answer)
    elif isinstance(answer, Found):
        yield _finding(ctx, runs, pair, answer, why)


def _is_declared(runs: Runs, earlier: int, later: int) -> bool:
    one, other = runs.rules[earlier], runs.rules[later]
    return one.name in (*other.overrides, *other.runs_after)


def _swapping(runs: Runs, earlier: int, budget: Budget) -> Answer:
    """Search a contact on which it matters that two neighbours change places, and which no other check shows."""
    later = earlier + 1
    if _is_told_elsewhere(runs, earlier, later, budget):
        return Nowhere()
    if runs.updated and runs.given[later] & runs.reads[earlier]:
        overturned = where_overturned(runs, earlier, later, budget.question())
        if not isinstance(overturned, Nowhere):
            return Nowhere()  # DP503 reports it, or leaves it open
    if runs.ends[earlier]:
        outside = where_without(runs, earlier, (later,), budget.question(), ended=True)
        if not isinstance(outside, Found):
            return outside
        acts = runs.acts(later, budget.question())
        if not isinstance(acts, Found):
            return acts
    return where_swapping_matters(runs, earlier, budget.question())


def _overwritten(runs: Runs, earlier: int, later: int, budget: Budget) -> Answer:
    """Return a contact on which both rules act, if each of them acts without the other as well."""
    if _is_told_elsewhere(runs, earlier, later, budget):
        return Nowhere()
    questions: Iterable[Answer] = (
        runs.both_act(earlier, later, budget.question()),
        *(where_without(runs, *ask, budget.question()) for ask in ((earlier, (later,)), (later, (earlier,)))),
    )
    answers = list(questions)
    return next((a for a in answers if not isinstance(a, Found)), answers[0])


def _is_told_elsewhere(runs: Runs, earlier: int, later: int, budget: Budget) -> bool:
    """Tell whether DP301 or DP502 reports the pair, or leaves it open."""
    if not runs.overlapping[earlier] >> later & 1:
        return False
    if runs.contradicting[earlier] >> later & 1:
        return not isinstance(runs.both_act(earlier, later, budget.question()), Nowhere)
    if runs.ends[earlier] or runs.rules[later].priority <= runs.rules[earlier].priority:
        return False
    return not isinstance(where_order_matters(runs, earlier, later, budget.question()), Nowhere)


def _finding(ctx: CheckContext, runs: Runs, pair: tuple[int, int], found: Found, why: str) -> Finding:
    one, other = (runs.rules[i] for i in pair)
    if why == "overwrites":
        summary = f'rule "{other.name}" overwrites what "{one.name}" has written: their order decides what is left'
    else:
        summary = f'the order of rules "{one.name}" and "{other.name}" matters, and nothing says that it is meant'
    return ctx.finding(
        other.path,
        other.name_span,
        summary,
        details=f'earlier rule "{one.name}": {one.path}:{one.name_span.line}',
        rules=(other.name, one.name),
        witness=_witness(runs, pair, found, swapped=why != "overwrites"),
        fix=f'declare `runsAfter: [{one.name}]` on "{other.name}", or make the order not matter',
    )


def _witness(runs: Runs, pair: tuple[int, int], found: Found, *, swapped: bool) -> Witness:
    names = {runs.rules[i].name for i in pair}

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        written, other = runs.run(scene), runs.run(scene, order=moved(runs, *pair)[0])
        shown = not same_result(written, other) if swapped else names <= acted(written)
        require(shown, "the witness does not show that the order matters")
        return written, other

    return shown_by(lambda: found.scene, outcomes, ("as written", f'"{runs.rules[pair[1]].name}" first'))


CHECK = Check(
    code="DP307",
    name="order-sensitive-rules",
    severity="warning",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
    options={"budget": 5000},
)
