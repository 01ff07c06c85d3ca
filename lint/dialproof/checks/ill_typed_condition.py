"""A condition whose operator, value and type do not fit the column.

## What it does

Type-checks every condition, `when:` and invariant: an operator that does not compare values of the type (`lessThan` on
a boolean), a value that is no number, boolean, date, period or RE2 regular expression where one is due, `contains`,
`beginsWith` or `endsWith` with an empty text, `between` with the bounds in the wrong order, a `type` that no value of
the column can be read as, CEL that does not parse or type-check, and an invariant that names a rule that there is not.
Positions are those of the characters at fault, inside a block scalar too.

## Why it matters

Such a condition is the same for every contact: always undecided, always true or always false. A rule that is undecided
does not act and keeps the contact from being dialed. `!("attempt_limt" in outcome.matched)` holds for ever.

## Example

    columns:
      consent: {type: boolean}
      attempts: {type: integer}

    conditions:
      - {attribute: consent, operator: greaterThan, value: "0", type: number}
      - {attribute: attempts, operator: between, value: [5, 1]}

## Instead

    conditions:
      - {attribute: consent, operator: equals, value: true}
      - {attribute: attempts, operator: between, value: [1, 5]}

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.model.parse_base import hint
from dialproof.model.rules import Condition, leaves
from dialproof.output.masking import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.checks.wording import Wording
    from dialproof.findings import Finding
    from dialproof.model.contactlist import ColumnType, ContactList
    from dialproof.model.rules import ValueType
    from dialproof.source.positions import Span

__all__ = ["CHECK"]

_NEVER_READ_AS: dict[ColumnType, tuple[ValueType, ...]] = {
    "integer": ("boolean", "datetime", "period"),
    "number": ("boolean", "datetime", "period"),
    "boolean": ("number", "datetime", "period"),
    "datetime": ("number", "boolean"),
    "date": ("number", "boolean"),
}
"""Column type -> value types that none of its values can be read as; a text may hold anything."""


def run(context: CheckContext) -> Iterator[Finding]:
    """Report what the evaluator cannot give a meaning, then what has a meaning that nobody can want."""
    from dialproof.checks.undefined_column import undefined_columns

    reported: set[tuple[str, Span]] = {(path, span) for path, span, _ in undefined_columns(context)}
    personal = _personal(context)
    for problem in context.evaluator.problems:
        if (problem.path, problem.span) not in reported:
            reported.add((problem.path, problem.span))
            condition = personal.get((problem.path, problem.span))
            message = problem.message
            if condition is not None:
                message = f"the value does not fit {condition.operator} on {condition.subject}, and is personal data"
            yield context.finding(problem.path, problem.span, message, rules=(problem.owner,))
    for rule in context.campaign.rules:
        for leaf in leaves(rule.conditions):
            if not isinstance(leaf, Condition) or (rule.path, leaf.span) in reported:
                continue
            problem_here = _type_problem(leaf, context.campaign.contact_list) or _bounds_problem(leaf, context.wording)
            if problem_here and (rule.path, problem_here[0]) not in reported:
                span, summary, fix = problem_here
                yield context.finding(rule.path, span, summary, rules=(rule.name,), fix=fix)
    yield from _unknown_rules(context)


def _unknown_rules(context: CheckContext) -> Iterator[Finding]:
    """Report the rules that invariants name and that the campaign does not have."""
    if not context.campaign.invariants:
        return
    from dialproof.cel.outcome_names import names_of_outcome

    rules = [rule.name for rule in context.campaign.rules]
    for invariant in context.campaign.invariants:
        tree = context.evaluator.leaf(invariant.always).ast
        for kind, name, start, end in names_of_outcome(tree) if tree is not None else ():
            if kind == "rule" and name not in rules:
                span = invariant.always.scalar.part(start, end)
                summary = f"invariant {invariant.name!r}: there is no rule {name!r}; {hint(name, rules)}"
                yield context.finding(invariant.path, span, summary)


def _type_problem(condition: Condition, columns: ContactList) -> tuple[Span, str, str] | None:
    column = columns.columns.get(condition.subject) if condition.source == "contact" else None
    if column is None or not columns.declared or condition.type is None:
        return None
    if condition.type not in _NEVER_READ_AS.get(column.type, ()):
        return None
    summary = (
        f"type {condition.type} on column {column.name}, which is a {column.type}: "
        "no value of the column can be read as that, so the condition is always undecided"
    )
    return condition.span, summary, f"leave `type` out, or use the column's own: {column.type}"


def _personal(context: CheckContext) -> dict[tuple[str, Span], Condition]:
    """Return the conditions whose value may not be shown, by the place of the value."""
    return {
        (rule.path, leaf.value_span): leaf
        for rule in context.campaign.rules
        for leaf in leaves(rule.conditions)
        if isinstance(leaf, Condition) and context.wording.is_about_a_person(leaf)
    }


def _bounds_problem(condition: Condition, wording: Wording) -> tuple[Span, str, str] | None:
    from dialproof.cel.values import read_text

    if condition.operator != "between" or not isinstance(condition.value, tuple) or len(condition.value) != 2:
        return None
    low, high = map(read_text, condition.value)
    if _sortable(low) <= _sortable(high):
        return None
    if wording.is_about_a_person(condition):
        low = high = MASK
    summary = f"between [{low}, {high}]: the low bound is above the high one, so the condition never holds"
    return condition.value_span, summary, f"write [{high}, {low}]"


def _sortable(bound: str) -> tuple[float, str]:
    """Order the two bounds of one type: numbers by value, instants and periods by microseconds, other text as text."""
    from dialproof.cel.values import parse_datetime, parse_number, parse_period

    for read in (parse_number, parse_period, parse_datetime):
        value = read(bound)
        if value is not None:
            return (float(value), "")
    return (0.0, bound)


CHECK = Check(
    code="DP103",
    name="ill-typed-condition",
    severity="error",
    family="conditions",
    run=run,
    doc=__doc__ or "",
)
