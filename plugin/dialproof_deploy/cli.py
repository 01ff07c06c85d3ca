"""The subcommands ``sandbox``, ``plan``, ``deploy`` and ``audit`` of the ``dialproof`` command.

Each ``add_*`` takes the subcommand's parser and sets ``run``, which returns the exit code and raises
``DialproofError`` for the command to print.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import ExitCode

if TYPE_CHECKING:
    import argparse

    from dialproof.config import Config
    from dialproof.project import Project
    from dialproof_deploy.deploy import Deployer
    from dialproof_deploy.state import StateDir

__all__ = ["add_audit", "add_deploy", "add_plan", "add_sandbox"]


def add_sandbox(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof sandbox``."""
    parser.add_argument("action", nargs="?", choices=("serve", "reset"), default="serve", help="default: serve")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=0, help="port (default: any free one)")
    parser.add_argument("--ephemeral", action="store_true", help="keep the data in memory")
    _add_state_dir(parser)
    parser.set_defaults(run=_sandbox)


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof plan``."""
    _add_project(parser)
    _add_target(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the plan as JSON, one array of campaigns")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help=f"exit with {ExitCode.CHANGES_PENDING:d} if there are changes"
    )
    parser.set_defaults(run=_plan)


def add_deploy(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof deploy``."""
    _add_project(parser)
    _add_target(parser)
    parser.add_argument(
        "plan", nargs="?", type=Path, metavar="PLAN", help="deploy only if this is what 'plan --out' has written"
    )
    parser.add_argument(
        "--evidence", type=Path, metavar="FILE", required=True, help="the evidence that a green pytest run wrote"
    )
    parser.add_argument("--audit-export", type=Path, metavar="FILE", help="export the audit log afterwards")
    parser.set_defaults(run=_deploy)


def add_audit(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof audit``."""
    actions = parser.add_subparsers(dest="audit", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help="check the chain and name its first broken link")
    sync = actions.add_parser("sync", help="read the target's events until none is left")
    sync.add_argument("--interval", default="24h", help="how far back to read (default: 24h)")
    sync.add_argument("--http-log", type=Path, metavar="FILE", help="append a JSON line for each request")
    export = actions.add_parser("export", help="export the audit log and the events")
    export.add_argument("file", type=Path, metavar="FILE", help="the suffix says what: .json, .jsonl or .csv")
    for action, run in ((verify, _audit_verify), (sync, _audit_sync), (export, _audit_export)):
        _add_project(action)
        action.add_argument("--env", required=True, metavar="NAME", help="the environment")
        action.set_defaults(run=run)


def _add_project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--project", type=Path, default=Path(), metavar="PATH", help="a file or folder of the project (default: .)"
    )
    _add_state_dir(parser)


def _add_state_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state-dir", type=Path, metavar="DIR", help="state directory (default: .dialproof at the configuration root)"
    )


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--env", required=True, metavar="NAME", help="the environment; 'sandbox' is built in")
    parser.add_argument(
        "--prune", action="append", default=[], metavar="RULE", help="delete this rule of the target; repeatable"
    )
    parser.add_argument(
        "--allow-transient",
        action="store_true",
        help="go on although contacts that the old and the new rules refuse may be dialed in between",
    )
    parser.add_argument("--http-log", type=Path, metavar="FILE", help="append a JSON line for each request")


def _sandbox(args: argparse.Namespace) -> int:
    from dialproof_deploy.sandbox.run_command import run_sandbox

    state = _state(args, _config(Path()))
    return run_sandbox(args.action, state.root, host=args.host, port=args.port, ephemeral=args.ephemeral)


def _plan(args: argparse.Namespace) -> int:
    from dialproof_deploy.plan.plan import write_plans

    plans = _deployer(args).plan()
    for plan in plans:
        print(plan.render_text(), end="")
    if args.out:
        write_plans(args.out, plans)
    if any(plan.refusals for plan in plans):
        return ExitCode.REFUSED
    pending = args.detailed_exitcode and any(plan.steps for plan in plans)
    return ExitCode.CHANGES_PENDING if pending else ExitCode.OK


def _deploy(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.export import export_audit, sink_of
    from dialproof_deploy.gate.evidence import load_evidence
    from dialproof_deploy.plan.plan import planned_digests

    if args.audit_export:
        sink_of(args.audit_export)
    deployer = _deployer(args)
    planned = planned_digests(args.plan) if args.plan else None
    try:
        result = deployer.deploy(load_evidence(args.evidence), planned=planned)
    except KeyboardInterrupt as interrupt:
        for note in ("interrupted", *getattr(interrupt, "__notes__", ())):
            print(note, file=sys.stderr)
        raise
    for plan in result.plans:
        print(plan.render_text(), end="")
    for note in result.notes:
        _tell(note)
    print(f"Deployed to {result.environment}: {result.writes} writes, {result.new_events} new events")
    if args.audit_export:
        export_audit([result.audit_log, result.event_log], args.audit_export)
    return ExitCode.OK


def _audit_verify(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.log import audit_verify

    return audit_verify(_state(args, _config(args.project)).audit(args.env), sys.stdout)


def _audit_sync(args: argparse.Namespace) -> int:
    args.prune, args.allow_transient = [], False
    deployer = _deployer(args)
    new = deployer.sync_events(args.interval)
    print(f"{deployer.state.events(args.env)}: {new} new events")
    return ExitCode.OK


def _audit_export(args: argparse.Namespace) -> int:
    from dialproof_deploy.audit.export import export_audit
    from dialproof_deploy.audit.log import broken_sentence, verify

    state = _state(args, _config(args.project))
    log = state.audit(args.env)
    result = verify(log)
    count = export_audit([log, state.events(args.env)], args.file)
    print(f"{args.file}: {count} records")
    if not result.ok:
        _tell(f"{broken_sentence(log, result)}; it was exported all the same")
        return ExitCode.FINDINGS
    return ExitCode.OK


def _config(path: Path) -> Config:
    from dialproof.cli.inputs import config_for

    return config_for([path])


def _project(args: argparse.Namespace) -> Project:
    from dialproof.project import load_project

    return load_project(_config(args.project))


def _state(args: argparse.Namespace, config: Config) -> StateDir:
    from dialproof_deploy.state import StateDir

    return StateDir.at(config.root, args.state_dir)


def _deployer(args: argparse.Namespace) -> Deployer:
    from dialproof.progress import progress
    from dialproof_deploy.deploy import Deployer, environment_of

    project = _project(args)
    return Deployer(
        project,
        environment_of(project.config, args.env),
        _state(args, project.config),
        os.environ,
        prune=args.prune,
        allow_transient=args.allow_transient,
        http_log=args.http_log,
        say=_tell,
        progress=progress,
    )


def _tell(sentence: str) -> None:
    """Say on stderr what goes on; that nobody takes it (a closed pipe) changes nothing of what is done."""
    with suppress(OSError):
        print(sentence, file=sys.stderr)
