"""``dialproof sandbox``: serve the contracts of the targets on this machine, or reset its data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialproof_deploy.cli.common import add_state_dir, config_at, state_of

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dialproof sandbox``."""
    parser.add_argument("action", nargs="?", choices=("serve", "reset"), default="serve", help="default: serve")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=0, help="port (default: any free one)")
    parser.add_argument("--ephemeral", action="store_true", help="keep the data in memory")
    add_state_dir(parser)
    parser.set_defaults(run=_sandbox)


def _sandbox(args: argparse.Namespace) -> int:
    from dialproof_deploy.sandbox.run_command import run_sandbox

    state = state_of(args, config_at(Path()))
    return run_sandbox(args.action, state.root, host=args.host, port=args.port, ephemeral=args.ephemeral)
