"""``--output-format FORMAT[=FILE]``: several formats at once, at most one of them to the terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Sequence

__all__ = ["add_output_format", "in_color", "outputs_of", "write_output"]


def add_output_format(parser: argparse.ArgumentParser, formats: str) -> None:
    """Add ``-f`` and ``--output-format``; ``formats`` says in the help what there are."""
    parser.add_argument("-f", "--output-format", action="append", default=[], metavar="FORMAT[=FILE]",
        help=f"{formats}; repeatable, at most one without a file")  # fmt: skip


def outputs_of(
    texts: Sequence[str], formats: Collection[str], auto: Callable[[bool], str] | None = None
) -> list[tuple[str, Path | None]]:
    """Return format and file of each option, None for the terminal.

    ``auto`` chooses what the word auto stands for, for a file (true) or not. Raises ``UsageError`` for an unknown
    format, for two that go to the terminal, and for two that go to one file.
    """
    outputs = [_output(text, formats, auto) for text in texts]
    if sum(file is None for _, file in outputs) > 1:
        raise UsageError("only one --output-format can go to the terminal: give the others a file, FORMAT=FILE")
    files = [file.resolve() for _, file in outputs if file is not None]
    if len(set(files)) < len(files):
        raise UsageError("two --output-format name one file")
    return outputs


def in_color() -> bool:
    """Tell whether what goes to standard output is colored: on a terminal, or with FORCE_COLOR; never with NO_COLOR."""
    return (bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()) and not os.environ.get("NO_COLOR")


def write_output(file: Path | None, content: str | bytes) -> None:
    """Write a text, or bytes that need a file, to the file or to standard output.

    Raises ``UsageError`` where the file cannot be written.
    """
    if file is None:
        assert isinstance(content, str)
        sys.stdout.write(content)
        return
    try:
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from error


def _output(text: str, formats: Collection[str], auto: Callable[[bool], str] | None) -> tuple[str, Path | None]:
    name, given, file = text.partition("=")
    if name == "auto" and auto is not None:
        name = auto(bool(given))
    if name not in formats:
        known = ", ".join([*(["auto"] if auto else []), *formats])
        raise UsageError(f"there is no output format {name!r}; there are {known}")
    if given and not file:
        raise UsageError(f"--output-format {text} names no file; write {name}=FILE, or {name} for the terminal")
    return name, Path(file) if file else None
