"""Answers to questions about all contacts: found on one, nowhere (proved), or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from dialproof.analysis.pairs import bits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.analysis.atoms import Part
    from dialproof.analysis.domain import Want
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.witness import Scene
    from dialproof.cel.values import Variable
    from dialproof.outcome import Outcome

__all__ = [
    "BUDGET",
    "RLIMIT",
    "Answer",
    "Budget",
    "Demand",
    "Found",
    "Nowhere",
    "Question",
    "Unknown",
    "WitnessError",
    "acted",
    "later_pairs",
    "require",
]

BUDGET = 20_000
"""Runs that are spent on one question."""
RLIMIT = 5_000_000
"""Steps (its own units) that z3 spends on one question: two seconds or so."""
_QUESTIONS = 10
"""How many times the budget of one question all questions of a check may spend together."""

Kind: TypeAlias = Literal["budget", "conditions", "texts", "clock", "counting", "solver", "solver missing", "base"]
"""Why something is unknown: the budget is used up; conditions that cells cannot hold; no text was found for a
condition or a pattern; a written time; a column that is counted too often; z3 has not decided it, or is not there; the
base of a change cannot be read."""


class WitnessError(Exception):
    """A contact does not show what it was found for: a defect of the analysis."""


def require(shown: bool, what: str) -> None:
    """Raise :class:`WitnessError` unless a witness shows what it was found for."""
    if not shown:
        raise WitnessError(what)


@dataclass(frozen=True, slots=True)
class Demand:
    """Conditions and how they are wanted; ``free`` are variables of which nothing is known when they are asked."""

    part: Part
    want: Want
    free: frozenset[Variable] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """A contact on which it happens: as the cell of each column that matters, or (``given``) as it is."""

    runs: Runs
    assignment: Assignment
    given: Scene | None = None

    @property
    def scene(self) -> Scene:
        """The contact."""
        return self.runs.scene_at(self.assignment) if self.given is None else self.given


@dataclass(frozen=True, slots=True)
class Nowhere:
    """It happens on no contact of the domain: proved."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Not decided: why, in words, and the kind of reason, which says what helps."""

    reason: str
    kind: Kind


Answer: TypeAlias = "Found | Nowhere | Unknown"


class Budget:
    """How many runs a check may make: ``option`` (or 20,000) for one question, ten times as many in all."""

    def __init__(self, option: object = None) -> None:
        self.each = option if isinstance(option, int) else BUDGET
        self.left = self.each * _QUESTIONS

    def question(self) -> Question:
        """Return the account of the next question."""
        return Question(self)


@dataclass
class Question:
    """What one question may still spend."""

    budget: Budget
    spent: int = 0

    def spend(self, runs: int = 1) -> Unknown | None:
        """Count further runs; the answer where there are none left."""
        if self.spent >= self.budget.each:
            return Unknown(f"not decided within {self.budget.each} runs", "budget")
        if self.budget.left <= 0:
            return Unknown(f"the {self.budget.each * _QUESTIONS} runs of the whole check are used up", "budget")
        self.spent += runs
        self.budget.left -= runs
        return None


def acted(outcome: Outcome) -> frozenset[str]:
    """Return the rules that acted because their conditions hold (not because undecided counts as met)."""
    return frozenset(outcome.matched).difference(outcome.undecided)


def later_pairs(bitsets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs (earlier, later) of a symmetric relation, by the later rule."""
    for later, mask in enumerate(bitsets):
        for earlier in bits(mask & ((1 << later) - 1)):
            yield earlier, later
