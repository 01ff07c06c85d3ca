"""A rule with a higher priority that runs after one with a lower priority, where the order matters.

## What it does

Reports two rules that both act on some contact, where the later one has the higher priority and either their actions
contradict each other or their order changes the outcome. A larger priority is more important.

The order of two rules changes the outcome of a contact if the run comes to another result both when the later rule is
moved in front of the earlier one and when the earlier one is moved behind the later one, everything else left as it is.
(Where no rule runs between them that is one and the same change. Where one does, a move that matters only because of
what it passes says nothing about the two.) Another result is: another rule matches or is undecided, the contact is
dialed or not, it is on other lists, a column has another value, or the run fails. Sums that differ only by rounding are
the same value.

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

`budget` (default 20000): runs that are spent on one pair of rules; the whole check spends ten times as many. A pair
that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown, acted, later_pairs, require
from dialproof.analysis.exchange import moved, same_result, where_order_matters
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        less = _less_important(runs)
        for earlier, later in later_pairs([o & m & ~runs.enders for o, m in zip(runs.overlapping, less, strict=True)]):
            one, other = runs.rules[earlier], runs.rules[later]
            contradict = bool(runs.contradicting[later] >> earlier & 1)
            answer = _answer(runs, earlier, later, budget, contradict=contradict)
            if isinstance(answer, Unknown):
                ctx.analysis.leave_open("DP502", (other, one), answer)
            elif isinstance(answer, Found):
                yield _finding(ctx, runs, (earlier, later), answer, contradict=contradict)


def _less_important(runs: Runs) -> list[int]:
    """Return for each rule the bitset of those with a lower priority."""
    of_priority: dict[int, int] = {}
    for index, rule in enumerate(runs.rules):
        of_priority[rule.priority] = of_priority.get(rule.priority, 0) | 1 << index
    below: dict[int, int] = {}
    seen = 0
    for priority in sorted(of_priority):
        below[priority] = seen
        seen |= of_priority[priority]
    return [below[rule.priority] for rule in runs.rules]


def _answer(runs: Runs, earlier: int, later: int, budget: Budget, *, contradict: bool) -> Answer:
    if contradict:
        return runs.both_act(earlier, later, budget.question())
    if not runs.order_may_matter(earlier, later):
        return Nowhere()
    return where_order_matters(runs, earlier, later, budget.question())


def _finding(ctx: CheckContext, runs: Runs, pair: tuple[int, int], found: Found, *, contradict: bool) -> Finding:
    one, other = (runs.rules[i] for i in pair)
    reason = "their actions contradict each other" if contradict else "the outcome depends on their order"
    high, low = f'"{other.name}" (priority {other.priority})', f'"{one.name}" (priority {one.priority})'
    return ctx.finding(
        other.path,
        other.name_span,
        f"rule {high} runs after {low}, and {reason}",
        details=f'earlier rule "{one.name}": {one.path}:{one.name_span.line}',
        rules=(other.name, one.name),
        witness=_witness(runs, pair, found, contradict=contradict),
        fix=f"exchange execution orders {one.execution_order} and {other.execution_order}, or correct the priorities",
    )


def _witness(runs: Runs, pair: tuple[int, int], found: Found, *, contradict: bool) -> Witness:
    names = {runs.rules[i].name for i in pair}

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome | None]:
        written = runs.run(scene)
        require(names <= acted(written), "the witness does not show that both rules act")
        if contradict:
            return written, None
        later_first, earlier_last = (runs.run(scene, order=order) for order in moved(runs, *pair))
        changed = not same_result(written, later_first) and not same_result(written, earlier_last)
        require(changed, "the witness does not show that the order matters")
        return written, later_first

    return shown_by(lambda: found.scene, outcomes, ("as written", f'"{runs.rules[pair[1]].name}" first'))


CHECK = Check(
    code="DP502",
    name="priority-inversion",
    severity="error",
    family="ordering",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
