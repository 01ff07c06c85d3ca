"""Answers to questions about all contacts: found on one, nowhere (proved), or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dialproof.analysis.pairs import bits
from dialproof.findings import Witness

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.analysis.witness import Scene
    from dialproof.outcome import Outcome

__all__ = ["BUDGET", "Answer", "Found", "Nowhere", "Unknown", "acted", "budget_of", "later_pairs", "witness_of"]

BUDGET = 20_000
"""Runs that are spent on one question."""


def witness_of(
    scene: Scene, outcome: Outcome, other: Outcome | None = None, labels: tuple[str, str] = ("outcome", "other")
) -> Witness:
    """Return the contact and one or two outcomes, for a finding."""
    return Witness(scene.contact, scene.context, scene.now, outcome, other, labels)


def budget_of(option: object) -> int:
    """Return the option ``budget`` of a check as a number of runs."""
    return option if isinstance(option, int) else BUDGET


@dataclass(frozen=True, slots=True)
class Found:
    """A contact on which it happens, with the run that shows it."""

    scene: Scene
    outcome: Outcome

    @property
    def witness(self) -> Witness:
        """The contact and its outcome, for a finding."""
        return witness_of(self.scene, self.outcome)


@dataclass(frozen=True, slots=True)
class Nowhere:
    """It happens on no contact of the domain: proved."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not decided, and why."""

    reason: str


Answer: TypeAlias = "Found | Nowhere | Unknown"


def acted(outcome: Outcome) -> frozenset[str]:
    """Return the rules that acted because their conditions hold (not because undecided counts as met)."""
    return frozenset(outcome.matched).difference(outcome.undecided)


def later_pairs(bitsets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs (earlier, later) of a symmetric relation, by the later rule."""
    for later, mask in enumerate(bitsets):
        for earlier in bits(mask & ((1 << later) - 1)):
            yield earlier, later
