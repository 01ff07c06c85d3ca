"""YAML that is written is read back as it was: by our reader, and by one that follows YAML 1.1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.source import Mapping, Scalar, Sequence, read_source
from dialproof.source.yaml_text import block, comment, flow

WORDS = ["yes", "NO", "on", "y", "010", "0o10", "1:30", "1e3", ".5", "null", "~", "true", "2026-03-07", "=", "<<", "-",
         "- a", "a: b", "a #b", "#", "", " ", "a ", "[", "{}", "&a", "*a", "!t", "%", "@", "`", "'", '"', "|", ">", "?",
         "0x1F", "+1", "1_000", ".inf", ".nan", "-.INF", "\u0085", "\u2028", "\ufeff", "\x7f", "\n", "a\nb", "\t", "é",
         "\U0001f600", "NULL", "False", "x: ", "a,b", "\\", "\\u0041"]  # fmt: skip
texts = st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=12)
scalars = texts | st.integers(-(2**31), 2**31) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


def plain(node: Any) -> Any:
    """Return a node of our reader as plain data."""
    if isinstance(node, Mapping):
        return {key.text: plain(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [plain(item) for item in node]
    assert isinstance(node, Scalar)
    return node.value


def read(text: str) -> Any:
    """Return what our reader makes of a YAML text."""
    source = read_source(Path("x.rules.yaml"), "x.rules.yaml", text.encode("utf-8"))
    assert not source.problems, source.problems
    return plain(source.root)


@settings(max_examples=150)
@given(st.dictionaries(texts, values, min_size=1, max_size=4), st.integers(1, 5))
def test_what_is_written_is_read_back(data: dict[str, Any], flow_from: int) -> None:
    """Whatever texts, numbers, lists and mappings it is, in every style."""
    text = "".join(f"{line}\n" for line in block(data, flow_from))
    assert read(text) == data


def test_a_whole_number_is_written_as_one() -> None:
    """What rules have counted is a number with a fraction to Python; nobody writes it so."""
    assert flow([7.0, -3.0, 0.5, 1e22, 7]) == "[7, -3, 0.5, 1e+22, 7]"


@settings(max_examples=150)
@given(texts)
def test_other_readers_take_a_text_for_a_text(text: str) -> None:
    """Also one that follows YAML 1.1, where yes is true, 010 is eight and 1:30 is ninety."""
    assert yaml.safe_load(f"a: {flow(text)}") == {"a": text}


@given(st.text(max_size=30))
def test_a_comment_stays_one(text: str) -> None:
    """Whatever stands in it, nothing of it is content."""
    lines = comment(text)
    assert read("".join(f"{line}\n" for line in [*lines, "a: 1"])) == {"a": 1}


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "\ud800", object(), {"k" * 200: 1}])
def test_what_yaml_cannot_hold_is_refused(value: object) -> None:
    """Half of a character, numbers that are none, a key that is too long."""
    with pytest.raises(ValueError, match=r"number|half|object|hundred"):
        flow(value)
