"""``dialproof checks``: every check there is, built in or from a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the list has no options."""


def run(args: argparse.Namespace) -> int:  # noqa: ARG001  (the signature of a command)
    """Print code, name, severity and summary of each check, in columns."""
    from dialproof.checks.registry import all_checks

    checks = sorted(all_checks(), key=lambda check: check.code)
    code, name, severity = (
        max(len(getattr(check, field)) for check in checks) for field in ("code", "name", "severity")
    )
    for check in checks:
        print(f"{check.code:<{code}}  {check.name:<{name}}  {check.severity:<{severity}}  {check.summary}")
    return 0
