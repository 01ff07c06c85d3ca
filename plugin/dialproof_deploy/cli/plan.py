"""``dialproof plan``: show what a deploy would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import ExitCode
from dialproof_deploy.cli.common import add_environment, add_http_log, add_project, add_writes, deployer_of

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof plan``."""
    add_project(parser)
    add_environment(parser)
    add_writes(parser)
    add_http_log(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the plan as JSON, one array of campaigns")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help=f"exit with {ExitCode.CHANGES_PENDING:d} if there are changes"
    )
    parser.set_defaults(run=_plan)


def _plan(args: argparse.Namespace) -> int:
    from dialproof_deploy.plan.plan import write_plans

    plans = deployer_of(args).plan()
    for plan in plans:
        print(plan.render_text(), end="")
    if args.out:
        write_plans(args.out, plans)
    if any(plan.refusals for plan in plans):
        return ExitCode.REFUSED
    pending = args.detailed_exitcode and any(plan.steps for plan in plans)
    return ExitCode.CHANGES_PENDING if pending else ExitCode.OK
