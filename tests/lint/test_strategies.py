"""What the public strategies draw lies where rules and invariants change their minds."""

from __future__ import annotations

from hypothesis import find, given, settings

from dialproof.model.contactlist import Column, ContactList
from dialproof.strategies import contacts, contexts, moments
from tests.lint.analysis.build import act, cond, rule, when
from tests.lint.test_invariants import statement

RULES = (
    rule("r", 1, [cond("phone.type", "equals", "Home", context=True)], [act("doNotDial")]),
    rule("w", 2, [when("context.now.timeOfDay < '08:15' && contact.a > 417")], [act("doNotDial")]),
)
STATEMENT = statement("!outcome.dial || context.lastWrapUp.overall != 'ININ-WRAP'")
LIST = ContactList("c", {"a": Column("a", "integer", min=0, max=1_000_000)})


def test_constants_of_cel_are_boundaries() -> None:
    """A number of a `when:` is drawn for the column that stands beside it, and so are its neighbours."""
    for value in (416, 417, 418):
        assert find(contacts(LIST, rules=RULES), lambda c, v=value: c.get("a") == v)["a"] == value


@settings(max_examples=25)
@given(contexts(rules=RULES, invariants=(STATEMENT,)))
def test_a_context_has_what_is_read_and_nothing_else(context: dict[str, dict[str, object]]) -> None:
    """Fields that no rule and no invariant reads are absent, and so is the clock, which the call decides."""
    assert {f"{root}.{name}" for root, fields in context.items() for name in fields} <= {
        "phone.type",
        "lastWrapUp.overall",
    }


def test_the_values_of_a_context_and_the_time_are_those_that_are_compared_with() -> None:
    """A text of an invariant, and a time of day of a rule, are drawn."""
    drawn = contexts(rules=RULES, invariants=(STATEMENT,))
    assert find(drawn, lambda c: c.get("lastWrapUp", {}).get("overall") == "ININ-WRAP")
    assert find(moments(rules=RULES), lambda m: m.endswith("T08:15:00Z"))
    assert find(moments(rules=RULES), lambda m: m.endswith("T08:14:00Z"))
    assert find(moments(), lambda _: True) == "2026-01-01T12:00:00Z"
