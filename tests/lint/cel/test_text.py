"""The trees that conditions are written with are those that cel-python parses their texts to."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.cel.parse import parse
from dialproof.cel.text import ConditionError, condition_cel
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.operators import OPERATORS
from tests.lint.cel.build import COLUMNS, condition

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NAMES = st.one_of(
    st.sampled_from([*COLUMNS.columns, "unknown", "a.b.c", "in", "a.true", "custom", 'quo"te', "emp.var.rate.x"]), TEXT
)
FIELDS = ["call.wrapUpCode", "phone.type", "data.my action.field", "data.a.b.c", "lastAttempt.byColumn.home phone"]
FIELDS += ["now.dayOfWeek", "now.timeOfDay", "no.such"]
VALUES = st.one_of(
    TEXT,
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.sampled_from(["5", "-0.0", "1.50", "1e5", "true", "2026-01-01T00:00", "P1DT2H", "PT-90M", "^a|b$"]),
)
PAIRED = ContactList(
    "some.contactlist.yaml", {**COLUMNS.columns, "a": Column("a", "string"), "a.b": Column("a.b", "number")}
)


@settings(max_examples=200)
@given(st.data())
def test_a_condition_is_written_with_its_tree(data: st.DataObject) -> None:
    """Nodes, values and offsets, whatever is compared under whatever type."""
    source = data.draw(st.sampled_from(["contact", "context"]))
    operator = data.draw(st.sampled_from(sorted(OPERATORS)))
    shape = OPERATORS[operator][0]
    sizes = {"pair": (2, 2), "list": (1, 4)}.get(shape)
    value = None if shape == "none" else data.draw(VALUES)
    if sizes:
        value = tuple(data.draw(st.lists(VALUES, min_size=sizes[0], max_size=sizes[1])))
    subject = condition(
        data.draw(NAMES if source == "contact" else st.sampled_from(FIELDS)),
        operator,
        value,
        data.draw(st.sampled_from([None, "string", "number", "boolean", "datetime", "period"])),
        inverted=data.draw(st.booleans()),
        source=source,
    )
    try:
        text, tree = condition_cel(subject, PAIRED, case_sensitive=data.draw(st.booleans()))
    except ConditionError:
        return
    assert tree == parse(text, generated=True)


def test_a_path_that_may_be_too_deep_is_left_to_the_parser() -> None:
    """Up to twenty levels a tree is written; beyond, the parser counts and refuses what is too deep."""
    for levels in (1, 19, 20, 21, 60):
        name = ".".join("a" * levels)
        nested = ContactList("some.contactlist.yaml", {name: Column(name, "string")})
        text, tree = condition_cel(condition(name, "equals", "x"), nested)
        assert text.count(".a") == levels
        assert (tree is None) == (levels > 20)
        if tree is not None:
            assert tree == parse(text)
