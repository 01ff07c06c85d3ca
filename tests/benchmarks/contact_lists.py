"""Whole contact lists: ``dialproof.bulk`` against Polars and SQL written by hand, row functions and engines of CEL.

Every way has to come to the same counts, or the benchmark ends.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks import workload
from tests.benchmarks.by_hand import in_polars, in_sql
from tests.benchmarks.cel_engines import cel_engines
from tests.benchmarks.peak import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from dialproof.bulk.run import BulkEvaluator

    Row = dict[str, object]
    Timer = Callable[[Sequence[Callable[[], object]], int], list[float]]

NUMBERS = ("customFields.lifetimeValue", "customFields.leadAge", "attempts", "age", "balance", "score")
CODED = ("state", "tier", "product", "segment", "consent", "nickname", "zip")


def contacts(count: int) -> pl.DataFrame:
    """Return contacts as they come out of a Parquet file: doubles, text as enumerations, instants."""
    import polars as pl

    draw = random.Random(3)
    rows = []
    for _ in range(count):
        contact = workload.contact(draw)
        rows.append(contact | {f"customFields.{k}": v for k, v in contact.pop("customFields").items()})
    plain = pl.DataFrame(rows, infer_schema_length=None)
    return plain.with_columns(
        *(pl.col(name).cast(pl.Float64) for name in NUMBERS),
        *(pl.col(name).cast(pl.Enum(plain[name].drop_nulls().unique().sort())) for name in CODED),
        pl.col("lastCall").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC"),
    )


def decided(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the contacts that have every column, so that every condition is decided; as many as there were."""
    import polars as pl

    whole = frame.drop_nulls()
    return pl.concat([whole] * (frame.height // whole.height + 1)).head(frame.height).rechunk()


def campaign(rules: list[dict[str, Any]]) -> BulkEvaluator:
    """Return the bulk evaluator of rules over the columns of the workload."""
    import json

    from dialproof.bulk.run import BulkEvaluator
    from dialproof.config import load_config
    from dialproof.evaluate import Evaluator
    from dialproof.project import load_project

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dialproof.toml").write_text("")
        (folder / "some.contactlist.json").write_text(json.dumps({"columns": workload.COLUMNS}))
        content = {"campaign": "bench", "contactList": "some.contactlist.json", "rules": rules}
        (folder / "some.rules.json").write_text(json.dumps(content))
        config = load_config(folder)
        return BulkEvaluator(Evaluator(load_project(config).campaigns[0], config.semantics))


def with_writes(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rules; every fourth also writes a column that later ones read."""
    writes = [
        {"attribute": "tier", "value": "gold"},
        {"attribute": "attempts", "option": "INCREMENT"},
        {"attribute": "state", "value": "TX"},
        {"attribute": "nickname", "value": ""},
    ]
    return [
        rule | {"actions": [*rule["actions"], {"type": "setAttribute", **writes[i // 4 % 4]}]} if i % 4 == 0 else rule
        for i, rule in enumerate(rules)
    ]


def contact_lists(in_turn: Timer, rounds: int, count: int) -> list[Row]:
    """Time one rule on one contact, from memory and from files; the second number of a row is the other's."""
    import polars as pl

    rules = workload.rules(random.Random(1))
    pairs = count * len(rules)
    frame = contacts(count)
    rows: list[Row] = []
    bulk, hand = campaign(rules), in_polars(rules)
    whole = decided(frame)
    writing = campaign(with_writes(rules))

    def matched(of: BulkEvaluator, some: pl.DataFrame) -> list[int]:
        return [int(column.sum()) for column in of.run(some).matched.values()]

    if matched(bulk, frame) != list(frame.select(hand).row(0)):
        raise SystemExit("the columns and Polars written by hand do not agree")
    for what, of, some, target in (
        ("everything decided", bulk, whole, "<= 2 ns"),
        ("2 % undecided, lists", bulk, frame, "<= 6 ns"),
        ("undecided, lists, writes", writing, frame, "<= 6 ns"),
    ):
        a, b = in_turn([lambda of=of, some=some: matched(of, some), lambda some=some: some.select(hand)], rounds)  # type: ignore[misc]
        rows.append(_row(f"columns, {what} / Polars by hand", a / pairs, b / pairs, target))
    rows += _sql(in_turn, rounds, frame, rules, pairs, bulk)
    rows += _by_row(in_turn, rounds, frame, bulk, writing)
    rows += cel_engines(in_turn, rounds, frame, rules, bulk)
    if bulk.by_row or writing.by_row:
        raise SystemExit("a rule was not run by columns")
    return [*rows, *_files(in_turn, rounds, frame.with_columns(pl.col(pl.Enum).cast(pl.String)))]


def _row(what: str, ours: float, other: float, target: str = "") -> Row:
    return {"what": what, "ours": ours, "other": other, "ratio": ours / other, "target": target}


def _sql(
    in_turn: Timer, rounds: int, frame: pl.DataFrame, rules: list[dict[str, Any]], pairs: int, bulk: BulkEvaluator
) -> list[Row]:
    try:
        import duckdb
    except ImportError:
        print("DuckDB is not installed: not run", file=sys.stderr)
        return []
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.register("arrow", frame.to_arrow())
    connection.execute("CREATE TABLE contacts AS SELECT * FROM arrow")
    statement = in_sql(rules)
    counts = list(connection.execute(statement).fetchone() or ())
    if counts != [int(column.sum()) for column in bulk.run(frame).matched.values()]:
        raise SystemExit("the columns and DuckDB do not agree")
    a, b = in_turn([lambda: bulk.run(frame), lambda: connection.execute(statement).fetchall()], rounds)
    return [_row("columns, 2 % undecided, lists / DuckDB", a / pairs, b / pairs)]


def _by_row(in_turn: Timer, rounds: int, frame: pl.DataFrame, bulk: BulkEvaluator, writing: BulkEvaluator) -> list[Row]:
    """Hold the columns against the row functions and cel-python, and time a contact of each."""
    from dialproof.bulk.columns import contacts_of
    from dialproof.evaluate import Evaluator

    rows: list[Row] = []
    for what, of in (("", bulk), (" with writes", writing)):
        reference = Evaluator(of.evaluator.campaign, of.evaluator.semantics, reference=True)
        for name, evaluator, size in (("row function", of.evaluator, 20_000), ("cel-python", reference, 50)):
            some = frame.head(size)
            people = contacts_of(some)
            outcomes = [evaluator.run(person) for person in people]
            batch = of.run(some)
            for rule, column in batch.matched.items():
                if column.to_list() != [rule in outcome.matched for outcome in outcomes]:
                    raise SystemExit(f"the columns and {name} do not agree on {rule}")
            if batch.dial is None or batch.dial.to_list() != [outcome.dial for outcome in outcomes]:
                raise SystemExit(f"the columns and {name} do not agree on who is dialed")
            part = people[: size // 10]
            a, b = in_turn(
                [lambda of=of: of.run(frame), lambda e=evaluator, p=part: [e.run(person) for person in p]],  # type: ignore[misc]
                rounds,
            )
            per_pair = a / frame.height / len(of.rules)
            rows.append(_row(f"columns{what} / {name}", per_pair, b / len(part) / len(of.rules)))
    return rows


def _files(in_turn: Timer, rounds: int, frame: pl.DataFrame) -> list[Row]:
    """Read and run files through the command's own way, against the fastest reader alone."""
    import polars as pl
    from pyarrow import csv, parquet

    from dialproof.bulk.backtest import Options, backtest

    bulk = campaign(workload.rules(random.Random(1)))
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for suffix, target in ((".csv", "<= 2"), (".parquet", "<= 1.5")):
            file = Path(name, f"contacts{suffix}")
            if suffix == ".csv":
                moments = pl.col("lastCall").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
                frame.with_columns(moments, pl.col("mobile").cast(pl.String)).write_csv(file)
            else:
                frame.write_parquet(file)
            alone: Callable[[Path], object] = csv.read_csv if suffix == ".csv" else parquet.read_table
            a, b = in_turn(
                [
                    lambda file=file: backtest(bulk.evaluator, {file.name: file}, Options(check=0)),  # type: ignore[misc]
                    lambda file=file, alone=alone: alone(file),  # type: ignore[misc]
                ],
                rounds,
            )
            rows.append(_row(f"backtest of {frame.height:,} in {suffix} / pyarrow reading alone", a, b, target))
    return rows


def memory(count: int) -> Row:
    """Return the most memory, in MiB, that a backtest of a Parquet file takes; the other number is of a tenth of it."""
    import polars as pl
    from pyarrow import parquet

    part = contacts(100_000).with_columns(pl.col(pl.Enum).cast(pl.String)).to_arrow()
    peaks = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workload.write_project(folder)
        for size in (count // 10, count):
            file = folder / f"{size}.parquet"
            with parquet.ParquetWriter(file, part.schema) as writer:
                for _ in range(size // part.num_rows):
                    writer.write_table(part)
            script = (
                "import sys\nfrom dialproof.cli import main\nfrom tests.benchmarks.peak import peak_mib\n"
                f"code = main(['backtest', {name!r}, {str(file)!r}, '-f', 'json={folder / 'out.json'!s}'])\n"
                "print(peak_mib())\nsys.exit(code)\n"
            )
            start = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(done.stderr)
            print(f"{size:,} contacts in Parquet: {time.perf_counter() - start:.1f} s", file=sys.stderr)
            peaks.append(float(done.stdout.split()[-1]))
    return _row(f"MiB at most for {count:,} / {count // 10:,} contacts in Parquet", peaks[1], peaks[0], "<= 2048")
