"""Where a switch of ``semantics`` can make a difference: contacts worth trying, and boxes that hold all others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Unknown
from dialproof.analysis.campaign import atoms_of
from dialproof.analysis.domain import Cell
from dialproof.analysis.effects import OF_THE_CALL
from dialproof.analysis.pairs import bits, sharing
from dialproof.analysis.passes import Starts, wide_regions
from dialproof.analysis.regions import Region, intersect, meetings
from dialproof.analysis.witness import scene_of
from dialproof.cel.text import condition_text
from dialproof.cel.values import Variable, compile_pattern, fold, read_text
from dialproof.model.actions import action_types
from dialproof.model.rules import Condition, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dialproof.analysis.atoms import Atom
    from dialproof.analysis.regions import Box
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene

__all__ = ["Suspects", "suspects"]

_UNSEEN = OF_THE_CALL | {"dial"}
"""What actions write that nobody sees of a contact that is not dialed anyway."""
_CASES = 16
"""Ways to write a text in another case that are tried."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """Contacts to try, boxes outside of which nothing can differ, and values to look at (see ``Contrast``)."""

    likely: Iterable[Scene] = ()
    boxes: Iterable[Box] = ()
    choices: Mapping[Variable, Sequence[Cell]] = field(default_factory=dict)
    opened: Unknown | None = None


def suspects(runs: Runs, switch: str) -> Suspects:
    """Return where a switch can make a difference to a run of one category."""
    if switch in ("undecided", "caseSensitive") and not runs.analysis.campaign.contact_list.declared:
        return Suspects()  # nothing says which values are blank or in another case: all would be
    if switch == "undecided":
        return Suspects(_scenes(runs, _undecided(runs)), _undecided(runs))
    if switch == "caseSensitive":
        return _in_another_case(runs)
    if runs.analysis.campaign.hit_policy == "first" and switch != "tieBreak":
        return Suspects()  # nobody sees what is written, and every rule ends the run
    pairs = {"laterRulesSeeUpdates": _fed, "doNotDialStops": _behind_stops, "tieBreak": _tied}[switch](runs)
    if not any(pairs):
        return Suspects()
    acting = [runs.acting(i) for i in range(len(runs.rules))]
    wide = wide_regions(runs)
    met = sharing(wide, wide)
    pairs = [a & b for a, b in zip(pairs, met, strict=True)]
    return Suspects(
        _scenes(runs, _meetings(runs, pairs, acting, freely=switch == "laterRulesSeeUpdates")),
        (box for one, mask in enumerate(pairs) for other in bits(mask) for box in meetings([wide[one], wide[other]])),
    )


def _scenes(runs: Runs, boxes: Iterable[Box]) -> Iterator[Scene]:
    starts = Starts(runs)
    for box in boxes:
        assignment = runs.representative(box)
        if assignment is not None:
            yield starts.scene_at(assignment)


def _meetings(runs: Runs, pairs: list[int], acting: list[Region], *, freely: bool) -> Iterator[Box]:
    """Yield one box in which both rules of each pair act; ``freely``: the second one but for what the first writes."""
    for one, mask in enumerate(pairs):
        for other in bits(mask):
            behind = acting[other]
            if freely:
                part = runs.analysis.part(runs.rules[other])
                behind = runs.analysis.region_of(part, "true", runs.sets[one])
            yield from islice(meetings([acting[one], acting[other]]), 1)
            yield from islice(meetings([acting[one], behind]), 1)


def _undecided(runs: Runs) -> Iterator[Box]:
    """Yield the contacts on which a rule is undecided when the run comes to it."""
    for index, rule in enumerate(runs.rules):
        written = runs.written_before[index] & runs.reads[index]
        part = runs.analysis.part(rule)
        if written or any(_may_be_undecided(runs, atom) for atom in atoms_of(part)):
            not_true, not_false = (runs.analysis.region_of(part, want, written) for want in ("not true", "not false"))
            yield from intersect(not_true, not_false).boxes


def _may_be_undecided(runs: Runs, atom: Atom) -> bool:
    columns = runs.analysis.campaign.contact_list.columns
    if all(v.source == "contact" and v.name not in columns for v in atom.axes):
        return False  # nothing is known of a column that the contact list leaves out (DP105)
    if atom.program is not None and atom.program.compiled is not None and not atom.program.compiled.nullable:
        return False
    axis = runs.analysis.axes.get(atom.axes[0]) if len(atom.axes) == 1 else None
    if axis is None or atom.text not in axis.masks:
        return True
    _, undecided, unknown = axis.masks[atom.text]
    return bool(unknown or undecided)


def _fed(runs: Runs) -> list[int]:
    """Return for each rule the bitset of the later rules that read a column which it writes."""
    readers: dict[Variable, int] = {}
    for index, read in enumerate(runs.reads):
        for variable in read:
            readers[variable] = readers.get(variable, 0) | 1 << index
    result = []
    for index, written in enumerate(runs.sets):
        found = 0
        for variable in written:
            found |= readers.get(variable, 0)
        result.append(found >> index + 1 << index + 1)
    return result


def _behind_stops(runs: Runs) -> list[int]:
    """Return for each rule with doNotDial the bitset of the later rules of which something is seen without a call."""
    table = action_types()
    seen = sum(
        1 << index
        for index, rule in enumerate(runs.rules)
        if any(table[action.type].writes not in _UNSEEN for action in rule.actions)
    )
    return [
        seen >> index + 1 << index + 1 if any(a.type == "doNotDial" for a in rule.actions) else 0
        for index, rule in enumerate(runs.rules)
    ]


def _tied(runs: Runs) -> list[int]:
    """Return for each rule the bitset of the later rules with the same execution order."""
    of_order: dict[int, int] = {}
    for index, rule in enumerate(runs.rules):
        of_order[rule.execution_order] = of_order.get(rule.execution_order, 0) | 1 << index
    return [of_order[rule.execution_order] >> index + 1 << index + 1 for index, rule in enumerate(runs.rules)]


# Text in another case.


def _in_another_case(runs: Runs) -> Suspects:
    """Return the rules with conditions that are another expression under the other setting of caseSensitive.

    What surrounds a call is written by the platform itself, which is the same each time.
    """
    columns, sensitive = runs.analysis.campaign.contact_list, runs.analysis.semantics.caseSensitive
    known = {v.name for v in runs.analysis.axes if v.source == "contact" and v.name in columns.columns}
    affected: dict[int, list[Condition]] = {}
    compared: dict[Variable, dict[str, Condition]] = {}
    for index, rule in enumerate(runs.rules):
        for leaf in leaves(rule.conditions):
            program = runs.analysis.evaluator.leaf(leaf)
            if not isinstance(leaf, Condition) or leaf.source != "contact" or leaf.subject not in known:
                continue
            text = condition_text(leaf, columns, case_sensitive=not sensitive)
            if program.ast is not None and text != program.cel:
                affected.setdefault(index, []).append(leaf)
                compared.setdefault(_variable(leaf), {}).setdefault(text + program.cel, leaf)
    spelled = {v: _Spelling(runs, v, tuple(found.values())) for v, found in compared.items()}
    if not any(spelling.differs for spelling in spelled.values()):
        return Suspects()
    free = frozenset(spelled)
    regions = (runs.analysis.region_of(runs.analysis.part(runs.rules[i]), "not false", free) for i in affected)
    return Suspects(
        _likely_in_another_case(runs, affected, spelled),
        (box for region in regions for box in region.boxes),
        {variable: spelling.cells for variable, spelling in spelled.items()},
        next((s.open for s in spelled.values() if s.open is not None), None),
    )


def _likely_in_another_case(
    runs: Runs, affected: Mapping[int, list[Condition]], spelled: Mapping[Variable, _Spelling]
) -> Iterator[Scene]:
    """Yield contacts on which a rule acts, with one of its texts in another case."""
    starts = Starts(runs)
    for index, found in affected.items():
        for box in runs.acting(index).boxes[:2]:
            assignment = runs.representative(box)
            for leaf in found if assignment is not None else ():
                assert assignment is not None
                for text in _texts(leaf)[:2]:
                    for other in spelled[_variable(leaf)].of(text)[:1]:
                        yield starts.scene_at(assignment, {_variable(leaf): Cell("value", other)})


def _variable(leaf: Condition) -> Variable:
    return Variable("contact", leaf.subject)


def _texts(leaf: Condition) -> tuple[str, ...]:
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    return tuple(text for value in values if (text := read_text(value)))


class _Spelling:
    """The texts of one column that conditions compare, and how else contacts may write them.

    ``open`` is None where the cells stand for every text of the column under both settings.
    """

    def __init__(self, runs: Runs, variable: Variable, compared: Sequence[Condition]) -> None:
        analysis = runs.analysis
        self._column = analysis.columns[variable]
        self._constants = frozenset(text for leaf in compared for text in _texts(leaf))
        own = [cell for cell in analysis.axes[variable].cells if cell.kind != "rest"]
        self.open: Unknown | None = None
        self.cells: Sequence[Cell] = own
        if self._column.enum is not None or self._column.type != "string":
            self.differs = any(_tells_apart(runs, leaf, variable, cell) for leaf in compared for cell in own)
            return
        texts = dict.fromkeys(other for text in sorted(self._constants) for other in self.of(text))
        atoms = dict.fromkeys(a for r in runs.rules for a in atoms_of(analysis.part(r)) if variable in a.axes)
        if not all(map(_compares_whole_texts, atoms)):
            self.open = Unknown(f"not every way to write {variable.name} in another case was tried", "texts")
            written = [cell.value for cell in own if isinstance(cell.value, str)]
            texts.update(dict.fromkeys(other for text in written for other in self.of(text)))
        self.differs = bool(texts) or self.open is not None
        texts.update(dict.fromkeys(sorted(self._constants)))
        there = {cell.value for cell in own if isinstance(cell.value, str)}
        self.cells = (*own, *(Cell("value", text) for text in texts if text not in there))

    def of(self, text: str) -> list[str]:
        """Return values of the column that are the same text in another case, and that no condition names."""
        if self._column.enum is not None:
            return [v for v in map(read_text, self._column.enum) if v != text and fold(v) == fold(text)]
        pattern = None if self._column.pattern is None else compile_pattern(self._column.pattern)
        return [
            other
            for other in _other_cases(text)
            if other not in self._constants and (pattern is None or pattern.fullmatch(other) is not None)
        ]


def _tells_apart(runs: Runs, leaf: Condition, variable: Variable, cell: Cell) -> bool:
    """Tell whether the two settings come to another verdict of a condition on a cell."""
    analysis = runs.analysis
    switched = replace(analysis.semantics, caseSensitive=not analysis.semantics.caseSensitive)
    other = analysis.evaluator.under(switched)
    scene = scene_of([(variable, cell)], analysis.columns, analysis.campaign.contact_list.columns)
    view = analysis.evaluator.view(scene.contact, context=scene.context, now=scene.now)
    return analysis.evaluator.leaf(leaf).verdict(view) is not other.leaf(leaf).verdict(view)


def _compares_whole_texts(atom: Atom) -> bool:
    return (
        len(atom.axes) == 1
        and not atom.opaque
        and all(cut.how == "point" and cut.reading in ("text", "folded") for cut in atom.cuts)
        and all(reading in ("text", "folded") for reading in atom.readings)
    )


def _other_cases(text: str) -> list[str]:
    """Return ways to write a text in another case, the most usual first."""
    made = [text.swapcase(), text.lower(), text.upper(), text.capitalize()]
    made += [text[:i] + letter.swapcase() + text[i + 1 :] for i, letter in enumerate(text[:_CASES])]
    made += [text.replace(*pair, 1) for pair in (("s", "\u017f"), ("S", "\u017f"), ("k", "\u212a"), ("K", "\u212a"))]
    return [other for other in dict.fromkeys(made) if other != text and fold(other) == fold(text)]
