"""Whether anything is different for any contact if a rule is removed."""

from __future__ import annotations

from functools import cached_property, reduce
from operator import and_, or_
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Found, Nowhere, Unknown
from dialproof.analysis.effects import effects_of, results
from dialproof.analysis.order import counts
from dialproof.analysis.pairs import bits, sharing
from dialproof.analysis.regions import intersect
from dialproof.analysis.sat import Formula
from dialproof.analysis.space import Space

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from dialproof.analysis.answers import Answer, Budget, Question
    from dialproof.analysis.effects import Write
    from dialproof.analysis.regions import Region
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.model.rules import Rule

__all__ = ["Removal"]


class Removal:
    """Questions about leaving rules of one category out; ``gone`` (a bitset) are those that are left out already."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self.gone = 0

    @cached_property
    def _counted(self) -> frozenset[Hashable]:
        actions = (action for rule in self._runs.rules for action in rule.actions if counts(action))
        return frozenset(what for action in actions for _, what in effects_of(action))

    @cached_property
    def _does(self) -> tuple[frozenset[Write], ...]:
        """What each rule does in the end: of several writes to one thing the last."""
        return tuple(
            frozenset(dict(e for a in rule.actions for e in effects_of(a)).items()) for rule in self._runs.rules
        )

    @cached_property
    def _writers(self) -> Mapping[tuple[Hashable, ...], int]:
        found: dict[tuple[Hashable, ...], int] = {}
        for index, effects in enumerate(self._does):
            for thing, _ in effects:
                found[thing] = found.get(thing, 0) | 1 << index
        return found

    @cached_property
    def _doers(self) -> Mapping[Write, int]:
        found: dict[Write, int] = {}
        for index, effects in enumerate(self._does):
            for effect in effects:
                found[effect] = found.get(effect, 0) | 1 << index
        return found

    def is_candidate(self, index: int) -> bool:
        """Tell whether it may be that nothing is different without the rule, as far as can be seen at once."""
        runs = self._runs
        if any(a.type == "dataAction" for a in runs.rules[index].actions):
            return False
        near = runs.overlapping[index] & ~(1 << index) & ~self.gone
        behind = -1 << index + 1
        for effect in self._does[index]:
            again = 0 if effect[1] in self._counted else self._doers[effect]  # counting twice is not counting once
            if not near & (again | self._writers[effect[0]] & behind):
                return False
        if runs.written or runs.enders or any(runs.may_fail):
            return True
        return not any(self._decides_at(index, held & ~self.gone) for _, held in runs.points.get(index, ()))

    def _decides_at(self, index: int, acting: int) -> bool:
        """Tell whether a rule decides some thing on a contact on which these rules act, nobody ending the run."""
        if acting & ~self._runs.exact:
            return False
        for effect in self._does[index]:
            writers, doers = self._writers[effect[0]] & acting & ~(1 << index), self._doers[effect]
            last = writers.bit_length() - 1
            if not writers or (last < index and not doers >> last & 1):
                return True
        return False

    def same_as(self, index: int) -> int:
        """Return the rules (a bitset) that do the same and may act on a common contact."""
        doers = reduce(and_, (self._doers[effect] for effect in self._does[index]), -1)
        same = doers & self._runs.overlapping[index] & ~self.gone & ~(1 << index)
        return sum(1 << i for i in bits(same) if self._does[i] == self._does[index])

    def matters(self, index: int, budget: Budget) -> Answer:
        """Search a contact for which something is different without the rule."""
        runs = self._runs
        kept = [i for i in range(len(runs.rules)) if not self.gone >> i & 1]
        if runs.is_static(kept) and not any(runs.counts[i] for i in kept):
            answer = self._by_conditions(index, budget.question())
            if not isinstance(answer, Unknown) or answer.kind == "budget":
                return answer
        question, space = budget.question(), Space(runs, kept)
        for assignment in space.inside([{}]):
            spent = question.spend()
            if spent is not None:
                return spent
            if assignment is not None and self._different(index, runs.scene_at(assignment), kept):
                runs.analysis.decided["enumeration"] += 1
                return Found(runs, assignment)
        return space.open or Nowhere()

    def _by_conditions(self, index: int, question: Question) -> Answer:
        """Search such a contact where conditions alone decide who acts; each rule that is looked at counts as a run."""
        runs, formula = self._runs, Formula(self._runs)
        near = runs.overlapping[index] & ~self.gone & ~(1 << index)
        if not runs.enders:  # then only those count that write the same things
            near &= reduce(or_, (self._writers[thing] for thing, _ in self._does[index]), 0)
        order = sorted([index, *bits(near)])
        spent = question.spend(len(order))
        if spent is not None:
            return spent
        answer = formula.search(
            [self._decides(index, formula)], lambda found: self._different(index, runs.scene_at(found), order)
        )  # fmt: skip
        refuses = runs.category == "preCall" and runs.analysis.semantics.undecided == "refuseToDial"
        if not isinstance(answer, Nowhere) or not refuses or not self._undecided[index].boxes:
            return answer
        others = self._undecided_with[index] & ((1 << index) - 1) & ~self.gone
        spent = question.spend(others.bit_count())
        if spent is not None:
            return spent
        literals = [_neither(formula, runs.rules[index]), *(-_neither(formula, runs.rules[i]) for i in bits(others))]
        kept = [i for i in range(len(runs.rules)) if not self.gone >> i & 1]
        return formula.search(literals, lambda found: self._different(index, runs.scene_at(found), kept))

    @cached_property
    def _undecided(self) -> tuple[Region, ...]:
        """The contacts on which each rule is undecided."""
        region = self._runs.analysis.region
        return tuple(intersect(region(rule, "not true"), region(rule, "not false")) for rule in self._runs.rules)

    @cached_property
    def _undecided_with(self) -> list[int]:
        """For each rule the bitset of the rules that are undecided on a contact on which it is."""
        return sharing(self._undecided, self._undecided)

    def _different(self, index: int, scene: Scene, rules: Sequence[int]) -> bool:
        """Tell whether a run of some rules comes to something else without one of them."""
        runs = self._runs
        one, other = (runs.run(scene, order=order) for order in (rules, [i for i in rules if i != index]))
        return results(one) != results(other)

    def _decides(self, index: int, formula: Formula) -> int:
        """Return a literal that holds wherever the rule acts and something is different without it.

        A rule that ends the run decides who comes next, unless that one does the same. Another one decides a thing
        where no later rule writes it, and the last one to write it before did something else to it.
        """
        runs = self._runs
        others = runs.overlapping[index] & ~(1 << index) & ~self.gone
        before, behind = (1 << index) - 1, -1 << index + 1

        def acts(i: int) -> int:
            return formula.literal(runs.rules[i], runs.acts_when)

        reached = [acts(index), *(-acts(i) for i in bits(others & before & runs.enders))]
        if runs.ends[index]:
            if runs.analysis.campaign.hit_policy != "first":
                return formula.every(reached)
            following = -1
            for i in reversed([*bits(others & behind)]):
                if self._does[i] == self._does[index]:
                    following = formula.some((acts(i), following))
                else:
                    following = formula.every((-acts(i), following))
            return formula.every((*reached, -following))
        found = []
        for effect in self._does[index]:
            writers, doers = self._writers[effect[0]] & others, self._doers[effect]
            later = [acts(i) for i in bits(writers & behind)] if not runs.enders else []
            same = -1
            for i in bits(writers & before):
                same = formula.some((acts(i), same)) if doers >> i & 1 else formula.every((-acts(i), same))
            if doers == self._writers[effect[0]]:  # there is one way to do it, and it is done once
                same = formula.some((same, *later))
            found.append(formula.every((*reached, -same, *(-literal for literal in later))))
        return formula.some(found)


def _neither(formula: Formula, rule: Rule) -> int:
    """Return the literal "its conditions are undecided"."""
    return formula.every((formula.literal(rule, "not true"), formula.literal(rule, "not false")))
