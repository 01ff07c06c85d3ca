"""JSON text to nodes. YAML's parser would take most JSON, but no tab before a bracket, long key or surrogate pair.

What is right is decoded by the standard library, whose decoder is in C, and its nodes are placed when somebody asks for
them: of thousands of contacts nobody does. What is wrong is read token by token, to the place where it is.
"""

from __future__ import annotations

import json
import re
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from dialproof.source.nodes import Entry, Mapping, Scalar, Sequence, whole_value
from dialproof.source.tree import MAX_DEPTH, UnreadableError

if TYPE_CHECKING:
    from dialproof.source.nodes import Node, ScalarValue, SourceText, Style
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
_WORDS: dict[str, ScalarValue] = {"true": True, "false": False, "null": None}
_SURROGATE = re.compile("[\ud800-\udfff]")

_VALUE = rf"({_TEXT}|{_NUMBER}|true|false|null|[{{\[])"
"""A value, or how it begins where it holds others."""
_ITEM = re.compile(rf"[ \t\r\n,]*{_VALUE}")
_ENTRY = re.compile(rf"[ \t\r\n,]*({_TEXT}){_BLANK}:{_BLANK}{_VALUE}")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(source: SourceText, builder: TreeBuilder) -> None:
    """Read a JSON text into ``builder``; raises :class:`UnreadableError` where it is not JSON."""
    try:
        value = _value_of(source.text)
    except (ValueError, RecursionError):
        _read_tokens(source, builder)
    else:
        builder.root = _items(source, [value], -1)[0]


def _value_of(text: str) -> Any:
    """Return what a JSON text says; raises ValueError or RecursionError where anything is wrong."""
    value = _STRICT.decode(text)
    if _ESCAPED_SURROGATE.search(text) and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise ValueError  # half a pair, which the decoder takes
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        parts = chain.from_iterable(whole.values() if isinstance(whole, dict) else whole for whole in level)
        level = [part for part in parts if isinstance(part, (dict, list))]
        if not level:
            return value
    raise ValueError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _no_number(_: str) -> NoReturn:
    raise ValueError


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_int=whole_value, parse_constant=_no_number)
_LAX = json.JSONDecoder(parse_int=float)  # for where a value ends: any reading of its numbers will do


def _node(source: SourceText, value: Any, start: int, end: int) -> Node:
    """Return the node of a value that stands at ``start``; ``end`` is where one ends that holds no others."""
    if isinstance(value, dict):
        end = _LAX.raw_decode(source.text, start)[1]
        return Mapping(source, start, end, partial(_entries, source, value, start), value)
    if isinstance(value, list):
        end = _LAX.raw_decode(source.text, start)[1]
        return Sequence(source, start, end, partial(_items, source, value, start))
    if isinstance(value, str):
        return Scalar(source, start, end, value, value, "quoted")
    return Scalar(source, start, end, source.text[start:end], value, "plain")


def _entries(source: SourceText, plain: dict[str, Any], start: int) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    at = start + 1
    for name, value in plain.items():
        found = _ENTRY.match(source.text, at)
        assert found is not None
        node = _node(source, value, *found.span(2))
        entries[name] = Entry(Scalar(source, *found.span(1), name, name, "quoted"), node)
        at = node.end_offset
    return entries


def _items(source: SourceText, plain: list[Any], start: int) -> tuple[Node, ...]:
    items: list[Node] = []
    at = start + 1
    for value in plain:
        found = _ITEM.match(source.text, at)
        assert found is not None
        items.append(_node(source, value, *found.span(1)))
        at = items[-1].end_offset
    return tuple(items)


def _read_tokens(source: SourceText, builder: TreeBuilder) -> None:
    """Feed a JSON text to ``builder`` token by token; raises :class:`UnreadableError` where it is not JSON."""
    text = source.text
    at = 0
    closers: list[str] = []
    state = "value"  # value, first value or end, first key or end, key, colon, next (comma or end), done
    while True:
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
