"""The syntax of RE2 as a tree.

Only the grammar is known here. Which characters a part that takes one character matches (a class, an escape, a letter
under ``(?i)``) is asked of RE2 itself, so that folding, Unicode classes and negation are right by construction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

__all__ = ["ANY", "Chars", "Either", "Limit", "Node", "Ranges", "Repeat", "Sequence", "literal", "members", "read"]

Ranges: TypeAlias = "tuple[tuple[int, int], ...]"
"""Code points from ... to (both included), ascending, surrogates left out."""

_SURROGATES = (0xD800, 0xDFFF)
_LAST = 0x10FFFF
_CASED = 0x20000
"""No character from here on has a case."""
_ESCAPE = re.compile(r"\\(?:x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|[pP]\{[^}]*\}|[pP].|.)", re.DOTALL)
_COUNT = re.compile(r"\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}", re.ASCII)
_FLAGS = re.compile(r"\?([imsU]*)(?:-([imsU]+))?([:)])")
_NAME = re.compile(r"\?P?<\w+>")
_SPECIAL = frozenset("\\.+*?()|[]{}^$")
_DEEP = 100
"""Groups inside of each other."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of those that ``pattern``, a piece of RE2 with its flags, matches."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """``node`` at least and at most so often; ``most`` None is without end."""

    node: Node
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; without nodes the empty text."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of several."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """An empty piece at the start or the end of the text, or (``inner``) at a place between two characters."""

    where: Literal["start", "end", "inner"]


Node: TypeAlias = "Chars | Repeat | Sequence | Either | Limit"

ANY = Chars("(?s:.)")
"""Any character at all."""


def literal(text: str) -> Sequence:
    """Return the tree that matches exactly ``text``."""
    return Sequence(tuple(map(_character, text)))


@lru_cache(maxsize=256)
def read(pattern: str) -> Node:
    """Return the tree of a pattern that RE2 accepts; raises ValueError for what has none here."""
    try:
        reader = _Reader(pattern)
        node = reader.either()
    except (IndexError, RecursionError) as error:
        raise ValueError(f"{pattern!r} is not understood") from error
    if reader.at < len(pattern):
        raise ValueError(f"{pattern!r} is not understood from character {reader.at} on")
    return node


@lru_cache(maxsize=1024)
def members(chars: Chars) -> Ranges:
    """Return every character that a piece matches."""
    pattern = chars.pattern
    if len(pattern) == 1 or (len(pattern) == 2 and pattern[0] == "\\" and not pattern[1].isalnum()):
        return ((ord(pattern[-1]),) * 2,)  # a literal, escaped or not
    import re2

    one_letter = pattern.startswith("(?i:") and len(pattern.removeprefix("(?i:")) == 2
    universe = _universe(_CASED - 1 if one_letter else _LAST)
    found: list[tuple[int, int]] = []
    for match in re2.compile(f"(?:{pattern})+").finditer(universe):
        low, high = ord(universe[match.start()]), ord(universe[match.end() - 1])
        if low < _SURROGATES[0] and high > _SURROGATES[1]:
            found += [(low, _SURROGATES[0] - 1), (_SURROGATES[1] + 1, high)]
        else:
            found.append((low, high))
    return tuple(found)


@lru_cache(maxsize=2)
def _universe(last: int) -> str:
    return "".join(map(chr, (*range(_SURROGATES[0]), *range(_SURROGATES[1] + 1, last + 1))))


def _character(character: str) -> Chars:
    return Chars(f"\\{character}" if character in _SPECIAL else character)


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self._flags = frozenset[str]()
        self._depth = 0

    def _takes(self, text: str) -> bool:
        if self.pattern.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def _token(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        found = expression.match(self.pattern, self.at)
        if found:
            self.at = found.end()
        return found

    def either(self) -> Node:
        nodes = [self._sequence()]
        while self._takes("|"):
            nodes.append(self._sequence())
        return nodes[0] if len(nodes) == 1 else Either(tuple(nodes))

    def _sequence(self) -> Node:
        nodes: list[Node] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            *others, last = self._quoted() if self._takes("\\Q") else (self._atom(),)
            nodes += [*others, self._repeated(last)]
        return Sequence(tuple(nodes))

    def _quoted(self) -> list[Node]:
        text, _, _ = self.pattern[self.at :].partition("\\E")
        self.at = min(self.at + len(text) + 2, len(self.pattern))
        if not text:
            raise ValueError("an empty quotation")
        return [self._folded(_character(c)) for c in text]

    def _repeated(self, node: Node) -> Node:
        while True:
            if self._takes("*"):
                node = Repeat(node, 0, None)
            elif self._takes("+"):
                node = Repeat(node, 1, None)
            elif self._takes("?"):
                node = Repeat(node, 0, 1)
            elif found := self._token(_COUNT):
                least, comma, most = found.groups()
                node = Repeat(node, int(least), int(least) if comma is None else int(most) if most else None)
            else:
                return node
            self._takes("?")  # a lazy repetition matches the same texts

    def _atom(self) -> Node:
        character = self.pattern[self.at]
        if character == "\\":
            return self._escape()
        self.at += 1
        if character == "(":
            return self._group()
        if character == "[":
            return self._folded(Chars(self._class()))
        if character == ".":
            return ANY if "s" in self._flags else Chars("(?-s:.)")
        if character in "^$":
            inner = "m" in self._flags
            return Limit("inner" if inner else "start" if character == "^" else "end")
        return self._folded(_character(character))

    def _folded(self, chars: Chars) -> Chars:
        """Return what a piece matches under the flags at its place."""
        text = chars.pattern
        plain = text[-1].isascii() and not text[-1].isalpha() and len(text) <= 2
        if "i" not in self._flags or plain:
            return chars
        return Chars(f"(?i:{text})")

    def _group(self) -> Node:
        before = self._flags
        self._depth += 1
        if self._depth > _DEEP:
            raise ValueError("too many groups inside of each other")
        if self.pattern.startswith("?", self.at) and not self._token(_NAME):
            found = self._token(_FLAGS)
            if found is None:
                raise ValueError("a group that is not understood")
            flags = (before | frozenset(found[1])) - frozenset(found[2] or "")
            if found[3] == ")":
                self._depth -= 1
                self._flags = flags  # until the group around ends
                if self.pattern[self.at : self.at + 1] in ("*", "+", "?", "{"):
                    raise ValueError("a repetition of flags")  # RE2 repeats what stands in front of them
                return Sequence(())
            self._flags = flags
        node = self.either()
        if not self._takes(")"):
            raise ValueError("a group without an end")
        self._flags = before
        self._depth -= 1
        return node

    def _escape(self) -> Node:
        found = self._token(_ESCAPE)
        if found is None or found[0] in ("\\C", "\\E"):
            raise ValueError("an escape that is not understood")
        text = found[0]
        if text in ("\\A", "\\z"):
            return Limit("start" if text == "\\A" else "end")
        if text in ("\\b", "\\B"):
            return Limit("inner")
        return self._folded(Chars(text))

    def _class(self) -> str:
        """Return the text of a class in brackets, from the bracket that has just been read."""
        start = self.at - 1
        self._takes("^")
        first = True
        while first or self.pattern[self.at] != "]":
            first = False
            end = self.pattern.find(":]", self.at) if self.pattern.startswith("[:", self.at) else -1
            if end >= 0:
                self.at = end + 2
                continue
            self._class_character()
            if self.pattern[self.at] == "-" and self.pattern[self.at + 1] != "]":
                self.at += 1
                self._class_character()
        self.at += 1
        return self.pattern[start : self.at]

    def _class_character(self) -> None:
        if not self._token(_ESCAPE):
            self.at += 1
