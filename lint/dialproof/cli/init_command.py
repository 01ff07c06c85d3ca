"""``dialproof init``: writes a small project that passes, to be changed into one's own."""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof import __version__
from dialproof.errors import UsageError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

_PROJECT = {
    "rules/premium.rules.yaml": "premium.rules.yaml",
    "rules/customers.contactlist.yaml": "customers.contactlist.yaml",
    "rules/premium.contacts.yaml": "premium.contacts.yaml",
    "dialproof.toml": "dialproof.toml",
}
"""Path in the new project -> template; none of them may exist."""

_SUPPORT = {
    ".github/workflows/dialproof.yml": "workflow.yml",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
}
"""The same for files that a repository may well have: one that exists is left alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the one argument, the folder."""
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="where to write it (default: here)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the files and say what to do next; raises :class:`UsageError`, nothing written, if one is in the way."""
    folder: Path = args.folder
    _refuse_overwriting(folder)
    kept = [name for name in _SUPPORT if (folder / name).exists()]
    for name, template in {**_PROJECT, **_SUPPORT}.items():
        if name not in kept:
            _write(folder / name, template)
            print(f"wrote {(folder / name).as_posix()}")
    for name in kept:
        print(f"kept  {(folder / name).as_posix()} as it is")
    where = "" if folder == Path() else f"cd {shlex.quote(folder.as_posix())}\n  "
    print(f"\nNext:\n  {where}dialproof lint\n  pytest rules/\nThen change rules/ into your own rules and cases.")
    return 0


def _refuse_overwriting(folder: Path) -> None:
    in_the_way = [name for name in _PROJECT if (folder / name).exists()]
    problems = [
        f"{(folder / name).as_posix()}: this file exists already; init overwrites nothing" for name in in_the_way
    ]
    if folder.exists() and not folder.is_dir():
        problems = [f"{folder.as_posix()}: this is a file; init writes into a folder"]
    elif not problems:
        from dialproof.config import load_config

        config = load_config(folder)
        if config.file is not None and config.root == folder.resolve():
            problems = [f"{config.file.as_posix()}: this folder has a configuration already; init starts a new project"]
    if problems:
        raise UsageError("\n".join(problems))


def _write(path: Path, template: str) -> None:
    text = files("dialproof").joinpath("templates", template).read_text("utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text.replace("{version}", __version__))
    except OSError as error:
        raise UsageError(f"{path.as_posix()}: cannot be written: {error.strerror}") from error
