"""Which changes are made: those of hand-made rules, written out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dialproof.checks.wording import Wording
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from dialproof.mutation.mutants import mutants_of
from dialproof.mutation.neighbours import shifted
from tests.lint.analysis.build import act, campaign, cond, group, rule, when
from tests.lint.mutation.build import in_a_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.model.rules import Action, Expression

COLUMNS = (
    Column("age", "integer", min=0, max=99),
    Column("state", "string", enum=("TX", "CA", "NY")),
    Column("phone", "string", pii=True),
)


def _of_rule(conditions: Sequence[Expression], actions: Sequence[Action]) -> list[tuple[str, str, str]]:
    """Return the changes of a campaign of one rule, without those of the campaign as a whole."""
    built = in_a_file(campaign([rule("r", 1, conditions, actions)], COLUMNS))
    found = mutants_of(built, Evaluator(built, Semantics()), Wording(built.contact_list))
    return [(m.kind, m.before, m.after) for m in found if m.kind != "semantics"]


def test_the_changes_of_a_rule_are_these() -> None:
    """Two conditions, two actions: thirteen changes, and no order to swap."""
    conditions = [cond("age", "greaterThan", "17", "number"), cond("state", "in", ("TX", "CA"))]
    actions = [act("setList", listId="a"), act("doNotDial")]
    age, state = 'age greaterThan "17"', 'state in ["TX", "CA"]'
    assert _of_rule(conditions, actions) == [
        ("junction", "all conditions", "any of them"),
        ("dropped", age, ""),
        ("inverted", age, 'age not greaterThan "17"'),
        ("boundary", age, 'age greaterThanOrEqual "17"'),
        ("constant", age, 'age greaterThan "16"'),
        ("constant", age, 'age greaterThan "18"'),
        ("dropped", state, ""),
        ("inverted", state, 'state not in ["TX", "CA"]'),
        ("element", state, 'state in ["CA"]'),
        ("element", state, 'state in ["TX"]'),
        ("action", "setList (value true, listId a)", "setList (value false, listId a)"),
        ("action", "doNotDial", ""),
        ("removed", 'rule "r"', ""),
    ]


def test_groups_and_cel_are_changed_from_inside() -> None:
    """A group becomes the other one, ``not`` goes, and CEL is changed by its operators, constants and operands."""
    inside = group("any", cond("state", "equals", "TX"), group("not", cond("age", "exists")))
    found = _of_rule([inside, when("contact.age >= 18 && contact.state != 'NY'")], [act("doNotDial")])
    kinds = [kind for kind, _, _ in found]
    assert {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)} == {
        "junction": 3,  # the conditions of the rule, the group, and && of the CEL
        "dropped": 6,  # the group, each of its two members, the CEL, each of its two operands
        "inverted": 5,  # equals, not, exists, each operand of the CEL
        "boundary": 1,
        "constant": 2,
        "action": 1,
        "removed": 1,
    }
    assert ("boundary", "(contact.age >= 18.0)", "(contact.age > 18.0)") in found
    assert ("inverted", "`not`: age exists", "age exists") in found


def test_personal_values_are_in_no_description() -> None:
    """What is compared with a personal column stays hidden before and after."""
    found = _of_rule(
        [cond("phone", "in", ("+15550100", "+15550101"))], [act("setAttribute", attribute="phone", value="1")]
    )
    assert len(found) == 6
    assert not [change for change in found if "555" in str(change) or "value 1" in str(change)]


@pytest.mark.parametrize(
    ("value", "kind", "subject", "before", "after"),
    [
        ("5000", "number", "x", "4999", "5001"),
        (0.5, "number", "x", -0.5, 1.5),
        ("2026-03-01", "datetime", "x", "2026-02-28", "2026-03-02"),
        ("2026-03-01T00:00:00Z", "datetime", "x", "2026-02-28T23:59:59Z", "2026-03-01T00:00:01Z"),
        ("2026-03-01T00:00:00+01:00", "datetime", "x", "2026-02-28T22:59:59Z", "2026-02-28T23:00:01Z"),
        ("2026-03-01T08:00", "datetime", "x", "2026-03-01T07:59:59", "2026-03-01T08:00:01"),
        ("P7DT0H0M", "period", "x", "P6DT0H0M", "P8DT0H0M"),
        ("P0DT1H30M", "period", "x", "P0DT1H29M", "P0DT1H31M"),
        ("21:00", "string", "now.timeOfDay", "20:59", "21:01"),
        ("23:59", "string", "now.timeOfDay", "23:58", None),
        ("2026-12-31", "string", "now.date", "2026-12-30", "2027-01-01"),
        ("TX", "string", "state", None, None),
    ],
)
def test_neighbours(value: str | float, kind: str, subject: str, before: object, after: object) -> None:
    """One less and one more, in the form in which the value is written."""
    assert (shifted(value, kind, subject, -1), shifted(value, kind, subject, 1)) == (before, after)
