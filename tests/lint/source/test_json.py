"""JSON that is right is placed when somebody asks, and JSON that is wrong read token by token: both see the same."""

from __future__ import annotations

import json
import string
from itertools import chain
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from dialproof.model.parse_base import plain_value
from dialproof.source import Mapping, Node, Scalar, Sequence, read_source
from dialproof.source.json_reader import _read_tokens, read_json
from dialproof.source.nodes import SourceText
from dialproof.source.tree import MAX_DEPTH, TreeBuilder, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANKS = st.text(" \t\r\n", max_size=3)
_TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8) | st.text("\\\"/{}[],:#'ü😀", max_size=8)
_NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([10**400, -0.0, 1e300])
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=20,
)

_HALVES = ["\\u", "\\ud83d", "\\\\ud83d\\ude00", '"\\ud83d\\ude00"']
_PIECES = ["", *'{}[],:"\\+-.e01 \n\x0b\ufeff', *string.ascii_lowercase, "null", "NaN", "Infinity", '"a"', *_HALVES]


@st.composite
def _written(draw: st.DrawFn) -> str:
    """Draw a JSON text, with blanks wherever they may be and escapes where they need not be."""
    ascii_only = draw(st.booleans())

    def write(part: Any) -> str:
        if isinstance(part, dict):
            inner = ",".join(f"{blank()}{write(k)}{blank()}:{blank()}{write(v)}{blank()}" for k, v in part.items())
            return f"{{{inner or blank()}}}"
        if isinstance(part, list):
            return f"[{','.join(f'{blank()}{write(v)}{blank()}' for v in part) or blank()}]"
        return json.dumps(part, ensure_ascii=ascii_only)

    def blank() -> str:
        return draw(_BLANKS)

    return f"{blank()}{write(draw(_VALUES))}{blank()}"


def _tree(node: Node | None) -> Any:
    """Return everything that a node tells, as plain data."""
    assert node is not None
    place = (node.start_offset, node.end_offset, node.span)
    if isinstance(node, Scalar):
        return (*place, node.text, repr(node.value), node.style)
    if isinstance(node, Mapping):
        return (*place, [(_tree(key), _tree(value)) for key, value in node.entries])
    return (*place, [_tree(item) for item in node])


def _nodes(node: Node | None) -> Iterator[Node]:
    """Yield a node, keys too, and all below it."""
    assert node is not None
    yield node
    if not isinstance(node, Scalar):
        below = [part for entry in node.entries for part in entry] if isinstance(node, Mapping) else node
        yield from chain.from_iterable(map(_nodes, below))


def _number(digits: str) -> float:
    return int(digits) if len(digits) <= 300 else float(digits)


def _read(text: str, *, by_tokens: bool) -> Any:
    source = SourceText(text)
    builder = TreeBuilder(source)
    try:
        (_read_tokens if by_tokens else read_json)(source, builder)
    except UnreadableError as error:
        return error.offset, error.message
    return _tree(builder.root), builder.duplicates


@given(_written())
def test_the_tree_is_that_of_the_tokens(text: str) -> None:
    """Kinds, texts, values and places are the same, whichever way a text was read; what stands there says the value."""
    found = _read(text, by_tokens=False)
    assert found == _read(text, by_tokens=True)
    builder = TreeBuilder(source := SourceText(text))
    read_json(source, builder)
    for node in _nodes(builder.root):
        there = json.loads(text[node.start_offset : node.end_offset], parse_int=_number)
        assert json.dumps(plain_value(node)) == json.dumps(there)


@given(_written(), st.data())
def test_what_is_wrong_is_said_the_same_way(text: str, data: st.DataObject) -> None:
    """A text with a piece put in or taken out is read as before, or refused with the same words at the same place."""
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 3))
    piece = data.draw(st.sampled_from(_PIECES))
    text = text[:at] + piece + text[at + cut :]
    assert _read(text, by_tokens=False) == _read(text, by_tokens=True)


def test_depth_is_bounded_either_way() -> None:
    """As many levels are read as the tokens allow, and no more."""
    for opened, closed in (("[", "]"), ('{"a":', "}")):
        for inner in ("1", "[]"):
            for levels in (MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 5000):
                text = opened * levels + inner + closed * levels
                found = _read(text, by_tokens=True)
                assert _read(text, by_tokens=False) == found
                assert (found[1] == []) == (levels + (inner == "[]") <= MAX_DEPTH)


def test_nodes_are_placed_when_somebody_asks(tmp_path: Any) -> None:
    """A mapping knows what it says before its nodes are made; asking twice gives the same nodes."""
    path = tmp_path / "a.json"
    path.write_text('{"cases": [{"contact": {"a": 1, "b": {"c": "x"}}}]}')
    root = read_source(path, "a.json").root
    assert isinstance(root, Mapping)
    assert root.plain == {"cases": [{"contact": {"a": 1, "b": {"c": "x"}}}]}
    cases = root.get("cases")
    assert root.plain is None
    assert cases is root.get("cases")
    assert isinstance(cases, Sequence)
    assert cases.items[0] is cases.items[0]
    assert root.entries[0].key.span.column == 2
