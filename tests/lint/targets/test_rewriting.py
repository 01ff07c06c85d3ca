"""Conditions written otherwise hold, fail and stay undecided on the same contacts: every contact of a small domain."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.operators import OPERATORS
from dialproof.model.rules import Condition, Group
from dialproof.targets.rewriting import MOST, OPPOSITE, alternatives, clauses, halves, merged, upright
from tests.lint.analysis.build import COLUMNS, act, campaign, cond, contacts, group, rule, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dialproof.model.rules import Expression

CONTACTS = tuple(contacts())


def verdicts(
    expressions: Sequence[Sequence[Expression]],
    columns: Sequence[Column] = COLUMNS,
    on: Iterable[Mapping[str, object]] = CONTACTS,
) -> list[list[bool | None]]:
    """Return the verdict of rules with these conditions on each contact, contact by contact."""
    rules = [rule(f"r{n}", n, one, [act("doNotDial")]) for n, one in enumerate(expressions, 1)]
    evaluator = Evaluator(campaign(rules, columns), Semantics())
    return [list(evaluator.verdicts(contact).values()) for contact in on]


def any_of(found: Sequence[bool | None]) -> bool | None:
    """Return what ``any`` of strong Kleene logic makes of verdicts."""
    return True if True in found else None if None in found else False


def expressions() -> st.SearchStrategy[Expression]:
    """Draw groups of conditions, up to three levels deep."""
    orders = st.sampled_from(
        ("equals", "notEquals", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")
    )
    numbers = st.builds(cond, st.sampled_from(("a", "b")), orders, st.integers(0, 6), inverted=st.booleans())
    lists = st.builds(
        cond,
        st.just("a"),
        st.sampled_from(("in", "notIn")),
        st.sampled_from(((1.0, 2.0), (3.0,))),
        inverted=st.booleans(),
    )
    ranges = st.builds(cond, st.just("a"), st.just("between"), st.just((2.0, 4.0)), inverted=st.booleans())
    texts = st.builds(
        cond, st.just("s"), st.sampled_from(("equals", "contains", "beginsWith")), st.sampled_from(("TX", "A")),
        inverted=st.booleans(),
    )  # fmt: skip
    blank = st.builds(cond, st.just("a"), st.sampled_from(("exists", "notExists")), inverted=st.booleans())
    leaf: st.SearchStrategy[Expression] = st.one_of(numbers, lists, ranges, texts, blank)
    return st.recursive(
        leaf,
        lambda inner: st.builds(
            lambda kind, members: group(kind, *(members[:1] if kind == "not" else members)),
            st.sampled_from(("all", "any", "not")), st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=6,
    )  # fmt: skip


@given(st.lists(expressions(), min_size=1, max_size=2))
def test_alternatives_hold_on_the_same_contacts(written: list[Expression]) -> None:
    """One of the alternatives holds where the conditions do, and their `any` is undecided where they are."""
    forms = alternatives(written)
    assert forms is not None
    for original, *found in verdicts([written, *forms]):
        assert any_of(found) is original


@given(st.lists(expressions(), min_size=1, max_size=2))
def test_clauses_hold_on_the_same_contacts(written: list[Expression]) -> None:
    """The parts, every one of which must hold, are the conditions that they were made of."""
    parts: list[Expression] = []
    for _, part in clauses(written):
        parts.append(group("any", *part) if isinstance(part, tuple) else part)
    assert all(original is found for original, found in verdicts([written, parts]))


@given(st.lists(st.sampled_from((1.0, 2.0, 3.0, 4.0)), min_size=2, max_size=4), st.booleans(), st.booleans())
def test_alternatives_of_one_column_are_one_list(values: list[float], listed: bool, common: bool) -> None:
    """`equals` and `in` of one column become one `in`, with what the alternatives share beside it."""
    shared = [cond("b", "greaterThan", 1.0)] if common else []
    first = cond("a", "in", (values[0], 6.0)) if listed else cond("a", "equals", values[0])
    members: list[Expression] = [group("all", *shared, first), *(cond("a", "equals", v) for v in values[1:])]
    members = members if not common else [group("all", *shared, m) for m in (first, *members[1:])]
    forms = alternatives([group("any", *members)])
    assert forms is not None
    one = merged(forms) if len(forms) > 1 else forms[0]
    assert one is not None
    assert all(original is found for original, found in verdicts([[group("any", *members)], one]))


def test_alternatives_that_differ_in_more_are_not_merged() -> None:
    """Two columns, another type or a negated value are no list of values."""
    same = cond("a", "equals", 1.0)
    for other in (cond("b", "equals", 1.0), cond("a", "equals", "1", "string"), cond("a", "notEquals", 2.0)):
        assert merged([(same,), (other,)]) is None
    assert merged([(same, cond("b", "equals", 1.0)), (cond("a", "equals", 2.0), cond("b", "equals", 2.0))]) is None


def test_what_has_no_alternatives() -> None:
    """CEL is not taken apart, nor are conditions with too many alternatives."""
    assert alternatives([when("true")]) is None
    wide = [group("any", *(cond("a", "equals", float(n)) for n in range(5))) for _ in range(3)]
    assert MOST < 5**3
    assert alternatives(wide) is None


TYPED = (
    Column("t", "string"),
    Column("n", "number"),
    Column("d", "datetime"),
    Column("f", "boolean"),
)
VALUES = {
    "string": ("5", "TX", "x"),
    "number": (5.0, "5", -1.0),
    "datetime": ("2026-01-01", "2026-01-01T10:00:00Z", "2025-12-30"),
    "period": ("P1D", "PT1H", "P-1D"),
    "boolean": (True, False, "true"),
}
COLUMN = {"string": "t", "number": "n", "datetime": "d", "period": "d", "boolean": "f"}
WIDE = [
    {k: v for k, v in zip("tndf", row, strict=True) if v is not None}
    for row in product(
        ("", "5", "5.0", "10", "TX", "tx", "x", "é"), (None, 5, "abc"),
        (None, "2026-01-01", "2026-01-01T10:00:00+01:00", "?"), (None, True, "False", "maybe"),
    )
]  # fmt: skip


@pytest.mark.parametrize("operator", OPPOSITE)
def test_an_opposite_is_true_exactly_where_the_operator_is_false(operator: str) -> None:
    """Under every type that the operator compares, on blank and unreadable values too."""
    shape, kinds = OPERATORS[operator]
    other, compared = OPPOSITE[operator], 0
    for kind in kinds:
        if kind not in OPERATORS[other][1]:
            continue
        for value in VALUES[kind]:
            if shape == "none":
                given_value = None
            elif shape == "list":
                given_value = (value, VALUES[kind][0])
            else:
                given_value = value
            written = cond(COLUMN[kind], operator, given_value, kind)
            opposite = upright(cond(COLUMN[kind], operator, given_value, kind, inverted=True))
            assert (opposite.operator, opposite.inverted) == (other, False)
            for one, found in verdicts([[written], [opposite]], TYPED, WIDE):
                assert found is (None if one is None else not one)
                compared += 1
    assert compared


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(
    ("column", "kind", "bounds"),
    [
        ("n", "number", (1.0, 5.0)),
        ("t", "string", ("TX", "x")),
        ("t", "string", ("5", "10")),
        ("t", "number", ("5", "10")),
        ("d", "datetime", ("2025-12-31", "2026-01-01")),
        ("d", "period", ("P0D", "P1D")),
    ],
)
def test_between_is_two_comparisons(column: str, kind: str, bounds: tuple[object, object], inverted: bool) -> None:
    """Both hold where it holds; where it is inverted, one of them."""
    written = cond(column, "between", bounds, kind, inverted=inverted)  # type: ignore[arg-type]
    parts = halves(written, ContactList("c", {c.name: c for c in TYPED}))
    assert parts is not None
    rewritten: list[Expression] = [group("any", *parts)] if inverted else list(parts)
    assert all(one is found for one, found in verdicts([[written], rewritten], TYPED, WIDE))


def test_between_a_number_and_a_text_is_left_alone() -> None:
    """The halves would compare a number with one bound and text with the other."""
    columns = ContactList("c", {c.name: c for c in TYPED})
    assert halves(cond("t", "between", ("5", "x"), "string"), columns) is None


def test_a_negated_expression_in_cel_stays_a_group() -> None:
    """Nobody writes CEL anew."""
    ((_, part),) = clauses([group("not", when("true"))])
    assert isinstance(part, Group)
    assert part.kind == "not"


def test_a_condition_alone_is_a_clause() -> None:
    """A double negation is none."""
    one = cond("a", "equals", 1.0)
    ((_, part),) = clauses([group("not", group("not", one))])
    assert part == (one,)
    assert isinstance(one, Condition)
