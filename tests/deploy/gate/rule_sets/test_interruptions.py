"""Edits of others, lost answers and ends in the middle of a deploy: no write is lost, or made twice."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.errors import PartlyAppliedError, RefusedError, RemoteConflictError, RemoteError
from dialproof_deploy.audit.log import verify
from dialproof_deploy.plan.plan import target_digest
from dialproof_deploy.plan.plan_file import Planned
from dialproof_deploy.targets.rulesets import RuleSetsTarget
from tests.deploy.gate.conftest import records, statement_of
from tests.deploy.gate.rule_sets.conftest import edit, stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.deploy.gate.conftest import Make
    from tests.deploy.gate.rule_sets.conftest import Console


def test_an_edit_between_plan_and_apply_is_never_overwritten(root: Path, deployer: Make, console: Console) -> None:
    """Not between the plan that was shown and the deploy, and not between the reading of a deploy and its write."""
    deployer().deploy(statement_of(root))
    evidence = edit(root, "5000", "6000")
    planned = {plan.campaign: Planned(plan.digest, target_digest(plan.remote)) for plan in deployer().plan()}
    rule_set, _ = stored(deployer)
    rules = rule_set["rules"]
    rules[0]["conditions"][0]["value"] = "never"
    console.put("rulesets", rule_set["id"], rules=rules)
    with pytest.raises(RemoteConflictError, match="what stands on the target has changed"):
        deployer().deploy(evidence, planned=planned)

    class Editor(RuleSetsTarget):
        """Somebody saves the set while the deploy is about to write it."""

        def update_rule(self, *args: Any) -> Any:
            rules[0]["conditions"][0]["value"] = "maybe"
            console.put("rulesets", rule_set["id"], rules=rules)
            return super().update_rule(*args)

    meddled = deployer()
    open_as_usual = meddled.connected

    @contextmanager
    def opened() -> Iterator[Any]:
        with open_as_usual() as target:
            target.__class__ = Editor
            yield target

    meddled.connected = opened  # type: ignore[method-assign]
    with pytest.raises(RemoteConflictError, match=r'rules\.no_consent\.conditions\[0\]\.value.*theirs "maybe"'):
        meddled.deploy(evidence)
    after, _ = stored(deployer)
    assert [r["conditions"][0]["value"] for r in after["rules"]] == ["maybe", "5000"]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate"])
def test_lost_answers_and_stale_reads(kind: str, root: Path, deployer: Make, console: Console) -> None:
    """A write whose answer is lost is made once; a read that is behind the write is no other state."""
    quick = replace(deployer().environment, retry=replace(deployer().environment.retry, tries=1))
    console.fault(kind=kind, method="POST", path_contains="/rulesets")
    console.settings(stale_reads=1)
    deployer().deploy(statement_of(root))
    console.fault(kind=kind, method="PUT", path_contains="/rulesets")
    evidence = edit(root, "5000", "6000")
    made = deployer()
    made.environment = quick
    if kind == "drop_before":  # nothing was made in the only try, and it says so
        with pytest.raises(RemoteError, match=r"gave no answer(?s:.*)nothing was changed"):
            made.deploy(evidence)
    assert made.deploy(evidence).writes == 1
    after, campaigns = stored(deployer)
    assert (after["version"], after["rules"][1]["conditions"][0]["value"]) == (2, "6000")
    assert [c["ruleSet"] for c in campaigns] == ["Premium routing"]


def test_a_deploy_that_was_killed_is_recovered(
    root: Path, deployer: Make, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the journal and the answer: the next run finds out what became of the write, and goes on."""
    create = RuleSetsTarget.create_rule

    def killed(self: RuleSetsTarget, *args: Any) -> Any:
        create(self, *args)
        raise SystemExit

    monkeypatch.setattr(RuleSetsTarget, "create_rule", killed)
    monkeypatch.setattr("dialproof_deploy.plan.apply._undone", lambda run, error, left: error)
    with pytest.raises(SystemExit):
        deployer().deploy(statement_of(root))
    monkeypatch.undo()
    assert [r["phase"] for r in records(root) if r.get("phase")] == ["change.started"]
    with pytest.raises(RefusedError, match="--resume"):
        deployer().deploy(statement_of(root))
    said: list[str] = []
    resumed = deployer(say=said.append).resume()
    assert [line for line in said if "the create of rule set 'Premium routing': it was made" in line]
    assert [made.step.action for made in resumed.applied[0].made] == ["attach"]
    assert [(r["phase"], r["action"]) for r in records(root) if r["event"] == "change"] == [
        ("change.made", "create"),
        ("change.made", "attach"),
    ]
    assert deployer().deploy(statement_of(root)).writes == 0
    assert verify(resumed.audit_log).ok


def test_a_failure_of_the_second_write_takes_the_first_back(root: Path, deployer: Make, console: Console) -> None:
    """The set that was created goes again; where that fails too, the message says what stands."""
    console.fault(kind="status", status=403, method="PUT", path_contains="/campaigns/cmp_123")
    with pytest.raises(RemoteError, match="the 1 write made was undone"):
        deployer().deploy(statement_of(root))
    with deployer().connected() as target:
        assert [d["ruleSet"] for d in target.list_rules("Premium routing")] == [None]
    console.fault(kind="status", status=403, method="PUT", path_contains="/campaigns/cmp_123")
    console.fault(kind="status", status=403, method="DELETE")
    with pytest.raises(PartlyAppliedError, match="made and still standing: create of rule set 'Premium routing'"):
        deployer().deploy(statement_of(root))
    assert deployer().abort() == 1
