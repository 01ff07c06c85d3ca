"""``dialproof backtest [RULES] CONTACTS...``: what rules do to whole contact lists, and what a change of them does."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.cli.inputs import campaign_in, check_clock, compiled, config_for, shown
from dialproof.cli.outputs import add_output_format, outputs_of, write_output
from dialproof.errors import ExitCode, UsageError
from dialproof.reading import kind_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files and the options."""
    parser.add_argument("paths", nargs="+", metavar="[RULES] CONTACTS",
        help="a *.rules.yaml file or a folder of one project (default: the current one), then .csv, .csv.gz or "
        ".parquet files; globs are understood")  # fmt: skip
    parser.add_argument("--campaign", metavar="ID", help="the campaign, where the project has several")
    parser.add_argument("--category", choices=("preCall", "wrapUp"), default="preCall")
    parser.add_argument("--against", metavar="RULES", help="old rules: report the contacts whose outcome changes")
    parser.add_argument("--against-rev", metavar="REV", help="the same against the rules at a git revision")
    parser.add_argument("--id", metavar="COLUMN", help="the column that names a contact")
    parser.add_argument("--ids", metavar="FILE", type=Path, help="write the ids of changed contacts, one a line")
    parser.add_argument("--on-bad-row", choices=("fail", "skip", "report"), default="fail",
        help="what cannot be read as a row: an error (default), left out and counted, or named as well")  # fmt: skip
    parser.add_argument("--missing-columns", choices=("fail", "blank"), default="fail",
        help="a column that conditions read and a file lacks: an error (default), or blank for all")  # fmt: skip
    parser.add_argument("--now", metavar="TIME", help="the clock of every contact (default 2026-01-01T12:00:00Z)")
    parser.add_argument("--time-zone", metavar="NAME", help="of times without offset, an IANA name (default UTC)")
    parser.add_argument("--top", type=int, default=10, metavar="N", help="combinations of rules that are listed")
    parser.add_argument("--check", type=int, default=100, metavar="N", help="contacts that cel-python checks too")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the contacts that are checked")
    parser.add_argument("--engine", choices=("polars", "duckdb"), default="polars",
        help="what decides conditions: Polars, or DuckDB (extra duckdb); the outcomes are the same")  # fmt: skip
    parser.add_argument("--sql", action="store_true",
        help="run nothing: print the query that gives the outcomes of a table of such contacts in DuckDB")  # fmt: skip
    parser.add_argument("--slowest", type=int, default=0, metavar="N",
        help="measure what each condition costs, and show the N slowest (default: none)")  # fmt: skip
    add_output_format(parser, "text (default), markdown (for a pull request), json, or parquet=FILE")


def run(args: argparse.Namespace) -> int:
    """Run the backtest; return 3 for contacts or rules that cannot be read, 70 where cel-python disagrees."""
    from dialproof.bulk import check_installed

    check_installed("duckdb" if args.sql or args.engine == "duckdb" else "bulk")
    from dialproof.bulk.backtest import Options, backtest
    from dialproof.bulk.read import files_of
    from dialproof.bulk.report_formats import FORMATS

    outputs = outputs_of(args.output_format or ["text"], FORMATS)
    if ("parquet", None) in outputs:
        raise UsageError("--output-format parquet is for a file: write parquet=FILE")
    rules, contacts = _split(args.paths)
    if args.ids is not None and (args.id is None or not (args.against or args.against_rev)):
        raise UsageError("--ids takes the contacts that change: name --against or --against-rev, and their --id column")
    runs = ("against", "against_rev", "slowest", "output_format")
    given = [f"--{name.replace('_', '-')}" for name in runs if getattr(args, name)]
    if args.sql and given:
        raise UsageError(f"--sql runs nothing and prints the query of one set of rules: leave out {', '.join(given)}")
    if args.against and args.against_rev:
        raise UsageError("name --against or --against-rev, not both")
    check_clock(args.now, args.time_zone)
    if min(args.top, args.check, args.slowest) < 0:
        raise UsageError("--top, --check and --slowest take a number that is not negative")
    files = files_of(contacts)
    if args.sql and len(files) > 1:
        raise UsageError(f"--sql prints the query for a table with the columns of one file: name one of {len(files)}")
    config = config_for([rules])
    options = Options(
        category=args.category, now=args.now, time_zone=args.time_zone, id_column=args.id, ids=args.ids,
        on_bad_row=args.on_bad_row, blank_columns=args.missing_columns == "blank", top=args.top, check=args.check,
        seed=args.seed, slowest=args.slowest, engine=args.engine,
    )  # fmt: skip
    with ExitStack() as stack:
        campaign, new = campaign_in(config, rules, args.campaign, files)
        if args.sql:
            from dialproof.bulk.in_duckdb import sql_of

            sys.stdout.write(sql_of(new, shown(files[0].resolve()), files[0], options))
            return ExitCode.OK
        old, against = None, ""
        if args.against:
            old = campaign_in(config_for([Path(args.against)]), Path(args.against), args.campaign, files)[1]
            against = args.against
        elif args.against_rev:
            from dialproof.base import base_of

            base = stack.enter_context(base_of(replace(config, base=args.against_rev)))
            why = base.open(campaign)
            before = base.before(campaign)
            if why or not before:
                raise UsageError(why or f"campaign {campaign.id} is not there at {args.against_rev}")
            old = compiled(before[0], base.project, str(base.project.config.root))
            against = f"{args.against_rev} ({base.commit[:12]})"
        report = backtest(new, {shown(file.resolve()): file for file in files}, options, old=old, against=against)
    for name, file in outputs:
        write_output(file, FORMATS[name](report))
    return ExitCode.INTERNAL if report.recheck.wrong else ExitCode.OK


def _split(paths: Sequence[str]) -> tuple[Path, list[str]]:
    first = Path(paths[0])
    if first.is_dir() or kind_of(first.name) == "rules":
        if len(paths) == 1:
            raise UsageError("no contacts: name .csv, .csv.gz or .parquet files behind the rules")
        return first, list(paths[1:])
    return Path(), list(paths)
