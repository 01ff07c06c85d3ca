"""The nodes of an input file: scalars, mappings and sequences that know where they stand."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from dialproof.source.positions import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Sequence as AbstractSequence

__all__ = ["Entry", "Mapping", "Node", "Scalar", "ScalarValue", "Sequence", "SourceText", "Style", "whole_value"]

ScalarValue: TypeAlias = str | float | int | bool | None
Style: TypeAlias = Literal["plain", "quoted", "block"]
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


_LONGEST_INT = 300  # digits: what is longer is beyond a double anyway, and slow to convert


def whole_value(digits: str, base: int = 10) -> int | float:
    """Return the number of a text of digits; one of hundreds of digits is a double, maybe an infinite one."""
    if len(digits) <= _LONGEST_INT:
        return int(digits, base)
    return float(digits) if base == 10 else math.inf


class SourceText:
    """The text of a file; turns offsets into lines and columns. Lines end at LF, CR LF or CR alone."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(m.end() for m in _LINE_BREAK.finditer(self.text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of the character at ``offset``."""
        starts = self._line_starts
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place."""
        return self._line_starts[line - 1] + column - 1

    def span(self, start: int, end: int) -> Span:
        """Return the span of ``text[start:end]``, one column wide where that is empty."""
        line, column = self.place(start)
        if end <= start:
            return Span(line, column, line, column + 1)
        starts = self._line_starts
        if line == len(starts) or end < starts[line]:
            return Span(line, column, line, column + end - start)
        return Span(line, column, *self.place(end))


class _Placed:
    """A piece of a file."""

    __slots__ = ("_end", "_source", "_start")

    def __init__(self, source: SourceText, start: int, end: int) -> None:
        self._source = source
        self._start = start
        self._end = end

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self._source.span(self._start, self._end)

    @property
    def source(self) -> SourceText:
        """The text of the file."""
        return self._source

    @property
    def start_offset(self) -> int:
        """The offset of its first character."""
        return self._start

    @property
    def end_offset(self) -> int:
        """The offset behind its last character."""
        return self._end


class Scalar(_Placed):
    """One value: ``text`` as decoded by YAML, ``value`` as typed by the core schema (text if quoted or block)."""

    __slots__ = ("_offsets", "style", "text", "value")

    def __init__(self, source: SourceText, start: int, end: int, text: str, value: ScalarValue, style: Style) -> None:
        # Not by super(): a file has hundreds of thousands of scalars.
        self._source = source
        self._start = start
        self._end = end
        self.text = text
        self.value = value
        self.style = style
        self._offsets: AbstractSequence[int] | None = None

    def __repr__(self) -> str:
        """Return kind and place; never the value, which may be somebody's phone number."""
        return f"Scalar({self.style} at {self.span.line}:{self.span.column})"

    def _places(self) -> AbstractSequence[int]:
        if self._offsets is None:
            from dialproof.source.scalar_places import source_offsets

            self._offsets = source_offsets(self._source.text, self._start, self._end, self.text)
        return self._offsets

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of the character at ``offset`` of ``text`` (its length: behind the last one)."""
        places = self._places()
        return self._source.place(places[max(0, min(offset, len(places) - 1))])

    def part(self, start: int, end: int) -> Span:
        """Return the span of ``text[start:end]``."""
        line, column = self.place(start)
        if end <= start:
            return Span.point(line, column)
        last, behind = self.place(end - 1), self.place(end)
        if behind[0] != last[0] or behind[1] <= last[1]:
            behind = (last[0], last[1] + 1)
        return Span(line, column, *behind)


class Entry(NamedTuple):
    """One key of a mapping with its value."""

    key: Scalar
    value: Node


class Mapping(_Placed):
    """Keys with values, in document order; keys are unique by their text.

    ``entries`` may be what finds them, which is called when somebody asks for the first time. Until then ``plain`` is
    the mapping as plain values, where a reader knows these.
    """

    __slots__ = ("_entries", "plain")

    def __init__(
        self,
        source: SourceText,
        start: int,
        end: int,
        entries: dict[str, Entry] | Callable[[], dict[str, Entry]],
        plain: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(source, start, end)
        self._entries = entries
        self.plain = plain

    def __repr__(self) -> str:
        """Return kind and place."""
        return f"Mapping({len(self._by_name)} keys at {self.span.line}:{self.span.column})"

    @property
    def _by_name(self) -> dict[str, Entry]:
        if not isinstance(self._entries, dict):
            self._entries = self._entries()
            self.plain = None  # two of everything would take much memory
        return self._entries

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The keys with their values."""
        return tuple(self._by_name.values())

    def get(self, name: str) -> Node | None:
        """Return the value of a key, None where there is no such key."""
        entry = self._by_name.get(name)
        return None if entry is None else entry.value

    def entry(self, name: str) -> Entry | None:
        """Return a key with its value, None where there is no such key."""
        return self._by_name.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name


class Sequence(_Placed):
    """A list of nodes; ``items`` may be what finds them, too."""

    __slots__ = ("_items",)

    def __init__(
        self, source: SourceText, start: int, end: int, items: tuple[Node, ...] | Callable[[], tuple[Node, ...]]
    ) -> None:
        super().__init__(source, start, end)
        self._items = items

    def __repr__(self) -> str:
        """Return kind and place."""
        return f"Sequence({len(self.items)} items at {self.span.line}:{self.span.column})"

    @property
    def items(self) -> tuple[Node, ...]:
        """The nodes."""
        if not isinstance(self._items, tuple):
            self._items = self._items()
        return self._items

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


Node: TypeAlias = Scalar | Mapping | Sequence
