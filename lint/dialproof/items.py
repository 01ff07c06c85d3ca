"""Which test items the files of a project yield: what pytest collects, and what the gate expects to have passed.

An item id is ``path::name`` with the path POSIX and relative to the configuration root. Both sides take the names from
here, so that the gate's expectation never rests on what was collected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from dialproof.checks.base import Family

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dialproof.config import Config
    from dialproof.findings import Finding
    from dialproof.model.contacts import ContactsFile
    from dialproof.model.rules import RulesFile
    from dialproof.project import Campaign, Project

__all__ = [
    "FAMILIES",
    "case_names",
    "expected_cases",
    "expected_items",
    "families",
    "files_of",
    "home_of",
    "invariant_names",
    "item_names",
    "population_names",
]

FAMILIES: tuple[Family, ...] = get_args(Family)
"""The check families in the order of their items."""


def families(config: Config) -> tuple[Family, ...]:
    """Return the families of which every rules file has an item: those that have checks, and always ``schema``.

    ``target`` is one where an environment beside the embedded sandbox is configured, ``changes`` where there is a base
    revision.
    """
    from dialproof.checks.registry import all_checks

    with_checks = {"schema", *(check.family for check in all_checks())}
    if not config.environments.keys() - {"sandbox"}:
        with_checks.discard("target")
    if not config.base:
        with_checks.discard("changes")
    return tuple(family for family in FAMILIES if family in with_checks)


def invariant_names(file: RulesFile) -> tuple[str, ...]:
    """Return the names of the items of a file's invariants, in document order."""
    return _unique(f"invariant: {invariant.name}" for invariant in file.invariants)


def case_names(file: ContactsFile) -> tuple[str, ...]:
    """Return the names of the items of a file's cases, in document order."""
    return _unique(case.name for case in file.tests)


def population_names(file: ContactsFile) -> tuple[str, ...]:
    """Return the names of the items of a file's populations, in document order; none is that of a case."""
    cases = case_names(file)
    return _unique([*cases, *(f"population: {population.name}" for population in file.populations)])[len(cases) :]


def item_names(project: Project, path: str) -> tuple[str, ...]:
    """Return the names of the items that the file at ``path`` yields, in the order in which they run."""
    if path in project.rules_files:
        return (*families(project.config), *invariant_names(project.rules_files[path]))
    if path in project.contacts_files:
        file = project.contacts_files[path]
        return (*case_names(file), *population_names(file))
    return ("schema",) if path in project.contact_lists else ()


def files_of(project: Project, campaign: Campaign) -> tuple[str, ...]:
    """Return the paths of all files of a campaign: its rules, the contacts that test it, its contact list."""
    rules = [file.path for file in campaign.files]
    contacts = [file.path for file in project.contacts_files_of(campaign)]
    columns = [campaign.contact_list.path] if campaign.contact_list.declared else []
    return tuple(sorted({*rules, *contacts, *columns}))


def expected_items(project: Project, campaign: Campaign) -> tuple[str, ...]:
    """Return the ids of all items that must pass before ``campaign`` is deployed."""
    return tuple(f"{path}::{name}" for path in files_of(project, campaign) for name in item_names(project, path))


def expected_cases(project: Project, campaign: Campaign) -> tuple[str, ...]:
    """Return the ids of those of them that are cases."""
    paths = (path for path in files_of(project, campaign) if path in project.contacts_files)
    return tuple(f"{path}::{name}" for path in paths for name in case_names(project.contacts_files[path]))


def home_of(project: Project, finding: Finding) -> str:
    """Return the path of the file whose items report a finding.

    That is the file it stands in, if that is a rules file or contact list; the rules file that a contacts file tests;
    otherwise (a file of no kind beside them) the first rules file of its folder, or of the project.
    """
    path = finding.path
    if path in project.rules_files or path in project.contact_lists:
        return path
    if path in project.links:
        return project.links[path].files[0].path
    folder = path.rpartition("/")[0]
    beside = [other for other in project.rules_files if other.rpartition("/")[0] == folder]
    return next(iter([*beside, *project.rules_files]), path)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return names that select exactly one item: ``::`` separates the parts of an id, and equal names count up."""
    taken: dict[str, None] = {}
    for written in names:
        name = base = written.replace("::", ": :")
        count = 1
        while name in taken:
            count += 1
            name = f"{base} ({count})"
        taken[name] = None
    return tuple(taken)
