"""The smallest cause of an outcome and the nearest contact with another one, against running all contacts."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.analysis.answers import Nowhere
from dialproof.analysis.aspects import aspects_of
from dialproof.analysis.causes import Cause, Causes, Change
from dialproof.analysis.witness import Scene
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import COLUMNS, act, campaign, campaigns, cond, contacts, group, rule, when
from tests.lint.analysis.test_comparison import done
from tests.lint.analysis.test_difference import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.analysis.answers import Unknown
    from dialproof.model.rules import Condition, Expression, Rule
    from dialproof.project import Campaign

NOW = "2026-01-01T12:00:00Z"
NAMES = ("a", "b", "s")


@given(campaigns(), st.sampled_from([*contacts()]))
@settings(SETTINGS, max_examples=15)
def test_cause_and_change_are_those_of_all_contacts(
    drawn: tuple[Campaign, Semantics], contact: dict[str, object]
) -> None:
    """No fewer columns force it, those that are named do, and nobody who differs in fewer comes to anything else."""
    evaluator = Evaluator(*drawn)
    causes = Causes(evaluator, Scene(contact, {}, NOW), "preCall")
    everybody = [(other, evaluator.run(other)) for other in contacts()]
    for aspect in aspects_of((), drawn[0].rules, "preCall"):
        here = done(aspect.name, causes.outcome)
        assert (aspect.of(causes.outcome) is None) == (here is None)

        def forces(columns: tuple[str, ...]) -> bool:
            alike = (o for c, o in everybody if all(c.get(n) == contact.get(n) for n in columns))
            return all(done(aspect.name, outcome) == here for outcome in alike)  # noqa: B023

        cause = causes.cause(aspect)
        assert isinstance(cause, Cause)
        assert cause.smallest
        named = tuple(v.name for v in cause.columns)
        assert forces(named)
        assert not any(forces(fewer) for fewer in combinations(NAMES, max(0, len(named) - 1)) if named)
        as_few = {names for names in combinations(NAMES, len(named)) if forces(names)}
        assert {named, *(tuple(v.name for v in other) for other in cause.others)} == as_few
        differing = [
            sum(c.get(n) != contact.get(n) for n in NAMES) for c, o in everybody if done(aspect.name, o) != here
        ]
        change = causes.change(aspect)
        if not differing:
            assert isinstance(change, Nowhere)
            continue
        assert isinstance(change, Change)
        assert change.smallest
        assert len(change.columns) == min(differing)
        assert dict(change.scene.contact) in [c for c, _ in everybody]
        assert {n for n in NAMES if change.scene.contact.get(n) != contact.get(n)} == {v.name for v in change.columns}
        assert done(aspect.name, evaluator.run(change.scene.contact)) != here


def _asked(
    rules: Sequence[Rule],
    columns: Sequence[Column],
    contact: dict[str, object],
    context: dict[str, object] | None = None,
    zone: str | None = None,
) -> tuple[Cause | Unknown, Change | Nowhere | Unknown]:
    """Ask why the first rule acts, or does not, on a contact."""
    evaluator = Evaluator(campaign(rules, columns), Semantics())
    causes = Causes(evaluator, Scene(contact, context or {}, NOW), "preCall", zone)
    aspect = next(a for a in aspects_of((), rules, "preCall") if a.name == f"rule {rules[0].name}")
    cause, change = causes.cause(aspect), causes.change(aspect)
    if isinstance(change, Change):
        again = evaluator.run(change.scene.contact, context=change.scene.context, now=change.scene.now, time_zone=zone)
        assert aspect.of(again) != aspect.of(causes.outcome)
    return cause, change


def _rule(*conditions: Expression) -> list[Rule]:
    return [rule("r", 1, conditions, [act("setList", listId="l")])]


@pytest.mark.parametrize(
    ("condition", "column", "value", "nearest"),
    [
        (cond("x", "greaterThan", 5), Column("x", "integer", min=0, max=100), 90, 5),
        (cond("x", "greaterThan", 5), Column("x", "integer", min=0, max=100), "90", "5"),
        (cond("x", "between", (10, 20)), Column("x", "integer", min=0, max=100), 25, 20),
        (cond("x", "between", (10, 20)), Column("x", "integer", min=0, max=100), 8, 10),
        (cond("x", "lessThan", 0.5), Column("x", "number", min=0, max=1, decimals=1), 0.1, 0.5),
        (cond("x", "greaterThan", 5), Column("x", "integer", min=0, max=100), 500, 5),  # nobody may hold 500
        (cond("x", "equals", "TX"), Column("x", "string", enum=("TX", "CA")), "TX", "CA"),
        (cond("x", "before", "2025-06-01"), Column("x", "date"), "2025-01-01", "2025-06-01"),
        (cond("x", "contains", "abc"), Column("x", "string"), "xabcx", None),
        (cond("x", "greaterThan", 5), Column("x", "integer", min=0, max=100), "many", None),
    ],
)  # fmt: skip
def test_the_smallest_change_of_one_column(
    condition: Condition, column: Column, value: object, nearest: object
) -> None:
    """One step over the constant, written as the contact writes it; any other text where there are no steps."""
    cause, change = _asked(_rule(condition), (column, *COLUMNS), {"x": value, "b": 1})
    assert isinstance(cause, Cause)
    assert [v.name for v in cause.columns] == ["x"]
    assert isinstance(change, Change)
    assert [v.name for v in change.columns] == ["x"]
    assert change.smallest
    if nearest is not None:
        assert change.scene.contact == {"x": nearest, "b": 1}


def test_ages_the_clock_and_the_call_are_causes_too() -> None:
    """A distance from now is changed by changing the date, the time of the call by another moment of its zone."""
    recent = cond("last", "lessThan", "P7D", "period")
    evening = cond("now.timeOfDay", "greaterThan", "20:00", context=True)
    mobile = cond("phone.type", "equals", "Cell", context=True)
    columns = (Column("last", "datetime"), *COLUMNS)
    contact: dict[str, object] = {"last": "2025-12-30T12:00:00Z", "b": 1}
    cause, change = _asked(_rule(recent), columns, contact)
    assert isinstance(cause, Cause)
    assert [v.name for v in cause.columns] == ["last"]
    assert isinstance(change, Change)
    assert str(change.scene.contact["last"]) <= "2025-12-25T12:00:00Z"
    for zone in (None, "America/Denver"):
        cause, change = _asked(_rule(evening, mobile), columns, contact, {"phone": {"type": "Cell"}}, zone)
        assert isinstance(cause, Cause)
        assert [v.name for v in cause.columns] == ["timeOfDay"]
        assert isinstance(change, Change)
        assert change.columns == cause.columns
        assert change.scene.contact == contact


def test_conditions_over_several_columns() -> None:
    """What they say of this contact is known, and what they say of others is only what runs show."""
    columns = (Column("x", "number", required=True), Column("y", "number", required=True), *COLUMNS)
    cause, change = _asked(_rule(when("contact.x > contact.y")), columns, {"x": 2, "y": 1, "b": 1})
    assert isinstance(cause, Cause)
    assert [v.name for v in cause.columns] == ["x", "y"]
    assert isinstance(change, Change)
    assert len(change.columns) == 1
    both = _rule(when("contact.x > contact.y"), cond("s", "equals", "TX"))
    cause, _ = _asked(both, columns, {"x": 2, "y": 1, "b": 1, "s": "CA"})
    assert isinstance(cause, Cause)
    assert [v.name for v in cause.columns] == ["s"]


def test_where_nothing_can_be_otherwise() -> None:
    """A rule that acts on every contact has no cause in any of them."""
    cause, change = _asked(_rule(cond("b", "greaterThanOrEqual", 0)), COLUMNS, {"b": 1})
    assert isinstance(cause, Cause)
    assert cause.columns == ()
    assert isinstance(change, Nowhere)


def test_ages_beside_fixed_dates_are_those_of_the_call() -> None:
    """The analysis has a clock of its own; what the contact's conditions say is asked at the time of the call."""
    recent = cond("last", "lessThan", "P7D", "period")
    old = cond("last", "before", "2020-01-01T00:00:00Z")
    columns = (Column("last", "datetime"), *COLUMNS)
    for last, acts in (("2025-12-30T12:00:00Z", True), ("2026-01-01T06:00:00Z", True), ("2025-06-01T12:00:00Z", False)):
        cause, _ = _asked(_rule(group("any", recent, old)), columns, {"last": last, "b": 1})
        assert isinstance(cause, Cause)
        assert [v.name for v in cause.columns] == ["last"]
        assert acts == (
            "r" in Evaluator(campaign(_rule(recent), columns), Semantics()).run({"last": last}, now=NOW).matched
        )


def test_what_is_counted_and_holds_no_number_is_a_cause() -> None:
    """Its run breaks, whichever conditions there are."""
    counting = rule("r", 1, [cond("b", "equals", 1)], [act("setAttribute", attribute="n", option="INCREMENT")])
    evaluator = Evaluator(campaign([counting], (Column("n", "string"), *COLUMNS)), Semantics())
    causes = Causes(evaluator, Scene({"n": "many", "b": 1}, {}, NOW), "preCall")
    assert causes.outcome.failure is not None
    (dial, *_) = aspects_of((), [counting], "preCall")
    cause, change = causes.cause(dial), causes.change(dial)
    assert isinstance(cause, Cause)
    assert [v.name for v in cause.columns] == ["b", "n"]
    assert isinstance(change, Change)
    assert len(change.columns) == 1
