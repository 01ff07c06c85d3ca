"""Questions about many rules at once, asked of a SAT solver over the cells.

The position of a contact on an axis is an integer in order encoding: one variable for "at cell i or behind it", for
each i that some condition tells apart. The verdict of a condition is two literals, true and false, combined in strong
Kleene logic; neither of them is undecided.
What cells cannot hold may be anything, so that "no solution" is a proof for all contacts; a solution is a contact to
try, and counts only once it has been run.
"""

from __future__ import annotations

from bisect import bisect
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Found, Nowhere, Unknown
from dialproof.analysis.atoms import CLOCK, Atom
from dialproof.analysis.pairs import stretches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.analysis.atoms import Part
    from dialproof.analysis.domain import Want
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.cel.values import Variable
    from dialproof.model.rules import Rule

__all__ = ["Formula"]

_CONFLICTS = 200_000
"""Conflicts of the solver, beyond which a question is given up: a measure of work that is the same everywhere."""
_TOGETHER = 10_000
"""Combinations of values on which a condition over several columns is asked."""
_TRIES = 16
"""Contacts that are run for one question where conditions are open."""
_OUT_OF_BUDGET = Unknown(f"not decided within {_CONFLICTS:,} conflicts of the solver", "conditions")
_NO_CONTACT = Unknown("no contact that was tried settles it", "texts")


class Formula:
    """The conditions of the rules of one category as literals; they are added when they are first asked for.

    A literal is a statement about contacts: of :class:`dialproof.analysis.aspects.Logic` it is that of a solver.
    """

    def __init__(self, runs: Runs) -> None:
        from pysat.solvers import Glucose4

        self._runs = runs
        self._axes = runs.analysis.axes
        self._solver = Glucose4()
        self._top = 1
        self._clause(1)  # the literal 1 is true
        self._bounds: dict[Variable, dict[int, int]] = {}
        self._order: dict[Variable, list[int]] = {}
        self._within: dict[tuple[Variable, int], int] = {}
        self._some: dict[tuple[int, ...], int] = {}
        self._made: dict[int, tuple[object, ...]] = {}
        self._atoms: dict[str, tuple[int, int]] = {}
        self._rules: dict[int, tuple[int, int]] = {}
        self._hollow: dict[Variable, int] = {}
        self.core: frozenset[int] = frozenset()
        """Of the literals of the last search that found nothing: those that exclude each other."""

    # Literals.

    def verdict(self, rule: Rule) -> tuple[int, int]:
        """Return the literals "its conditions are true" and "are false", on the contact as it is given."""
        found = self._rules.get(id(rule))
        if found is None:
            found = self._rules[id(rule)] = self.verdict_of(self._runs.analysis.part(rule))
        return found

    def literal(self, rule: Rule, want: Want) -> int:
        """Return the literal "its conditions are as wanted"."""
        true, false = self.verdict(rule)
        return {"true": true, "false": false, "not true": -true, "not false": -false}[want]

    def verdict_of(self, part: Part, of_atom: Callable[[Atom], tuple[int, int]] | None = None) -> tuple[int, int]:
        """Return the literals "true" and "false" of a part of conditions; ``of_atom`` says those of an atom."""
        if isinstance(part, Atom):
            if of_atom is not None:
                return of_atom(part)
            if part.text not in self._atoms:
                self._atoms[part.text] = self._atom(part)
            return self._atoms[part.text]
        verdicts = [self.verdict_of(member, of_atom) for member in part.members]
        if part.kind == "not":
            return verdicts[0][1], verdicts[0][0]
        trues, falses = [t for t, _ in verdicts], [f for _, f in verdicts]
        if part.kind == "all":
            return self.every(trues), self.some(falses)
        return self.some(trues), self.every(falses)

    def every(self, literals: Iterable[int]) -> int:
        """Return the literal "all of them"."""
        return -self.some(-literal for literal in literals)

    def some(self, literals: Iterable[int]) -> int:
        """Return the literal "one of them"."""
        kept = sorted({literal for literal in literals if literal != -1})
        if 1 in kept or any(-literal in kept for literal in kept if literal < 0):
            return 1
        if len(kept) < 2:
            return kept[0] if kept else -1
        key = tuple(kept)
        if key not in self._some:  # what is made of the same is the same: two campaigns share what they have in common
            found = self._some[key] = self.new()
            self._made[found] = ("some", key)
            self._clause(-found, *kept)
            for literal in kept:
                self._clause(found, -literal)
        return self._some[key]

    @staticmethod
    def negated(literal: int) -> int:
        """Return the opposite of a literal."""
        return -literal

    @staticmethod
    def never(literal: int) -> bool:
        """Tell whether a literal is the one that is false."""
        return literal == -1

    def within(self, variable: Variable, mask: int) -> int:
        """Return the literal "the contact is in one of these cells of the axis"."""
        full = self._axes[variable].full
        mask &= full
        known = self._within.get((variable, mask))
        if known is None:
            opposite = self._within.get((variable, full & ~mask))
            known = -opposite if opposite is not None else self._some_stretch(variable, mask)
            self._within[variable, mask] = known
        return known

    def _some_stretch(self, variable: Variable, mask: int) -> int:
        at = self._at
        return self.some(self.every((at(variable, a), -at(variable, b))) for a, b in stretches(mask))

    def new(self) -> int:
        """Return a literal of which nothing is known."""
        self._top += 1
        return self._top

    def _clause(self, *literals: int) -> None:
        self._solver.add_clause(list(literals))

    def _at(self, variable: Variable, position: int) -> int:
        """Return the literal "at this cell of the axis or behind it"; only bounds that are asked for are there."""
        axis = self._axes[variable]
        count = len(axis.cells)
        if position in (0, count):
            return 1 if position == 0 else -1
        first = variable not in self._bounds
        bounds = self._bounds.setdefault(variable, {0: 1, count: -1})
        if position not in bounds:
            found = bounds[position] = self.new()
            self._made[found] = ("at", variable, position)
            order = self._order.setdefault(variable, [0, count])
            place = bisect(order, position)
            self._clause(bounds[order[place - 1]], -found)
            self._clause(found, -bounds[order[place]])
            order.insert(place, position)
            usual = axis.pick(axis.full)
            self._solver.set_phases([found if position <= usual else -found])
        if first and axis.real != axis.full:
            self._hollow[variable] = self.within(variable, axis.real)
        return bounds[position]

    def _atom(self, atom: Atom) -> tuple[int, int]:
        if not atom.axes:
            verdict = self._runs.analysis.constant(atom)
            return (1 if verdict is True else -1), (1 if verdict is False else -1)
        if len(atom.axes) > 1 or CLOCK in atom.axes:
            return self._together(atom)
        (variable,) = atom.axes
        true, false, unknown = self._axes[variable].verdicts(atom.text)
        if not unknown:
            return self.within(variable, true), self.within(variable, false)
        within = (true | unknown, false | unknown, true, false)
        return self.open_verdict(*(self.within(variable, mask) for mask in within))

    def _together(self, atom: Atom) -> tuple[int, int]:
        """Return the literals of a condition over several columns: decided where these have few values."""
        axes = [self._axes.get(variable) for variable in atom.axes]
        every = atom.program is None or atom.program.every_column
        if every or not all(axis is not None and axis.single for axis in axes):
            return self.open_verdict(1, 1, -1, -1)
        counts = [len(axis.cells) for axis in axes if axis is not None]
        if prod(counts) > _TOGETHER:
            return self.open_verdict(1, 1, -1, -1)
        *others, last = atom.axes
        found: dict[bool, list[int]] = {True: [], False: []}
        for positions in product(*map(range, counts[:-1])):
            cells = dict(zip(others, positions, strict=True))
            masks = {True: 0, False: 0, None: 0}
            for position in range(counts[-1]):
                masks[self._runs.analysis.verdict_at(atom, {**cells, last: position})] |= 1 << position
            here = [self.within(variable, 1 << position) for variable, position in cells.items()]
            for verdict, literals in found.items():
                literals.append(self.every([*here, self.within(last, masks[verdict])]))
        return self.some(found[True]), self.some(found[False])

    def open_verdict(self, may_hold: int, may_fail: int, holds: int, fails: int) -> tuple[int, int]:
        """Return the literals of a condition that is not decided everywhere."""
        true, false = self.new(), self.new()
        self._made[true] = self._made[false] = ("verdict", true, (may_hold, may_fail, holds, fails))
        self._clause(-true, -false)
        for literal, most, least in ((true, may_hold, holds), (false, may_fail, fails)):
            self._clause(-literal, most)
            self._clause(literal, -least)
        return true, false

    def alone(self, literals: Iterable[int]) -> tuple[Formula, list[int]]:
        """Return a formula that knows nothing but what some literals are made of, and these literals in it.

        A solver decides about all that it knows before it has a solution.
        """
        part = Formula(self._runs)
        known: dict[int, int] = {1: 1}
        asked = list(literals)
        waiting = [abs(literal) for literal in asked]
        while waiting:
            literal = waiting[-1]
            made = self._made.get(literal)
            inner: tuple[int, ...] = () if made is None or made[0] == "at" else made[-1]  # type: ignore[assignment]
            missing = [abs(one) for one in inner if abs(one) not in known] if literal not in known else []
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if literal in known:
                continue
            there = [known[abs(one)] * (1 if one > 0 else -1) for one in inner]
            if made is None:
                known[literal] = part.new()
            elif made[0] == "some":
                known[literal] = part.some(there)
            elif made[0] == "at":
                known[literal] = part._at(*made[1:])  # type: ignore[arg-type]
            else:
                true = made[1]
                known[true], known[true + 1] = part.open_verdict(*there)  # type: ignore[index,operator]
        return part, [known[abs(literal)] * (1 if literal > 0 else -1) for literal in asked]

    # Questions.

    def search(self, literals: Sequence[int], holds: Callable[[Assignment], bool]) -> Answer:
        """Search a contact on which all ``literals`` hold and ``holds`` is true when it is run."""
        answer = self._search(literals, holds)
        if not isinstance(answer, Unknown):
            self._runs.analysis.decided["sat"] += 1
        return answer

    def _search(self, literals: Sequence[int], holds: Callable[[Assignment], bool]) -> Answer:
        try_on = self.new()
        real = [*self._hollow.values(), try_on]
        for _ in range(_TRIES):
            found = self._solve([*literals, *real])
            if found is None:
                return _OUT_OF_BUDGET
            if not found:
                self.core = self.conflict()
                if self.core.isdisjoint(real):
                    return Nowhere()
                break
            assignment = self.assignment()
            if holds(assignment):
                return Found(self._runs, assignment)
            self.exclude({v: 1 << p for v, p in assignment.items()}, only_if=try_on)
        else:
            return _NO_CONTACT
        found = self._solve(literals)
        if found is None:
            return _OUT_OF_BUDGET
        if not found:
            self.core = self.conflict()
            return Nowhere()
        hollow = next((v for v, p in self.assignment().items() if not self._axes[v].real >> p & 1), None)
        return _NO_CONTACT if hollow is None else self._axes[hollow].hollow

    def holds(self, literals: Sequence[int]) -> bool | None:
        """Tell whether the cells hold a contact with all ``literals``; None where that takes too long."""
        return self._solve(literals)

    def conflict(self) -> frozenset[int]:
        """Return those of the literals that were asked about last which exclude each other, where they do."""
        return frozenset(self._solver.get_core() or ())

    def true_ones(self, literals: Iterable[int]) -> frozenset[int]:
        """Return those of some literals that are true in the last solution."""
        model = self._solver.get_model()
        return frozenset(one for one in literals if (model[abs(one) - 1] > 0) == (one > 0))

    def assignment(self) -> Assignment:
        """Return a cell of each variable in the last solution: a usual one of those that it leaves."""
        model = self._solver.get_model()
        result: Assignment = {}
        for variable, order in self._order.items():
            bounds = self._bounds[variable]
            low, high = 0, len(order) - 1  # at the bound `low` or behind it, in front of the bound `high`
            while high - low > 1:
                middle = (low + high) // 2
                if model[abs(bounds[order[middle]]) - 1] > 0:
                    low = middle
                else:
                    high = middle
            mask = (1 << order[high]) - (1 << order[low])
            result[variable] = max(self._axes[variable].pick(mask), order[low])
        return result

    def imply(self, conditions: Iterable[int], literal: int) -> None:
        """State that a literal holds wherever all conditions do."""
        self._clause(*(-condition for condition in conditions), literal)

    def exclude(self, box: dict[Variable, int], *, only_if: int = 1) -> None:
        """Forbid the contacts of a box from now on, or where ``only_if`` holds."""
        self._clause(-only_if, *(-self.within(variable, mask) for variable, mask in box.items()))

    def _solve(self, literals: Sequence[int]) -> bool | None:
        self._solver.conf_budget(_CONFLICTS)
        result: bool | None = self._solver.solve_limited(assumptions=list(literals))
        return result
