"""Who acts, and on which commit: what audit records and evidence say of their origin."""

from __future__ import annotations

import getpass
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Checkout", "actor", "checkout", "commit_of"]

_CI = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR", "BITBUCKET_STEP_TRIGGERER_UUID")
_TIMEOUT = 10.0  # seconds; a repository that answers later is treated as none


@dataclass(frozen=True, slots=True)
class Checkout:
    """The commit that is checked out and whether files differ from it; both None outside of git."""

    commit: str | None
    dirty: bool | None


def actor(environ: Mapping[str, str]) -> str:
    """Return the user that a CI system names, else that of the operating system."""
    for name in _CI:
        if environ.get(name):
            return environ[name]
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "unknown"


def checkout(folder: Path) -> Checkout:
    """Ask git about a folder; without git or a repository there is nothing to say."""
    commit = commit_of(folder)
    if commit is None:
        return Checkout(None, None)
    status = _git(folder, "status", "--porcelain", "--", ".")
    return Checkout(commit, None if status is None else bool(status))


def commit_of(folder: Path) -> str | None:
    """Return the commit that is checked out; None outside of git."""
    return _git(folder, "rev-parse", "HEAD") or None


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  (fixed arguments)
            ["git", "--no-optional-locks", *arguments],  # noqa: S607  (the user's git, found as their shell finds it)
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
