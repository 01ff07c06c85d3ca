"""The exact cell analysis of one campaign: axes, regions of rules, and the questions that checks ask.

Everything is computed when first asked for. The declared domain of the contact list is what "every contact" means.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from dialproof.analysis.answers import RLIMIT
from dialproof.analysis.atoms import CLOCK, DAY_OF_CALL, TIME_OF_CALL, Atom, Junction, take_apart
from dialproof.analysis.domain import Axis, Cell, build_axis, build_clock_axis
from dialproof.analysis.regions import Region, Regions
from dialproof.analysis.universe import universe_of
from dialproof.analysis.witness import scene_of
from dialproof.cel.program import Programs
from dialproof.cel.values import MISSING, Variable, read_number
from dialproof.model.contactlist import Column
from dialproof.model.operators import context_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.analysis.answers import Unknown
    from dialproof.analysis.atoms import Part
    from dialproof.analysis.domain import Want
    from dialproof.analysis.familiar import Familiar
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.smt import Solver
    from dialproof.cel.program import LeafProgram
    from dialproof.config import Semantics
    from dialproof.evaluate import Evaluator
    from dialproof.model.rules import Category, Expression, Rule, When
    from dialproof.project import Campaign
    from dialproof.view import View

__all__ = ["CampaignAnalysis", "Undecided", "side_by_side"]

_P = TypeVar("_P", Atom, Junction, "Atom | Junction")
_CONTEXT_TYPES = {"string": "string", "number": "number", "datetime": "datetime", "boolean": "boolean"}
_PHONE = Variable("context", "phone.number")
_TOGETHER = 4
"""Columns of one condition, beyond which they do not learn of each other's constants."""
_VIEWS = 20_000
"""Views of single cells that are kept."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A question of a check that was left open, and why; reported as DP901."""

    code: str
    rules: tuple[Rule, ...]
    why: Unknown


class CampaignAnalysis:
    """Answers questions about all contacts of a campaign's domain.

    ``rlimit`` is what z3 may spend on one question; values of ``familiar`` contacts are preferred to made-up ones.
    ``decided`` counts the questions by what decided them: ``cells`` (regions alone), ``enumeration`` (runs over every
    combination of cells), ``smt`` (z3), ``unknown``. ``undecided`` lists the questions that stay open; ``unneeded`` are
    rules with the name of a rule that they declare to override although no contact needs that.

    Contacts are those of the campaign's contact list; how conditions read them is the evaluator's matter.
    """

    def __init__(
        self, campaign: Campaign, evaluator: Evaluator, rlimit: int = RLIMIT, *, familiar: Familiar | None = None
    ) -> None:
        self.campaign = campaign
        self._familiar = familiar
        self._rlimit = rlimit
        self.evaluator = evaluator
        self._sides: tuple[CampaignAnalysis, ...] = (self,)
        self._mark = ""
        self.semantics = evaluator.semantics
        self.decided: Counter[str] = Counter()
        self.undecided: list[Undecided] = []
        self.unneeded: list[tuple[Rule, str]] = []
        self._regions: dict[tuple[int, Want], Region] = {}
        self._runs: dict[Category, Runs] = {}
        self._atoms: dict[str, Atom] = {}
        self._views: dict[tuple[Variable, Cell], View] = {}
        self._by_identity = {id(rule): index for index, rule in enumerate(campaign.rules)}

    def under(self, semantics: Semantics, rules: tuple[Rule, ...] | None = None) -> CampaignAnalysis:
        """Return the analysis of the same campaign under other switches, maybe with its rules in another order.

        Regions stay those of the conditions as they are configured.
        """
        other = copy(self)
        other.campaign = self.campaign if rules is None else replace(self.campaign, rules=rules)
        other.evaluator, other.semantics = self.evaluator.under(semantics), semantics
        other._runs = {}  # noqa: SLF001  (a copy of this very object)
        return other

    def leave_open(self, code: str, rules: tuple[Rule, ...], why: Unknown) -> None:
        """Note that a question of the check ``code`` about ``rules`` could not be decided."""
        self.undecided.append(Undecided(code, rules, why))
        self.decided["unknown"] += 1

    def runs(self, category: Category) -> Runs:
        """Return what is known about runs of one category."""
        from dialproof.analysis.runs import Runs

        if category not in self._runs:
            self._runs[category] = Runs(self, category)
        return self._runs[category]

    @cached_property
    def solver(self) -> Solver:
        """What is asked where cells leave a question open."""
        from dialproof.analysis.smt import Solver

        return Solver(self, self._rlimit)

    @cached_property
    def broken(self) -> frozenset[str]:
        """Names of the rules with a condition that has no meaning (DP103): nothing is claimed about them."""
        return frozenset(problem.owner for problem in self.evaluator.problems)

    @cached_property
    def _taken_apart(self) -> tuple[tuple[Junction, ...], tuple[Atom, ...]]:
        """The conditions of each rule (in the order of the campaign) in atoms, and every atom once."""
        parts = tuple(self._take_apart(rule.conditions) for rule in self.campaign.rules)
        return parts, tuple(_marked(atom, self._mark) for atom in self._atoms.values())

    def _take_apart(self, expressions: Sequence[Expression]) -> Junction:
        columns = self.evaluator.campaign.contact_list
        return _marked(take_apart(expressions, self.evaluator.leaf, columns, self._compile, self._atoms), self._mark)

    def _compile(self, part: When) -> LeafProgram:
        """Return the program of a part of a ``when:``."""
        holder = replace(self.campaign.rules[0], conditions=(part,))
        columns, sensitive = self.evaluator.campaign.contact_list, self.semantics.caseSensitive
        return Programs((holder,), (), columns, case_sensitive=sensitive).leaf(part)

    def part(self, rule: Rule) -> Junction:
        """Return the conditions of a rule, taken apart."""
        parts, _ = self._taken_apart
        return parts[self._by_identity[id(rule)]]

    def part_of(self, expression: Expression) -> Part:
        """Return one of the conditions of a rule, or a group made of some of them, taken apart."""
        assert self._taken_apart  # every atom is known then
        return self._take_apart([expression]).members[0]

    def variables_of(self, rule: Rule) -> frozenset[Variable]:
        """Return the axes that decide a rule's conditions."""
        return frozenset(v for atom in atoms_of(self.part(rule)) for v in atom.axes if v != CLOCK)

    @cached_property
    def columns(self) -> Mapping[Variable, Column]:
        """Every variable that some condition reads, with the column that says which values it has."""
        read = dict.fromkeys(v for atom, _ in self._all_atoms.values() for v in atom.axes if v != CLOCK)
        if len(self._sides) > 1:  # what only one side counts can break only its run
            read.update(dict.fromkeys(self._changes))
        return {variable: self._column(variable) for variable in read}

    @cached_property
    def _all_atoms(self) -> Mapping[str, tuple[Atom, CampaignAnalysis]]:
        """Every atom of every side by its text, with the side whose evaluator knows what it means."""
        found: dict[str, tuple[Atom, CampaignAnalysis]] = {}
        for side in self._sides:
            for atom in side._taken_apart[1]:  # noqa: SLF001  (another object of this class)
                found.setdefault(atom.text, (atom, side))
        return found

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Every atom once."""
        return tuple(atom for atom, _ in self._all_atoms.values())

    def _column(self, variable: Variable) -> Column:
        if variable.source == "contact":
            column = self.campaign.contact_list.columns.get(variable.name)
            return column if column is not None else Column(variable.name, "string")
        return Column(variable.name, _CONTEXT_TYPES.get(context_type(variable.name) or "string", "string"))  # type: ignore[arg-type]

    @cached_property
    def axes(self) -> Mapping[Variable, Axis]:
        """The cells of every variable that some condition reads."""
        if self._sides[0] is not self:
            return self._sides[0].axes
        clocks = (TIME_OF_CALL, DAY_OF_CALL)
        of_variable: dict[Variable, list[Atom]] = {variable: [] for variable in self.columns}
        for atom, _ in self._all_atoms.values():
            if len(atom.axes) == 1 and atom.axes[0] != CLOCK:
                of_variable[atom.axes[0]].append(atom)
        axes: dict[Variable, Axis] = {}
        for variable, column in self.columns.items():
            atoms = of_variable[variable]
            if variable in clocks:
                axes[variable] = build_clock_axis(variable, atoms, self._ask_clock)
                continue
            axes[variable] = self._axis(variable, column, atoms)
        return axes

    def declares(self, variable: Variable) -> bool:
        """Tell whether a variable's type was stated, so that no value of it is unreadable."""
        return self.campaign.contact_list.declared or variable.source != "contact"

    def _axis(self, variable: Variable, column: Column, atoms: Sequence[Atom]) -> Axis:
        declared = self.declares(variable)
        shifted = variable in self._changes
        beside = () if shifted else self._beside.get(variable, ())  # each of them would be pulled back
        personal = column.pii or column.phone or variable == _PHONE
        familiar = self._familiar.values(variable) if self._familiar and not personal else ()
        universe = universe_of(column, atoms, declared=declared, shifted=shifted, beside=beside, familiar=familiar)
        universe = replace(universe, members=(*universe.members, *self._given.get(variable, ())))

        def ask(atom: Atom, cell: Cell) -> bool | None:
            _, side = self._all_atoms[atom.text]
            return side._verdict(atom, side._view(variable, cell))  # noqa: SLF001  (another object of this class)

        return build_axis(variable, universe, atoms, ask, self._changes.get(variable, ()))

    @cached_property
    def _beside(self) -> Mapping[Variable, tuple[float | str, ...]]:
        """Return the constants of every variable that is compared with others: those of the conditions on any of them.

        There is always one, so that such a variable is known as one.
        """
        atoms = [atom for atom, _ in self._all_atoms.values()]
        constants: dict[Variable, list[float | str]] = {}
        for atom in atoms:
            for variable in atom.axes:
                constants.setdefault(variable, []).extend(c.value for c in atom.cuts)
        found: dict[Variable, dict[float | str, None]] = {}
        for atom in atoms:
            if len(atom.axes) > 1:
                few = atom.axes if len(atom.axes) <= _TOGETHER else ()
                near = [*atom.needles, *(c for v in few for c in constants[v])]
                for variable in atom.axes:
                    found.setdefault(variable, {"": None}).update(dict.fromkeys(near))
        return {variable: tuple(values) for variable, values in found.items()}

    @cached_property
    def usual(self) -> Mapping[Variable, Cell]:
        """A usual value for every column that a condition reads or that contacts must have, as far as one was found.

        The time of the call is what it is unless somebody asks for another.
        """
        axes = dict(self.axes)
        for name, column in self.campaign.contact_list.columns.items():
            variable = Variable("contact", name)
            if column.required and variable not in axes:
                axes[variable] = self._axis(variable, column, ())
        return {v: axis.cells[axis.pick(axis.full)] for v, axis in axes.items() if axis.real and v.source != "now"}

    @cached_property
    def _changes(self) -> Mapping[Variable, list[float]]:
        """Return the amounts by which rules count each column up or down, in execution order.

        Of several sides they are one sequence that holds that of each.
        """
        found: dict[Variable, list[float]] = {}
        for side in self._sides:
            for variable, amounts in _counted(side.campaign.rules).items():
                found[variable] = _supersequence(found.get(variable, []), amounts)
        return found

    @cached_property
    def _given(self) -> Mapping[Variable, tuple[float, ...]]:
        """Return the numbers that rules set each column to: a cell of its own tells whether that changes a contact."""
        found: dict[Variable, tuple[float, ...]] = {}
        for rule in (rule for side in self._sides for rule in side.campaign.rules):
            for action in rule.actions if rule.enabled else ():
                if action.type == "setAttribute" and action.fields.get("option", "SET") == "SET":
                    number = read_number(action.fields.get("value"))
                    if number is not None:
                        variable = Variable("contact", str(action.fields["attribute"]))
                        found[variable] = (*found.get(variable, ()), number)
        return found

    def cells_of(self, variable: Variable) -> tuple[Cell, ...]:
        """Return the cells of a column, whether or not a condition reads it."""
        axis = self.axes.get(variable)
        return (self._axis(variable, self._column(variable), ()) if axis is None else axis).cells

    def _view(self, variable: Variable, cell: Cell) -> View:
        key = (variable, cell)
        if key not in self._views:
            if len(self._views) > _VIEWS:
                self._views.clear()
            given = cell if cell.offset is None else replace(cell, offset=None)
            scene = scene_of([(variable, given)], {})
            self._views[key] = self.evaluator.view(scene.contact, context=scene.context, now=scene.now)
        return self._views[key]

    def verdict(self, atom: Atom, variable: Variable, value: object) -> bool | None:
        """Return the verdict of an atom on a value of its one column."""
        cell = Cell("blank") if value is MISSING else Cell("value", value)
        _, side = self._all_atoms[atom.text]
        return side._verdict(atom, side._view(variable, cell))  # noqa: SLF001  (another object of this class)

    def verdict_at(self, atom: Atom, cells: Mapping[Variable, int]) -> bool | None:
        """Return the verdict of an atom over several columns where each of them is in one cell of its axis."""
        _, side = self._all_atoms[atom.text]
        chosen = [(variable, self.axes[variable].cells[position]) for variable, position in cells.items()]
        scene = scene_of(chosen, self.columns, self.campaign.contact_list.columns)
        view = side.evaluator.view(scene.contact, context=scene.context, now=scene.now)
        return side._verdict(atom, view)  # noqa: SLF001  (another object of this class)

    def _ask_clock(self, atom: Atom, cell: Cell) -> bool | None:
        from dialproof.cel.values import from_micros

        assert isinstance(cell.value, int)
        _, side = self._all_atoms[atom.text]
        return self._verdict(atom, side.evaluator.view({}, now=from_micros(cell.value)))

    @staticmethod
    def _verdict(atom: Atom, view: View) -> bool | None:
        return None if atom.program is None else atom.program.verdict(view)

    @cached_property
    def _maker(self) -> Regions:
        return Regions(self.axes, self.constant)

    def constant(self, atom: Atom) -> bool | None:
        """Return the verdict of an atom that reads no variable."""
        return self._verdict(atom, self.evaluator.view({}))

    @cached_property
    def _sure_maker(self) -> Regions:
        return replace(self._maker, sure=True)

    def region(self, rule: Rule, want: Want = "true") -> Region:
        """Return the contacts on which a rule's conditions are as wanted, on the contact as it is given."""
        key = (self._by_identity[id(rule)], want)
        if key not in self._regions:
            self._regions[key] = self._maker.of(self.part(rule), want)
        return self._regions[key]

    def is_exact(self, rule: Rule) -> bool:
        """Tell whether the rule's regions are exactly its contacts."""
        if self.region(rule).open is not None:
            return False
        return not any(self.axes[v].masks[atom.text][2] for atom in atoms_of(self.part(rule)) for v in atom.axes)

    def region_of(
        self, part: Junction | Atom, want: Want, free: frozenset[Variable] = frozenset(), *, sure: bool = False
    ) -> Region:
        """Return the contacts on which a part of a rule's conditions may be as wanted, whatever ``free`` columns hold.

        With ``sure`` those on which it certainly is.
        """
        return (self._sure_maker if sure else self._maker).of(part, want, free)


def side_by_side(
    one: CampaignAnalysis, other: CampaignAnalysis, *, alike: bool
) -> tuple[CampaignAnalysis, CampaignAnalysis]:
    """Return two fresh analyses with common axes: the cells are cut at the constants of both.

    Both must be about the same contacts, those of the first. ``alike`` tells that conditions of the same text have the
    same meaning on both sides.
    """
    one._sides = other._sides = (one, other)  # noqa: SLF001  (this module's own)
    other._mark = "" if alike else "the other's "  # noqa: SLF001
    return one, other


def atoms_of(part: Junction | Atom) -> tuple[Atom, ...]:
    """Return the atoms of a part in the order in which they are written."""
    if isinstance(part, Atom):
        return (part,)
    return tuple(atom for member in part.members for atom in atoms_of(member))


def _marked(part: _P, mark: str) -> _P:
    """Return a part whose atoms are told apart from those of the same text on another side."""
    if not mark:
        return part
    if isinstance(part, Atom):
        return replace(part, text=mark + part.text)
    return replace(part, members=tuple(_marked(member, mark) for member in part.members))


def _counted(rules: Sequence[Rule]) -> Mapping[Variable, list[float]]:
    """Return the amounts by which enabled rules count each column up or down, in execution order."""
    found: dict[Variable, list[float]] = {}
    for rule in rules:
        for action in rule.actions if rule.enabled else ():
            option = action.fields.get("option")
            if action.type == "setAttribute" and option in ("INCREMENT", "DECREMENT"):
                value = action.fields.get("value")
                amount = 1.0 if value is None else read_number(value)
                if amount is not None:
                    variable = Variable("contact", str(action.fields["attribute"]))
                    found.setdefault(variable, []).append(amount if option == "INCREMENT" else -amount)
    return found


def _supersequence(one: list[float], other: list[float]) -> list[float]:
    """Return a sequence that holds both, each in its order: what they have in common once."""
    found: list[float] = []
    for _, start, end, begin, stop in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        found += one[start:end]
        found += other[begin:stop] if one[start:end] != other[begin:stop] else []
    return found
