"""All overlaps of many boxes at once: one integer with a bit for each box, instead of pairs of boxes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dialproof.analysis.regions import Box, Region

__all__ = ["bits", "bitset", "overlaps", "sharing", "stretches"]


_BLOCK = 8
"""Toggles of a tree (see below) that have one node."""


def bits(mask: int) -> Iterator[int]:
    """Yield the positions of the set bits, from the lowest up."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def bitset(flags: Iterable[bool]) -> int:
    """Return the bitset of the positions that are true, in time linear in their number."""
    return int("".join("01"[flag] for flag in flags)[::-1] or "0", 2)


def overlaps(asked: Sequence[Box], boxes: Sequence[Box]) -> list[int]:
    """Return for each box of ``asked`` the bitset of those ``boxes`` that share a contact with it.

    Two boxes share a contact iff on every variable that both restrict they share a cell. For each variable the boxes
    that hold a cell are one bitset; those of a stretch of cells are joined through a tree over the cells, so that a box
    costs a few operations on integers for each variable, however many boxes there are.
    """
    everything = (1 << len(boxes)) - 1
    result = [everything] * len(asked)
    variables = dict.fromkeys(v for box in asked for v in box)
    for variable in variables:
        restricted = [(i, box[variable]) for i, box in enumerate(boxes) if variable in box]
        if not restricted:
            continue
        free = everything
        for i, _ in restricted:
            free ^= 1 << i
        tree = _Tree([(1 << i, mask) for i, mask in restricted])
        known: dict[int, int] = {}
        for position, box in enumerate(asked):
            mask = box.get(variable)
            if mask is None or not result[position]:
                continue
            found = known.get(mask)
            if found is None:
                found = known[mask] = free | tree.holding(mask)
            result[position] &= found
    return result


def sharing(asked: Sequence[Region], regions: Sequence[Region]) -> list[int]:
    """Return for each region of ``asked`` the bitset of those ``regions`` that share a contact with it."""
    count = len(regions)
    total = sum(len(region.boxes) for region in regions)
    if not total:
        return [0] * len(asked)
    # The k-th box of region i has the bit k * count + i, so that hits fold to regions by shifting; what sticks out of
    # twice the mean number of boxes is listed behind.
    layers = 1 << (2 * -(-total // count) - 1).bit_length()
    layers = min(layers, 1 << (max(len(region.boxes) for region in regions) - 1).bit_length())
    boxes: list[Box] = [r.boxes[k] if k < len(r.boxes) else {} for k in range(layers) for r in regions]
    present = 0
    for k in range(layers):
        present |= bitset(k < len(r.boxes) for r in regions) << k * count
    rest = [(i, box) for i, region in enumerate(regions) for box in region.boxes[layers:]]
    boxes += [box for _, box in rest]
    listed = layers * count
    present |= ((1 << len(rest)) - 1) << listed
    hits = [0] * len(asked)
    owners = [i for i, region in enumerate(asked) for _ in region.boxes]
    for owner, found in zip(owners, overlaps([b for region in asked for b in region.boxes], boxes), strict=True):
        hits[owner] |= found & present
    return [_folded(found, count, layers) | _scattered(found >> listed, rest) for found in hits]


def _folded(found: int, count: int, layers: int) -> int:
    """Return the layers of ``count`` bits laid on each other (a power of two of them)."""
    found &= (1 << layers * count) - 1
    while layers > 1:
        layers //= 2
        found = found >> layers * count | found & ((1 << layers * count) - 1)
    return found


def _scattered(found: int, rest: Sequence[tuple[int, Box]]) -> int:
    mask = 0
    for position in bits(found):
        mask |= 1 << rest[position][0]
    return mask


def stretches(mask: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of set bits as (first, after last)."""
    offset = 0
    while mask:
        skip = (mask & -mask).bit_length() - 1
        mask >>= skip
        length = ((mask + 1) & ~mask).bit_length() - 1
        offset += skip
        yield offset, offset + length
        mask >>= length
        offset += length


class _Tree:
    """Which boxes hold a cell of one variable.

    A box *toggles* where a stretch of its cells begins or ends. Those that hold a cell of ``low ... high`` hold the
    first one, or toggle behind it. What each block of toggles comes to is joined in a tree, so that many of them cost
    a few operations on integers; a node for each of them would take most of the memory of the whole analysis.
    """

    def __init__(self, masks: Sequence[tuple[int, int]]) -> None:
        toggles: dict[int, int] = {0: 0}
        for bit, mask in masks:
            for start, end in stretches(mask):
                toggles[start] = toggles.get(start, 0) ^ bit
                toggles[end] = toggles.get(end, 0) ^ bit
        self._starts = sorted(toggles)
        self._toggles = [toggles[start] for start in self._starts]
        size = -(-len(self._starts) // _BLOCK)
        self._held: list[int] = []  # in front of each block
        nodes = [0] * (2 * size)
        current = 0
        for block in range(size):
            self._held.append(current)
            for toggle in self._toggles[block * _BLOCK : (block + 1) * _BLOCK]:
                current ^= toggle
                nodes[size + block] |= toggle
        for node in range(size - 1, 0, -1):
            nodes[node] = nodes[2 * node] | nodes[2 * node + 1]
        self._nodes, self._size = nodes, size

    def holding(self, mask: int) -> int:
        """Return the boxes that hold a cell of ``mask``."""
        found = 0
        for start, end in stretches(mask):
            first = bisect_right(self._starts, start) - 1
            found |= self._holding(first) | self._toggling(first + 1, bisect_left(self._starts, end))
        return found

    def _holding(self, position: int) -> int:
        block = position // _BLOCK
        held = self._held[block]
        for toggle in self._toggles[block * _BLOCK : position + 1]:
            held ^= toggle
        return held

    def _toggling(self, first: int, end: int) -> int:
        """Return the boxes that toggle from ``first`` up to in front of ``end``."""
        found = 0
        low, high = -(-first // _BLOCK), end // _BLOCK
        if low >= high:
            for toggle in self._toggles[first:end]:
                found |= toggle
            return found
        for toggle in (*self._toggles[first : low * _BLOCK], *self._toggles[high * _BLOCK : end]):
            found |= toggle
        low, high = low + self._size, high + self._size
        while low < high:
            if low & 1:
                found |= self._nodes[low]
                low += 1
            if high & 1:
                high -= 1
                found |= self._nodes[high]
            low >>= 1
            high >>= 1
        return found
