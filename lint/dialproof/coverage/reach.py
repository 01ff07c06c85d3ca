"""Whether some contact can meet a goal of coverage: one that does, the proof that none can, or neither."""

from __future__ import annotations

from itertools import chain, product
from math import prod
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Demand, Found, Nowhere
from dialproof.analysis.atoms import CLOCK, Junction
from dialproof.analysis.campaign import atoms_of
from dialproof.analysis.pairs import bits
from dialproof.analysis.space import Space
from dialproof.coverage.goals import Goal
from dialproof.model.rules import Group

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.analysis.answers import Answer, Question
    from dialproof.analysis.atoms import Part
    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.analysis.domain import Want
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.cel.values import Variable
    from dialproof.coverage.observe import Observer
    from dialproof.model.rules import Expression

__all__ = ["Reach"]

_COMBINATIONS = 4_096
"""Combinations of verdicts of one rule's conditions, beyond which a solver is asked."""
_HOLDS, _FAILS = Junction("all", ()), Junction("any", ())
"""A part that is true, and one that is false, on every contact."""


class Reach:
    """Searches contacts for goals; ``analysis`` is that of the observer's own evaluator."""

    def __init__(self, observer: Observer, analysis: CampaignAnalysis) -> None:
        self.observer, self.analysis = observer, analysis
        self._of_cells: dict[int, frozenset[int] | None] = {}

    def shows(self, goal: Goal, scene: Scene) -> bool:
        """Tell whether the run of a contact meets a goal; an action has only to run."""
        category = self.observer.decisions[goal.rule].rule.category
        met = self.observer.met(scene.contact, category=category, context=scene.context, now=scene.now)
        return bool(met >> self._number(goal) & 1)

    def _number(self, goal: Goal) -> int:
        return self.observer.goals.number[Goal(goal.rule, "matched") if goal.kind == "action" else goal]

    def by_cells(self, goal: Goal) -> bool | None:
        """Tell whether a goal can be met where no other rule matters and cells decide each condition; else None."""
        if goal.rule not in self._of_cells:
            self._of_cells[goal.rule] = self._possible(goal)
        possible = self._of_cells[goal.rule]
        return None if possible is None else self._number(goal) in possible

    def _possible(self, goal: Goal) -> frozenset[int] | None:
        """Return the goals, by number, that some combination of cells meets."""
        runs, index = self._place(goal)
        if not self._is_alone(runs, index):
            return None
        decision = self.observer.decisions[goal.rule]
        atoms = atoms_of(self.analysis.part(decision.rule))
        if len(atoms) != len(decision.conditions):  # some condition reads several columns
            return None
        of_axis: dict[Variable, list[int]] = {}
        for position, atom in enumerate(atoms):
            if len(atom.axes) != 1 or atom.axes[0] == CLOCK:
                return None
            of_axis.setdefault(atom.axes[0], []).append(position)
        choices = []
        for variable, positions in of_axis.items():
            axis = self.analysis.axes[variable]
            masks = [axis.verdicts(atoms[position].text) for position in positions]
            if axis.real != axis.full or any(unknown for _, _, unknown in masks):
                return None
            cells = range(len(axis.cells))
            choices.append({tuple(_verdict(mask, cell) for mask in masks) for cell in cells})
        if prod(map(len, choices)) > _COMBINATIONS:
            return None
        order = [position for positions in of_axis.values() for position in positions]
        possible: set[int] = set()
        for combination in product(*choices):
            verdicts = dict(zip(order, chain.from_iterable(combination), strict=True))
            possible.update(self.observer.shows(goal.rule, tuple(verdicts[k] for k in range(len(atoms)))))
        return frozenset(possible)

    @staticmethod
    def _is_alone(runs: Runs, index: int) -> bool:
        """Tell whether nothing but its own conditions decides what a run shows of a rule."""
        return runs.is_static((index,)) and not runs.enders & ((1 << index) - 1) and not any(runs.may_fail)

    def search(self, goal: Goal, question: Question) -> Answer:
        """Search a contact whose run meets a goal."""
        runs, index = self._place(goal)
        spent = question.spend()
        if spent is not None:
            return spent
        demands = list(self._demands(goal))
        shows = self._shows_alone if self._is_alone(runs, index) else self.shows
        verdicts = [runs.formula.verdict_of(part) for part, _ in demands]
        literals = [_literal(verdict, want) for verdict, (_, want) in zip(verdicts, demands, strict=True)]
        static = runs.is_static((index,))
        if static:
            literals += [-runs.acts_literal(i) for i in bits(runs.enders & ((1 << index) - 1))]
        answer = runs.formula.search(literals, lambda found: shows(goal, runs.scene_at(found)))
        if isinstance(answer, Found):
            return answer
        if not static:
            return self._among_all(goal, runs, index, question)
        if isinstance(answer, Nowhere):
            return answer
        asked = [Demand(part, want) for part, want in demands]
        return self.analysis.solver.settle(runs, asked, answer, lambda scene: shows(goal, scene))

    def _shows_alone(self, goal: Goal, scene: Scene) -> bool:
        """Tell the same of a rule that stands alone, without a run of all the others."""
        evaluator = self.observer.evaluator
        view = evaluator.view(scene.contact, context=scene.context, now=scene.now)
        leaves = self.observer.decisions[goal.rule].conditions
        verdicts = tuple(evaluator.leaf(leaf).verdict(view) for leaf in leaves)
        return self._number(goal) in self.observer.shows(goal.rule, verdicts)

    def _place(self, goal: Goal) -> tuple[Runs, int]:
        rule = self.observer.decisions[goal.rule].rule
        runs = self.analysis.runs(rule.category)
        return runs, runs.index(rule)

    def _demands(self, goal: Goal) -> Iterator[tuple[Part, Want]]:
        """Yield what has to hold of the rule's conditions, as the run finds them."""
        decision = self.observer.decisions[goal.rule]
        met = self.analysis.semantics.undecided == "met"
        if goal.kind in ("matched", "action"):
            yield self._part(decision.rule.conditions), "not false" if met else "true"
        elif goal.kind == "missed":
            yield self._part(decision.rule.conditions), "false"
        else:
            yield self.analysis.part_of(decision.conditions[goal.position]), "true" if "true" in goal.kind else "false"
        if goal.kind.startswith("decides"):
            inverted = decision.inverted[goal.position]
            yield self._part(decision.rule.conditions, (goal.position, _HOLDS)), "false" if inverted else "true"
            yield self._part(decision.rule.conditions, (goal.position, _FAILS)), "true" if inverted else "false"

    def _part(self, expressions: Sequence[Expression], fixed: tuple[int, Junction] | None = None) -> Junction:
        """Return conditions taken apart, with a fixed verdict in place of the one at a position."""
        count = 0

        def one(expression: Expression) -> Part:
            nonlocal count
            if isinstance(expression, Group):
                members = tuple(one(member) for member in expression.members)
                if expression.kind == "not":
                    return Junction("not", (Junction("all", members),))
                return Junction(expression.kind, members)
            count += 1
            return fixed[1] if fixed is not None and fixed[0] == count - 1 else self.analysis.part_of(expression)

        return Junction("all", tuple(one(expression) for expression in expressions))

    def _among_all(self, goal: Goal, runs: Runs, index: int, question: Question) -> Answer:
        """Run one contact for each way in which the rules can see it, where writes decide what the rule finds."""
        in_front = [i for i in range(index) if runs.enders >> i & 1]
        failing = [i for i, fails in enumerate(runs.may_fail) if fails]
        space = Space(runs, runs.with_writers({index, *in_front, *failing}))
        for assignment in space.inside([{}]):
            spent = question.spend()
            if spent is not None:
                return spent
            if assignment is not None and self.shows(goal, runs.scene_at(assignment)):
                return Found(runs, assignment)
        return space.open or Nowhere()


def _literal(verdict: tuple[int, int], want: Want) -> int:
    true, false = verdict
    return {"true": true, "false": false, "not true": -true, "not false": -false}[want]


def _verdict(masks: tuple[int, int, int], cell: int) -> bool | None:
    true, false, _ = masks
    return True if true >> cell & 1 else False if false >> cell & 1 else None
