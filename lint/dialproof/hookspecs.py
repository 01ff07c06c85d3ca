"""The extension points of dialproof: pluggy hooks, all of them in this file.

A distribution joins in with an entry point of the group ``dialproof``::

    [project.entry-points.dialproof]
    my_checks = "my_package.dialproof_plugin"

and implements any of these with ``@dialproof.hookimpl``. The built-in checks and action types, and the targets, sinks
and subcommands of dialproof_deploy, are registered through the same hooks.

The bodies here are never run: pluggy reads names and arguments alone, and a type checker asks for a body where there is
something to return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dialproof.checks.base import Check
    from dialproof.model.actions import ActionType
    from dialproof.targets.base import TargetType

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("dialproof")
hookimpl = pluggy.HookimplMarker("dialproof")


@hookspec
def dialproof_checks() -> Sequence[Check]:
    """Return further lint checks."""
    raise NotImplementedError


@hookspec
def dialproof_action_types() -> Sequence[ActionType]:
    """Return further action types (see :mod:`dialproof.model.actions`)."""
    raise NotImplementedError


@hookspec
def dialproof_targets() -> Sequence[TargetType]:
    """Return further deploy targets (see :mod:`dialproof.targets.base`)."""
    raise NotImplementedError


@hookspec
def dialproof_audit_sink(path: Path) -> Callable[[Sequence[Mapping[str, object]]], None] | None:
    """Return a writer for exported audit records if this plugin handles ``path`` (by its suffix), else None."""
    raise NotImplementedError


@hookspec
def dialproof_subcommands() -> Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]]:
    """Return subcommands: name -> (one-line help, function that adds arguments and ``set_defaults(run=...)``).

    The function is called only when its subcommand is named, so that it may import what it needs.
    """
    raise NotImplementedError
