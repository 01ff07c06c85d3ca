"""``dialproof plan``: show what a deploy would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.cli.outputs import add_output_format, outputs_of, write_output
from dialproof.errors import ExitCode
from dialproof_deploy.cli.common import (
    add_planning,
    deployer_of,
)

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof plan``."""
    add_planning(parser)
    add_output_format(parser, "text (default), json, or markdown for a comment on a pull request")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the plan for 'dialproof deploy FILE'")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help=f"exit with {ExitCode.CHANGES_PENDING:d} if there are changes"
    )
    parser.set_defaults(run=_plan)


def _plan(args: argparse.Namespace) -> int:
    from dialproof_deploy.plan.plan_file import write_plans
    from dialproof_deploy.plan.render import FORMATS, render

    outputs = outputs_of(args.output_format or ["text"], FORMATS)
    plans = deployer_of(args).plan()
    for name, file in outputs:
        write_output(file, render(name, args.env, plans))
    if args.out:
        write_plans(args.out, args.env, plans)
    if any(plan.refusals for plan in plans):
        return ExitCode.REFUSED
    pending = args.detailed_exitcode and any(plan.steps for plan in plans)
    return ExitCode.CHANGES_PENDING if pending else ExitCode.OK
