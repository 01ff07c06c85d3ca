"""Which findings a command line asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.cli.inputs import shown
from dialproof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dialproof.findings import Finding
    from dialproof.project import Project

__all__ = ["Scope"]


class Scope:
    """Which findings the given paths ask for: those in them, and those that involve something in them."""

    def __init__(self, project: Project, paths: Sequence[Path]) -> None:
        from dialproof.lint import is_error
        from dialproof.reading import display_path, is_excluded

        root = project.config.root.resolve()
        known = dict.fromkeys([*project.digests, *(p.path for p in project.problems)])
        resolved = (path.resolve() for path in paths)
        asked = [path for path in resolved if not is_excluded(display_path(root, path), project.config.exclude)]
        self.files = [name for name in known if any(_inside(root / name, path) for path in asked)]
        covered = [path for path in asked if any(_inside(root / name, path) for name in self.files)]
        strange = [shown(path) for path in asked if path not in covered]
        if strange:
            raise UsageError(
                "\n".join(
                    f"{name}: nothing to lint; expected *.rules, *.contacts or *.contactlist files" for name in strange
                )
            )
        chosen = set(self.files)
        if project.baseline is not None and any(_inside(root / project.baseline.path, path) for path in asked):
            chosen.add(project.baseline.path)
        self.left_out = sorted({p.path for p in project.problems if is_error(p) and p.path not in chosen})
        self._files = chosen
        self._rule_files = {(c.id, rule.name): rule.path for c in project.campaigns for rule in c.rules}
        self._lists = {c.id: c.contact_list.path for c in project.campaigns}

    def covers(self, path: str) -> bool:
        """Tell whether a file of the project was asked for."""
        return path in self._files

    def reports(self, finding: Finding) -> bool:
        """Tell whether the finding stands in one of the files, is about a rule there, or about its columns."""
        involved = [finding.path, *(self._rule_files.get((finding.campaign, rule), "") for rule in finding.rules)]
        return not self._files.isdisjoint([*involved, self._lists.get(finding.campaign, "")])


def _inside(path: Path, asked: Path) -> bool:
    return path == asked or path.is_relative_to(asked)
