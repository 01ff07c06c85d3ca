"""What a plugin says about a kind of deploy target (hook ``dialproof_targets``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from dialproof.source.positions import Problem, Span

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dialproof.config import Environment
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Rule, RulesFile
    from dialproof.project import Campaign

__all__ = [
    "CODE",
    "TIME_ZONE",
    "Part",
    "Refusal",
    "Refuse",
    "ResolveId",
    "TargetType",
    "refuser",
    "refuses_first",
    "span_of",
]

CODE = "DP701"
"""The code of what a target cannot hold (not-expressible-on-target)."""

TIME_ZONE = "timeZone"
"""The kind under which a target asks for the time zone of the clock (``now``) in an environment."""

ResolveId: TypeAlias = Callable[[str, str], str | None]
"""Kind and logical id -> the id on the target, or None where the environment does not know it."""

Part: TypeAlias = Literal["campaign", "rule", "condition", "action"]


class Refuse(Protocol):
    """Notes what a target cannot hold: where it stands, what it is, and a hint of what the target holds instead."""

    def __call__(self, part: Part, span: Span, message: str, hint: str = "") -> None:
        """Note it."""


@dataclass(frozen=True, slots=True, order=True)
class Refusal(Problem):
    """One thing that a target cannot hold: ``part`` says what it belongs to, ``hint`` what the target holds instead.

    Neither the message nor the hint holds a value of a condition or an action, which may be personal.
    """

    part: Part = "rule"
    hint: str = ""

    def __str__(self) -> str:
        text = Problem.__str__(self)
        return f"{text}: {self.hint}" if self.hint else text


def _no_variables(_: Environment, __: Mapping[str, str]) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class TargetType:
    """A kind of place that rules are deployed to; ``name`` is what ``target`` of an environment says.

    ``lower`` returns the rules of a campaign as they travel, in order, and a problem for each thing that the target
    cannot hold (a :class:`Refusal` tells more of it). ``read`` turns such a rule, ours or somebody else's, back into
    one of ours over the columns of a contact list (ids stay those of the target); it raises ``ValueError``, with what
    it is, for anything that has no meaning here. ``suppresses`` tells whether such a rule keeps contacts from being
    dialed.

    ``connect`` takes the environment, the process's variables (credentials) and the file of ``--http-log`` (None:
    none), logs in, and returns a context manager that gives a ``dialproof_deploy.targets.Target``; it is None for a
    target that rules can be checked for and not be deployed to. ``missing_variables`` names those that ``connect``
    would miss, so that one message can name everything that is missing before the first request.

    ``longest_name`` is the number of characters that a name may have (None: no limit is known). ``holder`` names what
    holds a campaign's rules on the target, where that is more than the campaign itself; ``atomic`` tells that all rules
    of it are written with one request, and ``connect`` then gives a ``dialproof_deploy.targets.AtomicTarget``.
    ``platform`` tells that rules run there as the public platform documents it, with its traps (DP704, DP705) and its
    diagnostics (DP706).
    """

    name: str
    lower: Callable[[Campaign, ResolveId], tuple[list[dict[str, Any]], Sequence[Problem]]]
    read: Callable[[Mapping[str, Any], ContactList], Rule]
    suppresses: Callable[[Mapping[str, Any]], bool]
    connect: Callable[[Environment, Mapping[str, str], Path | None], AbstractContextManager[Any]] | None = None
    missing_variables: Callable[[Environment, Mapping[str, str]], Sequence[str]] = _no_variables
    longest_name: int | None = None
    atomic: bool = False
    holder: Callable[[Campaign], str] | None = None
    platform: bool = False

    def reader(self, columns: ContactList) -> Callable[[Mapping[str, Any]], Rule]:
        """Return ``read`` over the columns of a contact list."""
        return lambda wire: self.read(wire, columns)


def refuser(target: str, rule: Rule, refusals: list[Refusal]) -> Refuse:
    """Return what adds to ``refusals`` that a target cannot hold something of a rule."""

    def refuse(part: Part, span: Span, message: str, hint: str = "") -> None:
        text = f"rule {rule.name!r}: {target} cannot hold {message}"
        refusals.append(Refusal(rule.path, span, CODE, text, part, hint))

    return refuse


def refuses_first(target: str, campaign: Campaign) -> list[Refusal]:
    """Return the refusal of ``hitPolicy: first`` by a target that runs every rule that matches."""
    if campaign.hit_policy != "first" or len(campaign.rules) < 2:
        return []
    file = campaign.files[0]
    message = f"{target} runs every rule that matches: it cannot hold hitPolicy first"
    return [Refusal(file.path, span_of(file, "hitPolicy"), CODE, message, "campaign")]


def span_of(file: RulesFile, key: str) -> Span:
    """Return where a rules file says something of all its rules; its first line where it does not."""
    from dialproof.source import Mapping as MappingNode

    root = file.source.root
    node = root.get(key) if isinstance(root, MappingNode) else None
    return node.span if node is not None else Span.point(1, 1)
