"""Builds nodes from the events of a YAML or JSON reader, within bounds that keep hostile files harmless."""

from __future__ import annotations

from sys import intern
from typing import Literal, NoReturn

from dialproof.source.nodes import Entry, Mapping, Node, Scalar, ScalarValue, Sequence, SourceText, Style

__all__ = ["MAX_ALIASED_NODES", "MAX_DEPTH", "MAX_DUPLICATES", "TOO_DEEP", "TreeBuilder", "UnreadableError"]

MAX_DEPTH = 100
"""How deep collections may nest."""

TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
"""What to say of a deeper one."""

MAX_ALIASED_NODES = 100_000
"""How many nodes the aliases of one file may stand for in total."""

MAX_DUPLICATES = 100
"""How many duplicate keys of one file are reported."""


class UnreadableError(Exception):
    """Reading cannot go on: what was found and what was expected, and the offset where."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message


class _Frame:
    """A collection that is being read."""

    __slots__ = ("anchor", "entries", "items", "key", "kind", "size", "start")

    def __init__(self, kind: Literal["mapping", "sequence"], start: int, anchor: str | None) -> None:
        self.kind = kind
        self.start = start
        self.anchor = anchor
        self.entries: dict[str, Entry] = {}
        self.items: list[Node] = []
        self.key: Scalar | None = None
        self.size = 1


class TreeBuilder:
    """Receives events in document order; ``root`` is the finished tree.

    ``duplicates`` collects (start, end, sentence) of keys that were given twice; everything else that is wrong ends
    the reading with :class:`UnreadableError`.
    """

    def __init__(self, source: SourceText) -> None:
        self.root: Node | None = None
        self.duplicates: list[tuple[int, int, str]] = []
        self._source = source
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Node | None, int]] = {}
        self._aliased = 0

    @property
    def expects_key(self) -> bool:
        """Whether the next node is a key of a mapping."""
        return bool(self._stack) and self._stack[-1].kind == "mapping" and self._stack[-1].key is None

    @property
    def expects_value(self) -> bool:
        """Whether the next node is a value of a mapping, or an item of a sequence."""
        return bool(self._stack) and not self.expects_key

    def scalar(
        self, start: int, end: int, text: str, value: ScalarValue, style: Style, anchor: str | None = None
    ) -> None:
        """Add a scalar."""
        node = Scalar(self._source, start, end, text, value, style)
        if anchor is not None:
            self._anchors[anchor] = (node, 1)
        self._add(node, start, 1)

    def open(self, kind: Literal["mapping", "sequence"], start: int, anchor: str | None = None) -> None:
        """Begin a collection."""
        if self.expects_key:
            _refuse_key(start)
        if len(self._stack) >= MAX_DEPTH:
            raise UnreadableError(start, TOO_DEEP)
        if anchor is not None:
            self._anchors[anchor] = (None, 0)
        self._stack.append(_Frame(kind, start, anchor))

    def close(self, end: int | None) -> None:
        """End the innermost collection; without ``end`` it ends where its last node does."""
        frame = self._stack.pop()
        node: Mapping | Sequence
        if end is None:
            last = (
                frame.items[-1]
                if frame.items
                else next(reversed(frame.entries.values())).value
                if frame.entries
                else None
            )
            # An aliased node stands elsewhere in the file, so its end may lie before this collection.
            end = frame.start if last is None else max(frame.start, last.end_offset)
        if frame.kind == "mapping":
            node = Mapping(self._source, frame.start, end, frame.entries)
        else:
            node = Sequence(self._source, frame.start, end, tuple(frame.items))
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (node, frame.size)
        self._add(node, frame.start, frame.size)

    def alias(self, start: int, name: str) -> None:
        """Add the node that an alias stands for."""
        if name not in self._anchors:
            raise UnreadableError(start, f"alias *{name} has no anchor &{name} before it")
        node, size = self._anchors[name]
        if node is None:
            raise UnreadableError(start, f"alias *{name} stands inside of the value that it names")
        self._aliased += size
        if self._aliased > MAX_ALIASED_NODES:
            raise UnreadableError(
                start, f"aliases stand for more than {MAX_ALIASED_NODES:,} values: write them out, or fewer of them"
            )
        self._add(node, start, size)

    def _add(self, node: Node, start: int, size: int) -> None:
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        frame.size += size
        if frame.kind == "sequence":
            frame.items.append(node)
        elif frame.key is None:
            if not isinstance(node, Scalar):
                _refuse_key(start)
            if node.style == "plain" and not node.text:
                raise UnreadableError(start, "expected a key before this colon")
            self._add_key(frame, node, start)
        else:
            key, frame.key = frame.key, None
            frame.entries.setdefault(key.text, Entry(key, node))

    def _add_key(self, frame: _Frame, node: Scalar, start: int) -> None:
        first = frame.entries.get(node.text)
        if first is not None:
            if len(self.duplicates) >= MAX_DUPLICATES:
                raise UnreadableError(start, f"more than {MAX_DUPLICATES} duplicate keys")
            line, column = first.key.span.line, first.key.span.column
            self.duplicates.append(
                (start, node.end_offset, f"duplicate key {node.text!r}: first given at line {line}, column {column}")
            )
        if node.value is node.text:  # nearly all keys, and the same few of them in every record
            node.text = node.value = intern(node.text)
        frame.key = node


def _refuse_key(start: int) -> NoReturn:
    raise UnreadableError(start, "expected a key of plain text, found a list or a mapping as the key")
