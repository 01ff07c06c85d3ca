"""Whether rules may stand in for others: one rule for several, every match for the first one. Asked of whole runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Budget, Found, Nowhere, Unknown
from dialproof.analysis.campaign import CampaignAnalysis
from dialproof.analysis.exchange import same_result
from dialproof.analysis.pairs import bits, sharing
from dialproof.analysis.regions import meetings
from dialproof.analysis.space import Space
from dialproof.evaluate import Evaluator
from dialproof.model.actions import repeats

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dialproof.analysis.answers import Answer, Question
    from dialproof.analysis.regions import Box, Region
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.steps import State
    from dialproof.analysis.witness import Scene
    from dialproof.config import Semantics
    from dialproof.model.rules import Category, Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

__all__ = ["StandIn", "as_all", "where_all_differs", "where_stand_in_differs"]


@dataclass(frozen=True)
class StandIn:
    """Rules in place of one rule of a campaign; their names are new to the campaign."""

    campaign: Campaign
    rule: Rule
    rules: tuple[Rule, ...]

    @property
    def after(self) -> Campaign:
        """The campaign with the rules in place of the rule."""
        found: list[Rule] = []
        for rule in self.campaign.rules:
            found += self.rules if rule is self.rule else (rule,)
        return replace(self.campaign, rules=tuple(found), invariants=())

    def same(self, one: Outcome, other: Outcome) -> bool:
        """Tell whether a run of the campaign and one with the rules in its place come to the same.

        Several of the rules may act on one contact only where all that they do may be done twice.
        """
        names = {rule.name for rule in self.rules}
        times = sum(name in names for name in other.matched)
        if times > 1 and not all(map(repeats, self.rule.actions)):
            return False
        renamed = replace(other, matched=self._renamed(other.matched), undecided=self._renamed(other.undecided))
        return same_result(one, renamed)

    def _renamed(self, names: Sequence[str]) -> tuple[str, ...]:
        own = {rule.name for rule in self.rules}
        return tuple(dict.fromkeys(self.rule.name if name in own else name for name in names))


def where_stand_in_differs(analysis: CampaignAnalysis, stand_in: StandIn, question: Question) -> Answer:
    """Search a contact on which a run with the rules in place of the rule comes to something else.

    Runs of the rules in front that can reach the rule, and of itself or those in its place, decide that: what runs
    behind them sees the same contact then.
    """
    rule = stand_in.rule
    runs = analysis.runs(rule.category)
    in_front: tuple[Rule, ...] = ()
    if rule.enabled:
        index = runs.index(rule)
        reaching = {*runs.involved((index,)), *bits(runs.enders)}
        in_front = tuple(runs.rules[i] for i in sorted(reaching) if i < index)
    alone = replace(rule, enabled=True)
    ours = (alone, *(replace(r, enabled=True) for r in stand_in.rules))
    few = replace(analysis.campaign, rules=(*in_front, *ours), invariants=())
    both = CampaignAnalysis(few, Evaluator(few, analysis.semantics))
    if both.broken:
        return Unknown("a condition has no meaning", "conditions")
    first, other = both.evaluator.of((*in_front, alone)), both.evaluator.of((*in_front, *ours[1:]))
    joint = both.runs(rule.category)
    space = Space(joint, range(len(joint.rules)))
    for assignment in space.inside([{}]):
        spent = question.spend()
        if spent is not None:
            return spent
        if assignment is not None:
            scene = joint.part_of(assignment)
            if not stand_in.same(_run(first, scene, rule.category), _run(other, scene, rule.category)):
                return Found(joint, assignment)
    if space.open is not None:
        return space.open
    analysis.decided["enumeration"] += 1
    return Nowhere()


def _run(evaluator: Evaluator, scene: Scene, category: Category) -> Outcome:
    return evaluator.run(scene.contact, category=category, context=scene.context, now=scene.now)


def where_all_differs(campaign: Campaign, semantics: Semantics, budget: Budget) -> Answer:
    """Search a contact on which ``hitPolicy: all`` comes to something else than ``first`` does.

    That is one on which, when every matching rule acts, a rule acts and a later one acts too, or is undecided where
    that alone keeps a contact from being dialed.
    """
    together = replace(campaign, hit_policy="all")
    analysis = CampaignAnalysis(together, Evaluator(together, semantics))
    if analysis.broken:
        return Unknown("a condition has no meaning", "conditions")
    for category in ("preCall", "wrapUp"):
        runs = analysis.runs(category)
        acting = [runs.reachable(i) for i in range(len(runs.rules))]
        open_ = [_not_false(runs, i) for i in range(len(runs.rules))]
        for earlier, mask in enumerate(sharing(acting, open_)):
            for later in bits(mask >> earlier + 1 << earlier + 1):
                boxes = meetings([acting[earlier], open_[later]])
                answer = _both(runs, earlier, later, boxes, budget.question())
                if not isinstance(answer, Nowhere):
                    return answer
    return Nowhere()


def as_all(campaign: Campaign, semantics: Semantics) -> Campaign:
    """Return a campaign of ``hitPolicy: first`` as one of ``all`` where that is proved to come to the same."""
    if campaign.hit_policy == "all" or not isinstance(where_all_differs(campaign, semantics, Budget()), Nowhere):
        return campaign
    return replace(campaign, hit_policy="all")


def _not_false(runs: Runs, index: int) -> Region:
    """Return a region that holds every first contact on which a rule may be met or undecided in a run."""
    part, written = runs.analysis.part(runs.rules[index]), runs.written_before[index] & runs.reads[index]
    return runs.analysis.region_of(part, "not false", written)


def _both(runs: Runs, earlier: int, later: int, boxes: Iterable[Box], question: Question) -> Answer:
    involved = runs.involved((earlier, later))
    undecided_counts = runs.analysis.semantics.undecided == "refuseToDial"

    def differs(state: State) -> bool:
        trace = runs.steps.as_written(involved, state)
        first, second = trace.steps.get(earlier), trace.steps.get(later)
        if first is None or second is None or not first.matched:
            return False
        return second.matched or second.failed or (undecided_counts and second.verdict is None)

    return Space(runs, involved).search(boxes, question, differs)
