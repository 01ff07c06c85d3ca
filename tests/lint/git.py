"""Repositories for tests: real git, in a folder of its own, whatever the machine's configuration of git says."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["LIST", "Git", "rules"]

LIST = """\
columns:
  consent: {type: string, enum: ["yes", "no"]}
  state: {type: string, enum: [TX, CA]}
"""


def rules(*names: str, campaign: str = "c", value: str = "no", version: int = 1) -> str:
    """Return a rules file in which each rule keeps contacts with a value of ``consent`` from being dialed."""
    head = f"campaign: {campaign}\ncontactList: c.contactlist.yaml\nrules:\n"
    return head + "".join(
        f"  - name: {name}\n    version: {version}\n    priority: {order}\n    executionOrder: {order}\n"
        f"    conditions: [{{attribute: consent, operator: equals, value: '{value}'}}]\n"
        "    actions: [{type: doNotDial}]\n"
        for order, name in enumerate(names, 1)
    )


class Git:
    """A repository with a work tree at ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self("init", "--quiet", "--initial-branch=main")

    def __call__(self, *arguments: str) -> str:
        """Run git and return what it prints."""
        settings = ("user.name=t", "user.email=t@example.com", "commit.gpgsign=false", "protocol.file.allow=always")
        options = [part for setting in settings for part in ("-c", setting)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment = {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *options, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files into the work tree."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, str | bytes] | None = None) -> str:
        """Write files, commit all there is, and return the commit."""
        self.write(files or {})
        self("add", "--all")
        self("commit", "--quiet", "--allow-empty", "-m", "a change")
        return self("rev-parse", "HEAD")
