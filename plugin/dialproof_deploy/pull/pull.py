"""``pull``: read a target, write files, and look with the linter's and the planner's eyes at what was written.

The files are made in a folder of their own first, and planned from there: whether the result is what stands on the
target is not believed but asked. Nothing on disk is overwritten.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import DialproofError, UsageError
from dialproof.model.contactlist import ContactList
from dialproof.project import load_project
from dialproof_deploy.pull.holders import Holder, campaigns_of, pull_campaigns
from dialproof_deploy.pull.ids import LogicalIds
from dialproof_deploy.pull.rules_file import Unread, rules_file, why_not
from dialproof_deploy.redact import redact
from dialproof_deploy.targets import target_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.model.rules import Rule
    from dialproof_deploy.deploy import Deployer

__all__ = ["Pulled", "pull", "write_files"]

_WRITTEN = re.compile(r"[^A-Za-z0-9._-]+")
_NO_COLUMNS = ContactList("", {}, declared=False)
"""Columns stay named as they are on the target."""
_NOT_READ = "a rule of ours needs at least one action"


@dataclass(frozen=True)
class Pulled:
    """What was made of a target.

    ``files`` are texts by name; ``rules`` says how many rules they hold, ``notes`` what is otherwise than one would
    expect, a sentence each. ``unchanged`` tells that a plan of these files changes nothing.
    """

    files: Mapping[str, str]
    rules: int
    notes: tuple[str, ...]
    unchanged: bool


def pull(deployer: Deployer) -> Pulled:
    """Read what the target of the environment holds; raises as the target does, ``UsageError`` for none."""
    ids = LogicalIds(deployer.environment)
    with deployer.connected() as target:
        known = campaigns_of(deployer.project, deployer.environment, deployer.environ.get("GENESYS_CAMPAIGN_ID", ""))
        holders = list(pull_campaigns(target, known))
    files: dict[str, str] = {}
    notes: list[str] = []
    count = 0
    for holder in holders:
        rules, unread = _read(holder, deployer)
        name = _file_name(holder.name, files)
        if not rules and not unread:
            notes.append(f"campaign {holder.name!r} has no rules there")
            continue
        text, left = _text(holder, rules, unread, ids, deployer.environment.name)
        if len(left) < len(holder.rules):
            files[f"{name}.rules.yaml"] = text
        count += len(holder.rules) - len(left)
        notes += [f"{holder.name}: {one.sentence}" for one in left]
    notes += ids.sentences()
    unchanged, found = _planned(deployer, files) if files else (False, [])
    return Pulled(files, count, tuple(redact(note) for note in (*notes, *found)), unchanged)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files below a folder; raises ``UsageError``, nothing written, if one is in the way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        in_the_way = [name for name in files if (folder / name).exists()]
        if in_the_way:
            there = "\n".join(
                f"{folder / name}: this file exists already; pull overwrites nothing" for name in in_the_way
            )
            raise UsageError(f"{there}\npull into another folder with --out DIR")
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: cannot be written: {error.strerror or error}") from None


def _read(holder: Holder, deployer: Deployer) -> tuple[list[Rule], list[Unread]]:
    """Return the rules as ours, and those that are none."""
    read = target_of(deployer.environment).reader(_NO_COLUMNS)
    rules, unread = [], []
    for wire in holder.rules:
        try:
            rule = read(wire)
            if not rule.actions:
                raise ValueError(_NOT_READ)
            rules.append(rule)
        except ValueError as error:
            unread.append(Unread(wire, str(error)))
    return rules, unread


def _text(
    holder: Holder, rules: Sequence[Rule], unread: Sequence[Unread], ids: LogicalIds, environment: str
) -> tuple[str, list[Unread]]:
    """Return the rules file, and what of the rules is a comment in it."""
    left = list(unread)
    held = []
    wires = {str(wire["name"]): wire for wire in holder.rules}
    for rule in rules:
        why = why_not(rule, ids)
        if why:
            left.append(Unread(wires[rule.name], why))
        else:
            held.append(rule)
    campaigns = [ids("campaigns", campaign) for campaign in holder.campaigns]
    head: dict[str, object] = {"campaign": campaigns[0]} if len(campaigns) == 1 else {"campaigns": campaigns}
    note = f"Pulled from the environment {environment}."
    return rules_file(head, held, left, ids, note=note), left


def _file_name(name: str, files: Mapping[str, str]) -> str:
    """Return a name of a file that is free, like that of what it holds."""
    stem = _WRITTEN.sub("_", name).strip("._") or "rules"
    number, found = 1, stem
    while f"{found}.rules.yaml" in files:
        number += 1
        found = f"{stem}_{number}"
    return found


def _planned(deployer: Deployer, files: Mapping[str, str]) -> tuple[bool, list[str]]:
    """Tell whether a plan of the files changes nothing, and what it changes."""
    with tempfile.TemporaryDirectory(prefix="dialproof-pull-") as folder:
        root = Path(folder).resolve()
        write_files(root, files)
        config = replace(
            deployer.project.config, root=root, file=None, campaigns={}, exclude=(), cache_folder=root / "cache"
        )
        project = load_project(config)
        wrong = [str(problem) for problem in project.problems if getattr(problem, "severity", "error") == "error"]
        if wrong:
            return False, wrong
        try:
            plans = replace(deployer, project=project).plan()
        except DialproofError as error:
            return False, [f"a plan of these files is not possible: {line}" for line in str(error).splitlines()]
    found = []
    for plan in plans:
        found += [f"a plan would {step.title}, although it was pulled as it is" for step in plan.steps]
        found += [f"a plan of these files is refused: {refusal}" for refusal in plan.refusals]
    return not found, found
