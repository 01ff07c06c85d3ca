"""Texts that fit the pattern of a column: what a person would write as an example.

Nothing is proved here: whoever asks holds each text against RE2. A pattern that is not understood gives no texts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dialproof.analysis.re2_syntax import Chars, Either, Limit, Repeat, Sequence, members, read

if TYPE_CHECKING:
    from dialproof.analysis.re2_syntax import Node

__all__ = ["examples"]

_VARIANTS = 24
"""How often each choice of a pattern is made another way."""
_MANY = 2
"""How many more than the fewest repetitions an open end is tried with."""
_LONGEST = 1_000
"""Characters of the longest text that is made."""
_STEPS = 10_000
"""Parts of a pattern that are looked at for one text."""
_PROBES = "a0A -_.~x5"
_READABLE = "".join(map(chr, range(32, 127))) + "\t"


@lru_cache(maxsize=256)
def examples(pattern: str) -> tuple[str, ...]:
    """Return different texts that probably match the whole pattern; none where it is not understood."""
    try:
        node = read(pattern)
        return tuple(dict.fromkeys(_Writer().text(node, variant) for variant in range(_VARIANTS)))
    except (ValueError, RecursionError):
        return ()


class _Writer:
    """Writes one text of a pattern; raises ``ValueError`` where that takes too many steps or the text is too long."""

    def __init__(self) -> None:
        self._left = _STEPS

    def text(self, node: Node, variant: int) -> str:
        self._left -= 1
        if self._left < 0:
            raise ValueError("a pattern that repeats too much")
        match node:
            case Chars():
                characters = _characters(node)
                return characters[variant % len(characters)] if characters else ""
            case Either(nodes):
                return self.text(nodes[variant % len(nodes)], variant // len(nodes))
            case Sequence(nodes):
                return "".join(self.text(n, variant if i % 2 == 0 else variant * 7) for i, n in enumerate(nodes))
            case Repeat(inner, least, most):
                count = least + variant % ((least + _MANY if most is None else most) - least + 1)
                text = "".join(self.text(inner, variant + i * (variant % 3)) for i in range(min(count, _LONGEST)))
                if len(text) > _LONGEST:
                    raise ValueError("a text that is too long")
                return text
            case Limit():
                return ""


@lru_cache(maxsize=1024)
def _characters(chars: Chars) -> str:
    """Return some of the characters: of each stretch that can be read the ends and the middle, or of any stretch."""
    if len(chars.pattern) == 1:
        return chars.pattern
    import re2

    matched = re2.compile(chars.pattern).findall(_READABLE)
    if len(matched) > len(_READABLE) // 2:
        return "".join(c for c in _PROBES if c in matched)
    codes = [(ord(c), ord(c)) for c in matched]
    found: dict[str, None] = {}
    for low, high in _joined(codes) or members(chars)[:_MANY]:
        for code in (low, (low + high) // 2, high):
            found[chr(code)] = None
    return "".join(found)


def _joined(codes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return neighbouring codes as one stretch."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(codes):
        if joined and joined[-1][1] + 1 == low:
            joined[-1] = joined[-1][0], high
        else:
            joined.append((low, high))
    return joined
