"""What the cases of a campaign leave open, and whether a case could show it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Budget, Found, Nowhere, Unknown, require
from dialproof.analysis.witness import shown_by
from dialproof.coverage.observe import cases_of
from dialproof.coverage.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dialproof.analysis.answers import Answer
    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.analysis.witness import Scene
    from dialproof.coverage.goals import Goal, Goals, Kind
    from dialproof.coverage.observe import Observer
    from dialproof.evaluate import Evaluator
    from dialproof.findings import Witness
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign, Project

__all__ = ["Gaps"]


class Gaps:
    """The goals that the cases of a campaign leave open; ``impossible`` grows as it is proved that none can meet them.

    ``analysis`` gives the analysis of an evaluator, which is made when the first question is asked.
    """

    def __init__(
        self,
        project: Project,
        campaign: Campaign,
        observer: Observer,
        analysis: Callable[[Evaluator], CampaignAnalysis],
    ) -> None:
        self.observer = observer
        self.cases = 0
        self.met = 0
        self.impossible = 0
        self._analysis = analysis
        self._broken = {problem.owner for problem in observer.given.problems}
        for case, file in cases_of(project, campaign):
            self.cases += 1
            with suppress(ValueError):  # a clock or time zone that there is not: the case fails under pytest
                self.met |= self.observer.met_by(case, file)

    @property
    def goals(self) -> Goals:
        """The goals of the campaign."""
        return self.observer.goals

    @property
    def proved(self) -> Goals:
        """The goals, with those that are proved to be impossible."""
        return replace(self.goals, impossible=self.impossible)

    @cached_property
    def reach(self) -> Reach:
        """What searches contacts for goals."""
        return Reach(self.observer, self._analysis(self.observer.evaluator))

    def open(self, *kinds: Kind) -> Iterator[Goal]:
        """Yield the open goals of some kinds; nothing is claimed of a rule with a condition that has no meaning."""
        for goal in self.goals.open(self.met):
            if goal.kind in kinds and self.goals.rules[goal.rule][0] not in self._broken:
                yield goal

    def shown_by(self, goal: Goal, budget: Budget) -> Witness | Unknown | None:
        """Return the contact that would meet a goal, or why none is known; None where none is there, proved."""
        known = self.reach.by_cells(goal)
        if known:
            return self._witness(goal, lambda: self.reach.search(goal, Budget().question()))
        answer = Nowhere() if known is False else self.reach.search(goal, budget.question())
        if isinstance(answer, Nowhere):
            self.impossible |= 1 << self.goals.number[goal]
            return None
        return answer if isinstance(answer, Unknown) else self._witness(goal, lambda: answer)

    def _witness(self, goal: Goal, search: Callable[[], Answer]) -> Witness:
        rule, evaluator = self.observer.decisions[goal.rule].rule, self.observer.evaluator

        def scene() -> Scene:
            answer = search()
            require(isinstance(answer, Found), "no contact meets a goal of coverage that plainly can be met")
            assert isinstance(answer, Found)
            return answer.scene

        def outcomes(scene: Scene) -> tuple[Outcome, None]:
            require(self.reach.shows(goal, scene), "the witness does not meet the goal of coverage that it is for")
            return evaluator.run(scene.contact, category=rule.category, context=scene.context, now=scene.now), None

        return shown_by(scene, outcomes)
