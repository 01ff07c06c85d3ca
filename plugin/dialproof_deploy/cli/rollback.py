"""``dialproof rollback``: restore the rules of an earlier deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.errors import ExitCode, UsageError
from dialproof_deploy.cli.common import (
    add_confirmation,
    add_planning,
    config_at,
    deployer_of,
    state_of,
    tell,
)

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof rollback``."""
    add_planning(parser)
    add_confirmation(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--last", action="store_true", help="take the deploy that stands back to the one before it")
    which.add_argument("--to", metavar="DEPLOY", help="restore the rules of this deploy")
    which.add_argument("--list", action="store_true", help="list the deploys of the environment")
    parser.add_argument(
        "--overwrite",
        action="append",
        default=[],
        metavar="RULE",
        help="restore this rule although somebody changed it on the target; repeatable",
    )
    parser.add_argument("--plan", action="store_true", help="show what would be written, and write nothing")
    parser.set_defaults(run=_rollback)


def _rollback(args: argparse.Namespace) -> int:
    from dialproof_deploy.cli.deploy import show_result
    from dialproof_deploy.deploy import environment_of
    from dialproof_deploy.plan.render import render
    from dialproof_deploy.rollout.rollback import listed

    if args.list:
        config = config_at(args.project)
        environment_of(config, args.env)
        for line in listed(state_of(args, config), args.env) or [f"there is no deploy to environment {args.env!r} yet"]:
            print(line)
        return ExitCode.OK
    if args.to == "":
        raise UsageError("--to: expected the id of a deploy; 'dialproof rollback --list' shows them")
    if args.plan:
        plans, notes = deployer_of(args).plan_rollback(args.to or "", overwrite=args.overwrite)
        print(render("text", args.env, plans, "rollback"), end="")
        for note in notes:
            tell(note)
        return ExitCode.REFUSED if any(plan.refusals for plan in plans) else ExitCode.OK
    show_result(
        deployer_of(args).rollback(args.to or "", overwrite=args.overwrite), "rolled back in", "nothing to restore in"
    )
    return ExitCode.OK
