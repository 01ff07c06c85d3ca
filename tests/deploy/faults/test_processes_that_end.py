"""A deploy that ends at every single point at which it reaches the network or the disk, and is resumed or aborted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deploy.faults.machine import Machine
from tests.deploy.faults.world import World, make_rule

if TYPE_CHECKING:
    from pathlib import Path

OLD = [make_rule("a", 1, 0, True, 1), make_rule("b", 2, 1, False, 1), make_rule("c", 3, 2, True, 1)]
NEW = [make_rule("b", 1, 1, False, 2), make_rule("a", 2, 0, True, 1), make_rule("d", 4, 3, True, 1)]


def calm() -> str:
    """Let nothing happen to a request."""
    return ""


def stage(folder: Path) -> World:
    """Return a world in which the old rules stand."""
    world = World(folder)
    world.stand(OLD)
    return world


def points_of(folder: Path, way: str) -> int:
    """Return the number of points that the whole way has, deployed or interrupted in its middle."""
    world = stage(folder)
    machine = Machine()
    world.deploy(world.plan(NEW), machine if way == "deploy" else Machine(kill_at=55), calm)
    if way != "deploy":
        getattr(world, way)(machine, calm)
    return machine.points


@pytest.mark.parametrize("way", ["resume", "abort"])
def test_a_deploy_that_ends_anywhere_is_finished_either_way(way: str, tmp_path: Path) -> None:
    """Killed at each point in turn: the planned or the earlier state, no record missing, no wrong state."""
    last = points_of(tmp_path / "whole", "deploy")
    assert last > 60
    for point in range(1, last + 1):
        world = stage(tmp_path / str(point))
        assert world.deploy(world.plan(NEW), Machine(point), calm) == "killed"
        if world.unfinished:
            assert getattr(world, way)(Machine(), calm) == "done", point
        world.check()
        assert not world.unfinished
        assert not +world.counts, point


@pytest.mark.parametrize(("first", "second"), [("resume", "abort"), ("abort", "resume"), ("abort", "abort")])
def test_ending_it_can_end_anywhere_too(first: str, second: str, tmp_path: Path) -> None:
    """Killed in the middle of carrying on or taking back, and finished one way or the other."""
    last = points_of(tmp_path / "whole", first)
    for point in range(1, last + 1, 2):
        world = stage(tmp_path / str(point))
        world.deploy(world.plan(NEW), Machine(kill_at=55), calm)
        assert world.unfinished
        assert getattr(world, first)(Machine(point), calm) == "killed"
        if world.unfinished:
            assert getattr(world, second)(Machine(), calm) == "done", point
        world.check()
        assert not +world.counts, point


@pytest.mark.parametrize("length", [1, 1000])
def test_a_disk_without_room_leaves_no_write_unrecorded(length: int, tmp_path: Path) -> None:
    """From each point on in turn, for a moment or for good: what was made is recorded, and can be taken back."""
    last = points_of(tmp_path / "whole", "deploy")
    for point in range(1, last + 1, 2):
        world = stage(tmp_path / str(point))
        world.deploy(world.plan(NEW), Machine(full=range(point, point + length)), calm)
        if world.unfinished:
            assert world.abort(Machine(), calm) == "done"
        world.check()
        assert not +world.counts, point
