"""Questions about whole runs of one category: which rules act together, and on which contact something happens.

A rule's conditions alone do not say whether it acts: an earlier rule may write a column that it reads, or end the run.
Where no such rule can reach it, regions decide. Else every combination of cells of the columns involved is run,
with the rules that can interfere and no others (the rest cannot change what is asked), within a budget.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Budget, Demand, Found, Nowhere, Unknown, acted
from dialproof.analysis.atoms import CLOCK
from dialproof.analysis.campaign import atoms_of
from dialproof.analysis.contradictions import contradicting
from dialproof.analysis.cover import Covers
from dialproof.analysis.order import Order
from dialproof.analysis.pairs import bits, sharing
from dialproof.analysis.regions import Region, meetings
from dialproof.analysis.space import Space
from dialproof.analysis.steps import Steps
from dialproof.analysis.witness import scene_of
from dialproof.cel.values import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dialproof.analysis.answers import Answer, Question
    from dialproof.analysis.atoms import Part
    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.analysis.domain import Want
    from dialproof.analysis.regions import Box
    from dialproof.analysis.sat import Formula
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.steps import State
    from dialproof.analysis.unrolled import Unrolled
    from dialproof.analysis.witness import Scene
    from dialproof.evaluate import Evaluator
    from dialproof.model.rules import Category, Rule
    from dialproof.outcome import Outcome

__all__ = ["Runs"]

_EXAMPLES = 5_000
"""Contacts on which the verdict of one rule is looked at where cells do not decide it."""
_POINTS = 4
"""Boxes of a rule of which contacts are looked at before anything is searched."""
_CHEAP = 8
"""Boxes whose representative is tried before anything else."""


class Runs(Order):
    """The enabled rules of one category in execution order, and what can be said of their runs."""

    def __init__(self, analysis: CampaignAnalysis, category: Category) -> None:
        super().__init__(analysis, category)
        names = Counter(rule.name for rule in self.rules)
        self._named = {rule.name: index for index, rule in enumerate(self.rules) if names[rule.name] == 1}
        self._seen: list[Assignment] = []
        self._acted = [0] * len(self.rules)
        self._answers: dict[tuple[int, ...], Answer] = {}
        self.steps = Steps(self)
        self.covers = Covers(self)

    # Regions of what a rule acts on.

    @cached_property
    def acts_when(self) -> Want:
        """What the verdict of a rule has to be for it to act."""
        return "not false" if self.analysis.semantics.undecided == "met" else "true"

    def acting(self, index: int) -> Region:
        """Return the contacts on which a rule acts if no other rule interferes."""
        return self.analysis.region(self.rules[index], self.acts_when)

    def not_acting(self, index: int) -> Region:
        """Return the contacts on which a rule does not act whatever the others do."""
        met = self.analysis.semantics.undecided == "met"
        return self.analysis.region(self.rules[index], "false" if met else "not true")

    def reachable(self, index: int) -> Region:
        """Return a region that holds every first contact on which the rule may act after writes of earlier rules."""
        written = self.written_before[index] & self.reads[index]
        if not written:
            return self.acting(index)
        # A written value may lie outside of the declared domain.
        return self.analysis.region_of(self.analysis.part(self.rules[index]), self.acts_when, written)

    # Pairs.

    @cached_property
    def contradicting(self) -> list[int]:
        """For each rule the bitset of rules whose actions contradict its own."""
        return contradicting(self.rules)

    @cached_property
    def overlapping(self) -> list[int]:
        """For each rule the bitset of rules that may act on a common contact (writes taken into account)."""
        reachable = [self.reachable(i) for i in range(len(self.rules))]
        return sharing(reachable, reachable)

    @cached_property
    def covering(self) -> list[int]:
        """For each rule the bitset of the earlier rules that end the run and hold on all contacts it acts on."""
        outside = [self.not_acting(i) if ends else Region(()) for i, ends in enumerate(self.ends)]
        missed = sharing([self.acting(i) for i in range(len(self.rules))], outside)
        return [
            self.enders & ((1 << i) - 1) & ~mask if self.acting(i).boxes else 0 for i, mask in enumerate(missed)
        ]  # fmt: skip

    @cached_property
    def exact(self) -> int:
        """The rules (a bitset) whose regions are exactly their contacts."""
        return sum(1 << i for i, rule in enumerate(self.rules) if self.analysis.is_exact(rule))

    @cached_property
    def formula(self) -> Formula:
        """The conditions of all rules, for questions about many of them at once."""
        from dialproof.analysis.sat import Formula

        return Formula(self)

    @cached_property
    def unrolled(self) -> Unrolled:
        """Whole runs, for questions about what rules do after others have written."""
        from dialproof.analysis.unrolled import Unrolled

        return Unrolled(self)

    @cached_property
    def points(self) -> Mapping[int, tuple[tuple[Assignment, int], ...]]:
        """For each exact rule a few contacts that it matches, each with the bitset of the rules that may act on it."""
        axes = self.analysis.axes
        asked: list[tuple[int, Box]] = []
        for index in bits(self.exact):
            for box in self.acting(index).boxes[:_POINTS]:
                masks = {v: box.get(v, axis.full) & axis.real for v, axis in axes.items()}
                asked += [(index, point) for point in self._corners(masks)] if all(masks.values()) else []
        found: dict[int, list[tuple[Assignment, int]]] = {}
        held = sharing([Region((point,)) for _, point in asked], [self.acting(i) for i in range(len(self.rules))])
        for (index, point), holding in zip(asked, held, strict=True):
            assignment = {v: mask.bit_length() - 1 for v, mask in point.items()}
            found.setdefault(index, []).append((assignment, holding))
        return {index: tuple(points) for index, points in found.items()}

    def _corners(self, masks: Box) -> Iterator[Box]:
        """Yield a usual contact of a box, the lowest and the highest one."""
        yield {v: 1 << self.analysis.axes[v].pick(mask) for v, mask in masks.items()}
        yield {v: mask & -mask for v, mask in masks.items()}
        yield {v: 1 << mask.bit_length() - 1 for v, mask in masks.items()}

    def acts_literal(self, index: int) -> int:
        """Return the literal "the rule acts" of a rule that no other reaches."""
        return self.formula.literal(self.rules[index], self.acts_when)

    def is_static(self, targets: Iterable[int]) -> bool:
        """Tell whether nothing that is written or breaks the run decides if some rules act: only conditions do."""
        chosen = sum(1 << t for t in targets)
        in_front = (1 << chosen.bit_length()) - 1
        return not (self.written & (chosen | self.enders & in_front) or self._failing & in_front)

    @cached_property
    def joined(self) -> tuple[frozenset[Variable], ...]:
        """The axes that some condition of each rule reads together."""
        together = ([a.axes for a in atoms_of(self.analysis.part(r)) if len(a.axes) > 1] for r in self.rules)
        return tuple(frozenset[Variable]().union(*axes) for axes in together)

    @cached_property
    def unclear(self) -> tuple[Unknown | None, ...]:
        """Why combinations of cells do not stand for all contacts as each rule sees them, None where they do."""
        parts = map(self.analysis.part, self.rules)
        return tuple(None if self.enumerable(part) else self.acting(i).open for i, part in enumerate(parts))

    def enumerable(self, part: Part) -> bool:
        """Tell whether conditions have one verdict on each combination of cells.

        A condition over several columns has one where their cells are single values: all combinations are all there is.
        """
        axes = self.analysis.axes
        for atom in atoms_of(part):
            if CLOCK in atom.axes or (atom.program is not None and atom.program.every_column):
                return False
            if len(atom.axes) > 1 and not all(axes[v].single for v in atom.axes):
                return False
        return True

    @cached_property
    def _breakers(self) -> int:
        """The rules (a bitset) that may end the run or break it."""
        return self.enders | self._failing

    @cached_property
    def _failing(self) -> int:
        return sum(1 << i for i, fails in enumerate(self.may_fail) if fails)

    def involved(self, targets: Iterable[int], among: Iterable[int] = ()) -> tuple[int, ...]:
        """Return the rules that decide whether the targets act in a run that does not fail.

        They are the targets, those in front that may end the run, those that may fail, and those that write what one
        of them reads or counts. ``among`` are further rules whose verdicts matter where all of the targets act. A rule
        that shares no contact with a target does not act where that one does.
        """
        near = -1
        for target in targets:
            near &= self.overlapping[target]
        found = {*targets, *among}
        if self.quiet:
            return tuple(sorted(found))
        last = max(found)
        found |= {i for i in bits(near & self._breakers) if self.may_fail[i] or i < last}
        return self.with_writers(found)

    def with_writers(self, rules: Iterable[int]) -> tuple[int, ...]:
        """Return some rules and those in front that decide what they find: what they read, and what they count."""
        found = set(rules)
        last = max(found, default=0)
        read = self.looked_at(found)
        counted = frozenset[Variable]().union(*(self.counts[i] for i in found if self.may_fail[i]))
        grown = True
        while grown:
            grown = False
            for index in range(last):
                if index not in found and (self.writes[index] & read or self.sets[index] & counted):
                    found.add(index)
                    read |= self.reads[index]
                    grown = True
        return tuple(sorted(found))

    # Contacts and runs.

    def scene_at(self, assignment: Mapping[Variable, int]) -> Scene:
        """Return the contact of a cell of each variable, a usual value of its domain in every other column.

        Every search looks at this contact too, so that what it finds is what is shown.
        """
        axes = self.analysis.axes
        cells = {**self.analysis.usual, **{v: axes[v].cells[p] for v, p in assignment.items()}}
        return scene_of(cells.items(), self.analysis.columns, self.analysis.campaign.contact_list.columns)

    def representative(self, box: Box) -> Assignment | None:
        """Return a usual cell of a box on each axis, None where only cells without a representative are left."""
        assignment: Assignment = {}
        for variable, mask in box.items():
            position = self.analysis.axes[variable].pick(mask)
            if position < 0:
                return None
            assignment[variable] = position
        return assignment

    def shown_on(self, region: Region) -> Found | None:
        """Return a contact of a region, None where none of its boxes has a representative."""
        found = next((a for box in region.boxes if (a := self.representative(box)) is not None), None)
        return None if found is None else Found(self, found)

    def evaluator_of(self, rules: Sequence[Rule]) -> Evaluator:
        """Return an evaluator of some rules, in the order given."""
        return self.analysis.evaluator.of(rules)

    @cached_property
    def whole(self) -> Evaluator:
        """The evaluator of all of these rules."""
        return self.evaluator_of(self.rules)

    def run(self, scene: Scene, *, order: Sequence[int] | None = None, without: Sequence[Rule] = ()) -> Outcome:
        """Run all rules over a contact, in their own order or the one given."""
        evaluator = self.whole
        if order is not None or without:
            rules = [self.rules[i] for i in (range(len(self.rules)) if order is None else order)]
            evaluator = self.evaluator_of([r for r in rules if not any(r is other for other in without)])
        return evaluator.run(scene.contact, category=self.category, context=scene.context, now=scene.now)

    def meets(self, index: int, want: Want, otherwise: Unknown) -> Answer:
        """Search a contact on which the rule's conditions are as wanted, on the contact as it is given.

        ``otherwise`` says why it is open where none was found although no condition is out of the ordinary.
        """
        rule = self.rules[index]
        region = self.analysis.region(rule, want)
        if not region.boxes:
            return Nowhere()
        assignments = (self.representative(box) for box in region.boxes)
        shown = next((a for a in assignments if a is not None), None) if region.open is None else None
        if shown is not None:
            return Found(self, shown)
        wanted = {"true": (True,), "false": (False,), "not true": (False, None), "not false": (True, None)}[want]
        evaluator = self.evaluator_of([rule])

        def shows(scene: Scene) -> bool:
            return evaluator.verdicts(scene.contact, context=scene.context, now=scene.now)[rule.name] in wanted

        space = Space(self, (index,), updated=False)
        for number, assignment in enumerate(space.inside(region.boxes)):
            if number == _EXAMPLES:
                break
            if assignment is not None and shows(self.scene_at(assignment)):
                return Found(self, assignment)
        else:
            if space.open is None:
                return Nowhere()
        demand = Demand(self.analysis.part(rule), want)
        return self._solved([demand], space.open or region.open or otherwise, shows)

    # Searching.

    def both_act(self, one: int, other: int, question: Question | None = None) -> Answer:
        """Search a contact on which both rules act in one run of all rules."""
        if self.ends[min(one, other)]:
            self.analysis.decided["cells"] += 1
            return Nowhere()
        return self._searched((one, other), question)

    def acts(self, index: int, question: Question | None = None) -> Answer:
        """Search a contact on which the rule acts in a run of all rules."""
        return self._searched((index,), question)

    def _searched(self, targets: tuple[int, ...], question: Question | None) -> Answer:
        answer = self._answers.get(targets) or self._already(targets)
        if answer is None:
            answer = self._search(targets, question or Budget().question())
            if not isinstance(answer, Unknown):  # with another budget it may be decided
                self._answers[targets] = answer
        return answer

    def _already(self, targets: tuple[int, ...]) -> Answer | None:
        """Return a contact of an earlier question that answers this one too."""
        together = -1
        for target in targets:
            together &= self._acted[target]
        if not together:
            return None
        self.analysis.decided["cells"] += 1
        return Found(self, self._seen[next(bits(together))])

    def _search(self, targets: tuple[int, ...], question: Question) -> Answer:
        involved = self.involved(targets)
        for box in islice(meetings([self.acting(t) for t in targets]), _CHEAP):
            assignment = self.representative(box)
            if assignment is not None and self._all_act(targets, involved, assignment):
                self.analysis.decided["cells"] += 1
                return Found(self, assignment)
        wide = [self.reachable(t) for t in targets]
        if next(meetings(wide), None) is None:
            self.analysis.decided["cells"] += 1
            return Nowhere()

        def all_act(state: State) -> bool:
            trace = self.steps.as_written(involved, state)
            return not trace.failed and all(t in trace.steps and trace.steps[t].acted for t in targets)

        if self.is_static(targets):
            near = self.enders & ((1 << max(targets)) - 1) & ~sum(1 << t for t in targets)
            for target in targets:
                near &= self.overlapping[target]
            literals = [self.formula.literal(self.rules[t], "true") for t in targets]
            literals += [-self.acts_literal(i) for i in bits(near)]
        else:
            literals = [self.unrolled.acts(t) for t in targets]
            literals += self.unrolled.unbroken() if self._failing else []
        answer = self.formula.search(literals, lambda found: self._all_act(targets, involved, found))
        if not isinstance(answer, Unknown):
            return answer
        return Space(self, involved).search(meetings(wide), question, all_act, targets)

    def settled(self, targets: Sequence[int], why: Unknown, shows: Callable[[Scene], bool]) -> Answer:
        """Return what a solver says of the contacts on which ``targets`` act, where cells leave it open."""
        if all(self.exact >> t & 1 for t in targets):
            return why
        met = self.analysis.semantics.undecided == "met"
        demands = [
            Demand(
                self.analysis.part(self.rules[t]),
                "not false" if met else "true",
                self.written_before[t] & self.reads[t],
            )
            for t in targets
        ]
        return self._solved(demands, why, shows)

    def refuted(self, parts: Sequence[Part], why: Unknown | None) -> bool:
        """Tell whether a solver proves that conditions hold together on no contact, where ``why`` says what is open."""
        if why is None:
            return False
        demands = [Demand(part, "true") for part in parts]
        return isinstance(self.analysis.solver.settle(self, demands, why, lambda _: False), Nowhere)

    def _solved(self, demands: Sequence[Demand], why: Unknown, shows: Callable[[Scene], bool]) -> Answer:
        answer = self.analysis.solver.settle(self, demands, why, shows)
        if not isinstance(answer, Unknown):
            self.analysis.decided["smt"] += 1
        return answer

    def _decided_by_cells(self, targets: tuple[int, ...]) -> bool:
        """Tell whether each rule acts wherever its region has a representative, whatever the others do."""
        if self.analysis.semantics.undecided == "met" or any(self.may_fail[t] for t in targets):
            return False  # then regions hold contacts that are undecided too
        read = self.looked_at(targets)
        if any(v in self.analysis.axes and not self.analysis.axes[v].real for v in read):
            return False  # no value of a column is known, and without one the contact is another
        return not any(self.writes[t] & read or self.acting(t).open is not None for t in targets)

    def part_of(self, assignment: Assignment) -> Scene:
        """Return a contact that has the columns given and no others."""
        axes = self.analysis.axes
        cells = [(v, axes[v].cells[p]) for v, p in assignment.items()]
        return scene_of(cells, self.analysis.columns, self.analysis.campaign.contact_list.columns)

    def _all_act(self, targets: tuple[int, ...], involved: tuple[int, ...], assignment: Assignment) -> bool:
        """Run a contact; where rules can reach each other all of them, so that it may answer other questions too."""
        if involved == targets:
            if self._decided_by_cells(targets):
                return True
            scene = self.scene_at(assignment)
            evaluator = self.evaluator_of([self.rules[t] for t in targets])
            outcome = evaluator.run(scene.contact, category=self.category, context=scene.context, now=scene.now)
            return outcome.failure is None and len(acted(outcome)) == len(targets)
        few = 4 * len(involved) < len(self.rules)
        outcome = self.run(self.scene_at(assignment), order=involved if few else None)
        if outcome.failure is not None:
            return False
        # Of rules with one name (DP305) an outcome does not tell which of them acted; a search by steps does.
        indices = {self._named[name] for name in acted(outcome) if name in self._named}
        if not few:
            for index in indices:
                self._acted[index] |= 1 << len(self._seen)
            self._seen.append(assignment)
        return indices.issuperset(targets)
