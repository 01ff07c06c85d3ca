"""Repairs as text: a scalar written anew, an entry added, an entry or item taken out together with its comments.

Nothing else is touched: comments, quotes, blank lines and line ends stay as they are. Each function returns the edits,
and none where the text does not allow it: what an alias stands for is written elsewhere, and the last item of a block
cannot go without the key above it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dialproof.findings import Edit
from dialproof.source.nodes import Mapping, Scalar, Sequence
from dialproof.source.positions import Span
from dialproof.source.scalar_text import double_quoted, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dialproof.source.nodes import Node, SourceText

__all__ = ["apart", "edit", "replaced", "with_entry", "without_entry", "without_item", "without_lines"]

Edits: TypeAlias = "tuple[Edit, ...]"

_GAP = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")
_ALIAS = re.compile(r"\*[^\s,\[\]{}]+")
_BLANK_LINES = re.compile(r"(?:[ \t]*(?:\r\n|\n|\r))*")
_LAST_BREAKS = re.compile(r"(?:\r\n|\n|\r)[ \t\r\n]*\Z")
_BREAK = re.compile(r"\r\n|\n|\r|\Z")
_TAIL = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
_COMMENT_LINE = re.compile(r"([ \t]*)#[^\r\n]*(?:\r\n|\n|\r|\Z)")


def edit(path: str, source: SourceText, start: int, end: int, text: str = "") -> Edit:
    """Return the edit that writes ``text`` in place of ``source.text[start:end]``."""
    return Edit(path, Span(*source.place(start), *source.place(end)), text)


def replaced(path: str, node: Node | None, value: str | float | bool) -> Edits:
    """Return the edit that makes a scalar hold ``value``; text keeps its quotes, a block is left alone."""
    if not isinstance(node, Scalar) or node.style == "block":
        return ()
    opening = node.source.text[node.start_offset : node.start_offset + 1]
    written = _written(value, opening, is_json=path.lower().endswith(".json"))
    return (edit(path, node.source, node.start_offset, node.end_offset, written),)


def _written(value: str | float | bool, opening: str, *, is_json: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    if is_plain(value) and not is_json and opening not in ("'", '"'):
        return value
    if opening == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return double_quoted(value)


def with_entry(path: str, mapping: Mapping, after: str, key: str, value: str) -> Edits:
    """Return the edit that adds ``key: value`` (a plain word) behind the entry of another key."""
    parts = _parts(mapping)
    names = [entry.key.text for entry in mapping.entries]
    if parts is None or after not in names or key in names:
        return ()
    source, end = mapping.source, parts[names.index(after)].end
    if _is_flow(mapping):
        quote = '"' if path.lower().endswith(".json") else ""
        return (edit(path, source, end, end, f", {quote}{key}{quote}: {quote}{value}{quote}"),)
    if _block_at_the_end(mapping.entries[names.index(after)].value) is not None:
        return ()
    tail = _TAIL.match(source.text, end)
    if tail is None:
        return ()
    line_break = _BREAK.search(source.text)
    indent = " " * (mapping.span.column - 1)
    text = f"{line_break[0] if line_break and line_break[0] else chr(10)}{indent}{key}: {value}"
    return (edit(path, source, tail.end(), tail.end(), text),)


def without_entry(path: str, mapping: Mapping, key: str) -> Edits:
    """Return the edits that take a key with its value and comments out of a mapping."""
    names = [entry.key.text for entry in mapping.entries]
    return _without(path, mapping, names.index(key)) if key in names else ()


def without_item(path: str, sequence: Sequence, index: int) -> Edits:
    """Return the edits that take an item with its comments out of a list."""
    return _without(path, sequence, index)


def apart(edits: Iterable[Edit]) -> Edits:
    """Return those of some edits that can be made together: of two that overlap the first."""
    kept: list[Edit] = []
    for one in sorted(edits, key=lambda e: (e.path, e.span)):
        last = kept[-1] if kept else None
        if last is None or last.path != one.path or _ends(last.span) <= (one.span.line, one.span.column):
            kept.append(one)
    return tuple(kept)


def _ends(span: Span) -> tuple[int, int]:
    return span.end_line, span.end_column


def without_lines(path: str, source: SourceText, start: int, end: int, *, below_block: bool = False) -> Edits:
    """Return the edit that takes whole lines out, from that of ``start`` to that before ``end``.

    Where they are the last of a file that ends without a line break it still does, unless they stand ``below_block``:
    a block scalar needs its line break.
    """
    first = _line_start(source.text, start)
    if end == len(source.text) and not below_block and not source.text.endswith(("\n", "\r")):
        found = _LAST_BREAKS.search(source.text, 0, first)
        first = found.start() if found else first
    return (edit(path, source, first, end),)


class _Part(NamedTuple):
    """The extent of an item from its dash, or of an entry from its key, as it stands in the text.

    One with an anchor or a tag is ``named``: an alias may need it.
    """

    start: int
    end: int
    named: bool


def _is_flow(collection: Mapping | Sequence) -> bool:
    return collection.source.text[collection.start_offset : collection.start_offset + 1] in ("[", "{")


def _parts(collection: Mapping | Sequence) -> list[_Part] | None:
    """Return the parts of a collection, None where the text is not written as expected (``? key``)."""
    text, at = collection.source.text, collection.start_offset
    flow = _is_flow(collection)
    dashes = isinstance(collection, Sequence) and not flow
    at += flow
    parts: list[_Part] = []
    for key, node in _children(collection):
        begin = _gap(text, at)
        if parts and flow:
            if text[begin : begin + 1] != ",":
                return None
            begin = _gap(text, begin + 1)
        behind = begin
        if key is not None:
            if key.start_offset != begin:
                return None
            colon = _gap(text, key.end_offset)
            behind = colon + 1 if text[colon : colon + 1] == ":" else key.end_offset
        elif dashes:
            if text[begin : begin + 1] != "-":
                return None
            behind = begin + 1
        at = _gap(text, behind)
        if node.start_offset < behind:
            alias = _ALIAS.match(text, at)
            if alias is None:
                return None
            at = alias.end()
            parts.append(_Part(begin, at, named=False))
            continue
        named = node.start_offset > at
        at = node.end_offset
        parts.append(_Part(begin, at, named))
    return parts


def _children(collection: Mapping | Sequence) -> list[tuple[Scalar | None, Node]]:
    """Return the items, or the values with their keys."""
    if isinstance(collection, Sequence):
        return [(None, item) for item in collection.items]
    return [(entry.key, entry.value) for entry in collection.entries]


def _without(path: str, collection: Mapping | Sequence, index: int) -> Edits:
    parts = _parts(collection)
    if parts is None or parts[index].named:
        return ()
    if _is_flow(collection):
        return _without_flow_part(path, collection, parts, index)
    if len(parts) == 1:
        return ()
    source, text = collection.source, collection.source.text
    start, end, _ = parts[index]
    line = _line_start(text, start)
    tail = _TAIL.match(text, end)
    if tail is None:
        return ()
    if text[line:start].strip(" "):  # behind a dash, as the first key of an item mostly stands
        following = re.compile(r"[ \t\r\n]*").match(text, tail.end())
        assert following is not None
        return (edit(path, source, start, following.end()),) if index == 0 else ()
    column = start - line
    first = _with_comments_above(text, line, column, parts[index - 1].end if index else 0)
    if index == 0 and _gap(text, 0) == start:
        first = line  # what stands above the first key is about the file
    behind = _with_comments_below(text, _behind_break(text, tail.end()), column)
    previous = _children(collection)[index - 1][1] if index else None
    between = text[tail.end() : parts[index + 1].start] if index + 1 < len(parts) else ""
    if first == line and between in (f"{b}{' ' * column}" for b in ("\n", "\r\n", "\r")):
        # From key to key the same as whole lines, so that neighbours may go at once.
        return (edit(path, source, start, parts[index + 1].start),)
    block = None if previous is None else _block_at_the_end(previous)
    if _is_blank(text, first) or (block is not None and "+" in block):
        behind = _behind_blank_lines(text, behind)
    return without_lines(path, source, first, behind, below_block=block is not None)


def _without_flow_part(path: str, collection: Mapping | Sequence, parts: list[_Part], index: int) -> Edits:
    source, text = collection.source, collection.source.text
    start, end, _ = parts[index]
    commas = [_comma(text, part.end) for part in parts]
    comma, last = commas[index], index == len(parts) - 1
    stop = end if comma is None else comma + 1
    tail = _TAIL.match(text, stop)
    line = _line_start(text, start)
    own_line = tail is not None and not text[line:start].strip(" \t")
    before: Edits = ()
    if index and last:  # the comma before it goes as well, unless the one behind it takes its place
        dangling = commas[index - 1]
        assert dangling is not None
        if not own_line and not text[dangling + 1 : start].strip():
            return (edit(path, source, dangling, end),)
        before = (edit(path, source, dangling, dangling + 1),) if comma is None else ()
    if own_line:
        assert tail is not None
        bound = parts[index - 1].end if index else collection.start_offset
        first = _with_comments_above(text, line, start - line, bound)
        return (*before, *without_lines(path, source, first, _behind_break(text, tail.end())))
    if last:
        return (*before, edit(path, source, start, stop))
    if tail is not None:  # what follows stands on a line of its own
        return (edit(path, source, start, tail.end()),)
    return (edit(path, source, start, parts[index + 1].start),)


def _comma(text: str, end: int) -> int | None:
    at = _gap(text, end)
    return at if text[at : at + 1] == "," else None


def _gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    assert found is not None
    return found.end()


def _line_start(text: str, at: int) -> int:
    behind = text.rfind("\n", 0, at) + 1
    return max(behind, text.rfind("\r", behind, at) + 1)  # not all of a long text for each line


def _behind_break(text: str, at: int) -> int:
    found = _BREAK.match(text, at)
    return found.end() if found else at


def _behind_blank_lines(text: str, at: int) -> int:
    found = _BLANK_LINES.match(text, at)
    assert found is not None
    return found.end()


def _is_blank(text: str, line: int) -> bool:
    """Tell whether there is a blank line right above the line that begins at ``line``."""
    if not line:
        return False
    above = _line_start(text, line - (2 if text[:line].endswith("\r\n") else 1))
    return not text[above:line].strip()


def _with_comments_above(text: str, line: int, column: int, bound: int) -> int:
    """Return where the comments begin that stand right above a line, as far in as it, behind ``bound``."""
    while line > bound:
        above = _line_start(text, line - (2 if text[:line].endswith("\r\n") else 1))
        found = _COMMENT_LINE.match(text, above)
        if above < bound or found is None or len(found[1]) != column:
            break
        line = above
    return line


def _with_comments_below(text: str, line: int, column: int) -> int:
    """Return the end of the comment lines below that stand further in than ``column``."""
    at = line
    while at < len(text):
        found = _COMMENT_LINE.match(text, _behind_blank_lines(text, at))
        if found is None or len(found[1]) <= column:
            break
        at = line = found.end()
    return line


def _block_at_the_end(node: Node) -> str | None:
    """Return the header of the block scalar that a node ends with, None without one; with + blank lines are its own."""
    while not isinstance(node, Scalar):
        children = _children(node)
        if not children:
            return None
        node = children[-1][1]
    text = node.source.text
    header = text[node.start_offset : _line_end(text, node.start_offset)].partition("#")[0]
    return header if node.style == "block" else None


def _line_end(text: str, at: int) -> int:
    found = re.compile(r"[\r\n]|\Z").search(text, at)
    assert found is not None
    return found.start()
