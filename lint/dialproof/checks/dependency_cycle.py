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

`budget` (default 20000): contacts that are tried for one pair of rules; a pair that cannot be decided within them
is DP901.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, budget_of, witness_of
from dialproof.analysis.cycles import components, shortest_cycle
from dialproof.checks.base import Check
from dialproof.evaluate import Evaluator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
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


def _finding(ctx: CheckContext, cycle: list[Rule], summary: str, shown: _Edge | None = None) -> Finding:
    first = cycle[0]
    details = [f'"{r.name}": {r.path}:{r.name_span.line}' for r in cycle[1:]]
    witness = None
    if shown is not None:
        runs = ctx.analysis.runs(first.category)
        witness = witness_of(shown.scene, runs.run(shown.scene))
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


@dataclass(frozen=True, slots=True)
class _Edge:
    """A contact on which one rule's write changes the verdict of the other."""

    scene: Scene


def _fed(ctx: CheckContext, runs: Runs) -> Iterator[Finding]:
    readers: dict[object, list[int]] = {}
    for index, read in enumerate(runs.reads):
        for variable in read:
            readers.setdefault(variable, []).append(index)
    edges = {
        i: sorted({r for v in written for r in readers.get(v, ()) if r != i}) for i, written in enumerate(runs.writes)
    }
    shown: dict[tuple[int, int], _Edge] = {}
    refined: dict[int, list[int]] = {}
    for members in components(edges):
        inside = frozenset(members)
        for one in members:
            for other in edges[one]:
                if other not in inside:
                    continue
                edge = _changes(ctx, runs, one, other)
                if edge is not None:
                    shown[one, other] = edge
    for one, other in shown:
        refined.setdefault(one, []).append(other)
        refined.setdefault(other, [])
    for members in components(refined):
        cycle = shortest_cycle(refined, members[0])
        rules = [runs.rules[i] for i in cycle]
        names = " -> ".join(f'"{r.name}"' for r in (*rules, rules[0]))
        yield _finding(ctx, rules, f"rules feed each other in a loop: {names}", shown[cycle[0], cycle[1]])


def _changes(ctx: CheckContext, runs: Runs, one: int, other: int) -> _Edge | None:
    """Search a contact on which the writes of ``one`` change the verdict of ``other``."""
    writer, reader = runs.rules[one], runs.rules[other]
    pair = replace(ctx.campaign, rules=(writer, reader), invariants=(), hit_policy="all")
    evaluator = Evaluator(pair, ctx.analysis.semantics)
    region = runs.acting(one)
    variables = sorted(runs.reads[one] | runs.reads[other])
    budget, tried = budget_of(ctx.option("budget")), 0
    reason = region.reason or runs.acting(other).reason
    for box in region.boxes:
        choices, open_end = runs.choices(variables, box)
        reason = reason or open_end
        for combination in product(*choices):
            tried += 1
            if tried > budget:
                ctx.analysis.leave_open("DP504", (writer, reader), f"not decided within {budget} contacts")
                return None
            scene = runs.scene_at(dict(zip(variables, combination, strict=True)))
            before = evaluator.verdicts(scene.contact, context=scene.context, now=scene.now)
            outcome = runs.run(scene, evaluator, without=(reader.name,))
            if writer.name not in outcome.matched or outcome.failure is not None:
                continue
            after = evaluator.verdicts(outcome.contact, context=scene.context, now=scene.now)
            if before[reader.name] is not after[reader.name]:
                return _Edge(scene)
    if reason:
        ctx.analysis.leave_open("DP504", (writer, reader), reason)
    else:
        ctx.analysis.decided["enumeration"] += 1
    return None


CHECK = Check(
    code="DP504",
    name="dependency-cycle",
    severity="error",
    family="ordering",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
