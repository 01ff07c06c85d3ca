"""What a finding is known by: it survives a move, and tells apart what has to be told apart."""

from __future__ import annotations

import random
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialproof.findings import Finding
from dialproof.fingerprint import fingerprints
from dialproof.source.positions import Span

LINES = ["rules:", "  - name: gold", "    priority: 7", "  - name: silver", "    priority: 7", "    priority: 7"]
GOLD = Finding(
    "DP301", "conflicting-rules", "error", "a.rules.yaml", Span(2, 11, 2, 15), "gold is wrong", rules=("gold", "silver")
)
PHONE = "+13035550123"


def _at(finding: Finding, line: int) -> Finding:
    return replace(finding, span=Span.point(line, 1))


def _one(finding: Finding, lines: list[str] = LINES) -> str:
    (found,) = fingerprints([finding], lambda _: lines)
    return found


def test_lines_above_and_indentation_change_nothing() -> None:
    """A finding that has moved down, with its line indented otherwise, is the same finding."""
    moved = ["# a", "", "", *(line.replace("  ", "    ") for line in LINES)]
    assert _one(GOLD) == _one(_at(GOLD, 5), moved)


def test_a_suppression_on_the_line_changes_nothing() -> None:
    """A comment that hides another finding of the line leaves this one known; other comments are text of the line."""
    assert _one(GOLD) == _one(GOLD, ["", "  - name: gold  # dialproof: ignore[DP501] agreed until 2999-12-31"])
    assert _one(GOLD) != _one(GOLD, ["", "  - name: gold  # the dialproof rule"])


def test_what_is_about_the_finding_counts() -> None:
    """Another code, file, rule, sentence or text of the line is another finding; severity and details are not."""
    others = [
        replace(GOLD, code="DP302"),
        replace(GOLD, path="b.rules.yaml"),
        replace(GOLD, rules=("gold", "bronze")),
        replace(GOLD, summary="gold is right"),
        _at(GOLD, 4),
    ]
    assert len({_one(GOLD), *map(_one, others)}) == 6
    assert _one(GOLD) == _one(replace(GOLD, severity="info", details="d", fix="f", name="n", campaign="c"))


def test_numbers_in_the_sentence_do_not_count() -> None:
    """A sentence that names a line or a number of findings stays the same sentence when these change."""
    first = replace(GOLD, summary="as in a.rules.yaml:12:3 and 1,204 more")
    assert _one(first) == _one(replace(first, summary="as in a.rules.yaml:9:14 and 7 more"))


def test_equal_findings_are_counted_from_the_top() -> None:
    """Three equal findings have three fingerprints; when the last one goes, the first two keep theirs."""
    equal = [_at(GOLD, line) for line in (3, 5, 6)]
    found = fingerprints(equal, lambda _: LINES)
    assert len(set(found)) == 3
    assert fingerprints(equal[:2], lambda _: LINES) == found[:2]


def test_a_file_that_cannot_be_read_has_fingerprints() -> None:
    """Without lines the rest decides; a place beyond the last line is no error."""
    assert _one(GOLD, []) == _one(_at(GOLD, 99), [])
    assert _one(GOLD, []) != _one(GOLD)


@pytest.mark.parametrize("path", ["a.rules.yaml", "people.contacts.csv", "people.yaml"])
def test_a_personal_line_leaves_no_trace(path: str) -> None:
    """Where a line may hold somebody's number, no guess of the number can be checked against the fingerprint."""
    finding = replace(GOLD, path=path, personal=path == "a.rules.yaml")
    assert _one(finding, ["", f"value: {PHONE}"]) == _one(finding, ["", "value: +13035550199"]) == _one(finding, [])


@given(
    st.lists(
        st.builds(
            lambda code, line, summary, rules: replace(_at(GOLD, line), code=code, summary=summary, rules=rules),
            st.sampled_from(["DP301", "DP501"]),
            st.integers(1, 7),
            st.text(st.characters(), max_size=3),
            st.tuples(st.sampled_from(["a", "b\ud800"])),
        ),
        max_size=12,
    ),
    st.integers(),
)
def test_the_order_of_findings_changes_nothing(findings: list[Finding], seed: int) -> None:
    """Shuffled findings keep their fingerprints, each has its own, and all are 32 hexadecimal digits."""
    found = fingerprints(findings, lambda _: LINES)
    assert len(set(found)) == len(findings)
    assert all(len(f) == 32 and int(f, 16) >= 0 for f in found)
    order = list(range(len(findings)))
    random.Random(seed).shuffle(order)
    shuffled = fingerprints([findings[i] for i in order], lambda _: LINES)
    whose = {}
    for finding, fingerprint in zip(findings, found, strict=True):
        whose.setdefault(finding, []).append(fingerprint)
    again = {}
    for i, fingerprint in zip(order, shuffled, strict=True):
        again.setdefault(findings[i], []).append(fingerprint)
    assert {f: sorted(v) for f, v in whose.items()} == {f: sorted(v) for f, v in again.items()}


def test_a_fingerprint_is_the_same_in_every_version() -> None:
    """Baselines hold fingerprints for years: what they are made of is fixed here."""
    text = '["DP301", "a.rules.yaml", ["gold", "silver"], "gold is wrong", "- name: gold", 0]'
    assert _one(GOLD) == sha256(text.encode()).hexdigest()[:32]
