"""A campaign that can be run: no errors in its files, conditions with a meaning; else what is wrong, by place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import InputError

if TYPE_CHECKING:
    from dialproof.evaluate import Evaluator
    from dialproof.project import Campaign, Project

__all__ = ["check_read", "compiled", "shown"]


def shown(path: Path) -> str:
    """Return an absolute path as the user would write it: relative to the current folder where it is below it."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def check_read(project: Project, name: str = "") -> None:
    """Raise :class:`InputError` for the errors of a file of a project, or of all its files."""
    from dialproof.lint import is_error

    root = project.config.root.resolve()
    problems = [p for p in project.problems if is_error(p) and name in ("", p.path)]
    if problems:
        raise InputError("\n".join(f"{shown(root / p.path)}:{str(p)[len(p.path) + 1 :]}" for p in problems))


def compiled(campaign: Campaign, project: Project, root: str) -> Evaluator:
    """Return the evaluator; raises :class:`InputError` for files with errors and conditions without a meaning.

    ``root`` is the configuration root as messages show it.
    """
    from dialproof.evaluate import Evaluator

    for file in campaign.files:
        check_read(project, file.path)
    if campaign.contact_list.declared:
        check_read(project, campaign.contact_list.path)
    evaluator = Evaluator(campaign, project.config.semantics, cache=project.config.cache)
    if evaluator.problems:
        folder = "" if root == "." else f"{root}/"
        raise InputError(
            "\n".join(f"{folder}{p.path}:{p.span.line}:{p.span.column}: DP103 {p.message}" for p in evaluator.problems)
        )
    return evaluator
