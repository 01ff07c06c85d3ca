"""Which contacts a literal holds for, as boxes that cannot be made wider: prime implicants over cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof.analysis.pairs import bits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dialproof.analysis.domain import Axis
    from dialproof.analysis.regions import Box
    from dialproof.analysis.sat import Formula
    from dialproof.cel.values import Variable

__all__ = ["NO_BOXES", "Boxes", "boxes_of"]

_BOXES = 4
"""Boxes of one literal that are looked for."""
_SINGLES = 40
"""Cells beside the line of an axis that are tried one by one."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes that hold only contacts of a literal, and, where they are ``complete``, all of them."""

    found: tuple[Box, ...] = ()
    complete: bool = False


NO_BOXES = Boxes()


def boxes_of(formula: Formula, axes: Mapping[Variable, Axis], literal: int, limit: int = _BOXES) -> Boxes:
    """Return a few boxes; what cells do not decide is in none of them."""
    found: list[Box] = []
    outside = formula.new()  # of the boxes so far
    while len(found) < limit:
        holds = formula.holds([literal, outside])
        if holds is not True:
            return Boxes(tuple(found), holds is False)
        box = _widened(formula, axes, literal, {v: 1 << p for v, p in formula.assignment().items()})
        if box is None:
            return Boxes(tuple(found))
        found.append(box)
        formula.exclude(box, only_if=outside)
    return Boxes(tuple(found), formula.holds([literal, outside]) is False)


def _widened(formula: Formula, axes: Mapping[Variable, Axis], literal: int, box: Box) -> Box | None:
    """Return the widest box around a contact that was found, None where cells do not decide it."""

    def inside(masks: Mapping[Variable, int]) -> bool:
        return formula.holds([-literal, *(formula.within(v, mask) for v, mask in masks.items())]) is False

    if not inside(box):
        return None
    needed = {formula.within(v, mask): v for v, mask in box.items()}
    core = {needed[one] for one in formula.conflict() if one in needed}
    box = {v: mask for v, mask in box.items() if v in core}
    for variable in sorted(box):
        rest = {v: mask for v, mask in box.items() if v != variable}
        if inside(rest):
            box = rest
    for variable in sorted(box):
        box[variable] = _wider(axes[variable], box[variable], lambda mask, v=variable: inside({**box, v: mask}))  # type: ignore[misc]
    return {v: mask for v, mask in box.items() if mask != axes[v].full}


def _wider(axis: Axis, mask: int, inside: Callable[[int], bool]) -> int:
    """Return a mask with all that can be added to it: the stretch around it on the line, and single cells."""
    at, first, end = mask.bit_length() - 1, axis.first, axis.first + len(axis.lows)
    singles = [p for p in bits(axis.full & ~mask) if not first <= p < end]
    if first <= at < end:
        low = _last(at, first, lambda p: inside(_stretch(p, at)))
        high = _last(at, end - 1, lambda p: inside(_stretch(low, p)))
        mask = _stretch(low, high)
    elif len(axis.lows) and inside(mask | _stretch(first, end - 1)):
        mask |= _stretch(first, end - 1)
    for position in singles[:_SINGLES]:
        if inside(mask | 1 << position):
            mask |= 1 << position
    return mask


def _stretch(low: int, high: int) -> int:
    return (1 << high + 1) - (1 << low)


def _last(near: int, far: int, holds: Callable[[int], bool]) -> int:
    """Return the position farthest from ``near`` up to which it holds."""
    if near == far or holds(far):
        return far
    while abs(far - near) > 1:
        middle = (near + far) // 2
        if holds(middle):
            near = middle
        else:
            far = middle
    return near
