"""Plugins that cannot be used are named."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from dialproof import hookimpl, plugins
from dialproof.errors import UsageError


@hookimpl
def dialproof_cheks() -> list[object]:
    """Implement a hook that there is not."""
    return []


@pytest.mark.parametrize(
    ("plugin", "says"),
    [
        (SimpleNamespace(dialproof_cheks=dialproof_cheks), "dialproof_cheks"),
        (None, "plugin 'mine' of an unknown distribution cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_named(
    plugin: object | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt hook and a module that is not there are usage errors with the plugin's name, not tracebacks."""
    point = EntryPoint("mine", "no_such_module", "dialproof")
    if plugin is not None:
        monkeypatch.setattr(EntryPoint, "load", lambda _: plugin)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    with pytest.raises(UsageError, match="plugin 'mine'") as caught:
        plugins.plugin_manager.__wrapped__()
    assert says in str(caught.value)
