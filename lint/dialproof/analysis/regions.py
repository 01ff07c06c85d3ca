"""Sets of contacts as unions of boxes: a box restricts some variables to some of their cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dialproof.analysis.answers import Unknown
from dialproof.analysis.atoms import CLOCK, Atom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dialproof.analysis.atoms import Part
    from dialproof.analysis.domain import Axis, Want
    from dialproof.cel.values import Variable

__all__ = ["Box", "Region", "Regions", "intersect", "meet", "meetings"]

Box: TypeAlias = "dict[Variable, int]"
"""Variable -> mask of its cells, never 0; a variable that is left out is free. Read only."""

_BOXES = 512
"""Boxes of one region, beyond which it is given up."""
_TOO_MANY = Unknown("the conditions have too many alternatives", "conditions")

_COMPLEMENT: Mapping[Want, Want] = {
    "true": "not true",
    "false": "not false",
    "not true": "true",
    "not false": "false",
}
_OPPOSITE: Mapping[Want, Want] = {
    "true": "false",
    "false": "true",
    "not true": "not false",
    "not false": "not true",
}


@dataclass(frozen=True, slots=True)
class Region:
    """A union of boxes.

    ``open`` is None where the boxes are exactly the set (but for rest cells of axes); else it says why they only
    contain it.
    """

    boxes: tuple[Box, ...]
    open: Unknown | None = None


def meet(one: Box, other: Box) -> Box | None:
    """Return the intersection of two boxes, None if it is empty."""
    if len(other) < len(one):
        one, other = other, one
    result = dict(other)
    for variable, mask in one.items():
        common = mask & result.get(variable, mask)
        if not common:
            return None
        result[variable] = common
    return result


def intersect(one: Region, other: Region) -> Region:
    """Return the intersection of two regions; one with too many boxes is replaced by the smaller of the two."""
    if len(one.boxes) * len(other.boxes) > _BOXES * 16:
        smaller = min(one, other, key=lambda r: len(r.boxes))
        return Region(smaller.boxes, _TOO_MANY)
    boxes = [box for a in one.boxes for b in other.boxes if (box := meet(a, b)) is not None]
    return Region(tuple(boxes), one.open or other.open)


def meetings(regions: Sequence[Region]) -> Iterator[Box]:
    """Yield the boxes of the intersection of regions, each when it is asked for."""
    if not regions:
        yield {}
        return
    *others, last = regions
    for one in meetings(others):
        for other in last.boxes:
            box = meet(one, other)
            if box is not None:
                yield box


@dataclass(frozen=True, slots=True)
class Regions:
    """Makes regions of conditions; ``ask`` decides an atom that reads no variable.

    What cells do not decide is inside of a region, so that outside of it nothing is; with ``sure`` the other way round.
    """

    axes: Mapping[Variable, Axis]
    ask: Callable[[Atom], bool | None]
    sure: bool = False

    def of(self, part: Part, want: Want, free: frozenset[Variable] = frozenset()) -> Region:
        """Return the contacts on which ``part`` is as wanted (all, any and not in strong Kleene logic).

        Conditions on ``free`` variables may be anything: those variables may hold a value from outside of the domain.
        """
        if isinstance(part, Atom):
            return Region(self._open) if free.intersection(part.axes) else self._atom(part, want)
        if part.kind == "not":
            return self.of(part.members[0], _OPPOSITE[want], free)
        members = [self.of(member, want, free) for member in part.members]
        # `all` is true where every member is, and false (or not true) where one member is; `any` the other way round.
        if (part.kind == "all") == (want in ("true", "not false")):
            return self._every(members)
        boxes = [box for member in members for box in member.boxes]
        if len(boxes) > _BOXES:
            return Region(self._open, _TOO_MANY)
        return Region(tuple(boxes), next((m.open for m in members if m.open), None))

    @property
    def _open(self) -> tuple[Box, ...]:
        """The region of what is not decided."""
        return () if self.sure else ({},)

    def _every(self, members: Sequence[Region]) -> Region:
        region = Region(({},))
        for member in members:
            region = intersect(region, member)
            if self.sure and region.open is _TOO_MANY:
                return Region((), _TOO_MANY)
        return region

    def _atom(self, atom: Atom, want: Want) -> Region:
        if not atom.axes:
            wanted = want.endswith("true")
            holds = (self.ask(atom) is wanted) != want.startswith("not")
            return Region(({},) if holds else ())
        if len(atom.axes) > 1 or CLOCK in atom.axes:
            names = " and ".join("the clock" if v == CLOCK else v.name for v in atom.axes)
            what = f"{names} are looked at together" if len(atom.axes) > 1 else f"{names} is looked at as a whole"
            return Region(self._open, Unknown(what, "conditions"))
        (variable,) = atom.axes
        axis = self.axes[variable]
        why = _drift(variable) if "age" in atom.readings and not axis.relative else None
        if why is not None and self.sure:
            return Region((), why)
        mask = axis.full & ~axis.mask(atom, _COMPLEMENT[want]) if self.sure else axis.mask(atom, want)
        if mask == axis.full:
            return Region(({},), why)
        return Region(({variable: mask},) if mask else (), why)


def _drift(variable: Variable) -> Unknown:
    return Unknown(
        f"how old {variable.name} is, beside fixed dates or bounds, depends on the time of the call", "clock"
    )
