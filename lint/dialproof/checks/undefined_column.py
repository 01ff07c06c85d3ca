"""A column that the contact list does not have.

## What it does

Looks up every column that a campaign's rules name in its declared contact list: the `attribute` of conditions and of
`setAttribute`, and `contact.COLUMN` in `when:` and invariants. Without a declared contact list it is silent, because
the columns are then inferred from the rules themselves.

## Why it matters

A column that is not there is blank for every contact. A condition on it is undecided or, under a text operator, the
same for everybody; a suppression rule with a misspelt column suppresses nobody.

## Example

    columns:
      consent: {type: string, enum: ["yes", "no", ""]}

    conditions:
      - {attribute: concent, operator: equals, value: "no"}

## Instead

    conditions:
      - {attribute: consent, operator: equals, value: "no"}

## Options

None.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.model.rules import When, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.cel.ast import Node
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Rule
    from dialproof.source.positions import Span

__all__ = ["CHECK", "undefined_columns"]


def run(context: CheckContext) -> Iterator[Finding]:
    """Report each place that names an unknown column, with the nearest one that there is."""
    columns = context.campaign.contact_list
    for path, span, (name, rule) in undefined_columns(context):
        near = _nearest(name, columns)
        yield context.finding(
            path,
            span,
            f"column {name} is not in the contact list {columns.path}" + (f"; did you mean {near}?" if near else ""),
            rules=(rule,),
            fix=f"write {near}, or add {name} to the contact list" if near else f"add {name} to the contact list",
        )


def undefined_columns(context: CheckContext) -> Iterator[tuple[str, Span, tuple[str, str]]]:
    """Yield (path, span, (column, rule or invariant)) of each use of an unknown column."""
    columns = context.campaign.contact_list
    if not columns.declared:
        return
    for rule in context.campaign.rules:
        for span, name in _named_by(rule, context):
            if name not in columns.columns:
                yield rule.path, span, (name, rule.name)
    for file in context.campaign.files:
        for invariant in file.invariants:
            for span, name in _read_by(invariant.always, context):
                if name not in columns.columns:
                    yield file.path, span, (name, invariant.name)


def _named_by(rule: Rule, context: CheckContext) -> Iterator[tuple[Span, str]]:
    from dialproof.model.actions import action_types

    for leaf in leaves(rule.conditions):
        if isinstance(leaf, When):
            yield from _read_by(leaf, context)
        elif leaf.source == "contact":
            yield leaf.subject_span, leaf.subject
    for action in rule.actions:
        writes = action_types()[action.type].writes
        attribute = action.fields.get("attribute") if writes == "attribute" else None
        if isinstance(attribute, str):
            yield action.span, attribute


def _read_by(when: When, context: CheckContext) -> Iterator[tuple[Span, str]]:
    """Yield each column that a CEL text reads, with its place; nothing where the text does not parse."""
    from dialproof.cel.ast import children
    from dialproof.cel.parse import CelSyntaxError, parse
    from dialproof.cel.variables import resolve

    known = context.evaluator.leaf(when).ast  # there is none where it has no meaning, such as one of unknown columns
    try:
        pending: list[Node] = [known or parse(when.text)]
    except CelSyntaxError:
        return
    while pending:
        node = pending.pop()
        variable, _ = resolve(node, context.campaign.contact_list)
        if variable is None:
            pending.extend(reversed(children(node)))
        elif variable.source == "contact":
            yield when.scalar.part(node.start, node.end), variable.name


def _nearest(name: str, columns: ContactList) -> str | None:
    """Return the column that was probably meant: same letters, same last segment, or nearly the same."""
    names = list(columns.columns)
    for known in names:
        if known.lower() == name.lower() or known.rpartition(".")[2] == name or known == name.rpartition(".")[2]:
            return known
    near = get_close_matches(name, names, 1, 0.7)
    return near[0] if near else None


CHECK = Check(
    code="DP105",
    name="undefined-column",
    severity="error",
    family="conditions",
    run=run,
    doc=__doc__ or "",
)
