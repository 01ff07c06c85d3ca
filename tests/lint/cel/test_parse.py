"""CEL text to syntax trees, and where a syntax error stands."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialproof.cel.ast import Call, Literal
from dialproof.cel.parse import CelSyntaxError, parse, parse_all
from dialproof.cel.pieces import quote

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


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("!" * 5000 + "true", 50),
        ("true ? true : " * 300 + "false", 49 * 14),
        ("[" * 80 + "1" + "]" * 80, 50),
        ("1 + " * 200 + "1 > 0", 0),
        ("contact" + ".a" * 200, 0),
    ],
)
def test_nesting_too_deep_is_refused(text: str, offset: int) -> None:
    """An expression too deep for what works on it later is a syntax error where it becomes so."""
    with pytest.raises(CelSyntaxError, match="deeply") as caught:
        parse(text)
    assert caught.value.offset == offset


def test_long_chains_and_brackets_are_not_deep() -> None:
    """However many operands && or || has, it is one call of all of them; brackets around a value add nothing."""
    chain = parse(" && ".join(f"a > {i}" for i in range(1500)))
    assert isinstance(chain, Call)
    assert (chain.function, len(chain.arguments)) == ("&&", 1500)
    assert [(a.start, a.end) for a in chain.arguments[:2]] == [(0, 5), (9, 14)]
    bracketed = parse("a || (b || (c || d)) || e && (f && g)")
    assert isinstance(bracketed, Call)
    assert [type(a).__name__ for a in bracketed.arguments] == ["Identifier"] * 4 + ["Call"]
    assert parse("(" * 500 + "1" + ")" * 500) == Literal(1.0, 500, 501)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("contact.a > " + "9" * 5000, 12, "the number is too large for a double"),
        ("contact.a > " + "9" * 400, 12, "the number is too large for a double"),
        ("contact.a > 0x" + "f" * 400, 12, "the number is too large for a double"),
        ("1e999 > contact.a", 0, "the number is too large for a double"),
        ("contact.s == '\\U00110000'", 13, "found an escape that is no character"),
        ("contact.s == '\\ud800'", 13, "found an escape that is no character"),
        ("true && [1].all(x)", 12, "all() takes a variable and an expression, such as [1, 2].all(x, x > 1)"),
        ("[1].exists(1, true)", 4, "exists() takes a variable and an expression, such as [1, 2].exists(x, x > 1)"),
        ("true || .size(contact.s) > 1", 8, "found a function with a leading dot, expected one without"),
    ],
)
def test_what_has_no_meaning_is_refused_at_its_place(text: str, offset: int, message: str) -> None:
    """Numbers, escapes and macros that nobody could evaluate are syntax errors with the place of the piece."""
    with pytest.raises(CelSyntaxError) as caught:
        parse(text)
    assert (str(caught.value), caught.value.offset) == (message, offset)


def test_comprehensions_are_bounded_together() -> None:
    """Comprehensions inside of comprehensions multiply: what would run for minutes is refused at its place."""
    thirty = f"[{', '.join(map(str, range(30)))}]"
    parse(f"{thirty}.all(a, {thirty}.all(b, a + b >= contact.n))")
    with pytest.raises(CelSyntaxError, match="27,930 steps, at most 20,000") as caught:
        parse(f"true && {thirty}.all(a, {thirty}.all(b, {thirty}.all(c, a + b + c >= contact.n)))")
    assert caught.value.offset == 9
    with pytest.raises(CelSyntaxError, match="steps"):
        parse(" && ".join([f"{thirty * 3}.map(x, x).all(a, contact.exists(k, k == a))".replace("][", ", ")] * 3))


def test_true_and_false_know_where_they_stand() -> None:
    """The literals that cel-python takes for names first have a place as well."""
    node = parse("contact.b == false")
    assert isinstance(node, Call)
    assert node.arguments[1] == Literal(False, 13, 18)


def test_very_long_text_is_refused() -> None:
    """There is a bound on what a user writes as one expression, none on a list of values that is made into one."""
    long = "true" + " " * 20_000
    with pytest.raises(CelSyntaxError, match="characters"):
        parse(long)
    assert parse(long, generated=True) == parse("true")


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


@pytest.mark.parametrize(
    "text",
    [
        f"([{', '.join(['1'] * 400)}] + [1]).all(x, ([{', '.join(['1'] * 400)}] + [1]).all(y, x == y))",
        f'["abcdefghij"]{".map(a, a + a)" * 30}.exists(b, b == "x")',
        f"[[1, 2]]{'.map(a, a + a)' * 30}.exists(b, size(b) == 3)",
    ],
    ids=["steps", "text", "list"],
)
def test_what_macros_make_is_bounded_while_they_run(text: str) -> None:
    """Lists that are joined and texts that double are not foreseen by the parser; the evaluation is undecided."""
    from dialproof.cel.reference import evaluate

    parse(text)
    assert evaluate(text, {}, None) is None
