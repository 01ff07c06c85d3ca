"""Every target type there is: those of dialproof itself, and those of installed plugins."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.targets.base import TargetType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.config import Config

__all__ = ["find_target", "target_types", "targets_of"]

_OWN = "deploy"
"""The plugin that brings dialproof's own targets."""


@cache
def target_types() -> Mapping[str, TargetType]:
    """Return every target type by name, our own ones first.

    Raises ``UsageError`` where a plugin takes a name that is taken.
    """
    from dialproof.plugins import items_of

    found: dict[str, TargetType] = {}
    for plugin, target_type in sorted(items_of("dialproof_targets", TargetType), key=lambda item: item[0] != _OWN):
        if target_type.name in found:
            raise UsageError(f"plugin {plugin!r}: there is already a target {target_type.name!r}")
        found[target_type.name] = target_type if plugin == _OWN else _guarded(plugin, target_type)
    return found


def find_target(name: str) -> TargetType:
    """Return the target type of this name; raise ``UsageError`` with those there are."""
    types = target_types()
    if name not in types:
        raise UsageError(f"there is no target {name!r}; there are {', '.join(types)}")
    return types[name]


def targets_of(config: Config) -> tuple[TargetType, ...]:
    """Return the target types that a configuration's rules are held against.

    Raises ``UsageError`` that names the environment whose target there is not.
    """
    types = target_types()
    for name, environment in config.environments.items():
        if environment.target in config.targets and environment.target not in types:
            where = f"environment {name!r}"
            raise UsageError(f"{where}: there is no target {environment.target!r}; there are {', '.join(types)}")
    return tuple(map(find_target, config.targets))


def _guarded(plugin: str, target_type: TargetType) -> TargetType:
    """Return the target type with functions whose errors name the plugin; ``read`` has an error of its own to raise."""
    from dialproof.plugins import guarded

    what = f"of the target {target_type.name!r}"
    connect, holder = target_type.connect, target_type.holder
    return replace(
        target_type,
        lower=guarded(plugin, f"lower {what}", target_type.lower),
        suppresses=guarded(plugin, f"suppresses {what}", target_type.suppresses),
        connect=None if connect is None else guarded(plugin, f"connect {what}", connect),
        missing_variables=guarded(plugin, f"missing_variables {what}", target_type.missing_variables),
        holder=None if holder is None else guarded(plugin, f"holder {what}", holder),
    )
