"""``dialproof deploy``: deploy what the evidence says was tested."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import ExitCode, RefusedError
from dialproof_deploy.cli.common import (
    add_environment,
    add_http_log,
    add_project,
    add_writes,
    deployer_of,
    destination,
    tell,
)

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof deploy``."""
    add_project(parser)
    add_environment(parser)
    add_writes(parser)
    add_http_log(parser)
    parser.add_argument(
        "plan", nargs="?", type=Path, metavar="PLAN", help="deploy only if this is what 'plan --out' has written"
    )
    parser.add_argument(
        "--evidence", type=Path, metavar="FILE", required=True, help="the evidence that a green pytest run wrote"
    )
    parser.add_argument(
        "--audit-export",
        type=destination,
        metavar="DESTINATION",
        help="export the audit log afterwards, as 'dialproof audit export' does",
    )
    parser.set_defaults(run=_deploy)


def _deploy(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.export import check_destination, export_audit
    from dialproof_deploy.gate.evidence import load_evidence
    from dialproof_deploy.plan.plan_file import planned_digests
    from dialproof_deploy.plan.render import plan_text

    if args.audit_export:
        check_destination(args.audit_export, args.env)
    deployer = deployer_of(args)
    try:
        planned = planned_digests(args.plan, args.env) if args.plan else None
        evidence = load_evidence(args.evidence)
    except RefusedError as error:
        deployer.record_refusal(str(error).splitlines())
        raise
    try:
        result = deployer.deploy(evidence, planned=planned)
    except KeyboardInterrupt as interrupt:
        for note in ("interrupted", *getattr(interrupt, "__notes__", ())):
            print(note, file=sys.stderr)
        raise
    for plan in result.plans:
        print(plan_text(plan), end="")
    for note in result.notes:
        tell(note)
    print(f"Deployed to {result.environment}: {result.writes} writes, {result.new_events} new events")
    if args.audit_export:
        export_audit([result.audit_log, result.event_log], args.audit_export)
    return ExitCode.OK
