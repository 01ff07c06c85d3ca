"""Whatever a file holds, reading it gives problems with places, never a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialproof.model.parse_contactlist import parse_contactlist
from dialproof.model.parse_contacts import parse_contacts
from dialproof.model.parse_csv import parse_csv
from dialproof.model.parse_rules import parse_rules
from dialproof.source import MAX_BYTES, Mapping, read_source


def problems(content: bytes, name: str = "a.rules.yaml") -> list[tuple[int, int, str]]:
    """Return line, column and message of every problem of some content."""
    source = read_source(Path(name), name, content)
    assert all(p.code == "DP101" and p.path == name for p in source.problems)
    return [(p.span.line, p.span.column, p.message) for p in source.problems]


BAD = {
    "empty": (b"", 1, 1, "the file is empty"),
    "only a comment": (b"# nothing\n", 1, 1, "the file is empty"),
    "tab": (b"a:\n\t- b\n", 2, 1, "found a tab in the indentation, expected spaces"),
    "tab behind spaces": (b"a:\n  b: 1\n \tc: 2\n", 3, 2, "found a tab in the indentation, expected spaces"),
    "not utf-8": (b"a: 1\nb: \xff", 2, 4, "found the byte 0xff that is not UTF-8, expected text in UTF-8"),
    "utf-16": ("\ufeffa: 1".encode("utf-16"), 1, 1, "found the byte 0xff that is not UTF-8, expected text in UTF-8"),
    "control character": (b"a: b\x07", 1, 5, "found the control character U+0007, expected text"),
    "second byte order mark": ("\ufeff\ufeffa: 1".encode(), 1, 1, "found the control character U+FEFF, expected text"),
    "stray byte order mark": ("a: b\ufeff".encode(), 1, 5, "found the control character U+FEFF, expected text"),
    "duplicate key": (b'a: 1\n"a": 2\n', 2, 1, "duplicate key 'a': first given at line 1, column 1"),
    "two documents": (b"a: 1\n---\nb: 2\n", 2, 1, "expected one document, found a second one"),
    "unknown alias": (b"a: *b\n", 1, 4, "alias *b has no anchor &b before it"),
    "endless alias": (b"a: &a [*a]\n", 1, 8, "alias *a stands inside of the value that it names"),
    "list as key": (b"? [a]\n: b\n", 1, 3, "expected a key of plain text, found a list or a mapping as the key"),
    "no key": (b"?\n: b\n", 1, 2, "expected a key before this colon"),
    "tag": (b"a: !foo b\n", 1, 9, "found the tag !foo, expected a value without a tag"),
    "wrong tag": (b"a: !!int b\n", 1, 10, "the value does not fit its tag !!int"),
    "deep": (b"[" * 5000, 1, 101, "nested more than 100 levels deep"),
    "deep blocks": (b"- " * 5000, 1, 201, "nested more than 100 levels deep"),
    "colons": (b"a: b: c\n", 1, 5, "not YAML: mapping values are not allowed in this context"),
}


@pytest.mark.parametrize(("content", "line", "column", "message"), BAD.values(), ids=BAD.keys())
def test_unreadable_files_say_what_is_wrong_and_where(content: bytes, line: int, column: int, message: str) -> None:
    """Each unreadable file is one DP101 problem at the exact place."""
    assert problems(content) == [(line, column, message)]


def test_all_duplicate_keys_are_reported_together_with_what_ends_the_reading() -> None:
    """Duplicates do not stop the reading: every one is reported, and the syntax error behind them too."""
    assert [line for line, _, _ in problems(b"a: 1\na: 2\na: 3\nb: [\n")] == [2, 3, 5]


def test_an_alias_bomb_is_refused_before_it_has_grown() -> None:
    """Aliases that would stand for billions of values are refused at the alias that goes too far."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    [(line, _, message)] = problems("\n".join(lines).encode())
    assert line == 5
    assert message.startswith("aliases stand for more than 100,000 values")


def test_a_large_file_without_aliases_is_no_bomb() -> None:
    """The bound is on what aliases stand for, not on what is written out."""
    assert problems(b"a:\n" + b"- x\n" * 120_000) == []


def test_a_file_above_the_bound_is_refused_unread(tmp_path: Path) -> None:
    """Ten megabytes of good YAML are refused at once, with both sizes."""
    path = tmp_path / "big.rules.yaml"
    path.write_bytes(b"a: 1\n" * (10 * 1024 * 1024 // 5))
    [problem] = read_source(path, "big.rules.yaml").problems
    assert problem.message == f"the file has 10,485,760 bytes, at most {MAX_BYTES:,} are read: split it"


def test_a_file_that_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    """A file that has gone, or is a folder, is a problem and no exception."""
    assert "No such file" in read_source(tmp_path / "gone.yaml", "gone.yaml").problems[0].message
    assert "found a folder, expected a file" in read_source(tmp_path, "folder").problems[0].message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    """A named pipe with the name of a rules file does not hang the command."""
    path = tmp_path / "pipe.rules.yaml"
    os.mkfifo(path)
    [problem] = read_source(path, "pipe.rules.yaml").problems
    assert problem.message == "cannot be read: found a pipe, socket or device, expected a file"


def test_a_repr_does_not_show_the_content() -> None:
    """A file in a traceback or an assertion message carries nobody's number."""
    assert "555" not in repr(read_source(Path("c.contacts.yaml"), "c.contacts.yaml", b"phone: +1555 # +1555\n"))


JSON = {
    "tabs and surrogate pairs": (b'\t{\t"a":\t"\\ud83d\\ude00"}\n', None),
    "empty": (b"", (1, 1, "not JSON: expected a value, found the end of the file")),
    "trailing comma": (b'{"a": 1,}', (1, 9, "not JSON: expected a key in double quotes, found '}'")),
    "no colon": (b'{"a" 1}', (1, 6, "not JSON: expected a colon, found '1'")),
    "cut off": (b"[1,\n2", (2, 2, "not JSON: expected a comma or ], found the end of the file")),
    "half a pair": (b'["\\ud83d"]', (1, 2, "found half of a surrogate pair in a text, expected whole characters")),
    "leading zero": (b"[01]", (1, 2, "not JSON: expected a value or ], found '0'")),
    "single quotes": (b"{'a': 1}", (1, 2, 'not JSON: expected a key in double quotes or }, found "\'"')),
    "open text": (
        b'{"a": "b',
        (1, 7, "not JSON: expected a value, found a text that does not end or has a wrong escape"),
    ),
    "more": (b"{} {}", (1, 4, "expected the end of the file after the value")),
    "mixed brackets": (b"[1}", (1, 3, "not JSON: expected a comma or ], found '}'")),
    "comment": (b"[1] // x", (1, 5, "not JSON: expected the end of the file, found '/'")),
    "duplicate key": (b'{"a": 1,\n "a": 2}', (2, 2, "duplicate key 'a': first given at line 1, column 2")),
    "deep": (b"[" * 5000, (1, 101, "nested more than 100 levels deep")),
}


@pytest.mark.parametrize(("content", "problem"), JSON.values(), ids=JSON.keys())
def test_json_is_read_as_json(content: bytes, problem: tuple[int, int, str] | None) -> None:
    """What JSON allows is read, tabs and surrogate pairs included; what it does not is a problem at its place."""
    assert problems(content, "a.rules.json") == ([] if problem is None else [problem])


def test_a_duplicate_key_is_said_whatever_its_value_is() -> None:
    """What ends the reading loses nothing that was found before it."""
    assert problems(b'{"n": 1, "n": "\\ud800"}', "a.rules.json") == [
        (1, 10, "duplicate key 'n': first given at line 1, column 2"),
        (1, 15, "found half of a surrogate pair in a text, expected whole characters"),
    ]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-1000, 1000)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ),
    st.sampled_from([None, 0, 2, "\t"]),
    st.booleans(),
)
def test_json_has_the_meaning_that_python_gives_it(value: object, indent: int | str | None, ascii_only: bool) -> None:
    """Everything that json.dumps writes is read back as the same value."""
    from dialproof.model.parse_base import plain_value

    def tupled(v: object) -> object:
        if isinstance(v, dict):
            return {k: tupled(item) for k, item in v.items()}
        return tuple(tupled(item) for item in v) if isinstance(v, list) else v

    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    source = read_source(Path("a.json"), "a.json", text.encode("utf-8", "surrogatepass"))
    if value == "":
        assert source.root is None
    elif source.root is None:
        assert "surrogate" in source.problems[0].message or "UTF-8" in source.problems[0].message
    else:
        assert plain_value(source.root) == tupled(value)


SEEDS = (
    (
        "campaigns: [c]\nrules:\n  - name: r\n    version: 1\n    priority: 5\n    executionOrder: 1\n    conditions:\n"
        '      - {attribute: a, operator: in, value: [x, "y"]}\n    actions: [{type: setList, listId: l}]\n'
    ),
    "cases:\n  - name: n\n    contact: {b: {c: no}}\n    context: {phone: {type: Home}}\n    expect: {dial: true}\n",
    "columns:\n  a: {type: number, min: 0, max: 5}\n  b: {type: string, enum: [x, y], pattern: '^a'}\n",
    'name;a;expect.matched;expect.dial\n"x";1;r|s;true\n',
    json.dumps({"rules": [{"name": "r", "conditions": [{"all": [{"not": {}}]}]}]}),
)
INSERTS = (
    "\t",
    "\n",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "|",
    ">",
    "*a",
    "&a ",
    "!!int ",
    "\x00",
    "\u2028",
    "1e999",
    "::",
    "null",
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a good file with a few pieces of it replaced."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(st.sampled_from((*INSERTS, ""))) + text[end:]
    return text.encode()


@given(st.one_of(mutated(), st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace"))))
@example(b"rules: 1")
@example(b"[]")
@example(b"rules: [1, [], {}, null]")
@example(b"cases: [1, [], {}, null, {expect: 5, contact: [], context: {phone: []}, name: {}}]")
@example(b"columns: {a: 1, b: [], c: {}, d: {type: [], enum: {}, min: {}}}")
def test_no_content_ends_in_a_traceback(content: bytes) -> None:
    """Hundreds of malformed files of every kind give an object or problems with places inside of the file."""
    for name in ("f.yaml", "f.json"):
        source = read_source(Path(name), name, content)
        for parse in (parse_rules, parse_contacts, parse_contactlist):
            parsed, found = parse(source)
            errors = [p for p in found if getattr(p, "severity", "error") == "error"]
            assert (parsed is None) == bool(errors)
            lines = content.count(b"\n") + content.count(b"\r") + 1
            for problem in found:
                assert 1 <= problem.span.line <= lines
                assert (problem.span.end_line, problem.span.end_column) > (problem.span.line, problem.span.column)
                assert "\n" not in problem.message
    parsed, found, _ = parse_csv(Path("f.csv"), "f.csv", content)
    assert (parsed is None) == bool(found)


def test_reading_restores_the_cycle_collector() -> None:
    """Reading pauses gc and switches it on again, for good and bad files alike."""
    import gc

    for content in (b"a: 1", b"a: ["):
        read_source(Path("a.yaml"), "a.yaml", content)
        assert gc.isenabled()


def test_a_byte_order_mark_is_no_character() -> None:
    """Columns are counted behind the byte order mark."""
    root = read_source(Path("a.yaml"), "a.yaml", b"\xef\xbb\xbfa: 1").root
    assert isinstance(root, Mapping)
    assert root.entries[0].key.span.column == 1
