"""A deploy over networks and servers that fail, and beside other people: each fault at each request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deploy.faults.machine import FAULTS, Machine
from tests.deploy.faults.test_processes_that_end import NEW, calm, stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DONE = {"429", "429 bare", "503", "connect", "revoked", "save"}
"""Faults under which a deploy is made all the same, at whichever request they come."""


def at(number: int, fault: str, times: int = 1) -> Callable[[], str]:
    """Let a fault happen to one request, or to several in a row."""
    counter = iter(range(1, 1_000_000))
    return lambda: fault if number <= next(counter) < number + times else ""


@pytest.mark.parametrize("fault", [*FAULTS, "save", "edit", "create"])
def test_a_fault_at_any_request_leaves_one_state_or_the_other(fault: str, tmp_path: Path) -> None:
    """Whatever happens to a single request, the deploy is made, undone, or can be taken back; nothing is lost."""
    made = 0
    for request in range(1, 14):
        world = stage(tmp_path / str(request))
        ended = world.deploy(world.plan(NEW), Machine(), at(request, fault))
        made += ended == "done"
        assert ended == "done" or fault not in DONE, (request, ended)
        world.settle()
        if world.unfinished:
            assert world.abort(Machine(), calm) == "done"
        world.check()
        assert not +world.counts, request
    assert made


@pytest.mark.parametrize("fault", ["429", "429 bare", "502", "reset before", "reset after", "truncated"])
def test_a_burst_is_outlasted_or_undone(fault: str, tmp_path: Path) -> None:
    """A fault that goes on for more requests than are tried again ends the deploy, and leaves nothing half made."""
    for request in (1, 3, 5, 8):
        world = stage(tmp_path / str(request))
        world.deploy(world.plan(NEW), Machine(), at(request, fault, times=7))
        if world.unfinished:
            assert world.resume(Machine(), calm) == "done"
        world.check()
        assert not +world.counts, request


def test_two_deployers_from_two_machines_do_not_mix(tmp_path: Path) -> None:
    """A second deployer, whose state directory is another one, changes rules in the middle: one gives way."""
    met = 0
    for request in range(3, 12):
        world, other = stage(tmp_path / f"{request}/one"), stage(tmp_path / f"{request}/two")
        other.campaign.rules = world.campaign.rules
        plan = world.plan(NEW)
        theirs = other.plan([NEW[0], NEW[2]])
        ended: list[str] = []
        draw = at(request, "second")

        def somebody(act: str, other: object = other, theirs: object = theirs, ended: list[str] = ended) -> None:
            ended.append(other.deploy(theirs, Machine(), calm))  # type: ignore[attr-defined]

        world.somebody = somebody  # type: ignore[method-assign]
        first = world.deploy(plan, Machine(), draw)
        met += len(ended)
        assert [first, *ended].count("done") <= 1 + (not ended)
        assert world.counts["versions skipped"] == other.counts["versions skipped"] == 0
    assert met > 3


def test_a_wall_clock_that_jumps_changes_nothing(tmp_path: Path) -> None:
    """Records may be out of order by their time; their numbers, and the deploy, are not."""
    jumps = iter([86_400.0, -200_000.0, 5.0, -1.0] * 50)
    world = stage(tmp_path)
    assert world.deploy(world.plan(NEW), Machine(jumps=lambda: next(jumps)), calm) == "done"
    world.check()
    assert not +world.counts
