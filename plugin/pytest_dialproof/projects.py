"""The projects of a session: each is read, linted and compiled once per process, and only when first asked for."""

from __future__ import annotations

import gc
import os
import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.base import check_base
from dialproof.config import load_config
from dialproof.project import load_project
from dialproof.source import paused_gc
from pytest_dialproof.recorder import RECORDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.config import Config
    from dialproof.coverage.observe import Observer
    from dialproof.evaluate import Evaluator
    from dialproof.findings import Finding
    from dialproof.invariants import Invariants
    from dialproof.lint import LintResult
    from dialproof.project import Campaign, Project
    from dialproof.source.positions import Problem

__all__ = [
    "Projects",
    "SessionProject",
    "digests_of",
    "project_of",
    "projects_of",
    "real",
    "shown_path",
]


class SessionProject:
    """One configuration root as this process has read it."""

    def __init__(self, config: Config, project: Project, pytest_config: pytest.Config) -> None:
        self.config = config
        self.project = project
        self._invocation_dir = pytest_config.invocation_params.dir
        self._evaluators: dict[str, Evaluator] = {}
        self._invariants: dict[str, Invariants] = {}
        self._observers: dict[str, Observer] = {}
        self._shown: dict[str, str] = {}
        fail_on: str | None = pytest_config.option.dialproof_fail_on
        self.fail_on: str = fail_on or config.fail_on

    @property
    def root(self) -> str:
        """The configuration root as text: the key under which results are recorded."""
        return str(self.config.root)

    def errors(self, path: str) -> Sequence[Problem]:
        """Return the errors of reading a file."""
        return self._errors.get(path, ())

    @cached_property
    def _errors(self) -> Mapping[str, Sequence[Problem]]:
        from dialproof.lint import is_error

        found: dict[str, list[Problem]] = {}
        for problem in filter(is_error, self.project.problems):
            found.setdefault(problem.path, []).append(problem)
        return found

    def relative(self, path: Path) -> str:
        """Return a path as the project names it: POSIX, relative to the configuration root."""
        return Path(os.path.relpath(real(path), self.config.root)).as_posix()

    def shown(self, path: str) -> str:
        """Return a path of the project as a user would write it from where pytest was started."""
        if path not in self._shown:  # asked for by every case of a file
            self._shown[path] = shown_path(self.config.root / path, self._invocation_dir)
        return self._shown[path]

    def shown_in(self, text: str) -> str:
        """Return a text with every ``path:line`` of the project as a user would write it."""
        return self._place.sub(lambda found: self.shown(found[0]), text)

    @cached_property
    def _place(self) -> re.Pattern[str]:
        paths = sorted(self.project.digests, key=len, reverse=True)
        return re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, paths)) or '(?!)'})(?=:\d)")

    def evaluator(self, campaign: Campaign) -> Evaluator:
        """Return the campaign's evaluator; its rules are compiled once."""
        from dialproof.evaluate import Evaluator

        if campaign.id not in self._evaluators:
            self._evaluators[campaign.id] = Evaluator(campaign, self.config.semantics, cache=self.config.cache)
        return self._evaluators[campaign.id]

    def invariants(self, campaign: Campaign) -> Invariants:
        """Return what verifies the campaign's invariants."""
        from dialproof.invariants import Invariants

        if campaign.id not in self._invariants:
            self._invariants[campaign.id] = Invariants(self.project, campaign, self.evaluator(campaign))
        return self._invariants[campaign.id]

    def observer(self, campaign: Campaign) -> Observer:
        """Return what says which goals of coverage a case of the campaign meets."""
        from dialproof.coverage.observe import Observer

        if campaign.id not in self._observers:
            self._observers[campaign.id] = Observer(self.evaluator(campaign))
        return self._observers[campaign.id]

    @cached_property
    def lint_result(self) -> LintResult:
        """What the lint finds in the whole project."""
        from dialproof.lint import lint

        return lint(self.project, observer=self.observer)

    @cached_property
    def _by_home(self) -> Mapping[tuple[str, str], Sequence[Finding]]:
        from dialproof.checks.registry import family_of
        from dialproof.items import home_of

        found: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.lint_result.findings:
            home = home_of(self.project, finding)
            family = family_of(finding.code) if home in self.project.rules_files else "schema"
            found.setdefault((home, family), []).append(finding)
        return found

    def findings(self, path: str, family: str) -> Sequence[Finding]:
        """Return the findings that one family's item of a file reports."""
        return self._by_home.get((path, family), ())

    def masked(self, finding: Finding) -> Finding:
        """Return a finding as it may be seen: personal values of its witness masked."""
        from dialproof.output.masking import masked

        campaign = self.project.campaign(finding.campaign) if finding.campaign else None
        return masked(finding, campaign.contact_list) if campaign else finding


class Projects:
    """The projects of this process by configuration root."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._by_folder: dict[Path, SessionProject] = {}
        self._by_root: dict[Path, SessionProject] = {}

    def of(self, path: Path) -> SessionProject:
        """Return the project that a file belongs to; raises ``UsageError`` for a configuration that is wrong."""
        folder = path.parent
        if folder not in self._by_folder:
            settings = self.settings_of(folder)
            if settings.root not in self._by_root:
                self._by_root[settings.root] = self._read(settings)
            self._by_folder[folder] = self._by_root[settings.root]
        return self._by_folder[folder]

    def get(self, root: str) -> SessionProject | None:
        """Return the project of a root if this process has read it."""
        return self._by_root.get(Path(root))

    def fresh(self, root: str) -> SessionProject:
        """Return a project as it lies on disk now.

        It is read again unless this process has read exactly the same bytes in the same files under the same
        configuration: then there is nothing that a second reading could find.
        """
        settings = self.settings_of(Path(root))
        known = self.get(root)
        if known is not None and known.config == settings and _unchanged(known.project):
            return known
        return SessionProject(settings, load_project(settings), self._config)

    def settings_of(self, folder: Path) -> Config:
        """Return a folder's configuration, with the base that ``--dialproof-since`` names.

        Without one, pytest's root directory is the project of all that lies below it, and any other folder is one of
        its own.
        """
        settings = load_config(folder)
        settings = replace(settings, base=self._config.option.dialproof_since or settings.base)
        if settings.file is None and self._rootpath and settings.root.is_relative_to(self._rootpath):
            return replace(settings, root=self._rootpath)
        return settings

    def asked_for(self) -> list[Config]:
        """Return the configurations of the paths that pytest was asked for, whether they hold files of ours or not."""
        start = self._config.invocation_params.dir
        paths = (Path(os.path.abspath(start / argument.partition("::")[0])) for argument in self._config.args)
        folders = [path if path.is_dir() else path.parent for path in paths if path.exists()]
        found = [self.settings_of(folder) for folder in dict.fromkeys(folders or [start])]
        return list({settings.root: settings for settings in found}.values())

    @cached_property
    def _rootpath(self) -> Path | None:
        """Pytest's root directory, if somebody chose it; else what paths in distant folders have in common is none."""
        config = self._config
        rootpath = config.rootpath.resolve()
        here = config.invocation_params.dir.resolve()
        chosen = config.inipath is not None or config.option.rootdir is not None or rootpath == here
        return rootpath if chosen else None

    def _read(self, settings: Config) -> SessionProject:
        check_base(settings)
        with paused_gc():
            project = load_project(settings)
            gc.freeze()  # it lives as long as what is collected from it; see pytest_collection_finish
        self._config.stash[RECORDER].note_read(str(settings.root), digests_of(project))
        return SessionProject(settings, project, self._config)


PROJECTS = pytest.StashKey[Projects]()


def project_of(path: Path, config: pytest.Config) -> SessionProject:
    """Return the project that ``path`` belongs to, read once per process."""
    return projects_of(config).of(path)


def projects_of(config: pytest.Config) -> Projects:
    """Return the projects of this process."""
    if PROJECTS not in config.stash:
        config.stash[PROJECTS] = Projects(config)
    return config.stash[PROJECTS]


def digests_of(project: Project) -> dict[str, str]:
    """Return the sha256 of everything that decides what the tests say, as this process parsed it.

    That is every file, those of the configuration and the baseline included, the configuration that came of it, and the
    contacts of populations as they are now.
    """
    from dialproof.populations import digests_of_contacts
    from dialproof_deploy.gate.attest import configuration_of
    from dialproof_deploy.gate.evidence import json_digest

    config = project.config
    digests = {**digests_of_contacts(project), **project.digests}
    digests["the effective configuration"] = json_digest(configuration_of(config))
    if config.file is not None:
        digests[Path(os.path.relpath(config.file, config.root)).as_posix()] = config.digest
    if project.baseline is not None:
        digests[project.baseline.path] = project.baseline.digest
    return digests


def _unchanged(project: Project) -> bool:
    """Tell whether the files below the root are those that were read, byte for byte."""
    import hashlib

    from dialproof.baseline import read_baseline
    from dialproof.reading import project_files

    root = project.config.root
    found, suspects = project_files(root, project.config.exclude)
    if suspects or project.problems:
        return False
    try:
        now = {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    except (OSError, ValueError):
        return False
    return now == dict(project.digests) and read_baseline(project.config) == project.baseline


def real(path: Path) -> Path:
    """Return a path without symbolic links above it, as configuration roots are; the name itself may be one."""
    return path.parent.resolve() / path.name


def shown_path(path: Path, start: Path) -> str:
    """Return a path relative to ``start``, or as it is where it lies on another drive."""
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:
        return path.as_posix()
