"""Rules made by hand for tests of the evaluator, without files."""

from __future__ import annotations

from dialproof.model.contactlist import Column, ContactList
from dialproof.model.rules import Action, Condition, Expression, Rule, When
from dialproof.project import Campaign
from dialproof.source.positions import Span

SPAN = Span.point(1, 1)

COLUMNS = ContactList(
    "customers.contactlist.yaml",
    {
        c.name: c
        for c in (
            Column("n", "number"),
            Column("custom.value", "number"),
            Column("s", "string"),
            Column("b", "boolean"),
            Column("t", "datetime"),
            Column("emp.var.rate", "number"),
            Column("day", "date"),
        )
    },
)


class OneLine:
    """A scalar on one line: offsets are columns."""

    def part(self, start: int, end: int) -> Span:
        """Return the span of a part."""
        return Span(1, start + 1, 1, end + 1)


def condition(
    subject: str,
    operator: str,
    value: object = None,
    kind: str | None = None,
    *,
    inverted: bool = False,
    source: str = "contact",
) -> Condition:
    """Return a condition."""
    return Condition(source, subject, operator, value, kind, inverted, SPAN, SPAN, SPAN)  # type: ignore[arg-type]


def when(text: str) -> When:
    """Return a condition in CEL."""
    return When(text, SPAN, OneLine())  # type: ignore[arg-type]


def action(kind: str, **fields: object) -> Action:
    """Return an action."""
    return Action(kind, fields, SPAN)  # type: ignore[arg-type]


def rule(name: str, *conditions: Expression, order: int = 1, actions: tuple[Action, ...] = (), **more: object) -> Rule:
    """Return an enabled preCall rule."""
    values: dict[str, object] = {
        "description": "",
        "version": 1,
        "priority": 100,
        "enabled": True,
        "category": "preCall",
        "runs_after": (),
        "overrides": (),
        "renamed_from": None,
        "metadata": {},
        "path": "some.rules.yaml",
        "span": SPAN,
        "name_span": SPAN,
        "spans": {},
        **more,
    }
    acts = actions or (action("setList", listId="premium", value="true"),)
    return Rule(name=name, conditions=conditions, execution_order=order, actions=acts, **values)  # type: ignore[arg-type]


def campaign(*rules: Rule, hit_policy: str = "all", columns: ContactList = COLUMNS, **more: object) -> Campaign:
    """Return a campaign of these rules in this order."""
    invariants = more.get("invariants", ())
    return Campaign(("cmp",), (), rules, invariants, hit_policy, columns)  # type: ignore[arg-type]
