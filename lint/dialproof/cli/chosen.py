"""Which contact a command line means: a case by its name, a row or case of a file, a file with one, or its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.analysis.witness import put
from dialproof.cel.values import overlap
from dialproof.cli.inputs import check_read, shown
from dialproof.errors import InputError, UsageError
from dialproof.model.contacts import Case
from dialproof.model.operators import context_type
from dialproof.output.report import count
from dialproof.reading import display_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.model.contacts import Contact, ContactsFile
    from dialproof.model.rules import Category
    from dialproof.project import Campaign, Project

__all__ = ["Chosen", "campaigns_of", "choose"]

_ROW = re.compile(r"(.+):([0-9]+)")
_PAIR = re.compile(r"([^=\s][^=]*)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Chosen:
    """A contact, what surrounds it, and the rules that it is run by; ``label`` says which one it is."""

    label: str
    campaign: Campaign
    contact: Contact
    context: Mapping[str, object] = field(default_factory=dict)
    category: Category | None = None
    now: str | None = None
    time_zone: str | None = None


def campaigns_of(project: Project, rules: Path, campaign_id: str | None) -> list[Campaign]:
    """Return the campaigns of a rules file or folder, or the one of that name; raises if there is none."""
    name = "" if rules.is_dir() else display_path(project.config.root.resolve(), rules.resolve())
    found = [c for c in project.campaigns if not name or any(file.path == name for file in c.files)]
    found = [c for c in found if campaign_id is None or campaign_id in c.ids]
    if not found:
        check_read(project, name)
        known = ", ".join(i for c in project.campaigns for i in c.ids) or "none"
        what = f"the campaign {campaign_id!r}" if campaign_id else "rules of a campaign"
        raise UsageError(f"{rules}: expected {what}, and there are {known}")
    return found


def choose(texts: Sequence[str], project: Project, campaigns: Sequence[Campaign]) -> Chosen:
    """Return the contact that is meant.

    Raises :class:`UsageError` where that is none or several, :class:`InputError` for a file that cannot be read.
    """
    text = texts[0]
    pairs = [_PAIR.fullmatch(one) for one in texts]
    if all(pairs) and not Path(text).exists():
        named = [(pair[1], pair[2]) for pair in pairs if pair is not None]
        return _inline(named, _only(campaigns))
    if len(texts) > 1:
        raise UsageError("expected one contact, or pairs column=value: quote the name of a case")
    row = _ROW.fullmatch(text)
    if Path(text).is_file():
        return _of_file(Path(text), None, _only(campaigns))
    if row is not None and Path(row[1]).is_file():
        return _of_file(Path(row[1]), int(row[2]), _only(campaigns))
    return _case(text, project, campaigns)


def _only(campaigns: Sequence[Campaign]) -> Campaign:
    if len(campaigns) > 1:
        raise UsageError(f"there are the campaigns {', '.join(c.id for c in campaigns)}: name one with --campaign")
    return campaigns[0]


def _inline(pairs: Sequence[tuple[str, str]], campaign: Campaign) -> Chosen:
    _check_columns([name for name, _ in pairs])
    names = campaign.contact_list.columns
    contact: dict[str, object] = {}
    context: dict[str, object] = {}
    for name, value in pairs:
        if name not in names and context_type(name) is not None:
            put(context, name, value, ())
        else:
            put(contact, name, value, names)
    return Chosen("the contact", campaign, contact, context)


def _check_columns(names: Sequence[str]) -> None:
    """Raise :class:`UsageError` where a column is given twice, or is a column and the path to others at once."""
    for number, name in enumerate(names):
        for other in names[:number]:
            if name == other:
                raise UsageError(f"column {name!r} is given twice")
            if overlap(name, other):
                raise UsageError(f"{other!r} and {name!r} cannot both be columns of a contact")


def _case(name: str, project: Project, campaigns: Sequence[Campaign]) -> Chosen:
    found: list[tuple[Case, ContactsFile, Campaign]] = []
    names: dict[str, None] = {}
    for path, campaign in project.links.items():
        if any(campaign is one for one in campaigns):
            file = project.contacts_files[path]
            names.update(dict.fromkeys(case.name for case in file.cases))
            found += [(case, file, campaign) for case in file.cases if case.name == name]
    if not found:
        from difflib import get_close_matches

        near = get_close_matches(name, names, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"there is no case {name!r}, and no file of that name{hint}")
    if len(found) > 1:
        root = project.config.root.resolve()
        places = ", ".join(f"{shown(root / file.path)}:{case.name_span.line}" for case, file, _ in found)
        raise UsageError(f"several cases are named {name!r} ({places}): name FILE:NUMBER, or --rules")
    case, file, campaign = found[0]
    return _of_case(f"case {name!r}", case, file, campaign)


def _of_case(label: str, case: Case, file: ContactsFile, campaign: Campaign) -> Chosen:
    now, zone = case.now or file.now, case.time_zone or file.time_zone
    return Chosen(label, campaign, case.contact, case.context, case.category, now, zone)


def _of_file(path: Path, number: int | None, campaign: Campaign) -> Chosen:
    """Return the contact of a file, counted from one where it has several."""
    from dialproof.model.read_contacts import read_contacts

    alone = _columns(path)
    if alone is not None and number in (None, 1):
        return Chosen(str(path), campaign, alone)
    file = None if alone is not None else read_contacts(path)
    contacts: Sequence[Case | Contact] = () if file is None else file.cases or file.population
    total = count(1 if file is None else len(contacts), "contact")
    if number is None and len(contacts) != 1:
        raise UsageError(f"{path}: expected one contact, found {total}: name one, {path}:1 say")
    if file is None or not 1 <= (number or 1) <= len(contacts):
        raise UsageError(f"{path}: expected contact {number}, found {total}")
    chosen = contacts[(number or 1) - 1]
    if isinstance(chosen, Case):
        return _of_case(f"case {chosen.name!r}", chosen, file, campaign)
    return Chosen(f"{path}, row {number or 1}", campaign, chosen, now=file.now, time_zone=file.time_zone)


def _columns(path: Path) -> Contact | None:
    """Return the contact of a YAML or JSON file that holds nothing but its columns, None for any other file."""
    from dialproof.model.parse_contacts import parse_contact
    from dialproof.source import Mapping as MappingNode
    from dialproof.source import read_source

    if path.suffix.lower() not in (".yaml", ".yml", ".json"):
        return None
    source = read_source(path, str(path))
    if isinstance(source.root, MappingNode) and "cases" in source.root:
        return None
    contact, problems = parse_contact(source)
    if contact is None:
        raise InputError("\n".join(map(str, problems)))
    return contact
