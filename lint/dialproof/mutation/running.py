"""All cases over every mutant: the conditions of all mutants are compiled together, and decided on each case at once.

A case is run again only under the mutants that can change what becomes of it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from dialproof.analysis.switches import SWITCHES, under
from dialproof.cel.values import AmbiguousColumnError, overlap
from dialproof.compare import case_differences
from dialproof.evaluate import Evaluator
from dialproof.model.rules import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.model.rules import Category, Rule
    from dialproof.mutation.cases import CaseRun, TimelineRun
    from dialproof.mutation.mutants import Mutant

__all__ = ["Bench"]


class Bench:
    """The mutants of one campaign, compiled together; ``plain`` is the analysis of the campaign without them.

    ``original`` runs the rules as they are written.
    """

    def __init__(self, plain: CampaignAnalysis, mutants: Sequence[Mutant], cache: Path | None = None) -> None:
        campaign = self.campaign = plain.campaign
        self.semantics = plain.semantics
        self.plain = plain
        # Disabled, so that they run with nobody else; what is asked of them is what their conditions say.
        self._asleep = {id(m): replace(m.made, enabled=False) for m in mutants if m.made is not None}
        self.together = replace(campaign, rules=(*campaign.rules, *self._asleep.values()), invariants=())
        self.evaluator = Evaluator(self.together, plain.semantics, cache=cache)
        self._places = {id(rule): place for place, rule in enumerate(self.together.rules)}
        self._decided: dict[int, Sequence[bool | None] | None] = {}
        self.original = self.evaluator.of(campaign.rules)

    def has_meaning(self, mutant: Mutant) -> bool:
        """Tell whether a mutant could be written: its conditions are well-typed."""
        found = leaves(mutant.made.conditions) if mutant.made is not None else ()
        return all(self.evaluator.leaf(leaf).ast is not None for leaf in found)

    def asleep(self, mutant: Mutant) -> Rule | None:
        """Return the rule that a mutant puts in place of another, as it stands in ``together``; None without one."""
        return self._asleep.get(id(mutant))

    def mutated(self, mutant: Mutant) -> Evaluator:
        """Return what runs the rules with the change."""
        if mutant.switch in SWITCHES:
            other = under(self.plain, mutant.switch, mutant.setting)
            return other.evaluator.of(other.campaign.rules)
        evaluator = self.evaluator.of(mutant.rules(self.campaign.rules))
        if mutant.switch:
            evaluator.campaign = replace(evaluator.campaign, hit_policy=mutant.setting)  # type: ignore[arg-type]
        return evaluator

    @cached_property
    def needs_clock(self) -> bool:
        """Whether an outcome depends on the time of the call: a condition looks at it, or an action writes it."""
        if any(a.fields.get("option") == "CURRENT_TIME" for rule in self.campaign.rules for a in rule.actions):
            return True
        variables = self.plain.evaluator.programs.variables
        return any(v.source == "now" or (v.source == "context" and v.name.startswith("now.")) for v in variables)

    def noticed(self, mutant: Mutant, cases: Sequence[CaseRun]) -> CaseRun | None:
        """Return the first case whose expectation does not hold under a mutant."""
        evaluator: Evaluator | None = None
        for run in self._changed(mutant, cases):
            evaluator = evaluator or self.mutated(mutant)
            outcome = evaluator.run(run.case.contact, **run.options)
            if outcome != run.outcome and case_differences(run.case, run.options, outcome, self.plain.evaluator):
                return run
        return None

    def noticed_in_time(self, mutant: Mutant, timelines: Sequence[TimelineRun]) -> TimelineRun | None:
        """Return the first timeline that does not come out as expected under a mutant."""
        evaluator = self.mutated(mutant) if timelines else self.evaluator
        return next((run for run in timelines if run.notices(evaluator)), None)

    def _changed(self, mutant: Mutant, cases: Sequence[CaseRun]) -> Iterator[CaseRun]:
        """Yield the cases of which a mutant may change the outcome."""
        rule = mutant.rule
        if rule is None:
            yield from cases
            return
        others = [r for r in (mutant.behind, self.asleep(mutant)) if r is not None]
        if self._sees_writes(rule) or (mutant.behind is not None and self._sees_writes(mutant.behind)):
            yield from (run for run in cases if run.case.category == rule.category)
            return
        own, places = self._places[id(rule)], [self._places[id(r)] for r in others]
        for run in cases:
            if run.case.category == rule.category and self._matters(mutant, self._verdicts(run), own, places):
                yield run

    def _matters(self, mutant: Mutant, verdicts: Sequence[bool | None] | None, own: int, others: list[int]) -> bool:
        if verdicts is None:
            return True
        if mutant.behind is not None:  # a rule that is false does nothing, wherever it stands
            return verdicts[own] is not False and verdicts[others[0]] is not False
        if mutant.kind == "action":
            return verdicts[own] is True or (verdicts[own] is None and self.semantics.undecided == "met")
        return verdicts[own] is not (verdicts[others[0]] if others else False)

    def _verdicts(self, run: CaseRun) -> Sequence[bool | None] | None:
        """Return the verdict of every rule and mutant on the contact of a case as it is given."""
        if id(run) not in self._decided:
            given = {key: run.options[key] for key in ("context", "now", "time_zone")}
            try:
                view = self.evaluator.view(run.case.contact, **given)
                self._decided[id(run)] = self.evaluator.programs.verdicts(view)
            except AmbiguousColumnError:
                self._decided[id(run)] = None
        return self._decided[id(run)]

    def _sees_writes(self, rule: Rule) -> bool:
        """Tell whether a rule may read what another one has written, so that the contact of a case says nothing."""
        written = self._written[rule.category]
        programs = [self.evaluator.leaf(leaf) for leaf in leaves(rule.conditions)] if written else ()
        return any(
            program.every_column
            or any(v.source == "contact" and overlap(v.name, w) for v in program.reads for w in written)
            for program in programs
        )

    @cached_property
    def _written(self) -> dict[Category, frozenset[str]]:
        """The columns that rules of each category write to, as far as other rules see it."""
        if not self.semantics.laterRulesSeeUpdates:
            return {"preCall": frozenset(), "wrapUp": frozenset()}
        found: dict[Category, set[str]] = {"preCall": set(), "wrapUp": set()}
        for rule in self.campaign.rules:
            if rule.enabled:
                found[rule.category] |= {str(a.fields["attribute"]) for a in rule.actions if a.type == "setAttribute"}
        return {category: frozenset(names) for category, names in found.items()}
