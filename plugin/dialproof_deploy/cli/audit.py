"""``dialproof audit``: verify, sync or export the audit log of an environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import ExitCode
from dialproof_deploy.cli.common import add_http_log, add_project, config_at, deployer_of, state_of, tell

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof audit``."""
    actions = parser.add_subparsers(dest="audit", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help="check the chain and name its first broken link")
    sync = actions.add_parser("sync", help="read the target's events until none is left")
    sync.add_argument("--interval", default="24h", help="how far back to read (default: 24h)")
    add_http_log(sync)
    export = actions.add_parser("export", help="export the audit log and the events")
    export.add_argument("file", type=Path, metavar="FILE", help="the suffix says what: .json, .jsonl or .csv")
    for action, run in ((verify, _audit_verify), (sync, _audit_sync), (export, _audit_export)):
        add_project(action)
        action.add_argument("--env", required=True, metavar="NAME", help="the environment")
        action.set_defaults(run=run)


def _audit_verify(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.log import audit_verify

    return audit_verify(state_of(args, config_at(args.project)).audit(args.env), sys.stdout)


def _audit_sync(args: argparse.Namespace) -> int:
    deployer = deployer_of(args)
    new = deployer.sync_events(args.interval)
    print(f"{deployer.state.events(args.env)}: {new} new events")
    return ExitCode.OK


def _audit_export(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.export import export_audit
    from dialproof_deploy.audit.log import broken_sentence, verify

    state = state_of(args, config_at(args.project))
    log = state.audit(args.env)
    result = verify(log)
    count = export_audit([log, state.events(args.env)], args.file)
    print(f"{args.file}: {count} records")
    if not result.ok:
        tell(f"{broken_sentence(log, result)}; it was exported all the same")
        return ExitCode.FINDINGS
    return ExitCode.OK
