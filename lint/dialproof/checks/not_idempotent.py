"""A second pass over a contact changes it again, because a rule comes to another verdict on what the first has left.

## What it does

Reports a rule that is the first one to come to another verdict when the rules run over a contact a second time, on some
contact that the second pass leaves with another value in a column or on another list than the first one.

Counting and stamping are meant to happen in each pass, and are no finding: columns that rules write by INCREMENT,
DECREMENT or CURRENT_TIME are put back in front of the second pass to what the contact had at first, so that only what
else changes is looked at. Contacts that never come to rest are reported by DP507 alone.

## Why it matters

A contact goes through the rules before every attempt. What becomes of it then depends on how often that has happened,
and a retry after a failure is not the same as one clean run. No case that runs once can show it.

## Example

    - name: gold desk
      executionOrder: 1
      conditions: [{attribute: tier, operator: equals, value: gold}]
      actions: [{type: setList, listId: premium_desk, value: "true"}]
    - name: gold from 5000 on
      executionOrder: 2
      conditions: [{attribute: lifetimeValue, operator: greaterThan, value: 5000, type: number}]
      actions: [{type: setAttribute, attribute: tier, value: gold}]

The first pass makes the contact gold, the second one puts it on the list.

## Instead

Let the rule that reads run after the one that writes, so that one pass does all of it. Where each pass is meant to be
one step, suppress the finding with that as its reason.

## Options

`budget` (default 20000): contacts that are run twice for the writes of one rule; the whole check spends ten times as
many. What cannot be decided within them is DP901.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Unknown, require
from dialproof.analysis.effects import same_values
from dialproof.analysis.pairs import bits
from dialproof.analysis.passes import Passes, running, together
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof.analysis.answers import Budget
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.steps import State, Trace
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        look = _Look(runs)
        for writer, readers in look.fresh.items():
            left = look.search(writer, readers, budget)
            if left is not None:
                rules = (runs.rules[writer], *(runs.rules[r] for r in bits(readers & ~look.told) if r != writer))
                ctx.analysis.leave_open("DP506", rules, left)
        for reader, (writer, assignment) in sorted(look.found.items()):
            yield _finding(ctx, look.passes, reader, writer, assignment)


@dataclass
class _Look:
    """What second passes show: of each rule that then comes to another verdict, who wrote what it reads, and where."""

    runs: Runs
    found: dict[int, tuple[int, Assignment]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.passes = Passes(self.runs, running(self.runs, both_ways=True))
        self._settling = Passes(self.runs, running(self.runs, both_ways=False))
        self.fresh = _fresh(self.runs, self.passes)
        seeds = 0
        for writer, readers in self.fresh.items():
            seeds |= 1 << writer | readers
        self._among = together(self.runs, seeds) if seeds else 0

    @property
    def told(self) -> int:
        """The readers (a bitset) that have been found."""
        return sum(1 << reader for reader in self.found)

    def search(self, writer: int, readers: int, budget: Budget) -> Unknown | None:
        """Look at the contacts on which a rule writes; return why that leaves some of its readers open."""
        if not readers & ~self.told:
            return None

        def visit(start: State, involved: tuple[int, ...], assignment: Assignment) -> bool:
            twice = self.passes.twice(involved, start)
            if twice is not None and self.passes.changed(start, *twice):
                reader = _first_other(involved, *twice)
                if reader not in self.found and self._settling.cycle(involved, start) is None:
                    self.found[reader] = self._writer(reader, twice[0]), assignment
            return not readers & ~self.told

        answer = self.passes.search(self.runs.reachable(writer), self._among, budget.question(), visit)
        return answer if isinstance(answer, Unknown) else None

    def _writer(self, reader: int, first: Trace) -> int:
        """Return the last rule of the first pass that wrote what the reader reads."""
        read = self.runs.reads[reader] - self.passes.kept
        return max(i for i, s in first.steps.items() if s.matched and self.runs.given[i] & read)


def _fresh(runs: Runs, passes: Passes) -> Mapping[int, int]:
    """Return of each rule that sets a column the rules (a bitset) that see it in the next pass and not before."""
    readers: dict[object, int] = {}
    for index, read in enumerate(runs.reads):
        for variable in read - passes.kept:
            readers[variable] = readers.get(variable, 0) | 1 << index
    found: dict[int, int] = {}
    for writer, given in enumerate(runs.given):
        seen = 0
        for variable in given:
            seen |= readers.get(variable, 0)
        seen &= (2 << writer) - 1 if runs.updated else -1
        if seen:
            found[writer] = seen
    return found


def _first_other(rules: tuple[int, ...], first: Trace, second: Trace) -> int:
    """Return the first rule that comes to another verdict in the second pass."""
    for index in rules:
        one, other = first.steps.get(index), second.steps.get(index)
        if one is None or other is None or one.verdict is not other.verdict:
            return index
    raise AssertionError("equal verdicts leave equal contacts")


def _finding(ctx: CheckContext, passes: Passes, reader: int, writer: int, assignment: Assignment) -> Finding:
    rule, other = passes.runs.rules[reader], passes.runs.rules[writer]

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        first, second = passes.outcomes(scene, 2)
        changed = not same_values(passes.put_back(scene, first), passes.put_back(scene, second))
        require(changed, "the witness does not show that the second pass changes it")
        return first, second

    who = "it has" if reader == writer else f'"{other.name}" has'
    columns = " and ".join(sorted(v.name for v in passes.runs.given[writer] & passes.runs.reads[reader] - passes.kept))
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'a second pass changes a contact again: rule "{rule.name}" then reads {columns} as {who} set it',
        details="" if reader == writer else f'"{other.name}": {other.path}:{other.name_span.line}',
        rules=(rule.name,) if reader == writer else (rule.name, other.name),
        witness=shown_by(lambda: passes.starts.scene_at(assignment), outcomes, ("first pass", "second pass")),
        fix="order the rules so that one pass does all of it, or suppress this if each pass is meant to be one step",
    )


CHECK = Check(
    code="DP506",
    name="not-idempotent",
    severity="warning",
    family="ordering",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
