"""What is said of an error at the end of a session: whose it is, and no more of its text than may be shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.errors import DialproofError
from pytest_dialproof.projects import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

    from pluggy import HookCaller

__all__ = ["describe", "internal_error"]

_SPOKEN = (DialproofError, SystemExit, pytest.fail.Exception, pytest.skip.Exception, pytest.exit.Exception)
"""What somebody raises to say something; the text of any other error may hold a contact's values."""


def internal_error(error: BaseException) -> list[str]:
    """Return the lines for an error that nobody raised on purpose: its type alone, as the command shows it."""
    what = f"internal error ({type(error).__name__}); set DIALPROOF_DEBUG=1 to see where, and report it please"
    return [what, *getattr(error, "__notes__", ())]


def describe(error: BaseException, hook: HookCaller, config: pytest.Config) -> list[str]:
    """Return the lines for an error that an implementation of a hook raised, each with the hook and the plugin."""
    plugin = _plugin_of(error, hook)
    if plugin == "dialproof-ending" and not isinstance(error, _SPOKEN):
        return internal_error(error)
    shown = shown_path(Path(plugin), config.invocation_params.dir) if Path(plugin).is_absolute() else plugin
    who = f"{hook.name} of {shown or 'a plugin'}"
    text = str(error).strip()
    if isinstance(error, _SPOKEN) and text:
        return [f"{who}: {line}" for line in text.splitlines()]
    return [f"{who} failed ({type(error).__name__}); set DIALPROOF_DEBUG=1 to see where"]


def _plugin_of(error: BaseException, hook: HookCaller) -> str:
    """Return the name of the plugin whose implementation the error went through last, "" if that cannot be told."""
    by_code = {getattr(each.function, "__code__", None): each.plugin_name for each in hook.get_hookimpls()}
    return next((by_code[code] for code in reversed(list(_codes(error))) if code in by_code), "")


def _codes(error: BaseException) -> Iterator[CodeType]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame.f_code
        traceback = traceback.tb_next
