"""The plugin manager: built-ins and installed plugins behind the hooks of :mod:`dialproof.hookspecs`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from dialproof import built_in, hookspecs
from dialproof.errors import DialproofError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BUILT_INS", "guarded", "implementations", "items_of", "plugin_manager"]

_Item = TypeVar("_Item")

BUILT_INS = "dialproof"
"""The name under which dialproof's own checks and action types are registered."""


@cache
def plugin_manager() -> pluggy.PluginManager:
    """Return the one plugin manager of this process, with every installed plugin loaded.

    Raises :class:`UsageError` that names the distribution whose plugin cannot be imported.
    """
    manager = pluggy.PluginManager("dialproof")
    manager.add_hookspecs(hookspecs)
    manager.register(built_in, name=BUILT_INS)
    for point in sorted(entry_points(group="dialproof"), key=lambda p: p.name):
        if manager.get_plugin(point.name) is not None:
            continue
        try:
            plugin = point.load()
        except Exception as error:
            source = point.dist.name if point.dist else "an unknown distribution"
            raise UsageError(
                f"plugin {point.name!r} of {source} cannot be loaded: {type(error).__name__}: {error}"
            ) from error
        manager.register(plugin, name=point.name)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise UsageError(f"plugin {manager.get_name(error.plugin)!r}: {error}") from error
    return manager


def implementations(hook: str) -> list[tuple[str, Callable[..., Any]]]:
    """Return (plugin, function) for each implementation of a hook: dialproof's own first, then by the plugin's name.

    The functions are ``guarded``.
    """
    found = getattr(plugin_manager().hook, hook).get_hookimpls()
    ordered = sorted(found, key=lambda i: (i.plugin_name != BUILT_INS, i.plugin_name))
    return [(i.plugin_name, guarded(i.plugin_name, hook, i.function)) for i in ordered]


def items_of(hook: str, kind: type[_Item]) -> list[tuple[str, _Item]]:
    """Return (plugin, item) for all that the implementations of a hook return.

    Raises :class:`UsageError` that names each plugin that fails or returns something else than items of ``kind``.
    """
    found: list[tuple[str, _Item]] = []
    errors: list[str] = []
    for plugin, function in implementations(hook):
        try:
            items = guarded(plugin, hook, list)(function())
        except UsageError as error:
            errors.append(str(error))
            continue
        found += [(plugin, item) for item in items if isinstance(item, kind)]
        wrong = dict.fromkeys(type(item).__name__ for item in items if not isinstance(item, kind))
        expected = f"{kind.__module__}.{kind.__qualname__}"
        errors += [f"plugin {plugin!r}: {hook} returned a {name}, expected {expected}" for name in wrong]
    if errors:
        raise UsageError("\n".join(errors))
    return found


def guarded(plugin: str, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function so that whatever it raises is a :class:`UsageError` with the plugin's name.

    Errors that are messages for the user stay what they are.
    """

    def call(*arguments: Any, **keywords: Any) -> Any:
        try:
            return function(*arguments, **keywords)
        except DialproofError:
            raise
        except Exception as error:
            raise UsageError(f"plugin {plugin!r}: {what} failed: {type(error).__name__}: {error}") from error

    return call
