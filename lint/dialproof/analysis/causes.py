"""Why a run over one contact comes to what it does: the fewest of its values that force it, and the nearest contact.

Both are smallest sets of columns. The values of a set are a cause where no contact that has them comes to anything
else; a set is a change where some contact that differs in no other column does. A cause shares a column with every
change and a change with every cause, so that each is found as a smallest set that hits what tries before have left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Nowhere, Unknown
from dialproof.analysis.aspects import TooManyValuesError
from dialproof.analysis.campaign import CampaignAnalysis
from dialproof.analysis.comparison import Literals
from dialproof.analysis.nearness import Nearness
from dialproof.analysis.universe import may_hold
from dialproof.cel.values import MISSING, lookup, read_text
from dialproof.model.contactlist import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dialproof.analysis.aspects import Aspect
    from dialproof.analysis.witness import Scene
    from dialproof.cel.values import Variable
    from dialproof.evaluate import Evaluator
    from dialproof.model.rules import Category
    from dialproof.outcome import Outcome

__all__ = ["Cause", "Causes", "Change"]

_ROUNDS = 400
"""Sets of columns that are tried for the smallest one."""
_TRIES = 16
"""Contacts that are run for one set of columns where conditions are open."""
_SETS = 12
"""Smallest sets of columns that are looked for."""
_TOO_MANY = Unknown("there are too many ways to come to it", "counting")
_TOO_MUCH = Unknown(f"not decided within {_ROUNDS} sets of columns", "budget")
_OPEN = Unknown("it depends on conditions that cells do not decide", "conditions")
_OUTSIDE = Unknown("a column holds what no condition of the analysis stands for", "conditions")


@dataclass(frozen=True, slots=True)
class Cause:
    """Columns whose values force it, whatever the others hold; ``smallest`` where for certain no fewer do.

    ``others`` are further sets of as few columns that force it, each by itself.
    """

    columns: tuple[Variable, ...]
    others: tuple[tuple[Variable, ...], ...] = ()
    smallest: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """A contact that comes to something else, and the columns in which it differs.

    ``smallest`` where for certain no contact does that differs in fewer.
    """

    columns: tuple[Variable, ...]
    scene: Scene
    outcome: Outcome
    smallest: bool = True


class _Around(CampaignAnalysis):
    """A campaign over its contacts, and others where one holds what the contact list excludes.

    What is counted may break a run, whether or not a condition reads it.
    """

    unreadable: frozenset[str] = frozenset()

    def declares(self, variable: Variable) -> bool:
        return super().declares(variable) and variable.name not in self.unreadable

    @cached_property
    def columns(self) -> Mapping[Variable, Column]:
        return {**super().columns, **{variable: self._column(variable) for variable in self._changes}}


class Causes:
    """One contact, run by the rules of one category; times without an offset are in ``time_zone``.

    ``outside`` names the columns that conditions read and in which it holds what the contact list excludes: they may
    hold anything then.
    """

    def __init__(self, evaluator: Evaluator, scene: Scene, category: Category, time_zone: str | None = None) -> None:
        self._evaluator, self._category, self._zone = evaluator, category, time_zone
        self.scene = scene
        self.outcome = self._run(scene)
        columns, outside, unreadable = _around(evaluator.campaign.contact_list.columns, scene)
        contact_list = replace(evaluator.campaign.contact_list, columns=columns)
        self._analysis = _Around(replace(evaluator.campaign, contact_list=contact_list), evaluator)
        self._analysis.unreadable = unreadable
        self._literals = Literals(self._analysis.runs(category))
        self._formula = self._literals.unrolled.formula
        self._nearness = Nearness(self._analysis, scene, time_zone)
        read = {variable.name for variable in self._analysis.axes if variable.source == "contact"}
        self.outside = tuple(name for name in outside if name in read)

    def _run(self, scene: Scene) -> Outcome:
        return self._evaluator.run(
            scene.contact, category=self._category, context=scene.context, now=scene.now, time_zone=self._zone
        )

    # Questions.

    def cause(self, aspect: Aspect) -> Cause | Unknown:
        """Return the fewest columns that force the value of an aspect."""
        same = self._same(aspect)
        if isinstance(same, Unknown):
            return same
        holds, held, sure = self._formula.holds, self._held, True
        if holds([*held.values(), -same]) is not False:
            return _OPEN

        def refute(chosen: Collection[Variable]) -> Collection[Variable] | None:
            """Return columns of which one has to be held as well, as few as can be found."""
            nonlocal sure
            kept = [held[v] for v in chosen]
            if holds([*kept, -same]) is False:
                return None
            free = []
            for variable in (v for v in held if v not in chosen):
                if holds([*kept, held[variable], -same]) is True:
                    kept.append(held[variable])
                else:
                    free.append(variable)
            cells = self._formula.assignment() if holds([*kept, -same]) is True else {}
            sure = sure and self._changes(aspect, {v: cells[v] for v in free if v in cells})
            return free

        found = self._smallest(refute)
        if isinstance(found, Unknown):
            return found
        first, *others = sorted(tuple(sorted(columns)) for columns in found)
        return Cause(first, tuple(others), sure)

    def change(self, aspect: Aspect) -> Change | Nowhere | Unknown:
        """Return a contact with another value of an aspect: one that differs in few columns, and little in these."""
        same = self._same(aspect)
        if isinstance(same, Unknown):
            return same
        found: list[tuple[float, Change]] = []
        holds, formula, held = self._formula.holds, self._formula, self._held
        axes, sure = self._analysis.axes, True

        def refute(chosen: Collection[Variable]) -> Collection[Variable] | None:
            """Return columns of which one has to change as well; None where those that were chosen are enough."""
            nonlocal sure
            fixed = {literal: v for v, literal in held.items() if v not in chosen}
            real = [formula.within(v, axes[v].real) for v in chosen if v in axes]
            tried = formula.new()
            for _ in range(_TRIES):
                if holds([*fixed, *real, tried, -same]) is not True:
                    break
                cells = {v: p for v, p in formula.assignment().items() if v in chosen}
                if self._changes(aspect, cells):
                    found.append(self._nearest(aspect, cells))
                    return None
                formula.exclude({v: 1 << p for v, p in cells.items()}, only_if=tried)
            core = self._core([*fixed], [-same])
            if core is None:  # cells of which nobody knows a value, or conditions that are open
                sure = False
                return [v for v in held if v not in chosen]
            return [fixed[literal] for literal in core]

        answer = self._smallest(refute)
        if isinstance(answer, Unknown):
            return answer
        if not found:
            return Nowhere() if sure else _OPEN
        _, nearest = min(found, key=lambda one: one[0])
        return replace(nearest, smallest=sure)

    def _core(self, fixed: list[int], wanted: list[int]) -> list[int] | None:
        """Return those of some literals that exclude the wanted ones, of which all are needed; None if none do."""
        holds = self._formula.holds
        if holds([*fixed, *wanted]) is not False:
            return None
        conflict = self._formula.conflict()
        core = [literal for literal in fixed if literal in conflict]
        for literal in tuple(core):
            fewer = [one for one in core if one != literal]
            if holds([*fewer, *wanted]) is False:
                core = fewer
        return core

    def _smallest(
        self, refute: Callable[[Collection[Variable]], Collection[Variable] | None]
    ) -> list[frozenset[Variable]] | Unknown:
        """Return the smallest sets that nothing refutes, as many as are looked for; none where there is none."""
        from pysat.examples.hitman import Hitman

        found: list[frozenset[Variable]] = []
        with Hitman(solver="g4", htype="sorted") as hitting:
            for _ in range(_ROUNDS):
                chosen = frozenset(hitting.get() or ())
                if len(found) == _SETS or (found and len(chosen) != len(found[0])):
                    return found
                left = refute(chosen)
                if left is None:
                    found.append(chosen)
                    if not chosen:
                        return found
                    hitting.block(sorted(chosen))
                elif not left:
                    return found
                else:
                    hitting.hit(sorted(left))
        return found or _TOO_MUCH

    # Contacts beside this one.

    def _changes(self, aspect: Aspect, cells: Mapping[Variable, int]) -> bool:
        """Run the contact with other values in some columns; tell whether it comes to something else."""
        return aspect.of(self._run(self._nearness.scene_at(cells))) != aspect.of(self.outcome)

    def _nearest(self, aspect: Aspect, cells: Mapping[Variable, int]) -> tuple[float, Change]:
        """Return a contact that differs in the same columns, and as little as was found, with how much that is."""

        def differs(scene: Scene) -> bool:
            return aspect.of(self._run(scene)) != aspect.of(self.outcome)

        distance, scene = self._nearness.nearest(cells, differs)
        return distance, Change(tuple(sorted(cells)), scene, self._run(scene))

    # This contact in the solver.

    def _same(self, aspect: Aspect) -> int | Unknown:
        """Return the literal "the aspect has the value that it has here"."""
        try:
            values = self._literals.of(aspect, aspect.thing)
        except TooManyValuesError:
            return _TOO_MANY
        value = aspect.of(self.outcome)
        same = -self._formula.some(values.values()) if value is None else values.get(value, -1)
        held = [*self._held.values()]
        return same if self._formula.holds([*held, same]) is True else _OUTSIDE

    @cached_property
    def _held(self) -> Mapping[Variable, int]:
        """For each column the literal that it holds what it does here, so that its conditions say what they do here."""
        scene, formula, axes = self.scene, self._formula, self._analysis.axes
        view = self._evaluator.view(scene.contact, context=scene.context, now=scene.now, time_zone=self._zone)
        held = {v: formula.new() for v in sorted({*axes, *(v for atom in self._analysis.atoms for v in atom.axes)})}
        for atom in self._analysis.atoms:
            if not atom.axes or atom.program is None or atom.program.every_column:
                continue
            verdict = atom.program.verdict(view)
            true, false = formula.verdict_of(atom)
            for literal in (true,) if verdict else (false,) if verdict is False else (-true, -false):
                formula.imply([held[v] for v in atom.axes], literal)
        for variable, axis in axes.items():
            mask = self._nearness.cells_here(variable)
            if mask & axis.full:
                formula.imply([held[variable]], formula.within(variable, mask))
        return held


def _around(columns: Mapping[str, Column], scene: Scene) -> tuple[dict[str, Column], tuple[str, ...], frozenset[str]]:
    """Return columns that may hold what a contact does, which of them may not, and of which it is unreadable."""
    found: dict[str, Column] = {}
    outside, unreadable = [], set()
    for name, column in columns.items():
        value = lookup(scene.contact, name)
        found[name] = column
        if value is MISSING or read_text(value) == "":
            if column.required:
                outside.append(name)
                found[name] = replace(column, required=False)
        elif not _holds(column, value):
            outside.append(name)
            found[name] = Column(name, "number" if column.type == "integer" else column.type, pii=column.pii)
            if not _holds(found[name], value):
                unreadable.add(name)
    return found, tuple(outside), frozenset(unreadable)


def _holds(column: Column, value: object) -> bool:
    if column.enum is not None:
        return read_text(value) in map(read_text, column.enum)
    return may_hold(column, value)
