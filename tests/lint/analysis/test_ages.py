"""How old a column is depends on the time of the call, unless nothing but its age is ever asked."""

from __future__ import annotations

import pytest

from dialproof.analysis.answers import Found, Nowhere, Unknown
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, analysis, campaign, cond, rule


def _both(column: Column, *conditions: object) -> object:
    """Ask whether two rules with these conditions and nothing in common otherwise act together."""
    rules = [rule("one", 1, conditions, [act("doNotDial")]),  # type: ignore[arg-type]
             rule("other", 2, conditions, [act("switchToPreview")])]  # type: ignore[arg-type]  # fmt: skip
    return analysis(campaign(rules, (column,))).runs("preCall").both_act(0, 1)


OLD = cond("seen", "greaterThan", "P365D", "period")
YOUNG = cond("seen", "lessThan", "PT1H", "period")


@pytest.mark.parametrize(
    ("column", "condition", "kind"),
    [
        (Column("seen", "datetime"), YOUNG, Found),
        # A day on which the last of the allowed moments is an hour ago is not today: not shown, and not excluded.
        (Column("seen", "datetime", max="2025-06-23"), YOUNG, Unknown),
        (Column("seen", "datetime", max="2025-06-23"), cond("seen", "greaterThan", "P365D", "period"), Found),
        (Column("seen", "datetime", min="2020-01-01"), OLD, Found),
        (Column("seen", "datetime", min="2025-12-01"), OLD, Unknown),
        (Column("seen", "date", min="2025-12-01", max="2026-12-31"), OLD, Unknown),
    ],
    ids=["no bound", "too late", "before the end", "after the beginning", "too early", "a day"],
)
def test_a_contact_of_an_age_is_one_of_the_contact_list(column: Column, condition: object, kind: type) -> None:
    """Where no moment between the bounds has the age at the time that is looked at, the question stays open."""
    answer = _both(column, condition)
    assert isinstance(answer, kind)
    if isinstance(answer, Found):
        seen = str(answer.scene.contact["seen"])
        assert str(column.min or "") <= seen
        assert column.max is None or seen <= str(column.max)


def test_an_age_beside_a_fixed_date_is_that_of_the_day_of_the_call() -> None:
    """A contact that shows it has the age on the very day that other conditions ask for."""
    fixed = cond("seen", "greaterThan", "2025-06-01")
    monday = cond("now.dayOfWeek", "lessThan", 2, context=True)
    answer = _both(Column("seen", "datetime"), YOUNG, fixed, monday)
    assert isinstance(answer, (Found, Unknown))
    if isinstance(answer, Found):
        runs = answer.runs
        assert {"one", "other"} <= set(runs.run(answer.scene).matched)
    contradiction = _both(Column("seen", "datetime"), YOUNG, fixed, cond("seen", "lessThan", "2025-01-01"))
    assert isinstance(contradiction, Nowhere)
