"""Make docs/performance.md and its plot from a run: ``python -m tests.benchmarks.page bench.json``.

The plot needs the group ``bench`` (``pip install --group bench``).
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DOCS = Path(__file__).parents[2] / "docs"

HEAD = """\
# Performance

Every figure is one of `python -m tests.benchmarks`: both sides in one run, in turn, the median of {rounds} rounds.
Seconds depend on the machine, ratios hardly do. This run: {machine}. Where a target is missed, the last column says so.

![Seconds per rule and contact, by engine](assets/performance.svg)

A row says what is compared: ours / the other side. `linear` is what the first row of its kind would come to if cost
grew with the number of rules; `the first time` is a lint without its cache, where rules or invariants hold CEL of
their own.

"""

Row = dict[str, Any]


def page(run: dict[str, Any]) -> str:
    """Return the page as Markdown."""
    lines = ["| what | ours | other | ratio | target |", "|---|---:|---:|---:|---|"]
    for row in run["rows"]:
        what = row["what"].replace("|", "\\|")
        sides = (_figure(row[side], row["what"]) for side in ("ours", "other"))
        cells = (what, *sides, f"{row['ratio']:.3g}", _target(row))
        lines.append(f"| {' | '.join(cells)} |")
    return HEAD.format(**run) + "\n".join(lines) + "\n"


def _figure(value: float, what: str = "") -> str:
    if "MiB" in what:
        return f"{value:,.0f} MiB"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def _target(row: Row) -> str:
    """Return the target, and that it is missed where it is: of ours where it has a unit, else of the ratio."""
    target = str(row.get("target", ""))
    limit = re.fullmatch(r"<= ([\d.]+) ?(s|ms|ns|)", target)
    if not limit:
        return target
    seen = {
        "": row["ours"] if "MiB" in row["what"] else row["ratio"],
        "s": row["ours"],
        "ms": 1e3 * (row["ours"] - row["other"]),  # what is added to the other side
        "ns": 1e9 * row["ours"],
    }[limit[2]]
    return target if seen <= float(limit[1]) else f"{target}: **missed**"


def _engines(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    """Yield (engine, seconds per rule and contact), each once."""
    seen = set()
    for row in rows:
        sides = re.fullmatch(r"(columns|one rule on one contact: compiled)(.*?) / (.*)", row["what"])
        if not sides:
            continue
        ours = f"columns{sides[2]}" if sides[1] == "columns" else "one function, row by row"
        for name, seconds in ((ours, row["ours"]), (sides[3], row["other"])):
            if name not in seen:
                seen.add(name)
                yield name, seconds


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draw the engines as bars over a logarithmic scale."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "dialproof"  # the same picture from the same figures
    from matplotlib import pyplot as plt

    engines = sorted(_engines(rows), key=lambda engine: -engine[1])
    figure, axes = plt.subplots(figsize=(9, 0.45 * len(engines) + 1.2), layout="constrained")
    ours = [
        "#0550ae" if name.startswith(("columns", "one function", "row function")) else "#8c959f" for name, _ in engines
    ]
    bars = axes.barh([name for name, _ in engines], [seconds * 1e9 for _, seconds in engines], color=ours)
    axes.bar_label(bars, [_figure(seconds) for _, seconds in engines], padding=4)
    axes.set_xscale("log")
    axes.set_xlabel("nanoseconds per rule and contact (blue: dialproof)")
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Write the page and the plot."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.page", description=__doc__)
    parser.add_argument("run", type=Path, help="what python -m tests.benchmarks --json wrote")
    run = json.loads(parser.parse_args().run.read_text(encoding="utf-8"))
    (DOCS / "performance.md").write_text(page(run), encoding="utf-8")
    plot(run["rows"], DOCS / "assets" / "performance.svg")


if __name__ == "__main__":
    main()
