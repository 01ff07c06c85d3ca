"""Which contacts each rule keeps from being dialed, and on which of them a sequence of writes would let them through.

A contact that the old and the new rules refuse is dialed in between exactly if the last rule that refused it has gone
while none has come that will. Rules are decided as cells (:mod:`dialproof.analysis`): ``may`` holds every contact
that a rule may refuse, ``must`` only such as it refuses for certain. What is missed is looked for in ``may`` outside of
``must``, so that a rule that cannot be decided can make a safe sequence look unsafe and never the reverse.

A rule that reads what other rules write is followed only as far as that: where the writers in front of it stay as they
are it refuses the same contacts in every state, known or not. Where they change, whole runs are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from dialproof.analysis.campaign import CampaignAnalysis, atoms_of
from dialproof.analysis.outside import Outside, TooMuchError
from dialproof.analysis.regions import meet
from dialproof.cel.values import Variable, read_number
from dialproof.evaluate import Evaluator
from dialproof.inference import inferred_contact_list
from dialproof.model.actions import action_types
from dialproof.project import Campaign
from dialproof_deploy.plan.gaps import Gap
from dialproof_deploy.plan.safety import is_enabled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialproof.analysis.domain import Want
    from dialproof.analysis.regions import Box
    from dialproof.analysis.witness import Scene
    from dialproof.config import Semantics
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome
    from dialproof_deploy.plan.ordering import PlacementWrite
    from dialproof_deploy.plan.safety import Slot

__all__ = ["Opening", "Refusing", "TooMuchError", "Transient"]

_RUNS = 20_000
"""Runs that are spent on one sequence where rules read what others write."""
_OPENINGS = 100
"""Gaps that are collected before a better sequence is looked for."""

_ANY = "*"
"""Stands for every column."""


@dataclass(frozen=True)
class Opening:
    """A contact (a cell of each variable) that is dialed after ``last`` has lost its old content, and the gap."""

    gap: Gap
    last: str
    cells: Mapping[Variable, int]


@dataclass(frozen=True)
class Transient:
    """A contact that was run: refused before and after, and dialed in between."""

    scene: Scene
    before: Outcome
    after: Outcome


@dataclass(frozen=True)
class _Refused:
    """The contacts that a rule refuses: ``must`` for certain, ``may`` perhaps."""

    may: tuple[Box, ...] = ()
    must: tuple[Box, ...] = ()


_State = Mapping[str, "tuple[bool, int]"]
"""Rule -> whether it has its new content, and its place."""


class Refusing:
    """Answers what sequences of writes do to the contacts that the slots refuse.

    Without ``all_rules`` only those with an action that stops dialing count.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        columns: ContactList,
        semantics: Semantics,
        read: Callable[[Mapping[str, Any]], Rule],
        suppresses: Callable[[Mapping[str, Any]], bool],
        *,
        all_rules: bool = True,
    ) -> None:
        self._all_rules = all_rules
        self._slots = {slot.key: slot for slot in slots}
        self._semantics = semantics
        self._read_rule, self._suppresses = read, suppresses
        self.unread: dict[str, str] = {}
        """Name of an enabled rule that cannot be read back -> why."""
        self._rules: dict[tuple[str, bool], Rule | None] = {}
        for slot in slots:
            same = not slot.differs("name", "enabled", "conditions", "actions")
            for after, wire in ((False, slot.before), (True, slot.after)):
                if wire is not None:
                    again = after and same
                    self._rules[slot.key, after] = self._rules[slot.key, False] if again else self._read(wire)
        rules = tuple({id(rule): rule for rule in self._rules.values() if rule is not None}.values())
        self.columns = columns if columns.declared else inferred_contact_list(rules, ())
        campaign = self._campaign(rules)
        self._analysis = CampaignAnalysis(campaign, Evaluator(campaign, semantics))
        self._regions: dict[tuple[str, bool], _Refused] = {}
        self._evaluators: dict[frozenset[tuple[str, tuple[bool, int]]], Evaluator] = {}
        self._outside = Outside(self._analysis.axes)

    def _read(self, wire: Mapping[str, Any]) -> Rule | None:
        try:
            return self._read_rule(wire)
        except ValueError as error:
            if is_enabled(wire):
                self.unread[str(wire["name"])] = str(error)
            return None

    def _campaign(self, rules: tuple[Rule, ...]) -> Campaign:
        return Campaign(("plan",), (), rules, (), "all", self.columns)

    # What a rule refuses.

    def _refused(self, key: str, *, after: bool) -> _Refused:
        if (key, after) not in self._regions:
            self._regions[key, after] = self._decide(key, after=after)
        return self._regions[key, after]

    def _decide(self, key: str, *, after: bool) -> _Refused:
        slot = self._slots[key]
        wire = slot.after if after else slot.before
        if wire is None or not is_enabled(wire):
            return _Refused()
        stops, undecided = self._suppresses(wire), self._semantics.undecided
        if not stops and (undecided != "refuseToDial" or not self._all_rules):
            return _Refused()
        rule = self._rules[key, after]
        if rule is None or rule.name in self._analysis.broken:
            return _Refused(({},))
        true, open_ = self._holding(key, rule, "true"), self._holding(key, rule, "not false")
        if stops:
            return true if undecided == "unmet" else open_
        without = self._outside.without
        return _Refused(without(open_.may, true.must), without(open_.must, true.may))

    def _holding(self, key: str, rule: Rule, want: Want) -> _Refused:
        """Return where the conditions are true, or not false, whatever was written before."""
        written = self._written(key)
        free = frozenset(v for v in self._analysis.variables_of(rule) if v.name in written)
        part = self._analysis.part(rule)
        may, must = (self._analysis.region_of(part, want, free, sure=sure).boxes for sure in (False, True))
        return _Refused(may, must)

    # What other rules write.

    @cached_property
    def _writers(self) -> Mapping[str, frozenset[str]]:
        """Rule -> the columns that it writes, as far as later rules see it."""
        if not self._semantics.laterRulesSeeUpdates:
            return {}
        return {key: written for key, slot in self._slots.items() if (written := _columns_written(slot))}

    def _reads(self, slot: Slot) -> frozenset[str]:
        """Return the columns that a rule reads; one that cannot be read back may read any."""
        rules = [self._rules[key] for after in (False, True) if (key := (slot.key, after)) in self._rules]
        if None in rules:
            return frozenset({_ANY})
        return frozenset(v.name for rule in rules if rule is not None for v in self._analysis.variables_of(rule))

    @cached_property
    def _influences(self) -> dict[str, frozenset[str]]:
        """Rule that reads what others write -> the rules that decide what it finds there."""
        found = {}
        for key in self._slots if self._writers else ():
            influencing: set[str] = set()
            waiting = [key]
            while waiting:
                reads = self._reads(self._slots[reader := waiting.pop()])
                for writer, columns in self._writers.items():
                    if writer in influencing or writer == key or not self._may_precede(writer, reader):
                        continue
                    if any(_overlap(one, other) for one in reads for other in columns):
                        influencing.add(writer)
                        waiting.append(writer)
            if influencing:
                found[key] = frozenset(influencing)
        return found

    def _written(self, key: str) -> frozenset[str]:
        """Return the columns of a rule that may be written before it is decided."""
        writes = {name for writer in self._influences.get(key, ()) for name in self._writers[writer]}
        return frozenset(read for read in self._reads(self._slots[key]) if any(_overlap(read, w) for w in writes))

    def _relations(self, one: str, other: str) -> set[bool]:
        """Return whether the first stands in front of the second, before and after."""
        a, b = self._slots[one], self._slots[other]
        pairs = ((a.before, b.before), (a.after, b.after))
        found = {x["executionOrder"] < y["executionOrder"] for x, y in pairs if x is not None and y is not None}
        return found or {True, False}

    def _may_precede(self, one: str, other: str) -> bool:
        return True in self._relations(one, other)

    @cached_property
    def shifting(self) -> frozenset[str]:
        """The rules that may refuse and read what changed or moved rules write, and those rules."""
        found: set[str] = set()
        for key, influencing in self._influences.items():
            if any(self._refused(key, after=after).may for after in (False, True)) and (
                any(self._slots[writer].differs("enabled", "conditions", "actions") for writer in influencing)
                or any(len(self._relations(*pair)) > 1 for pair in combinations([key, *influencing], 2))
            ):
                found |= {key, *influencing}
        return frozenset(found)

    # Sequences.

    def openings(self, writes: Sequence[PlacementWrite]) -> list[Opening]:
        """Return where a sequence may dial what the old and the new rules refuse; none: it is proved not to.

        Raises ``TooMuchError``.
        """
        moved = {key for key, slot in self._slots.items() if slot.refuses_otherwise(self._suppresses)}
        switches = [w.name for w in writes if (w.with_content or w.order is None) and w.name in moved]
        olds = {key: self._refused(key, after=False) for key in self._slots}
        news = {key: self._refused(key, after=True) for key in self._slots}
        standing = [box for key in self._slots if key not in moved for box in olds[key].must]
        found: dict[Gap, Opening] = {}
        for turn, last in enumerate(switches):
            later, earlier = switches[turn + 1 :], switches[: turn + 1]
            gone = [*standing, *(b for k in later for b in olds[k].must), *(b for k in earlier for b in news[k].must)]
            for box in olds[last].may:
                held = [other for other in gone if meet(box, other) is not None]
                if next(self._outside.parts(box, held), None) is None:
                    continue
                for key in later:
                    for both in (meet(box, other) for other in news[key].may):
                        rest = None if both is None else next(self._outside.parts(both, held), None)
                        if rest is None:
                            continue
                        cells = self._cells(rest)
                        going = {last, *(k for k in earlier if self._inside(cells, olds[k]))}
                        coming = {key, *(k for k in later if self._inside(cells, news[k]))}
                        gap = Gap(frozenset(going), frozenset(coming))
                        found.setdefault(gap, Opening(gap, last, cells))
                        if len(found) >= _OPENINGS:
                            return list(found.values())
        return list(found.values())

    def _cells(self, box: Box) -> dict[Variable, int]:
        """Return a cell of each variable inside a box, with a representative where there is one."""
        cells = {}
        for variable, axis in self._analysis.axes.items():
            mask = box.get(variable, axis.full)
            position = axis.pick(mask)
            cells[variable] = position if position >= 0 else axis.positions(mask)[0]
        return cells

    def _inside(self, cells: Mapping[Variable, int], refused: _Refused) -> bool:
        return any(all(mask >> cells[v] & 1 for v, mask in box.items()) for box in refused.must)

    def shown(self, opening: Opening, writes: Sequence[PlacementWrite]) -> Transient | None:
        """Run the contact of an opening; None where the runs do not show it, or rules that cannot be read take part."""
        if any(not self._analysis.axes[v].real >> position & 1 for v, position in opening.cells.items()):
            return None
        states = self._states(writes)
        made = next(
            i for i, w in enumerate(writes, 1) if w.name == opening.last and (w.with_content or w.order is None)
        )
        chosen = [states[0], states[made], states[-1]]
        return self._run_through(self._analysis.runs("preCall").scene_at(opening.cells), chosen)

    def _run_through(self, scene: Scene, states: Sequence[_State]) -> Transient | None:
        """Run all rules of three states; None unless the contact is let through by them, and none is unknown."""
        if any(self._is_unread(key, after=after) for state in states for key, (after, _) in state.items()):
            return None
        before, between, after_ = (self._run(scene, self._evaluator(state)) for state in states)
        return Transient(scene, before, after_) if _lets_through(before, between, after_) else None

    def run_all(self, writes: Sequence[PlacementWrite]) -> Transient | str:
        """Compare whole runs of every state; return a contact that is let through, why none is no proof, or "".

        Raises ``TooMuchError``.
        """
        if self.unread:
            return "rules that read what others write change, beside one that cannot be read back"
        moved = {write.name for write in writes if write.with_content or write.order is None}
        keys = frozenset(self.shifting | moved).union(*(self._influences.get(key, ()) for key in moved))
        states = self._states(writes)
        parts = [{key: at for key, at in state.items() if key in keys} for state in states]
        between = [(i, self._evaluator(parts[i])) for i in range(1, len(parts) - 1) if parts[i] != parts[i - 1]]
        before, after = self._evaluator(parts[0]), self._evaluator(parts[-1])
        reason = self._open_question(keys)
        left = _RUNS
        variables, choices = self._choices(keys)
        for cells in product(*choices):
            left -= 2 + len(between)
            if left < 0:
                raise TooMuchError(f"not decided within {_RUNS} runs")
            scene = self._analysis.runs("preCall").scene_at(dict(zip(variables, cells, strict=True)))
            first, last = self._run(scene, before), self._run(scene, after)
            for index, evaluator in between if not (first.dial or last.dial) else ():
                if _lets_through(first, self._run(scene, evaluator), last):
                    found = self._run_through(scene, [states[0], states[index], states[-1]])
                    if found:
                        return found
                    reason = reason or "another rule may refuse the contacts that are dialed in between"
        return reason

    def _choices(self, keys: frozenset[str]) -> tuple[list[Variable], list[list[int]]]:
        """Return the variables that some rules read, and for each a cell for every combination of their verdicts."""
        rules = [rule for (key, _), rule in self._rules.items() if key in keys and rule is not None]
        atoms = {atom for rule in rules for atom in atoms_of(self._analysis.part(rule))}
        written = {name for key in keys for name in self._writers.get(key, ())}
        variables = sorted({v for atom in atoms for v in atom.axes if v in self._analysis.axes})
        choices = []
        for variable in variables:
            axis = self._analysis.axes[variable]
            positions = axis.positions(axis.real)
            if not any(_overlap(variable.name, name) for name in written):
                masks = [axis.verdicts(atom.text) for atom in atoms if atom.axes == (variable,)]
                alike = {tuple(m >> p & 1 for three in masks for m in three): p for p in reversed(positions)}
                positions = list(alike.values())
            choices.append(positions)
        return variables, choices

    def _open_question(self, keys: frozenset[str]) -> str:
        """Return why runs over the cells prove nothing, "" where they do."""
        rules = [rule for (key, _), rule in self._rules.items() if key in keys and rule is not None]
        for variable in sorted({v for rule in rules for v in self._analysis.variables_of(rule)}):
            axis = self._analysis.axes[variable]
            if axis.full & ~axis.real:
                return f"no finite set of values stands for all of {variable.name}"
        for action in (a for rule in rules for a in rule.actions if a.type == "setAttribute"):
            name, option = str(action.fields["attribute"]), action.fields.get("option", "SET")
            axis_ = self._analysis.axes.get(Variable("contact", name))
            if axis_ is None or option == "SET":
                continue
            if option == "CURRENT_TIME":
                return f"what {name} holds depends on the time of the call"
            # Whole numbers add up to the same in any order; the cells are cut for one order.
            column, step = self.columns.columns.get(name), read_number(action.fields.get("value", 1.0))
            whole = column is not None and column.type == "integer" and step is not None and step.is_integer()
            if not (whole and self.columns.declared and axis_.stable):
                return f"what {name} holds depends on how it is counted"
        return ""

    def _states(self, writes: Sequence[PlacementWrite]) -> list[_State]:
        """Return the state before each write, and the last one."""
        state = {key: (False, int(slot.before["executionOrder"])) for key, slot in self._slots.items() if slot.before}
        states: list[_State] = [state]
        for write in writes:
            state = dict(state)
            if write.order is None:
                del state[write.name]
            else:
                state[write.name] = (write.with_content or state[write.name][0], write.order)
            states.append(state)
        return states

    def _is_unread(self, key: str, *, after: bool) -> bool:
        wire = self._slots[key].after if after else self._slots[key].before
        return self._rules[key, after] is None and wire is not None and is_enabled(wire)

    def _evaluator(self, state: _State) -> Evaluator:
        known = frozenset(state.items())
        if known not in self._evaluators:
            rules = [
                replace(rule, execution_order=order)
                for key, (after, order) in state.items()
                if (rule := self._rules[key, after]) is not None
            ]
            rules.sort(key=lambda rule: rule.execution_order)
            self._evaluators[known] = Evaluator(self._campaign(tuple(rules)), self._semantics)
        return self._evaluators[known]

    @staticmethod
    def _run(scene: Scene, evaluator: Evaluator) -> Outcome:
        return evaluator.run(scene.contact, context=scene.context, now=scene.now)


def _lets_through(before: Outcome, between: Outcome, after: Outcome) -> bool:
    """Tell whether a contact is refused before and after, by rules and not by a failure, and dialed in between."""
    return (
        before.dial is False and after.dial is False and between.dial is True and not (before.failure or after.failure)
    )


def _columns_written(slot: Slot) -> frozenset[str]:
    """Return the columns that a rule writes before or after; an action of an unknown type may write any."""
    found = set()
    for action in (a for r in slot.rules if is_enabled(r) for a in r.get("actions") or () if isinstance(a, Mapping)):
        if action.get("type") == "setAttribute":
            found.add(str(action.get("attribute")))
        elif str(action.get("type")) not in action_types():
            found.add(_ANY)
    return frozenset(found)


def _overlap(one: str, other: str) -> bool:
    """Tell whether writing one column changes the other: they are one, or one is part of the other."""
    return _ANY in (one, other) or one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
