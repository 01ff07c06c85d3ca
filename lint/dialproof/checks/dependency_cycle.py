"""Rules that feed each other, or that must each run after the other.

## What it does

Reports a loop of rules in which each writes a column that the next one reads, where the write can change the
verdict of the next rule on some contact; and a loop of `runsAfter`.

## Why it matters

No execution order lets every rule of the loop see what the others write, so the outcome depends on the order
alone, and a second pass over the contact gives another result. A loop of `runsAfter` cannot be satisfied at all.

## Example

    - name: promote
      conditions: [{attribute: score, operator: greaterThan, value: 50}]
      actions: [{type: setAttribute, attribute: tier, value: gold}]
    - name: boost
      conditions: [{attribute: tier, operator: equals, value: gold}]
      actions: [{type: setAttribute, attribute: score, option: INCREMENT, value: 10}]

## Instead

Let one of the rules read a column that the others do not write, or join them into one rule.

## Options

`budget` (default 20000): runs that are spent on one pair of rules; the whole check spends ten times as many. A pair
that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Unknown
from dialproof.analysis.cycles import components, refined, shortest_cycle
from dialproof.analysis.space import Space
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Answer, Question
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.steps import State
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    yield from _declared(ctx)
    for category in ("preCall", "wrapUp"):
        yield from _fed(ctx, ctx.analysis.runs(category))


def _declared(ctx: CheckContext) -> Iterator[Finding]:
    """Report loops of runsAfter."""
    rules = ctx.campaign.rules
    by_name = {rule.name: index for index, rule in enumerate(rules)}
    edges = {i: [by_name[n] for n in rule.runs_after if n in by_name] for i, rule in enumerate(rules)}
    for index, targets in edges.items():
        if index in targets:
            yield _finding(ctx, [rules[index]], f'rule "{rules[index].name}" declares that it runs after itself')
    for members in components(edges):
        cycle = [rules[i] for i in shortest_cycle(edges, members[0])]
        names = " -> ".join(f'"{r.name}"' for r in (*cycle, cycle[0]))
        yield _finding(ctx, cycle, f"rules declare runsAfter in a loop: {names}")


def _finding(ctx: CheckContext, cycle: list[Rule], summary: str, shown: Found | None = None) -> Finding:
    first = cycle[0]
    details = [f'"{r.name}": {r.path}:{r.name_span.line}' for r in cycle[1:]]
    witness = None
    if shown is not None:
        runs = ctx.analysis.runs(first.category)
        witness = shown_by(lambda: shown.scene, lambda scene: (runs.run(scene), None))
        details.append(f'on the contact shown, "{first.name}" changes the verdict of "{cycle[1].name}"')
    return ctx.finding(
        first.path,
        first.name_span,
        summary,
        details="\n".join(details),
        rules=tuple(r.name for r in cycle),
        witness=witness,
        fix="take one of the rules out of the loop",
    )


def _fed(ctx: CheckContext, runs: Runs) -> Iterator[Finding]:
    if not ctx.analysis.semantics.laterRulesSeeUpdates:
        return
    readers: dict[object, list[int]] = {}
    for index, read in enumerate(runs.reads):
        for variable in read:
            readers.setdefault(variable, []).append(index)
    edges = {
        i: sorted({r for v in written for r in readers.get(v, ()) if r != i}) for i, written in enumerate(runs.sets)
    }
    budget = ctx.budget()
    for members in components(edges):
        asked: dict[tuple[int, int], Answer] = {}

        def holds(one: int, other: int, asked: dict[tuple[int, int], Answer] = asked) -> bool:
            if (one, other) not in asked:
                answer = asked[one, other] = _changes(runs, one, other, budget.question())
                if isinstance(answer, Unknown):
                    ctx.analysis.leave_open("DP504", (runs.rules[one], runs.rules[other]), answer)
            return isinstance(asked[one, other], Found)

        for loop in refined(members, edges, holds):
            known: dict[int, list[int]] = {i: [] for i in loop}
            for (one, other), answer in asked.items():
                if one in known and other in known and isinstance(answer, Found):
                    known[one].append(other)
            cycle = shortest_cycle(known, loop[0])
            rules = [runs.rules[i] for i in cycle]
            names = " -> ".join(f'"{r.name}"' for r in (*rules, rules[0]))
            first = asked[cycle[0], cycle[1]]
            shown = first if isinstance(first, Found) else None
            yield _finding(ctx, rules, f"rules feed each other in a loop: {names}", shown)


def _changes(runs: Runs, one: int, other: int, question: Question) -> Answer:
    """Search a contact on which the writes of ``one`` change the verdict of ``other``."""
    steps = runs.steps

    def changes(state: State) -> bool:
        written = steps.step(one, state, state)
        if not written.matched or written.failed:
            return False
        return steps.step(other, state, state).verdict is not steps.step(other, written.state, written.state).verdict

    return Space(runs, (one, other), updated=True).search(runs.acting(one).boxes, question, changes)


CHECK = Check(
    code="DP504",
    name="dependency-cycle",
    severity="error",
    family="ordering",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
