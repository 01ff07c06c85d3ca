"""Whole runs as literals of a SAT solver: whether a rule acts after everything that the rules in front of it write.

In front of a rule a column has one of a few *contents*: what the contact came with, what a rule has set it to, either
of them counted up or down. A content says which value stands for each cell that the contact may come from, and a
literal says whether it is the one that is there: a rule that acts leads from one content to another. What is not known
(the time of the call, a column that is counted in very many ways) may be anything, so that "no solution" stays a proof.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from dialproof.analysis.atoms import CLOCK
from dialproof.analysis.domain import Cell
from dialproof.analysis.order import column_of, counts
from dialproof.analysis.steps import given, kept
from dialproof.analysis.witness import scene_of
from dialproof.cel.values import MISSING, Variable, lookup, read_text

if TYPE_CHECKING:
    from dialproof.analysis.atoms import Atom
    from dialproof.analysis.runs import Runs
    from dialproof.model.rules import Action, Rule

__all__ = ["Unrolled"]

_Content: TypeAlias = "tuple[object, ...]"
"""The value of a column for each cell of its axis, as a state holds it, or one of the three below."""

_UNKNOWN: Final = object()
_BROKEN: Final = object()
"""A run that counts a column which holds no number has ended."""

_CONTENTS = 256
"""Contents of one column that are told apart."""
_VALUES = 100_000
"""Values that all contents of one column may have."""


class Unrolled:
    """The runs of the rules of one category, gone through rule by rule as far as somebody asks."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._formula = runs.formula
        self._axes = runs.analysis.axes
        read = frozenset[Variable]().union(*runs.reads)
        self._written = frozenset[Variable]().union(*runs.writes) & read & self._axes.keys()
        self._initial = {variable: self._given(variable) for variable in self._written}
        self._contents = {variable: {initial: 1} for variable, initial in self._initial.items()}
        self._reached = 1
        self._acts: list[int] = []
        self._breaks: list[int] = []
        self._verdicts: dict[tuple[str, tuple[int, ...]], tuple[int, int]] = {}
        self._versions = dict.fromkeys(self._written, 0)
        self._asked: dict[tuple[str, _Content], tuple[int, int, int]] = {}
        self._made: dict[tuple[Variable, object, object, object], object] = {}

    def acts(self, index: int) -> int:
        """Return the literal "the run comes to the rule, and its conditions are true there"."""
        self._go_through(index + 1)
        return self._acts[index]

    def unbroken(self) -> list[int]:
        """Return literals that hold in every run which no rule breaks."""
        self._go_through(len(self._runs.rules))
        return [-literal for literal in self._breaks]

    def _go_through(self, end: int) -> None:
        runs, formula = self._runs, self._formula
        for index in range(len(self._acts), end):
            rule = runs.rules[index]
            true, false = formula.verdict_of(runs.analysis.part(rule), self._verdict)
            self._acts.append(formula.every((self._reached, true)))
            matched = formula.every((self._reached, true if runs.acts_when == "true" else -false))
            for action in rule.actions:
                if action.type == "setAttribute" and column_of(action) in self._written:
                    self._write(rule, action, matched)
            if runs.ends[index]:
                self._reached = formula.every((self._reached, -matched))

    # Reading.

    def _verdict(self, atom: Atom) -> tuple[int, int]:
        """Return the literals "true" and "false" of a condition on what its columns hold now."""
        written = [v for v in atom.axes if self._versions.get(v)]
        if not written:
            return self._formula.verdict_of(atom)
        key = atom.text, tuple(self._versions[v] for v in written)
        if key not in self._verdicts:
            self._verdicts[key] = self._verdict_on(written[0], atom)
        return self._verdicts[key]

    def _verdict_on(self, variable: Variable, atom: Atom) -> tuple[int, int]:
        formula = self._formula
        if len(atom.axes) > 1 or CLOCK in atom.axes:
            return formula.open_verdict(1, 1, -1, -1)
        found: list[list[int]] = []
        for content, there in self._contents[variable].items():
            masks = self._masks(variable, atom, content)
            found.append([formula.every((there, formula.within(variable, mask))) for mask in masks])
        true, false, unknown = (formula.some(literals) for literals in zip(*found, strict=True))
        if unknown == -1:
            return true, false
        return formula.open_verdict(formula.some((true, unknown)), formula.some((false, unknown)), true, false)

    def _masks(self, variable: Variable, atom: Atom, content: _Content) -> tuple[int, int, int]:
        """Return the cells from which a condition comes to be true, false, and who knows what."""
        axis = self._axes[variable]
        if content is self._initial[variable]:
            return axis.verdicts(atom.text)
        if "age" in atom.readings and not axis.relative:  # it depends on the time of the call
            return 0, 0, axis.full
        key = atom.text, content
        if key not in self._asked:
            masks = {True: 0, False: 0, None: 0}
            unknown = 0
            for position, value in enumerate(content):
                if value is _UNKNOWN or value is _BROKEN:
                    unknown |= 1 << position
                else:
                    masks[self._runs.analysis.verdict(atom, variable, given(value))] |= 1 << position
            self._asked[key] = masks[True], masks[False], unknown
        return self._asked[key]

    # Writing.

    def _given(self, variable: Variable) -> _Content:
        cells = self._axes[variable].cells
        return tuple(_UNKNOWN if c.kind == "rest" else MISSING if c.kind == "blank" else kept(c.value) for c in cells)

    def _write(self, rule: Rule, action: Action, matched: int) -> None:
        """Lead a column from each of its contents to the next where the rule matches."""
        formula, variable = self._formula, column_of(action)
        after: dict[_Content, list[int]] = {}
        for content, there in self._contents[variable].items():
            written = self._after(rule, action, content)
            writes = formula.every((there, matched))
            after.setdefault(content, []).append(formula.every((there, -matched)))
            after.setdefault(written, []).append(writes)
            broken = sum(1 << i for i, value in enumerate(written) if value is _BROKEN)
            if broken:
                self._breaks.append(formula.every((writes, formula.within(variable, broken))))
        found = {content: formula.some(literals) for content, literals in after.items()}
        found = {content: literal for content, literal in found.items() if literal != -1}
        if len(found) > _CONTENTS or len(found) * len(self._initial[variable]) > _VALUES:
            found = {(_UNKNOWN,) * len(self._initial[variable]): 1}
        self._contents[variable] = found
        self._versions[variable] += 1

    def _after(self, rule: Rule, action: Action, content: _Content) -> _Content:
        variable, option, value = column_of(action), action.fields.get("option"), action.fields.get("value")
        axis = self._axes[variable]
        if option == "CURRENT_TIME":
            timeless = axis.relative  # it is no time ago then, whenever the call is
        elif counts(action):
            timeless = axis.stable
        else:
            timeless = not (axis.relative and read_text(value))
        if not timeless:
            return (_UNKNOWN,) * len(content)
        if not counts(action):
            return (self._new_value(rule, action, MISSING),) * len(content)
        return tuple(v if v is _UNKNOWN or v is _BROKEN else self._new_value(rule, action, v) for v in content)

    def _new_value(self, rule: Rule, action: Action, value: object) -> object:
        """Return what an action makes of a value, asked of the evaluator."""
        variable = column_of(action)
        key = variable, action.fields.get("option"), action.fields.get("value"), value
        if key not in self._made:
            runs = self._runs
            alone = runs.evaluator_of([replace(rule, conditions=(), actions=(action,))])
            cell = Cell("blank") if value is MISSING else Cell("value", given(value))
            names = runs.analysis.campaign.contact_list.columns
            scene = scene_of([(variable, cell)], runs.analysis.columns, names)
            outcome = alone.run(scene.contact, category=runs.category, now=scene.now)
            broken = outcome.failure is not None
            self._made[key] = _BROKEN if broken else kept(lookup(outcome.contact, variable.name))
        return self._made[key]
