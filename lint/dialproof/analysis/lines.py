"""Ordered values cut into cells: numbers, instants and text.

A cut is written as a *threshold* ``t``: it separates the values below ``t`` from those at or above it. Every kind of
line has a next value after each of its values, so that "greater than c" is "at or above the value after c", and half
open cells ``[t1, t2)`` are all that is needed. A cell that holds no value of the domain is dropped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialproof.cel.values import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from fractions import Fraction

__all__ = ["DAY", "InstantLine", "NumberLine", "TextLine", "next_double", "smallest_reaching"]

DAY = 86_400_000_000
"""Microseconds of a day."""

_ALL_MULTIPLES = 2.0**50
"""Steps from zero up to which doubles are told apart from their neighbours on a grid; beyond, every double counts."""
_STEPS_OF_TIME = (30 * DAY, DAY, DAY // 24, DAY // 1440, 1_000_000, 1_000, 1)
_LETTERS = ("a", "A", "0", " ", "~", "m", "5")


def next_double(value: float) -> float:
    """Return the smallest double above ``value``."""
    return math.nextafter(value, math.inf)


@dataclass(frozen=True, slots=True)
class NumberLine:
    """Doubles from ``low`` to ``high`` (both included); with ``step`` only its multiples (1 for integers)."""

    low: float = -math.inf
    high: float = math.inf
    step: Fraction | None = None
    _ratio: tuple[int, int] = field(init=False, repr=False, compare=False)
    """The step as whole numbers (0, 1 for none): a Fraction takes long to tell them, and every constant asks."""

    def __post_init__(self) -> None:
        ratio = (0, 1) if self.step is None else self.step.as_integer_ratio()
        object.__setattr__(self, "_ratio", ratio)

    def after(self, value: float) -> float:
        """Return the threshold that separates ``value`` from everything above."""
        return next_double(value)

    def at_or_above(self, value: float) -> float:
        """Return the smallest value of the line that is at least ``value``."""
        up, down = self._ratio
        if not up or abs(value) > _ALL_MULTIPLES * up / down:
            return value
        # Dividing whole numbers rounds once, as the multiples of the step do; the first guess may be one off.
        count = math.ceil(value * down / up)
        while count * up / down < value:
            count += 1
        while (count - 1) * up / down >= value:
            count -= 1
        return count * up / down

    def cells(self, thresholds: Iterable[float]) -> Iterator[tuple[float, float, float]]:
        """Yield (low, high, representative) of the cells that hold a value, in order."""
        end = math.inf if math.isinf(self.high) else next_double(self.high)
        cuts = sorted({self.low, *(t for t in thresholds if self.low < t < end)})
        for low, high in zip(cuts, [*cuts[1:], end], strict=True):
            chosen = self._choose(low, high)
            if chosen is not None:
                yield low, high, chosen

    def _choose(self, low: float, high: float) -> float | None:
        """Return a value of ``[low, high)``, a round one where there is one."""
        if math.isinf(low):
            if high > 0:
                return 0.0
            size = max(abs(high), 1.0)
            near = (float(math.floor(high - 1)), high - size, math.nextafter(high, -math.inf))
            return next((v for v in near if math.isfinite(v) and v < high and self.at_or_above(v) == v), None)
        first = self.at_or_above(low)
        if first >= high or math.isinf(first):
            return None
        width = high - first if math.isfinite(high) else max(abs(first), 1.0)
        if width < 1e-9:
            return first
        for exponent in range(math.floor(math.log10(width)), -9, -1):
            size = 10 ** abs(exponent)
            value = float(math.ceil(first / size) * size) if exponent > 0 else math.ceil(first * size) / size
            if first <= value < high and self.at_or_above(value) == value:
                return value
        return first

    def is_point(self, low: float, high: float) -> bool:
        """Tell whether ``[low, high)`` holds exactly one value."""
        first = self.at_or_above(low)
        return math.isfinite(first) and self.at_or_above(next_double(first)) >= high


@dataclass(frozen=True, slots=True)
class InstantLine:
    """Instants (or distances from now) in microseconds from ``low`` to ``high``; ``step`` is :data:`DAY` for dates."""

    low: float = -math.inf
    high: float = math.inf
    step: int = 1
    near: int = 0

    def after(self, value: float) -> float:
        """Return the threshold that separates ``value`` from everything above."""
        return value + 1

    def at_or_above(self, value: float) -> int:
        """Return the smallest instant of the line that is at least ``value``."""
        return -(int(-value) // self.step) * self.step

    def cells(self, thresholds: Iterable[float]) -> Iterator[tuple[float, float, float]]:
        """Yield (low, high, representative) of the cells that hold an instant, in order."""
        end = self.high if math.isinf(self.high) else self.high + 1
        cuts = sorted({self.low, *(t for t in thresholds if self.low < t < end)})
        for low, high in zip(cuts, [*cuts[1:], end], strict=True):
            chosen = self._choose(low, high)
            if chosen is not None:
                yield low, high, chosen

    def _choose(self, low: float, high: float) -> int | None:
        """Return an instant of ``[low, high)``, a whole day, hour, minute or second where there is one."""
        for step in _STEPS_OF_TIME:
            if step % self.step:
                continue
            if math.isfinite(low):
                value = -(-int(low) // step) * step
                if value == low and math.isinf(high):
                    value += step
            elif math.isfinite(high):
                value = (int(high) - 1) // step * step
            else:
                value = self.near // DAY * DAY
            if low <= value < high:
                return value
        return None

    def is_point(self, low: float, high: float) -> bool:
        """Tell whether ``[low, high)`` holds exactly one instant."""
        return math.isfinite(low) and -(-int(low) // self.step) * self.step + self.step >= high


@dataclass(frozen=True, slots=True)
class TextLine:
    """Texts in code-point order, without the empty one; ``fits`` restricts them (the pattern of a column).

    With ``folded`` a text stands where its case folding stands.
    """

    fits: Callable[[str], bool] | None = None
    hints: tuple[str, ...] = ()
    folded: bool = False

    def after(self, value: str) -> str:
        """Return the threshold that separates ``value`` from everything above."""
        return value + "\0"

    def cells(self, thresholds: Iterable[str]) -> Iterator[tuple[str, str | None, str | None]]:
        """Yield (low, high or None, representative or None where none was found), in order."""
        cuts = sorted({"\0", *(t for t in thresholds if t)})
        for low, high in zip(cuts, [*cuts[1:], None], strict=True):
            yield low, high, next(self.samples(low, high, self.hints), None)

    def samples(self, low: str, high: str | None, hints: Sequence[str]) -> Iterator[str]:
        """Yield texts of ``[low, high)``: the hints that lie there, and some that are made from its ends."""
        stem = low.rstrip("\0")
        made = [stem, *(stem + letter for letter in _LETTERS), *_LETTERS]
        made += [stem + hint[len(stem) :] for hint in hints]
        if high:
            made += [high[:-1] + chr(ord(high[-1]) - 1) + "a"] if ord(high[-1]) > 1 else []
            made += [high[:-1]]
        for text in (*hints, *made, low):
            place = fold(text) if self.folded else text
            if text and low <= place and (high is None or place < high) and (self.fits is None or self.fits(text)):
                yield text

    def is_point(self, low: str, high: str | None) -> bool:
        """Tell whether ``[low, high)`` holds exactly one text."""
        return high is not None and high == low + "\0" and not self.folded

    @staticmethod
    def after_prefix(prefix: str) -> str | None:
        """Return the threshold above every text that begins with ``prefix``, None where there is none."""
        for end in range(len(prefix), 0, -1):
            code = ord(prefix[end - 1])
            if code < 0x10FFFF:
                return prefix[: end - 1] + chr(0xE000 if code == 0xD7FF else code + 1)
        return None


def smallest_reaching(target: float, change: float) -> float:
    """Return the smallest double x for which ``x + change >= target`` in double arithmetic.

    ``x + change`` grows with x, so the set is an upper part of the line; its end is found by bisection over doubles
    because ``target - change`` may be off by several units in the last place.
    """
    guess = target - change
    slack = max(abs(target), abs(change), abs(guess), 1e-300) * 2.0**-50
    low, high = guess - slack, guess + slack
    if low + change >= target or high + change < target:
        return guess
    while next_double(low) < high:
        middle = (low + high) / 2
        if middle + change >= target:
            high = middle
        else:
            low = middle
    return high
