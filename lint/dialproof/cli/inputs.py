"""From paths on a command line to the project they belong to."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.runnable import check_read, compiled, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.config import Config
    from dialproof.evaluate import Evaluator
    from dialproof.project import Campaign, Project

__all__ = ["campaign_in", "check_clock", "check_read", "compiled", "config_for", "project_in", "projects_of", "shown"]


def config_for(paths: Sequence[Path]) -> Config:
    """Return the one configuration that governs all paths.

    Without any, the project is the folder that holds all of them. Raises :class:`UsageError` for paths that do not
    exist and for paths of different projects.
    """
    from dialproof.config import load_config

    folders = dict.fromkeys(path if path.is_dir() else path.parent for path in _existing(paths))
    configs = {config.file: config for config in map(load_config, folders)}
    if len(configs) > 1:
        files = ", ".join("no configuration" if file is None else shown(file) for file in configs)
        raise UsageError(f"the paths belong to different projects ({files}); name those of one at a time")
    config = next(iter(configs.values()))
    if config.file is None:
        config = load_config(Path(os.path.commonpath(list(folders))))
    return config


def projects_of(paths: Sequence[Path]) -> list[tuple[Config, list[Path]]]:
    """Return each project that the paths belong to or hold, with those of its paths that were asked for (absolute).

    A folder that holds projects of its own stands for these; the files without any configuration are one project.
    """
    from dialproof.config import load_config
    from dialproof.reading import holds_files, nested_projects

    found: dict[Path, tuple[Config, list[Path]]] = {}
    loose: list[Path] = []
    for path in _existing(paths):
        nested = nested_projects(path) if path.is_dir() else []
        for place in [*([path] if not nested or holds_files(path) else []), *nested]:
            config = load_config(place)
            if config.file is None:
                loose.append(place)
            else:
                found.setdefault(config.root, (config, []))[1].append(place)
    groups = [found[root] for root in sorted(found)]
    return [(config_for(loose), loose), *groups] if loose else groups


def _existing(paths: Sequence[Path]) -> list[Path]:
    missing = [f"{path}: there is no such file or folder" for path in paths if not os.path.exists(path)]
    if missing:
        raise UsageError("\n".join(missing))
    return [path.resolve() for path in paths]


def check_clock(now: str | None, time_zone: str | None) -> None:
    """Raise :class:`UsageError` for a ``--now`` that is no time, or a ``--time-zone`` that there is not."""
    from dialproof.cel.values import parse_datetime, zone_of

    if now is not None and parse_datetime(now, None) is None:
        raise UsageError(f"--now: expected a time such as 2026-03-07T10:00:00Z, found {now!r}")
    try:
        zone_of(time_zone)
    except ValueError as error:
        raise UsageError(f"--time-zone: {error}") from error


def campaign_in(
    config: Config, rules: Path, campaign_id: str | None, contacts: Sequence[Path]
) -> tuple[Campaign, Evaluator]:
    """Return the campaign that is meant, of a rules file or a folder, and its evaluator.

    The contacts are no files of the project here. Raises :class:`UsageError` where it is not one campaign,
    :class:`InputError` for rules with errors.
    """
    _, evaluator = project_in(config, rules, campaign_id, contacts)
    return evaluator.campaign, evaluator


def project_in(
    config: Config, rules: Path, campaign_id: str | None, contacts: Sequence[Path]
) -> tuple[Project, Evaluator]:
    """Return the same evaluator with the project that its campaign is part of."""
    from dialproof.project import load_project
    from dialproof.reading import display_path

    root = config.root.resolve()
    own = tuple(display_path(root, file.resolve()) for file in contacts)
    config = replace(config, exclude=(*config.exclude, *own))
    project = load_project(config, [] if rules.is_dir() else [rules.resolve()])
    name = "" if rules.is_dir() else display_path(root, rules.resolve())
    found = [c for c in project.campaigns if not name or any(file.path == name for file in c.files)]
    if campaign_id is not None:
        found = [c for c in found if campaign_id in c.ids]
    if len(found) != 1:
        check_read(project, name)
        if not project.campaigns:
            raise UsageError(f"{rules}: there are no rules; name a *.rules.yaml file or its folder before the contacts")
        known = ", ".join(campaign.id for campaign in project.campaigns)
        what = f"the campaign {campaign_id!r}" if campaign_id else f"one campaign in {rules}"
        raise UsageError(f"expected {what}, and there are {known}; name one with --campaign")
    return project, compiled(found[0], project, shown(root))
