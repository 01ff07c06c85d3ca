"""Populations: whole contact lists with what is expected of them together (``population:`` in a contacts file)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.rules import Category, When
    from dialproof.source.positions import Span

__all__ = ["CONTACT_SUFFIXES", "Limit", "Population", "PopulationExpect", "Range", "Statement"]

CONTACT_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".pq")
"""How the name of a file of contacts ends."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of contacts; where ``share``, a percentage of all of them. ``text`` says it."""

    number: Fraction
    share: bool
    text: str

    def reached(self, count: int, total: int) -> Fraction:
        """Return by how much ``count`` of ``total`` contacts (more than none) exceeds the limit, in its own unit."""
        return (Fraction(100 * count, total) if self.share else Fraction(count)) - self.number


@dataclass(frozen=True, slots=True)
class Range:
    """How many contacts are expected: ``low`` to ``high``, both included; None is no bound. ``text`` says it."""

    low: Limit | None
    high: Limit | None
    text: str

    def holds(self, count: int, total: int) -> bool:
        """Tell whether ``count`` of ``total`` contacts (more than none) are as many as expected."""
        return (self.low is None or self.low.reached(count, total) >= 0) and (
            self.high is None or self.high.reached(count, total) <= 0
        )


_NOBODY = Limit(Fraction(0), share=False, text="0")


@dataclass(frozen=True, slots=True)
class Statement:
    """CEL over ``contact`` and ``outcome`` that holds of each contact where ``where`` does, or of none of them."""

    kind: Literal["always", "never"]
    text: When
    where: When | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class PopulationExpect:
    """What a population asserts; None means that nothing is asserted of it.

    ``matched`` counts contacts by rule, ``lists`` those who end on a list, ``undecided`` those for whom any rule cannot
    be decided: nobody, unless the file says otherwise. ``spans`` maps each key, and those below it
    (``matched.RULE``), to their places.
    """

    contacts: Range | None = None
    matched: Mapping[str, Range] = field(default_factory=dict)
    dial: Range | None = None
    lists: Mapping[str, Range] = field(default_factory=dict)
    undecided: Range = Range(_NOBODY, _NOBODY, "0")
    each: tuple[Statement, ...] = ()
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)

    @property
    def texts(self) -> tuple[When, ...]:
        """The CEL of all statements, in document order."""
        return tuple(text for one in self.each for text in (one.where, one.text) if text is not None)


@dataclass(frozen=True, slots=True)
class Population:
    """One list of contacts: ``contacts`` are paths and globs, relative to the contacts file."""

    name: str
    tags: tuple[str, ...]
    contacts: tuple[str, ...]
    category: Category
    on_bad_row: Literal["fail", "skip", "report"]
    blank_columns: bool
    expect: PopulationExpect
    span: Span = field(compare=False)
    name_span: Span = field(compare=False)
    contacts_spans: tuple[Span, ...] = field(compare=False)
