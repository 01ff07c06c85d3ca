"""The contacts that some rules can tell apart: combinations of cells of the columns that they look at."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from dialproof.analysis.answers import Found, Nowhere, Unknown
from dialproof.analysis.campaign import atoms_of
from dialproof.cel.values import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dialproof.analysis.answers import Answer, Question
    from dialproof.analysis.atoms import Part
    from dialproof.analysis.regions import Box
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.steps import State
    from dialproof.analysis.witness import Scene

__all__ = ["Assignment", "Space"]

_TRIED = 1_000
"""Combinations that are tried before a solver is asked."""
Assignment: TypeAlias = "dict[Variable, int]"
"""Variable -> position of one of its cells."""


class Space:
    """One combination of cells for each way in which some rules can see a contact.

    ``updated`` (default: as it is in a run) tells whether it matters what the rules write; ``beside`` are rules of
    another campaign, over the same axes, that are to be told apart as well, and ``parts`` further conditions that have
    one verdict on a combination. ``open`` says why the combinations do not stand for all contacts, and is None where
    they do; it is complete when all have been yielded.
    """

    def __init__(
        self,
        runs: Runs,
        rules: Sequence[int],
        *,
        updated: bool | None = None,
        beside: Space | None = None,
        parts: Sequence[Part] = (),
    ) -> None:
        self.runs = runs
        self.rules = rules
        self._more = [atom for part in parts for atom in atoms_of(part)]
        self._beside = beside
        axes = runs.analysis.axes
        counted = (runs.counts[i] for i in rules if runs.may_fail[i])
        looked_at = runs.looked_at(rules).union(
            *counted, beside.variables if beside else (), *(a.axes for a in self._more)
        )
        self.variables: list[Variable] = sorted(v for v in looked_at if v in axes)
        self._masks: dict[Variable, list[int]] = {}
        self._written = frozenset[Variable]().union(*(runs.sets[i] for i in rules))
        together = (atom.axes for atom in self._more if len(atom.axes) > 1)
        self._joined = frozenset[Variable]().union(*(runs.joined[i] for i in rules), *together)
        self.open = next((r for i in rules if (r := runs.unclear[i]) is not None), None)
        if self.open is None and (runs.updated if updated is None else updated):
            self.open = self._drifting()
        if self.open is None and beside is not None:
            self.open = beside.open

    def _drifting(self) -> Unknown | None:
        """Return why what is written is not known for all contacts, None if it is."""
        axes = self.runs.analysis.axes
        for index in self.rules:
            for action in self.runs.rules[index].actions:
                variable = Variable("contact", str(action.fields.get("attribute")))
                axis = axes.get(variable)
                if action.type != "setAttribute" or axis is None or variable not in self.variables:
                    continue
                if action.fields.get("option") == "CURRENT_TIME" and not axis.relative:
                    what = f"what {variable.name} holds after CURRENT_TIME depends on the time of the call"
                    return Unknown(what, "clock")
                if axis.relative and action.fields.get("option") == "SET" and action.fields.get("value"):
                    what = f"how old the fixed time is that {variable.name} is set to depends on the time of the call"
                    return Unknown(what, "clock")
                if not axis.stable:
                    return Unknown(f"counting {variable.name} up and down gives too many cases", "counting")
        return None

    def inside(self, boxes: Iterable[Box]) -> Iterator[Assignment | None]:
        """Yield each combination inside of some box once, None for a box in which there is none."""
        seen: set[tuple[int, ...]] = set()
        for box in boxes:
            choices = []
            for variable in self.variables:
                axis = self.runs.analysis.axes[variable]
                mask = box.get(variable, axis.full)
                if mask & ~axis.real and self.open is None:
                    self.open = axis.hollow
                choices.append(self._distinct(variable, mask & axis.real))
            empty = True
            for combination in product(*choices):
                if combination not in seen:
                    seen.add(combination)
                    empty = False
                    yield dict(zip(self.variables, combination, strict=True))
            if empty:
                yield None

    def search(
        self, boxes: Iterable[Box], question: Question, holds: Callable[[State], bool], targets: Sequence[int] = ()
    ) -> Answer:
        """Search a combination inside of the boxes for which ``holds`` is true of the state before any rule has run.

        ``targets`` are rules that act wherever it is. Where combinations do not stand for all contacts, a solver is
        asked about those rules as soon as a few have been tried.
        """
        runs = self.runs

        def shows(scene: Scene) -> bool:
            return holds(runs.steps.start(scene))

        def solved(why: Unknown) -> Answer:
            return runs.settled(targets, why, shows) if targets else why

        for number, assignment in enumerate(self.inside(boxes)):
            if number == _TRIED and self.open is not None:
                answer = solved(self.open)
                if not isinstance(answer, Unknown):
                    return answer
            spent = question.spend(1 + len(self.rules) // 10)  # a run of many rules is many runs of few
            if spent is not None:
                return solved(spent)
            if assignment is not None and holds(runs.steps.start(runs.part_of(assignment))):
                runs.analysis.decided["enumeration"] += 1
                return Found(runs, assignment)
        if self.open is not None:
            return solved(self.open)
        runs.analysis.decided["enumeration"] += 1
        return Nowhere()

    def _distinct(self, variable: Variable, mask: int) -> list[int]:
        """Return one cell for each combination of verdicts of the rules, or all cells."""
        axis = self.runs.analysis.axes[variable]
        positions = axis.positions(mask)
        masks = self._verdicts(variable)
        if masks is None:
            return positions
        groups: dict[tuple[int, ...], int] = {}
        usual = axis.usual
        for position in sorted(positions, key=lambda p: not usual >> p & 1):
            groups.setdefault(tuple(m >> position & 1 for m in masks), position)
        return list(groups.values())

    def _verdicts(self, variable: Variable) -> list[int] | None:
        """Return the cells on which each condition on a variable is true, and false; None where every cell counts."""
        if variable in self._written or variable in self._joined:
            return None
        masks = self._masks.get(variable)
        if masks is None:
            axis = self.runs.analysis.axes[variable]
            parts = (self.runs.analysis.part(self.runs.rules[i]) for i in self.rules)
            atoms = [*(a for part in parts for a in atoms_of(part)), *self._more]
            texts = {atom.text for atom in atoms if atom.axes == (variable,)}
            masks = self._masks[variable] = [m for text in sorted(texts) for m in axis.verdicts(text)[:2]]
        if self._beside is None:
            return masks
        others = self._beside._verdicts(variable)  # noqa: SLF001  (another object of this class)
        return None if others is None else masks + others
