"""The goals of coverage: what the cases of a campaign are to show of its rules, and how much of it they do.

Each enabled rule is to be matched and missed by a case; each of its conditions to be true, to be false, and to decide
the rule alone as either (MC/DC); each of its actions to run in a case that says what it does. Goals are numbered in the
order of the rules, so that what a case meets is an integer with one bit a goal: it is small, crosses processes, and
what several cases meet is their union.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.coverage.decisions import Decision

__all__ = ["KINDS", "Coverage", "FileCoverage", "Goal", "Goals", "Kind", "Share", "files_as_json", "goals_of"]

Kind: TypeAlias = Literal["matched", "missed", "true", "false", "decides true", "decides false", "action"]

KINDS: Mapping[Kind, str] = {
    "matched": "matched",
    "missed": "missed",
    "true": "conditions",
    "false": "conditions",
    "decides true": "mcdc",
    "decides false": "mcdc",
    "action": "actions",
}
"""Kind of a goal -> the column of reports in which it counts."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing to be shown: of a rule (by its position in the campaign), its condition or action at ``position``."""

    rule: int
    kind: Kind
    position: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many are met."""

    met: int
    of: int

    def __add__(self, other: Share) -> Share:
        return Share(self.met + other.met, self.of + other.of)

    @property
    def percent(self) -> float:
        """The share in percent; of nothing all is met."""
        return 100 * self.met / self.of if self.of else 100.0


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """The coverage of one rules file: the share of each column of :data:`KINDS`. In ``mcdc`` a pair counts once."""

    path: str
    shares: Mapping[str, Share]

    @property
    def percent(self) -> float:
        """All goals together, each counted once."""
        return sum(self.shares.values(), Share(0, 0)).percent

    @property
    def shown_percent(self) -> str:
        """The percentage with one decimal, rounded down: 100 is said of what is complete alone."""
        return f"{int(self.percent * 10) / 10:g}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What cases show of a campaign; without ``files`` there was no case to look at."""

    campaign: str
    never_matched: tuple[str, ...]
    never_missed: tuple[str, ...]
    files: tuple[FileCoverage, ...] = ()


def files_as_json(coverage: Coverage) -> list[dict[str, object]]:
    """Return the coverage of each rules file as JSON data: by column what is met of how many, and all in percent."""
    return [
        {
            "path": file.path,
            **{column: {"met": share.met, "of": share.of} for column, share in file.shares.items()},
            "percent": float(file.shown_percent),
        }
        for file in coverage.files
    ]


@dataclass(frozen=True)
class Goals:
    """The goals of one campaign by number; ``rules`` are the name and the path of the rule at each position.

    ``impossible`` are the goals (a bitset) that no contact can meet, as far as that is proved.
    """

    campaign: str
    rules: tuple[tuple[str, str], ...]
    all: tuple[Goal, ...]
    impossible: int = 0

    @cached_property
    def number(self) -> Mapping[Goal, int]:
        """The number of each goal."""
        return {goal: number for number, goal in enumerate(self.all)}

    def open(self, met: int) -> Iterator[Goal]:
        """Yield the goals that are not met, those that are impossible too."""
        return (goal for number, goal in enumerate(self.all) if not met >> number & 1)

    def coverage(self, met: int) -> Coverage:
        """Return what is met and what is not. What is proved to be impossible counts for nothing."""
        left = {kind: tuple(self.rules[g.rule][0] for g in self.open(met) if g.kind == kind) for kind in KINDS}
        return Coverage(self.campaign, left["matched"], left["missed"], tuple(self._files(met)))

    def _files(self, met: int) -> Iterator[FileCoverage]:
        by_file: dict[str, dict[str, Share]] = {}
        pairs: dict[tuple[int, int], int] = {}
        for number, goal in enumerate(self.all):
            shares = by_file.setdefault(self.rules[goal.rule][1], dict.fromkeys(KINDS.values(), Share(0, 0)))
            column = KINDS[goal.kind]
            if column == "mcdc":
                pairs.setdefault((goal.rule, goal.position), 0)
                pairs[goal.rule, goal.position] |= 1 << number
            elif not self.impossible >> number & 1:
                shares[column] += Share(met >> number & 1, 1)
        for (rule, _), pair in pairs.items():
            if not pair & self.impossible:
                by_file[self.rules[rule][1]]["mcdc"] += Share(int(pair & met == pair), 1)
        return (FileCoverage(path, shares) for path, shares in by_file.items())


def goals_of(campaign: str, decisions: Sequence[Decision]) -> Goals:
    """Return the goals of a campaign's rules, those of disabled ones left out."""
    goals: list[Goal] = []
    for index, decision in enumerate(decisions):
        if not decision.rule.enabled:
            continue
        goals += (Goal(index, "matched"), Goal(index, "missed"))
        kinds: tuple[Kind, ...] = ("true", "false", "decides true", "decides false")
        goals += (Goal(index, kind, k) for k in range(len(decision.conditions)) for kind in kinds)
        goals += (Goal(index, "action", k) for k in range(len(decision.rule.actions)))
    return Goals(campaign, tuple((d.rule.name, d.rule.path) for d in decisions), tuple(goals))
