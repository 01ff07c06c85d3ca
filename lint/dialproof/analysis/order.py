"""The rules of one category in execution order: what each reads, writes and ends, and who can interfere with whom."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from dialproof.cel.values import Variable, read_number, read_text, same_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.model.rules import Action, Category, Rule

__all__ = ["Order", "Thing", "column_of", "counts"]

Item = TypeVar("Item", bound="Thing")

Thing: TypeAlias = "Variable | str"
"""Something that rules change: a column, or a list by its id."""


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
    def updated(self) -> bool:
        """Whether a rule sees what the rules in front of it have written: never where the first to act is the last."""
        return self.analysis.semantics.laterRulesSeeUpdates and self.analysis.campaign.hit_policy == "all"

    @cached_property
    def reads(self) -> tuple[frozenset[Variable], ...]:
        """The axes that decide each rule."""
        return tuple(self.analysis.variables_of(rule) for rule in self.rules)

    @cached_property
    def sets(self) -> tuple[frozenset[Variable], ...]:
        """The columns that each rule writes to."""
        return tuple(frozenset(column_of(a) for a in r.actions if a.type == "setAttribute") for r in self.rules)

    @cached_property
    def ever_set(self) -> frozenset[Variable]:
        """The columns that some rule writes to."""
        return frozenset[Variable]().union(*self.sets)

    @cached_property
    def given(self) -> tuple[frozenset[Variable], ...]:
        """The columns that each rule sets to a value of its own, other than by counting or to the time."""
        return tuple(frozenset(column_of(a) for a in rule.actions if _gives(a)) for rule in self.rules)

    @cached_property
    def changes(self) -> tuple[frozenset[Thing], ...]:
        """The columns and lists that each rule changes."""
        lists = (frozenset(str(a.fields["listId"]) for a in r.actions if a.type == "setList") for r in self.rules)
        return tuple(columns | changed for columns, changed in zip(self.sets, lists, strict=True))

    @cached_property
    def writes(self) -> tuple[frozenset[Variable], ...]:
        """The columns that each rule writes to, as far as the conditions of later rules see it."""
        return self.sets if self.updated else tuple(frozenset() for _ in self.rules)

    @cached_property
    def counts(self) -> tuple[frozenset[Variable], ...]:
        """The columns that each rule counts up or down."""
        return tuple(frozenset(column_of(a) for a in rule.actions if counts(a)) for rule in self.rules)

    @cached_property
    def ends(self) -> tuple[bool, ...]:
        """Whether the run is over after each rule has acted."""
        first, stops = self.analysis.campaign.hit_policy == "first", self.analysis.semantics.doNotDialStops
        return tuple(first or (stops and any(a.type == "doNotDial" for a in r.actions)) for r in self.rules)

    @cached_property
    def may_fail(self) -> tuple[bool, ...]:
        """Whether each rule may break the run, by counting a column that holds no number then."""
        columns = self.analysis.campaign.contact_list
        spoilt: set[Variable] = set()
        result = []
        for rule in self.rules:
            fails = False
            for action in rule.actions:
                if action.type != "setAttribute":
                    continue
                variable = column_of(action)
                if counts(action):
                    column = columns.columns.get(variable.name)
                    numeric = column is not None and column.type in ("integer", "number") and columns.declared
                    fails |= variable in spoilt or (not numeric and variable in self.analysis.columns)
                elif _spoils(action):
                    spoilt.add(variable)
            result.append(fails)
            if self.analysis.campaign.hit_policy == "first":
                spoilt.clear()  # whatever it wrote, no other rule runs
        return tuple(result)

    @cached_property
    def written_before(self) -> tuple[frozenset[Variable], ...]:
        """The columns that some rule in front of each rule writes to."""
        result, seen = [], frozenset[Variable]()
        for written in self.writes:
            result.append(seen)
            seen |= written
        return tuple(result)

    @cached_property
    def enders(self) -> int:
        """The rules (a bitset) that end the run when they act."""
        return sum(1 << i for i, ends in enumerate(self.ends) if ends)

    @cached_property
    def written(self) -> int:
        """The rules (a bitset) that read a column which a rule in front of them writes to."""
        before = zip(self.written_before, self.reads, strict=True)
        return sum(1 << i for i, (written, read) in enumerate(before) if written & read)

    @cached_property
    def quiet(self) -> bool:
        """Whether no rule can reach another: nobody reads what is written, ends the run or breaks it."""
        read = frozenset[Variable]().union(*self.reads)
        return not any(self.ends) and not any(self.may_fail) and not any(written & read for written in self.writes)

    def looked_at(self, indices: Iterable[int]) -> frozenset[Variable]:
        """Return the axes that decide some rules."""
        return frozenset[Variable]().union(*(self.reads[i] for i in indices))

    # Whether the order of two rules can matter at all.

    @cached_property
    def _settled(self) -> frozenset[Thing]:
        """What comes out the same in whatever order: everybody counts it, or everybody gives it one value."""
        actions: dict[Thing, list[Action]] = {}
        for rule in self.rules:
            for action in rule.actions:
                if action.type in ("setAttribute", "setList"):
                    thing = column_of(action) if action.type == "setAttribute" else str(action.fields["listId"])
                    actions.setdefault(thing, []).append(action)
        return frozenset(thing for thing, all_of_it in actions.items() if _any_order(all_of_it))

    @cached_property
    def _unsettled(self) -> tuple[frozenset[Thing], ...]:
        return tuple(changed - self._settled for changed in self.changes)

    @cached_property
    def _readers(self) -> Mapping[Variable, int]:
        return _holders(self.reads)

    @cached_property
    def _writers(self) -> Mapping[Variable, int]:
        return _holders(self.writes)

    @cached_property
    def _changers(self) -> Mapping[Thing, int]:
        return _holders(self._unsettled)

    @cached_property
    def feeding(self) -> tuple[int, ...]:
        """For each rule the bitset of those of which one writes a column that the other reads."""
        result = []
        for index in range(len(self.rules)):
            found = 0
            for variable in self.writes[index]:
                found |= self._readers.get(variable, 0)
            for variable in self.reads[index]:
                found |= self._writers.get(variable, 0)
            result.append(found & ~(1 << index))
        return tuple(result)

    @cached_property
    def neighbours(self) -> tuple[int, ...]:
        """For each rule the bitset of those that one of the two can reach: where neither can, they commute."""
        result = []
        for index, found in enumerate(self.feeding):
            for thing in self._unsettled[index]:
                found |= self._changers.get(thing, 0)
            result.append(found & ~(1 << index))
        return tuple(result)

    def order_may_matter(self, earlier: int, later: int) -> bool:
        """Tell whether moving one of two rules past the other can change an outcome, whichever of them is moved.

        Where the later one does not end the run, one of them can reach the other, or each of them some rule between.
        """
        between = (1 << later) - (1 << earlier + 1)
        one, other = self.neighbours[earlier], self.neighbours[later]
        return bool(self.ends[later] or one >> later & 1 or (one & between and other & between))

    def affected(self, earlier: int, later: int) -> tuple[int, ...]:
        """Return the two rules, and every rule in or after their stretch that they can reach, by whatever way."""
        found, reached = [earlier], self.changes[earlier] | self.changes[later]
        for index in range(earlier + 1, len(self.rules)):
            looked_at = self.reads[index] | self.counts[index] | self.changes[index]
            if index == later or self.ends[index] or looked_at & reached:
                found.append(index)
                reached |= self.changes[index]
        return tuple(found)


def column_of(action: Action) -> Variable:
    """Return the column that a setAttribute writes to."""
    return Variable("contact", str(action.fields["attribute"]))


def counts(action: Action) -> bool:
    """Tell whether an action counts a column up or down."""
    return action.type == "setAttribute" and action.fields.get("option") in ("INCREMENT", "DECREMENT")


def _gives(action: Action) -> bool:
    """Tell whether an action sets a column to a value that is written there."""
    return action.type == "setAttribute" and not counts(action) and action.fields.get("option") != "CURRENT_TIME"


def _spoils(action: Action) -> bool:
    """Tell whether what an action writes can be counted no more."""
    value = action.fields.get("value")
    return action.fields.get("option") == "CURRENT_TIME" or (read_text(value) != "" and read_number(value) is None)


def _any_order(actions: list[Action]) -> bool:
    first = actions[0]
    if first.type == "setAttribute" and counts(first):
        return all(counts(action) for action in actions)
    same = ("option", "value")
    return all(all(same_value(first.fields.get(k), a.fields.get(k)) for k in same) for a in actions)


def _holders(held: Iterable[frozenset[Item]]) -> Mapping[Item, int]:
    """Return for each item the bitset of the sets that hold it."""
    found: dict[Item, int] = {}
    for index, items in enumerate(held):
        for item in items:
            found[item] = found.get(item, 0) | 1 << index
    return found
