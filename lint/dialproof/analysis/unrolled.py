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
    from collections.abc import Hashable

    from dialproof.analysis.atoms import Atom
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.sat import Formula
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


class _Shared:
    """What several campaigns have in common: verdicts by condition and what its columns hold.

    A number stands for the history of a column: who has written what to it where.
    """

    def __init__(self) -> None:
        self.verdicts: dict[tuple[str, tuple[int, ...]], tuple[int, int]] = {}
        self._histories: dict[Hashable, int] = {}

    def history(self, what: Hashable) -> int:
        """Return the number of a history, 0 being that of a column to which nobody has written."""
        return self._histories.setdefault(what, len(self._histories) + 1)


class Unrolled:
    """The runs of the rules of one category, gone through rule by rule as far as somebody asks.

    With ``beside`` they are literals of the same solver as those of another campaign over the same axes; what comes to
    be in the same way in both is one literal.

    ``written`` are the columns whose contents are followed: those that rules write and read or may not be able to
    count, and those of ``asked`` that rules write.
    """

    def __init__(self, runs: Runs, beside: Unrolled | None = None, *, asked: frozenset[Variable] = frozenset()) -> None:
        self._runs = runs
        self.formula: Formula = runs.formula if beside is None else beside.formula
        self._axes = runs.analysis.axes
        read = frozenset[Variable]().union(*runs.reads)
        broken = (counted for counted, fails in zip(runs.counts, runs.may_fail, strict=True) if fails)
        looked_at = (frozenset[Variable]().union(*runs.writes) & read).union(*broken)
        self.written = (looked_at | runs.ever_set & asked) & self._axes.keys()
        self._initial = {variable: self._given(variable) for variable in self.written}
        self._contents = {variable: {initial: 1} for variable, initial in self._initial.items()}
        self._reached = 1
        self._acts: list[int] = []
        self._matched: list[int] = []
        self._undecided: list[int] = []
        self._breaks: list[int] = []
        self._shared: _Shared = _Shared() if beside is None else beside._shared  # noqa: SLF001  (another object of this class)
        self._versions = dict.fromkeys(self.written, 0)
        self._asked: dict[tuple[str, _Content], tuple[int, int, int]] = {}
        self._made: dict[tuple[Variable, object, object, object], object] = {}

    def acts(self, index: int) -> int:
        """Return the literal "the run comes to the rule, and its conditions are true there"."""
        self._go_through(index + 1)
        return self._acts[index]

    def matched(self, index: int) -> int:
        """Return the literal "the rule acts, maybe because undecided counts as met"."""
        self._go_through(index + 1)
        return self._matched[index]

    def undecided(self, index: int) -> int:
        """Return the literal "the run comes to the rule, and its conditions are undecided there"."""
        self._go_through(index + 1)
        return self._undecided[index]

    def unbroken(self) -> list[int]:
        """Return literals that hold in every run which no rule breaks."""
        self._go_through(len(self._runs.rules))
        return [-literal for literal in self._breaks]

    def _go_through(self, end: int) -> None:
        runs, formula = self._runs, self.formula
        for index in range(len(self._acts), end):
            rule = runs.rules[index]
            true, false = formula.verdict_of(runs.analysis.part(rule), self._verdict)
            self._acts.append(formula.every((self._reached, true)))
            self._undecided.append(formula.every((self._reached, -true, -false)))
            met = true if runs.acts_when == "true" else -false
            matched = formula.every((self._reached, met))
            self._matched.append(matched)
            for action in rule.actions:
                if action.type == "setAttribute" and column_of(action) in self.written:
                    self._write(rule, action, matched)
            if runs.ends[index]:
                self._reached = formula.every((self._reached, -met))

    # Reading.

    def at_the_end(self, atom: Atom) -> tuple[int, int]:
        """Return the literals "true" and "false" of a condition on what an unbroken run leaves behind."""
        self._go_through(len(self._runs.rules))
        return self._on_contents(atom)

    def _verdict(self, atom: Atom) -> tuple[int, int]:
        """Return the literals "true" and "false" of a condition of the rule that is at work."""
        return self._on_contents(atom) if self._runs.updated else self.formula.verdict_of(atom)

    def _on_contents(self, atom: Atom) -> tuple[int, int]:
        """Return the literals "true" and "false" of a condition on what its columns hold now."""
        written = [v for v in atom.axes if self._versions.get(v)]
        if not written:
            return self.formula.verdict_of(atom)
        key = atom.text, tuple(self._versions.get(v, 0) for v in atom.axes)
        if key not in self._shared.verdicts:
            self._shared.verdicts[key] = self._verdict_on(written[0], atom)
        return self._shared.verdicts[key]

    def _verdict_on(self, variable: Variable, atom: Atom) -> tuple[int, int]:
        formula = self.formula
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
        formula, variable = self.formula, column_of(action)
        what = action.fields.get("option"), repr(action.fields.get("value"))
        history = self._versions[variable], variable, what, matched
        self._versions[variable] = self._shared.history(history)
        after: dict[_Content, list[int]] = {}
        for content, there in self._contents[variable].items():
            written = self._after(rule, action, content)
            writes = formula.every((there, matched))
            after.setdefault(content, []).append(formula.every((there, -matched)))
            after.setdefault(written, []).append(writes)
            broken = sum(1 << i for i, value in enumerate(written) if value is _BROKEN)
            if broken:
                self._breaks.append(formula.every((writes, formula.within(variable, broken))))
            if counts(action) and _UNKNOWN in written and self._runs.may_fail[self._runs.index(rule)]:
                self._breaks.append(self._may_break(variable, written, writes))
        found = {content: formula.some(literals) for content, literals in after.items()}
        found = {content: literal for content, literal in found.items() if literal != -1}
        if len(found) > _CONTENTS or len(found) * len(self._initial[variable]) > _VALUES:
            found = {(_UNKNOWN,) * len(self._initial[variable]): 1}
        self._contents[variable] = found

    def _may_break(self, variable: Variable, written: _Content, writes: int) -> int:
        """Return the literal "counting what is not known breaks the run"."""
        unknown = sum(1 << i for i, value in enumerate(written) if value is _UNKNOWN)
        key = f"breaks {self._versions[variable]} {writes} {unknown}", ()
        if key not in self._shared.verdicts:
            at_most = self.formula.every((writes, self.formula.within(variable, unknown)))
            self._shared.verdicts[key] = self.formula.open_verdict(at_most, 1, -1, -1)
        return self._shared.verdicts[key][0]

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
