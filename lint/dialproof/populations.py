"""What populations name: rules and lists of the campaign that they test, CEL, and files of contacts by digest."""

from __future__ import annotations

import os
from glob import glob
from typing import TYPE_CHECKING

from dialproof.cel import ast
from dialproof.cel.program import Programs
from dialproof.errors import InputError
from dialproof.model.parse_base import hint
from dialproof.model.rules import Invariant
from dialproof.reading import resolved
from dialproof.source import digest_of
from dialproof.source.positions import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dialproof.cel.program import LeafProgram
    from dialproof.config import Config
    from dialproof.model.contacts import ContactsFile
    from dialproof.model.populations import Population, Statement
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign, Project
    from dialproof.view import View

__all__ = ["Statements", "columns_of", "digests_of_contacts", "files_of", "list_ids", "problems_of"]


def problems_of(file: ContactsFile, campaign: Campaign) -> Iterator[Problem]:
    """Yield what the populations of a file name and its campaign does not have, and files outside of the project."""
    rules = {rule.name: rule for rule in campaign.rules}
    lists = list_ids(campaign.rules)
    for population in file.populations:
        expect, lead = population.expect, f"population {population.name!r}"
        for name in expect.matched:
            place = expect.spans[f"matched.{name}"]
            if name not in rules:
                yield Problem(file.path, place, "DP102", f"{lead}: there is no rule {name!r}; {hint(name, rules)}")
            elif rules[name].category != population.category:
                message = f"{lead}: {name} is a {rules[name].category} rule, and this is about {population.category}"
                yield Problem(file.path, place, "DP102", message)
        for name in expect.lists:
            if name not in lists:
                message = f"{lead}: no rule puts contacts on a list {name!r}; {hint(name, lists)}"
                yield Problem(file.path, expect.spans[f"lists.{name}"], "DP102", message)
        for pattern, place in zip(population.contacts, population.contacts_spans, strict=True):
            if not file.path.startswith("../") and resolved(file.path, pattern).startswith(("../", "/")):
                message = f"{lead}: {pattern} lies outside of the project: evidence is of files below its folder"
                yield Problem(file.path, place, "DP102", message)


def list_ids(rules: Sequence[Rule]) -> list[str]:
    """Return the lists that rules put contacts on or take them off, in order."""
    return list(dict.fromkeys(str(a.fields["listId"]) for r in rules for a in r.actions if a.type == "setList"))


def files_of(root: Path, file: ContactsFile, population: Population) -> dict[str, Path]:
    """Return the files of a population by their paths below ``root``, in order.

    Raises ``InputError`` for paths and globs that name none.
    """
    found: dict[str, Path] = {}
    missing = []
    for written in population.contacts:
        pattern = resolved(file.path, written)
        names = [pattern] if (root / pattern).is_file() else sorted(glob(pattern, root_dir=root, recursive=True))
        if not names:
            missing.append(f"there is no file {written}")
        found.update({name.replace(os.sep, "/"): root / name for name in names})
    if missing:
        raise InputError("\n".join(missing))
    return found


def digests_of_contacts(project: Project, campaign: Campaign | None = None) -> dict[str, str]:
    """Return the sha256 (hex) of each file of contacts that populations name, of one campaign or of all.

    A file that is not there, or cannot be read, has none: its population fails.
    """
    found: dict[str, str] = {}
    for name, linked in project.links.items():
        file = project.contacts_files[name]
        for population in file.populations if campaign is None or linked is campaign else ():
            try:
                files = files_of(project.config.root, file, population)
            except InputError:
                continue
            for path, place in files.items():
                if path not in found and (digest := digest_of(place)) is not None:
                    found[path] = digest
    return found


class Statements:
    """What a population says of each contact, compiled; its project has no problems."""

    def __init__(self, path: str, population: Population, campaign: Campaign, config: Config) -> None:
        self.of: tuple[Statement, ...] = population.expect.each
        invariants = [Invariant(population.name, text, text.span, path) for text in population.expect.texts]
        self._programs = Programs((), invariants, campaign.contact_list, cache=config.cache)

    def programs(self, statement: Statement) -> tuple[LeafProgram | None, LeafProgram]:
        """Return the programs of ``where``, if there is one, and of what is said."""
        where = None if statement.where is None else self._programs.leaf(statement.where)
        return where, self._programs.leaf(statement.text)

    def read_of(self, statement: Statement) -> list[str]:
        """Return the columns whose names a statement holds, before or after the run, in order of appearance."""
        programs = [program for program in self.programs(statement) if program is not None]
        return list(dict.fromkeys(name for program in programs for name in columns_of(program)))

    @property
    def named(self) -> frozenset[str]:
        """The columns that are read by their names as they are before the run, and so have to be there."""
        return frozenset(v.name for program in self._all for v in program.reads if v.source == "contact")

    @property
    def reads(self) -> frozenset[str] | None:
        """The columns that matter, None where all may."""
        if any(p.every_column or (p.ast is not None and None in _written(p.ast)) for p in self._all):
            return None
        return frozenset(name for statement in self.of for name in self.read_of(statement))

    @property
    def _all(self) -> list[LeafProgram]:
        return [program for one in self.of for program in self.programs(one) if program is not None]

    def seen(self, view: View, outcome: Outcome) -> View:
        """Return the view of a contact in which its outcome, and all that statements name, can be read."""
        seen = view.with_outcome(outcome)
        seen.names = (*view.names, *self._programs.variables)
        return seen

    def verdict(self, statement: Statement, seen: View, *, reference: bool = False) -> bool | None:
        """Return whether a statement holds of a contact that is seen, None where that cannot be decided.

        With ``reference`` cel-python decides it.
        """
        where, text = (
            True if program is None else program.reference(seen) if reference else program.verdict(seen)
            for program in self.programs(statement)
        )
        if statement.kind == "never":
            text = None if text is None else not text
        if where is False or text is True:
            return True
        return False if where and text is False else None


def columns_of(program: LeafProgram) -> list[str]:
    """Return the columns whose names an expression holds: of the contact, then of ``outcome.contact``."""
    after = () if program.ast is None else _written(program.ast)
    return [*(v.name for v in program.reads if v.source == "contact"), *(name for name in after if name is not None)]


def _written(node: ast.Node) -> Iterator[str | None]:
    """Yield the columns of ``outcome.contact`` that an expression reads, None where it reads them all."""
    parts = ast.path(node)
    if parts is None:
        for child in ast.children(node):
            yield from _written(child)
    elif parts[0] == "outcome" and (len(parts) == 1 or parts[1] == "contact"):
        yield ".".join(parts[2:]) or None
