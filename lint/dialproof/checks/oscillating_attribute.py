"""A column that rules set to and fro, so that passes over a contact never come to rest.

## What it does

Reports a column that on some contact has another value after each pass, for ever: the values repeat after two or more
passes. Only columns can do so that decide, by way of the rules that read them, what they are themselves set to.

Columns that rules only count up (or only down) or stamp with the time are put back in front of each pass to what the
contact had at first: a counter that runs on, or is reset now and then, does not oscillate. A column that rules count
both up and down can.

## Why it matters

A contact goes through the rules before every attempt. One that has another tier each time is on another list each time,
and nobody can say which it will be.

## Example

With `hitPolicy: first`:

    - name: rest
      executionOrder: 1
      conditions: [{attribute: pool, operator: equals, value: active}]
      actions: [{type: setAttribute, attribute: pool, value: resting}]
    - name: wake up
      executionOrder: 2
      conditions: [{attribute: pool, operator: equals, value: resting}]
      actions: [{type: setAttribute, attribute: pool, value: active}]

## Instead

Let one of the rules depend on something that the other one does not undo: the day, the last attempt, a counter.

        - {context: lastAttempt.overall, operator: before, value: P7DT0H0M, type: period}

## Options

`budget` (default 2000): contacts that are run until they repeat, for one set of columns that depend on each other and
one rule that writes them, fewer where many rules decide that; the whole check spends ten times as many. What cannot be
decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import Unknown, require
from dialproof.analysis.passes import Passes, deciding, feeding_loops, running
from dialproof.analysis.witness import shown_by
from dialproof.cel.values import lookup, same_value
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Budget
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.steps import State, Trace
    from dialproof.analysis.witness import Scene
    from dialproof.cel.values import Variable
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        passes = Passes(runs, running(runs, both_ways=False))
        for loop in feeding_loops(runs, passes.kept):
            found = _search(passes, loop, budget)
            if isinstance(found, Unknown):
                writers = tuple(r for r, changed in zip(runs.rules, runs.sets, strict=True) if changed & loop)
                ctx.analysis.leave_open("DP507", writers, found)
            elif found is not None:
                yield _finding(ctx, passes, *found)


def _search(
    passes: Passes, loop: frozenset[Variable], budget: Budget
) -> tuple[Assignment, int, list[Trace]] | Unknown | None:
    """Return a contact on which a column of the loop never settles, the passes before that, and those that repeat."""
    runs = passes.runs
    writers = [i for i, changed in enumerate(runs.sets) if changed & loop]
    among = deciding(runs, sum(1 << i for i in writers))
    found: list[tuple[Assignment, int, list[Trace]]] = []

    def visit(start: State, involved: tuple[int, ...], assignment: Assignment) -> bool:
        cycle = passes.cycle(involved, start)
        if cycle is not None and loop & _restless(passes, cycle[1]):
            found.append((assignment, *cycle))
        return bool(found)

    left: Unknown | None = None
    for writer in writers:
        answer = passes.search(passes.wide[writer], among, budget.question(), visit)
        if found:
            return found[0]
        left = left or (answer if isinstance(answer, Unknown) else None)
    if left is None and any(runs.counts[i] & loop for i in writers):
        names = " and ".join(sorted(v.name for v in loop))
        return Unknown(f"{names} is counted up and down, which may go on for any number of passes", "counting")
    return left


def _restless(passes: Passes, cycle: list[Trace]) -> frozenset[Variable]:
    """Return the columns that do not have one value after all passes of a cycle."""
    things = passes.runs.steps.things
    return frozenset(
        thing
        for thing, position in things.items()
        if not isinstance(thing, str)
        and thing not in passes.kept
        and len({trace.state[position] for trace in cycle}) > 1
    )


def _finding(ctx: CheckContext, passes: Passes, assignment: Assignment, before: int, cycle: list[Trace]) -> Finding:
    runs, columns = passes.runs, _restless(passes, cycle)
    writing = [i for i in range(len(runs.rules)) if runs.sets[i] & columns and _acts(i, cycle)]
    rules = [runs.rules[i] for i in writing]
    names = sorted(v.name for v in columns)

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        found = passes.outcomes(scene, before + len(cycle) + 1)
        one, other, last = found[before], found[before + 1], found[-1]
        values = [[lookup(o.contact, name) for name in names] for o in (one, other, last)]
        repeated = all(map(same_value, values[0], values[2])) and not all(map(same_value, values[0], values[1]))
        require(repeated, "the witness does not show that the passes never settle")
        return one, other

    labels = (f"pass {before + 1}", f"pass {before + 2}")
    return ctx.finding(
        rules[0].path,
        rules[0].name_span,
        f"no value of {' and '.join(names)} lasts: after {len(cycle)} passes the same ones come again",
        details="\n".join(f'set by "{rule.name}": {rule.path}:{rule.name_span.line}' for rule in rules),
        rules=tuple(rule.name for rule in rules),
        witness=shown_by(lambda: passes.starts.scene_at(assignment), outcomes, labels),
        fix="let one of the rules depend on something that the others do not undo",
    )


def _acts(index: int, cycle: list[Trace]) -> bool:
    return any(index in trace.steps and trace.steps[index].matched for trace in cycle)


CHECK = Check(
    code="DP507",
    name="oscillating-attribute",
    severity="error",
    family="ordering",
    run=_run,
    doc=__doc__ or "",
    options={"budget": 2000},
)
