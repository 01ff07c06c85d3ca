"""Contacts beside a given one: other cells in some columns, with values as near to those of here as there are."""

from __future__ import annotations

import math
from bisect import bisect_right
from copy import deepcopy
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from dialproof.analysis.atoms import DAY_OF_CALL, TIME_OF_CALL
from dialproof.analysis.lines import DAY, NumberLine
from dialproof.analysis.universe import render_instant
from dialproof.analysis.witness import Scene, replaced
from dialproof.cel.values import (
    MISSING,
    from_micros,
    lookup,
    number_text,
    parse_datetime,
    read_number,
    read_text,
    zone_of,
)
from dialproof.view import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.cel.values import Variable

__all__ = ["Nearness"]

_CELLS = 200
"""Cells of one column that are tried, from the near ones to the far ones."""
_BLANK = 2.0
"""How far it is to a blank column, or from one; to another text it is 1."""
_YEAR = 365 * DAY


class Nearness:
    """The contacts beside one contact, by the cells of the columns in which they differ."""

    def __init__(self, analysis: CampaignAnalysis, scene: Scene, time_zone: str | None) -> None:
        self._analysis, self._scene, self._zone = analysis, scene, time_zone
        self._now = instant(scene.now, time_zone)

    def value(self, variable: Variable) -> object:
        """Return what a column holds; MISSING of the clock."""
        if variable.source == "now":
            return MISSING
        return lookup(self._scene.contact if variable.source == "contact" else self._scene.context, variable.name)

    def cells_here(self, variable: Variable) -> int:
        """Return the cells of which one holds the value, as far as its place tells; 0 where it does not."""
        axis, value = self._analysis.axes[variable], self.value(variable)
        if variable.source == "now":
            return 0
        if value is MISSING or read_text(value) == "":
            return sum(1 << i for i, cell in enumerate(axis.cells) if cell.kind == "blank")
        same = sum(1 << i for i, c in enumerate(axis.cells[: axis.first]) if c.kind == "value" and _is(c.value, value))
        if same:
            return same
        place = self._place(variable)
        if place is None and not self._has_numbers(variable):
            return 0
        # What stands for a cell is one of its values; behind the line is what holds the others.
        here = [cell for cell in axis.cells if cell.kind == "unreadable"] if place is None else [axis.cells[place]]
        known = {(read_text(cell.value), cell.offset) for cell in here}
        alike = (i for i, cell in enumerate(axis.cells) if (read_text(cell.value), cell.offset) in known)
        return sum(1 << i for i in alike)

    def _has_numbers(self, variable: Variable) -> bool:
        """Tell whether the line of an axis is one of numbers, beside which are texts that are none."""
        lows = self._analysis.axes[variable].lows
        return bool(lows) and not isinstance(lows[0], str) and not self._is_time(variable)

    def _is_time(self, variable: Variable) -> bool:
        return self._analysis.columns[variable].type in ("date", "datetime")

    def _place(self, variable: Variable) -> int | None:
        """Return the cell of the line that holds the value, None where it is on no line of numbers or times."""
        axis, at = self._analysis.axes[variable], self._at(variable)
        if at is None or not axis.lows or isinstance(axis.lows[0], str):
            return None
        place = bisect_right([float(low) for low in axis.lows], at) - 1
        return axis.first + place if place >= 0 else None

    def _at(self, variable: Variable) -> float | None:
        """Return where the value is on the line of its axis."""
        value = self.value(variable)
        if value is MISSING:
            return None
        if not self._is_time(variable):
            return read_number(value)
        moment = parse_datetime(value, self._zone) if isinstance(value, str) else None
        return moment if moment is None or not self._analysis.axes[variable].relative else moment - self._now

    # Contacts.

    def scene_at(self, cells: Mapping[Variable, int]) -> Scene:
        """Return the contact with what stands for other cells in some columns."""
        values = {variable: self._value_of(variable, position) for variable, position in cells.items()}
        contact, context = self._scene.contact, deepcopy(dict(self._scene.context))
        names = self._analysis.campaign.contact_list.columns
        for variable, value in values.items():
            if variable.source == "contact":
                contact = replaced(contact, variable.name, value, names)
            elif variable.source == "context":
                context = replaced(context, variable.name, value, ())
        return Scene(contact, context, self._clock(values))

    def _clock(self, values: Mapping[Variable, object]) -> str:
        """Return the moment of the call; the day and the time of another one are those of the zone."""
        if TIME_OF_CALL not in values and DAY_OF_CALL not in values:
            return self._scene.now
        zone = zone_of(self._zone)
        local = from_micros(self._now).astimezone(zone).replace(tzinfo=None)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        time = local - midnight
        if isinstance(day := values.get(DAY_OF_CALL), int):
            midnight = from_micros(day // DAY * DAY).replace(tzinfo=None)
        if isinstance(moment := values.get(TIME_OF_CALL), int):
            time = timedelta(microseconds=moment % DAY)
        return (midnight + time).replace(tzinfo=zone).isoformat()

    def _value_of(self, variable: Variable, position: int) -> object:
        """Return what stands for a cell, the value nearest to that of here where the column has steps."""
        axis, column = self._analysis.axes[variable], self._analysis.columns[variable]
        cell, here = axis.cells[position], self._place(variable)
        if cell.kind == "blank":
            return MISSING
        if cell.offset is not None:
            return render_instant(self._now + cell.offset, column)
        value = cell.value
        steps = column.type == "integer" or column.decimals is not None
        if steps and here is not None and axis.first <= position < axis.first + len(axis.lows):
            digits = column.decimals or 0
            line = NumberLine(step=Fraction(1, 10**digits))
            if position > here:
                value = line.at_or_above(float(axis.lows[position - axis.first]))
            elif position < here:
                value = round(line.at_or_above(float(axis.lows[position - axis.first + 1])) - 10.0**-digits, digits)
            value = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(value, (int, float)) and not isinstance(value, bool) and isinstance(self.value(variable), str):
            return number_text(float(value))
        return value

    # The nearest of them.

    def nearest(self, cells: Mapping[Variable, int], differs: Callable[[Scene], bool]) -> tuple[float, Scene]:
        """Return a contact that ``differs`` as the one of these cells does, nearer in one column after the other.

        With it how far it is away, by the columns: 1 for another text, the part of its range for a number.
        """
        chosen = dict(cells)
        for variable in cells:
            far = self._distance(variable, chosen[variable])
            for other in self._by_distance(variable):
                if self._distance(variable, other) >= far:
                    break
                if differs(self.scene_at({**chosen, variable: other})):
                    chosen[variable] = other
                    break
        return sum(self._distance(*one) for one in chosen.items()), self.scene_at(chosen)

    def _by_distance(self, variable: Variable) -> list[int]:
        """Return some cells with a value, the nearest first."""
        axis = self._analysis.axes[variable]
        here = self._place(variable)
        cells = [i for i in axis.positions(axis.real) if axis.cells[i].kind != "unreadable"]
        if here is not None:
            cells.sort(key=lambda i: abs(i - here) if axis.first <= i < axis.first + len(axis.lows) else math.inf)
        return sorted(cells[:_CELLS], key=lambda position: self._distance(variable, position))

    def _distance(self, variable: Variable, position: int) -> float:
        """Return how far what stands for a cell is from the value of here."""
        before, value = self.value(variable), self._value_of(variable, position)
        blank = before is MISSING or read_text(before) == ""
        if (value is MISSING) != blank and variable.source != "now":
            return _BLANK
        at, to = self._at(variable), self._to(variable, position, value)
        if at is None or to is None:
            return 1.0
        column = self._analysis.columns[variable]
        if self._is_time(variable):
            return min(abs(to - at) / _YEAR, 1.0)
        bounds = [float(b) for b in (column.min, column.max) if isinstance(b, (int, float))]
        span = bounds[1] - bounds[0] if len(bounds) == 2 else max(abs(at), abs(to))
        return min(abs(to - at) / span, 1.0) if span > 0 else 1.0

    def _to(self, variable: Variable, position: int, value: object) -> float | None:
        cell = self._analysis.axes[variable].cells[position]
        if cell.offset is not None:
            return cell.offset
        if self._is_time(variable):
            return parse_datetime(value, self._zone) if isinstance(value, str) else None
        return read_number(value)


def _is(one: object, other: object) -> bool:
    return one is not None and read_text(one) == read_text(other)
