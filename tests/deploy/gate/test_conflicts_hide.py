"""What others wrote to a personal column is in no message of a conflict, on either target."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.errors import RemoteConflictError
from dialproof_deploy.plan import personal
from dialproof_deploy.targets import rulesets
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from dialproof_deploy.targets.rulesets import RuleSetsTarget
from tests.deploy.gate.conftest import statement_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dialproof_deploy.deploy import Deployer
    from dialproof_deploy.sandbox.serve import Sandbox
    from tests.deploy.gate.conftest import Make

OURS, NEXT, THEIRS = "ours.canary@example.com", "next.canary@example.com", "theirs.canary@example.org"
RULES = f"""\
campaign: cmp_123
contactList: a.contactlist.yaml
HOLDER
rules:
  - name: first
    version: 1
    priority: 10
    executionOrder: 1
    conditions:
      - {{attribute: state, operator: equals, value: TX}}
    actions:
      - {{type: doNotDial}}
  - name: blocked
    version: 1
    priority: 9
    executionOrder: 2
    conditions:
      - {{attribute: mail, operator: equals, value: "{OURS}"}}
    actions:
      - {{type: doNotDial}}
"""
COLUMNS = "columns:\n  state: {type: string}\n  consent: {type: string}\n  mail: {type: string, pii: true}\n"
CASES = "cases:\n  - {name: one, contact: {state: NY, consent: yes, mail: x}, expect: {dial: true}}\n"
TARGETS = {
    "campaign-rules": ("", CampaignRulesTarget),
    "rulesets": ("ruleSet: Premium", RuleSetsTarget),
}


class Killed(BaseException):
    """The end of a process that nothing catches."""


@pytest.fixture(params=TARGETS)
def kind(request: pytest.FixtureRequest) -> str:
    """Return the name of a target."""
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of a project of the target."""
    monkeypatch.setattr(rulesets, "_POLLS", (0.0,))
    monkeypatch.setattr(personal, "_REGISTERED", set())
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dialproof.toml").write_text(f'[environments.sandbox]\ntarget = "{kind}"\n', encoding="utf-8")
    (folder / "a.contactlist.yaml").write_text(COLUMNS, encoding="utf-8")
    (folder / "a.contacts.yaml").write_text(CASES, encoding="utf-8")
    write(folder, kind)
    return folder


def write(root: Path, kind: str, *changes: tuple[str, str]) -> None:
    """Write the rules."""
    text = RULES.replace("HOLDER\n", f"{TARGETS[kind][0]}\n".lstrip())
    for old, new in changes:
        text = text.replace(old, new)
    (root / "a.rules.yaml").write_text(text, encoding="utf-8")


def by_hand(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what somebody makes of a document."""
    return dict(json.loads(json.dumps(document).replace(OURS, THEIRS).replace(NEXT, THEIRS)))


def edit(deployer: Make, kind: str) -> None:
    """Change what stands on the target by hand."""
    where = "cmp_123" if kind == "campaign-rules" else "Premium"
    with deployer().connected() as target:
        for document in target.list_rules(where):
            if by_hand(document) != document:
                target.update_rule(where, document, by_hand(document))


def assert_hidden(text: str) -> None:
    """Assert that the report of a conflict shows the place and none of the values."""
    assert "[pii]" in text
    assert "theirs" in text
    assert [value for value in (OURS, NEXT, THEIRS) if value in text] == []


def test_a_conflict_of_a_write(
    root: Path, kind: str, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saves the rule just before we do."""
    deployer().deploy(statement_of(root))
    write(root, kind, (OURS, NEXT))
    update = TARGETS[kind][1].update_rule

    def late(self: Any, campaign: str, now: Mapping[str, Any], rule: Mapping[str, Any]) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(TARGETS[kind][1], "update_rule", update)
            update(self, campaign, now, by_hand(now))
        return update(self, campaign, now, rule)

    monkeypatch.setattr(TARGETS[kind][1], "update_rule", late)
    with pytest.raises(RemoteConflictError) as conflict:
        deployer().deploy(statement_of(root))
    assert_hidden(str(conflict.value))


def test_a_conflict_before_the_first_write(
    root: Path, kind: str, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody saves the rule between plan and apply."""
    deployer().deploy(statement_of(root))
    write(root, kind, (OURS, NEXT))
    record = deployer().__class__._record

    def late(self: Deployer, *args: Any, **fields: Any) -> Any:
        edit(deployer, kind)
        return record(self, *args, **fields)

    monkeypatch.setattr("dialproof_deploy.deploy.Deployer._record", late)
    with pytest.raises(RemoteConflictError, match="nothing was written") as conflict:
        deployer().deploy(statement_of(root))
    assert_hidden(str(conflict.value))


@pytest.mark.parametrize("way", ["resume", "abort"])
def test_a_conflict_of_what_was_interrupted(
    root: Path, kind: str, deployer: Make, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Another process ends the deploy, after somebody saved the rule; the files hold the column no more."""
    deployer().deploy(statement_of(root))
    write(root, kind, (OURS, NEXT))

    def die(self: Any, campaign: str, now: Mapping[str, Any], rule: Mapping[str, Any]) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(TARGETS[kind][1], "update_rule", die)
        patch.setattr("dialproof_deploy.plan.apply._undone", lambda run, error, left: error)
        with pytest.raises(Killed):
            deployer().deploy(statement_of(root))
    edit(deployer, kind)
    monkeypatch.setattr(personal, "_REGISTERED", set())
    (root / "a.rules.yaml").write_text("rules: [", encoding="utf-8")
    with pytest.raises(RemoteConflictError) as conflict:
        getattr(deployer(), way)()
    assert_hidden(str(conflict.value))
