"""Whether two states of a project are the same for every contact: proved, or why not.

The rules run in the same order with the same actions, and the conditions of each are true on the same contacts and
false on the same contacts: they have one CEL text, or they are compared on every cell of the columns that they look at.
A condition that cells cannot hold counts as anything at all, the same in both states. What an outcome does not depend
on may differ: ``version``, ``overrides``, and the numbers of the execution orders as long as they stand in the same
relation.

A rule sees what earlier rules have written, so a column that some rule writes is compared over everything that it could
hold rather than over its declared domain. A time of day that is written without an offset is another moment in each
time zone: such conditions count as unproved, unless all times that the column is compared with are whole days.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from dialproof.analysis.atoms import Atom
from dialproof.analysis.campaign import CampaignAnalysis, atoms_of
from dialproof.analysis.lines import DAY
from dialproof.analysis.universe import FIRST_INSTANT, LAST_INSTANT
from dialproof.model.contactlist import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dialproof.analysis.atoms import Part
    from dialproof.analysis.domain import Axis
    from dialproof.cel.values import Variable
    from dialproof.config import Semantics
    from dialproof.model.rules import Rule
    from dialproof.project import Campaign, Project

__all__ = ["alike", "difference", "difference_of_campaigns"]

STEPS = 20_000
"""Combinations of cells that are looked at for one rule, beyond which its conditions count as unproved."""

_FREE = frozenset({"conditions", "version", "execution_order", "overrides"})
_MOMENT = re.compile(r'datetime\("([^"\\]*)"\)')
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_OFFSET = re.compile(r".*(?:Z|[+-]\d\d:?\d\d)", re.IGNORECASE | re.DOTALL)


def difference(before: Project, after: Project) -> str | None:
    """Return why two states of a project may not be the same, None where that is proved."""
    changed = {p for p in {*before.digests, *after.digests} if before.digests.get(p) != after.digests.get(p)}
    for one, other in (
        (before.contact_lists, after.contact_lists),
        (before.contacts_files, after.contacts_files),
        (before.rules_files, after.rules_files),
    ):
        if one.keys() != other.keys():
            return "another file can or cannot be read"
        for path in sorted(changed & one.keys()):
            if not alike(one[path], other[path], without={"digest", "rules"} if "contacts" not in path else {"digest"}):
                return f"{path} says something else"
    if {path: c.ids for path, c in before.links.items()} != {path: c.ids for path, c in after.links.items()}:
        return "other cases test the rules"
    if [c.ids for c in before.campaigns] != [c.ids for c in after.campaigns]:
        return "the campaigns are not the same"
    for campaign, other_campaign in zip(before.campaigns, after.campaigns, strict=True):
        if changed.isdisjoint(file.path for file in campaign.files):
            continue
        why = difference_of_campaigns(campaign, other_campaign, before.config.semantics)
        if why is not None:
            return why
    in_campaigns = {file.path for campaign in before.campaigns for file in campaign.files}
    loose = sorted(changed & before.rules_files.keys() - in_campaigns)
    return f"{loose[0]} belongs to no campaign" if loose else None


def difference_of_campaigns(before: Campaign, after: Campaign, semantics: Semantics) -> str | None:
    """Return why two states of a campaign may not be the same for some contact, None where that is proved."""
    for what, one, other in (
        ("hit policies", before.hit_policy, after.hit_policy),
        ("invariants", before.invariants, after.invariants),
        ("columns", before.contact_list, after.contact_list),
        ("numbers of rules", len(before.rules), len(after.rules)),
        ("orders of the rules", _order(before), _order(after)),
    ):
        if not alike(one, other):
            return f"the {what} of campaign {before.id} are not the same"
    pairs = list(zip(before.rules, after.rules, strict=True))
    for rule, other_rule in pairs:
        if rule.path != other_rule.path or not alike(rule, other_rule, without=_FREE):
            return f'rule "{rule.name}" is not the same beside its conditions'
    differing = [pair for pair in pairs if not alike(pair[0].conditions, pair[1].conditions)]
    return _Conditions(before, semantics, differing).difference() if differing else None


def alike(one: object, other: object, *, without: Iterable[str] = ()) -> bool:
    """Tell whether two values of the model are the same, types included; places do not count.

    ``without`` are fields of the two themselves that may differ.
    """
    if type(one) is not type(other):
        return False
    if is_dataclass(one):
        names = [f.name for f in fields(one) if f.compare and f.name not in without]
        return all(alike(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


def _order(campaign: Campaign) -> tuple[int, ...]:
    """Return the place of each rule's execution order among all of the campaign: equal orders share one."""
    places = {order: place for place, order in enumerate(sorted({r.execution_order for r in campaign.rules}))}
    return tuple(places[rule.execution_order] for rule in campaign.rules)


class _Analysis(CampaignAnalysis):
    """Both states' rules over one set of cells; ``written`` columns may hold anything."""

    def __init__(self, campaign: Campaign, semantics: Semantics, written: frozenset[str]) -> None:
        from dialproof.evaluate import Evaluator

        super().__init__(campaign, Evaluator(campaign, semantics))
        self.written = written

    def declares(self, variable: Variable) -> bool:
        return super().declares(variable) and variable.name not in self.written


Verdict: TypeAlias = "bool | None"
Rest: TypeAlias = "bool | str | tuple[str, frozenset[Rest]] | None"
"""What is left of a condition once some of its atoms are decided: a verdict, an atom's text, or a junction."""


class _Conditions:
    """The rules of a campaign whose conditions differ, as pairs of both states."""

    def __init__(self, campaign: Campaign, semantics: Semantics, pairs: list[tuple[Rule, Rule]]) -> None:
        self.pairs = pairs
        self.written = frozenset(
            str(action.fields["attribute"])
            for rule in campaign.rules
            for action in rule.actions
            if action.type == "setAttribute" and semantics.laterRulesSeeUpdates
        )
        # Without actions: what counts is what conditions say of the contact that they are given.
        rules = tuple(replace(rule, actions=()) for pair in pairs for rule in pair)
        columns = {
            name: _unbounded(column) if name in self.written or column.type in ("datetime", "date") else column
            for name, column in campaign.contact_list.columns.items()
        }
        contact_list = replace(campaign.contact_list, columns=columns)
        both = replace(campaign, rules=rules, invariants=(), contact_list=contact_list)
        self.analysis = _Analysis(both, semantics, self.written)
        self.rules = both.rules

    def difference(self) -> str | None:
        """Return which conditions are not proved to be equal."""
        programs = self.analysis.evaluator.programs
        for index in range(0, len(self.rules), 2):
            one, other = self.rules[index : index + 2]
            if programs.text(one) == programs.text(other):
                continue
            why = self._pair(one, other)
            if why is not None:
                return f'the conditions of rule "{one.name}" are not proved to be the same: {why}'
        return None

    def _pair(self, one: Rule, other: Rule) -> str | None:
        parts = self.analysis.part(one), self.analysis.part(other)
        texts = [{atom.text: atom for atom in atoms_of(part)} for part in parts]
        single = [*(texts[0].keys() ^ texts[1].keys())]
        atoms = {**texts[0], **texts[1]}
        if broken := next((a for a in atoms.values() if a.program is None or a.program.ast is None), None):
            return f"a condition has no meaning{': ' if broken.text else ''}{broken.text[:60]}"
        touched = {variable for text in single for variable in atoms[text].axes}
        for variable in sorted(touched):
            why = self._unsteady(variable, [a for a in atoms.values() if variable in a.axes])
            if why is not None:
                return why
        order = sorted({v for a in atoms.values() for v in self._axes_of(a)}, key=lambda v: (v not in touched, v))
        return _Search(self.analysis, atoms, order).difference(*parts)

    def _axes_of(self, atom: Atom) -> tuple[Variable, ...]:
        return atom.axes if _is_on_cells(atom, self.analysis.axes) else ()

    def _unsteady(self, variable: Variable, atoms: list[Atom]) -> str | None:
        """Return why the cells of a variable do not stand for all that it may hold."""
        name = variable.name
        if any(w.startswith(f"{name}.") or name.startswith(f"{w}.") for w in self.written):
            return f"rules write a part of {name}"
        moments = [text for atom in atoms for text in _MOMENT.findall(atom.text)]
        whole = all(_DAY.fullmatch(text) for text in moments)
        if not whole and not all(_OFFSET.fullmatch(text) for text in moments):
            return f"{name} is compared with a time without an offset"
        cuts = [c.value for atom in atoms for c in atom.cuts if c.reading == "timestamp"]
        if any(isinstance(value, str) or not FIRST_INSTANT + DAY < value < LAST_INSTANT - DAY for value in cuts):
            return f"{name} is compared with a time at an end of the calendar"
        return None


def _is_on_cells(atom: Atom, axes: Mapping[Variable, Axis]) -> bool:
    """Tell whether one axis decides an atom; of any other it is left open what it says."""
    every = atom.program is not None and atom.program.every_column
    return len(atom.axes) == 1 and atom.axes[0] in axes and not every


def _unbounded(column: Column) -> Column:
    """Return a column that is read as before and may hold anything (a day begins at another moment in each zone)."""
    kinds: dict[str, str] = {"integer": "number", "date": "datetime"}
    return Column(column.name, kinds.get(column.type, column.type))  # type: ignore[arg-type]


class _Search:
    """Looks for verdicts of the atoms under which two conditions differ, one axis after the other.

    What is decided is taken out of both; where the same is left of them they are equal, whatever the others say.
    """

    def __init__(self, analysis: CampaignAnalysis, atoms: Mapping[str, Atom], order: list[Variable]) -> None:
        self.steps = 0
        self.order = order
        self.constant: dict[str, Verdict] = {}
        self.cells: dict[Variable, list[dict[str, Verdict]]] = {}
        for atom in atoms.values():
            assert atom.program is not None
            if not atom.axes and not atom.program.every_column:
                self.constant[atom.text] = atom.program.verdict(analysis.evaluator.view({}))
        for variable in order:
            texts = [a.text for a in atoms.values() if _is_on_cells(a, analysis.axes) and variable in a.axes]
            self.cells[variable] = list(_cells(analysis.axes[variable], texts))

    def difference(self, one: Part, other: Part) -> str | None:
        """Return why the two may differ, None where they do not."""
        rests = _rest(one, self.constant), _rest(other, self.constant)
        try:
            return "some contact tells them apart" if self._differ(*rests, 0) else None
        except _GaveUpError:
            return f"not decided within {STEPS:,} combinations of cells"

    def _differ(self, one: Rest, other: Rest, depth: int) -> bool:
        if one == other:
            return False
        self.steps += 1
        if self.steps > STEPS:
            raise _GaveUpError
        if depth < len(self.order):
            choices = self.cells[self.order[depth]]
            return any(self._differ(_decided(one, c), _decided(other, c), depth + 1) for c in choices)
        text = next(_texts(one), None) or next(_texts(other), None)
        if text is None:  # two verdicts
            return True
        return any(self._differ(_decided(one, {text: v}), _decided(other, {text: v}), depth) for v in _VERDICTS)


_VERDICTS: tuple[Verdict, ...] = (True, False, None)


class _GaveUpError(Exception):
    """There are too many combinations."""


def _cells(axis: Axis, texts: list[str]) -> Iterator[dict[str, Verdict]]:
    """Yield the verdicts that cells of an axis give the atoms, each combination once; one that is open is left out."""
    seen: set[frozenset[tuple[str, Verdict]]] = set()
    for position in range(len(axis.cells)):
        verdicts: dict[str, Verdict] = {}
        for text in texts:
            true, false, unknown = axis.verdicts(text)
            if not unknown >> position & 1:
                verdicts[text] = True if true >> position & 1 else False if false >> position & 1 else None
        key = frozenset(verdicts.items())
        if key not in seen:
            seen.add(key)
            yield verdicts


def _rest(part: Part, verdicts: Mapping[str, Verdict]) -> Rest:
    """Return a condition with the decided atoms taken out."""
    if isinstance(part, Atom):
        return verdicts.get(part.text, part.text)
    return _junction(part.kind, [_rest(member, verdicts) for member in part.members])


def _decided(rest: Rest, verdicts: Mapping[str, Verdict]) -> Rest:
    """Return what is left once further atoms are decided."""
    if isinstance(rest, str):
        return verdicts.get(rest, rest)
    if isinstance(rest, tuple):
        return _junction(rest[0], map(partial(_decided, verdicts=verdicts), rest[1]))
    return rest


def _junction(kind: str, members: Iterable[Rest]) -> Rest:
    """Combine what is left of members in strong Kleene logic, in one form for what is the same."""
    if kind == "not":
        (member,) = members
        if isinstance(member, tuple) and member[0] == "not":
            return next(iter(member[1]))
        return (
            ("not", frozenset({member})) if isinstance(member, (str, tuple)) else None if member is None else not member
        )
    absorbing = kind == "any"
    left: set[Rest] = set()
    for member in members:
        if member is absorbing:
            return absorbing
        if isinstance(member, tuple) and member[0] == kind:
            left |= member[1]
        elif member is not (not absorbing):
            left.add(member)
    if not left:
        return not absorbing
    return next(iter(left)) if len(left) == 1 else (kind, frozenset(left))


def _texts(rest: Rest) -> Iterator[str]:
    if isinstance(rest, str):
        yield rest
    elif isinstance(rest, tuple):
        for member in sorted(rest[1], key=repr):
            yield from _texts(member)
