"""``dialproof deploy``: deploy what the evidence says was tested, or end a deploy that was interrupted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import ExitCode, RefusedError, UsageError
from dialproof.output.report import count
from dialproof_deploy.cli.common import (
    add_confirmation,
    add_planning,
    deployer_of,
    destination,
    tell,
)

if TYPE_CHECKING:
    import argparse

    from dialproof_deploy.deploy import Deployer, DeployResult

__all__ = ["add_arguments", "show_result"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof deploy``."""
    add_planning(parser)
    add_confirmation(parser)
    parser.add_argument(
        "plan", nargs="?", type=Path, metavar="PLAN", help="deploy only if this is what 'plan --out' has written"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--evidence", type=Path, metavar="FILE", help="the evidence that a green pytest run wrote")
    what.add_argument(
        "--resume", action="store_true", help="carry a deploy that was interrupted on to what was planned"
    )
    what.add_argument("--abort", action="store_true", help="take back what a deploy that was interrupted has made")
    what.add_argument("--abandon", action="store_true", help="forget a deploy that was interrupted; what stands, stays")
    parser.add_argument(
        "--audit-export",
        type=destination,
        metavar="DESTINATION",
        help="export the audit log afterwards, as 'dialproof audit export' does",
    )
    parser.set_defaults(run=_deploy)


def _deploy(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.export import check_destination, export_audit

    of_a_plan = (args.plan, args.prune, args.allow_transient, args.contacts, args.confirm_widening is not None)
    if not args.evidence and any(of_a_plan):
        raise UsageError(
            "PLAN, --prune, --allow-transient, --contacts and --confirm-widening are for a new deploy: what was "
            "interrupted has its plan"
        )
    if args.audit_export:
        check_destination(args.audit_export, args.env)
    deployer = deployer_of(args)
    try:
        _do(deployer, args)
    except KeyboardInterrupt as interrupt:
        for note in ("interrupted", *getattr(interrupt, "__notes__", ())):
            print(note, file=sys.stderr)
        raise
    if args.audit_export:
        export_audit([deployer.state.audit(args.env), deployer.state.events(args.env)], args.audit_export)
    return ExitCode.OK


def _do(deployer: Deployer, args: argparse.Namespace) -> None:
    from dialproof_deploy.gate.evidence import load_evidence
    from dialproof_deploy.plan.plan_file import read_planned

    if args.abort:
        print(f"Taken back in {args.env}: {count(deployer.abort(), 'write')} undone")
    elif args.abandon:
        deployer.abandon()
        print(f"Forgotten in {args.env}: what stands there stays, and is what the next plan finds")
    elif args.resume:
        show_result(deployer.resume())
    else:
        try:
            planned = read_planned(args.plan, args.env) if args.plan else None
            evidence = load_evidence(args.evidence)
        except RefusedError as error:
            deployer.record_refusal(str(error).splitlines())
            raise
        show_result(deployer.deploy(evidence, planned=planned))


def show_result(result: DeployResult, *words: str) -> None:
    """Print what a deploy did; ``words`` are those of ``DeployResult.summary``."""
    from dialproof_deploy.plan.render import plan_text

    for plan in result.plans:
        print(plan_text(plan), end="")
    for note in result.notes:
        tell(note)
    summary = result.summary(*words)
    print(summary[0].upper() + summary[1:])
