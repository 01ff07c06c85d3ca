"""``pull``: read a target, write files, and look with the planner's eyes at what was written.

The files are made in a folder of their own first, and planned from there: whether the result is what stands on the
target is not believed but asked. Nothing on disk is overwritten.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import DialproofError, UsageError
from dialproof.model.parse_contactlist import parse_contactlist
from dialproof.project import load_project
from dialproof.source import read_source
from dialproof_deploy.plan.personal import personal_names, register_values
from dialproof_deploy.pull.contact_list_file import contact_list_file
from dialproof_deploy.pull.ids import LogicalIds
from dialproof_deploy.pull.reading import read_rules
from dialproof_deploy.pull.rules_file import rules_file
from dialproof_deploy.pull.sample import rows_of, sample_file
from dialproof_deploy.pull.source import read_target
from dialproof_deploy.redact import redact
from dialproof_deploy.state import utc_text
from dialproof_deploy.targets import target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.contactlist import ContactList
    from dialproof.project import Project
    from dialproof_deploy.deploy import Deployer
    from dialproof_deploy.pull.holders import Holder
    from dialproof_deploy.pull.source import Source

__all__ = ["Pulled", "pull", "write_files"]

_WRITTEN = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Pulled:
    """What was made of a target.

    ``files`` are texts by name; ``rules`` says how many rules they hold, ``notes`` what is otherwise than one would
    expect, a sentence each. ``unchanged`` tells that a plan of these files changes nothing, ``campaigns`` are the ids
    in them.
    """

    files: Mapping[str, str]
    rules: int
    notes: tuple[str, ...]
    unchanged: bool
    campaigns: frozenset[str] = frozenset()


def pull(deployer: Deployer, contacts: int) -> Pulled:
    """Read what the target of the environment holds, with a sample of up to so many contacts of each rule set.

    Raises as the target does, and ``UsageError`` where it is not known what to read.
    """
    source = read_target(deployer, contacts=contacts > 0)
    work = _Work(deployer, source, LogicalIds(deployer.environment), notes=list(source.notes))
    for holder in source.holders:
        work.add(holder)
    unchanged = work.finish(contacts)
    return Pulled(
        work.files, work.rules, tuple(redact(note) for note in work.notes), unchanged, frozenset(work.campaigns)
    )


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files below a folder; raises ``UsageError``, nothing written, if one is in the way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        in_the_way = [folder / name for name in files if (folder / name).exists()]
        if in_the_way:
            there = "\n".join(f"{path}: this file exists already; pull overwrites nothing" for path in in_the_way)
            raise UsageError(f"{there}\npull into another folder with --out DIR")
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: cannot be written: {error.strerror or error}") from None


@dataclass
class _Work:
    """The files so far. ``lists`` has the file and the columns of each contact list, ``exports`` that of each file."""

    deployer: Deployer
    source: Source
    ids: LogicalIds
    notes: list[str]
    files: dict[str, str] = field(default_factory=dict)
    rules: int = 0
    campaigns: set[str] = field(default_factory=set)
    lists: dict[str, tuple[str, ContactList] | None] = field(default_factory=dict)
    exports: dict[str, bytes] = field(default_factory=dict)

    def add(self, holder: Holder) -> None:
        """Add the files of one campaign or rule set."""
        called = f"rule set {holder.name!r}" if holder.rule_set else f"campaign {holder.name!r}"
        if not holder.rules:
            self.notes.append(f"{called} has no rules there")
            return
        listed = self._contact_list(holder.contact_list)
        columns = listed[1] if listed else None
        if columns is not None:
            register_values(holder.rules, personal_names(columns))
        environment = self.deployer.environment
        rules, unread = read_rules(holder, target_of(environment), environment, columns, self.ids)
        self.notes += [f"{called}: {one.sentence}" for one in unread]
        self.rules += len(rules)
        if not rules:
            return
        name = self._free(holder.name, "rules")
        campaigns = [self.ids("campaigns", campaign) for campaign in holder.campaigns]
        self.campaigns |= set(campaigns)
        head: dict[str, object] = {"campaign": campaigns[0]} if len(campaigns) == 1 else {"campaigns": campaigns}
        if listed:
            head["contactList"] = listed[0]
        if holder.rule_set:
            head["ruleSet"] = holder.rule_set
        said = [f"Pulled from the environment {environment.name}."]
        said += [f"{campaign}: {self.source.names[there]}" for campaign, there in
                 zip(campaigns, holder.campaigns, strict=True) if there in self.source.names]  # fmt: skip
        self.files[name] = rules_file(head, rules, unread, self.ids, note="\n".join(said))
        if holder.contact_list in self.source.exports:
            self.exports[name] = self.source.exports[holder.contact_list]

    def finish(self, contacts: int) -> bool:
        """Add the samples of contacts, and tell whether a plan of the files changes nothing."""
        self.notes += self.ids.sentences()
        if not self.files:
            return False
        with tempfile.TemporaryDirectory(prefix="dialproof-pull-") as folder:
            root = Path(folder).resolve()
            write_files(root, self.files)
            project = self._project(root)
            wrong = [str(problem) for problem in project.problems if getattr(problem, "severity", "error") == "error"]
            if wrong:
                self.notes += wrong
                return False
            self._sample(project, contacts)
            return self._plan(project)

    def _contact_list(self, key: str) -> tuple[str, ContactList] | None:
        """Return the file and columns of a contact list, None where they are not known."""
        if key not in self.source.lists:
            return None
        if key not in self.lists:
            self.lists[key] = self._written_list(key)
        return self.lists[key]

    def _written_list(self, key: str) -> tuple[str, ContactList] | None:
        there = self.source.lists[key]
        called = str(there.get("name") or key)
        name = self._free(called, "contactlist")
        try:
            text = contact_list_file(there, f"Pulled from the environment {self.deployer.environment.name}.")
        except ValueError as error:
            self.notes.append(f"contact list {called!r} cannot be written: {error}")
            return None
        columns, problems = parse_contactlist(read_source(Path(name), name, text.encode()))
        if columns is None:
            self.notes += [f"contact list {called!r} cannot be written: {problem.message}" for problem in problems]
            return None
        self.files[name] = text
        return name, columns

    def _project(self, root: Path) -> Project:
        config = self.deployer.project.config
        return load_project(
            replace(config, root=root, file=None, campaigns={}, exclude=(), base="", cache_folder=root / "cache")
        )

    def _sample(self, project: Project, contacts: int) -> None:
        """Add a sample of contacts for each rules file whose contacts were exported."""
        now = utc_text(self.deployer.clock())
        for name, exported in self.exports.items():
            campaign = next((c for c in project.campaigns if any(file.path == name for file in c.files)), None)
            if campaign is None:
                continue
            stem = name.removesuffix(".rules.yaml")
            try:
                semantics = project.config.semantics
                text = sample_file(campaign, semantics, rows_of(exported), contacts, rules=name, now=now)
            except ValueError as error:
                self.notes.append(f"{name}: there is no sample of contacts: {error}")
                continue
            self.files[f"{stem}.contacts.yaml"] = text

    def _plan(self, project: Project) -> bool:
        try:
            plans = replace(self.deployer, project=project).plan()
        except DialproofError as error:
            self.notes += [f"a plan of these files is not possible: {line}" for line in str(error).splitlines()]
            return False
        found = []
        for plan in plans:
            parts = [f"{step.title} ({', '.join(part.title for part in step.parts)})" if step.parts else step.title
                     for step in plan.steps]  # fmt: skip
            found += [f"a plan would write the same in another form: {part}" for part in parts]
            found += [f"a plan of these files is refused: {refusal}" for refusal in plan.refusals]
        self.notes += found
        return not found

    def _free(self, name: str, kind: str) -> str:
        """Return a name of a file that is free, like that of what it holds."""
        stem = _WRITTEN.sub("_", name).strip("._") or kind
        number, found = 1, stem
        while f"{found}.{kind}.yaml".lower() in map(str.lower, self.files):
            number += 1
            found = f"{stem}_{number}"
        return f"{found}.{kind}.yaml"
