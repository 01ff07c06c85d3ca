"""Runs in which rules write what others read, beyond what every combination of cells could be run for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dialproof.analysis.answers import Budget, Found, Nowhere, Unknown, acted
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, analysis, campaign, cond, rule, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.model.rules import Rule

ON, OFF = act("setList", listId="l", value="true"), act("setList", listId="l", value="false")
SWITCHES = [Column(f"c{i}", "integer", min=0, max=9) for i in range(12)]
"""Columns with 11^12 combinations of values, which nobody can run."""


def counting(column: str, *, by: str | None = None) -> list[Rule]:
    """Return rules that each count a column where a column of their own is above 4."""
    fields = {"attribute": column, "option": "INCREMENT", **({"value": by} if by else {})}
    return [rule(f"w{i}", i + 1, [cond(c.name, "greaterThan", 4)], [act("setAttribute", **fields)])
            for i, c in enumerate(SWITCHES)]  # fmt: skip


def asked(rules: Sequence[Rule], columns: Sequence[Column], budget: int = 1) -> Answer:
    """Ask whether the last two rules act in one run, with next to no runs to spend; check what is found."""
    built = campaign(rules, [*columns, *SWITCHES])
    runs = analysis(built).runs("preCall")
    answer = runs.both_act(len(rules) - 2, len(rules) - 1, Budget(budget).question())
    if isinstance(answer, Found):
        assert {r.name for r in rules[-2:]} <= acted(runs.run(answer.scene))
    return answer


@pytest.mark.parametrize(("needed", "kind"), [(12, Found), (13, Nowhere)])
def test_how_far_a_column_can_be_counted(needed: int, kind: type) -> None:
    """Twelve rules that count by one make twelve of nothing, and not thirteen."""
    rules = counting("n")
    rules += [
        rule("on", 20, [cond("n", "equals", needed)], [ON]),
        rule("off", 21, [cond("n", "equals", needed)], [OFF]),
    ]
    assert isinstance(asked(rules, [Column("n", "integer", min=0, max=0, required=True)]), kind)


def test_amounts_add_up_as_the_run_adds_them() -> None:
    """Ten times a tenth, added one by one, is not one."""
    for value, kind in ((0.7999999999999999, Found), (0.8, Nowhere)):
        rules = counting("n", by="0.1")
        rules += [rule("on", 20, [cond("n", "equals", value)], [ON]), rule("off", 21, [cond("n", "exists")], [OFF])]
        assert isinstance(asked(rules, [Column("n", "number", min=0, max=0, required=True)]), kind)


def test_the_last_one_to_set_a_column_decides() -> None:
    """A value that a later rule always writes over is never seen behind it."""
    columns = [Column("s", "string"), Column("t", "string")]
    first = rule("first", 20, [cond("t", "exists")], [act("setAttribute", attribute="s", value="gone")])
    over = rule("over", 21, [cond("t", "notEquals", "")], [act("setAttribute", attribute="s", value="here")])
    for value, kind in (("gone", Nowhere), ("here", Found)):
        rules = [*counting("c0"), first, over]
        rules += [rule("on", 22, [cond("s", "equals", value), cond("t", "exists")], [ON])]
        rules += [rule("off", 23, [cond("t", "exists")], [OFF])]
        assert isinstance(asked(rules, columns), kind)


def test_a_run_that_breaks_shows_nothing() -> None:
    """Counting a text breaks the run: what would act behind it acts on no contact."""
    columns = [Column("n", "integer", min=0, max=3), Column("t", "string", enum=("x", "y"))]
    spoil = rule("spoil", 20, [cond("t", "exists")], [act("setAttribute", attribute="n", value="none")])
    count = rule("count", 21, [cond("c0", "exists")], [act("setAttribute", attribute="n", option="INCREMENT")])
    rules = [*counting("c1"), spoil, count]
    rules += [
        rule("on", 22, [cond("t", "exists"), cond("c0", "exists")], [ON]),
        rule("off", 23, [cond("n", "notExists")], [OFF]),
    ]
    assert isinstance(asked(rules, columns), Nowhere)


def test_what_is_not_known_is_not_claimed() -> None:
    """A column that is set to the time of the call may be anything behind it."""
    columns = [Column("d", "datetime"), Column("t", "string")]
    now = rule("now", 20, [cond("t", "exists")], [act("setAttribute", attribute="d", option="CURRENT_TIME")])
    rules = [*counting("c1"), now]
    late = [cond("d", "greaterThan", "2026-01-01T00:00:00Z", "datetime"), cond("t", "exists")]
    early = [cond("d", "lessThan", "2026-06-01T00:00:00Z", "datetime"), cond("t", "matches", "a.{40}$")]
    rules += [rule("on", 21, late, [ON]), rule("off", 22, early, [OFF])]
    assert isinstance(asked(rules, columns), (Found, Unknown))


def test_a_contact_of_the_solver_is_one_of_the_contact_list() -> None:
    """A number that is only asked whether it is there is a number all the same."""
    columns = [Column("d", "datetime")]
    fixed = rule(
        "fixed", 20, [cond("c0", "exists")], [act("setAttribute", attribute="d", value="2025-12-31T00:00:00Z")]
    )
    young = [cond("d", "lessThan", "P1D", "period"), cond("c0", "exists")]
    rules = [*counting("c1"), fixed, rule("on", 21, young, [ON])]
    rules += [rule("off", 22, [when("contact.c2 > contact.c3"), *young], [OFF])]
    answer = asked(rules, columns)
    assert isinstance(answer, Found)
    assert all(answer.scene.contact[c.name] in range(10) for c in SWITCHES)
