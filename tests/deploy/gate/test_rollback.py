"""Rollbacks: the rules of an earlier deploy, and nothing that other people did is overwritten without a word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.cli import main
from dialproof.config import Environment
from dialproof.errors import RefusedError, UsageError
from dialproof_deploy.audit.log import read_records, verify
from dialproof_deploy.rollout.history import history_of
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from tests.deploy.gate.conftest import NOW, RULES, records, statement_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dialproof_deploy.deploy import Deployer
    from dialproof_deploy.sandbox.serve import Sandbox
    from dialproof_deploy.targets import Written
    from tests.deploy.gate.conftest import Make

LATER = (
    RULES.replace("5000", "6000")
    + """\
  - name: late
    version: 1
    priority: 5
    executionOrder: 9
    conditions:
      - {attribute: state, operator: equals, value: ZZ}
    actions:
      - {type: setList, listId: late}
"""
)


@pytest.fixture
def twice(root: Path, deployer: Make, sandbox: Sandbox) -> Make:
    """Deploy, then deploy other rules, one more of them."""
    deployer().deploy(statement_of(root))
    (root / "a.rules.yaml").write_text(LATER, encoding="utf-8")
    deployer().deploy(statement_of(root))
    return deployer


def standing(deployer: Make) -> dict[str, tuple[str, int]]:
    """Return the value of the first condition and the version of each rule on the target."""
    with deployer().connected() as target:
        return {r["name"]: (r["conditions"][0]["value"], r["version"]) for r in target.list_rules("cmp_123")}


def edit(deployer: Make, name: str, **fields: Any) -> None:
    """Change a rule by hand."""
    with deployer().connected() as target:
        found = next(r for r in target.list_rules("cmp_123") if r["name"] == name)
        target.update_rule("cmp_123", found, {**found, **fields})


def deploys(root: Path) -> list[str]:
    """Return the ids of the deploys."""
    return [d.id for d in history_of(read_records(root / ".dialproof/audit/sandbox.jsonl"), "sandbox").deploys]


def test_last_restores_the_deploy_before(root: Path, twice: Make) -> None:
    """Contents of the first deploy in further versions, the rule of the second one gone; audited, without evidence."""
    (root / "a.rules.yaml").write_text(LATER.replace("6000", "7000"), encoding="utf-8")
    result = twice(clock=lambda: NOW + timedelta(days=9)).rollback()
    assert result.writes == 2
    assert standing(twice) == {"high_value": ("5000", 3), "no_consent": ("no", 1)}
    assert verify(result.audit_log).ok
    last = records(root)[-1]
    assert (last["decision"], last["restores"]) == ("rolled back", deploys(root)[0])
    changes = [r for r in records(root) if r["event"] == "change" and r["deploy"] == last["deploy"]]
    assert {r["action"] for r in changes} == {"update", "delete"}
    assert list((root / ".dialproof/journal").iterdir()) == []


def test_a_second_rollback_goes_further_back_and_never_forth(root: Path, twice: Make) -> None:
    """What was taken back comes back only by its id."""
    first, second = deploys(root)
    twice().rollback()
    with pytest.raises(RefusedError, match="no earlier deploy of other rules"):
        twice().rollback()
    assert twice().rollback(second).writes == 2
    assert standing(twice)["late"] == ("ZZ", 1)
    twice().rollback()
    assert standing(twice)["high_value"] == ("5000", 5)
    with pytest.raises(UsageError, match=r"there is no deploy '\.\./x'"):
        twice().rollback("../x")
    assert deploys(root) == [first, second]


def test_deploys_without_change_are_no_place_to_go_back_to(root: Path, twice: Make) -> None:
    """A deploy of the same rules again is passed over."""
    twice().deploy(statement_of(root))
    twice().rollback()
    assert standing(twice)["high_value"][0] == "5000"


def test_a_freeze_refuses_no_rollback(twice: Make) -> None:
    """Friday evening is when it is needed."""
    frozen = twice()
    frozen.environment = replace(frozen.environment, freeze=("Sat 00:00-Sun 00:00",))
    assert frozen.rollback().writes == 2


def test_a_rule_changed_by_hand_is_overwritten_only_by_name(twice: Make) -> None:
    """What stood there and what would come is said; with its name the rollback goes on."""
    edit(twice, "high_value", priority=7)
    with pytest.raises(RefusedError, match=r"'high_value' was changed on the target .*priority: 7 → 100.*--overwrite"):
        twice().rollback()
    assert standing(twice)["high_value"] == ("6000", 3)
    assert twice().rollback(overwrite=["high_value"]).writes == 2


def test_a_rule_that_would_go_and_was_changed_by_hand_stays(twice: Make) -> None:
    """Deleting somebody's edit is overwriting it."""
    edit(twice, "late", priority=7)
    with pytest.raises(RefusedError, match="'late', which would be deleted, was changed"):
        twice().rollback()
    assert twice().rollback(overwrite=["late"]).writes == 2


def test_a_rule_deleted_by_hand_comes_back_only_by_name(twice: Make) -> None:
    """Somebody had a reason to delete it."""
    with twice().connected() as target:
        found = next(r for r in target.list_rules("cmp_123") if r["name"] == "high_value")
        target.delete_rule("cmp_123", found)
    with pytest.raises(RefusedError, match="'high_value' was deleted on the target since"):
        twice().rollback()
    assert twice().rollback(overwrite=["high_value"]).writes == 2
    assert standing(twice)["high_value"] == ("5000", 1)


def test_foreign_rules_are_kept_or_pruned_or_refused(root: Path, twice: Make) -> None:
    """A rule that appeared since is no more overwritten than by a deploy."""
    never = {"attribute": "lifetimeValue", "operator": "lessThan", "value": "0", "type": "number"}
    with twice().connected() as target:
        target.create_rule("cmp_123", {"name": "by_hand", "priority": 5, "executionOrder": 20, "conditions": [never]})
    with pytest.raises(RefusedError, match="foreign rule 'by_hand'"):
        twice().rollback()
    kept = twice()
    kept.environment = replace(kept.environment, keep=("by_hand",))
    kept.rollback()
    assert set(standing(twice)) == {"high_value", "no_consent", "by_hand"}
    twice(prune=["by_hand"]).rollback(deploys(root)[0])
    assert set(standing(twice)) == {"high_value", "no_consent"}


def test_a_record_that_was_edited_is_not_restored(root: Path, twice: Make) -> None:
    """Its digest is in the audit log; a record that is gone is said as well."""
    path = root / f".dialproof/deploys/sandbox/{deploys(root)[0]}.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"5000"', '"1"'), encoding="utf-8")
    with pytest.raises(RefusedError, match="it was edited or replaced"):
        twice().rollback()
    path.unlink()
    with pytest.raises(RefusedError, match="are not kept in this state directory"):
        twice().rollback()


def test_an_interrupted_rollback_is_resumed_and_aborted(
    root: Path, twice: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a journal as a deploy has, and moves what stands only once it is made."""
    update = CampaignRulesTarget.update_rule

    class Killed(BaseException):
        pass

    def die(self: CampaignRulesTarget, campaign: str, now: Mapping[str, Any], rule: Mapping[str, Any]) -> Written:
        update(self, campaign, now, rule)
        raise Killed

    for way in ("abort", "resume"):
        with monkeypatch.context() as patch:
            patch.setattr(CampaignRulesTarget, "update_rule", die)
            patch.setattr("dialproof_deploy.plan.apply._undone", lambda run, error, left: error)
            with pytest.raises(Killed):
                twice().rollback()
        with pytest.raises(RefusedError, match=r"the rollback .* was not finished"):
            twice().rollback()
        getattr(twice(), way)()
        expected = "6000" if way == "abort" else "5000"
        assert standing(twice)["high_value"][0] == expected
    history = history_of(read_records(root / ".dialproof/audit/sandbox.jsonl"), "sandbox")
    assert history.standing == deploys(root)[0]


def test_what_was_rolled_back_has_not_been_received(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """The environment after it does not take rules that this one has taken back."""
    login = {
        f"DIALPROOF_{name}_CLIENT_{key}": value
        for name in ("STAGING", "PROD")
        for key, value in (("ID", sandbox.client_id), ("SECRET", sandbox.client_secret))
    }

    def elsewhere(name: str, **changes: Any) -> Deployer:
        made = deployer(environ=login)
        made.environment = Environment(name, base_url=sandbox.url, **changes)
        return made

    elsewhere("staging").deploy(statement_of(root))
    (root / "a.rules.yaml").write_text(LATER, encoding="utf-8")
    elsewhere("staging").deploy(statement_of(root))
    elsewhere("staging").rollback()
    with pytest.raises(RefusedError, match="'staging' must receive exactly these rules first"):
        elsewhere("prod", requires="staging", keep=("late",)).deploy(statement_of(root))


def test_the_command_lists_and_restores(
    root: Path, twice: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list has the last deploy first and says which stands; exit codes are those of a deploy."""
    monkeypatch.chdir(root)
    assert main(["rollback", "--env", "sandbox", "--list"]) == 0
    first, second = deploys(root)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [second, first]
    assert lines[0].endswith("(stands)")
    assert main(["rollback", "--env", "sandbox", "--last"]) == 0
    assert "Rolled back in sandbox: 2 writes" in capsys.readouterr().out
    assert main(["rollback", "--env", "sandbox", "--list"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("(taken back)")
    assert main(["rollback", "--env", "sandbox", "--last"]) == 4
    assert main(["rollback", "--env", "sandbox", "--to", "x"]) == 2
    assert main(["rollback", "--env", "sandbox"]) == 2
    assert main(["rollback", "--env", "nowhere", "--list"]) == 2
