"""A column that nothing reads: of a contact list, or of cases that hold what their contact list does not.

## What it does

Reports, once for each contact list, the columns that no rule and no invariant of its campaigns reads or writes; those
marked `pii`, `phone` or `timeZone` are for the agent and the platform. And once for each file of cases the columns of
their contacts that neither the contact list declares nor any rule looks at.

## Why it matters

A column of a case that nobody reads is most often a misspelt one: the case tests a blank. A column of the contact list
that no rule reads is data that need not be there; where the list is the export as it comes, say so by the option.

## Example

    columns:
      attempts: {type: integer, min: 0, max: 20}
    cases:
      - {name: a sixth attempt, contact: {attempt: 6}, expect: {matched: []}}

## Instead

    cases:
      - {name: a sixth attempt, contact: {attempts: 6}, expect: {dial: false}}

## Options

`contactLists` (default true): whether columns of contact lists are reported too, or those of cases alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.cel.program import Programs
from dialproof.cel.values import overlap
from dialproof.checks.base import Check
from dialproof.coverage.observe import cases_of
from dialproof.evaluate import Evaluator
from dialproof.model.rules import Invariant, leaves
from dialproof.output.report import count
from dialproof.output.witness import flat

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.contacts import Case, ContactsFile
    from dialproof.model.rules import Action, When
    from dialproof.model.timelines import Timeline
    from dialproof.project import Campaign, Project

__all__ = ["CHECK"]

_NAMED = 10
"""Columns that are named."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    used = _used(ctx.project, ctx.campaign, ctx.evaluator)
    if used is not None:
        yield from _of_contact_list(ctx)
        yield from _of_cases(ctx, used)


def _used(project: Project, campaign: Campaign, evaluator: Evaluator) -> frozenset[str] | None:
    """Return the columns that a campaign and its tests look at or write, None where a condition may look at any."""
    conditions = [leaf for rule in campaign.rules for leaf in leaves(rule.conditions)]
    programs = [evaluator.leaf(leaf) for leaf in (*conditions, *(i.always for i in campaign.invariants))]
    said = [text for file in project.contacts_files_of(campaign) for text in _statements(file)]
    if said:
        invariants = [Invariant("", text, text.span) for text in said]
        of_tests = Programs((), invariants, campaign.contact_list, cache=project.config.cache)
        programs += [of_tests.leaf(text) for text in said]
    if any(program.every_column or program.ast is None for program in programs):
        return None
    read = {v.name for program in programs for v in program.reads if v.source == "contact"}
    return frozenset(read.union(*(_named_by(action) for rule in campaign.rules for action in rule.actions)))


def _statements(file: ContactsFile) -> Iterator[When]:
    """Yield what timelines and populations of a file say in CEL."""
    yield from (t.expect.always for t in file.timelines if t.expect.always is not None)
    yield from (text for population in file.populations for text in population.expect.texts)


def _named_by(action: Action) -> Iterator[str]:
    """Yield the columns that an action writes, or takes a value from (``contact.COLUMN``)."""
    for key, value in action.fields.items():
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        for part in parts:
            if isinstance(part, str) and key == "attribute":
                yield part
            elif isinstance(part, str) and part.startswith("contact."):
                yield part.removeprefix("contact.")


def _of_contact_list(ctx: CheckContext) -> Iterator[Finding]:
    columns = ctx.campaign.contact_list
    sharing = [c for c in ctx.project.campaigns if c.contact_list.path == columns.path]
    if not ctx.option("contactLists") or not columns.declared or sharing[0] is not ctx.campaign:  # it is looked at once
        return
    used: set[str] = set()
    for campaign in sharing:
        config = ctx.project.config
        own = campaign is ctx.campaign
        evaluator = ctx.evaluator if own else Evaluator(campaign, config.semantics, cache=config.cache)
        found = _used(ctx.project, campaign, evaluator)
        if found is None:
            return
        used |= found
    unused = [
        c for c in columns.columns.values() if not _is_among(c.name, used) and not (c.pii or c.phone or c.time_zone)
    ]
    if unused and unused[0].span is not None:
        yield ctx.finding(
            columns.path,
            unused[0].span,
            f"no rule reads {_listed([c.name for c in unused])}",
            fix="take out what nobody needs, or set checks.DP606.contactLists = false where the list is an export",
        )


def _of_cases(ctx: CheckContext, used: Collection[str]) -> Iterator[Finding]:
    columns = ctx.campaign.contact_list
    known = {*used, *(columns.columns if columns.declared else ())}
    strange: dict[str, dict[str, Case | Timeline]] = {}
    for case, file in cases_of(ctx.project, ctx.campaign):
        for name, _ in flat(case.contact):
            if not _is_among(name, known):
                strange.setdefault(file.path, {}).setdefault(name, case)
    for path, cases in strange.items():
        case = next(iter(cases.values()))
        yield ctx.finding(
            path,
            case.name_span,
            f"contacts of cases have {_listed(list(cases))}, which no rule reads"
            + (f" and {columns.path} does not have" if columns.declared else ""),
            details=f'the first such case is "{case.name}"',
            fix="correct the name, or take the column out of the cases",
        )


def _is_among(name: str, used: Collection[str]) -> bool:
    """Tell whether a column is used, or one above it or below it."""
    return name in used or any(overlap(name, u) for u in used)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{count(len(names), 'column')}: {', '.join(names[:_NAMED])}{more}"


CHECK = Check(
    code="DP606",
    name="unused-fixture-column",
    severity="info",
    family="coverage",
    run=_run,
    doc=__doc__ or "",
    options={"contactLists": True},
)
