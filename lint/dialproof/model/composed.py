"""CEL that is put together of what stands in a file and of words of ours."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from dialproof.source import Node
    from dialproof.source.positions import Span

__all__ = ["Composed", "Piece"]

Piece: TypeAlias = "tuple[str, Node]"
"""Some text, and the node that it comes from: a scalar of exactly this text, or the reason for words of ours."""


class Composed:
    """A text of several pieces that knows, as a scalar does, where each part of it was written."""

    def __init__(self, *pieces: Piece) -> None:
        self.pieces = pieces
        self.text = "".join(text for text, _ in pieces)
        self._starts = [0, *accumulate(len(text) for text, _ in pieces)]

    def part(self, start: int, end: int) -> Span:
        """Return the place of ``text[start:end]``: in the file where one piece holds it all, else of its first one."""
        from dialproof.source import Scalar

        index = min(bisect_right(self._starts, start), len(self.pieces)) - 1
        text, node = self.pieces[index]
        first = self._starts[index]
        if isinstance(node, Scalar) and node.text == text:
            return node.part(start - first, min(end - first, len(text)))
        return node.span
