"""What repairs would change, as a unified diff; what may be personal is masked."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from dialproof.output.masking import MASK
from dialproof.output.report import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["render"]

_CONTEXT = 3
_SAME = 2
"""Lines that must be the same for two texts to have met again."""
_FAR = 200
"""Lines that are looked at for that."""
_NO_END = "\\ No newline at end of file"


def render(path: str, before: str, after: str, hides: tuple[Callable[[int], bool], Callable[[int], bool]]) -> str:
    """Return the diff of a file.

    ``hides`` tell of a line of the text before and after, counted from 1, whether it may not be shown.
    """
    old, new = _lines(before), _lines(after)
    rows = [f"--- {printable(path)}", f"+++ {printable(path)}"]
    for group in _groups(old, new):
        first, last = group[0], group[-1]
        rows.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@")
        for kind, i, j, k, m in group:
            if kind == "equal":
                rows += _shown(" ", old, i, j, hides[0])
                continue
            rows += _shown("-", old, i, j, hides[0])
            rows += _shown("+", new, k, m, hides[1])
    return "\n".join(rows) + "\n"


def _lines(text: str) -> list[str]:
    """Return the lines of a text, each with its line break."""
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z", text)


class _Local(SequenceMatcher[str]):
    """Compares long texts that differ in many small places, where looking for the longest match takes minutes."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__()
        self.lines = old, new

    def get_opcodes(self) -> list[Any]:
        """Return what is the same and what is not, in order."""
        old, new = self.lines
        found: list[tuple[str, int, int, int, int]] = []
        i = k = 0
        while i < len(old) or k < len(new):
            j, m = i, k
            while j < len(old) and m < len(new) and old[j] == new[m]:
                j, m = j + 1, m + 1
            if j > i:
                found.append(("equal", i, j, k, m))
            i, k = j, m
            j, m = _where_they_meet(old, new, i, k)
            if j > i or m > k:
                found.append(("replace", i, j, k, m))
            i, k = j, m
        return found


def _where_they_meet(old: Sequence[str], new: Sequence[str], i: int, k: int) -> tuple[int, int]:
    """Return the nearest place from which some lines are the same again, the ends where there is none near by."""
    left = len(old) - i + len(new) - k
    for distance in range(min(_FAR, left) + 1):
        for further in range(distance + 1):
            j, m = i + further, k + distance - further
            if j <= len(old) and m <= len(new) and old[j : j + _SAME] == new[m : m + _SAME]:
                return j, m
    return len(old), len(new)


def _groups(old: Sequence[str], new: Sequence[str]) -> Iterable[list[tuple[str, int, int, int, int]]]:
    """Return the stretches that differ, with the lines around them."""
    return _Local(old, new).get_grouped_opcodes(_CONTEXT)


def _range(start: int, stop: int) -> str:
    length = stop - start
    return f"{start + 1 if length else start}" + ("" if length == 1 else f",{length}")


def _shown(mark: str, lines: Sequence[str], start: int, stop: int, hides: Callable[[int], bool]) -> Iterator[str]:
    for index in range(start, stop):
        text = lines[index].rstrip("\r\n")
        yield mark + (MASK if text.strip() and hides(index + 1) else printable(text))
        if text == lines[index]:
            yield _NO_END
