"""The project as it was at a git revision: what a change is looked at against.

Asked for a revision, the base is the merge base of it and HEAD, as in a pull request: what others have added to the
revision since is no part of the change. The other side is what lies on disk, committed or not. Nothing is checked out:
the configuration and every file of a kind are read from git's objects into a temporary folder that is gone afterwards.

A campaign is found at the base by its id, a rule by its name or ``renamedFrom``, whatever their files are called.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.reading import display_path, kind_of, resolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dialproof.config import Config
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.project import Campaign, Project

__all__ = ["Base", "base_of", "check_base", "counterparts", "not_at_base", "restated"]


@dataclass(frozen=True)
class Base:
    """The project at the base; ``revision`` is what was asked for, ``commit`` what that came to.

    ``start`` is the folder of then that is the configuration root now (default: that of then). ``unread`` says why
    nothing of the project could be read, ``holes`` which parts of it are missing; both are empty where all is there.
    """

    revision: str
    project: Project
    commit: str = ""
    start: Path | None = None
    unread: str = ""
    holes: tuple[str, ...] = ()

    def before(self, campaign: Campaign) -> tuple[Campaign, ...]:
        """Return what ran at the base under the ids of a campaign, each sequence once."""
        found = (self.project.campaign(campaign_id) for campaign_id in campaign.ids)
        return tuple({id(old): old for old in found if old is not None}.values())

    def open(self, campaign: Campaign) -> str:
        """Return why it is not known, or not wholly, what a campaign was at the base; "" where it is."""
        if self.unread:
            return self.unread
        return next((why for campaign_id in campaign.ids if (why := self._open(campaign_id))), "")

    def _open(self, campaign_id: str) -> str:
        from dialproof.lint import is_error

        project = self.project
        found = project.campaign(campaign_id)
        named = {path for path, file in project.rules_files.items() if campaign_id in file.campaigns}
        named |= {os.path.normpath(path) for path in project.config.campaigns.get(campaign_id, ())}
        for file in () if found is None else found.files:
            named |= {file.path, resolved(file.path, file.contact_list or "")}
        for problem in filter(is_error, project.problems):
            lost = found is None and problem.path not in project.rules_files and kind_of(problem.path) == "rules"
            if lost or problem.path in named:
                where = f"{self.here(problem.path)}:{problem.span.line}:{problem.span.column}"
                return f"{where} has an error at {self.revision} ({problem.code} {problem.message})"
        return "" if found is not None else next(iter(self.holes), "")

    def here(self, path: str) -> str:
        """Return a path of the project at the base as seen from the configuration root of now."""
        root = self.project.config.root
        return (
            path
            if self.start in (None, root)
            else display_path(self.start or root, Path(os.path.normpath(root / path)))
        )

    def notes(self, campaigns: Iterable[Campaign]) -> Iterator[str]:
        """Yield what was looked at against which commit, and what could not be, in sentences."""
        if self.commit:
            yield f"changes are looked at since {self.commit[:12]}, the merge base of {self.revision} and HEAD"
        yield from self.holes
        now = {campaign_id for campaign in campaigns for campaign_id in campaign.ids}
        below = (c for c in self.project.campaigns if not self.here(c.files[0].path).startswith("../"))
        then = {campaign_id for campaign in below for campaign_id in campaign.ids}
        for campaign_id in sorted(now - then) if not self.unread else ():
            yield f"campaign {campaign_id} is not there at {self.revision}: there is nothing to compare it with"
        for campaign_id in sorted(then - now):
            yield f"campaign {campaign_id} of {self.revision} is gone: nothing is said of its rules"


def counterparts(old: Iterable[Rule], new: Iterable[Rule]) -> Mapping[str, Rule]:
    """Return what has become of old rules, by their names: the rule that was renamed from it, else that of its name."""
    names, rules = {rule.name for rule in old}, list(new)
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule.renamed_from in names and rule.name not in names:
            found.setdefault(rule.renamed_from, rule)
    for rule in rules:
        if rule.name in names:
            found.setdefault(rule.name, rule)
    return found


def restated(config: Config, then: Config) -> Config:
    """Return the configuration of then as far as it says what rules mean; which checks run is as it is now.

    What a change of ``select`` brings to light has been there before.
    """
    now = ("select", "ignore", "severity", "fail_on", "checks", "per_file_ignores", "only_targets")
    return replace(
        then, base="", baseline="", cache_folder=config.cache, **{name: getattr(config, name) for name in now}
    )


def not_at_base(findings: Sequence[Finding], project: Project, base: Base, old: Sequence[Finding]) -> list[Finding]:
    """Return the findings that a project did not have at the base, where ``old`` was found.

    They are the same if their fingerprints are, wherever their lines have moved to; a campaign's rules and contact list
    may have moved to files of other names. Reads the files of the base.
    """
    from dialproof.fingerprint import fingerprints
    from dialproof.lint import lines_of

    moved = _moved(project, base)
    here = {finding.path: moved.get(finding.path, base.here(finding.path)) for finding in old}
    there = {now: then for then, now in here.items()}
    lines_then = lines_of(base.project)
    known = set(fingerprints([replace(f, path=here[f.path]) for f in old], lambda path: lines_then(there[path])))
    prints = fingerprints(findings, lines_of(project))
    return [finding for finding, text in zip(findings, prints, strict=True) if text not in known]


def _moved(project: Project, base: Base) -> Mapping[str, str]:
    """Return the new name of each file of a campaign that the project has under another."""
    found = {}
    for campaign in project.campaigns:
        for old in base.before(campaign):
            pairs = [(old.contact_list.path, campaign.contact_list.path)]
            if len(old.files) == len(campaign.files):
                pairs += [(a.path, b.path) for a, b in zip(old.files, campaign.files, strict=True)]
            found.update({a: b for a, b in pairs if a and b and base.here(a) not in project.digests})
    return found


def check_base(config: Config) -> None:
    """Raise :class:`UsageError` where a configuration names a base that cannot be found."""
    from dialproof.repository import Repository

    if config.base:
        Repository.of(config).base(config.base)


@contextmanager
def base_of(config: Config, *, exact: bool = False) -> Iterator[Base]:
    """Read the project at the base of a configuration; its files are there until the context ends.

    With ``exact`` the base is the revision itself, and not the commit at which it and HEAD part.

    Raises :class:`UsageError` with one sentence where git is missing, the configuration root is in no repository, the
    revision is unknown, or the clone is too shallow to hold it. What is wrong in the files of then is in the base.
    """
    from tempfile import TemporaryDirectory

    from dialproof.config import Config
    from dialproof.config_reader import read_config
    from dialproof.project import Project, load_project
    from dialproof.repository import Repository

    repository = Repository.of(config)
    commit = (repository.commit if exact else repository.base)(config.base)
    with TemporaryDirectory(prefix="dialproof-base-") as made:
        top = Path(made).resolve()
        start = top / repository.prefix
        holes = repository.write(commit, top)
        start.mkdir(parents=True, exist_ok=True)
        try:
            project, unread = load_project(restated(config, read_config(start, top))), ""
        except UsageError as error:  # the configuration of then, which nobody can correct any more
            text = str(error).replace(f"{top}{os.sep}", "").replace("\n", "; ")
            project = Project(Config(start), {}, {}, {}, (), {}, (), {})
            unread = f"the configuration of {config.base} cannot be used ({text})"
        yield Base(config.base, project, commit, start, unread, tuple(f"{hole} at {config.base}" for hole in holes))
