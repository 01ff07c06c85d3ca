"""A rule with a higher priority that runs after one with a lower priority, where the order matters.

## What it does

Reports two rules that both act on some contact, where the later one has the higher priority and either their actions
contradict each other or the outcome changes when the two trade places. A larger priority is more important.

## Why it matters

Priority states an intention, the execution order is what happens. Where they disagree, one of them is wrong.

## Example

    - name: reset the tier
      priority: 1
      executionOrder: 1
      conditions: [{attribute: attempts, operator: greaterThan, value: 5}]
      actions: [{type: setAttribute, attribute: tier, value: basic}]
    - name: gold customers
      priority: 100
      executionOrder: 2
      conditions: [{attribute: tier, operator: notEquals, value: gold}]
      actions: [{type: setList, listId: standard_desk, value: "true"}]

The rule of priority 1 decides about the tier that the one of priority 100 looks at.

## Instead

Exchange the execution orders, or correct the priorities.

## Options

`budget` (default 20000): runs that are spent on one pair of rules; a pair that cannot be decided within them is DP901.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Unknown, acted, budget_of, later_pairs, witness_of
from dialproof.checks.base import Check
from dialproof.evaluate import Evaluator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Answer
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        candidates = [o & (c | s) for o, c, s in zip(runs.overlapping, runs.contradicting, runs.sensitive, strict=True)]
        for earlier, later in later_pairs(candidates):
            if runs.rules[later].priority > runs.rules[earlier].priority and not runs.ends[earlier]:
                yield from _inversion(ctx, runs, earlier, later)


def _inversion(ctx: CheckContext, runs: Runs, earlier: int, later: int) -> Iterator[Finding]:
    one, other = runs.rules[earlier], runs.rules[later]
    contradict = bool(runs.contradicting[later] >> earlier & 1)
    swapped = None
    answer: Answer = runs.both_act(earlier, later, budget_of(ctx.option("budget")))
    if isinstance(answer, Found) and not contradict:
        swapped = _swapped(ctx, runs, earlier, later)
        answer = _where_order_matters(ctx, runs, (earlier, later), swapped)
    if isinstance(answer, Unknown):
        ctx.analysis.leave_open("DP502", (other, one), answer.reason)
    if not isinstance(answer, Found):
        return
    assert {one.name, other.name} <= acted(answer.outcome), "the witness does not show that both rules act"
    exchanged = runs.run(answer.scene, swapped) if swapped is not None else None
    reason = "their actions contradict each other" if contradict else "the outcome depends on their order"
    high, low = f'"{other.name}" (priority {other.priority})', f'"{one.name}" (priority {one.priority})'
    yield ctx.finding(
        other.path,
        other.name_span,
        f"rule {high} runs after {low}, and {reason}",
        details=f'earlier rule "{one.name}": {one.path}:{one.name_span.line}',
        rules=(other.name, one.name),
        witness=witness_of(answer.scene, answer.outcome, exchanged, ("as written", "orders exchanged")),
        fix=f"exchange execution orders {one.execution_order} and {other.execution_order}, or correct the priorities",
    )


def _swapped(ctx: CheckContext, runs: Runs, earlier: int, later: int) -> Evaluator:
    """Return an evaluator of the campaign in which the two rules have traded places."""
    one, other = runs.rules[earlier], runs.rules[later]
    rules = list(ctx.campaign.rules)
    first = next(i for i, r in enumerate(rules) if r is one)
    second = next(i for i, r in enumerate(rules) if r is other)
    rules[first], rules[second] = other, one
    return Evaluator(replace(ctx.campaign, rules=tuple(rules), invariants=()), ctx.analysis.semantics)


def _where_order_matters(ctx: CheckContext, runs: Runs, pair: tuple[int, int], swapped: Evaluator) -> Answer:
    names = {runs.rules[i].name for i in pair}

    def matters(scene: Scene, outcome: Outcome) -> bool:
        return names <= acted(outcome) and _result(runs.run(scene)) != _result(runs.run(scene, swapped))

    return runs.search(pair, matters, budget_of(ctx.option("budget")))


def _result(outcome: Outcome) -> tuple[object, ...]:
    """Return what an outcome comes to, whatever the order of what led there."""
    return frozenset(outcome.matched), outcome.dial, outcome.lists, outcome.contact, frozenset(outcome.undecided)


CHECK = Check(
    code="DP502",
    name="priority-inversion",
    severity="error",
    family="ordering",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
