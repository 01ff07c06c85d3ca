"""What a run of a campaign's rules over one contact gives, and the trace that explains it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.rules import Action, Condition, When

__all__ = ["Acted", "Leaf", "Outcome", "RuleTrace"]


@dataclass(frozen=True, slots=True)
class Acted:
    """One action that ran, with the rule it belongs to."""

    rule: str
    action: Action = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one run.

    ``matched`` and ``acted`` stand in the order in which they ran; ``contact`` is the contact after all writes;
    ``lists`` the memberships; ``dial`` is None in wrapUp; ``undecided`` the rules whose conditions could not be
    decided; ``reason`` says why dial is False ("doNotDial: RULE", "undecided: RULE", "failure: ..."), else is empty.
    ``failure`` is the sentence of an evaluation that broke (a defect of the run), else None.
    """

    matched: tuple[str, ...]
    acted: tuple[Acted, ...]
    contact: Mapping[str, object] = field(repr=False)
    lists: Mapping[str, bool]
    dial: bool | None
    undecided: tuple[str, ...]
    reason: str = ""
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition of a trace: what was wanted, what was there (text; masked if pii) and the verdict.

    ``verdict`` is True, False or None (undecided); ``cel`` is the CEL text that was evaluated.
    """

    condition: Condition | When
    subject: str
    operator: str
    wanted: str
    actual: str
    verdict: bool | None
    cel: str


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """How one rule was decided; ``verdict`` None is undecided; ``skipped`` where the run had ended before it."""

    rule: str
    verdict: bool | None
    leaves: tuple[Leaf, ...] = field(default=())
    skipped: bool = False
