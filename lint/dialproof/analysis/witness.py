"""From cells to a contact that can be run: column values, the context of the call, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof.analysis.atoms import DAY_OF_CALL, TIME_OF_CALL
from dialproof.analysis.lines import DAY
from dialproof.analysis.universe import render_instant
from dialproof.cel.values import from_micros, parse_datetime
from dialproof.view import ANALYSIS_NOW

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from dialproof.analysis.domain import Cell
    from dialproof.cel.values import Variable
    from dialproof.model.contactlist import Column

__all__ = ["Scene", "scene_of"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a run is given: the contact, the context of the call, and the clock (RFC 3339, UTC)."""

    contact: Mapping[str, object]
    context: Mapping[str, object]
    now: str


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
        parts = variable.name.split(".")
        hidden = any(".".join(parts[:i]) in names for i in range(1, len(parts)))
        target = contact if variable.source == "contact" else context
        _put(target, [variable.name] if hidden and variable.source == "contact" else parts, value)
    return Scene(contact, context, f"{from_micros(now):%Y-%m-%dT%H:%M:%SZ}")


def _moment(cells: Mapping[Variable, Cell]) -> int:
    now = parse_datetime(ANALYSIS_NOW) or 0
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


def _put(target: dict[str, object], path: list[str], value: object) -> None:
    for part in path[:-1]:
        inner = target.setdefault(part, {})
        assert isinstance(inner, dict)
        target = inner
    target[path[-1]] = value
