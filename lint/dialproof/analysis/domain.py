"""The domain of one variable, cut into cells on each of which every condition has one verdict.

An axis lists single values first (blank, an unreadable text, the values of an enum, constants that are compared as text
with a column that is read as a number), then the intervals of a line between all constants, each with a representative
that reads like real data. What a condition says about a cell is asked of its program on the representative. Where a
condition may change its verdict inside an interval (contains, matches, arithmetic), the interval gets a *rest* cell
without a representative, on which such a condition may be anything: nothing is proved from a rest cell, and no witness
is taken from it.

Columns that rules count up or down: whether a later condition holds depends on ``x + s``. The thresholds are therefore
pulled back through every sequence of changes that can run before it (rounding included), so that for all contacts
of one product of cells the same rules match in the whole run. By induction over the rules: given equal verdicts so far,
the same writes ran, so each column holds the same constant or the first value changed by the same sequence, and
every threshold of the next rule, pulled back, is a cut.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dialproof.analysis.answers import Unknown
from dialproof.analysis.atoms import DAY_OF_CALL
from dialproof.analysis.lines import DAY, InstantLine, NumberLine, TextLine, smallest_reaching
from dialproof.analysis.pairs import bits, bitset
from dialproof.analysis.universe import Cell, Universe
from dialproof.cel.values import fold, from_micros, parse_datetime
from dialproof.view import ANALYSIS_NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialproof.analysis.atoms import Atom
    from dialproof.analysis.universe import Line
    from dialproof.cel.values import Variable

__all__ = ["Axis", "Cell", "Want", "build_axis", "build_clock_axis"]

Want: TypeAlias = Literal["true", "false", "not true", "not false"]
"""Which contacts: those on which a condition is true, is false, or is anything but that (undecided included)."""

Ask: TypeAlias = "Callable[[Atom, Cell], bool | None]"

_Base: TypeAlias = tuple[Any, Any, Any]
"""A cell of a line: its first value, the first one above it (None: no end), and the one that stands for it if any."""

_THRESHOLDS = 20_000
"""Cuts of one axis, beyond which pulling back through counting rules is given up."""


@dataclass
class Axis:
    """The cells of one variable and, for each atom over it, on which of them it is true, false, undecided or unknown.

    Masks are integers with one bit a cell; ``masks`` holds for each atom (by its text) where it is true, where it is
    undecided, and where its verdict is not known: everywhere else it is false. ``real`` are the cells with a
    representative; ``stable`` is False where a run of the rules may differ inside a cell because counting was not
    followed; ``relative`` where the cells are distances from now; ``single`` where each cell is one value, so that
    other columns can be compared with it. ``lows`` are the lower ends of the cells of the line, the first of which is
    the cell ``first``.
    """

    variable: Variable
    cells: tuple[Cell, ...]
    masks: dict[str, tuple[int, int, int]] = field(repr=False)
    stable: bool = True
    full: int = 0
    real: int = 0
    relative: bool = False
    first: int = 0
    lows: tuple[float | str, ...] = ()
    single: bool = False
    familiar: int = 0

    def mask(self, atom: Atom, want: Want) -> int:
        """Return the cells on which ``atom`` may be as wanted: exactly those, and the rest cells it is open on."""
        true, undecided, unknown = self.masks[atom.text]
        if want == "true":
            return true | unknown if unknown else true
        if want == "not true":
            return self.full & ~true
        return self.full & ~(true | undecided) if want == "false" else true | undecided | unknown

    def verdicts(self, text: str) -> tuple[int, int, int]:
        """Return the cells on which an atom is true, those on which it is false, and those where it is not known."""
        true, undecided, unknown = self.masks[text]
        return true, self.full & ~(true | undecided | unknown), unknown

    @cached_property
    def usual(self) -> int:
        """The cells a witness is taken from where nothing else is asked: a value, and few conditions true on it."""
        chosen = (self.full & ~self._odd) or self.real
        for true, _, _ in self.masks.values():
            chosen = chosen & ~true or chosen
        return chosen & self.familiar or chosen

    def pick(self, mask: int) -> int:
        """Return the position of a cell of ``mask`` that has a representative, the most usual one; -1 if none has."""
        mask &= self.real
        values = mask & self.usual or mask & self.familiar or mask & ~self._odd or mask
        return (values & -values).bit_length() - 1

    @cached_property
    def _odd(self) -> int:
        return bitset(c.kind != "value" for c in self.cells)

    @staticmethod
    def positions(mask: int) -> list[int]:
        """Return the positions of the cells of ``mask``."""
        return list(bits(mask))

    @property
    def hollow(self) -> Unknown:
        """What to say where a cell without a representative is left."""
        return Unknown(f"no value that was tried stands for all of {self.variable.name}", "texts")


def build_axis(
    variable: Variable, universe: Universe, atoms: Sequence[Atom], ask: Ask, changes: Sequence[float]
) -> Axis:
    """Cut a universe at the constants of ``atoms`` and ask each atom about each cell.

    ``changes`` are the amounts by which rules count the variable up or down, in execution order. An atom that compares
    with constants only is asked once for each stretch between its own thresholds.
    """
    own: dict[str, list[float | str] | None] = {}
    for atom in atoms:
        # Beside fixed dates (or in an enum) an age depends on the clock as well: what holds now proves nothing.
        drifts = "age" in atom.readings and not universe.relative
        found: list[float | str] | None = None if atom.opaque or drifts else []
        for cut in atom.cuts:
            cuts = universe.thresholds(cut)
            found = None if found is None or cuts is None else [*found, *cuts]
        own[atom.text] = found
    line = universe.line
    thresholds = {t for cuts in own.values() for t in cuts or ()}
    for atom in atoms:  # cuts of atoms that are only sampled still make for useful representatives
        thresholds.update(t for cut in atom.cuts for t in universe.thresholds(cut) or ())
    stable = True
    if isinstance(line, (NumberLine, InstantLine)):
        for value in universe.members:
            thresholds |= {value, line.after(value)}
    if isinstance(line, NumberLine):
        thresholds, stable = _pulled_back(line, thresholds, changes)
    bases = [] if line is None else _preferring(universe.familiar, line, list(line.cells(thresholds)))  # type: ignore[arg-type]
    cells = list(universe.singles)
    lows: list[float | str] = []
    points: list[bool] = []
    for low, high, representative in bases:
        assert isinstance(low, (int, float, str))
        lows.append(low)
        cell = Cell("rest", low) if representative is None else universe.cell(representative)
        # A number read from text has many spellings, so that its cell is no point for conditions on the text.
        typed_text = isinstance(representative, float) and isinstance(cell.value, str)
        points.append(line.is_point(low, high) and not typed_text)  # type: ignore[union-attr,arg-type]
        cells.append(cell)
    first = len(universe.singles)
    exact = {a.text: own[a.text] is not None or (universe.exact and not a.opaque) for a in atoms}
    sampled = not all(exact.values())
    drifting = any("age" in a.readings for a in atoms) and not universe.relative
    rests = [
        i
        for i, c in enumerate(cells)
        if c.kind in ("unreadable", "rest")
        or (c.kind == "value" and drifting)
        or (i >= first and not points[i - first])
    ]
    rests = rests if sampled else []
    cells += [Cell("rest", cells[i].value, cells[i].offset) for i in rests]
    axis = Axis(variable, tuple(cells), {}, stable and not (sampled and bool(changes)))
    axis.relative = universe.relative
    axis.first, axis.lows = first, tuple(lows)
    axis.single = all(points) and all(c.kind in ("value", "blank") for c in cells)
    axis.full = (1 << len(cells)) - 1
    axis.real = bitset(c.kind != "rest" for c in cells)
    known = set(universe.familiar)
    axis.familiar = axis.real & bitset(value in known for _, _, value in bases) << first
    rest_of = {base: len(cells) - len(rests) + k for k, base in enumerate(rests)}
    for atom in atoms:
        cuts, sure = own[atom.text], exact[atom.text]
        axis.masks[atom.text] = _masks(atom, cuts, cells, first, lows, rest_of, ask, sure=sure)
    return axis


def _preferring(familiar: Sequence[float | str], line: Line, bases: list[_Base]) -> list[_Base]:
    """Return the cells of a line, each with the first familiar value in it, if there is one, to stand for it."""
    if not isinstance(line, (NumberLine, InstantLine, TextLine)):  # a CellLine, which was made with them
        return bases
    lows = [low for low, _, _ in bases]
    for value in reversed(familiar):
        place: Any = value
        if isinstance(line, TextLine):
            place = fold(place) if line.folded else place
        elif line.at_or_above(place) != place:
            continue
        index = bisect_right(lows, place) - 1
        if index >= 0 and (bases[index][1] is None or place < bases[index][1]):
            bases[index] = (*bases[index][:2], value)
    return bases


def _masks(
    atom: Atom,
    thresholds: list[float | str] | None,
    cells: list[Cell],
    first: int,
    lows: list[float | str],
    rest_of: dict[int, int],
    ask: Ask,
    *,
    sure: bool,
) -> tuple[int, int, int]:
    """Return (true, undecided, unknown) cells of one atom; ``sure``: its verdict is the same everywhere in a cell."""
    masks: dict[bool | None, int] = {True: 0, False: 0, None: 0}
    unknown = 0
    if thresholds is None:
        for position, cell in enumerate(cells[: len(cells) - len(rest_of)]):
            here, rest = 1 << position, 1 << rest_of[position] if position in rest_of else 0
            if cell.kind == "rest":
                unknown |= here | rest
            else:
                masks[ask(atom, cell)] |= here | rest if sure else here
                unknown |= 0 if sure else rest
        return masks[True], masks[None], unknown
    for position in range(first):
        verdict = ask(atom, cells[position])
        masks[verdict] |= 1 << position
        if position in rest_of:
            masks[verdict] |= 1 << rest_of[position]
    if not lows:
        return masks[True], masks[None], 0
    starts = sorted({0, *(bisect_left(lows, t) for t in thresholds)} - {len(lows)})
    # Rest cells stand in the order of their intervals, so a stretch of intervals has a stretch of rest cells.
    with_rest = sorted(b - first for b in rest_of if b >= first)
    offset = min((r for b, r in rest_of.items() if b >= first), default=0)
    asked = [ask(atom, cells[first + start]) for start in starts]
    for verdict, same in groupby(zip(asked, starts, [*starts[1:], len(lows)], strict=True), key=itemgetter(0)):
        if verdict is False:  # which is what the others leave over
            continue
        (_, start, end), *others = same
        end = others[-1][2] if others else end
        masks[verdict] |= ((1 << (end - start)) - 1) << (first + start)
        if with_rest:
            begin, stop = bisect_left(with_rest, start), bisect_left(with_rest, end)
            masks[verdict] |= ((1 << (stop - begin)) - 1) << (offset + begin)
    return masks[True], masks[None], unknown


def _pulled_back(
    line: NumberLine, thresholds: set[float | str], changes: Sequence[float]
) -> tuple[set[float | str], bool]:
    """Return the thresholds with those that counting rules make of them, and whether all of them are there."""
    # Only where whole numbers stay whole numbers may the thresholds between two changes be rounded up to the grid:
    # 0.1 + 0.2 is no multiple of 0.1.
    whole = line.step == 1 and all(float(change).is_integer() for change in changes)
    found = {line.at_or_above(float(t)) if whole or not changes else float(t) for t in thresholds}
    for change in reversed(changes):
        earlier = (smallest_reaching(t, change) for t in found)
        found = found | {line.at_or_above(t) if whole else t for t in earlier}
        if len(found) > _THRESHOLDS:
            return set(found), False
    return set(found), True


def build_clock_axis(variable: Variable, atoms: Sequence[Atom], ask: Ask) -> Axis:
    """Return the axis of the time (minutes) or the day of the call: equal cells are merged.

    Days range over the years 2000 to 2060 (28 of them hold every combination of weekday, day of the month and leap
    year) and the years around every date that is compared with.
    """
    sampled = any(a.opaque or not all(c.interval for c in a.cuts) for a in atoms)
    now = parse_datetime(ANALYSIS_NOW) or 0
    moments = [now // DAY * DAY + minute * 60_000_000 for minute in range(1440)]
    if variable == DAY_OF_CALL:
        moments = _days(now, atoms, every=sampled)
    groups: dict[tuple[bool | None, ...], Cell] = {}
    for moment in moments:
        cell = Cell("value", moment)
        groups.setdefault(tuple(ask(a, cell) for a in atoms), cell)
    cells = list(groups.values())
    masks: dict[str, tuple[int, int, int]] = {}
    for index, atom in enumerate(atoms):
        by_verdict = {True: 0, False: 0, None: 0}
        for position, signature in enumerate(groups):
            by_verdict[signature[index]] |= 1 << position
        masks[atom.text] = (by_verdict[True], by_verdict[None], 0)
    axis = Axis(variable, tuple(cells), masks)
    axis.full = axis.real = (1 << len(cells)) - 1
    return axis


def _days(now: int, atoms: Sequence[Atom], *, every: bool) -> list[int]:
    """Return one day (in microseconds) for each combination that conditions on it can tell apart, today first."""
    cuts = sorted({t for a in atoms for c in a.cuts if isinstance(c.value, str) for t in _around(str(c.value), c.how)})
    years = [int(t[:4]) for t in cuts if t[:4].isdigit() and 1 < int(t[:4]) < 9000]
    first, last = min([2000, *(y - 1 for y in years)]), max([2060, *(y + 1 for y in years)])
    start, end = parse_datetime(f"{first:04d}-01-01") or 0, parse_datetime(f"{last:04d}-12-31") or 0
    today = now // DAY * DAY
    found: dict[object, int] = {}
    for day in (*range(today, end + 1, DAY), *range(start, today, DAY)):
        moment = from_micros(day)
        text = f"{moment:%Y-%m-%d}"
        key = text if every else (moment.isoweekday(), moment.day, bisect_left(cuts, text + "\0"))
        found.setdefault(key, day)
    return list(found.values())


def _around(text: str, how: str) -> tuple[str, ...]:
    after = TextLine.after_prefix(text) if how == "prefix" else text + "\0"
    return (text,) if after is None else (text, after)
