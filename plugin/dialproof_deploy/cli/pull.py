"""``dialproof pull``: write what stands on a target as files of a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import ExitCode, UsageError
from dialproof.output.report import count
from dialproof_deploy.cli.common import add_environment, add_http_log, add_project, deployer_of, tell, whole_number

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments"]

_SAMPLE = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof pull``."""
    add_project(parser)
    add_environment(parser)
    add_http_log(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write the files (default: the configuration root)"
    )
    parser.add_argument(
        "--sample",
        type=whole_number,
        default=_SAMPLE,
        metavar="N",
        help=f"masked contacts of each contact list, where the target has them (default: {_SAMPLE}; 0: none)",
    )
    parser.set_defaults(run=_pull)


def _pull(args: argparse.Namespace) -> int:
    from dialproof_deploy.pull.clashes import clashes
    from dialproof_deploy.pull.pull import pull, write_files

    deployer = deployer_of(args)
    pulled = pull(deployer, args.sample)
    folder = args.out or deployer.project.config.root
    if found := clashes(folder, pulled.files, pulled.campaigns):
        there = "\n".join(found)
        raise UsageError(
            f"{there}\npull into a folder outside of that project, or into one with a dialproof.toml of its own that "
            f"has the environment {args.env!r}"
        )
    write_files(folder, pulled.files)
    for name in pulled.files:
        print(f"wrote {(folder / name).as_posix()}")
    for note in pulled.notes:
        tell(note)
    print(f"Pulled {count(pulled.rules, 'rule')}" + (": a plan of them has no changes" if pulled.unchanged else ""))
    return ExitCode.OK
