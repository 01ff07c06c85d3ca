"""Contacts that no rule decides: the regions hold exactly those that exhaustive runs leave over."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings

from dialproof.analysis.describe import describe
from dialproof.analysis.gaps import find_gaps, undecided_gaps
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, analysis, campaign, campaigns, cond, contacts, context, rule

if TYPE_CHECKING:
    from dialproof.analysis.domain import Axis
    from dialproof.analysis.regions import Box
    from dialproof.cel.values import Variable
    from dialproof.config import Semantics
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=20, suppress_health_check=list(HealthCheck))


def _cell(axis: Axis, value: object) -> int:
    """Return the position of the cell that a value lies in."""
    for position, cell in enumerate(axis.cells[: axis.first]):
        if (cell.kind == "blank" and value is None) or (cell.kind == "value" and cell.value == value):
            return position
    assert isinstance(value, int)
    return axis.first + bisect_right(axis.lows, value) - 1  # type: ignore[type-var]


def _inside(box: Box, contact: dict[str, object], axes: dict[Variable, Axis]) -> bool:
    return all(mask >> _cell(axes[v], contact.get(v.name)) & 1 for v, mask in box.items())


@given(campaigns())
@SETTINGS
def test_regions_hold_exactly_the_contacts_that_are_left_over(drawn: tuple[Campaign, Semantics]) -> None:
    """A contact is in a region iff every rule is false on it; none is in the way of a wider region."""
    built, semantics = drawn
    runs = analysis(built, semantics).runs("preCall")
    axes = dict(runs.analysis.axes)
    gaps = find_gaps(runs, 1000)
    assert gaps.open is None
    evaluator = Evaluator(built, semantics)
    left = [c for c in contacts() if all(v is False for v in evaluator.verdicts(c).values())]
    for contact in contacts():
        assert (contact in left) == any(_inside(gap.box, contact, axes) for gap in gaps.found)
    for gap in gaps.found:
        assert gap.shown.scene.contact in left
        for variable, mask in gap.box.items():
            for position in range(len(axes[variable].cells)):
                wider = {**gap.box, variable: mask | 1 << position}
                if wider != gap.box:
                    assert any(_inside(wider, c, axes) for c in contacts() if c not in left)


@given(campaigns())
@SETTINGS
def test_rules_that_leave_contacts_undecided_are_found(drawn: tuple[Campaign, Semantics]) -> None:
    """A rule is named iff it is undecided on some contact that no rule matches."""
    built, semantics = drawn
    runs = analysis(built, semantics).runs("preCall")
    found, problem = undecided_gaps(runs)
    assert problem is None
    verdicts = [Evaluator(built, semantics).verdicts(c) for c in contacts()]
    expected = {n for v in verdicts if True not in v.values() for n, verdict in v.items() if verdict is None}
    assert {runs.rules[index].name for index, _ in found} == expected


def test_the_widest_region_comes_first_and_is_said_in_words() -> None:
    """The widest of the holes is described first, with the ends of its range, and no personal value."""
    from dialproof.checks import uncovered_contacts

    columns = (
        Column("n", "integer", min=0, max=100, required=True),
        Column("state", "string", enum=("TX", "CA", "NY"), required=True),
        Column("phone", "string", pii=True),
    )
    rules = [
        rule("a", 1, [cond("n", "lessThan", 10)], [act("doNotDial")]),
        rule("b", 2, [cond("n", "greaterThan", 60), cond("phone", "equals", "12345")], [act("doNotDial")]),
        rule("c", 3, [cond("n", "between", (10, 60)), cond("state", "equals", "TX")], [act("doNotDial")]),
        rule("d", 4, [cond("n", "between", (20, 60)), cond("state", "equals", "CA")], [act("doNotDial")]),
    ]
    built = campaign(rules, columns)
    ctx = context(built, Path("/nowhere"))
    ctx.check = uncovered_contacts.CHECK
    gaps = find_gaps(ctx.analysis.runs("preCall"), 1000)
    lines = [uncovered_contacts._described(ctx, gap) for gap in gaps.found]
    assert lines[0] == '- n 10 to 60, state "NY"'
    assert "- n 61 to 100, phone" in lines
    assert "12345" not in "".join(lines)


def test_numbers_with_and_without_a_grid_are_said_by_their_ends() -> None:
    """Ends are values of the column where it has a grid, else the constants that are compared with."""
    columns = (
        Column("d", "number", min=0, max=10, decimals=2, required=True),
        Column("r", "number", required=True),
    )
    rules = [
        rule("a", 1, [cond("d", "greaterThan", 5), cond("r", "lessThanOrEqual", 2.5)], [act("doNotDial")]),
        rule("b", 2, [cond("d", "equals", 3.25), cond("r", "greaterThan", 7)], [act("doNotDial")]),
    ]
    runs = analysis(campaign(rules, columns)).runs("preCall")
    axes = runs.analysis.axes
    said = {
        v.name: [describe(axis, runs.analysis.columns[v], 1 << i) for i in range(len(axis.cells))]
        for v, axis in axes.items()
    }
    assert said == {
        "d": ["0 to 3.24", "3.25", "3.26 to 4.99", "5", "5.01 to 10"],
        "r": ["below 2.5", "2.5", "over 2.5 below 7", "7", "over 7"],
    }
