"""Any schedule of deploys, faults, ends and other people: what must hold, holds after each step."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.deploy.faults.machine import FAULTS, Machine
from tests.deploy.faults.world import ACTS, VALUES, World, make_rule

if TYPE_CHECKING:
    from collections.abc import Callable

_ENOUGH = 25


@st.composite
def rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw the rules of a campaign, each for the contacts of one value."""
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True))
    orders = draw(st.permutations(range(1, 10)))
    return [
        make_rule(
            name, order, draw(st.sampled_from(VALUES)), stops=draw(st.booleans()), priority=draw(st.integers(1, 2))
        )
        for name, order in zip(names, orders, strict=False)
    ]


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Draw where a process ends, where its disk is full, and how its clock goes."""
    start = draw(st.integers(1, 120))
    full = range(start, start + draw(st.sampled_from([0, 0, 0, 1, 40])))
    jumps = draw(st.sampled_from([0.0, 1.0, -7200.0, 86_400.0]))
    return Machine(draw(st.sampled_from([0, draw(st.integers(1, 120))])), full, lambda: jumps)


faults = st.lists(st.sampled_from(["", "", "", *FAULTS, *ACTS]), max_size=30)


def each(drawn: list[str]) -> Callable[[], str]:
    """Give one after the other, and nothing more afterwards."""
    waiting = iter(drawn)
    return lambda: next(waiting, "")


class Schedules(RuleBasedStateMachine):
    """A world, and everything that can be done in it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.folder)

    @precondition(lambda self: not self.world.unfinished)
    @rule(desired=rules(), machine=machines(), drawn=faults)
    def deploy(self, desired: list[dict[str, Any]], machine: Machine, drawn: list[str]) -> None:
        """Deploy, unless the plan says that some state in between would not be safe."""
        self.world.settle()
        plan = self.world.plan(desired)
        if not plan.refusals:
            self.world.deploy(plan, machine, each(drawn))

    @precondition(lambda self: self.world.unfinished)
    @rule(machine=machines(), drawn=faults)
    def resume(self, machine: Machine, drawn: list[str]) -> None:
        """Carry on."""
        self.world.resume(machine, each(drawn))

    @precondition(lambda self: self.world.unfinished)
    @rule(machine=machines(), drawn=faults)
    def abort(self, machine: Machine, drawn: list[str]) -> None:
        """Take back."""
        self.world.abort(machine, each(drawn))

    @rule(act=st.sampled_from(ACTS))
    def somebody(self, act: str) -> None:
        """Let somebody else work on the target between two processes."""
        self.world.somebody(act)

    @rule()
    def settle(self) -> None:
        """Let them take their edits back."""
        self.world.settle()

    @invariant()
    def nothing_went_wrong(self) -> None:
        """No count of what must not happen has moved."""
        assert not +self.world.counts

    def teardown(self) -> None:
        """End what is unfinished, which must be possible, and hold the audit log against what the server was told."""
        for _ in range(2):  # a disk that was full may have left a record to store first
            self.world.settle()
            if self.world.unfinished:
                self.world.abort(Machine(), lambda: "")
        assert not self.world.unfinished
        self.world.check()
        assert not +self.world.counts
        shutil.rmtree(self.folder)


Schedules.TestCase.settings = settings(max_examples=_ENOUGH, stateful_step_count=8, deadline=None)
TestSchedules = Schedules.TestCase
