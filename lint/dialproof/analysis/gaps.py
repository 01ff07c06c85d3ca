"""Contacts that no rule decides: the widest boxes of them, one after the other until none is left."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from operator import xor
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Found, Unknown
from dialproof.analysis.pairs import bits, stretches
from dialproof.analysis.sat import Formula

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.analysis.regions import Box
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.cel.values import Variable

__all__ = ["Gap", "Gaps", "find_gaps", "undecided_gaps"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A box that no rule reaches and that cannot be made wider, with a contact of it."""

    box: Box
    shown: Found


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps, the widest first; together they hold every contact that is left over unless ``open`` says why not."""

    found: tuple[Gap, ...]
    open: Unknown | None = None


def find_gaps(runs: Runs, limit: int) -> Gaps:
    """Return boxes of contacts on which the conditions of every rule are false, at most ``limit`` of them."""
    formula = Formula(runs)
    wanted = [formula.literal(rule, "false") for rule in runs.rules]
    names = [rule.name for rule in runs.rules]
    evaluator = runs.analysis.evaluator

    def left_over(assignment: Assignment) -> bool:
        scene = runs.scene_at(assignment)
        verdicts = evaluator.verdicts(scene.contact, context=scene.context, now=scene.now)
        return all(verdicts[name] is False for name in names)

    boxes = [box for rule in runs.rules for box in runs.analysis.region(rule, "not false").boxes]
    widen = _Widening(runs, boxes)
    found: list[Gap] = []
    problem: Unknown | None = None
    while len(found) < limit:
        answer = formula.search(wanted, left_over)
        if not isinstance(answer, Found):
            problem = answer if isinstance(answer, Unknown) else None
            break
        box = widen.around(answer.assignment)
        found.append(Gap(box, answer))
        if not box:
            break  # everybody
        formula.exclude(box)
    else:
        problem = Unknown(f"there are more than {limit} separate regions", "budget")
    found.sort(key=lambda gap: widen.size(gap.box), reverse=True)
    return Gaps(tuple(found), problem)


def undecided_gaps(runs: Runs) -> tuple[list[tuple[int, Found]], Unknown | None]:
    """Return each rule that is undecided on a contact which no rule matches, with such a contact."""
    formula = runs.formula
    names = [rule.name for rule in runs.rules]
    evaluator = runs.analysis.evaluator
    unmatched = [formula.literal(rule, "not true") for rule in runs.rules]
    found: list[tuple[int, Found]] = []
    problem: Unknown | None = None
    for index, rule in enumerate(runs.rules):

        def left_over(assignment: Assignment, name: str = rule.name) -> bool:
            scene = runs.scene_at(assignment)
            verdicts = evaluator.verdicts(scene.contact, context=scene.context, now=scene.now)
            return verdicts[name] is None and not any(verdicts[other] for other in names)

        answer = formula.search([*unmatched, formula.literal(rule, "not false")], left_over)
        if isinstance(answer, Found):
            found.append((index, answer))
        elif isinstance(answer, Unknown):
            problem = problem or answer
    return found, problem


class _Widening:
    """Makes boxes wider as long as they share no contact with any box of the rules."""

    def __init__(self, runs: Runs, boxes: Sequence[Box]) -> None:
        self._axes = runs.analysis.axes
        self._boxes = boxes
        self._holding: Mapping[Variable, list[int]] = {v: self._by_cell(v) for v in {v for box in boxes for v in box}}
        self._free = {v: sum(1 << i for i, box in enumerate(boxes) if v not in box) for v in self._holding}

    def _by_cell(self, variable: Variable) -> list[int]:
        """Return for each cell of an axis the bitset of the boxes that hold it."""
        changes = [0] * (len(self._axes[variable].cells) + 1)
        for index, box in enumerate(self._boxes):
            for start, end in stretches(box.get(variable, 0)):
                changes[start] ^= 1 << index
                changes[end] ^= 1 << index
        return list(accumulate(changes, xor))[:-1]

    def around(self, assignment: Assignment) -> Box:
        """Return a box around a contact; a column that can hold anything is left out."""
        masks = {v: 1 << assignment[v] for v in self._holding}
        reached = {v: self._free[v] | self._holding[v][assignment[v]] for v in masks}
        hard = sorted(masks, key=lambda v: (reached[v].bit_count(), v))
        for variable in hard:
            others = -1
            for other, found in reached.items():
                if other != variable:
                    others &= found
            axis = self._axes[variable]
            if others & self._free[variable]:
                continue  # the contact itself is in a box that only contains a region: it stays alone
            mask = sum(1 << p for p, held in enumerate(self._holding[variable]) if not held & others)
            masks[variable] |= mask
            for position in bits(mask):
                reached[variable] |= self._holding[variable][position]
            if masks[variable] == axis.full:
                del masks[variable]
        return masks

    def size(self, box: Box) -> tuple[int, float]:
        """Return how wide a box is: by the columns that it leaves free, then by its part of the cells."""
        share = 1.0
        for variable, mask in box.items():
            share *= mask.bit_count() / len(self._axes[variable].cells)
        return -len(box), share
