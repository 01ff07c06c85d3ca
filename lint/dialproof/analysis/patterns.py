"""Texts that fit the pattern of a column, for the common part of RE2: what a person would write as an example.

Nothing is proved here: whoever asks holds each text against RE2. A pattern that is not understood gives no texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

__all__ = ["examples"]

_VARIANTS = 24
"""How often each choice of a pattern is made another way."""
_MANY = 2
"""How many more than the fewest repetitions an open end is tried with."""
_LONGEST = 1_000
"""Characters of the longest text that is made."""

_Ranges: TypeAlias = "tuple[tuple[str, str], ...]"
_DIGIT: _Ranges = (("0", "9"),)
_LETTER: _Ranges = (("a", "z"), ("A", "Z"))
_WORD: _Ranges = (*_LETTER, *_DIGIT, ("_", "_"))
_SPACE: _Ranges = ((" ", " "), ("\t", "\t"))
_ESCAPED: dict[str, _Ranges] = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX: dict[str, _Ranges] = {
    "alpha": _LETTER, "digit": _DIGIT, "alnum": (*_LETTER, *_DIGIT), "word": _WORD, "space": _SPACE,
    "upper": (("A", "Z"),), "lower": (("a", "z"),), "xdigit": (*_DIGIT, ("a", "f"), ("A", "F")),
}  # fmt: skip
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_EMPTY = "AzbB"
"""Escapes that are anchors and boundaries: they take no character."""
_STEPS = 10_000
"""Parts of a pattern that are looked at for one text."""
_PROBES = "a0A -_.~x5"


@dataclass(frozen=True, slots=True)
class _Choice:
    """One character of several."""

    characters: str


@dataclass(frozen=True, slots=True)
class _Repeat:
    node: _Node
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class _Sequence:
    nodes: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Either:
    nodes: tuple[_Node, ...]


_Node: TypeAlias = "_Choice | _Repeat | _Sequence | _Either"


@lru_cache(maxsize=256)
def examples(pattern: str) -> tuple[str, ...]:
    """Return different texts that probably match the whole pattern; none where it is not understood."""
    try:
        reader = _Reader(pattern)
        node = reader.either()
        if reader.at < len(pattern):
            return ()
        return tuple(dict.fromkeys(_Writer().text(node, variant) for variant in range(_VARIANTS)))
    except (ValueError, IndexError, RecursionError):
        return ()


class _Writer:
    """Writes one text of a pattern; raises ``ValueError`` where that takes too many steps or the text is too long."""

    def __init__(self) -> None:
        self._left = _STEPS

    def text(self, node: _Node, variant: int) -> str:
        self._left -= 1
        if self._left < 0:
            raise ValueError("a pattern that repeats too much")
        match node:
            case _Choice(characters):
                return characters[variant % len(characters)] if characters else ""
            case _Either(nodes):
                return self.text(nodes[variant % len(nodes)], variant // len(nodes))
            case _Sequence(nodes):
                return "".join(self.text(n, variant if i % 2 == 0 else variant * 7) for i, n in enumerate(nodes))
            case _Repeat(inner, least, most):
                count = least + variant % (most - least + 1)
                text = "".join(self.text(inner, variant + i * (variant % 3)) for i in range(min(count, _LONGEST)))
                if len(text) > _LONGEST:
                    raise ValueError("a text that is too long")
                return text


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def _next(self) -> str:
        character = self.pattern[self.at]
        self.at += 1
        return character

    def _takes(self, text: str) -> bool:
        if self.pattern.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def either(self) -> _Node:
        nodes = [self._sequence()]
        while self._takes("|"):
            nodes.append(self._sequence())
        return nodes[0] if len(nodes) == 1 else _Either(tuple(nodes))

    def _sequence(self) -> _Node:
        nodes: list[_Node] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            nodes.append(self._repeated(self._atom()))
        return _Sequence(tuple(nodes))

    def _repeated(self, node: _Node) -> _Node:
        while self.at < len(self.pattern):
            if self._takes("*"):
                node = _Repeat(node, 0, _MANY)
            elif self._takes("+"):
                node = _Repeat(node, 1, 1 + _MANY)
            elif self._takes("?"):
                node = _Repeat(node, 0, 1)
            elif self._takes("{"):
                least, comma, most = self.pattern[self.at : self.pattern.index("}", self.at)].partition(",")
                self.at = self.pattern.index("}", self.at) + 1
                low = int(least)
                node = _Repeat(node, low, low if not comma else int(most) if most else low + _MANY)
            else:
                break
            self._takes("?")  # a lazy repetition matches the same texts
        return node

    def _atom(self) -> _Node:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return _Choice(self._class())
        if character == ".":
            return _Choice(_PROBES)
        if character in "^$":
            return _Sequence(())
        if character != "\\":
            return _Choice(character)
        escaped = self._next()
        if escaped in _EMPTY:
            return _Sequence(())
        return _Choice(_characters(*self._escape(escaped)))

    def _group(self) -> _Node:
        if self._takes("?"):
            if self._takes("P<") or self._takes("<"):
                self.at = self.pattern.index(">", self.at) + 1
            else:
                while self.pattern[self.at] not in ":)":
                    self.at += 1
                if self._takes(")"):
                    return _Sequence(())
                self.at += 1
        node = self.either()
        if not self._takes(")"):
            raise ValueError("a group without an end")
        return node

    def _escape(self, escaped: str) -> tuple[_Ranges, bool]:
        """Return the ranges of an escaped character, and whether they are what it does not match."""
        if escaped.lower() in _ESCAPED:
            return _ESCAPED[escaped.lower()], escaped.isupper()
        if escaped in _CONTROLS:
            return ((_CONTROLS[escaped],) * 2,), False
        if escaped.isalnum():
            raise ValueError(f"\\{escaped} is not understood")
        return ((escaped, escaped),), False

    def _class(self) -> str:
        negated = self._takes("^")
        ranges: list[tuple[str, str]] = []
        first = True
        while first or self.pattern[self.at] != "]":
            first = False
            if self._takes("[:"):
                name = self.pattern[self.at : self.pattern.index(":]", self.at)]
                if name not in _POSIX:
                    raise ValueError(f"[:{name}:] is not understood")
                self.at += len(name) + 2
                ranges += _POSIX[name]
                continue
            low = self._next()
            if low == "\\":
                some, without = self._escape(self._next())
                if without:
                    raise ValueError("a negated class inside of a class")
                ranges += some
                if len(some) > 1 or some[0][0] != some[0][1]:
                    continue
                low = ranges.pop()[0]
            high = low
            if self.pattern[self.at] == "-" and self.pattern[self.at + 1] != "]":
                self.at += 1
                high = self._next()
                high = self._next() if high == "\\" else high
            ranges.append((low, high))
        self.at += 1
        return _characters(tuple(ranges), negated)


def _characters(ranges: _Ranges, negated: bool) -> str:
    """Return some characters inside of ranges (or outside): the ends, and what lies in the middle."""
    if negated:
        return "".join(c for c in _PROBES if not any(low <= c <= high for low, high in ranges))
    found: dict[str, None] = {}
    for low, high in ranges:
        for code in (ord(low), (ord(low) + ord(high)) // 2, ord(high)):
            found[chr(code)] = None
    return "".join(found)
