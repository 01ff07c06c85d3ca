"""A case that shows nothing: the same as another one, or one that expects nothing, or names a rule that is none.

## What it does

Reports a case that has the contact, context, lists and clock of an earlier case of the same campaign and expects the
same of it, whatever the two are called; an `expect` whose keys are all empty, so that every outcome meets it; and a
name in `matched`, `not_matched` or `undecided` that no rule has.

## Why it matters

The number of cases promises more than they show. A misspelt rule in `not_matched` never matches, whatever the rules do.

## Example

    cases:
      - {name: a first call, contact: {attempts: 0}, expect: {matched: [], dial: true}}
      - {name: a new lead, contact: {attempts: 0}, expect: {matched: [], dial: true}}
      - {name: a sixth attempt, contact: {attempts: 6}, expect: {not_matched: []}}

## Instead

    cases:
      - {name: a first call, contact: {attempts: 0}, expect: {matched: [], dial: true}}
      - {name: a sixth attempt, contact: {attempts: 6}, expect: {dial: false}}

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.coverage.observe import cases_of
from dialproof.model.contacts import Case
from dialproof.output.witness import flat

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.contacts import ContactsFile, Expect

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    """Report cases; names of rules that there are none of are found when files are linked."""
    first: dict[Hashable, tuple[Case, str]] = {}
    for case, file in cases_of(ctx.project, ctx.campaign):
        if not isinstance(case, Case):  # a timeline expects something of each attempt
            continue
        if _is_empty(case.expect):
            span = next(iter(case.expect.spans.values()), case.name_span)
            yield ctx.finding(
                file.path,
                span,
                f'case "{case.name}" expects nothing: every outcome meets it',
                fix="say what is expected: matched, actions, contact, lists, dial",
            )
            continue
        other, path = first.setdefault(_content(case, file), (case, file.path))
        if other is not case:
            yield ctx.finding(
                file.path,
                case.name_span,
                f'case "{case.name}" is the same as "{other.name}": contact, circumstances and expectation',
                details=f"the other: {path}:{other.name_span.line}",
                fix="delete one of the two, or let it show something else",
            )


def _is_empty(expect: Expect) -> bool:
    of_its_own = (expect.matched, expect.actions, expect.dial)
    return all(key is None for key in of_its_own) and not (
        expect.not_matched or expect.contact or expect.lists or expect.undecided or expect.invariants
    )


def _content(case: Case, file: ContactsFile) -> Hashable:
    """Return everything that decides whether a case passes; by its text, because 1 and true are equal to Python."""
    expect = case.expect
    return (
        case.category,
        *(_flat(part) for part in (case.contact, case.context, case.lists, expect.contact or {}, expect.lists or {})),
        *(case.now or file.now, case.time_zone or file.time_zone, expect.dial),
        *map(repr, (expect.matched, expect.not_matched, expect.undecided, expect.actions, expect.invariants)),
    )


def _flat(values: Mapping[str, object]) -> str:
    return repr(sorted(flat(values))) if values else ""


CHECK = Check(
    code="DP605",
    name="duplicate-case",
    severity="error",
    family="coverage",
    run=_run,
    doc=__doc__ or "",
)
