"""Questions about whole runs of one category: which rules act together, and on which contact something happens.

A rule's conditions alone do not say whether it acts: an earlier rule may write a column that it reads, or end the run.
Where no such rule can reach it, regions decide. Else every combination of cells of the columns involved is run,
with the rules that can interfere and no others (the rest cannot change what is asked), within a budget.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown, acted
from dialproof.analysis.campaign import atoms_of
from dialproof.analysis.contradictions import contradicting
from dialproof.analysis.order import Order
from dialproof.analysis.pairs import bits, overlapping_regions, overlaps
from dialproof.analysis.regions import Region, intersect
from dialproof.analysis.witness import scene_of
from dialproof.cel.values import Variable
from dialproof.evaluate import Evaluator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.analysis.domain import Want
    from dialproof.analysis.regions import Box
    from dialproof.analysis.witness import Scene
    from dialproof.model.rules import Category
    from dialproof.outcome import Outcome

__all__ = ["Runs"]

_EXAMPLES = 2_000
"""Contacts on which the verdict of one rule is looked at where cells do not decide it."""
_CHEAP = 8
"""Boxes whose representative is tried before anything else."""

Assignment: TypeAlias = "dict[Variable, int]"


class Runs(Order):
    """The enabled rules of one category in execution order, and what can be said of their runs."""

    def __init__(self, analysis: CampaignAnalysis, category: Category) -> None:
        super().__init__(analysis, category)
        self.names = {rule.name: index for index, rule in enumerate(self.rules)}
        self._known_runs: dict[tuple[tuple[Variable, int], ...], int] = {}
        self._outcomes: list[tuple[Scene, Outcome]] = []
        self._acted = [0] * len(self.rules)
        self._answers: dict[tuple[int, int, int], Answer] = {}
        self._evaluators: dict[tuple[int, ...], Evaluator] = {}

    # Regions of what a rule acts on.

    def acting(self, index: int) -> Region:
        """Return the contacts on which a rule acts if no other rule interferes."""
        met = self.analysis.semantics.undecided == "met"
        return self.analysis.region(self.rules[index], "not false" if met else "true")

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
        want: Want = "not false" if self.analysis.semantics.undecided == "met" else "true"
        return self.analysis.region_of(self.analysis.part(self.rules[index]), want, written)

    # Pairs.

    @cached_property
    def contradicting(self) -> list[int]:
        """For each rule the bitset of rules whose actions contradict its own."""
        return contradicting(self.rules)

    @cached_property
    def overlapping(self) -> list[int]:
        """For each rule the bitset of rules that may act on a common contact (writes taken into account)."""
        return overlapping_regions([self.reachable(i) for i in range(len(self.rules))])

    @cached_property
    def covering(self) -> list[int]:
        """For each rule the bitset of the earlier rules that end the run and hold on all contacts it acts on."""
        # The k-th box outside of a rule has the bit k * count + rule, so that hits fold to rules by shifting.
        count = len(self.rules)
        outside = [self.not_acting(i).boxes if ends else () for i, ends in enumerate(self.ends)]
        layers = max(map(len, outside), default=0)
        boxes = [each[k] if k < len(each) else {} for k in range(layers) for each in outside]
        present = sum(1 << k * count + i for i, each in enumerate(outside) for k in range(len(each)))
        owners = [i for i in range(count) for _ in self.acting(i).boxes]
        asked = [box for i in range(count) for box in self.acting(i).boxes]
        missed = [0] * count
        for owner, found in zip(owners, overlaps(asked, boxes) if layers else [0] * len(asked), strict=True):
            hits = found & present
            while hits:
                missed[owner] |= hits & ((1 << count) - 1)
                hits >>= count
        enders = sum(1 << i for i, ends in enumerate(self.ends) if ends)
        return [enders & ((1 << i) - 1) & ~missed[i] if self.acting(i).boxes else 0 for i in range(count)]

    # Running.

    def scene_at(self, assignment: Mapping[Variable, int]) -> Scene:
        """Return the contact of a cell of each variable, the usual one where none is given."""
        axes = self.analysis.axes
        chosen = [(v, axis.cells[assignment.get(v, axis.pick(axis.full))]) for v, axis in axes.items()]
        return scene_of(chosen, self.analysis.columns, self.analysis.campaign.contact_list.columns)

    def scene(self, box: Box) -> Scene | None:
        """Return a contact of a box, None where only cells without a representative are left."""
        found = self._assign(box)
        return None if found is None else self.scene_at(found)

    def _assign(self, box: Box) -> Assignment | None:
        assignment: Assignment = {}
        for variable, mask in box.items():
            position = self.analysis.axes[variable].pick(mask)
            if position < 0:
                return None
            assignment[variable] = position
        return assignment

    def run(self, scene: Scene, evaluator: Evaluator | None = None, *, without: tuple[str, ...] = ()) -> Outcome:
        """Run all rules (or those of another evaluator) over a contact."""
        evaluator = evaluator or self.analysis.evaluator
        return evaluator.run(
            scene.contact, category=self.category, context=scene.context, now=scene.now, without=without
        )

    def run_box(self, box: Box) -> tuple[Scene, Outcome] | None:
        """Run a representative of a box (remembered), None where the box has none."""
        assignment = self._assign(box)
        return None if assignment is None else self._outcomes[self._remembered(assignment)]

    def _remembered(self, assignment: Assignment) -> int:
        key = tuple(sorted(assignment.items()))
        if key not in self._known_runs:
            scene = self.scene_at(assignment)
            outcome = self.run(scene)
            number = self._known_runs[key] = len(self._outcomes)
            self._outcomes.append((scene, outcome))
            if outcome.failure is None:
                for name in acted(outcome):
                    self._acted[self.names[name]] |= 1 << number
        return self._known_runs[key]

    def evaluator_of(self, indices: tuple[int, ...]) -> Evaluator:
        """Return an evaluator of some of the rules; the whole one where they are most of it."""
        if len(self.rules) <= 40 or 2 * len(indices) > len(self.rules):
            return self.analysis.evaluator
        if indices not in self._evaluators:
            rules = tuple(self.rules[i] for i in indices)
            self._evaluators[indices] = Evaluator(
                replace(self.analysis.campaign, rules=rules, invariants=()), self.analysis.semantics
            )
        return self._evaluators[indices]

    def example(self, index: int, region: Region, accept: Callable[[bool | None], bool]) -> Scene | None:
        """Return a contact of ``region`` on which the rule's verdict (on the contact as it is given) is accepted."""
        rule = self.rules[index]
        evaluator = self.evaluator_of((index,))
        tried = 0
        for box in region.boxes:
            choices, _ = self.choices(sorted(self.reads[index]), box)
            for combination in product(*choices):
                tried += 1
                if tried > _EXAMPLES:
                    return None
                scene = self.scene_at(dict(zip(sorted(self.reads[index]), combination, strict=True)))
                if accept(evaluator.verdicts(scene.contact, context=scene.context, now=scene.now)[rule.name]):
                    return scene
        return None

    def choices(self, variables: Sequence[Variable], box: Box) -> tuple[list[list[int]], str]:
        """Return the cells of each variable inside a box that have a representative, the most usual one first.

        The text says why they do not stand for all values, and is empty where they do.
        """
        result, reason = [], ""
        for variable in variables:
            axis = self.analysis.axes[variable]
            mask = box.get(variable, axis.full)
            if mask & ~axis.real:
                reason = reason or f"no finite set of values stands for all of {variable.name}"
            first = axis.pick(mask)
            others = axis.positions(mask & axis.real & ~(1 << first)) if first >= 0 else []
            result.append([first, *others] if first >= 0 else [])
        return result, reason

    # Searching.

    def both_act(self, one: int, other: int, budget: int = BUDGET) -> Answer:
        """Search a contact on which both rules act in one run of all rules."""
        together = self._acted[one] & self._acted[other]
        if together:
            self.analysis.decided["cells"] += 1
            return Found(*self._outcomes[next(bits(together))])
        if self.ends[min(one, other)]:
            self.analysis.decided["cells"] += 1
            return Nowhere()
        key = (one, other, budget)
        if key not in self._answers:
            names = {self.rules[one].name, self.rules[other].name}
            self._answers[key] = self.search((one, other), lambda _, outcome: names <= acted(outcome), budget)
        return self._answers[key]

    def acts(self, index: int, budget: int = BUDGET) -> Answer:
        """Search a contact on which the rule acts in a run of all rules."""
        if self._acted[index]:
            self.analysis.decided["cells"] += 1
            return Found(*self._outcomes[next(bits(self._acted[index]))])
        name = self.rules[index].name
        return self.search((index,), lambda _, outcome: name in acted(outcome), budget)

    def search(
        self, targets: tuple[int, ...], predicate: Callable[[Scene, Outcome], bool], budget: int = BUDGET
    ) -> Answer:
        """Search a contact whose run of all rules satisfies ``predicate``.

        It may only look at whether the targets and rules in front of them act, and has to fail where a target does not.
        """
        region = self._together(self.acting, targets)
        for box in region.boxes[:_CHEAP]:
            found = self.run_box(box)
            if found is not None and found[1].failure is None and predicate(*found):
                self.analysis.decided["cells"] += 1
                return Found(*found)
        wide = self._together(self.reachable, targets)
        if not wide.boxes:
            self.analysis.decided["cells"] += 1
            return Nowhere()
        answer = self._enumerate(targets, wide, predicate, budget)
        if not isinstance(answer, Unknown):
            self.analysis.decided["enumeration"] += 1
        return answer

    def _together(self, region_of: Callable[[int], Region], targets: tuple[int, ...]) -> Region:
        region = Region(({},))
        for target in targets:
            region = intersect(region, region_of(target))
        return region

    def _enumerate(
        self, targets: tuple[int, ...], region: Region, predicate: Callable[[Scene, Outcome], bool], budget: int
    ) -> Answer:
        involved = self.involved(targets)
        evaluator = self.evaluator_of(involved)
        variables = sorted(frozenset[Variable]().union(*(self.reads[i] for i in involved)))
        written = frozenset[Variable]().union(*(self.writes[i] for i in involved))
        reason = region.reason or next((r for i in involved if (r := self.acting(i).reason)), "")
        axes = self.analysis.axes
        timed = {
            Variable("contact", str(a.fields["attribute"]))
            for i in involved
            for a in self.rules[i].actions
            if a.type == "setAttribute" and a.fields.get("option") == "CURRENT_TIME"
        }
        tried = 0
        for box in region.boxes:
            choices: list[list[int]] = []
            for variable in variables:
                axis = axes[variable]
                mask = box.get(variable, axis.full)
                if mask & ~axis.real:
                    reason = reason or f"no finite set of values stands for all of {variable.name}"
                if variable in timed and not axis.relative:
                    reason = reason or f"what {variable.name} holds after CURRENT_TIME depends on the time of the call"
                if not axis.stable and variable in written:
                    reason = reason or f"counting {variable.name} up and down gives too many cases"
                choices.append(self._distinct(variable, mask & axis.real, involved, merge=variable not in written))
            for combination in product(*choices):
                if tried >= budget:
                    return Unknown(f"not decided within {budget} runs")
                tried += 1
                assignment = dict(zip(variables, combination, strict=True))
                scene = self.scene_at(assignment)
                outcome = self.run(scene, evaluator)
                if outcome.failure is None and predicate(scene, outcome):
                    scene, outcome = self._outcomes[self._remembered(assignment)]
                    if outcome.failure is None and predicate(scene, outcome):
                        return Found(scene, outcome)
                    reason = reason or "a run of all rules ends in a failure"
        return Unknown(reason) if reason else Nowhere()

    def _distinct(self, variable: Variable, mask: int, involved: Sequence[int], *, merge: bool) -> list[int]:
        """Return one cell for each combination of verdicts of the rules involved, all cells where a rule writes."""
        axis = self.analysis.axes[variable]
        positions = axis.positions(mask)
        if not merge:
            return positions
        texts = {a.text for i in involved for a in atoms_of(self.analysis.part(self.rules[i])) if a.axes == (variable,)}
        masks = [m for text in sorted(texts) for m in axis.verdicts[text][:2]]
        groups: dict[tuple[int, ...], int] = {}
        usual = axis.usual
        for position in sorted(positions, key=lambda p: not usual >> p & 1):
            groups.setdefault(tuple(m >> position & 1 for m in masks), position)
        return list(groups.values())
