"""``dialproof drift``: what stands on the target and was not deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.cli.outputs import add_output_format, outputs_of, write_output
from dialproof.errors import ExitCode
from dialproof_deploy.cli.common import add_environment, add_http_log, add_interval, add_project, deployer_of

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof drift``."""
    add_project(parser)
    add_environment(parser)
    add_http_log(parser)
    add_output_format(parser, "text (default), json or markdown")
    add_interval(parser, "7d", "how far back the target is asked who changed what")
    parser.set_defaults(run=_drift)


def _drift(args: argparse.Namespace) -> int:
    from dialproof_deploy.drift.find import find_drift
    from dialproof_deploy.drift.render import FORMATS, render

    outputs = outputs_of(args.output_format or ["text"], FORMATS)
    drift = find_drift(deployer_of(args), args.interval)
    for name, file in outputs:
        write_output(file, render(name, drift))
    return ExitCode.FINDINGS if drift else ExitCode.OK
