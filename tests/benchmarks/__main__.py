"""Run the benchmarks and print one table: ``python -m tests.benchmarks [--quick] [--json FILE]``.

Both sides of every ratio are timed in this one run, in turn, and the median is what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks import workload
from tests.benchmarks.changes import diff_of_edits
from tests.benchmarks.contact_lists import contact_lists, memory
from tests.benchmarks.deploys import deploys
from tests.benchmarks.peak import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = dict[str, object]

_EXAMPLE = Path(__file__).parents[2] / "examples" / "premium_routing"
_PEAKS = """
import sys
from pathlib import Path
from dialproof.checks.base import CheckContext
from dialproof.checks.registry import find_check
from dialproof.config import load_config
from dialproof.project import load_project
from dialproof.source import paused_gc
from tests.benchmarks.peak import peak_mib

def peak():
    print(peak_mib())

with paused_gc():  # as the linter does
    check = find_check("DP301")
    project = load_project(load_config(Path(sys.argv[1])))
    peak()
    context = CheckContext(project, project.campaigns[0], check)
    context.evaluator
    peak()
    found = list(check.run(context))
    peak()
"""


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _in_turn(calls: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the median seconds of each call, run in turn, after one round that does not count."""
    for call in calls:
        call()
    times = [[_seconds(call) for call in calls] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def _command(*arguments: str, cwd: Path) -> Callable[[], object]:
    # Compiled modules are kept between runs, as they are for every user.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run() -> None:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")

    return run


def items(rounds: int, cases: int, form: str) -> Row:
    """Cases under pytest against the same number of empty pytest items."""
    with tempfile.TemporaryDirectory() as name:
        ours, empty = Path(name, "ours"), Path(name, "empty")
        ours.mkdir()
        empty.mkdir()
        workload.write_project(ours, cases=cases, form=form)
        (empty / "conftest.py").write_text(
            "import pytest\n"
            "class Item(pytest.Item):\n"
            "    def runtest(self): pass\n"
            "class File(pytest.File):\n"
            "    def collect(self):\n"
            f"        for i in range({cases}): yield Item.from_parent(self, name=f'case {{i}}')\n"
            "def pytest_collect_file(file_path, parent):\n"
            "    if file_path.suffix == '.empty': return File.from_parent(parent, path=file_path)\n"
        )
        (empty / "some.empty").write_text("")
        options = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=junit.xml")
        a, b = _in_turn([_command(*options, cwd=ours), _command(*options, "-p", "no:dialproof", cwd=empty)], rounds)
    return {
        "what": f"{cases:,} {form.upper()} cases on 20 rules / empty items",
        "ours": a,
        "other": b,
        "ratio": a / b,
        "target": "<= 1.5",
    }


def evaluation(rounds: int) -> Row:
    """Time the compiled function against cel-python, per rule and contact."""
    from dialproof.config import load_config
    from dialproof.evaluate import Evaluator
    from dialproof.project import load_project

    with tempfile.TemporaryDirectory() as name:
        workload.write_project(Path(name))
        config = load_config(Path(name))
        campaign = load_project(config).campaigns[0]
        fast, slow = Evaluator(campaign, config.semantics), Evaluator(campaign, config.semantics, reference=True)
    draw = random.Random(3)
    many, few = [workload.contact(draw) for _ in range(2000)], [workload.contact(draw) for _ in range(5)]
    a, b = _in_turn([lambda: [fast.run(c) for c in many], lambda: [slow.run(c) for c in few]], rounds)
    ours, other = a / len(many) / 20, b / len(few) / 20
    return {
        "what": "one rule on one contact: compiled / cel-python",
        "ours": ours,
        "other": other,
        "ratio": ours / other,
        "target": "<= 1000 ns",
    }


def plugin_start(rounds: int) -> Row:
    """Time pytest in a project without rules, with and without the plugin.

    A start takes half a second give or take more than the plugin costs, so that it is the median of the differences
    between neighbours that counts, of many.
    """
    with tempfile.TemporaryDirectory() as name:
        Path(name, "test_one.py").write_text("def test_one(): pass\n")
        options = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
        ours, other = _command(*options, cwd=Path(name)), _command(*options, "-p", "no:dialproof", cwd=Path(name))
        ours()
        other()
        pairs = []
        for turn in range(rounds * 10):  # whoever comes second may be better or worse off
            first, second = (ours, other) if turn % 2 else (other, ours)
            times = _seconds(first), _seconds(second)
            pairs.append(times if turn % 2 else times[::-1])
    b = statistics.median(plain for _, plain in pairs)
    a = b + statistics.median(with_it - plain for with_it, plain in pairs)
    return {
        "what": f"pytest without rules: with / without the plugin ({1000 * (a - b):.0f} ms)",
        "ours": a,
        "other": b,
        "ratio": a / b,
        "target": "<= 10 ms",
    }


def collection(rounds: int, files: int) -> Row:
    """Time the collection of rules files of ten rules each by pytest, each with a file of one case."""
    with tempfile.TemporaryDirectory() as name:
        workload.write_files(Path(name), files)
        options = ("-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider")
        empty = Path(name, "empty")
        empty.mkdir()
        Path(empty, "test_one.py").write_text("def test_one(): pass\n")
        a, b = _in_turn(
            [_command(*options, "--ignore=empty", cwd=Path(name)), _command(*options, cwd=empty)], max(1, rounds // 2)
        )
    return {
        "what": f"collection of {files:,} rules files of 10 rules / one empty test",
        "ours": a,
        "other": b,
        "ratio": a / b,
        "target": "<= 5 s",
    }


def lint_start(rounds: int) -> list[Row]:
    """``dialproof lint`` on the first example, with what it keeps and without, against a bare Python start with PyYAML.

    What it keeps are the trees of the CEL that a user wrote: the two invariants of the example.
    """
    with tempfile.TemporaryDirectory() as name:
        kept, fresh = Path(name, "kept"), Path(name, "fresh")
        for folder in (kept, fresh):
            shutil.copytree(_EXAMPLE, folder, ignore=shutil.ignore_patterns(".dialproof"))
        lint = _command("-m", "dialproof", "lint", ".", cwd=fresh)

        def first() -> None:
            shutil.rmtree(fresh / ".dialproof", ignore_errors=True)
            lint()

        a, b, bare = _in_turn(
            [_command("-m", "dialproof", "lint", ".", cwd=kept), first, _command("-c", "import yaml", cwd=kept)], rounds
        )
    what = "dialproof lint, 3 rules"
    return [
        {
            "what": f"{what} / python -c 'import yaml'",
            "ours": a,
            "other": bare,
            "ratio": a / bare,
            "target": "<= 0.4 s",
        },
        {"what": f"{what}, the first time / later", "ours": b, "other": a, "ratio": b / a, "target": "<= 0.4 s"},
    ]


def lint_growth(rounds: int, counts: Sequence[int]) -> list[Row]:
    """``dialproof lint`` on more and more rules."""
    rows: list[Row] = []
    first = 0.0
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            workload.write_project(Path(name), rule_count=count)
            (seconds,) = _in_turn([_command("-m", "dialproof", "lint", ".", cwd=Path(name))], max(1, rounds // 2))
        first = first or seconds
        rows.append(
            {
                "what": f"dialproof lint, {count:,} / {counts[0]} rules",
                "ours": seconds,
                "other": first,
                "ratio": seconds / first,
            }
        )
    return rows


def analysis_of_pairs(counts: Sequence[int], what: str = "dense", **options: Any) -> list[Row]:
    """Classify every pair of rules with opposite actions, from rules that are read to findings, against linear."""
    rows: list[Row] = []
    for count in counts:
        found, seconds = _check("DP301", lambda folder, n=count: workload.write_pairs(folder, n, **options))  # type: ignore[misc]
        rows.append(_growth(f"pairs of {count:,} rules, {what} ({found:,})", seconds, count, counts[0], rows))
    if counts[-1] == 10_000:
        rows[-1]["target"] = "<= 3 s"
    return rows


def memory_of_pairs(count: int) -> list[Row]:
    """Return the most memory, in MiB, of a process that reads, compiles and classifies, and what it had before each."""
    with tempfile.TemporaryDirectory() as name:
        workload.write_pairs(Path(name), count)
        done = subprocess.run(
            [sys.executable, "-c", _PEAKS, name],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    read, compiled, classified = map(float, done.stdout.split())
    what = f"MiB at most for pairs of {count:,} rules"
    return [
        {"what": f"{what}: compiled / read", "ours": compiled, "other": read, "ratio": compiled / read},
        {
            "what": f"{what}: classified / compiled",
            "ours": classified,
            "other": compiled,
            "ratio": classified / compiled,
            "target": "<= 400",
        },
    ]


def analysis_of_unions(counts: Sequence[int]) -> list[Row]:
    """Rules under ``hitPolicy: first`` that are dead only through several earlier ones together, against linear."""
    rows: list[Row] = []
    for count in counts:
        dead = 132 * count // 10_000
        found, seconds = _check("DP303", lambda folder, n=count, d=dead: workload.write_shadowed(folder, n, d))  # type: ignore[misc]
        if found != dead:
            raise SystemExit(f"{found} rules were found dead, and {dead} are")
        rows.append(_growth(f"unions over {count:,} rules ({found} dead)", seconds, count, counts[0], rows))
    return rows


def analysis_of_gaps(sizes: Sequence[tuple[int, int]]) -> list[Row]:
    """All regions that a decision table leaves over, against linear in its cells (rules x columns)."""
    rows: list[Row] = []
    for count, columns in sizes:
        _, seconds = _check(
            "DP401",
            lambda folder, n=count, c=columns: workload.write_table(folder, n, c, holes=60),  # type: ignore[misc]
        )
        first = sizes[0][0] * sizes[0][1]
        rows.append(_growth(f"gaps of a table of {count:,} x {columns}", seconds, count * columns, first, rows))
    if sizes[-1] == (1500, 15):
        rows[-1]["target"] = "<= 10 s"
    return rows


def _check(code: str, write: Callable[[Path], object]) -> tuple[int, float]:
    """Run one check on a project whose rules are compiled already; return its findings, counted, and the seconds."""
    from dialproof.checks.base import CheckContext
    from dialproof.checks.registry import find_check
    from dialproof.config import load_config
    from dialproof.project import load_project
    from dialproof.source import paused_gc

    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        project = load_project(load_config(Path(name)))
    context = CheckContext(project, project.campaigns[0])
    _seconds(lambda: context.evaluator)
    context.check = find_check(code)
    found: list[object] = []
    with paused_gc():  # as the linter does
        seconds = _seconds(lambda: found.extend(context.check.run(context)))  # type: ignore[union-attr]
    return len(found), seconds


def _growth(what: str, seconds: float, size: int, first: int, rows: Sequence[Row]) -> Row:
    linear = float(str(rows[0]["ours"])) * size / first if rows else seconds
    return {"what": f"{what} / linear", "ours": seconds, "other": linear, "ratio": seconds / linear}


def mutation(rule_count: int, cases: int = 200) -> Row:
    """``dialproof mutate``: about fifteen changes of each rule, each against all cases, what survives shown."""
    from contextlib import redirect_stdout
    from io import StringIO

    from dialproof.cli import main as dialproof

    with tempfile.TemporaryDirectory() as name:
        workload.write_project(Path(name), rule_count=rule_count, cases=cases)
        with redirect_stdout(StringIO()):
            seconds = _seconds(lambda: dialproof(["mutate", name, "-f", f"json={name}/mutants.json"]))
        (found,) = json.loads(Path(name, "mutants.json").read_text())["campaigns"]
    return {
        "what": f"mutation of {rule_count} rules, {found['total']:,} mutants, {cases} cases / 30 s",
        "ours": seconds,
        "other": 30.0,
        "ratio": seconds / 30,
        "target": "<= 1",
    }


def _processor() -> str:
    """Return what the processor is called; the architecture where the system does not say."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and cases")
    parser.add_argument("--json", type=Path, help="write the rows to this file as well")
    options = parser.parse_args()
    rounds = 3 if options.quick else 5
    rows = [
        evaluation(rounds),
        *contact_lists(_in_turn, rounds, 100_000 if options.quick else 1_000_000),
        memory(1_000_000 if options.quick else 10_000_000),
        plugin_start(rounds),
        *lint_start(rounds),
        collection(rounds, 100 if options.quick else 1000),
        *lint_growth(rounds, [10, 100] if options.quick else [10, 100, 1000]),
        *analysis_of_pairs([100, 1000] if options.quick else [100, 1000, 10_000]),
        *memory_of_pairs(1000 if options.quick else 10_000),
        *analysis_of_pairs([100, 1000] if options.quick else [100, 1000, 10_000], "sparse", sparse=True),
        *analysis_of_pairs([100] if options.quick else [100, 300, 1000], "every fourth writes", writers=0.25),
        *analysis_of_unions([1000] if options.quick else [1000, 10_000]),
        *analysis_of_gaps([(100, 5)] if options.quick else [(100, 5), (500, 10), (1500, 15)]),
        diff_of_edits(500 if options.quick else 5_000, 10, rounds),
        mutation(10 if options.quick else 100),
        *deploys(100 if options.quick else 1000),
        *(items(rounds, 1000 if options.quick else 10_000, form) for form in ("csv", "json", "yaml")),
    ]
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}"
    print(f"{machine}, medians of {rounds}")
    print(f"{'what':<72}{'ours [s]':>13}{'other [s]':>13}{'ratio':>9}  target")
    for row in rows:
        print(
            f"{row['what']:<72}{row['ours']:>13.7f}{row['other']:>13.7f}{row['ratio']:>9.3f}  {row.get('target', '')}"
        )
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "rounds": rounds, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
