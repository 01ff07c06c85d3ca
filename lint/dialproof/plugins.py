"""The plugin manager: built-ins and installed plugins behind the hooks of :mod:`dialproof.hookspecs`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

import pluggy

from dialproof import built_in, hookspecs
from dialproof.errors import UsageError

__all__ = ["BUILT_INS", "plugin_manager"]

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
