"""Targets of plugins, targets that rules are only checked for, and targets that there are not."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dialproof import hookimpl
from dialproof.errors import UsageError
from dialproof.plugins import plugin_manager
from dialproof_deploy.targets import CAMPAIGN_RULES, target_types
from tests.deploy.gate.conftest import MemoryTarget, records, statement_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dialproof.targets.base import TargetType
    from tests.deploy.gate.conftest import Make


@pytest.fixture
def memory() -> Iterator[MemoryTarget]:
    """Return the target "memory" of a plugin, which has another target, "paper", that nothing connects to."""
    target = MemoryTarget()

    class Plugin:
        """A plugin with two targets."""

        @hookimpl
        def dialproof_targets(self) -> list[TargetType]:
            connect = lambda environment, environ, http_log: nullcontext(target)  # noqa: E731
            return [
                replace(CAMPAIGN_RULES, name="memory", connect=connect),
                replace(CAMPAIGN_RULES, name="paper", connect=None),
            ]

    plugin = Plugin()
    plugin_manager().register(plugin, name="in_memory")
    target_types.cache_clear()
    try:
        yield target
    finally:
        plugin_manager().unregister(plugin)
        target_types.cache_clear()


def test_a_target_of_a_plugin_is_deployed_to(root: Path, deployer: Make, memory: MemoryTarget) -> None:
    """What a plugin connects to gets the rules as ours would; its target is named in the configuration."""
    (root / "dialproof.toml").write_text('[environments.here]\ntarget = "memory"\n', encoding="utf-8")
    assert deployer("here").deploy(statement_of(root)).writes == 2
    assert [rule["name"] for rule in memory.rules.values()] == ["no_consent", "high_value"]
    assert records(root, "here")[-1]["decision"] == "deployed"


def test_a_target_that_is_only_checked_is_refused(root: Path, deployer: Make, memory: MemoryTarget) -> None:
    """Rules can be held against a target that nothing connects to; a plan and a deploy to it say so."""
    (root / "dialproof.toml").write_text('[environments.here]\ntarget = "paper"\n', encoding="utf-8")
    message = "environment 'here': rules cannot be deployed to the target 'paper'; 'dialproof lint --target paper'"
    with pytest.raises(UsageError, match=message):
        deployer("here").plan()
    with pytest.raises(UsageError, match=message):
        deployer("here").deploy(statement_of(root))
    assert not memory.rules


def test_an_unknown_target_is_refused_with_those_there_are(root: Path, deployer: Make) -> None:
    """A misspelt target is a usage error before anything is asked for."""
    (root / "dialproof.toml").write_text('[environments.here]\ntarget = "campain-rules"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="no target 'campain-rules'; there are campaign-rules, rulesets"):
        deployer("here").plan()
