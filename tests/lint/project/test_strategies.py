"""The public strategies draw contacts and campaigns that fit a contact list."""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from dialproof.cel.values import parse_datetime, read_number
from dialproof.model.actions import BUILT_IN
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.operators import OPERATORS
from dialproof.model.rules import Action, Condition, Rule, leaves
from dialproof.source.positions import Span
from dialproof.strategies import campaigns, contacts, rules

SPAN = Span.point(1, 1)
COLUMNS = ContactList(
    "",
    {
        c.name: c
        for c in (
            Column("value", "number", min=0.0, max=1000.0, decimals=2),
            Column("attempts", "integer", required=True, min=0.0, max=20.0),
            Column("state", "string", enum=("TX", "CA")),
            Column("name", "string"),
            Column("code", "string", pattern="[A-Z]{2}"),
            Column("vip", "boolean"),
            Column("due", "date", min="2026-01-01", max="2026-12-31"),
            Column("seen", "datetime"),
        )
    },
)


FEW = ContactList("", {name: COLUMNS.columns[name] for name in ("value", "attempts", "vip")})
SEARCH = settings(max_examples=2000, database=None, derandomize=True, phases=(Phase.generate,))


def rule_on(subject: str, value: str | float) -> Rule:
    """Return a rule that compares one column with a constant."""
    condition = Condition("contact", subject, "equals", value, None, False, SPAN, SPAN, SPAN)
    actions = (Action("doNotDial", {}, SPAN),)
    return Rule("r", "", 1, 1, 1, True, "preCall", (condition,), actions, (), (), None, {}, "", SPAN, SPAN, {})


@given(contacts(COLUMNS, blanks=False))
def test_contacts_lie_in_the_domain(contact: dict[str, object]) -> None:
    """Without blanks every column has a value of its type within its bounds."""
    assert list(contact) == list(COLUMNS.columns)
    value, attempts = read_number(contact["value"]), read_number(contact["attempts"])
    assert value is not None
    assert attempts is not None
    assert 0 <= value <= 1000
    assert attempts in range(21)
    assert contact["state"] in ("TX", "CA")
    assert contact["name"]
    due = str(contact["due"])
    assert parse_datetime(due) is not None
    assert "2026-01-01" <= due <= "2026-12-31"


@pytest.mark.parametrize("wanted", [49.0, 50.0, 51.0, 49.99])
def test_boundary_values_are_drawn(wanted: float) -> None:
    """A constant, the values one beside it and those one step beside it are all drawn."""
    drawn = contacts(FEW, rules=[rule_on("value", "50")])
    found = find(drawn, lambda c: c.get("value") == wanted, settings=SEARCH)
    assert found["value"] == wanted


def test_blanks_and_unreadable_values_are_drawn_only_where_asked_for() -> None:
    """Absent, empty and null values need ``blanks``; a required column is never blank without ``wrong_types``."""
    assert "vip" not in find(contacts(FEW), lambda c: "vip" not in c, settings=SEARCH)
    assert find(contacts(FEW), lambda c: c.get("vip", 1) is None, settings=SEARCH)["vip"] is None
    wrong = find(contacts(FEW, wrong_types=True), lambda c: c.get("attempts") == "abc", settings=SEARCH)
    assert wrong["attempts"] == "abc"


@given(contacts(COLUMNS))
def test_required_columns_are_never_blank(contact: dict[str, object]) -> None:
    """``blanks`` leaves required columns alone."""
    assert read_number(contact["attempts"]) is not None


@settings(max_examples=30)
@given(st.data(), st.sampled_from(["preCall", "wrapUp"]))
def test_campaigns_are_runnable(data: st.DataObject, category: str) -> None:
    """Drawn rules stand in order, compare columns by operators of their type, and act within their category."""
    drawn = data.draw(campaigns(COLUMNS, category=category))  # type: ignore[arg-type]
    assert [r.execution_order for r in drawn] == list(range(1, len(drawn) + 1))
    kinds = {"integer": "number", "date": "datetime"}
    for rule in drawn:
        for leaf in leaves(rule.conditions):
            assert isinstance(leaf, Condition)
            kind = COLUMNS.columns[leaf.subject].type
            assert kinds.get(kind, kind) in OPERATORS[leaf.operator][1]
        assert all(category in BUILT_IN[action.type].categories for action in rule.actions)


@settings(max_examples=50)
@given(rules(COLUMNS))
def test_drawn_conditions_have_a_meaning(rule: Rule) -> None:
    """Every drawn condition has CEL text: none is refused for its value."""
    from dialproof.cel.text import condition_text

    for leaf in leaves(rule.conditions):
        assert isinstance(leaf, Condition)
        assert condition_text(leaf, COLUMNS)
