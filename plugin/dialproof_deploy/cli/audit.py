"""``dialproof audit``: verify, read, sync or export the audit log of an environment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dialproof.errors import ExitCode
from dialproof.output.report import count
from dialproof_deploy.cli.common import (
    add_http_log,
    add_interval,
    add_project,
    config_at,
    deployer_of,
    destination,
    state_of,
    tell,
    whole_number,
)

if TYPE_CHECKING:
    import argparse

    from dialproof_deploy.state import StateDir

__all__ = ["add_arguments"]

_LINES = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof audit``."""
    from dialproof_deploy.audit.export import FORMATS, SUFFIXES

    actions = parser.add_subparsers(dest="audit", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help="check the chain and name its first broken link")
    tail = actions.add_parser("tail", help="print the last records, one a line")
    tail.add_argument(
        "-n", "--lines", type=whole_number, default=_LINES, metavar="N", help=f"how many (default: {_LINES})"
    )
    tail.add_argument("-f", "--follow", action="store_true", help="go on with those that are added, until Ctrl-C")
    sync = actions.add_parser("sync", help="read the target's events until none is left")
    add_interval(sync, "24h", "how far back to read")
    add_http_log(sync)
    export = actions.add_parser("export", help="export the audit log and the events")
    export.add_argument(
        "destination",
        type=destination,
        metavar="DESTINATION",
        help=f"a file, whose suffix says what it is ({SUFFIXES}), or the https URL of a webhook",
    )
    export.add_argument("--format", choices=tuple(FORMATS), help="the format, whatever the suffix")
    for action, run in ((verify, _verify), (tail, _tail), (sync, _sync), (export, _export)):
        add_project(action)
        action.add_argument("--env", required=True, metavar="NAME", help="the environment")
        action.set_defaults(run=run)


def _known(args: argparse.Namespace) -> StateDir:
    """Return the state directory; an environment that is gone from the configuration may still have its log."""
    from dialproof_deploy.deploy import environment_of

    config = config_at(args.project)
    state = state_of(args, config)
    if not state.audit(args.env).exists():
        environment_of(config, args.env)
    return state


def _verify(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.log import audit_verify

    return audit_verify(_known(args).audit(args.env), sys.stdout)


def _tail(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.tail import follow, last_records, line_of

    log = _known(args).audit(args.env)
    added = follow(log, args.lines) if args.follow else last_records(log, args.lines)
    for record in added:
        print(line_of(record), flush=args.follow)
    return ExitCode.OK


def _sync(args: argparse.Namespace) -> int:
    deployer = deployer_of(args)
    new = deployer.sync_events(args.interval)
    print(f"{deployer.state.events(args.env)}: {count(new, 'new event')}")
    return ExitCode.OK


def _export(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.export import export_audit, name_of
    from dialproof_deploy.audit.log import broken_sentence, verify

    state = _known(args)
    log = state.audit(args.env)
    result = verify(log)
    exported = export_audit([log, state.events(args.env)], args.destination, form=args.format)
    print(f"{name_of(args.destination)}: {exported}")
    if not result.ok:
        tell(f"{broken_sentence(log, result)}; it was exported all the same")
        return ExitCode.FINDINGS
    return ExitCode.OK
