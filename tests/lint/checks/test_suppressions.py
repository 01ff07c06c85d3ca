"""Which node a suppression covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialproof.checks.registry import checks_by_code
from dialproof.findings import Finding
from dialproof.source import read_source
from dialproof.source.positions import Span
from dialproof.suppressions import read_suppressions

TEXT = """\
campaign: c
# A
rules:  # B
  # C
  - name: one  # D
    priority: 1  # E
    actions:  # F
      # G
      - {type: x,
         y: 1}  # H
      - {type: z}
  - name: two
    conditions: [a]
"""


@pytest.mark.parametrize(
    ("mark", "first", "last"),
    [
        ("A", 3, 13),  # the next key with everything below
        ("B", 3, 13),
        ("C", 5, 11),  # the next item
        ("D", 5, 11),  # the item starts on this line, outside of its first key
        ("E", 6, 6),
        ("F", 7, 11),
        ("G", 9, 10),
        ("H", 10, 10),  # what starts on this line is one key of the flow mapping
    ],
)
def test_a_suppression_covers_a_node(mark: str, first: int, last: int) -> None:
    """A trailing comment covers what starts on its line, one on its own line the next node, both with all below."""
    text = TEXT.replace(f"# {mark}\n", "# dialproof: ignore[DP301] on purpose\n")
    source = read_source(Path("a.rules.yaml"), "a.rules.yaml", text.encode())
    (suppression,), problems = read_suppressions(source, "a.rules.yaml", checks_by_code())
    assert not problems
    starts = [(n, len(line) - len(line.lstrip(" -")) + 1) for n, line in enumerate(text.splitlines(), 1)]
    hidden = [n for n, column in starts if suppression.hides(_finding("a.rules.yaml", n, column))]
    comments = {n for n, line in enumerate(text.splitlines(), 1) if line.strip().startswith("#")}
    assert [n for n in hidden if n not in comments] == [n for n in range(first, last + 1) if n not in comments]
    assert not suppression.hides(_finding("b.rules.yaml", first, 1))


def _finding(path: str, line: int, column: int) -> Finding:
    return Finding("DP301", "conflicting-rules", "error", path, Span.point(line, column), "x")


def test_a_file_wide_suppression_covers_every_line() -> None:
    """``ignore-file`` above the first key hides the finding anywhere in the file."""
    text = "# dialproof: ignore-file[DP301, DP302] generated until 2026-03-04\n" + TEXT
    source = read_source(Path("a.rules.yaml"), "a.rules.yaml", text.encode())
    (suppression,), problems = read_suppressions(source, "a.rules.yaml", checks_by_code())
    assert not problems
    assert (list(suppression.codes), suppression.reason, str(suppression.until)) == (
        ["DP301", "DP302"],
        "generated",
        "2026-03-04",
    )
    assert suppression.hides(_finding("a.rules.yaml", 13, 5))


def test_text_that_looks_like_a_suppression_is_none() -> None:
    """A ``#`` inside a quoted or block text is no comment."""
    text = 'a: "# dialproof: ignore[DP301] x"\nb: |\n  # dialproof: ignore[DP301] x\n'
    source = read_source(Path("a.rules.yaml"), "a.rules.yaml", text.encode())
    assert read_suppressions(source, "a.rules.yaml", checks_by_code()) == ((), ())
