"""Runs in which rules write what others read, beyond what every combination of cells could be run for."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.analysis import domain, unrolled
from dialproof.analysis.answers import Budget, Found, Nowhere, Unknown, acted
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import COLUMNS, act, analysis, campaign, cond, group, rule, when
from tests.lint.analysis.world import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.model.rules import Expression, Rule
    from dialproof.project import Campaign

COUNTS = ("INCREMENT", "DECREMENT")
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


@st.composite
def writers(draw: st.DrawFn) -> tuple[Campaign, Semantics]:
    """Draw rules that set and count the columns that they read, break runs and end them."""
    conditions = st.one_of(
        st.builds(lambda v: cond("s", "equals", v), st.sampled_from(("TX", "1"))),
        st.builds(lambda o, v: cond("a", o, v), st.sampled_from(("equals", "lessThan")), st.integers(0, 2)),
        st.builds(lambda c: cond(c, "exists"), st.sampled_from("as")),
    )
    values = st.sampled_from(("1", "TX", ""))
    sets = st.builds(lambda c, v: act("setAttribute", attribute=c, value=v), st.sampled_from("as"), values)
    counts = st.builds(
        lambda c, o: act("setAttribute", attribute=c, option=o), st.sampled_from("as"), st.sampled_from(COUNTS)
    )
    actions = st.lists(st.one_of(sets, counts, st.just(act("doNotDial"))), min_size=1, max_size=2)
    rules = [
        rule(f"r{i}", i + 1, draw(st.lists(conditions, max_size=1)), draw(actions))
        for i in range(draw(st.integers(2, 5)))
    ]
    undecided = draw(st.sampled_from(("unmet", "met")))
    return (
        campaign(rules, COLUMNS, hit_policy=draw(st.sampled_from(("all", "all", "first")))),
        Semantics(undecided=undecided, doNotDialStops=draw(st.booleans())),
    )


def held_against_runs(built: Campaign, semantics: Semantics, *, exact: bool) -> None:
    """Fix the contact of every combination of cells, and hold what the solver allows there against its run."""
    runs = analysis(built, semantics).runs("preCall")
    literals = [runs.unrolled.acts(i) for i in range(len(runs.rules))]
    unbroken = runs.unrolled.unbroken()
    axes = {v: axis for v, axis in runs.analysis.axes.items() if v.source == "contact"}
    for positions in product(*(range(len(axis.cells)) for axis in axes.values())):
        assignment = dict(zip(axes, positions, strict=True))
        outcome = runs.run(runs.part_of(assignment))
        cells = [runs.formula.within(v, 1 << p) for v, p in assignment.items()]
        whole = [*cells, *unbroken]
        assert runs.formula.holds(cells)
        if outcome.failure is not None:
            continue
        assert runs.formula.holds(whole)
        for one, literal in zip(runs.rules, literals, strict=True):
            acts = one.name in acted(outcome)
            possible = runs.formula.holds([*whole, literal])
            assert possible == acts if exact else possible or not acts, (one.name, assignment)


@given(writers())
@settings(SETTINGS, max_examples=150)
def test_every_run_is_the_one_that_the_solver_allows(drawn: tuple[Campaign, Semantics]) -> None:
    """Which rules act on a contact whose run does not break follows from its cells alone."""
    held_against_runs(*drawn, exact=True)


@given(writers(), st.sampled_from(("_CONTENTS", "_VALUES")), st.integers(0, 3))
@settings(SETTINGS, max_examples=150)
def test_a_column_with_too_many_contents_may_hold_anything(
    drawn: tuple[Campaign, Semantics], bound: str, most: int
) -> None:
    """What is not followed any more rules no run out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unrolled, bound, most)
        held_against_runs(*drawn, exact=False)


@pytest.mark.parametrize(
    ("written", "now", "before", "read"),
    [
        # the time of the call, which is after one instant and before another on different days
        ({"option": "CURRENT_TIME"}, "2027-01-01", None, cond("d", "greaterThan", "2026-06-01", "datetime")),
        ({"option": "CURRENT_TIME"}, "2025-01-01", None, cond("d", "lessThan", "2025-06-01", "datetime")),
        # an age, which depends on it; with another condition the cells are instants
        ({"value": "2026-03-01"}, "2026-03-02", None, cond("d", "lessThan", "P2D", "period")),
        ({"value": "2026-03-01"}, "2026-04-02", None, cond("d", "greaterThan", "P2D", "period")),
        ({"value": "2026-03-01"}, "2026-04-02", cond("d", "lessThan", "2000-01-01", "datetime"),
         cond("d", "greaterThan", "P2D", "period")),
        # another column, which differed before
        ({"value": "2026-03-01"}, "2026-01-01", group("not", when("contact.d == contact.e")),
         when("contact.d == contact.e")),
    ],
)  # fmt: skip
def test_what_depends_on_more_than_the_column_is_left_open(
    written: dict[str, str], now: str, before: Expression | None, read: Expression
) -> None:
    """The solver does not rule out a contact that the run shows at some time."""
    rules = [
        rule("before", 1, [before] if before else [], [ON]),
        rule("write", 2, [cond("e", "exists")], [act("setAttribute", attribute="d", **written)]),
        rule("read", 3, [read], [OFF]),
    ]
    built = campaign(rules, [Column("d", "datetime"), Column("e", "datetime")])
    contact = {"d": "1999-01-01T00:00:00Z", "e": "2026-03-01T00:00:00Z"}
    outcome = Evaluator(built, Semantics()).run(contact, now=now)
    assert outcome.matched == ("before", "write", "read")
    assert all_may_act(built)


@pytest.mark.parametrize("read", ["lessThan", "greaterThanOrEqual"])
def test_a_count_whose_steps_no_cell_shows_is_left_open(read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where cells are not cut by what rules count, some values of one cross a threshold, and others do not."""
    monkeypatch.setattr(domain, "_THRESHOLDS", 0)
    down = act("setAttribute", attribute="n", option="DECREMENT")
    rules = [
        rule("high", 1, [cond("n", "greaterThanOrEqual", 5)], [ON]),
        *(rule(f"down {i}", i, [], [down]) for i in (2, 3, 4)),
        rule("after", 5, [cond("n", read, 5)], [OFF]),
    ]
    assert all_may_act(campaign(rules, [Column("n", "integer", min=0, max=9, required=True)]))


def test_up_and_down_is_where_it_was() -> None:
    """Counting by the same amount twice, the other way round, is another write."""
    counts = [rule(o, i, [], [act("setAttribute", attribute="n", option=o)]) for i, o in enumerate(COUNTS, 1)]
    built = campaign([*counts, rule("zero", 3, [cond("n", "equals", 0)], [ON])], [Column("n", "integer", min=0, max=3)])
    assert all_may_act(built)


def all_may_act(built: Campaign) -> bool | None:
    """Tell whether the solver allows a contact on which all rules act."""
    runs = analysis(built).runs("preCall")
    return runs.formula.holds([runs.unrolled.acts(i) for i in range(len(runs.rules))])
