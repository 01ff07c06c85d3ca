"""A rule that looks at a column which a later rule sets, so that its verdict would have been another one.

## What it does

Reports two rules of a category where the earlier one reads a column that the later one sets, and where on some contact,
in the real run, the later rule acts and the earlier one would have come to another verdict on what it wrote. In front
of the later rule the verdict still held: where several rules write, the one that overturns it is named.

No finding are:

- counting (INCREMENT, DECREMENT) and CURRENT_TIME: a rule that looks at the number of attempts before another one
  counts this attempt reads what it is meant to read;
- a rule that writes what it reads itself;
- a write that makes no difference to the verdict, on any contact;
- a pair whose later rule says `runsAfter: [earlier rule]`: it leaves a mark for the next time, and the order is meant;
- rules that see no updates anyway (`semantics.laterRulesSeeUpdates = false`, `hitPolicy: first`).

## Why it matters

The earlier rule decides by a value that is out of date when the run is over: a contact that has just become gold is not
put on the list for gold customers, or is put there the next time only.

## Example

    - name: gold desk
      executionOrder: 1
      conditions: [{attribute: tier, operator: equals, value: gold}]
      actions: [{type: setList, listId: premium_desk, value: "true"}]
    - name: gold from 5000 on
      executionOrder: 2
      conditions: [{attribute: lifetimeValue, operator: greaterThan, value: 5000, type: number}]
      actions: [{type: setAttribute, attribute: tier, value: gold}]

## Instead

Run the rule that writes before the one that reads, or say that the order is meant:

    - name: gold from 5000 on
      executionOrder: 2
      runsAfter: [gold desk]

## Options

`budget` (default 20000): runs that are spent on one pair of rules; the whole check spends ten times as many. A pair
that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Unknown, acted, require
from dialproof.analysis.exchange import is_overturned, moved, where_overturned
from dialproof.analysis.pairs import bits, sharing
from dialproof.analysis.passes import wide_regions
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
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
        for reader, writer in _candidates(runs) if runs.updated else ():
            one, other = runs.rules[reader], runs.rules[writer]
            if one.name in other.runs_after or one.name in ctx.analysis.broken:
                continue
            answer = where_overturned(runs, reader, writer, budget.question())
            if isinstance(answer, Unknown):
                ctx.analysis.leave_open("DP503", (one, other), answer)
            elif isinstance(answer, Found):
                yield _finding(ctx, runs, reader, writer, answer)


def _candidates(runs: Runs) -> Iterator[tuple[int, int]]:
    """Yield (reader, later writer) of one column where they can meet whatever the column holds, by the reader."""
    writers: dict[Variable, list[int]] = {}
    readers: dict[Variable, list[int]] = {}
    for index in reversed(range(len(runs.rules))):
        for variable in runs.reads[index]:
            if variable in writers:
                readers.setdefault(variable, []).append(index)
        for variable in runs.given[index]:
            writers.setdefault(variable, []).append(index)
    if not readers:
        return
    near, found = wide_regions(runs), [0] * len(runs.rules)
    for variable, reading in readers.items():
        writing = writers[variable]
        met = sharing([near[i] for i in reading], [runs.reachable(i) for i in writing])
        for reader, mask in zip(reading, met, strict=True):
            found[reader] |= sum(1 << writing[position] for position in bits(mask))
    for reader, mask in enumerate(found):
        for writer in bits(mask >> reader + 1 << reader + 1):
            yield reader, writer


def _finding(ctx: CheckContext, runs: Runs, reader: int, writer: int, found: Found) -> Finding:
    one, other = runs.rules[reader], runs.rules[writer]
    columns = sorted(v.name for v in runs.given[writer] & runs.reads[reader])

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        written = runs.run(scene)
        shown = other.name in acted(written) and is_overturned(runs, reader, writer, scene)
        require(shown, "the witness does not show that the write changes the verdict")
        return written, runs.run(scene, order=moved(runs, reader, writer)[0])

    return ctx.finding(
        one.path,
        one.name_span,
        f'rule "{one.name}" reads {" and ".join(columns)} before "{other.name}" sets it, which changes its verdict',
        details=f'later rule "{other.name}": {other.path}:{other.name_span.line}',
        rules=(one.name, other.name),
        witness=shown_by(lambda: found.scene, outcomes, ("as written", f'"{other.name}" first')),
        fix=f'run "{one.name}" after "{other.name}", or declare `runsAfter: [{one.name}]` on "{other.name}"',
    )


CHECK = Check(
    code="DP503",
    name="read-before-write",
    severity="error",
    family="ordering",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
