"""Two campaigns are called the same only where they are: held against every contact of a small domain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.analysis import equivalence
from dialproof.analysis.equivalence import alike, difference_of_campaigns
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from dialproof.model.rules import Condition, Group, When
from tests.lint.analysis.build import COLUMNS, act, campaign, campaigns, cond, contacts, group, rule, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.model.rules import Expression
    from dialproof.project import Campaign

NUMBER, TEXT = Column("n", "number"), Column("t", "string")
DATED = Column("d", "datetime")


def same(
    one: Sequence[Expression],
    other: Sequence[Expression],
    *columns: Column,
    semantics: Semantics | None = None,
    writes: str | None = None,
) -> bool:
    """Tell whether a rule is proved to be the same under other conditions; another rule ``writes`` a column."""
    earlier = [rule("w", 1, [when("true")], [act("setAttribute", attribute=writes, value="x")])] if writes else []

    def built(conditions: Sequence[Expression]) -> Campaign:
        return campaign([*earlier, rule("r", 2, conditions, [act("doNotDial")])], columns or (*COLUMNS, NUMBER, TEXT))

    return difference_of_campaigns(built(one), built(other), semantics or Semantics()) is None


@st.composite
def changed(draw: st.DrawFn) -> tuple[Campaign, Campaign, Semantics]:
    """Draw a campaign and what is left of it when somebody edits the conditions of one rule."""
    before, semantics = draw(campaigns())
    index = draw(st.integers(0, len(before.rules) - 1))
    conditions = [_edited(draw, e) for e in before.rules[index].conditions]
    if len(conditions) > 1 and draw(st.booleans()):
        conditions.pop(draw(st.integers(0, len(conditions) - 1)))
    if draw(st.booleans()):
        conditions.reverse()
    rules = list(before.rules)
    rules[index] = replace(rules[index], conditions=tuple(conditions))
    return before, replace(before, rules=tuple(rules)), semantics


def _edited(draw: st.DrawFn, expression: Expression) -> Expression:
    how = draw(st.sampled_from(("keep", "keep", "flip", "value", "wrap", "double")))
    if how == "keep" or isinstance(expression, When):
        return expression
    if how == "wrap":
        return group("all", expression)
    if how == "double":
        return group(draw(st.sampled_from(("all", "any"))), expression, expression)
    if isinstance(expression, Group):
        return replace(expression, members=tuple(_edited(draw, m) for m in expression.members))
    if how == "flip":
        opposite = {"lessThan": "greaterThanOrEqual", "equals": "notEquals", "exists": "notExists"}
        if expression.operator in opposite:
            return replace(expression, operator=opposite[expression.operator], inverted=not expression.inverted)
    if isinstance(expression.value, int):
        return replace(expression, value=expression.value + draw(st.sampled_from((-1, 0.5, 1))))
    return expression


def _verdicts(built: Campaign, semantics: Semantics) -> list[object]:
    evaluator = Evaluator(built, semantics)
    return [evaluator.verdicts(contact) for contact in contacts()]


def _outcomes(built: Campaign, semantics: Semantics) -> list[object]:
    evaluator = Evaluator(built, semantics)
    return [evaluator.run(contact) for contact in contacts()]


@settings(max_examples=20)
@given(changed())
def test_what_is_proved_is_the_same_on_every_contact(drawn: tuple[Campaign, Campaign, Semantics]) -> None:
    """Whatever was edited: proved campaigns give every contact of the domain the same outcome, writes included."""
    before, after, semantics = drawn
    if difference_of_campaigns(before, after, semantics) is None:
        assert _outcomes(before, semantics) == _outcomes(after, semantics)


@settings(max_examples=20)
@given(changed())
def test_without_writes_everything_is_decided(drawn: tuple[Campaign, Campaign, Semantics]) -> None:
    """Where no rule writes a column, nothing that is the same on every contact of the domain is left unproved."""
    before, after, semantics = (replace(c, rules=_silent(c)) if not isinstance(c, Semantics) else c for c in drawn)
    proved = difference_of_campaigns(before, after, semantics) is None
    assert proved == (_verdicts(before, semantics) == _verdicts(after, semantics))


def _silent(built: Campaign) -> tuple[object, ...]:
    return tuple(replace(r, actions=(act("doNotDial"),)) for r in built.rules)


@pytest.mark.parametrize(
    ("one", "other", "proved"),
    [
        # a condition that follows from another, and one that does not where the column is blank
        ([cond("n", "greaterThan", 5), cond("n", "greaterThan", 3)], [cond("n", "greaterThan", 5)], True),
        ([cond("n", "greaterThan", 5), cond("n", "exists")], [cond("n", "greaterThan", 5)], False),
        ([cond("t", "equals", "x"), cond("t", "exists")], [cond("t", "equals", "x")], True),
        # text against numbers: one CEL text
        ([cond("t", "greaterThan", "5", "string")], [cond("t", "greaterThan", "5", "number")], True),
        ([cond("t", "equals", "5", "string")], [cond("t", "equals", "5", "number")], False),
        # what cells cannot hold is anything, but the same in both
        ([cond("t", "matches", "^a+b"), cond("n", "lessThan", 3)], [cond("n", "lessThan", 3), cond("t", "matches", "^a+b")], True),  # noqa: E501
        ([cond("t", "matches", "^a+b")], [cond("t", "matches", "^aa*b")], True),
        ([cond("t", "matches", "^a+b"), cond("n", "lessThan", 3), cond("n", "lessThan", 4)], [cond("t", "matches", "^a+b"), cond("n", "lessThan", 3)], True),  # noqa: E501
        ([when("contact.n > contact.a && contact.a > 2.0")], [when("contact.a > 2.0 && contact.n > contact.a")], True),
        ([when("contact.n > contact.a")], [when("contact.a < contact.n")], False),
        ([when("size(contact) > 2")], [when("size(contact) >= 3")], False),
        ([when("true")], [when("1.0 < 2.0")], True),
        # Kleene: false absorbs undecided
        ([group("any", group("not", cond("n", "lessThan", 3)), cond("n", "lessThan", 3))], [when("true")], False),
        ([group("not", group("any", cond("n", "lessThan", 3), cond("t", "equals", "x")))], [group("not", cond("n", "lessThan", 3)), cond("t", "notEquals", "x")], True),  # noqa: E501
        # a condition without a meaning says nothing
        ([cond("n", "matches", "x")], [cond("n", "matches", "y")], True),
        ([cond("n", "matches", "x")], [when("false")], False),
    ],
)  # fmt: skip
def test_conditions(one: list[Expression], other: list[Expression], proved: bool) -> None:
    """True, false and undecided must be the same on every cell; what is open counts as anything."""
    assert same(one, other) is proved


def test_a_written_column_may_hold_anything() -> None:
    """Inside of its declared domain every number is 0 or more; what a rule writes to it need not be."""
    one, other = [cond("a", "greaterThanOrEqual", 0), cond("a", "lessThan", 3)], [cond("a", "lessThan", 3)]
    assert same(one, other)
    assert not same(one, other, writes="a")
    assert same(one, other, writes="b")
    assert same(one, other, writes="a", semantics=Semantics(laterRulesSeeUpdates=False))
    assert same([cond("a", "lessThan", 3), cond("a", "lessThan", 4)], [cond("a", "lessThan", 3)], writes="a")


@pytest.mark.parametrize(
    ("first", "second", "proved"),
    [
        ("2026-05-01", "2026-03-01", True),
        ("2026-05-01T00:00:00Z", "2026-03-01T00:00:00+02:00", True),
        ("2026-05-01T00:00:00Z", "2026-04-30", False),  # in a time zone far enough west it is the other way round
        ("2026-05-01T02:30:00", "2026-05-01T02:00:00", False),
        ("1960-05-01", "1950-03-01", True),
    ],
)
def test_dates(first: str, second: str, proved: bool) -> None:
    """A date that follows from another one follows from it in every time zone, or it is not proved."""
    conditions = [cond("d", "after", first), cond("d", "after", second)]
    assert same(conditions, conditions[:1], DATED) is proved


def test_a_date_column_holds_midnights_of_every_zone() -> None:
    """Between 6 and 8 o'clock UTC lies no midnight of UTC, and one of Denver."""
    column = Column("d", "date")
    one = [cond("d", "after", "2026-05-01T06:00:00Z")]
    assert not same(one, [cond("d", "after", "2026-05-01T08:00:00Z")], column)


def test_what_is_beside_the_conditions() -> None:
    """Names, actions and so on are the same; versions, overrides and the numbers of the order need not be."""
    rules = [rule("r1", 1, [when("true")], [act("doNotDial")]), rule("r2", 2, [when("true")], [act("doNotDial")])]
    before = campaign(rules, COLUMNS)

    def proved(*changed: object, **fields: object) -> bool:
        after = campaign(changed or [replace(rules[0], **fields), rules[1]], COLUMNS)  # type: ignore[arg-type]
        return difference_of_campaigns(before, after, Semantics()) is None

    assert proved(version=2)
    assert proved(overrides=("x",))
    assert proved(replace(rules[0], execution_order=10), replace(rules[1], execution_order=20))
    assert not proved(replace(rules[0], execution_order=2))  # a tie that was none
    assert not proved(rules[1], rules[0])
    assert not proved(rules[0])
    for fields in (
        {"name": "x"},
        {"enabled": False},
        {"category": "wrapUp"},
        {"priority": 7},
        {"actions": (act("switchToPreview"),)},
        {"actions": (act("setSkills", skills=("x",)),)},
        {"path": "b.rules.yaml"},
        {"metadata": {"owner": "x"}},
    ):
        assert not proved(**fields), fields
    for after in (
        replace(before, hit_policy="first"),
        replace(before, contact_list=replace(before.contact_list, columns={})),
    ):
        assert difference_of_campaigns(before, after, Semantics()) is not None


def test_a_flag_is_no_number() -> None:
    """Python calls True and 1 equal; a contact and an action do not."""
    assert not alike(True, 1)
    assert not alike({"a": (1.0,)}, {"a": (1,)})
    assert alike({"a": (1, "x", None)}, {"a": (1, "x", None)})
    assert not alike({"a": 1}, {"a": 1, "b": 2})


def test_too_many_combinations_are_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the answer is not proved."""
    one: list[Expression] = [group("any", cond("n", "lessThan", 3), cond("n", "lessThan", 2))]
    other = [cond("n", "lessThan", 3)]
    assert same(one, other)
    monkeypatch.setattr(equivalence, "STEPS", 0)
    assert not same(one, other)
    assert isinstance(other[0], Condition)
