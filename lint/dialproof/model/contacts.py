"""Contacts, cases and what is expected of them: ``*.contacts.yaml``, ``.json`` and ``.csv`` files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.populations import Population
    from dialproof.model.rules import Category
    from dialproof.model.timelines import Timeline
    from dialproof.source.positions import Span

__all__ = ["REVIEW", "Case", "Contact", "ContactsFile", "Expect", "ExpectedAction", "merged"]

REVIEW = "review"
"""The tag of a case whose expectation is what the rules do, as far as nobody has said that it is what they should."""

Contact: TypeAlias = "Mapping[str, object]"
"""A contact: column name to text, number, boolean, None or a nested mapping."""


@dataclass(frozen=True, slots=True)
class ExpectedAction:
    """A partial match of one action: every field given here must be equal."""

    type: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Expect:
    """What a case asserts; None means that nothing is asserted of it.

    ``contact`` is flat, nested columns by their paths. ``spans`` maps each key, and each item of a list
    (``matched[0]``), to its place.
    """

    matched: tuple[str, ...] | None = None
    not_matched: tuple[str, ...] | None = None
    actions: tuple[ExpectedAction, ...] | None = None
    contact: Mapping[str, object] | None = field(default=None, repr=False)
    lists: Mapping[str, bool] | None = None
    dial: bool | None = None
    undecided: tuple[str, ...] | None = None
    invariants: tuple[str, ...] | None = None
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Case:
    """One contact with what is expected of it; ``defaults`` of the file are already merged in.

    ``now`` is ISO 8601 text or None (then the file's), ``time_zone`` an IANA name or None.
    """

    name: str
    tags: tuple[str, ...]
    category: Category
    contact: Contact = field(repr=False)
    context: Mapping[str, object] = field(repr=False)
    lists: Mapping[str, bool]
    expect: Expect
    now: str | None
    time_zone: str | None
    span: Span = field(compare=False)
    name_span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ContactsFile:
    """One contacts file.

    ``cases`` are its test cases of one run, ``timelines`` those that go through time, ``populations`` the lists that it
    tests as a whole; ``population`` its own contacts where it asserts nothing (CSV).

    ``rules`` (path as written) or ``campaign`` says what it tests; both None: the only rules file of its folder.
    """

    path: str
    rules: str | None
    campaign: str | None
    time_zone: str | None
    now: str | None
    cases: tuple[Case, ...]
    population: tuple[Contact, ...] = field(repr=False)
    digest: str
    timelines: tuple[Timeline, ...] = ()
    populations: tuple[Population, ...] = ()
    target_span: Span | None = field(default=None, compare=False)

    @property
    def tests(self) -> tuple[Case | Timeline, ...]:
        """All its cases, in document order."""
        if not self.timelines:
            return self.cases
        return tuple(sorted((*self.cases, *self.timelines), key=lambda case: case.span))

    def run_options(self, case: Case) -> dict[str, Any]:
        """Return how one of its cases is run: its own clock and zone, else the file's, else the current time in UTC."""
        return {
            "category": case.category,
            "context": case.context,
            "lists": case.lists,
            "now": case.now or self.now or datetime.now(UTC),
            "time_zone": case.time_zone or self.time_zone,
        }


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``over`` laid over it, nested mappings merged."""
    both = dict(base)
    for key, value in over.items():
        below = both.get(key)
        both[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return both
