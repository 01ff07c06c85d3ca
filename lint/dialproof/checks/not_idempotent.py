"""A second pass over a contact changes it again, because a rule comes to another verdict on what the first has left.

## What it does

Reports a column or a list that on some contact is another after a second pass than after the first, and the first rule
that changes it and comes to another verdict when the rules run over the contact again.

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

`budget` (default 2000): contacts that are run twice for one column or list, fewer where many rules decide what becomes
of it; the whole check spends ten times as many. What cannot be decided within them is DP901.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Unknown, require
from dialproof.analysis.campaign import atoms_of
from dialproof.analysis.effects import same_values
from dialproof.analysis.exchange import reached
from dialproof.analysis.pairs import bits
from dialproof.analysis.passes import Passes, deciding, running
from dialproof.analysis.regions import Region
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.analysis.answers import Question
    from dialproof.analysis.order import Thing
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.steps import State, Trace
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]

_NAMED = 5
"""Rules that one finding names."""
_TRIED = 8
"""Contacts that look likely and are run before all others, for each rule that changes something."""
_ASKED = 50
"""Rules that set what such a rule reads, of which likely contacts are looked for."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        look = _Look(runs)
        open_: dict[Unknown, list[Rule]] = {}
        for thing, writers in look.at_stake.items():
            left = look.search(thing, writers, budget.question())
            if left is not None:
                open_.setdefault(left, []).extend(runs.rules[i] for i in bits(writers))
        for why, rules in open_.items():
            ctx.analysis.leave_open("DP506", tuple({id(rule): rule for rule in rules}.values()), why)
        for index, (things, assignment) in sorted(look.found.items()):
            yield _finding(ctx, look.passes, index, things, assignment)


@dataclass
class _Look:
    """What second passes show: of a rule that then comes to another verdict what that changes, and a contact."""

    runs: Runs
    found: dict[int, tuple[list[Thing], Assignment]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.passes = Passes(self.runs, running(self.runs, both_ways=True))
        self._settling = Passes(self.runs, running(self.runs, both_ways=False))

    @cached_property
    def at_stake(self) -> Mapping[Thing, int]:
        """The columns and lists that may be another after the second pass, with the rules (a bitset) that change it."""
        found: dict[Thing, int] = {}
        for index in bits(self.passes.anew):
            for thing in self.runs.changes[index] - self.passes.kept:
                found[thing] = found.get(thing, 0) | 1 << index
        return dict(sorted(found.items(), key=lambda item: str(item[0])))

    def search(self, thing: Thing, writers: int, question: Question) -> Unknown | None:
        """Look for a contact on which the second pass changes something; return why that stays open."""
        runs = self.runs

        def visit(start: State, involved: tuple[int, ...], assignment: Assignment) -> bool:
            twice = self.passes.twice(involved, start)
            if twice is None or not self.passes.changed(thing, *twice):
                return False
            if not self._settling.settles(thing, involved, start):
                return False
            things, _ = self.found.setdefault(_first_other(runs, thing, *twice), ([], assignment))
            things.append(thing)
            return True

        among = deciding(runs, sum(1 << i for i, changed in enumerate(runs.changes) if thing in changed))
        region = Region(tuple(box for index in bits(writers) for box in self.passes.wide[index].boxes))
        likely = (found for index in bits(writers) for found in islice(self._likely(index), _TRIED))
        answer = self.passes.search(region, among, question, visit, likely)
        return answer if isinstance(answer, Unknown) else None

    def _likely(self, reader: int) -> Iterator[Assignment]:
        """Yield contacts on which a rule sets a column so that another one, which was not true, comes to be."""
        runs, steps, formula = self.runs, self.runs.steps, self.runs.formula
        members = runs.analysis.part(runs.rules[reader]).members
        writers = [i for i, given in enumerate(runs.given) if given & runs.reads[reader]]
        for writer in writers[:_ASKED]:
            others = [m for m in members if not any(runs.given[writer].intersection(a.axes) for a in atoms_of(m))]
            literals = [*reached(runs, writer), formula.literal(runs.rules[writer], "true")]
            literals += [-formula.literal(runs.rules[reader], "true"), *(formula.verdict_of(m)[0] for m in others)]
            # Whoever sets it behind the writer, or again in front of the reader, would be in the way.
            again = (i for i in writers if (i > writer or i < reader) and runs.overlapping[writer] >> i & 1)
            literals += [-runs.acts_literal(i) for i in again]
            if not formula.holds(literals):
                continue
            assignment = formula.assignment()
            if all(runs.analysis.axes[v].real >> position & 1 for v, position in assignment.items()):
                start = steps.start(self.passes.starts.scene_at(assignment))
                after = steps.step(writer, start, start).state
                if steps.step(reader, after, after).matched:
                    yield assignment


def _first_other(runs: Runs, thing: Thing, first: Trace, second: Trace) -> int:
    """Return the first rule that changes something and comes to another verdict in the second pass."""
    for index, changed in enumerate(runs.changes):
        one, other = first.steps.get(index), second.steps.get(index)
        verdicts = [step and step.verdict for step in (one, other)]
        if thing in changed and ((one is None) != (other is None) or verdicts[0] is not verdicts[1]):
            return index
    raise AssertionError("equal verdicts leave equal values")


def _finding(ctx: CheckContext, passes: Passes, index: int, things: Sequence[Thing], assignment: Assignment) -> Finding:
    rule = passes.runs.rules[index]

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        first, second = passes.outcomes(scene, 2)
        changed = not same_values(passes.put_back(scene, first), passes.put_back(scene, second))
        require(changed, "the witness does not show that the second pass changes it")
        return first, second

    names = [f"list {thing}" if isinstance(thing, str) else thing.name for thing in things]
    read = passes.runs.reads[index] - passes.kept
    writers = [r for r, given in zip(passes.runs.rules, passes.runs.given, strict=True) if given & read]
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'a second pass changes {" and ".join(names)} again: rule "{rule.name}" then comes to another verdict',
        details="\n".join(f'it reads what "{w.name}" sets: {w.path}:{w.name_span.line}' for w in writers[:_NAMED]),
        rules=(rule.name,),
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
    options={"budget": 2000},
)
