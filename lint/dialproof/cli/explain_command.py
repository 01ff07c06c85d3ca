"""``dialproof explain CHECK``: the page of a check, as in the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the one argument, a code or a name."""
    parser.add_argument("check", metavar="CHECK", help="a code (DP301) or a name (conflicting-rules)")


def run(args: argparse.Namespace) -> int:
    """Print the page."""
    from dialproof.checks.registry import find_check
    from dialproof.docs import page

    print(page(find_check(args.check)), end="")
    return 0
