"""JSON text to nodes. YAML's parser would take most JSON, but no tab before a bracket, long key or surrogate pair."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NoReturn

from dialproof.source.nodes import Scalar, whole_value
from dialproof.source.tree import UnreadableError

if TYPE_CHECKING:
    from dialproof.source.nodes import ScalarValue, SourceText, Style
    from dialproof.source.tree import TreeBuilder

__all__ = ["read_json"]

_TEXT = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_BLANK = r"[ \t\r\n]*"
_TOKEN = re.compile(
    rf"""{_BLANK}(?:
        (?P<mark>[{{}}\[\],:])
      | (?P<text>{_TEXT})
      | (?P<number>{_NUMBER})(?![0-9a-zA-Z.])
      | (?P<word>true|false|null)(?![0-9a-zA-Z_])
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_ENTRY = re.compile(rf"{_BLANK}({_TEXT}){_BLANK}:{_BLANK}(?:({_TEXT})|({_NUMBER})|(true|false|null)){_BLANK}[,}}]")
"""Four tokens at once, of which most files consist: a key, a value that holds no others, and what follows it."""
_ENTRY_KINDS = (None, None, "text", "number", "word")
_WORDS: dict[str, ScalarValue] = {"true": True, "false": False, "null": None}
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json(source: SourceText, builder: TreeBuilder) -> None:
    """Feed a JSON text to ``builder``; raises :class:`UnreadableError` where it is not JSON."""
    text = source.text
    at = 0
    closers: list[str] = []
    state = "value"  # value, first value or end, first key or end, key, colon, next (comma or end), done
    while True:
        while state in ("key", "first key") and (found := _ENTRY.match(text, at)):
            at = _entry(source, builder, found)
            state = "key"
            if text[at - 1] == "}":
                builder.close(at)
                closers.pop()
                state = "next" if closers else "done"
        found = _TOKEN.match(text, at)
        if found is None:
            _refuse(text, at, state, closers)
        at = found.end()
        kind = found.lastgroup
        written = found[kind] if kind else ""
        start = at - len(written)
        if state == "done":
            if kind == "end":
                return
            raise UnreadableError(start, "expected the end of the file after the value")
        if kind == "end":
            _refuse(text, start, state, closers)
        if written in ("]", "}") and state in ("next", "first value", "first key") and closers[-1] == written:
            builder.close(at)
            closers.pop()
            state = "next" if closers else "done"
        elif state == "next":
            if written != ",":
                _refuse(text, start, state, closers)
            state = "key" if closers[-1] == "}" else "value"
        elif state == "colon":
            if written != ":":
                _refuse(text, start, state, closers)
            state = "value"
        elif state in ("key", "first key"):
            if kind != "text":
                _refuse(text, start, state, closers)
            builder.scalar(start, at, *_typed(kind, written, start))
            state = "colon"
        elif written in ("{", "["):
            builder.open("mapping" if written == "{" else "sequence", start)
            closers.append("}" if written == "{" else "]")
            state = "first key" if written == "{" else "first value"
        elif kind == "mark":
            _refuse(text, start, state, closers)
        else:
            builder.scalar(start, at, *_typed(kind, written, start))
            state = "next" if closers else "done"


def _entry(source: SourceText, builder: TreeBuilder, found: re.Match[str]) -> int:
    """Add a key and its value; return where they end, behind what follows them."""
    kind = found.lastindex
    assert kind is not None
    start, end = found.span(1)
    text = _decoded(found[1], start)
    builder.add(Scalar(source, start, end, text, text, "quoted"))
    start, end = found.span(kind)
    builder.add(Scalar(source, start, end, *_typed(_ENTRY_KINDS[kind], found[kind], start)))
    return found.end()


def _typed(kind: str | None, written: str, start: int) -> tuple[str, ScalarValue, Style]:
    """Return a value's text, the value, and how it is written."""
    if kind == "text":
        text = _decoded(written, start)
        return text, text, "quoted"
    if kind == "word":
        return written, _WORDS[written], "plain"
    whole = written.lstrip("-").isdigit()
    return written, whole_value(written) if whole else float(written), "plain"


def _decoded(written: str, start: int) -> str:
    if "\\" not in written:
        return written[1:-1]
    text: str = json.loads(written)
    if _SURROGATE.search(text):  # nothing else makes half a character: the file is UTF-8
        raise UnreadableError(start, "found half of a surrogate pair in a text, expected whole characters")
    return text


def _refuse(text: str, at: int, state: str, closers: list[str]) -> NoReturn:
    while text[at : at + 1] in (" ", "\t", "\r", "\n") and at < len(text):
        at += 1
    expected = {
        "value": "a value",
        "first value": "a value or ]",
        "first key": "a key in double quotes or }",
        "key": "a key in double quotes",
        "colon": "a colon",
        "next": f"a comma or {closers[-1] if closers else 'the end'}",
        "done": "the end of the file",
    }[state]
    found = "the end of the file" if at >= len(text) else _named(text[at])
    raise UnreadableError(at, f"not JSON: expected {expected}, found {found}")


def _named(character: str) -> str:
    if character == '"':
        return "a text that does not end or has a wrong escape"
    return f"{character!r}" if character.isprintable() else f"the character U+{ord(character):04X}"
