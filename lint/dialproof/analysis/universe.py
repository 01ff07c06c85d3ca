"""What values a variable can have: single ones, and a line of ordered ones with the meaning of constants on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from dialproof.analysis.lines import DAY, InstantLine, NumberLine, TextLine
from dialproof.analysis.patterns import examples
from dialproof.cel.values import (
    from_micros,
    number_text,
    parse_datetime,
    parse_number,
    read_boolean,
    read_number,
    read_text,
)
from dialproof.view import ANALYSIS_NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from dialproof.analysis.atoms import Atom, Cut
    from dialproof.analysis.languages import CellLine
    from dialproof.model.contactlist import Column

__all__ = [
    "FIRST_INSTANT",
    "LAST_INSTANT",
    "Cell",
    "Line",
    "Universe",
    "fitting",
    "may_hold",
    "render_instant",
    "universe_of",
]

_T = TypeVar("_T")

Line: TypeAlias = "NumberLine | InstantLine | TextLine | CellLine"

FIRST_INSTANT, LAST_INSTANT = parse_datetime("0001-01-02") or 0, parse_datetime("9999-12-30") or 0
"""The instants that a column without bounds may hold: what a calendar has, whatever the time zone."""
_BOOLEAN_TEXTS = ("true", "True", "TRUE", "false", "False", "FALSE")
_SAMPLES = 60
"""Texts that are tried on behalf of conditions which no cell can hold (contains, matches)."""
_EXAMPLES = 4
"""Texts that are written for one pattern."""
_COMMON_TEXTS = ("n/a", "unknown", "none", "?", "x", "-", "(none)")
_MET = ("a", "b")
"""Texts that two columns which are compared with each other can both hold."""
_BESIDE = 12
"""Constants around which values of such columns are tried."""
_ENUMERATED = 1000
"""Numbers of a column that are taken one by one where its text is looked at."""
_JOINED = 100
"""Numbers of a column that are taken one by one where it is compared with another."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its kind, and the raw contact value that stands for it (None for blank).

    ``offset`` is set where the value is a distance from now in microseconds. A ``rest`` cell's value lies in it, but
    only conditions that are exact may be asked about it.
    """

    kind: Literal["value", "blank", "unreadable", "rest"]
    value: object = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Universe:
    """The values of one variable; ``thresholds`` gives those of a constant on the line, None where it has none there.

    ``members`` are values of the line to be taken one by one; ``relative`` where the line holds distances from now.
    ``familiar`` are values of the line that are preferred to made-up ones.
    ``exact`` where each cell is so small that a condition without a threshold has one verdict on it too, unless it is
    opaque.
    """

    singles: tuple[Cell, ...]
    line: Line | None
    cell: Callable[[object], Cell]
    thresholds: Callable[[Cut], list[float | str] | None]
    members: tuple[float, ...] = ()
    relative: bool = False
    exact: bool = False
    familiar: tuple[float | str, ...] = ()


def universe_of(
    column: Column,
    atoms: Sequence[Atom],
    *,
    declared: bool,
    shifted: bool,
    beside: Sequence[float | str] = (),
    familiar: Sequence[object] = (),
) -> Universe:
    """Return the values that ``column`` can have as far as ``atoms`` can tell them apart.

    ``declared``: the column's type was stated, so that unreadable values are no part of the domain. ``shifted``: rules
    count the column up or down. ``beside`` are constants of conditions that compare it with other columns: values
    around them are taken one by one, so that the columns meet. ``familiar`` are raw values to prefer.
    """
    singles: list[Cell] = [] if column.required else [Cell("blank")]
    if column.enum is not None:
        values = [v for v in column.enum if read_text(v) != ""]
        return Universe((*singles, *(Cell("value", v) for v in values)), None, _no_cell, _no_thresholds)
    if column.type == "boolean":
        singles += [Cell("value", True), Cell("value", False)]
        whole = _no_thresholds if declared else _no_texts
        return Universe((*singles, *_unreadable(declared, ())), None, _no_cell, whole)
    if column.type in ("integer", "number"):
        numbers = _numbers(column, atoms, singles, beside, declared=declared)
        return replace(numbers, familiar=_distinct(map(read_number, familiar)))
    if column.type in ("datetime", "date"):
        instants = _instants(column, atoms, singles, beside, declared=declared)
        # a distance from now tells nothing of the instants of contacts
        return instants if instants.relative else replace(instants, familiar=_distinct(map(_instant, familiar)))
    return _texts(column, atoms, singles, beside, tuple(map(read_text, familiar)), shifted=shifted)


def _instant(value: object) -> float | None:
    return parse_datetime(value) if isinstance(value, str) else None


def _distinct(values: Iterable[_T | None]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(v for v in values if v is not None))


def _no_cell(value: object) -> Cell:
    raise AssertionError(f"an enumerated variable has no line for {value!r}")


def _no_thresholds(cut: Cut) -> list[float | str] | None:  # noqa: ARG001
    return []


def _no_texts(cut: Cut) -> list[float | str] | None:
    return [] if cut.reading not in ("text", "folded") or cut.value == "" else None


def _unreadable(declared: bool, points: Iterable[str]) -> tuple[Cell, ...]:
    taken = set(points)
    return () if declared else (Cell("unreadable", next(t for t in _COMMON_TEXTS if t not in taken)),)


def _numbers(
    column: Column, atoms: Sequence[Atom], singles: list[Cell], beside: Sequence[float | str], *, declared: bool
) -> Universe:
    step = Fraction(1) if column.type == "integer" else None
    if column.decimals is not None and column.type == "number":
        step = Fraction(1, 10**column.decimals)
    low = float(column.min) if isinstance(column.min, (int, float)) else -math.inf
    high = float(column.max) if isinstance(column.max, (int, float)) else math.inf
    line = NumberLine(low, high, step)

    def thresholds(cut: Cut) -> list[float | str] | None:
        if cut.reading == "number":
            return [cut.value, line.after(float(cut.value))]
        if cut.reading in ("text", "folded"):
            number = parse_number(str(cut.value))
            if cut.how != "point":
                return None
            same = number is not None and number_text(number) == cut.value
            return [number, line.after(number)] if same and number is not None else []
        return []

    members = _near_numbers(beside)
    looked_at = any(a.opaque or any(thresholds(c) is None for c in a.cuts) for a in atoms)
    if (looked_at or beside) and step is not None and math.isfinite(low) and math.isfinite(high):
        first, last = math.ceil(Fraction(low) / step), math.floor(Fraction(high) / step)
        if last - first < (_ENUMERATED if looked_at else _JOINED):
            members += tuple(float(k * step) for k in range(first, last + 1))
    cells = (*singles, *_unreadable(declared, ()))
    return Universe(cells, line, lambda v: Cell("value", _plain(v)), thresholds, members)


def _plain(value: object) -> object:
    assert isinstance(value, float)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _near_numbers(beside: Sequence[float | str]) -> tuple[float, ...]:
    """Return numbers around constants, and a few small ones; none without constants."""
    numbers = [n for b in beside if (n := read_number(b)) is not None][:_BESIDE]
    near = [m for n in numbers for m in (n, n - 1, n + 1, n / 2)]
    return tuple(dict.fromkeys([1.0, 2.0, *near])) if beside else ()  # and what stands for all below is 0


def _near_instants(beside: Sequence[float | str], now: float) -> tuple[float, ...]:
    """Return instants a day around constants and around now; none without constants."""
    instants = [b if isinstance(b, (int, float)) else parse_datetime(b) for b in beside][:_BESIDE]
    return tuple(i + d for i in (now, *instants) if i is not None for d in (-DAY, 0, DAY)) if beside else ()


def _near_texts(beside: Sequence[float | str], fits: Callable[[str], bool] | None) -> tuple[str, ...]:
    """Return constants and texts behind them; none without constants."""
    texts = [b for b in beside if isinstance(b, str) and b][:_BESIDE]
    near = (*texts, *(t + "a" for t in texts), *_MET) if beside else ()
    return tuple(t for t in dict.fromkeys(near) if fits is None or fits(t))


def _instants(
    column: Column, atoms: Sequence[Atom], singles: list[Cell], beside: Sequence[float | str], *, declared: bool
) -> Universe:
    now = parse_datetime(ANALYSIS_NOW) or 0
    readings = {c.reading for a in atoms for c in a.cuts if c.value != ""}
    low, high = _bound(column.min, -math.inf), _bound(column.max, math.inf)
    ages = [int(c.value) for a in atoms for c in a.cuts if c.reading == "age"]
    # Ages alone are distances from now, whatever now is; beside fixed dates, and near a bound, they are not.
    relative = (
        readings == {"age"} and not any(a.opaque for a in atoms)
        and column.type == "datetime" and math.isinf(high) and low <= now - max(ages) - 60 * DAY
    )  # fmt: skip
    step = DAY if column.type == "date" else 1
    if relative:
        line = InstantLine(near=-30 * DAY)
    else:
        line = InstantLine(max(low, FIRST_INSTANT), min(high, LAST_INSTANT), step, now)

    def thresholds(cut: Cut) -> list[float | str] | None:
        if cut.reading == "timestamp":
            return [cut.value, line.after(float(cut.value))]
        if cut.reading == "age":
            return [-int(cut.value), 1 - int(cut.value)] if relative else None
        return None if cut.reading in ("text", "folded") and cut.value != "" else []

    def cell(value: object) -> Cell:
        assert isinstance(value, (int, float))
        if relative:
            return Cell("value", render_instant(now + int(value), column), int(value))
        return Cell("value", render_instant(int(value), column))

    near = [(now - age + off) // step * step for age in ages if not relative for off in (-step, 0, step)]
    extra = [Cell("value", render_instant(moment, column)) for moment in near if low <= moment <= high]
    members = () if relative else _near_instants(beside, now)
    cells = (*singles, *_unreadable(declared, ()), *extra)
    return Universe(cells, line, cell, thresholds, members, relative=relative)


def _bound(text: object, default: float) -> float:
    found = parse_datetime(text) if isinstance(text, str) else None
    return default if found is None else found


def may_hold(column: Column, value: object) -> bool:
    """Tell whether a value, not blank, is of the column's type and within its bounds, `enum` and `pattern`."""
    if column.enum is not None:
        return value in column.enum
    if column.type == "boolean":
        return read_boolean(value) is not None
    if column.type == "string":
        fits = fitting(column.pattern)
        return fits is None or fits(read_text(value))
    line = universe_of(column, (), declared=True, shifted=False).line
    place = read_number(value) if column.type in ("integer", "number") else _instant(value)
    assert isinstance(line, (NumberLine, InstantLine))
    return place is not None and line.low <= place <= line.high and line.at_or_above(place) == place


def render_instant(micros: int, column: Column) -> str:
    """Return an instant as the text a contact holds: RFC 3339, or the day alone for a date column."""
    moment = from_micros(micros)  # isoformat, because strftime writes no leading zeros of a year on every platform
    return moment.date().isoformat() if column.type == "date" else f"{moment.replace(tzinfo=None).isoformat()}Z"


def _texts(
    column: Column,
    atoms: Sequence[Atom],
    singles: list[Cell],
    beside: Sequence[float | str],
    familiar: Sequence[str],
    *,
    shifted: bool,
) -> Universe:
    cuts = [c for a in atoms for c in a.cuts]
    kinds = {c.reading for c in cuts} | {r for a in atoms for r in a.readings}
    fits = fitting(column.pattern)
    samples = tuple(t for t in [*_samples(atoms), *examples(column.pattern or "")] if t and (fits is None or fits(t)))
    if "number" in kinds or shifted or "timestamp" in kinds or "age" in kinds or "boolean" in kinds:
        numbers = "number" in kinds or shifted
        return _typed_texts(column, cuts, kinds, samples, singles, beside, familiar, numbers=numbers)
    familiar = tuple(t for t in familiar if fits is None or fits(t))
    ordered = [c.reading for c in cuts if c.interval and c.value != ""]
    folded = 2 * ordered.count("folded") > len(ordered)  # the order that more conditions look at

    def thresholds(cut: Cut) -> list[float | str] | None:
        text = str(cut.value)
        if not cut.interval or ((cut.reading == "folded") != folded and text):
            return None
        if cut.how == "prefix":
            after = TextLine.after_prefix(text)
            return [text] if after is None else [text, after]
        return [text, text + "\0"] if text else []

    points = (*(samples if any(a.opaque for a in atoms) else ()), *_near_texts(beside, fits))
    line = TextLine(fits, samples, folded)
    mixed = any(thresholds(c) is None for c in cuts)
    found = [t for c in cuts for t in thresholds(c) or ()] if fits is not None else []
    if mixed or any(representative is None for _, _, representative in line.cells(found)):  # type: ignore[arg-type]
        exact = _exact_texts(cuts, column.pattern if fits is not None else None, folded, points, (*familiar, *samples))
        if exact is not None:
            return Universe(
                tuple(singles), exact, lambda v: Cell("value", v), thresholds, exact=True, familiar=familiar
            )
        points = (*samples, *points) if mixed else points
    cells = (*singles, *(Cell("value", t) for t in points))
    return Universe(cells, line, lambda v: Cell("value", v), thresholds, familiar=familiar)


def _exact_texts(
    cuts: Sequence[Cut], pattern: str | None, folded: bool, points: Sequence[str], hints: Sequence[str]
) -> CellLine | None:
    """Return the texts cut by every condition on them, None where that is too much."""
    from dialproof.analysis.languages import InexactError, cells_of_texts

    try:
        return cells_of_texts(cuts, pattern, folded=folded, points=points, hints=hints)
    except InexactError:
        return None


def _typed_texts(
    column: Column,
    cuts: Sequence[Cut],
    kinds: Collection[str],
    samples: tuple[str, ...],
    singles: list[Cell],
    beside: Sequence[float | str],
    familiar: Sequence[str],
    *,
    numbers: bool,
) -> Universe:
    """Return the values of a text column read as numbers (else instants); what is compared as text is single values."""
    fits = fitting(column.pattern)
    points = [str(c.value) for c in cuts if c.reading in ("text", "folded") and c.interval and c.value != ""]
    if "boolean" in kinds:
        points += _BOOLEAN_TEXTS
    points = [p for p in dict.fromkeys([*points, *samples]) if fits is None or fits(p)]
    taken = frozenset(points)
    line: NumberLine | InstantLine = NumberLine() if numbers else InstantLine(FIRST_INSTANT, LAST_INSTANT)

    def thresholds(cut: Cut) -> list[float | str] | None:
        if cut.reading == ("number" if numbers else "timestamp"):
            return [cut.value, line.after(cut.value)]  # type: ignore[arg-type]
        if cut.reading != "text" or cut.how != "point":
            return None
        number = parse_number(str(cut.value))
        return [number, line.after(number)] if numbers and number is not None else []

    def cell(value: object) -> Cell:
        assert isinstance(value, (int, float))
        if numbers:
            plain = number_text(float(value))
            whole = plain if "." in plain else f"{plain}.0"
            spellings = [plain, *(whole + "0" * i for i in range(len(taken) + 1))]
        else:
            instant = render_instant(int(value), column)
            spellings = [instant, f"{instant[:-1]}+00:00", f"{instant[:-1]}.0Z"]
        allowed = [s for s in spellings if s not in taken and (fits is None or fits(s))]
        return Cell("value", allowed[0]) if allowed else Cell("rest", spellings[-1])

    unreadable = [t for t in (*_COMMON_TEXTS, "~") if t not in taken and (fits is None or fits(t))]
    rest = Cell("unreadable", unreadable[0]) if unreadable else Cell("rest", "~")
    members = _near_numbers(beside) if numbers else _near_instants(beside, _bound(ANALYSIS_NOW, 0))
    known: tuple[float, ...] = _distinct(map(read_number if numbers else _instant, familiar))
    cells = (*singles, *(Cell("value", p) for p in points), rest)
    return Universe(cells, line, cell, thresholds, members, familiar=known)


def _samples(atoms: Sequence[Atom]) -> list[str]:
    """Return texts made of the constants of conditions that cells cannot hold: alone, joined in pairs, and around."""
    patterns = dict.fromkeys(str(c.value) for a in atoms for c in a.cuts if c.how == "pattern")
    written = [e for p in patterns for e in examples(p)[:_EXAMPLES]]
    needles = list(dict.fromkeys(n for n in (*(n for a in atoms for n in a.needles), *written) if n))
    if not any(a.opaque or not all(c.interval for c in a.cuts) for a in atoms):
        return needles[:_SAMPLES]
    simple = list(dict.fromkeys([*needles, *(n.strip("^$") for n in needles)]))
    made = [t for n in simple[:12] for t in (n, f"{n}x", f"x{n}", f"x{n}x")]
    made += [a + b for a, b in permutations(simple[:8], 2)]
    made += ["".join(simple[:8]), "TX", "5", "1234", "+13035550100", "ann@example.com", "x"]
    return list(dict.fromkeys(t for t in made if t))[: 4 * _SAMPLES]


def fitting(pattern: str | None) -> Callable[[str], bool] | None:
    """Return whether a text fits a column's pattern as a whole; None without one."""
    if pattern is None:
        return None
    import re2

    try:
        compiled = re2.compile(pattern)
    except re2.error:
        return None

    def fits(text: str) -> bool:
        return compiled.fullmatch(text) is not None

    return fits
