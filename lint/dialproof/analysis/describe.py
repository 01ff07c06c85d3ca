"""Cells of an axis in words: ``attempts over 3 to 9 or blank``."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from dialproof.analysis.lines import NumberLine
from dialproof.analysis.pairs import bits, stretches
from dialproof.cel.values import number_text, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.domain import Axis
    from dialproof.model.contactlist import Column

__all__ = ["describe"]

_PARTS = 6
"""Parts of one description, beyond which the others are counted."""


def describe(axis: Axis, column: Column, mask: int) -> str:
    """Return what the cells of ``mask`` hold, in words; values are those of the contact list and of conditions."""
    mask &= axis.real
    parts = list(_parts(axis, column, mask))
    if len(parts) > _PARTS:
        parts[_PARTS - 1 :] = [f"{len(parts) - _PARTS + 1} more"]
    return " or ".join(parts)


def _parts(axis: Axis, column: Column, mask: int) -> Iterator[str]:
    numbers = column.type in ("integer", "number") and axis.lows
    behind = axis.first + len(axis.lows)
    on_line = ((1 << behind) - (1 << axis.first)) & mask if numbers else 0
    for start, end in stretches(on_line):
        yield _stretch(axis, column, start - axis.first, end - axis.first)
    blank = 0
    for position in bits(mask & ~on_line):
        cell = axis.cells[position]
        if cell.kind == "blank":
            blank += 1
        elif cell.kind == "unreadable":
            yield "unreadable"
        elif axis.relative:
            yield f"such as {read_text(cell.value)}"
        else:
            yield f'"{read_text(cell.value)}"' if isinstance(cell.value, str) else read_text(cell.value)
    if blank:
        yield "blank"


def _stretch(axis: Axis, column: Column, start: int, end: int) -> str:
    """Return the numbers from the cell ``start`` of the line up to the one in front of ``end``."""
    low, high = float(axis.lows[start]), float(axis.lows[end]) if end < len(axis.lows) else math.inf
    if column.type == "integer" or column.decimals is not None:
        digits = column.decimals or 0
        line = NumberLine(step=Fraction(1, 10**digits))
        low, last = line.at_or_above(low), math.nextafter(high, -math.inf)
        if math.isfinite(high):
            last = round(line.at_or_above(high) - 10.0**-digits, digits)
        elif isinstance(column.max, (int, float)):
            last = float(column.max)
        ends = [number_text(n) for n in (low, last) if math.isfinite(n)]
        if len(ends) == 2:
            return ends[0] if ends[0] == ends[1] else " to ".join(ends)
        return f"from {ends[0]}" if math.isfinite(low) else f"to {ends[0]}" if ends else "any number"
    if math.nextafter(high, -math.inf) == low:
        return number_text(low)
    words = []
    if math.isfinite(low):
        before = math.nextafter(low, -math.inf)
        words.append(f"over {number_text(before)}" if _shorter(before, low) else f"from {number_text(low)}")
    if math.isfinite(high):
        last = math.nextafter(high, -math.inf)
        words.append(f"to {number_text(last)}" if _shorter(last, high) else f"below {number_text(high)}")
    elif isinstance(column.max, (int, float)):
        words.append(f"to {number_text(float(column.max))}")
    return " ".join(words) or "any number"


def _shorter(one: float, other: float) -> bool:
    return len(number_text(one)) < len(number_text(other))
