"""Where each character of a decoded scalar stands in the file: quotes, escapes, folding and block indentation undone.

Each decoder below repeats what YAML does, with an offset beside every character; its text is compared with the one
that the parser gave, so that a place is either exact or the start of the scalar, never a wrong one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["content_start", "source_offsets"]

_Pieces: TypeAlias = list[tuple[str, int]]
"""Characters with their offsets; the last piece is empty, with the offset behind the scalar."""

_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+|#[^\r\n]*)+)*")
_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_FOLD = re.compile(r"[ \t]*(?:\r\n|[\n\r\x85\u2028\u2029])(?:[ \t]|\r\n|[\n\r\x85\u2028\u2029])*")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\r\n|.))", re.DOTALL)
_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_BLANK = re.compile(r"[ \t\r\n]*")
_HEADER = re.compile(r"[|>]([+-]?)[1-9]?([+-]?)[^\r\n]*")


def content_start(text: str, start: int, end: int) -> int:
    """Return where the scalar itself begins behind its anchor and tag."""
    found = _PROPERTIES.match(text, start, end)
    return start if found is None else found.end()


def source_offsets(text: str, start: int, end: int, value: str) -> Sequence[int]:
    """Return for each character of ``value`` its offset in ``text``, and the offset behind the last one.

    ``text[start:end]`` is the scalar as written, a block scalar without the blank lines at its end.
    """
    start = content_start(text, start, end)
    opening = text[start : start + 1]
    if opening in ("|", ">") and start < end:
        behind = _BLANK.match(text, end)
        end = behind.end() if behind else end
        return _exact(_block(text, start, end), value, start)
    if opening in ("'", '"') and end - start >= 2:
        if text[start + 1 : end - 1] == value:
            return range(start + 1, end)
        decode = _double_quoted if opening == '"' else _single_quoted
        return _exact([decode(text, start + 1, end - 1)], value, start)
    if text[start:end] == value:
        return range(start, end + 1)
    return _exact([_plain(text, start, end)], value, start)


def _exact(candidates: Iterable[_Pieces], value: str, start: int) -> Sequence[int]:
    for pieces in candidates:
        if "".join(text for text, _ in pieces) == value:
            return [offset for _, offset in pieces]
    return [start] * (len(value) + 1)


def _plain(text: str, start: int, end: int, doubled: str = "") -> _Pieces:
    """Undo the folding of lines; what stands ``doubled`` (the quote of a single-quoted scalar) is one character."""
    pieces: _Pieces = []
    at = start
    while at < end:
        fold = _FOLD.match(text, at, end)
        if fold:
            pieces += _folded(fold)
            at = fold.end()
        else:
            pieces.append((text[at], at))
            at += 2 if doubled and text.startswith(doubled, at) else 1
    return [*pieces, ("", end)]


def _single_quoted(text: str, start: int, end: int) -> _Pieces:
    return _plain(text, start, end, doubled="''")


def _double_quoted(text: str, start: int, end: int) -> _Pieces:
    pieces: _Pieces = []
    at = start
    while at < end:
        escape = _ESCAPE.match(text, at, end)
        fold = None if escape else _FOLD.match(text, at, end)
        if fold:
            pieces += _folded(fold)
            at = fold.end()
        elif escape:
            behind = escape.end()
            if escape[4] and _BREAK.fullmatch(escape[4]):
                # An escaped line break joins the lines; the indentation of the next one goes with it.
                while text[behind : behind + 1] in (" ", "\t") and behind < end:
                    behind += 1
            else:
                pieces.append((_unescaped(escape), at))
            at = behind
        else:
            pieces.append((text[at], at))
            at += 1
    return _joined_surrogates([*pieces, ("", end)])


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    if not digits:
        return _ESCAPES.get(escape[4], escape[4])
    code = int(digits, 16)
    return chr(code) if code <= 0x10FFFF else ""


def _joined_surrogates(pieces: _Pieces) -> _Pieces:
    """Join the two halves that JSON writes a character beyond the basic plane with."""
    joined: _Pieces = []
    for character, offset in pieces:
        if joined and "\udc00" <= character <= "\udfff" and "\ud800" <= joined[-1][0] <= "\udbff":
            high, at = joined.pop()
            pair = (high + character).encode("utf-16", "surrogatepass").decode("utf-16")
            joined.append((pair, at))
        else:
            joined.append((character, offset))
    return joined


def _folded(fold: re.Match[str]) -> _Pieces:
    """Return what a run of line breaks is folded to: one is a space, the first of several is dropped."""
    breaks = [(_break_text(b[0]), b.start()) for b in _BREAK.finditer(fold[0])]
    offset = fold.start()
    if len(breaks) == 1:
        text, at = breaks[0]
        return [(" " if text == "\n" else text, offset + at)]
    kept = breaks[1:] if breaks[0][0] == "\n" else breaks
    return [(text, offset + at) for text, at in kept]


def _break_text(written: str) -> str:
    return written if written in ("\u2028", "\u2029") else "\n"


def _block(text: str, start: int, end: int) -> Iterator[_Pieces]:
    """Yield the decoding under every indentation that the lines allow, the likeliest first."""
    header = _HEADER.match(text, start, end)
    if header is None:
        return
    chomping = header[1] or header[2]
    lines: list[tuple[int, int, str]] = []  # start, end, line break
    at = header.end()
    first_break = _BREAK.match(text, at, end)
    at = first_break.end() if first_break else end
    while at < end:
        found = _BREAK.search(text, at, end)
        stop, behind = (found.start(), found.end()) if found else (end, end)
        lines.append((at, stop, _break_text(found[0]) if found else ""))
        at = behind
    content = [text[a:b] for a, b, _ in lines if text[a:b].strip(" ")]
    widest = len(content[0]) - len(content[0].lstrip(" ")) if content else 0
    for indent in range(widest, -1, -1):
        yield _block_pieces(text, lines, indent, text[start] == "|", chomping, end)


def _block_pieces(
    text: str, lines: list[tuple[int, int, str]], indent: int, literal: bool, chomping: str, end: int
) -> _Pieces:
    pieces: _Pieces = []
    leading: _Pieces = []  # the break behind the last line of content
    trailing: _Pieces = []  # those of the empty lines after it
    was_indented = False
    for start, stop, line_break in lines:
        broken = [(line_break, stop)] if line_break else []
        if not text[start:stop].strip(" ") and stop - start <= indent:
            trailing += broken
            continue
        begins = start + indent
        is_indented = text[begins : begins + 1] in (" ", "\t")
        if literal or not leading or leading[0][0] != "\n" or was_indented or is_indented:
            pieces += leading
        elif not trailing:
            pieces.append((" ", leading[0][1]))
        pieces += trailing
        pieces += [(text[i], i) for i in range(begins, stop)]
        leading, trailing, was_indented = broken, [], is_indented
    if chomping != "-":
        pieces += leading
        if chomping == "+":
            pieces += trailing
    return [*pieces, ("", pieces[-1][1] + 1 if pieces else end)]
