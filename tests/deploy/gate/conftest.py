"""A small project with its evidence, and a sandbox of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.config import load_config
from dialproof.lint import lint
from dialproof.project import load_project
from dialproof_deploy.deploy import Deployer, environment_of
from dialproof_deploy.gate.attest import attest
from dialproof_deploy.gate.decision import Verdict, expect
from dialproof_deploy.sandbox.serve import Sandbox
from dialproof_deploy.state import StateDir
from dialproof_deploy.targets import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Make = Callable[..., Deployer]

NOW = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)

RULES = """\
campaign: cmp_123
rules:
  - name: high_value
    version: 1
    priority: 100
    executionOrder: 1
    conditions:
      - {attribute: lifetimeValue, operator: greaterThan, value: 5000, type: number}
      - {attribute: state, operator: in, value: [TX, CA], inverted: true}
    actions:
      - {type: setList, listId: premium}
  - name: no_consent
    version: 3
    priority: 900
    executionOrder: 2
    conditions:
      - {attribute: consent, operator: equals, value: "no"}
    actions:
      - {type: doNotDial}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of a project with one campaign and one case."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dialproof.toml").write_text("", encoding="utf-8")
    (folder / "a.rules.yaml").write_text(RULES, encoding="utf-8")
    case = "cases:\n  - {name: one, contact: {lifetimeValue: 9000, state: NY, consent: yes}, expect: {dial: true}}\n"
    (folder / "a.contacts.yaml").write_text(case, encoding="utf-8")
    return folder


def statement_of(root: Path, now: datetime = NOW) -> dict[str, Any]:
    """Return the evidence of a run in which everything passed."""
    project = load_project(load_config(root))
    result = lint(project)
    expected = expect(project, result, today=now.date())
    campaigns = tuple(i for campaign in expected.campaigns for i in campaign.ids)
    return attest(project, Verdict((), expected.items, expected.items, campaigns, (), (), 1, 0), result, now=now)


def records(root: Path, environment: str = "sandbox") -> list[dict[str, Any]]:
    """Return the audit records of an environment."""
    path = root / f".dialproof/audit/{environment}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class MemoryTarget:
    """A target of somebody else: campaigns of rules in memory."""

    def __init__(self) -> None:
        self.rules: dict[str, dict[str, Any]] = {}

    def list_rules(self, campaign_id: str) -> list[dict[str, Any]]:
        """Return the rules."""
        return [dict(rule) for rule in self.rules.values()]

    def create_rule(self, campaign_id: str, rule: Mapping[str, Any]) -> Written:
        """Store the rule."""
        stored = {**rule, "id": f"m{len(self.rules)}", "version": 1}
        self.rules[stored["id"]] = stored
        return Written(dict(stored), None)

    def query_events(self, campaign_id: str, interval: str = "24h") -> Iterator[dict[str, Any]]:
        """Yield nothing."""
        yield from ()


@pytest.fixture
def sandbox(root: Path) -> Iterator[Sandbox]:
    """Serve the sandbox of the project, so that several deployers meet the same one."""
    with Sandbox.start(root / ".dialproof") as running:
        yield running


@pytest.fixture
def deployer(root: Path) -> Make:
    """Return what makes a deployer of the project as it lies on disk now."""

    def make(environment: str = "sandbox", **changes: Any) -> Deployer:
        project = load_project(load_config(root))
        found = environment_of(project.config, environment)
        made = Deployer(project, found, StateDir.at(root), {}, clock=lambda: NOW)
        return replace(made, **changes)

    return make
