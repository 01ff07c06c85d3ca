"""Deploys under random faults, and what became of them: ``python -m tests.benchmarks.soak [N] [--seed S]``.

Each schedule is a campaign of its own, with two deploys by processes that meet failing servers and networks, full
disks, clocks that jump, other people on the target, and their own end at any point. Each unfinished deploy is resumed
or aborted until it is finished. All counts but the first block must be 0; the exit code says whether they are.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.deploy.faults.machine import FAULTS, Machine
from tests.deploy.faults.world import ACTS, VALUES, WRONG, World, make_rule

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = tuple("abcdef")
_STUBBORN = 12
"""Processes that fail in a row before the faults end, so that every deploy comes to an end."""


def run_schedule(folder: Path, draw: random.Random) -> tuple[Counter[str], Counter[str]]:
    """Run one schedule in an empty folder; return what happened, and what went wrong."""
    world, happened = World(folder), Counter[str]()
    world.stand(_rules(draw))
    for _ in range(2):
        plan = world.plan(_rules(draw))
        if plan.refusals:
            happened["plans refused"] += 1
            continue
        happened["writes planned"] += len(plan.steps)
        ended = world.deploy(plan, _machine(draw), _faults(draw))
        happened[f"deploy: {ended}"] += 1
        for tries in range(100):
            world.settle()
            if not world.unfinished:
                break
            way = draw.choice(("resume", "abort"))
            calm = tries >= _STUBBORN
            ended = getattr(world, way)(Machine() if calm else _machine(draw), _faults(draw, none=calm))
            happened[f"{way}: {ended}"] += 1
    world.check()
    happened["points reached"] += world.points
    happened["requests"] += len(world.server.requests)
    return happened, world.counts


def _rules(draw: random.Random) -> list[dict[str, Any]]:
    names = draw.sample(_NAMES, draw.randint(2, len(_NAMES)))
    orders = draw.sample(range(1, 10), len(names))
    return [
        make_rule(name, order, draw.choice(VALUES), stops=draw.random() < 0.6, priority=draw.randint(1, 2))
        for name, order in zip(names, orders, strict=True)
    ]


def _machine(draw: random.Random) -> Machine:
    kill_at = draw.randint(1, 120) if draw.random() < 0.6 else 0
    start = draw.randint(1, 100)
    full = range(start, start + draw.randint(1, 30)) if draw.random() < 0.15 else range(0)
    return Machine(kill_at, full, lambda: draw.choice((0, 1, 5, -3600, 86_400)))


def _faults(draw: random.Random, *, none: bool = False) -> Callable[[], str]:
    often = 0.0 if none else draw.choice((0.0, 0.05, 0.3))
    people = 0.0 if none else draw.choice((0.0, 0.0, 0.1))

    def fault() -> str:
        if draw.random() < often:
            return draw.choice(FAULTS)
        return draw.choice(ACTS) if draw.random() < people else ""

    return fault


def main() -> int:
    """Run the schedules and print the counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument("schedules", nargs="?", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the number of the first schedule")
    options = parser.parse_args()
    happened, wrong = Counter[str](), Counter[str]()
    started = time.perf_counter()
    for number in range(options.first, options.first + options.schedules):
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            what, failures = run_schedule(Path(folder), random.Random(f"{options.seed}/{number}"))
        if +failures:
            print(f"schedule {options.seed}/{number}: {dict(+failures)}", file=sys.stderr)
        happened += what
        wrong += failures
    seconds = time.perf_counter() - started
    print(f"{options.schedules:,} schedules with seed {options.seed} in {seconds:.0f} s")
    for name, count in sorted(happened.items()):
        print(f"  {name:<32}{count:>12,}")
    for name in WRONG:
        print(f"{name:<34}{wrong[name]:>12,}")
    return 1 if +wrong else 0


if __name__ == "__main__":
    sys.exit(main())
