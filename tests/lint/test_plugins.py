"""Plugins that cannot be used are named."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from dialproof import hookimpl, plugins
from dialproof.checks.base import Check
from dialproof.errors import UsageError
from dialproof.model.actions import ActionType
from dialproof.targets.base import TargetType

if TYPE_CHECKING:
    from collections.abc import Iterator


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


class _Broken:
    """Implements every hook that returns items, and raises in each."""

    @hookimpl
    def dialproof_checks(self) -> list[Check]:
        raise KeyError("checks")

    @hookimpl
    def dialproof_action_types(self) -> list[ActionType]:
        raise KeyError("types")

    @hookimpl
    def dialproof_targets(self) -> list[TargetType]:
        raise KeyError("targets")


class _Wrong:
    """Implements every hook that returns items, and returns something else."""

    @hookimpl
    def dialproof_checks(self) -> list[Check]:
        return ["x", "y"]  # type: ignore[list-item]

    @hookimpl
    def dialproof_action_types(self) -> list[ActionType]:
        return 5  # type: ignore[return-value]

    @hookimpl
    def dialproof_targets(self) -> list[TargetType]:
        return [None]  # type: ignore[list-item]


@pytest.fixture
def registered() -> Iterator[None]:
    """Register two plugins that cannot be used."""
    manager = plugins.plugin_manager()
    wrong, broken = _Wrong(), _Broken()
    manager.register(wrong, name="wrong")
    manager.register(broken, name="broken")
    yield
    manager.unregister(wrong)
    manager.unregister(broken)


@pytest.mark.parametrize(
    ("hook", "kind", "says"),
    [
        ("dialproof_checks", Check, "dialproof_checks returned a str, expected dialproof.checks.base.Check"),
        (
            "dialproof_action_types",
            ActionType,
            "dialproof_action_types failed: TypeError: 'int' object is not iterable",
        ),
        (
            "dialproof_targets",
            TargetType,
            "dialproof_targets returned a NoneType, expected dialproof.targets.base.TargetType",
        ),
    ],
)
@pytest.mark.usefixtures("registered")
def test_a_hook_that_fails_or_returns_something_else_names_its_plugin(hook: str, kind: type, says: str) -> None:
    """Every plugin that fails is named at once, each with what it did."""
    with pytest.raises(UsageError) as caught:
        plugins.items_of(hook, kind)
    failed, wrong = str(caught.value).splitlines()
    assert failed.startswith(f"plugin 'broken': {hook} failed: KeyError: ")
    assert wrong == f"plugin 'wrong': {says}"
