"""Plain scalars are typed by the YAML 1.2 core schema, and every character of a value knows its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dialproof.source import Mapping, Scalar, SourceFile, read_source, yaml_reader


def read(text: str, name: str = "a.rules.yaml") -> SourceFile:
    """Read a text as a source file."""
    return read_source(Path(name), name, text.encode("utf-8"))


def scalar(source: SourceFile, key: str = "k") -> Scalar:
    """Return the scalar at a key of the top level."""
    assert isinstance(source.root, Mapping), source.problems
    node = source.root.get(key)
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("y", "y"),
        ("~", None),
        ("", None),
        ("null", None),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2026-03-07", "2026-03-07"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        (".inf", float("inf")),
        ("+.5", 0.5),
        ("0b1", "0b1"),
        ("=", "="),
        ('"5"', "5"),
        ("'true'", "true"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("! 5", "5"),
    ],
)
def test_plain_scalars_follow_the_core_schema(written: str, value: object) -> None:
    """Only true and false are booleans; sexagesimals, dates and yes/no stay text; a leading zero is no octal."""
    node = scalar(read(f"k: {written}\n"))
    assert (type(node.value), node.value) == (type(value), value)


def test_very_long_integers_are_read_without_a_traceback() -> None:
    """An integer beyond Python's digit limit becomes a double instead of an exception."""
    assert scalar(read(f"k: {'9' * 5000}\n")).value == float("inf")


def test_merge_keys_are_ordinary_keys() -> None:
    """YAML 1.2 has no merge keys: ``<<`` is a name like any other."""
    source = read("a: &a {x: 1}\nk: {<<: *a}\n")
    assert isinstance(source.root, Mapping)
    merged = source.root.get("k")
    assert isinstance(merged, Mapping)
    assert [entry.key.text for entry in merged.entries] == ["<<"]


def test_yes_and_no_are_noted_where_they_are_plain_values() -> None:
    """A plain yes or no gets a note with its place; quoted ones and keys do not."""
    source = read('k: yes\nl: "no"\ny: [off]\nm: !!str on\n')
    assert [(n.span.line, n.span.column, n.code, n.severity) for n in source.notes] == [
        (1, 4, "DP102", "info"),
        (3, 5, "DP102", "info"),
    ]


PLACES = [
    ("plain", "k: abc", "abc", "c", (1, 6)),
    ("folded plain", "k: one\n   two\n\n   three", "one two\nthree", "three", (4, 4)),
    ("single quotes", "k: 'it''s x'", "it's x", "s x", (1, 9)),
    ("double quotes", r'k: "a\tb\u00e9\x41c"', "a\tb\u00e9Ac", "c", (1, 19)),
    ("escaped line break", 'k: "ab\\\n    cd"', "abcd", "cd", (2, 5)),
    ("folded double quotes", 'k: "ab  \n   cd"', "ab cd", "cd", (2, 4)),
    ("literal", "k: |\n  ab\n  cd\n", "ab\ncd\n", "cd", (3, 3)),
    ("literal, deeper line", "k: |\n  ab\n    cd\n", "ab\n  cd\n", "cd", (3, 5)),
    ("literal, indicator", "k: |2-\n    ab\n  cd\n", "  ab\ncd", "cd", (3, 3)),
    ("literal, kept", "k: |+\n  ab\n\n", "ab\n\n", "b", (2, 4)),
    ("folded block", "k: >\n  ab\n  cd\n\n  ef\n", "ab cd\nef\n", "ef", (5, 3)),
    ("folded block, deeper", "k: >-\n  ab\n    cd\n  ef\n", "ab\n  cd\nef", "ef", (4, 3)),
    ("header comment", "k: | # why\n  ab\n", "ab\n", "ab", (2, 3)),
    ("leading blank line", "k: |\n\n  ab\n", "\nab\n", "ab", (3, 3)),
    ("anchor and tag", "k: &x !!str 'ab'", "ab", "b", (1, 15)),
    ("beyond the basic plane", "k: '\U0001f600\U0001f600x'", "\U0001f600\U0001f600x", "x", (1, 7)),
]


@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(("text", "value", "part", "place"), [p[1:] for p in PLACES], ids=[p[0] for p in PLACES])
def test_every_style_knows_its_places(
    text: str, value: str, part: str, place: tuple[int, int], line_break: str
) -> None:
    """A part of a decoded value is found where it was written, whatever the style and line ends."""
    node = scalar(read(text.replace("\n", line_break)))
    assert node.text == value
    assert node.place(value.index(part)) == place


@pytest.mark.parametrize("pure", [False, True], ids=["c", "python"])
@given(
    value=st.text(st.sampled_from("ab'\"\\ \n\t#:-\u00e9\U0001f600"), max_size=40),
    style=st.sampled_from([None, "'", '"', "|", ">"]),
    width=st.integers(5, 40),
    depth=st.integers(0, 3),
)
def test_places_are_exact_in_whatever_yaml_writes(
    pure: bool, value: str, style: str | None, width: int, depth: int
) -> None:
    """Each visible character of a value stands, in the file, at the place that is given for it."""
    document: object = {"k": value}
    for _ in range(depth):
        document = {"deeper": document}
    text = yaml.safe_dump(document, default_style=style, width=width, allow_unicode=True)
    with pytest.MonkeyPatch.context() as patch:
        if pure:
            patch.setattr(yaml_reader, "_LOADER", yaml.SafeLoader)
        node = read(text).root
    while isinstance(node, Mapping):
        node = node.entries[0].value
    assert isinstance(node, Scalar)
    value = node.text  # PyYAML does not write every text so that it reads back the same
    lines = text.split("\n")
    for offset, character in enumerate(value):
        line, column = node.place(offset)
        if character not in " \n\t\"\\'\U0001f600":
            assert lines[line - 1][column - 1] == character
    assert node.place(len(value)) >= node.place(0)


def test_a_part_ends_behind_its_last_character() -> None:
    """A part's span is exclusive at its end, is one wide where empty, and stays on the line of its last character."""
    node = scalar(read("k: |\n  ab\n  cd\n"))
    assert node.part(0, 2).end_column == 5
    assert node.part(0, 3).end_line == 2
    assert node.part(1, 1) == node.part(1, 2)


def test_spans_of_collections_end_with_their_last_value() -> None:
    """A block mapping ends where its last value does, not at the next thing in the file; a flow one at its bracket."""
    source = read("a:\n  b: 1\n\n# end\nc: {d: 1,\n  e: 2 }\n")
    assert isinstance(source.root, Mapping)
    spans = [source.root.entries[i].value.span for i in (0, 1)]
    assert [(s.end_line, s.end_column) for s in spans] == [(2, 7), (6, 9)]


def test_reprs_show_no_values() -> None:
    """A node's repr names its kind and place; the value may be somebody's phone number."""
    source = read("k: '+15550100'\n")
    assert "555" not in repr(source.root) + repr(scalar(source))
