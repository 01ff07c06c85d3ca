"""What dialproof itself brings in through the hooks of :mod:`dialproof.hookspecs`, as any plugin would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.checks.base import Check
    from dialproof.model.actions import ActionType

__all__ = ["dialproof_action_types", "dialproof_checks"]


@hookimpl
def dialproof_checks() -> Sequence[Check]:
    """Return the built-in checks."""
    from dialproof.checks.registry import built_in_checks

    return built_in_checks()


@hookimpl
def dialproof_action_types() -> Sequence[ActionType]:
    """Return the built-in action types."""
    from dialproof.model.actions import BUILT_IN

    return tuple(BUILT_IN.values())
