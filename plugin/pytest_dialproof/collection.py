"""Collectors: one for each rules, contacts and contact list file; their items are those of ``dialproof.items``."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import pytest

from dialproof.errors import DialproofError
from dialproof.items import case_names, families, invariant_names, population_names
from dialproof.model.contacts import Case
from dialproof.reading import is_excluded, kind_of
from pytest_dialproof.case_item import CaseItem
from pytest_dialproof.invariant_item import InvariantItem
from pytest_dialproof.lint_items import FamilyItem
from pytest_dialproof.population_item import PopulationItem
from pytest_dialproof.projects import project_of, projects_of, shown_path
from pytest_dialproof.timeline_item import TimelineItem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_dialproof.projects import SessionProject

__all__ = ["ContactListFile", "ContactsFile", "RulesFile", "collect"]


def collect(path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Return the collector for a path whose name looks like one of ours, None if it is none."""
    collectors: dict[str | None, type[DialproofFile]] = {
        "rules": RulesFile,
        "contacts": ContactsFile,
        "contactlist": ContactListFile,
    }
    collector = collectors.get(kind_of(path.name))
    return collector.from_parent(parent, path=path) if collector else None


class DialproofFile(pytest.File):
    """A file of ours; what is wrong with it is one collection error with a line for each problem."""

    def collect(self) -> Iterable[pytest.Item]:
        """Return the items of the file."""
        try:
            return self._collect()
        except DialproofError as error:
            raise self.CollectError(str(error)) from None

    def _collect(self) -> list[pytest.Item]:
        place = project_of(self.path, self.config)
        path = place.relative(self.path)
        if is_excluded(path, place.config.exclude):
            return []
        self._refuse_link(place, path)
        lines = [str(problem).replace(path, place.shown(path), 1) for problem in place.errors(path)]
        if lines:
            raise self.CollectError("\n".join(lines))
        return list(self.items(place, path))

    @abstractmethod
    def items(self, place: SessionProject, path: str) -> Iterable[pytest.Item]:
        """Yield the items of a file without errors."""

    def missing(self, place: SessionProject, path: str) -> pytest.Collector.CollectError:
        """Return the error for a file that the project did not read although nothing was found wrong with it."""
        return self.CollectError(
            f"{place.shown(path)}: is not part of the project at {place.shown('.')}; "
            "files in hidden folders and in those of tools are not read"
        )

    def _refuse_link(self, place: SessionProject, path: str) -> None:
        """Raise for a file that is reached by a link out of its project, or into what the project does not read."""
        for folder in self.path.parents:
            if not folder.is_symlink():
                continue
            owner = projects_of(self.config).settings_of(folder.parent)
            if owner.file is not None and (owner.root != place.config.root or path not in place.project.digests):
                file, link, root = (
                    shown_path(each, self.config.invocation_params.dir) for each in (self.path, folder, owner.root)
                )
                raise self.CollectError(
                    f"{file}: is reached through the symbolic link {link}, which the project at {root} does not "
                    "follow: put the files there instead"
                )


class RulesFile(DialproofFile):
    """A rules file: one item for each family of checks, then one for each invariant."""

    def items(self, place: SessionProject, path: str) -> Iterable[pytest.Item]:
        """Yield the items of the file."""
        file = place.project.rules_files.get(path)
        if file is None:
            raise self.missing(place, path)
        for family in families(place.project.config):
            yield FamilyItem.from_parent(self, name=family, place=place, file=path, line=1)
        for name, invariant in zip(invariant_names(file), file.invariants, strict=True):
            yield InvariantItem.from_parent(
                self, name=name, place=place, file=path, line=invariant.span.line, invariant=invariant
            )


class ContactsFile(DialproofFile):
    """A contacts file: one item for each case, then one for each population, whose contacts are no items."""

    def items(self, place: SessionProject, path: str) -> Iterable[pytest.Item]:
        """Yield the items of the file."""
        file = place.project.contacts_files.get(path)
        if file is None:
            raise self.missing(place, path)
        campaign = place.project.links.get(path)
        if campaign is None and (file.tests or file.populations):
            raise self.CollectError(
                f"{place.shown(path)}: the rules that it tests cannot be read; their own errors say why"
            )
        shared = {"place": place, "file": path, "contacts": file, "campaign": campaign}
        for name, case in zip(case_names(file), file.tests, strict=True):
            kind = CaseItem if isinstance(case, Case) else TimelineItem
            yield kind.from_parent(self, name=name, case=case, **shared)
        for name, population in zip(population_names(file), file.populations, strict=True):
            yield PopulationItem.from_parent(self, name=name, population=population, **shared)


class ContactListFile(DialproofFile):
    """A contact list: one item for its schema."""

    def items(self, place: SessionProject, path: str) -> Iterable[pytest.Item]:
        """Yield the item of the file."""
        if path not in place.project.contact_lists:
            raise self.missing(place, path)
        yield FamilyItem.from_parent(self, name="schema", place=place, file=path, line=1)
