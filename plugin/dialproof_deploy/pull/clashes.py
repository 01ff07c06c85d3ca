"""Campaigns that are in the files of a project already, below which the pulled files would lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.config import load_config
from dialproof.project import load_project
from dialproof.reading import display_path, is_excluded

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

__all__ = ["clashes"]


def clashes(folder: Path, names: Collection[str], campaigns: Collection[str]) -> list[str]:
    """Return a sentence for each of the campaigns that a file of the project around ``folder`` names already.

    ``names`` are the files that would be written to the folder, ``campaigns`` the ids in them.
    """
    folder = folder.resolve()
    there = next(one for one in (folder, *folder.parents) if one.is_dir())
    config = load_config(there)
    if config.file is None or any((folder / name).exists() for name in names):  # the latter is said by who writes
        return []
    if all(is_excluded(display_path(config.root, folder / name), config.exclude) for name in names):
        return []
    found = []
    for campaign in load_project(config).campaigns:
        file = ", ".join(dict.fromkeys(file.path for file in campaign.files))
        found += [
            f"campaign {i} is in {file} of the project {config.root} already, and would be in two files (DP102)"
            for i in campaign.ids
            if i in campaigns
        ]
    return found
