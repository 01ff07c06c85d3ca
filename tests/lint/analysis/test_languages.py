"""Conditions on texts as automata, against RE2, against Python's own text methods and against every short text."""

from __future__ import annotations

import random
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import re2
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dialproof.analysis.answers import Found, Nowhere, Unknown, acted
from dialproof.analysis.atoms import Cut
from dialproof.analysis.languages import InexactError, cells_of_texts, unfolded
from dialproof.analysis.re2_syntax import Chars, members, read
from dialproof.cel.values import compile_pattern, fold
from dialproof.checks import undecided, unreachable_rule
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, analysis, campaign, cond, context, rule, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.analysis.atoms import How, Reading
    from dialproof.model.rules import Expression
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=30, suppress_health_check=list(HealthCheck))
ALPHABET = "abAkKs1 -.\né\u017f\u212aßΣ\0\U0001f600"

ATOMS = st.sampled_from(
    (
        "a", "b", "A", "k", "s", "1", r"\.", "é", "ß", "Σ", ".", "[ab]", "[^a]", r"[^\n]", "[]a]", "[^]a]", "[a-]",
        "[-a]",
        r"[\d\-.]", "[[:alpha:]]", "[[:^digit:]]", "[[:word:]-]", r"[\]a]", r"[\x{e9}-\x{ff}]", r"\d", r"\D", r"\w",
        r"\W", r"\s", r"\S", r"\pL", r"\P{Lu}", r"\x61", r"\x{212A}", r"\141", r"\n", r"\Qa.\E", r"\-", "^", "$",
        r"\A", r"\z", "()", "(?:)", "(?i)", "(?s)", "(?-i)", "{", "a{,2}", "é|", "(?P<n>a)", "(?U)",
    )
)  # fmt: skip
REPEATS = st.sampled_from(("", "", "", "*", "+", "?", "*?", "{2}", "{1,}", "{0,2}", "{0}", "{1,3}?"))


def _patterns() -> st.SearchStrategy[str]:
    grouped = st.sampled_from(("({})", "(?:{})", "(?i:{})", "(?s:{})", "(?i-s:{})", "(?P<x>{})"))

    def extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        sequence = st.lists(st.builds(lambda a, r: a + r, inner, REPEATS), min_size=1, max_size=4).map("".join)
        alternatives = st.lists(sequence, min_size=1, max_size=3).map("|".join)
        return st.builds(lambda g, p: g.format(p.replace("<n>", "<m>")), grouped, alternatives)

    whole = st.recursive(ATOMS, extended, max_leaves=8)
    return st.lists(st.builds(lambda a, r: a + r, whole, REPEATS), min_size=1, max_size=3).map("".join)


TEXTS = st.text(ALPHABET, max_size=6)


def _cut(how: How, value: float | str, reading: Reading = "text") -> Cut:
    return Cut(reading, value, how)


def _signature(cuts: Sequence[Cut], text: str) -> tuple[object, ...]:
    """Return what Python and RE2 say of a text."""
    found: list[object] = []
    for cut in cuts:
        seen = fold(text) if cut.reading == "folded" else text
        if cut.how == "size":
            found += [len(seen) < float(cut.value), len(seen) == cut.value]
            continue
        value = str(cut.value)
        found += {
            "point": lambda: [seen == value],  # noqa: B023  (called at once)
            "order": lambda: [seen < value, seen == value],  # noqa: B023
            "prefix": lambda: [seen.startswith(value)],  # noqa: B023
            "contains": lambda: [value in seen],  # noqa: B023
            "suffix": lambda: [seen.endswith(value)],  # noqa: B023
            "pattern": lambda: [compile_pattern(value).search(seen) is not None],  # noqa: B023
        }[cut.how]()
    return tuple(found)


def _cells(cuts: Sequence[Cut], pattern: str | None = None) -> list[str]:
    """Return the representatives of the cells of some conditions."""
    folded = all(c.reading == "folded" for c in cuts)
    try:
        line = cells_of_texts(cuts, pattern, folded=folded, points=(), hints=())
    except InexactError:
        return []
    return [representative for _, _, representative in line.pieces]


def _valid(pattern: str) -> bool:
    try:
        compile_pattern(pattern)
    except ValueError:
        return False
    return True


@given(_patterns(), st.lists(TEXTS, min_size=30, max_size=30))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_a_pattern_alone_has_a_cell_for_each_answer_of_re2(pattern: str, texts: list[str]) -> None:
    """If some text matches (or does not), a cell says so, and its representative is answered so by RE2."""
    assume(_valid(pattern))
    cuts = [_cut("pattern", pattern)]
    cells = _cells(cuts)
    assume(cells)
    answers = [_signature(cuts, text) for text in cells]
    assert len(set(answers)) == len(answers)
    assert {_signature(cuts, text) for text in texts if text} <= set(answers)


@given(_patterns(), st.lists(TEXTS, min_size=30, max_size=30))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_the_cells_of_a_pattern_and_one_text_say_whether_it_matches(pattern: str, texts: list[str]) -> None:
    """Beside a condition that only one text meets, the automaton has to decide that text as RE2 does."""
    assume(_valid(pattern))
    cuts = [_cut("pattern", pattern), *(_cut("point", t) for t in texts if t)]
    cells = _cells(cuts)
    assume(cells)
    answers = {_signature(cuts, text) for text in cells}
    assert len(answers) == len(cells)
    assert {_signature(cuts, text) for text in texts if text} <= answers


HOWS = st.one_of(
    st.builds(_cut, st.just("pattern"), _patterns().filter(_valid)),
    st.builds(_cut, st.sampled_from(("contains", "suffix", "prefix")), st.text(ALPHABET, min_size=1, max_size=3)),
    st.builds(_cut, st.sampled_from(("point", "order")), st.text(ALPHABET, min_size=1, max_size=3)),
    st.builds(_cut, st.just("size"), st.sampled_from((-1.0, 0.0, 1.0, 2.0, 2.5, 3.0))),
)
FOLDED = HOWS.map(
    lambda c: Cut("folded", c.value if c.how in ("pattern", "size") else fold(str(c.value)), c.how)
)  # fmt: skip


@given(st.lists(st.one_of(HOWS, HOWS, FOLDED), min_size=1, max_size=4), st.lists(TEXTS, min_size=60, max_size=60))
@SETTINGS
def test_no_text_has_a_combination_of_answers_that_no_cell_has(cuts: list[Cut], texts: list[str]) -> None:
    """Each combination of answers has one cell, folded readings included, and no text has another combination."""
    cells = _cells(cuts)
    assume(cells)
    answers = [_signature(cuts, text) for text in cells]
    near = [c + t for c in cells[:20] for t in ("", "a", "\0", "é")] + [c[:-1] for c in cells[:20]]
    assert {_signature(cuts, text) for text in [*texts, *near] if text} <= set(answers)


def test_ten_thousand_texts_have_no_combination_that_is_proved_impossible() -> None:
    """A busy column: patterns, parts, ends, prefixes, orders and sizes; texts made of their own pieces."""
    cuts = [
        _cut("pattern", r"^\+1[2-9]\d{2}"), _cut("pattern", r"(?i)vip|gold$"), _cut("pattern", r"^\d{3,5}$"),
        _cut("contains", "go"), _cut("contains", "old"), _cut("suffix", "d"), _cut("prefix", "VI"), _cut("size", 4.0),
        _cut("order", "gold"), _cut("point", "VIP"), _cut("point", "gold"),
    ]  # fmt: skip
    answers = {_signature(cuts, text) for text in _cells(cuts)}
    rng = random.Random(4)
    pieces = ("+1", "2", "30", "555", "VIP", "vip", "go", "old", "gold", "d", "VI", "g", "x", " ", "\n", "é")
    seen = set()
    for _ in range(10_000):
        text = "".join(rng.choices(pieces, k=rng.randint(1, 5)))
        seen.add(_signature(cuts, text))
    assert seen <= answers
    assert len(seen) > 60


@given(HOWS, _patterns().filter(_valid), st.lists(TEXTS, min_size=60, max_size=60))
@SETTINGS
def test_the_pattern_of_a_column_bounds_its_texts(cut: Cut, pattern: str, texts: list[str]) -> None:
    """Representatives fit the pattern as a whole, and every text that fits has its answers in some cell."""
    cells = _cells([cut], pattern)
    fits = re2.compile(pattern).fullmatch
    assert all(fits(text) for text in cells)
    answers = {_signature([cut], text) for text in cells}
    assert {_signature([cut], text) for text in texts if text and fits(text)} <= answers or not cells


FOLDED_CODES = [ord(fold(chr(c))) for c in range(0x20000)]


@given(st.lists(st.tuples(st.integers(0, 0x250), st.integers(0, 0x60)), max_size=4))
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_what_folds_into_a_class_is_found_for_every_character(drawn: list[tuple[int, int]]) -> None:
    """The characters whose folding lies in some ranges are exactly those that are listed."""
    codes = sorted({c for start, length in drawn for c in range(start, start + length)})
    ranges = tuple((c, c) for c in codes)
    inside = frozenset(codes)
    listed = {c for low, high in unfolded(ranges) for c in range(low, high + 1)}
    assert listed == {c for c, folded in enumerate(FOLDED_CODES) if folded in inside}


def test_no_character_beyond_the_second_plane_has_a_case() -> None:
    """Tables of folding end there, ours and RE2's."""
    beyond = range(0x20000, 0x110000)
    assert all(fold(chr(c)) == chr(c) for c in beyond)
    assert members(Chars(r"(?i:[\x{20000}-\x{10FFFF}])")) == ((0x20000, 0x10FFFF),)


@pytest.mark.parametrize("pattern", [r"\bfoo", r"a\B", "(?m)^a", "(?m)a$", "a{1000}", "a.{40}$", r"\Ca"])
def test_what_has_no_small_automaton_is_left_open(pattern: str) -> None:
    """Word boundaries, lines and explosions of states end in no claim, after few steps."""
    rules = [
        rule("one", 1, [cond("t", "matches", pattern)], [act("doNotDial")]),
        rule("other", 2, [cond("t", "matches", "^#{9}$")], [act("switchToPreview")]),
    ]
    runs = analysis(campaign(rules, (Column("t", "string"),))).runs("preCall")
    assert isinstance(runs.both_act(0, 1), Unknown)


def test_a_tree_is_not_made_of_what_is_not_understood() -> None:
    """Whatever is outside of the grammar has no tree, so that nothing is claimed."""
    for pattern in (r"\C", "(", "[", "a)", "(?z)", "(?<", "[[:alpha:]", r"\Q\E*", "(" * 200 + ")" * 200):
        with pytest.raises(ValueError, match=r"."):
            read(pattern)


# Whole campaigns over every text of a small domain.

SHORT = (Column("t", "string", pattern="[ab]{0,3}"), Column("u", "string", required=True, pattern="[ab]{1,2}|B|é"))
T_VALUES = ["".join(p) for n in range(4) for p in product("ab", repeat=n)]
U_VALUES = [*("".join(p) for n in (1, 2) for p in product("ab", repeat=n)), "B", "é"]


def _text_conditions() -> st.SearchStrategy[Expression]:
    column = st.sampled_from(("t", "t", "u"))
    part = st.sampled_from(("a", "b", "ab", "ba", "aa", "B", "É"))
    pattern = st.sampled_from(
        ("^a", "b$", "^(ab)*$", "a.b", "^.?$", "(?i)B", "[^a]", "^$|^aa", "a{2}", r"^\pL{2}$", "b|$")
    )
    parts = st.builds(cond, column, st.sampled_from(("contains", "notContains", "endsWith", "beginsWith")), part,
                      inverted=st.booleans())  # fmt: skip
    matches = st.builds(lambda c, p, i: cond(c, "matches", p, inverted=i), column, pattern, st.booleans())
    orders = st.builds(
        cond, column, st.sampled_from(("equals", "notEquals", "lessThan", "greaterThanOrEqual", "greaterThan")), part
    )
    cel = st.sampled_from(
        (
            "size(contact.t) > 2.0", "contact.u.size() == 1.0", "size(contact.t) in [0.0, 3.0]",
            "2.0 >= size(contact.t)",
            "!(contact.t.contains('a') || size(contact.t) < 2.0)", "contact.t < 'ab' ? contact.t.endsWith('a') : true",
            "contact.t.contains('') && contact.u.matches('a')", "contact.t != '' && !contact.t.contains('b')",
        )
    ).map(when)  # fmt: skip
    exists = st.builds(cond, column, st.sampled_from(("exists", "notExists")))
    return st.one_of(parts, matches, matches, orders, cel, exists)


def _text_actions() -> st.SearchStrategy[object]:
    lists = st.builds(lambda v: act("setList", listId="l", value=v), st.sampled_from(("true", "false")))
    sets = st.builds(lambda v: act("setAttribute", attribute="t", value=v), st.sampled_from(("ab", "", "xyz", "bbb")))
    return st.one_of(lists, lists, sets, st.just(act("doNotDial")))


@st.composite
def _text_campaigns(draw: st.DrawFn) -> tuple[Campaign, Semantics]:
    rules = [
        rule(f"r{i}", i + 1, draw(st.lists(_text_conditions(), min_size=1, max_size=3)), [draw(_text_actions())])  # type: ignore[list-item]
        for i in range(draw(st.integers(2, 4)))
    ]
    semantics = Semantics(caseSensitive=draw(st.sampled_from((True, True, False))), doNotDialStops=draw(st.booleans()))
    return campaign(rules, SHORT, hit_policy=draw(st.sampled_from(("all", "all", "first")))), semantics


@given(_text_campaigns())
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_conditions_on_texts_are_decided_as_by_running_every_contact(drawn: tuple[Campaign, Semantics]) -> None:
    """Regions and pairs of rules on contains, matches, size and the rest: nothing is open, nothing is wrong."""
    built, semantics = drawn
    asked, evaluator = analysis(built, semantics), Evaluator(built, semantics)
    everybody = [{"t": t, "u": u} for t in T_VALUES for u in U_VALUES]
    verdicts = [evaluator.verdicts(contact) for contact in everybody]
    for one in built.rules:
        seen = {v[one.name] for v in verdicts}
        assert bool(asked.region(one).boxes) == (True in seen)
        assert bool(asked.region(one, "not true").boxes) == bool(seen - {True})
    runs = asked.runs("preCall")
    outcomes = [acted(o) for o in map(evaluator.run, everybody) if o.failure is None]
    for one_index, other_index in combinations(range(len(built.rules)), 2):
        names = {built.rules[one_index].name, built.rules[other_index].name}
        answer = runs.both_act(one_index, other_index)
        assert isinstance(answer, (Found, Nowhere))
        assert isinstance(answer, Found) == any(names <= s for s in outcomes)
        if isinstance(answer, Found):
            assert answer.scene.contact in everybody or "t" not in answer.scene.contact
            assert names <= acted(evaluator.run(answer.scene.contact))


def test_a_pattern_that_no_text_of_its_column_matches_is_unreachable() -> None:
    """Two patterns that exclude each other are a finding, not an open question."""
    rules = [
        rule("never", 1, [cond("t", "matches", "^[0-9]+$"), cond("t", "matches", "[a-z]")], [act("doNotDial")]),
        rule("maybe", 2, [cond("t", "matches", "^[0-9]+"), cond("t", "matches", "[a-z]")], [act("doNotDial")]),
    ]
    ctx = context(campaign(rules, (Column("t", "string"),)), Path("/nowhere"))
    ctx.check = unreachable_rule.CHECK
    assert [f.rules for f in unreachable_rule.CHECK.run(ctx)] == [("never",)]
    ctx.check = undecided.CHECK
    assert list(undecided.CHECK.run(ctx)) == []


def test_a_constant_outside_of_the_pattern_of_its_column_is_unreachable() -> None:
    """The pattern of a column bounds what comparisons can hold on, too."""
    rules = [rule("never", 1, [cond("t", "equals", "D1")], [act("doNotDial")])]
    asked = analysis(campaign(rules, (Column("t", "string", pattern="[A-C][0-9]"),)))
    assert asked.region(rules[0]).boxes == ()


def test_an_opaque_condition_leaves_the_others_of_its_column_exact() -> None:
    """Only what is asked of the opaque one stays open."""
    rules = [
        rule("opaque", 1, [when("contact.t + 'x' == 'qqx'")], [act("doNotDial")]),
        rule("digits", 2, [cond("t", "matches", "^[0-9]+$")], [act("switchToPreview")]),
        rule("letters", 3, [cond("t", "matches", "^[a-z]+$")], [act("doNotDial")]),
    ]
    runs = analysis(campaign(rules, (Column("t", "string"),))).runs("preCall")
    assert isinstance(runs.both_act(1, 2), Nowhere)
    assert isinstance(runs.both_act(0, 1), Unknown)


def test_nothing_is_imported_for_columns_without_such_conditions(tmp_path: Path) -> None:
    """Linting a file of plain comparisons loads neither the automata nor a solver."""
    import subprocess
    import sys

    (tmp_path / "a.rules.yaml").write_text(
        "campaign: c\nrules:\n- {name: r, version: 1, priority: 1, executionOrder: 1, actions: [{type: doNotDial}],"
        " conditions: [{attribute: t, operator: equals, value: x}]}\n",
        "utf-8",
    )
    code = (
        "import sys; from dialproof.cli import main; main(['lint', sys.argv[1]]);"
        "print(sorted({'dialproof.analysis.languages', 'dialproof.analysis.smt', 'z3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
