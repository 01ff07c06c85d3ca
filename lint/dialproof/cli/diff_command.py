"""``dialproof diff OLD [NEW]``: what a change of rules does to contacts, proved or shown on a contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.cli.inputs import shown
from dialproof.cli.outputs import add_output_format, outputs_of, write_output
from dialproof.errors import ExitCode, UsageError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add both states and the options."""
    parser.add_argument("old", metavar="OLD",
        help="a *.rules.yaml file, the folder of a project, or a git revision")  # fmt: skip
    parser.add_argument("new", nargs="?", metavar="NEW",
        help="likewise; left out: the files as they are on disk, and a revision OLD then stands for its merge base "
        "with HEAD, as in a pull request (two revisions are compared as they are)")  # fmt: skip
    parser.add_argument("--campaign", metavar="ID", help="this campaign only")
    parser.add_argument("--contacts", metavar="FILE", nargs="+", default=[],
        help="count over these contacts too: .csv, .csv.gz or .parquet files; globs are understood")  # fmt: skip
    parser.add_argument("--missing-columns", choices=("fail", "blank"), default="fail",
        help="a column that conditions read and those files lack: an error (default), or blank for all")  # fmt: skip
    parser.add_argument("--on-bad-row", choices=("fail", "skip", "report"), default="fail",
        help="what cannot be read as a row: an error (default), left out and counted, or named as well")  # fmt: skip
    parser.add_argument("--exit-code", action="store_true",
        help="exit with 1 unless everything is proved to be equal")  # fmt: skip
    add_output_format(parser, "text (default), markdown (for a pull request) or json")


def run(args: argparse.Namespace) -> int:
    """Compare; return 0, with ``--exit-code`` 1 where something is not equal, and 3 for rules that cannot be read."""
    from dialproof.cli.states import states_of
    from dialproof.diff.campaigns import diffs_of, pairs_of
    from dialproof.diff.report import FORMATS, Report
    from dialproof.progress import progress

    outputs = outputs_of(args.output_format or ["text"], FORMATS)
    files: list[Path] = []
    if args.contacts:
        from dialproof.bulk import check_installed

        check_installed()
        from dialproof.bulk.read import files_of

        files = files_of(args.contacts)
    named = {shown(file.resolve()): file for file in files}
    with states_of(args.old, args.new, files) as (old, new):
        pairs = list(pairs_of(old, new, args.campaign))
        if not pairs:
            known = ", ".join(dict.fromkeys(i for s in (old, new) for c in s.campaigns for i in c.ids)) or "none"
            raise UsageError(f"expected the campaign {args.campaign!r}, and there are {known}")
        found = []
        with progress(len(pairs)) as step:
            for diff, comparisons in diffs_of(pairs, old, new, step):
                if files and comparisons:
                    from dialproof.diff.counting import count_contacts

                    count_contacts(
                        diff, comparisons, named, on_bad_row=args.on_bad_row,
                        blank_columns=args.missing_columns == "blank",
                    )  # fmt: skip
                found.append(diff)
        report = Report(old.label, new.label, found)
    for name, file in outputs:
        write_output(file, FORMATS[name](report))
    return ExitCode.FINDINGS if args.exit_code and not report.equal else ExitCode.OK
