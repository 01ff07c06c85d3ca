"""The tables that are kept are those that lark builds from cel-python's grammar."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import celpy.celparser
import lark
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.cel import grammar


@pytest.fixture(autouse=True)
def parsers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the process with the parser that it had."""
    monkeypatch.setattr(celpy.celparser.CELParser, "CEL_PARSER", None)
    grammar.parser.cache_clear()
    yield
    grammar.parser.cache_clear()


@cache
def built() -> Any:
    """Return the parser that cel-python builds, with our tokens of ``true`` and ``false``."""
    assert celpy.celparser.CELParser.CEL_PARSER is None
    try:
        return grammar._from_grammar().CEL_PARSER
    finally:
        celpy.celparser.CELParser.CEL_PARSER = None


def read(parser: Any, text: str) -> object:
    """Return all that a parser says of a text: the tree with its places, or where it stopped and what it expected."""

    def whole(tree: Any) -> object:
        if isinstance(tree, lark.Token):
            return (tree.type, str(tree), tree.start_pos, tree.end_pos, tree.line, tree.column)
        return (str(tree.data), getattr(tree.meta, "start_pos", None), [whole(child) for child in tree.children])

    try:
        return whole(parser.parse(text))
    except lark.exceptions.UnexpectedToken as error:
        return ("token", error.pos_in_stream, sorted(error.expected))
    except lark.exceptions.UnexpectedCharacters as error:
        return ("characters", error.pos_in_stream, sorted(error.allowed))


TEXTS = (
    "true",
    "contact.score > 5 && !(text.segment in ['a', \"b\"]) || false",
    "a ? b : c",
    "-x[1].y(2u, 0x1F, 1.5e3) % 3 == null",
    "{'k': [1, 2]}.k.exists(x, x >= 2)",
    ".a.b(c) != r'\\d' + b'x'",
    "T{field: 1}",
    "// a comment\n 1",
    "1 +",
    "a b",
    "a = b",
    "(1",
    "'open",
    "",
    "§",
)
ATOMS = st.sampled_from(["a", "true", "null", "1", "2u", "0x1F", "1.5e3", "-1", "'s'", '"""t"""', "b'b'", ".c", "f()"])
FORMS = ("({})", "!{}", "-{}", "{} && {}", "{} || {}", "{} < {}", "{} in {}", "{} + {}", "{} % {}", "{} ? {} : {}")
FORMS += ("{}.d", "{}.g({}, {})", "{}[{}]", "[{}, {}]", "{{{}: {}}}", "T{{e: {}}}", "h({})")
EXPRESSIONS = st.recursive(
    ATOMS, lambda inner: st.tuples(st.sampled_from(FORMS), inner, inner, inner).map(lambda t: t[0].format(*t[1:]))
)
TOKENS = st.lists(
    st.sampled_from(["a", "true", "1", "'s'", "&&", "!", "-", "<", "in", "?", ":", ".", ",", *"()[]{}"])
).map(" ".join)


def test_tables_of_any_version_give_the_same_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written with the versions that are installed parses, and fails, as cel-python's own parser does."""
    monkeypatch.setattr(grammar, "_KEPT", tmp_path / "grammar.json")
    grammar._KEPT.write_text(grammar.tables(), encoding="utf-8")
    kept, made = grammar._from_tables(), built()
    assert kept is not None
    assert [read(kept, text) for text in TEXTS] == [read(made, text) for text in TEXTS]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=EXPRESSIONS | TOKENS)
def test_the_tables_that_are_kept_read_as_the_grammar_does(text: str) -> None:
    """The file in the package is that of the versions that it names; with others it is not used."""
    kept = grammar._from_tables()
    if json.loads(grammar._KEPT.read_text(encoding="utf-8"))["versions"] == grammar._versions():
        assert read(kept, text) == read(built(), text)
    else:
        assert kept is None


def test_tables_of_another_version_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where cel-python or lark are others, cel-python builds its parser as ever."""
    content = json.loads(grammar.tables())
    content["versions"]["lark"] = "0.0"
    content["data"] = content["memo"] = None
    monkeypatch.setattr(grammar, "_KEPT", tmp_path / "grammar.json")
    grammar._KEPT.write_text(json.dumps(content), encoding="utf-8")
    assert grammar._from_tables() is None
    own = grammar.parser().CEL_PARSER
    celpy.celparser.CELParser.CEL_PARSER = None
    assert [read(own, text) for text in TEXTS] == [read(built(), text) for text in TEXTS]
