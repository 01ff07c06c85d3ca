"""Deploys of rule sets that end anywhere, meet every fault, or meet other people: a set is never lost, nor an edit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.errors import DialproofError
from dialproof_deploy.audit.log import AuditLog, read_records, verify
from dialproof_deploy.plan.rule_set import plan_rule_set
from dialproof_deploy.rollout.carry_out import Rollout
from dialproof_deploy.rollout.journal import Journal
from dialproof_deploy.rollout.record import DeployRecord, Part, new_id
from dialproof_deploy.state import StateDir, utc_text
from tests.deploy.faults.machine import FAULTS, Killed, Machine, Wire
from tests.deploy.target.rule_set_fakes import SET, Platform, rule, target
from tests.deploy.target.target_fakes import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD = [rule("a"), rule("b"), rule("theirs")]
NEW = [rule("c"), rule("a", "7"), rule("b")]
STATES = (["a", "b", "theirs"], ["c", "a", "b", "theirs"])
"""The rules before and after the deploy; ``theirs`` is kept."""


def calm() -> str:
    """Let nothing happen to a request."""
    return ""


class World:
    """A platform on which a set is new to one of two campaigns, and the state directory of who deploys to it."""

    def __init__(self, folder: Path) -> None:
        self.platform = Platform()
        key = self.platform.add_set(SET, *OLD)
        self.platform.add_campaign("c1", key)
        self.platform.add_campaign("c2", status="on")
        self.state = StateDir.at(folder).create("audit", "journal")
        self.clock = Clock()
        self.writes: Counter[tuple[str, int | None]] = Counter()
        self.platform.watch = lambda key, version: self.writes.update([(key, version)])

    @property
    def unfinished(self) -> bool:
        """Whether a deploy is neither made nor taken back."""
        return self.state.journal("env").exists()

    def live(self, machine: Machine, work: str = "begin", draw: Callable[[], str] = calm) -> str:
        """Deploy, resume or abort in a process of its own; return how it ended."""
        wire = Wire(machine, self.platform, self.clock, draw, self.somebody)  # type: ignore[arg-type]
        log = AuditLog(self.state.audit("env"), clock=machine.now, actor="a", commit=None, opener=machine.open_log)
        with machine.disk():
            try:
                there = target(wire, self.clock, max_attempts=3)
                there.use_sets_in({SET: ["c1", "c2"]})
                journal = Journal(self.state, "env")
                record = journal.read() or self.record(machine)
                getattr(Rollout(record, journal, log, there), work)()
            except DialproofError as error:
                return type(error).__name__
            except Killed:
                return "killed"
        return "done"

    def record(self, machine: Machine) -> DeployRecord:
        """Return a deploy to plan for, read without faults."""
        there = target(self.platform, self.clock)
        there.use_sets_in({SET: ["c1", "c2"]})
        plan = plan_rule_set(SET, NEW, there.list_rules(SET), campaigns=["c1", "c2"], keep=["theirs"])
        assert [step.action for step in plan.steps] == ["update", "attach"]
        return DeployRecord(new_id(machine.now()), "env", utc_text(machine.now()), (Part(plan, tuple(NEW), "p"),))

    def somebody(self, act: str) -> None:
        """Save the set as it is, or change the rule that is kept."""
        watch, self.platform.watch = self.platform.watch, lambda _key, _version: None
        self.platform.edit(SET, lambda body: act == "edit" and body["rules"][-1].update(category="DIALER_WRAPUP"))
        self.platform.watch = watch

    def check(self, state: int | None = None) -> None:
        """Hold the platform against the state before (0) or after (1), and the audit log against the writes."""
        rules = self.platform.named(SET)["rules"]
        found = STATES.index([r["name"] for r in rules])
        assert state in (None, found)
        values = {r["name"]: r["conditions"][0]["value"] for r in rules}
        assert values["a"] == ("7" if found else "5")
        assert [r["name"] for r in self.platform.campaigns["c2"]["ruleSets"]] == ([SET] if found else [])
        assert self.platform.campaigns["c2"]["campaignStatus"] == "on"
        log = self.state.audit("env")
        if not log.exists():
            assert not self.writes
            return
        AuditLog(log, clock=Machine().now, actor="a", commit=None).append("refusal")  # mends what a kill has left
        assert verify(log).ok
        changes = [r for r in read_records(log) if r["event"] == "change"]
        assert Counter((r["remote_id"], r["version_after"]) for r in changes) == self.writes


@pytest.mark.parametrize(("way", "first"), [("resume", 1), ("abort", 2)])
def test_a_deploy_that_ends_anywhere_is_finished_either_way(way: str, first: int, tmp_path: Path) -> None:
    """Killed at every other point: the set and its campaigns end as planned or as they were, each write recorded."""
    whole = Machine()
    assert World(tmp_path / "whole").live(whole) == "done"
    assert whole.points > 20
    for point in range(first, whole.points + 1, 2):
        world = World(tmp_path / str(point))
        assert world.live(Machine(point)) == "killed"
        if world.unfinished:
            assert world.live(Machine(), way) == "done", point
            world.check({"resume": 1, "abort": 0}[way])
        else:
            world.check()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request_leaves_one_state_or_the_other(fault: str, tmp_path: Path) -> None:
    """Whatever happens to a single request, the deploy is made, undone, or can be taken back."""
    made = 0
    for request in range(1, 14, 2):
        world = World(tmp_path / str(request))
        counter = iter(range(1, 1000))
        ended = world.live(Machine(), draw=lambda n=counter, at=request: fault if next(n) == at else "")  # type: ignore[misc]
        made += ended == "done"
        if world.unfinished:
            assert world.live(Machine(), "abort") == "done"
        world.check()
    assert made


@pytest.mark.parametrize("act", ["save", "edit"])
def test_other_people_at_any_request(act: str, tmp_path: Path) -> None:
    """A save without a change is no hindrance; an edit of a rule that is not even ours is never overwritten."""
    edited = 0
    for request in range(1, 10):
        world = World(tmp_path / str(request))
        counter = iter(range(1, 1000))
        ended = world.live(Machine(), draw=lambda n=counter, at=request: act if next(n) == at else "")  # type: ignore[misc]
        if act == "save":
            assert ended == "done", request
            continue
        edited += ended != "done"
        theirs: dict[str, Any] = world.platform.named(SET)["rules"][-1]
        assert (theirs["name"], theirs["category"]) == ("theirs", "DIALER_WRAPUP")
    assert edited or act == "save"
