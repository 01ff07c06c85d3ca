"""What dialproof_deploy adds to the ``dialproof`` command, through the hooks of :mod:`dialproof.hookspecs`.

Nothing here imports httpx, tenacity or the sandbox before a subcommand that needs them is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.hookspecs import hookimpl

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dialproof.targets.base import TargetType

__all__ = ["dialproof_audit_sink", "dialproof_subcommands", "dialproof_targets"]


@hookimpl
def dialproof_subcommands() -> Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]]:
    """Return the subcommands of the deploy side."""
    return {
        "sandbox": ("serve the target's contract on this machine, or reset its data", _sandbox),
        "plan": ("show what a deploy would change", _plan),
        "deploy": ("deploy what the evidence says was tested", _deploy),
        "rollback": ("restore the rules of an earlier deploy", _rollback),
        "drift": ("report what stands on the target and was not deployed", _drift),
        "pull": ("write what stands on the target as files", _pull),
        "audit": ("verify, read, sync or export the audit log of an environment", _audit),
    }


@hookimpl
def dialproof_targets() -> Sequence[TargetType]:
    """Return the built-in targets."""
    from dialproof_deploy.targets import CAMPAIGN_RULES, RULESETS

    return (CAMPAIGN_RULES, RULESETS)


@hookimpl
def dialproof_audit_sink(path: Path) -> Callable[[Sequence[Mapping[str, object]]], None] | None:
    """Return the writer of the formats that dialproof knows."""
    from dialproof_deploy.audit.export import built_in_sink

    return built_in_sink(path)


def _sandbox(parser: argparse.ArgumentParser) -> None:
    from dialproof_deploy.cli.sandbox import add_arguments

    add_arguments(parser)


def _plan(parser: argparse.ArgumentParser) -> None:
    from dialproof_deploy.cli.plan import add_arguments

    add_arguments(parser)


def _rollback(parser: argparse.ArgumentParser) -> None:
    from dialproof_deploy.cli.rollback import add_arguments

    add_arguments(parser)


def _deploy(parser: argparse.ArgumentParser) -> None:
    from dialproof_deploy.cli.deploy import add_arguments

    add_arguments(parser)


def _drift(parser: argparse.ArgumentParser) -> None:
    from dialproof_deploy.cli.drift import add_arguments

    add_arguments(parser)


def _pull(parser: argparse.ArgumentParser) -> None:
    from dialproof_deploy.cli.pull import add_arguments

    add_arguments(parser)


def _audit(parser: argparse.ArgumentParser) -> None:
    from dialproof_deploy.cli.audit import add_arguments

    add_arguments(parser)
