"""The plugin that docs/extending.md shows works as it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from dialproof.checks import registry
from dialproof.cli import main
from dialproof.config import Environment
from dialproof.lint import lint
from dialproof.model import actions, parse_actions
from dialproof.plugins import plugin_manager
from dialproof_deploy import targets
from dialproof_deploy.audit.export import sink_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
RULES = """\
campaign: spring
rules:
  - {name: a, version: 1, priority: 1, executionOrder: 1, owner: ada, when: contact.age > 17.0, actions: [{type: sendMessage, template: hello}]}
  - {name: b, version: 1, priority: 1, executionOrder: 2, when: contact.age > 64.0, actions: [{type: sendMessage, template: dear}]}
"""  # noqa: E501
CACHES = (
    registry.all_checks,
    registry.checks_by_code,
    actions.action_types,
    parse_actions._record,
    targets.target_types,
)


class _Dialer:
    """Stands for the dialer's own client."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def __enter__(self) -> _Dialer:
        return self

    def __exit__(self, *_: object) -> None:
        self.token = ""


@pytest.fixture(autouse=True)
def _plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Register the module of the page as an installed distribution would be."""
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    plugin = ModuleType("acme_dialproof.plugin")
    exec(compile(block, str(PAGE), "exec"), vars(plugin))
    dialer = ModuleType("acme_dialproof.dialer")
    dialer.Dialer = _Dialer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "acme_dialproof", ModuleType("acme_dialproof"))
    monkeypatch.setitem(sys.modules, "acme_dialproof.dialer", dialer)
    plugin_manager().register(plugin, name="acme")
    for cache in CACHES:
        cache.cache_clear()
    yield
    plugin_manager().unregister(plugin)
    for cache in CACHES:
        cache.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with one rules file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dialproof.toml").write_text("", "utf-8")
    (tmp_path / "a.rules.yaml").write_text(RULES, "utf-8")
    return tmp_path


def test_its_check_reports_and_its_action_type_is_known_to_ours(folder: Path) -> None:
    """The rule without an owner is found, and two templates for one contact are a conflict."""
    from dialproof.config import load_config
    from dialproof.project import load_project

    found = {finding.code: finding.rules for finding in lint(load_project(load_config(folder))).findings}
    assert found.pop("DP205") == ("b",)  # the column may be blank
    assert found == {"ACME001": ("b",), "DP301": ("b", "a")}


def test_the_schema_for_editors_knows_its_action_type(capsys: pytest.CaptureFixture[str]) -> None:
    """`dialproof schema rules` completes the fields of the plugin's action."""
    assert main(["schema", "rules"]) == 0
    assert '"const": "sendMessage"' in capsys.readouterr().out


def test_its_command_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`dialproof owners` prints what the page says."""
    assert main(["owners"]) == 0
    assert capsys.readouterr().out == "spring\ta\tada\nspring\tb\t-\n"


def test_its_sink_writes(folder: Path) -> None:
    """A file name with the plugin's suffix goes to its sink."""
    sink_of(Path("audit.md"))([{"event": "decision"}, {"eventType": "outbound.rule.created"}])
    assert Path("audit.md").read_text() == "- decision\n- outbound.rule.created\n"


def test_its_target_connects() -> None:
    """The target is found by its name and gets the environment and its own variable."""
    target = targets.target_types()["acme-dialer"]
    with target.connect(Environment("e", base_url="https://dialer.example"), {"ACME_TOKEN": "t"}, None) as dialer:
        assert (dialer.url, dialer.token) == ("https://dialer.example", "t")
    assert target.read is targets.CAMPAIGN_RULES.read
