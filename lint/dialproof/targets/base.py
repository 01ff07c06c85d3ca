"""What a plugin says about a kind of deploy target (hook ``dialproof_targets``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dialproof.config import Environment
    from dialproof.model.rules import Rule
    from dialproof.project import Campaign
    from dialproof.source.positions import Problem

__all__ = ["ResolveId", "TargetType"]

ResolveId: TypeAlias = Callable[[str, str], str | None]
"""Kind and logical id -> the id on the target, or None where the environment does not know it."""


def _no_variables(_: Environment, __: Mapping[str, str]) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class TargetType:
    """A kind of place that rules are deployed to; ``name`` is what ``target`` of an environment says.

    ``lower`` returns the rules of a campaign as they travel, in order, and a problem for each thing that the target
    cannot hold. ``read`` turns such a rule, ours or somebody else's, back into one of ours (ids stay those of the
    target); it raises ``ValueError``, with what it is, for anything that has no meaning here. ``suppresses`` tells
    whether such a rule keeps contacts from being dialed.

    ``connect`` takes the environment, the process's variables (credentials) and the file of ``--http-log`` (None:
    none), logs in, and returns a context manager that gives a ``dialproof_deploy.targets.Target``.
    ``missing_variables`` names those that ``connect`` would miss, so that one message can name everything that is
    missing before the first request.
    """

    name: str
    lower: Callable[[Campaign, ResolveId], tuple[list[dict[str, Any]], list[Problem]]]
    read: Callable[[Mapping[str, Any]], Rule]
    suppresses: Callable[[Mapping[str, Any]], bool]
    connect: Callable[[Environment, Mapping[str, str], Path | None], AbstractContextManager[Any]]
    missing_variables: Callable[[Environment, Mapping[str, str]], Sequence[str]] = _no_variables
