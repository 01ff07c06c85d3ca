"""Repairs change what they are for: everything else of a file is read as before, comments and line ends included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.fixes import apply_edits
from dialproof.model.parse_base import plain_value
from dialproof.source import Mapping, Scalar, Sequence, read_source
from dialproof.source.edits import replaced, with_entry, without_entry, without_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dialproof.source import Node, SourceFile

_WORDS = st.sampled_from(("a", "b b", "yes", "it's", '"', "1", "x: y", "#no", "é", "\U0001f600"))


def read(text: str, name: str = "a.yaml") -> SourceFile:
    """Return a text as a file that was read without problems."""
    source = read_source(Path(name), name, text.encode())
    assert source.root is not None, (text, source.problems)
    return source


def nodes(node: Node | None) -> Iterator[Node]:
    """Yield a node and everything below it."""
    if node is None:
        return
    yield node
    if isinstance(node, Mapping):
        for entry in node.entries:
            yield from nodes(entry.value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from nodes(item)


def at(text: str, *path: str | int, name: str = "a.yaml") -> Any:
    """Return the node of a text at a path."""
    node: Any = read(text, name).root
    for step in path:
        node = node.items[step] if isinstance(step, int) else node.get(step)
    return node


BLOCK = """\
# about the file
id: 7  # of the API
rules:
  # about a
  - name: a   # the first

    id: 5
    # inside of a
  # about b
  - name: b
    tags: [x, y]

  # about c
  - id: 6  # first key
    # about the name
    name: c
end: 1"""


@pytest.mark.parametrize(
    ("path", "index", "text"),
    [
        ((), "id", BLOCK.replace("id: 7  # of the API\n", "")),
        ((), "end", BLOCK.replace("\nend: 1", "")),
        (("rules",), 0, BLOCK[: BLOCK.index("  # about a")] + BLOCK[BLOCK.index("  # about b") :]),
        (("rules",), 1, BLOCK[: BLOCK.index("  # about b")] + BLOCK[BLOCK.index("\n  # about c") :]),
        (("rules",), 2, BLOCK[: BLOCK.index("  # about c")] + BLOCK[BLOCK.index("end") :]),
        (("rules", 0), "id", BLOCK.replace("    id: 5\n    # inside of a\n", "    # inside of a\n")),
        (("rules", 2), "id", BLOCK.replace("id: 6  # first key\n    #", "#")),
        (("rules", 1, "tags"), 0, BLOCK.replace("[x, y]", "[y]")),
        (("rules", 1, "tags"), 1, BLOCK.replace("[x, y]", "[x]")),
        ((), "rules", BLOCK[: BLOCK.index("rules")] + BLOCK[BLOCK.index("end") :]),
    ],
)
def test_what_goes_with_an_item(path: tuple[str | int, ...], index: str | int, text: str) -> None:
    """Its own comments go: those right above it, those behind it, those further in; the head of a file stays."""
    node = at(BLOCK, *path)
    edits = without_entry("a", node, index) if isinstance(index, str) else without_item("a", node, index)
    assert apply_edits(BLOCK, edits) == text


@pytest.mark.parametrize(
    ("text", "index", "left"),
    [
        ("[a]", 0, "[]"),
        ("[a, ]", 0, "[ ]"),
        ("[a, b, c]", 0, "[b, c]"),
        ("[a, b, c]", 1, "[a, c]"),
        ("[a, b, c]", 2, "[a, b]"),
        ("[a, b,]", 1, "[a,]"),
        ("[\n  a,  # one\n  # two\n  b,\n  c  # three\n]", 0, "[\n  # two\n  b,\n  c  # three\n]"),
        ("[\n  a,  # one\n  # two\n  b,\n  c  # three\n]", 1, "[\n  a,  # one\n  c  # three\n]"),
        ("[\n  a,  # one\n  # two\n  b,\n  c  # three\n]", 2, "[\n  a,  # one\n  # two\n  b\n]"),
        ("[a,  # one\n b]", 0, "[\n b]"),
        ("[a,  # one\n b]", 1, "[a  # one\n ]"),
        ("[a\n, b\n, c]", 1, "[a\n, c]"),
        ("[a, [b, c], {d: e}]", 1, "[a, {d: e}]"),
        ("[&x a, b]", 1, "[&x a]"),
    ],
)
def test_lists_in_brackets(text: str, index: int, left: str) -> None:
    """A comma goes with each item, and a line that the item had for itself."""
    assert apply_edits(text, without_item("a", at(text), index)) == left


@pytest.mark.parametrize(
    ("text", "path", "index"),
    [
        ("- a", (), 0),  # the only one of a block
        ("[&x a, *x]", (), 0),  # another needs it
        ("- &x a\n- *x", (), 0),
        ("? a\n: b\nc: d", (), "a"),
        ("- - a\n  - b", (0,), 1),  # stands behind nothing of its own
    ],
)
def test_what_cannot_go(text: str, path: tuple[int, ...], index: int | str) -> None:
    """Where the text does not allow it there is no edit, or one that leaves the rest as it was."""
    node = at(text, *path)
    before = plain_value(read(text).root)
    edits = without_entry("a", node, index) if isinstance(index, str) else without_item("a", node, index)
    if edits:
        after = plain_value(read(apply_edits(text, edits)).root)
        assert after != before
    else:
        assert (text, index) != ("- - a\n  - b", 1)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("- |+\n  a\n\n- b\n\n- c\n", "- |+\n  a\n\n- c\n"),
        ("- |+\n  a\n- b\n\n\n", "- |+\n  a\n"),
        ("- a\r\n\r\n- b  # x\r\n\r\n- c", "- a\r\n\r\n- c"),
        ("- a\r- b\r- c", "- a\r- c"),
        ("- a\n-\n- c", "- a\n- c"),
        ("- a\n- # nothing\n- c", "- a\n- c"),
        ("- a\n-\n  b\n", "- a\n"),
        ("x: &y\n- a\n- b", "x: &y\n- a"),
    ],
)
def test_lists_with_dashes(text: str, left: str) -> None:
    """The second item goes; blank lines and line ends of the others are as before."""
    node = at(text)
    node = node.get("x") if isinstance(node, Mapping) else node
    assert apply_edits(text, without_item("a", node, 1)) == left


@pytest.mark.parametrize(
    ("text", "value", "name", "written"),
    [
        ("a: string", "number", "a.yaml", "a: number"),
        ("a: 'string' # c", "it's", "a.yaml", "a: 'it''s' # c"),
        ('a: "string"', 'say "x"', "a.yaml", 'a: "say \\"x\\""'),
        ("a: string", "yes", "a.yaml", 'a: "yes"'),
        ("a: string", "12", "a.yaml", 'a: "12"'),
        ("a: string", "x: y", "a.yaml", 'a: "x: y"'),
        ("a: 'x'", "line\nbreak\x85\u2028", "a.yaml", 'a: "line\\nbreak\\u0085\\u2028"'),
        ("a: 1 # c", 12, "a.yaml", "a: 12 # c"),
        ("a: 1", True, "a.yaml", "a: true"),
        ('{"a": "x"}', "number", "a.json", '{"a": "number"}'),
        ('{"a": 1}', 12, "a.json", '{"a": 12}'),
    ],
)
def test_a_scalar_keeps_its_quotes(text: str, value: str | int | bool, name: str, written: str) -> None:
    """A new value is written as the old one was, in quotes where it would be read as something else."""
    assert apply_edits(text, replaced(name, at(text, "a", name=name), value)) == written
    assert at(written, "a", name=name).value == value


def test_a_block_scalar_is_left_alone() -> None:
    """Nobody knows how a text of several lines should be written."""
    assert replaced("a.yaml", at("a: |\n  x\n", "a"), "y") == ()


@pytest.mark.parametrize(
    ("text", "name", "written"),
    [
        ("{value: 1, x: 2}", "a.yaml", "{value: 1, type: number, x: 2}"),
        ('{"value": 1}', "a.json", '{"value": 1, "type": "number"}'),
        ("value: 1 # one\nx: 2\n", "a.yaml", "value: 1 # one\ntype: number\nx: 2\n"),
        ("- value: 1", "a.yaml", "- value: 1\n  type: number"),
        ("- value:\r\n  - 1\r\n  - 2\r\n", "a.yaml", "- value:\r\n  - 1\r\n  - 2\r\n  type: number\r\n"),
        ("value: |+\n  1\n\nx: 2", "a.yaml", "value: |+\n  1\n\nx: 2"),
    ],
)
def test_a_key_is_added_behind_another(text: str, name: str, written: str) -> None:
    """It stands as the keys around it do, and only where nothing else is read differently."""
    node = at(text, name=name)
    node = node.items[0] if isinstance(node, Sequence) else node
    assert apply_edits(text, with_entry(name, node, "value", "type", "number")) == written


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Draw YAML in which collections are written in all styles, with comments and blank lines between."""
    line_break = draw(st.sampled_from(("\n", "\r\n")))

    def scalar(*, flow: bool) -> str:
        word: str = draw(_WORDS)
        style = draw(st.sampled_from(("plain", "single", "double") if flow else ("plain", "single", "double", "block")))
        if style == "single":
            return "'" + word.replace("'", "''") + "'"
        if style == "plain" and word in ("a", "b b", "yes", "1", "é"):
            return word
        if style == "block":
            return "\0" + draw(st.sampled_from(("|", "|+", ">-", "|-"))) + "\0" + word
        return json.dumps(word, ensure_ascii=False)

    def flow(depth: int) -> str:
        kind = draw(st.sampled_from(("scalar", "list", "mapping") if depth else ("scalar",)))
        if kind == "scalar":
            return scalar(flow=True)
        count = draw(st.integers(0, 3))
        separator = draw(st.sampled_from((", ", ",", f",  # c{line_break} ", f"{line_break} , ", f",{line_break} ")))
        inner = [flow(depth - 1) for _ in range(count)]
        if kind == "mapping":
            inner = [f"k{i}: {item}" for i, item in enumerate(inner)]
        pad = draw(st.sampled_from(("", " ", f"{line_break} ")))
        return ("[" if kind == "list" else "{") + pad + separator.join(inner) + pad + ("]" if kind == "list" else "}")

    def value(indent: int, depth: int) -> list[str]:
        """Return the lines of a value; the first belongs behind a key or dash, those after it are complete."""
        kind = draw(st.sampled_from(("flow", "flow", "list", "mapping") if depth else ("flow",)))
        if kind == "flow":
            text = flow(1) if draw(st.booleans()) else scalar(flow=False)
            if text.startswith("\0"):
                _, header, word = text.split("\0")
                return [f" {header}", f"{' ' * (indent + 2)}{word}", *[""] * draw(st.integers(0, 2))]
            first, *rest = text.split(line_break)
            return [f" {first}{draw(st.sampled_from(('', '  # t')))}", *(" " * (indent + 1) + r for r in rest)]
        return ["", *collection(kind, indent + draw(st.sampled_from((2, 4))), depth - 1)]

    def collection(kind: str, indent: int, depth: int) -> list[str]:
        lines: list[str] = []
        for index in range(draw(st.integers(1, 3))):
            lines += draw(st.sampled_from(([], [], [""], [f"{' ' * indent}# above"], [f"{' ' * (indent + 1)}# in"])))
            if kind == "list" and depth and draw(st.booleans()):
                inner = collection("mapping", indent + 2, 0)
                while not inner[0].strip() or inner[0].strip().startswith("#"):
                    inner.pop(0)
                lines += [f"{' ' * indent}- {inner[0].strip()}", *inner[1:]]
                continue
            head = "-" if kind == "list" else f"k{index}:"
            first, *rest = value(indent, depth)
            lines += [f"{' ' * indent}{head}{first}", *rest]
        return lines

    lines = ["# head", *collection(draw(st.sampled_from(("list", "mapping"))), 0, 2)]
    return line_break.join(lines) + draw(st.sampled_from(("", line_break)))


@settings(max_examples=300)
@given(documents(), st.data())
def test_only_the_item_goes(text: str, data: st.DataObject) -> None:
    """Whatever the style, the file is read as before but for the item, and every other comment is still there."""
    source = read(text)
    collections = [n for n in nodes(source.root) if not isinstance(n, Scalar) and plain_value(n)]
    node = data.draw(st.sampled_from(collections))
    keys = [e.key.text for e in node.entries] if isinstance(node, Mapping) else list(range(len(node.items)))
    key = data.draw(st.sampled_from(keys))
    edits = without_entry("a", node, key) if isinstance(node, Mapping) else without_item("a", node, key)
    if not edits:
        return
    text_after = apply_edits(text, edits)
    assert plain_value(read(text_after).root) == _without(source.root, node, key)
    if text_after.endswith(("\n", "\r")) != text.endswith(("\n", "\r")):  # a block scalar would lose its line break
        assert "|" in text or ">" in text
    own = _own_lines(text, node, key)
    for comment in source.comments:
        place = (comment.line, comment.column)
        gone = any((e.span.line, e.span.column) <= place < (e.span.end_line, e.span.end_column) for e in edits)
        assert not gone or comment.line in own
    assert text_after.startswith("# head")
    assert ("\n" in text_after.replace("\r\n", "")) == ("\n" in text.replace("\r\n", ""))


def _own_lines(text: str, node: Mapping | Sequence, key: str | int) -> set[int]:
    """Return the lines of an entry or item, and those around it that hold nothing but comments."""
    if isinstance(node, Mapping):
        entry = node.entry(str(key))
        assert entry is not None
        first, last = entry.key.span.line, max(entry.key.span.line, entry.value.span.end_line)
    else:
        first, last = node.items[int(key)].span.line, node.items[int(key)].span.end_line
    lines = text.splitlines()
    while first > 1 and (lines[first - 2].strip() in ("", "-") or lines[first - 2].strip().startswith("#")):
        first -= 1
    while last < len(lines) and (not lines[last].strip() or lines[last].strip().startswith("#")):
        last += 1
    return set(range(first, last + 1))


def _without(root: Node | None, node: Node, key: str | int) -> object:
    """Return the data of a tree without one entry or item."""

    def plain(one: Node) -> object:
        if isinstance(one, Mapping):
            return {e.key.text: plain(e.value) for e in one.entries if not (one is node and e.key.text == key)}
        if isinstance(one, Sequence):
            return tuple(plain(item) for i, item in enumerate(one.items) if not (one is node and i == key))
        return one.value

    assert root is not None
    return plain(root)


@settings(max_examples=200)
@given(documents(), st.data(), st.one_of(st.text(max_size=5), st.integers(), st.booleans()))
def test_a_value_is_read_back(text: str, data: st.DataObject, value: str | int | bool) -> None:
    """Whatever is written in place of a scalar is read as what it was meant to be, and nothing else changes."""
    source = read(text)
    scalars = [n for n in nodes(source.root) if isinstance(n, Scalar) and n.style != "block" and n.text]
    if not scalars:
        return
    node = data.draw(st.sampled_from(scalars))
    if isinstance(value, str) and any(0xD800 <= ord(c) <= 0xDFFF for c in value):
        return
    after = read(apply_edits(text, replaced("a.yaml", node, value))).root
    mark = object()
    changed = _with(source.root, node, mark)
    assert _equal(changed, plain_value(after), mark, value), (text, value)


def _with(root: Node | None, node: Node, mark: object) -> object:
    def plain(one: Node) -> object:
        if one is node:
            return mark
        if isinstance(one, Mapping):
            return {e.key.text: plain(e.value) for e in one.entries}
        if isinstance(one, Sequence):
            return tuple(plain(item) for item in one.items)
        return one.value

    assert root is not None
    return plain(root)


def _equal(wanted: object, found: object, mark: object, value: object) -> bool:
    if wanted is mark:
        return type(found) is type(value) and found == value
    if isinstance(wanted, dict) and isinstance(found, dict):
        return wanted.keys() == found.keys() and all(_equal(wanted[k], found[k], mark, value) for k in wanted)
    if isinstance(wanted, tuple) and isinstance(found, tuple):
        return len(wanted) == len(found) and all(map(_comparing(mark, value), wanted, found))
    return wanted == found


def _comparing(mark: object, value: object) -> Callable[[object, object], bool]:
    return lambda wanted, found: _equal(wanted, found, mark, value)
