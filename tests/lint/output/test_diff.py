"""The difference that repairs would make: one that patch understands, with nothing personal in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialproof.output.diff import render

_TEXT = st.lists(st.sampled_from(("a", "b", "c", "", "version: 1")), max_size=30).map("\n".join)


def _patched(before: str, diff: str) -> str:
    """Apply a diff as patch does: by the line numbers of its hunks, every context line compared."""
    old = re.findall(r"[^\n]*\n|[^\n]+\Z", before)
    new: list[str] = []
    at = 0
    rows = diff.splitlines()[2:]
    for number, row in enumerate(rows):
        hunk = re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@", row)
        if hunk:
            start = int(hunk[1]) - (hunk[2] != "0")
            new += old[at:start]
            at = start
            continue
        if row.startswith("\\"):
            continue
        ended = number + 1 < len(rows) and rows[number + 1].startswith("\\")
        line = row[1:] + ("" if ended else "\n")
        if row[0] in " -":
            assert old[at] == line
            at += 1
        if row[0] in " +":
            new.append(line)
    return "".join([*new, *old[at:]])


@given(_TEXT, _TEXT)
def test_the_difference_makes_one_text_of_the_other(before: str, after: str) -> None:
    """Whatever changed, also at the end of a file without a line break."""
    assert _patched(before, render("a", before, after, (lambda _: False, lambda _: False))) == after


def test_a_change_is_shown_with_the_lines_around_it() -> None:
    """Three lines of context, and the numbers of the lines."""
    before = "".join(f"{n}\n" for n in range(20))
    assert render("a.rules.yaml", before, before.replace("10\n", "ten\n"), (lambda _: False, lambda _: False)) == (
        "--- a.rules.yaml\n+++ a.rules.yaml\n@@ -8,7 +8,7 @@\n 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13\n"
    )


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_lines_that_may_not_be_shown_are_masked(line_break: str) -> None:
    """Neither the old nor the new text of a personal line is printed, nor one beside it, nor a control character."""
    before = line_break.join(["a\u202e", "+1303555", "b"])
    after = line_break.join(["a\u202e", "+1303666", "c"])
    text = render("a", before, after, (lambda line: line == 2, lambda line: line == 2))
    assert text == (
        "--- a\n+++ a\n@@ -1,3 +1,3 @@\n a\\u202e\n-•••\n-b\n\\ No newline at end of file\n+•••\n+c\n"
        "\\ No newline at end of file\n"
    )
