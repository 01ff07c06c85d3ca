"""A witness is made of values that the project's own contacts hold, wherever they show the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.analysis.answers import Found
from dialproof.config import load_config
from dialproof.lint import lint
from dialproof.model.contactlist import Column
from dialproof.project import load_project
from tests.lint.analysis.build import act, analysis, campaign, cond, rule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dialproof.model.rules import Condition

ON, OFF = act("setList", listId="l", value="true"), act("setList", listId="l", value="false")


def shown(column: Column, conditions: list[Condition], *values: object) -> object:
    """Return what a witness holds in the column on which both of two rules act."""
    built = campaign([rule("r1", 1, conditions, [ON]), rule("r2", 2, conditions, [OFF])], [column])
    answer = analysis(built, None, [{column.name: value} for value in values]).runs("preCall").both_act(0, 1)
    assert isinstance(answer, Found)
    return answer.scene.contact.get(column.name)


@pytest.mark.parametrize(
    ("column", "condition", "values", "expected"),
    [
        (Column("v", "number"), cond("v", "greaterThan", 100), (7, 4711, 815.5), 4711),
        (Column("v", "number"), cond("v", "greaterThan", 100), ("7", "4711"), 4711),
        (Column("v", "integer", max=5000), cond("v", "greaterThan", 100), (5001, 4711.5, 123), 123),
        (Column("v", "string"), cond("v", "greaterThan", 100, "number"), ("x", "4711"), "4711"),
        (Column("v", "datetime"), cond("v", "greaterThan", "2026-01-01T00:00:00Z", "datetime"),
         ("2025-05-01T10:11:12Z", "2026-05-01T10:11:12Z"), "2026-05-01T10:11:12Z"),
        (Column("v", "date"), cond("v", "lessThan", "2026-01-01", "datetime"), ("2025-05-04",), "2025-05-04"),
        (Column("v", "string"), cond("v", "beginsWith", "Den"), ("Boston", "Denver"), "Denver"),
        (Column("v", "string"), cond("v", "contains", "enve"), ("Boston", "Denver"), "Denver"),
        (Column("v", "string", pattern="[A-Z][a-z]+"), cond("v", "exists"), ("boston", "Denver"), "Denver"),
        (Column("v", "string"), cond("v", "notEquals", "Boston"), ("Boston", "Denver"), "Denver"),
        (Column("v", "string", enum=("b", "c")), cond("v", "exists"), ("d",), "b"),
    ],
    ids=["number", "as text", "in the domain", "text read as a number", "instant", "day", "prefix", "contains",
         "pattern", "not equal", "enum"],
)  # fmt: skip
def test_values_of_contacts_are_preferred(
    column: Column, condition: Condition, values: tuple[object, ...], expected: object
) -> None:
    """Each kind of column takes the first value of its cell that a contact has."""
    assert shown(column, [condition], *values) == expected


def test_a_value_that_shows_nothing_is_not_taken() -> None:
    """Where no contact has a value of the cell, one is made up."""
    assert shown(Column("v", "number"), [cond("v", "greaterThan", 100)], 7, 99) not in (7, 99, None)


RULES = """\
campaign: c
contactList: c.contactlist.yaml
rules:
  - name: keep
    version: 1
    priority: 2
    executionOrder: 1
    conditions:
      - {attribute: value, operator: greaterThan, value: 100}
      - {attribute: tel, operator: beginsWith, value: "+1"}
    actions: [{type: setList, listId: l, value: "true"}]
  - name: drop
    version: 1
    priority: 1
    executionOrder: 2
    conditions: [{context: call.wrapUpCode, operator: beginsWith, value: w}]
    actions: [{type: setList, listId: l, value: "false"}]
"""
LIST = "columns: {value: {type: number}, tel: {type: string, pii: true}, other: {type: string}}\n"
CASES: dict[str, Any] = {
    "cases": [{
        "name": "n", "contact": {"value": 4711, "tel": "+15550134711"}, "context": {"call": {"wrapUpCode": "wrong"}},
        "expect": {"matched": ["keep", "drop"]},
    }]
}  # fmt: skip


def witness_of(folder: Path) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Lint the folder and return the contact and the context that show its conflict."""
    findings = {f.code: f for f in lint(load_project(load_config(folder))).findings}
    witness = findings["DP301"].witness
    assert witness is not None
    return witness.contact, witness.context


@pytest.mark.parametrize("kind", ["cases", "rows"])
def test_cases_and_rows_of_the_project_are_what_is_known(kind: str, tmp_path: Path) -> None:
    """Values and contexts come from the contacts files of the campaign; personal ones stay where they are."""
    (tmp_path / "c.rules.yaml").write_text(RULES, "utf-8")
    (tmp_path / "c.contactlist.yaml").write_text(LIST, "utf-8")
    if kind == "cases":
        (tmp_path / "c.contacts.json").write_text(json.dumps(CASES), "utf-8")
    else:
        (tmp_path / "c.contacts.csv").write_text("value,tel\n4711,+15550134711\n", "utf-8")
    contact, context = witness_of(tmp_path)
    assert contact["value"] == 4711
    assert str(contact["tel"]).startswith("+1")
    assert contact["tel"] != "+15550134711"
    if kind == "cases":
        assert context == {"call": {"wrapUpCode": "wrong"}}
