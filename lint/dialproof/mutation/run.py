"""A mutation run of one campaign: every mutant, its fate, and the contacts that its cases lack."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from dialproof.analysis.answers import Nowhere, Unknown
from dialproof.analysis.campaign import CampaignAnalysis
from dialproof.analysis.familiar import familiar_to
from dialproof.checks.wording import Wording
from dialproof.mutation.cases import case_runs, expectation, likened
from dialproof.mutation.mutants import mutants_of
from dialproof.mutation.running import Bench
from dialproof.mutation.search import Search
from dialproof.progress import progress
from dialproof.source import paused_gc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.evaluate import Evaluator
    from dialproof.model.contacts import Expect
    from dialproof.mutation.cases import CaseRun, TimelineRun
    from dialproof.mutation.mutants import Mutant
    from dialproof.mutation.search import Difference
    from dialproof.project import Campaign, Project

__all__ = ["FATES", "Counts", "Fate", "MutationRun", "Survivor", "Tried", "mutate"]

Fate: TypeAlias = Literal["noticed", "survived", "equivalent", "open", "accepted"]
FATES: dict[Fate, str] = {
    "noticed": "some case fails under it",
    "survived": "no case fails under it, and a contact shows that one could",
    "equivalent": "proved to change no outcome of any contact; left out",
    "open": "no case fails under it, and it is not known whether one could",
    "accepted": "survived, and a comment (ignore[DP604]) says why it may; left out",
}
"""What becomes of a mutant -> what that means."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A contact that comes to another outcome under a mutant, and what a case would expect of it.

    ``model`` is the case whose contact it was made after, None where there is none; ``changed`` runs the mutant;
    ``needs_clock`` tells whether outcomes depend on the time of the call.
    """

    difference: Difference
    expect: Expect
    model: CaseRun | None
    changed: Evaluator
    needs_clock: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """One mutant and what became of it: the case that noticed it, the contact that would, or why that is open."""

    mutant: Mutant
    fate: Fate
    by: CaseRun | TimelineRun | None = None
    survivor: Survivor | None = None
    why: Unknown | None = None


class Counts(Counter[Fate]):
    """How many mutants had each fate."""

    @property
    def counted(self) -> int:
        """The mutants that count: all but those that are left out."""
        return self["noticed"] + self["survived"] + self["open"]

    @property
    def score(self) -> float | None:
        """The share of them (percent) that cases notice; None where there are none."""
        return 100 * self["noticed"] / self.counted if self.counted else None


@dataclass(frozen=True, slots=True)
class MutationRun:
    """All mutants of one campaign in the order of its rules; ``cases`` counts its cases, ``evaluator`` runs it."""

    campaign: Campaign
    evaluator: Evaluator
    cases: int
    tried: tuple[Tried, ...]

    @property
    def counts(self) -> Counts:
        """The fates of all mutants."""
        return Counts(one.fate for one in self.tried)

    def by_rule(self) -> dict[str, Counts]:
        """Return the fates of the mutants of each enabled rule; "" are those of the campaign as a whole."""
        found: dict[str, Counts] = {}
        for one in self.tried:
            name = one.mutant.rule.name if one.mutant.rule is not None else ""
            found.setdefault(name, Counts())[one.fate] += 1
        return found


def mutate(project: Project, campaign: Campaign, evaluator: Evaluator, budget: int) -> MutationRun:
    """Return what becomes of every mutant of a campaign whose conditions all have a meaning.

    ``evaluator`` is that of the campaign, ``budget`` how many runs may be spent on the question whether a mutant is
    equivalent. Raises :class:`dialproof.mutation.cases.CasesFailError` where a case fails on the rules as they are
    written.
    """
    with paused_gc():  # of the many objects that an analysis makes, few are garbage
        runs, timelines = case_runs(project, campaign, evaluator)
        familiar = familiar_to(project, campaign)
        every = mutants_of(campaign, evaluator, Wording(campaign.contact_list))
        bench = Bench(CampaignAnalysis(campaign, evaluator, familiar=familiar), every, project.config.cache)
        mutants = [mutant for mutant in every if bench.has_meaning(mutant)]
        tried: dict[int, Tried] = {}
        with progress(2 * len(mutants)) as tell:
            # Of rules that change places, and of switches, cases see more than what becomes of the contact.
            search = Search(bench, (), familiar, budget)
            for mutant in (m for m in mutants if m.kind in ("order", "semantics")):
                tell("looking for changes that make no difference")
                if isinstance(search.difference(mutant), Nowhere):
                    tried[id(mutant)] = Tried(mutant, "equivalent")
            left = []
            for mutant in (m for m in mutants if id(m) not in tried):
                tell("running the cases")
                by = bench.noticed(mutant, runs) or bench.noticed_in_time(mutant, timelines)
                if by is None:
                    left.append(mutant)
                else:
                    tried[id(mutant)] = Tried(mutant, "noticed", by=by)
            search = Search(bench, left, familiar, budget)
            for mutant in left:
                tell("looking for contacts that show what no case notices")
                tried[id(mutant)] = _unnoticed(mutant, bench, search, runs)
    return MutationRun(campaign, evaluator, len(runs) + len(timelines), tuple(tried[id(mutant)] for mutant in mutants))


def _unnoticed(mutant: Mutant, bench: Bench, search: Search, runs: Sequence[CaseRun]) -> Tried:
    answer = search.difference(mutant)
    if isinstance(answer, Nowhere):
        return Tried(mutant, "equivalent")
    if isinstance(answer, Unknown):
        return Tried(mutant, "open", why=answer)
    category = answer.category
    alike = [run for run in runs if run.case.category == category]
    model = max(alike, key=lambda run: len(run.case.contact), default=None)  # the first that says most of its contact
    if model is not None:
        scene = likened(answer.scene, model, bench.campaign.contact_list, search.shows(mutant, category))
        answer = search.shown(mutant, category, scene) or answer
    expect = expectation(answer, bench.campaign)
    survivor = Survivor(answer, expect, model, bench.mutated(mutant), bench.needs_clock)
    return Tried(mutant, "survived", survivor=survivor)
