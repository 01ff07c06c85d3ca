"""CEL text to syntax trees, and where a syntax error stands."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.cel.ast import Call, Literal
from dialproof.cel.parse import CelSyntaxError, parse, parse_all
from dialproof.cel.text import quote

if TYPE_CHECKING:
    from pathlib import Path


def test_every_number_is_a_double() -> None:
    """Integer, unsigned and hexadecimal literals become doubles, so that int never meets double."""
    for text, value in (("5", 5.0), ("5u", 5.0), ("0x10", 16.0), ("-5", -5.0), ("5.5", 5.5)):
        node = parse(text)
        assert isinstance(node, Literal)
        assert node.value == value
        assert isinstance(node.value, float)


@pytest.mark.parametrize(
    ("text", "offset", "found"),
    [
        ("contact.a > && contact.b", 12, "&&"),
        ("contact.a ==\n  == 5", 15, "=="),
        ("contact.a = 5", 10, "="),
        ("a b", 2, "b"),
        ("contact.a > 'x", 12, None),
        ("(contact.a > 5", 14, None),
        ("", 0, None),
    ],
)
def test_syntax_error_stands_at_its_character(text: str, offset: int, found: str | None) -> None:
    """The offset is that of the character at which reading stopped, across lines."""
    with pytest.raises(CelSyntaxError) as caught:
        parse(text)
    assert caught.value.offset == offset
    if found:
        assert repr(found) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("contact.a > && true", "expected a value"),
        ("contact.a contact.b", "expected an operator or the end of the expression"),
        ("contact.a ) 3", "expected an operator or the end of the expression"),
        ("contact.1", "expected a name"),
        ("contact.a = 5", "expected =="),
        ("contact.a == 'x", "expected a closing quote"),
        ("(contact.a", "an operand or a closing bracket is missing"),
    ],
)
def test_syntax_error_says_what_is_expected(text: str, expected: str) -> None:
    """The sentence names what could have stood there, in the words of somebody who writes rules."""
    with pytest.raises(CelSyntaxError) as caught:
        parse(text)
    assert str(caught.value).endswith(expected)


@pytest.mark.parametrize("text", ["(" * 500 + "1" + ")" * 500, "!" * 5000 + "true", "&&".join(["true"] * 3000)])
def test_nesting_too_deep_is_refused(text: str) -> None:
    """An expression beyond the parser's recursion is a syntax error, not a crash."""
    with pytest.raises(CelSyntaxError, match="deeply"):
        parse(text)


def test_very_long_text_is_refused() -> None:
    """There is a bound on the length of one expression."""
    with pytest.raises(CelSyntaxError, match="characters"):
        parse("true" + " " * 20_000)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_quoted_text_reads_back(text: str) -> None:
    """Any text survives being a literal: quotes, backslashes, control characters, characters beyond the BMP."""
    node = parse(quote(text))
    assert isinstance(node, Literal)
    assert node.value == text


def test_offsets_of_operands() -> None:
    """Nodes know where they stand."""
    node = parse('contact.a > 5 && contact.b == "x"')
    assert isinstance(node, Call)
    right = node.arguments[1]
    assert (right.start, right.end) == (17, 33)


def test_the_cache_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The cache may be what makes the state directory, which holds what others must not read."""
    parse_all(["contact.a > 5"], tmp_path / "project" / ".dialproof" / "cache")
    for folder in (tmp_path / "project" / ".dialproof", tmp_path / "project" / ".dialproof" / "cache"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_cache_on_disk_gives_the_same_trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees written to disk are read back equal, without cel-python; a damaged file is as good as none."""
    texts = ["contact.a > 5 ? [1, 2] == [x] : !has(contact.b)", 'a["b"].c("x") in [true, null]']
    cache = tmp_path / "cache"
    first = parse_all(texts, cache)
    (stored,) = cache.glob("cel-*.json")
    assert set(json.loads(stored.read_text())) == set(texts)
    with monkeypatch.context() as patched:
        patched.setattr("dialproof.cel.parse.parse", lambda text: pytest.fail(f"parsed again: {text}"))
        assert parse_all(texts, cache) == first
    for damage in ("", "{", "[]", "{}", '{"a": ["Nonsense"]}'):
        stored.write_text(damage)
        assert parse_all(texts, cache) == first
