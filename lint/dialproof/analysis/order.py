"""The rules of one category in execution order: what each reads, writes and ends, and who can interfere with whom."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dialproof.cel.values import Variable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.model.rules import Category, Rule

__all__ = ["Order"]


class Order:
    """The enabled rules of one category, by position in the execution order."""

    def __init__(self, analysis: CampaignAnalysis, category: Category) -> None:
        self.analysis = analysis
        self.category = category
        self.rules: tuple[Rule, ...] = tuple(r for r in analysis.campaign.rules if r.enabled and r.category == category)

    @cached_property
    def _positions(self) -> dict[int, int]:
        return {id(rule): position for position, rule in enumerate(self.rules)}

    def index(self, rule: Rule) -> int:
        """Return the position of a rule in the execution order."""
        return self._positions[id(rule)]

    @cached_property
    def reads(self) -> tuple[frozenset[Variable], ...]:
        """The axes that decide each rule."""
        return tuple(self.analysis.variables_of(rule) for rule in self.rules)

    @cached_property
    def writes(self) -> tuple[frozenset[Variable], ...]:
        """The axes that each rule writes to, as far as later rules see it."""
        if not self.analysis.semantics.laterRulesSeeUpdates:
            return tuple(frozenset() for _ in self.rules)
        axes = self.analysis.columns
        return tuple(
            frozenset(
                v
                for a in rule.actions
                if a.type == "setAttribute" and (v := Variable("contact", str(a.fields["attribute"]))) in axes
            )
            for rule in self.rules
        )

    @cached_property
    def ends(self) -> tuple[bool, ...]:
        """Whether the run is over after each rule has acted."""
        first, stops = self.analysis.campaign.hit_policy == "first", self.analysis.semantics.doNotDialStops
        return tuple(first or (stops and any(a.type == "doNotDial" for a in r.actions)) for r in self.rules)

    @cached_property
    def disturbs(self) -> tuple[bool, ...]:
        """Whether each rule may end the run, by a failure too: counting a column that may hold no number."""
        return tuple(ends or self._may_fail(rule) for ends, rule in zip(self.ends, self.rules, strict=True))

    def _may_fail(self, rule: Rule) -> bool:
        columns = self.analysis.campaign.contact_list
        for action in rule.actions:
            if action.type == "setAttribute" and action.fields.get("option") in ("INCREMENT", "DECREMENT"):
                name = str(action.fields["attribute"])
                column = columns.columns.get(name)
                numeric = column is not None and column.type in ("integer", "number") and columns.declared
                if not numeric and Variable("contact", name) in self.analysis.columns:
                    return True
        return False

    @cached_property
    def written_before(self) -> tuple[frozenset[Variable], ...]:
        """The axes that some rule in front of each rule writes to."""
        result, seen = [], frozenset[Variable]()
        for written in self.writes:
            result.append(seen)
            seen |= written
        return tuple(result)

    @cached_property
    def _quiet(self) -> bool:
        return not any(self.writes) and not any(self.disturbs)

    def involved(self, targets: Iterable[int]) -> tuple[int, ...]:
        """Return the rules that decide whether the targets act.

        They are the targets, and those in front that write what one of them reads or may end the run, with the rules
        that decide about those.
        """
        found = set(targets)
        if self._quiet:
            return tuple(sorted(found))
        last = max(found)
        variables = frozenset[Variable]().union(*(self.reads[i] for i in found))
        ended = {i for i in range(last) if self.disturbs[i]}
        variables = variables.union(*(self.reads[i] for i in ended))
        found |= ended
        changed = True
        while changed:
            changed = False
            for index in range(last):
                if index not in found and self.writes[index] & variables:
                    found.add(index)
                    variables |= self.reads[index]
                    changed = True
        return tuple(sorted(found))

    @cached_property
    def sensitive(self) -> list[int]:
        """For each rule the bitset of rules with which its order may matter.

        It may where one writes what the other reads, or ends the run.
        """
        readers: dict[Variable, int] = {}
        writers: dict[Variable, int] = {}
        for index in range(len(self.rules)):
            for variable in self.reads[index]:
                readers[variable] = readers.get(variable, 0) | 1 << index
            for variable in self.writes[index]:
                writers[variable] = writers.get(variable, 0) | 1 << index
        enders = sum(1 << i for i, ends in enumerate(self.ends) if ends)
        everything = (1 << len(self.rules)) - 1
        result = []
        for index in range(len(self.rules)):
            found = everything if self.ends[index] else enders
            for variable in self.writes[index]:
                found |= readers.get(variable, 0)
            for variable in self.reads[index]:
                found |= writers.get(variable, 0)
            result.append(found & ~(1 << index))
        return result
