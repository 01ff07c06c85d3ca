"""``dialproof schema KIND``: the JSON Schema of a kind of file, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.errors import UsageError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

_KINDS = ("rules", "contacts", "contactlist")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the one argument, a kind of file."""
    parser.add_argument("kind", metavar="KIND", help=f"one of {', '.join(_KINDS)}")


def run(args: argparse.Namespace) -> int:
    """Print the schema."""
    from dialproof.model.schema import schema_text

    if args.kind not in _KINDS:
        raise UsageError(f"there is no kind of file {args.kind!r}; there are {', '.join(_KINDS)}")
    print(schema_text(args.kind), end="")
    return 0
