"""Cases that go through time: the steps of a contact, and what is expected of them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof.model.contacts import Contact, Expect
    from dialproof.model.rules import When
    from dialproof.source.positions import Span

__all__ = ["CALLBACK", "CALL_FIELDS", "AtMost", "Attempt", "OverTime", "Step", "Timeline"]

CALLBACK = "callback"
"""What a step has for its time where it comes when the scheduled callback is due."""

CALL_FIELDS = ("wrapUpCode", "systemDisposition", "analysis")
"""What a call ends with: the fields of the context ``call``."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The campaign comes to the contact.

    ``column`` is the phone column whose number it would dial, None where that does not matter; ``call`` what the call
    ends with if it is placed, a subset of :data:`CALL_FIELDS`; ``context`` lies over that of the case.
    """

    column: str | None = None
    call: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, object] = field(default_factory=dict, repr=False)


Update: TypeAlias = "Mapping[str, object]"
"""Columns that somebody else writes, nested columns by their paths."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happens at one time, and what is expected of it.

    ``at`` is a date or time, a period since the step before (for the first step since ``now``), or :data:`CALLBACK`.
    """

    at: str
    does: Attempt | Update
    expect: Expect
    span: Span = field(compare=False)
    at_span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class AtMost:
    """No more than ``dials`` calls in any period of ``within``; two calls exactly that far apart are in none."""

    dials: int
    within: str


@dataclass(frozen=True, slots=True)
class OverTime:
    """What a case asserts of all its steps; None means that nothing is asserted of it.

    ``last_dialed`` is a date or time; ``always`` CEL over contact and outcome of every attempt.
    """

    dials: int | None = None
    last_dialed: str | None = None
    at_most: AtMost | None = None
    always: When | None = None
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Timeline:
    """One contact through time; ``defaults`` of the file are already merged in, as in a :class:`Case`."""

    name: str
    tags: tuple[str, ...]
    contact: Contact = field(repr=False)
    context: Mapping[str, object] = field(repr=False)
    lists: Mapping[str, bool]
    steps: tuple[Step, ...]
    expect: OverTime
    now: str | None
    time_zone: str | None
    span: Span = field(compare=False)
    name_span: Span = field(compare=False)

    @property
    def contacts(self) -> Iterator[Contact]:
        """Every mapping of columns that it holds: the contact, what is written to it and what is expected of it."""
        yield self.contact
        for step in self.steps:
            if not isinstance(step.does, Attempt):
                yield step.does
            yield step.expect.contact or {}

    @property
    def contexts(self) -> Iterator[Mapping[str, object]]:
        """Everything that it says to surround a call."""
        yield self.context
        yield from (step.does.context for step in self.steps if isinstance(step.does, Attempt))
