"""What the subcommands share: arguments, and the project, state directory and deployer that they name."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialproof.config import Config
    from dialproof.model.contacts import ContactsFile
    from dialproof.project import Project
    from dialproof_deploy.deploy import Deployer
    from dialproof_deploy.state import StateDir

__all__ = [
    "add_confirmation",
    "add_environment",
    "add_http_log",
    "add_interval",
    "add_planning",
    "add_project",
    "add_state_dir",
    "config_at",
    "deployer_of",
    "destination",
    "project_of",
    "state_of",
    "tell",
    "whole_number",
]

_LONGEST_NUMBER = 9  # digits


def add_project(parser: argparse.ArgumentParser) -> None:
    """Add ``--project`` and ``--state-dir``."""
    parser.add_argument(
        "--project", type=Path, default=Path(), metavar="PATH", help="a file or folder of the project (default: .)"
    )
    add_state_dir(parser)


def add_state_dir(parser: argparse.ArgumentParser) -> None:
    """Add ``--state-dir``."""
    parser.add_argument(
        "--state-dir", type=Path, metavar="DIR", help="state directory (default: .dialproof at the configuration root)"
    )


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add ``--env``."""
    parser.add_argument("--env", required=True, metavar="NAME", help="the environment; 'sandbox' is built in")


def add_http_log(parser: argparse.ArgumentParser) -> None:
    """Add ``--http-log``."""
    parser.add_argument("--http-log", type=Path, metavar="FILE", help="append a JSON line for each request")


def add_planning(parser: argparse.ArgumentParser) -> None:
    """Add what decides what is planned: all that ``deployer_of`` reads but for ``--confirm-widening``."""
    add_project(parser)
    add_environment(parser)
    parser.add_argument(
        "--prune",
        action="append",
        default=[],
        metavar="RULE",
        help="delete this rule of the target, or take ruleSet:NAME from the campaigns; repeatable",
    )
    parser.add_argument(
        "--allow-transient",
        action="store_true",
        help="go on although contacts that the old and the new rules refuse may be dialed in between",
    )
    parser.add_argument(
        "--contacts",
        type=Path,
        metavar="FILE",
        help="count who comes to be dialed over these contacts, such as an exported contact list (.csv); "
        "default: those of the project",
    )
    add_http_log(parser)


def add_confirmation(parser: argparse.ArgumentParser) -> None:
    """Add ``--confirm-widening``."""
    parser.add_argument(
        "--confirm-widening",
        type=whole_number,
        metavar="N",
        help="write to a running campaign although contacts come to be dialed: N, as the plan counts them",
    )


def add_interval(parser: argparse.ArgumentParser, default: str, what: str) -> None:
    """Add ``--interval``."""
    shown = f"{what}: 30m, 24h, 7d or an ISO 8601 interval (default: {default})"
    parser.add_argument("--interval", type=_interval, default=default, help=shown)


def _interval(text: str) -> str:
    from dialproof.errors import UsageError
    from dialproof_deploy.targets.platform_audit import check_interval

    try:
        return check_interval(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def destination(text: str) -> Path | str:
    """Return where an export goes: a file, or the text of a URL."""
    from dialproof_deploy.audit.export import is_url

    return text if is_url(text) else Path(text)


def whole_number(text: str) -> int:
    """Return a number of things, 0 or more, that an argument asks for."""
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"expected a whole number such as 10, found {text!r}")
    return int(text)


def config_at(path: Path) -> Config:
    """Return the configuration that holds for a file or folder."""
    from dialproof.cli.inputs import config_for

    return config_for([path])


def project_of(args: argparse.Namespace) -> Project:
    """Return the project that ``--project`` names."""
    from dialproof.project import load_project

    return load_project(config_at(args.project))


def state_of(args: argparse.Namespace, config: Config) -> StateDir:
    """Return the state directory that ``--state-dir`` or the configuration names."""
    from dialproof_deploy.state import StateDir

    return StateDir.at(config.root, args.state_dir)


def deployer_of(args: argparse.Namespace) -> Deployer:
    """Return the deployer of the project, for the environment and with the options of the arguments."""
    from dialproof.progress import progress
    from dialproof_deploy.deploy import Deployer, environment_of

    if args.http_log:
        from dialproof_deploy.api.http_log import check_http_log

        check_http_log(args.http_log)
    project = project_of(args)
    return Deployer(
        project,
        environment_of(project.config, args.env),
        state_of(args, project.config),
        os.environ,
        prune=getattr(args, "prune", ()),
        allow_transient=getattr(args, "allow_transient", False),
        contacts=_contacts(getattr(args, "contacts", None)),
        confirm_widening=getattr(args, "confirm_widening", None),
        http_log=args.http_log,
        say=tell,
        progress=progress,
    )


def _contacts(file: Path | None) -> ContactsFile | None:
    if file is None:
        return None
    from dialproof.model.read_contacts import read_contacts

    return read_contacts(file)


def tell(sentence: str) -> None:
    """Say on stderr what goes on; that nobody takes it (a closed pipe) changes nothing of what is done."""
    with suppress(OSError):
        print(sentence, file=sys.stderr)
