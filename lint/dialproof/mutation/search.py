"""Whether any contact of the declared domain comes to another outcome under a mutant: proved that none does, or shown.

A change of one rule shows wherever the rule is reached and its conditions come to another verdict, or it acts and does
something else: nothing in front of it has changed. Where no write, stop or failure decides about that, it is one
question for the SAT solver; else every combination of cells is run. Two rules that change places, and another setting
of a switch, show where something else becomes of the contact; which rules matched, and in which order, says nothing
then. Whatever is found is run over the whole campaign before it counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Budget, Found, Nowhere, Unknown
from dialproof.analysis.campaign import CampaignAnalysis
from dialproof.analysis.effects import same_effect, same_result
from dialproof.analysis.exchange import may_swap, where_swapping_matters
from dialproof.analysis.pairs import bits
from dialproof.analysis.replacement import where_all_differs
from dialproof.analysis.space import Space
from dialproof.analysis.suspects import suspects
from dialproof.analysis.switches import SWITCHES, Contrast, under

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dialproof.analysis.answers import Answer, Question
    from dialproof.analysis.familiar import Familiar
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.model.rules import Category, Rule
    from dialproof.mutation.mutants import Mutant
    from dialproof.mutation.running import Bench
    from dialproof.outcome import Outcome

__all__ = ["Difference", "Search", "same_outcome"]

_OPEN = Unknown("no contact that was tried tells the two apart", "texts")


@dataclass(frozen=True, slots=True)
class Difference:
    """A contact that comes to another outcome under a mutant, and both outcomes."""

    scene: Scene
    category: Category
    written: Outcome
    mutated: Outcome


class Search:
    """Looks for contacts that tell mutants from the rules as they are written, within ``budget`` runs for each.

    ``candidates`` are the mutants of rules that it is asked about: fewer conditions are fewer cells to look at.
    """

    def __init__(self, bench: Bench, candidates: Iterable[Mutant], familiar: Familiar, budget: int) -> None:
        self._bench = bench
        self._familiar = familiar
        self._budget = budget
        self._candidates = candidates

    def difference(self, mutant: Mutant) -> Difference | Nowhere | Unknown:
        """Return a contact that the mutant changes, shown by a run of both; that there is none, or why it is open."""
        if mutant.switch in SWITCHES:
            return self._of_switch(mutant)
        if mutant.switch:
            plain = self._bench.plain
            answer = where_all_differs(plain.campaign, plain.semantics, Budget(self._budget))
        else:
            answer = self._swapping(mutant) if mutant.behind is not None else self._asked(mutant)
        if isinstance(answer, Found):
            found = self.shown(mutant, answer.runs.category, answer.scene)
            if found is not None:
                return found
        return answer if isinstance(answer, Nowhere) else self._by_running(mutant)

    def shown(self, mutant: Mutant, category: Category, scene: Scene) -> Difference | None:
        """Run a contact through the rules as they are written and the mutant; return what is different."""
        one, other = (
            evaluator.run(scene.contact, category=category, context=scene.context, now=scene.now)
            for evaluator in (self._bench.original, self._bench.mutated(mutant))
        )
        if one.failure is not None:
            return None  # no case can expect anything of it
        if mutant.switch in SWITCHES:
            same = same_effect(one, other)
        elif mutant.behind is not None:
            same = same_result(one, other) and same_effect(one, other)
        else:
            same = same_outcome(one, other)
        return None if same else Difference(scene, category, one, other)

    def shows(self, mutant: Mutant, category: Category) -> Callable[[Scene], bool]:
        """Return what tells whether a mutant changes a contact, by a run of no more rules than decide about that."""
        if mutant.rule is None or mutant.behind is not None:
            return lambda scene: self.shown(mutant, category, scene) is not None
        few = self._deciding(mutant.rule)
        evaluators = [self._bench.evaluator.of(rules) for rules in (few, mutant.rules(few))]

        def shows(scene: Scene) -> bool:
            one, other = (
                e.run(scene.contact, category=category, context=scene.context, now=scene.now) for e in evaluators
            )
            return not same_outcome(one, other)

        return shows

    # By running contacts.

    def _by_running(self, mutant: Mutant) -> Difference | Nowhere | Unknown:
        """Run the contacts that the rules which decide about a mutant can tell apart; if need be, that all rules can.

        A rule behind that breaks the run may hide what those rules show.
        """
        rule = mutant.rule
        if rule is None or mutant.behind is not None:
            return self._any_category(mutant, [rule.category] if rule is not None else ["preCall", "wrapUp"])
        shows = self.shows(mutant, rule.category)
        hidden = False
        for scene in self._scenes(mutant, rule.category, self._deciding(rule)):
            if isinstance(scene, Unknown):
                return scene
            if shows(scene):
                found = self.shown(mutant, rule.category, scene)
                if found is not None:
                    return found
                hidden = True
        return self._any_category(mutant, [rule.category]) if hidden else Nowhere()

    def _any_category(self, mutant: Mutant, categories: Iterable[Category]) -> Difference | Nowhere | Unknown:
        left: Unknown | None = None
        for category in categories:
            for scene in self._scenes(mutant, category, self._bench.plain.runs(category).rules):
                found = scene if isinstance(scene, Unknown) else self.shown(mutant, category, scene)
                if isinstance(found, Unknown):
                    left = left or found
                elif found is not None:
                    return found
        return left or Nowhere()

    def _scenes(self, mutant: Mutant, category: Category, rules: Sequence[Rule]) -> Iterator[Scene | Unknown]:
        """Yield a contact for each way in which rules and the changed one can see it; last, why that is not all.

        A run of many rules counts as many runs.
        """
        asleep = self._bench.asleep(mutant)
        joint = (*rules, *(() if asleep is None else (replace(asleep, enabled=True),)))
        few = replace(self._bench.campaign, rules=joint, invariants=())
        runs = CampaignAnalysis(few, self._bench.evaluator, familiar=self._familiar).runs(category)
        space = Space(runs, range(len(runs.rules)))
        question = self._question()
        for assignment in space.inside([{}]):
            spent = question.spend(1 + len(rules) // 10)
            if spent is not None:
                yield spent
                return
            if assignment is not None:
                yield runs.scene_at(assignment)
        if space.open is not None:
            yield space.open

    def _deciding(self, rule: Rule) -> tuple[Rule, ...]:
        """Return the rules that decide what a rule finds when a run comes to it, and last the rule."""
        runs = self._bench.plain.runs(rule.category)
        index = runs.index(rule)
        in_front = [i for i in range(index) if runs.ends[i] or runs.may_fail[i]]
        return tuple(runs.rules[i] for i in runs.with_writers((*in_front, index)))

    def _question(self) -> Question:
        return Budget(self._budget).question()

    # One rule.

    @cached_property
    def _analysis(self) -> CampaignAnalysis:
        """The campaign with the conditions of the candidates, which run with nobody."""
        asleep = [rule for mutant in self._candidates if (rule := self._bench.asleep(mutant)) is not None]
        few = replace(self._bench.together, rules=(*self._bench.campaign.rules, *asleep))
        return CampaignAnalysis(few, self._bench.evaluator, familiar=self._familiar)

    def _asked(self, mutant: Mutant) -> Answer:
        """Ask the solver for a contact with which a run comes to the rule, and that the rule treats otherwise."""
        assert mutant.rule is not None
        runs = self._analysis.runs(mutant.rule.category)
        index = runs.index(mutant.rule)
        if not runs.is_static((index,)):
            return _OPEN
        literals = [self._differs(mutant, runs)]
        literals += [-runs.acts_literal(i) for i in bits(runs.enders & ((1 << index) - 1))]
        shows = self.shows(mutant, runs.category)
        return runs.formula.search(literals, lambda found: shows(runs.scene_at(found)))

    def _differs(self, mutant: Mutant, runs: Runs) -> int:
        """Return the literal "the rule does something else", of a contact with which a run comes to it."""
        assert mutant.rule is not None
        formula = runs.formula
        if mutant.kind == "action":
            return formula.literal(mutant.rule, runs.acts_when)
        asleep = self._bench.asleep(mutant)
        if asleep is None:
            return formula.literal(mutant.rule, "not false")
        verdicts = zip(formula.verdict(mutant.rule), formula.verdict(asleep), strict=True)
        return formula.some(formula.every(pair) for a, b in verdicts for pair in ((a, -b), (-a, b)))

    # Two rules, and the campaign as a whole.

    def _swapping(self, mutant: Mutant) -> Answer:
        assert mutant.rule is not None
        runs = self._bench.plain.runs(mutant.rule.category)
        earlier = runs.index(mutant.rule)
        answer: Answer = Nowhere()
        fed = runs.feeding[earlier] >> earlier + 1 & 1  # then one may be undecided in one order and false in the other
        if fed or runs.ends[earlier] or runs.ends[earlier + 1] or may_swap(runs, earlier):
            answer = where_swapping_matters(runs, earlier, self._question())
        if isinstance(answer, Nowhere) and runs.contradicting[earlier] >> earlier + 1 & 1:
            answer = runs.both_act(earlier, earlier + 1, self._question())
        return answer

    def _of_switch(self, mutant: Mutant) -> Difference | Nowhere | Unknown:
        plain = self._bench.plain
        if mutant.switch in ("undecided", "caseSensitive") and not plain.campaign.contact_list.declared:
            return Unknown("no contact list says what its columns may hold", "conditions")
        left: Unknown | None = None
        for category in ("preCall", "wrapUp"):
            runs = plain.runs(category)
            if not runs.rules:
                continue
            where = suspects(runs, mutant.switch)
            other = under(plain, mutant.switch, mutant.setting).runs(category)
            contrast = Contrast(runs, {mutant.setting: other}, where.choices, where.opened)
            answer = contrast.search(where.likely, where.boxes, self._question())
            if isinstance(answer, Unknown):
                left = left or answer
            elif not isinstance(answer, Nowhere):
                return self.shown(mutant, category, answer) or self._any_category(mutant, [category])
        return left or Nowhere()


def same_outcome(one: Outcome, other: Outcome) -> bool:
    """Tell whether two outcomes are the same to every case: a reason is no part of what cases expect."""
    if one.failure is not None or other.failure is not None:
        return one.failure is not None and other.failure is not None
    return replace(one, reason="") == replace(other, reason="")
