"""Rules that never act although contacts meet their conditions, and the earlier rules that are the reason."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dialproof.analysis.answers import Found, Unknown
from dialproof.analysis.pairs import bits
from dialproof.analysis.space import Space

if TYPE_CHECKING:
    from collections.abc import Collection

    from dialproof.analysis.answers import Answer, Budget, Question
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.steps import State

__all__ = ["Cover", "Covers"]

_ROUNDS = 400
"""Sets of rules that are tried for the smallest one."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A smallest set of earlier rules that together keep a rule from acting, and a contact that it matches.

    ``smallest`` is False where no smaller set was looked for any more; no rule of the set can be left out even then.
    """

    rules: tuple[int, ...]
    shown: Found | None
    smallest: bool = True


_Result: TypeAlias = "Cover | Unknown | None"


class Covers:
    """For each rule of one category the cover that keeps it from acting, if there is one."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._known: dict[int, _Result] = {}

    def of(self, index: int, budget: Budget) -> _Result:
        """Return why a rule never acts; None where it does, or where no contact meets its conditions."""
        if index not in self._known:
            result = self._found(index, budget)
            if isinstance(result, Unknown):  # with another budget it may be decided
                return result
            self._known[index] = result
        return self._known[index]

    def _found(self, index: int, budget: Budget) -> _Result:
        runs = self._runs
        if not runs.acting(index).boxes:
            return None
        in_front = (1 << index) - 1
        static = runs.is_static((index,))
        if static and (self._acting >> index & 1 or not runs.enders & in_front):
            runs.analysis.decided["cells"] += 1
            return None
        sure = runs.covering[index] & ~runs.written
        if static and sure:
            runs.analysis.decided["cells"] += 1
            return Cover((next(bits(sure)),), runs.shown_on(runs.acting(index)))
        answer = self._acts(index) if static else runs.acts(index, budget.question())
        if isinstance(answer, Unknown):
            return answer
        if isinstance(answer, Found):
            return None
        if sure:
            return Cover((next(bits(sure)),), runs.shown_on(runs.acting(index)))
        return self._together(index) if static else self._in_the_way(index, budget.question())

    def _in_front(self, index: int) -> tuple[int, ...]:
        """Return the rules that may end the run in front of a rule on a contact of it."""
        runs = self._runs
        return tuple(bits(runs.overlapping[index] & runs.enders & ((1 << index) - 1)))

    def _acts(self, index: int) -> Answer:
        """Search a contact on which a rule that no other can reach acts (where undecided counts as met: or is that)."""
        runs, rule, in_front = self._runs, self._runs.rules[index], self._in_front(index)
        literals = [runs.acts_literal(index), *(-runs.acts_literal(i) for i in in_front)]

        def acts(assignment: Assignment) -> bool:
            return rule.name in runs.run(runs.scene_at(assignment), order=(*in_front, index)).matched

        return runs.formula.search(literals, acts)

    @cached_property
    def _acting(self) -> int:
        """The rules (a bitset) that act on a contact on which no earlier one can end the run, as far as was tried."""
        runs = self._runs
        return sum(
            1 << index
            for index, points in runs.points.items()
            if any(not held & runs.enders & ((1 << index) - 1) for _, held in points)
        )

    def _together(self, index: int) -> Cover | None:
        """Return the smallest cover of a rule that no other can reach; every rule in front that ends the run counts.

        A cover holds a rule for every contact of the covered rule, so it is a smallest set that hits, for each
        contact, the rules that act on it: contacts that the best set so far misses are added until there is none.
        """
        from pysat.examples.hitman import Hitman

        runs, formula = self._runs, self._runs.formula
        target = runs.acts_literal(index)
        acts = {i: runs.acts_literal(i) for i in self._in_front(index)}
        core = [i for i, literal in acts.items() if -literal in formula.core]
        shown = runs.shown_on(runs.acting(index))
        with Hitman(solver="g4", htype="sorted") as hitting:
            for _ in range(_ROUNDS):
                chosen = hitting.get() or []
                if formula.holds([target, *(-acts[i] for i in chosen)]) is not True:
                    return Cover(tuple(sorted(chosen)), shown) if chosen else None
                met = formula.true_ones(acts.values())
                hitting.hit([i for i, literal in acts.items() if literal in met])
        return Cover(self._without_idle(target, acts, core), shown, smallest=False)

    def _without_idle(self, target: int, acts: dict[int, int], core: Collection[int]) -> tuple[int, ...]:
        """Return a part of a cover of which no rule can be left out."""
        kept = sorted(core) if core else sorted(acts)
        for rule in tuple(kept):
            fewer = [i for i in kept if i != rule]
            if self._runs.formula.holds([target, *(-acts[i] for i in fewer)]) is False:
                kept = fewer
        return tuple(kept)

    def _in_the_way(self, index: int, question: Question) -> _Result:
        """Return the rules that end the run, or make the verdict untrue, on the contacts that the rule matches."""
        runs = self._runs
        involved = runs.involved((index,))
        space = Space(runs, involved)
        met: dict[frozenset[int], None] = {}
        shown: Found | None = None
        for assignment in space.inside(runs.acting(index).boxes):
            spent = question.spend()
            if spent is not None:
                return spent
            first = None if assignment is None else runs.steps.start(runs.part_of(assignment))
            if assignment is None or first is None:
                continue
            trace = runs.steps.as_written(involved, first)
            if trace.failed and index in trace.steps:
                return None  # it is reached, and breaks the run
            if trace.failed:
                continue
            met[self._culprits(involved, first, index)] = None
            shown = shown or Found(runs, assignment)
        if space.open is not None:
            return space.open
        if not met or frozenset() in met:
            return None  # it breaks the run wherever it matches, or no single step turns its verdict
        common = frozenset.intersection(*met)
        if common:
            return Cover((max(common),), shown)
        from pysat.examples.hitman import Hitman

        with Hitman(bootstrap_with=[sorted(s) for s in met], solver="g4", htype="sorted") as hitting:
            return Cover(tuple(sorted(hitting.get())), shown)

    def _culprits(self, involved: tuple[int, ...], first: State, index: int) -> frozenset[int]:
        """Return the rules that end the run in front of a rule on one contact, or turn its verdict."""
        runs, steps = self._runs, self._runs.steps
        written, found = steps.as_written(involved, first), set[int]()
        for earlier, step in written.steps.items():
            if earlier >= index:
                break
            if step.matched and runs.ends[earlier]:
                found.add(earlier)
            elif runs.updated and step.state != written.before[earlier]:
                held = steps.step(index, written.before[earlier], first).matched
                if held and not steps.step(index, step.state, first).matched:
                    found.add(earlier)
        return frozenset(found)
