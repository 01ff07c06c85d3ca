"""Whether the order of two rules matters: runs in which one of them is moved past the other, step by step.

Two rules that do not stand next to each other can be brought into the other order in two ways: the later one moves in
front of the earlier one, or the earlier one behind the later one. Either may also pass rules in between, with which it
need not get along, and that says nothing about the two. The order of the two matters on a contact where both ways
change the outcome.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dialproof.analysis.regions import meetings
from dialproof.analysis.space import Space
from dialproof.analysis.steps import given
from dialproof.cel.values import read_number, same_value
from dialproof.output.witness import flat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.analysis.answers import Answer, Question
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.steps import State, Trace
    from dialproof.outcome import Outcome

__all__ = ["moved", "same_result", "where_order_matters"]


def moved(runs: Runs, earlier: int, later: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return all rules with the later one moved in front of the earlier one, and with the earlier one behind it."""
    before, between = range(earlier), range(earlier + 1, later)
    after = range(later + 1, len(runs.rules))
    return (*before, later, earlier, *between, *after), (*before, *between, later, earlier, *after)


def where_order_matters(runs: Runs, earlier: int, later: int, question: Question) -> Answer:
    """Search a contact on which both rules act and the outcome changes whichever of the two is moved past the other."""
    involved = runs.involved((earlier, later), runs.affected(earlier, later))
    if runs.looked_at(involved) == runs.looked_at(range(len(runs.rules))):
        involved = tuple(range(len(runs.rules)))  # the others look at nothing else, and all pairs share their runs
    pair = _Pair(runs, involved, earlier, later)
    boxes = meetings([runs.reachable(earlier), runs.reachable(later)])
    return Space(runs, involved).search(boxes, question, pair.depends, (earlier, later))


class _Pair:
    def __init__(self, runs: Runs, rules: tuple[int, ...], earlier: int, later: int) -> None:
        self._steps, self._ends, self._rules = runs.steps, runs.ends, rules
        self._earlier, self._later = earlier, later
        self._between = [i for i in rules if earlier < i < later]
        self._after = [i for i in rules if i > later]

    def depends(self, first: State) -> bool:
        """Tell whether both rules act on a contact, and its outcome changes whichever of them is moved."""
        written = self._steps.as_written(self._rules, first)
        both = (written.steps.get(self._earlier), written.steps.get(self._later))
        if written.failed or not all(step is not None and step.acted for step in both):
            return False
        pair = (self._later, self._earlier)
        return self._changes(written, first, pair, ()) and self._changes(written, first, (), pair)

    def _changes(self, written: Trace, first: State, front: Sequence[int], back: Sequence[int]) -> bool:
        """Tell whether the outcome changes if the two rules run in front of, or behind, those between them."""
        state = self._same_steps(written, first, written.before[self._earlier], front)
        if state is not None and self._between:
            same = state == written.before[self._between[0]]  # then they do what they did
            state = written.before[self._later] if same else self._same_steps(written, first, state, self._between)
        state = None if state is None else self._same_steps(written, first, state, back)
        if state is None or self._ends[self._later]:
            return True
        for index in self._after:
            if state == written.before.get(index):
                return False
            step = self._steps.step(index, state, first)
            if not step.like(written.steps.get(index)):
                return True
            state = step.state
            if step.matched and self._ends[index]:
                break
        return not _same_state(state, written.state)

    def _same_steps(self, written: Trace, first: State, state: State, indices: Sequence[int]) -> State | None:
        """Return the state after some rules, None where one of them does not do what it did as written."""
        for index in indices:
            step = self._steps.step(index, state, first)
            if not step.like(written.steps[index]):
                return None
            state = step.state
        return state


def same_result(one: Outcome, other: Outcome) -> bool:
    """Tell whether two runs come to the same: rules matched and undecided, dial, lists, columns; rounding aside."""
    if (one.failure is None) != (other.failure is None):
        return False
    if (set(one.matched), set(one.undecided), one.dial) != (set(other.matched), set(other.undecided), other.dial):
        return False
    first, second = dict(flat(one.contact)), dict(flat(other.contact))
    columns = all(_same(first.get(name), second.get(name)) for name in {**first, **second})
    return columns and dict(one.lists) == dict(other.lists)


def _same_state(one: State, other: State) -> bool:
    return one == other or all(_same(given(a), given(b)) for a, b in zip(one, other, strict=True))


def _same(one: object, other: object) -> bool:
    """Tell whether two values are the same, or numbers that only the order of additions has rounded otherwise."""
    if same_value(one, other):
        return True
    first, second = read_number(one), read_number(other)
    if first is None or second is None or first == second:
        return False
    return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)
