"""From cells to a contact that can be run: column values, the context of the call, and the clock."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from dialproof.analysis.atoms import DAY_OF_CALL, TIME_OF_CALL
from dialproof.analysis.lines import DAY
from dialproof.analysis.universe import render_instant
from dialproof.cel.values import MISSING, from_micros, parse_datetime
from dialproof.findings import DeferredWitness, Witness
from dialproof.view import ANALYSIS_NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from dialproof.analysis.domain import Cell
    from dialproof.cel.values import Variable
    from dialproof.model.contactlist import Column
    from dialproof.outcome import Outcome

__all__ = ["Scene", "put", "replaced", "scene_of", "shown_by"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a run is given: the contact, the context of the call, and the clock (RFC 3339, UTC)."""

    contact: Mapping[str, object]
    context: Mapping[str, object]
    now: str


def shown_by(
    found: Callable[[], Scene],
    outcomes: Callable[[Scene], tuple[Outcome, Outcome | None]],
    labels: tuple[str, str] = ("outcome", "other"),
) -> Witness:
    """Return a witness whose contact is made, run and held against what it is to show when somebody looks at it."""

    def make() -> Witness:
        scene = found()
        one, other = outcomes(scene)
        return Witness(scene.contact, scene.context, scene.now, one, other, labels)

    return DeferredWitness(make)


def scene_of(
    cells: Iterable[tuple[Variable, Cell]], columns: Mapping[Variable, Column], names: Collection[str] = ()
) -> Scene:
    """Return the contact, context and clock that a cell of each variable stands for.

    Times of the clock come first, so that ages (distances from now) are measured from the moment that was chosen.
    ``names`` are all columns; a dotted column becomes a nested mapping unless a column hides the path.
    """
    chosen = list(cells)
    now = _moment(dict(chosen))
    contact: dict[str, object] = {}
    context: dict[str, object] = {}
    for variable, cell in chosen:
        if variable.source == "now" or cell.kind == "blank":
            continue
        value = cell.value if cell.offset is None else render_instant(now + cell.offset, columns[variable])
        if variable.source == "contact":
            put(contact, variable.name, value, names)
        else:
            put(context, variable.name, value, ())
    return Scene(contact, context, _clock(now))


@lru_cache(maxsize=64)  # nearly all scenes have the same one
def _clock(now: int) -> str:
    return f"{from_micros(now):%Y-%m-%dT%H:%M:%SZ}"


def _moment(cells: Mapping[Variable, Cell]) -> int:
    now = _NOW
    day, time = now // DAY * DAY, now % DAY
    if DAY_OF_CALL in cells:
        value = cells[DAY_OF_CALL].value
        assert isinstance(value, int)
        day = value // DAY * DAY
    if TIME_OF_CALL in cells:
        value = cells[TIME_OF_CALL].value
        assert isinstance(value, int)
        time = value % DAY
    return day + time


_NOW = parse_datetime(ANALYSIS_NOW) or 0


def put(target: dict[str, object], name: str, value: object, names: Collection[str]) -> None:
    """Give a column its value: under its path, or under its whole name where a column of ``names`` hides the path."""
    if "." not in name:
        target[name] = value
        return
    parts = _parts(name)
    if any(start in names for start in parts[1]):
        target[name] = value
        return
    for part in parts[0][:-1]:
        inner = target.setdefault(part, {})
        assert isinstance(inner, dict)
        target = inner
    target[parts[0][-1]] = value


def replaced(contact: Mapping[str, object], name: str, value: object, names: Collection[str]) -> dict[str, object]:
    """Return a copy of a contact with another value in a column, wherever it stood; MISSING takes it away."""
    result: dict[str, object] = deepcopy(dict(contact))
    inner: object = result
    *path, last = name.split(".")
    for part in path:
        inner = inner.get(part) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(last, None)
    result.pop(name, None)
    if value is not MISSING:
        put(result, name, value, names)
    return result


@lru_cache(maxsize=4096)
def _parts(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the parts of a path, and the paths above it."""
    parts = name.split(".")
    return tuple(parts), tuple(".".join(parts[:i]) for i in range(1, len(parts)))
