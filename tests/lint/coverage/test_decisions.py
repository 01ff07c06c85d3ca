"""Which condition decides: textbook decisions, and every small one against the definition."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.config import Semantics
from dialproof.coverage.decisions import Decision, taken_apart
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, campaign, rule, when
from tests.lint.coverage.oracle import Tree, cel, decides, groups, texts, truth

TRUTH = {"T": True, "F": False, "E": None}
VALUES = {True: 1.0, False: 0.0, None: 0.5}
ABC = [Column(name, "boolean") for name in "abcd"]


def decision(tree: Tree) -> Decision:
    """Return a rule with the conditions of a tree."""
    return Decision(rule("r", 1, [groups(tree)], [act("doNotDial")]))


def deciding(tree: Tree, verdicts: str) -> str:
    """Return the letters of the conditions that decide, where conditions have the verdicts T, F and E."""
    found = decision(tree).deciding([TRUTH[v] for v in verdicts])
    return "".join(texts(tree)[k] for k in found)


@pytest.mark.parametrize(
    ("verdicts", "letters"),
    [("TTT", "a"), ("TTF", "ab"), ("TFT", "ac"), ("TFF", "bc"), ("FTT", "a"), ("FTF", "a"), ("FFT", "a"), ("FFF", "")],
)
def test_a_and_b_or_c(verdicts: str, letters: str) -> None:
    """A && (B || C), the example of every text on MC/DC: the truth table, worked out by hand."""
    assert deciding(("all", ("a", ("any", ("b", "c")))), verdicts) == letters


def test_masking_accepts_a_pair_in_which_another_condition_differs() -> None:
    """(A && B) || (C && D): TTFF and FTTF are a pair for A although C differs, because C is masked by D."""
    tree: Tree = ("any", (("all", ("a", "b")), ("all", ("c", "d"))))
    assert "a" in deciding(tree, "TTFF")
    assert "a" in deciding(tree, "FTTF")
    assert "a" not in deciding(tree, "FTTT")  # there C && D hold the decision


@pytest.mark.parametrize(
    ("tree", "verdicts", "letters"),
    [
        (("all", ("a", "b")), "TE", ""),  # the verdict is undecided
        (("all", ("a", "b")), "FE", ""),  # with a true it would be undecided, not true
        (("any", ("a", "b")), "TE", ""),
        (("any", ("a", ("all", ("b", "c")))), "TEF", "a"),  # what is undecided is masked
    ],
)
def test_an_undecided_verdict_shows_nothing(tree: Tree, verdicts: str, letters: str) -> None:
    """A condition decides only between true and false."""
    assert deciding(tree, verdicts) == letters


def test_under_not_false_speaks_for_the_rule() -> None:
    """Which way a condition points is known from the groups around it."""
    tree: Tree = ("all", ("a", ("not", (("any", ("b", ("not", ("c",)))),))))
    assert decision(tree).inverted == (False, True, False)


def trees(letters: str) -> st.SearchStrategy[Tree]:
    """Draw trees of some of these conditions."""
    return st.recursive(
        st.sampled_from(letters),
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(["all", "any"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.tuples(st.just("not"), st.tuples(inner)),
        ),
        max_leaves=5,
    )


@settings(max_examples=40)
@given(trees("abc"))
def test_every_table_is_as_by_definition(tree: Tree) -> None:
    """All verdicts of all conditions, a condition that is written twice included."""
    made, count = decision(tree), len(texts(tree))
    for verdicts in product([True, False, None], repeat=count):
        values = [VALUES[v] for v in verdicts]
        assert VALUES[made.verdict(verdicts)] == truth(tree, iter(values))
        assert made.deciding(verdicts) == [k for k in range(count) if decides(tree, values, k)]


def test_a_when_is_taken_apart_at_its_connectives() -> None:
    """What is left holds no connective; a ternary and a comprehension are conditions as a whole."""
    text = "contact.a && !(contact.b || (contact.c ? contact.a : contact.b)) && contact.d"
    built = campaign([rule("r", 1, [when(text)], [act("doNotDial")])], ABC)
    (apart,) = taken_apart(Evaluator(built, Semantics())).campaign.rules
    assert [leaf.text for leaf in Decision(apart).conditions] == [  # type: ignore[union-attr]
        "contact.a", "contact.b", "contact.c ? contact.a : contact.b", "contact.d",
    ]  # fmt: skip
    assert Decision(apart).inverted == (False, True, True, False)
    whole = campaign([rule("r", 1, [when("[1.0, 2.0].exists(x, x > 1.0) && contact.a")], [act("doNotDial")])], ABC)
    evaluator = Evaluator(whole, Semantics())
    assert taken_apart(evaluator) is evaluator


@settings(max_examples=15)
@given(trees("abc"))
def test_a_when_means_the_same_when_it_is_taken_apart(tree: Tree) -> None:
    """Every contact of three booleans, blank ones too, has the verdict that cel-python gives the whole text."""
    text = re.sub(r"\b[abc]\b", lambda letter: f"contact.{letter[0]}", cel(tree))
    built = campaign([rule("r", 1, [when(text)], [act("doNotDial")])], ABC)
    apart = taken_apart(Evaluator(built, Semantics()))
    reference = Evaluator(built, Semantics(), reference=True)
    for values in product([True, False, None], repeat=3):
        contact = dict(zip("abc", values, strict=True))
        assert apart.verdicts(contact) == reference.verdicts(contact)
