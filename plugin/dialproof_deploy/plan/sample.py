"""Contacts that are known: those of the project's cases and populations, or an exported list."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dialproof.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from dialproof.evaluate import Evaluator
    from dialproof.model.contactlist import ContactList
    from dialproof.model.contacts import Contact, ContactsFile
    from dialproof.project import Campaign, Project

__all__ = ["Known", "Sample", "sample_of"]


@dataclass(frozen=True, slots=True)
class Known:
    """One contact, with what surrounds the call and the moment at which it is looked at (ISO 8601)."""

    contact: Contact
    context: Mapping[str, object]
    now: str
    time_zone: str | None

    def dialed_by(self, evaluator: Evaluator) -> bool:
        """Tell whether the rules dial it; one that they cannot be run on is not dialed."""
        outcome = evaluator.run(self.contact, context=self.context, now=self.now, time_zone=self.time_zone)
        return bool(outcome.dial)


@dataclass(frozen=True)
class Sample:
    """Contacts, and in words whose they are; ``header`` are the columns of a list that was given."""

    source: str
    files: Sequence[ContactsFile]
    now: datetime
    time_zone: str | None = None
    header: frozenset[str] | None = None

    def check_columns(self, read: Iterable[str]) -> None:
        """Raise ``InputError`` for a list without a column that the rules read: whatever it counted would be wrong."""
        missing = [name for name in dict.fromkeys(read) if self.header is not None and name not in self.header]
        if missing:
            raise InputError(f"{self.source}: there is no column {', '.join(missing)}, which the rules read")

    def __iter__(self) -> Iterator[Known]:
        """Yield each contact; the cases of a campaign before its dialing, that is of category preCall."""
        moment = self.now.isoformat()
        for file in self.files:
            zone = file.time_zone or self.time_zone
            for case in file.cases:
                if case.category == "preCall":
                    yield Known(case.contact, case.context, case.now or file.now or moment, case.time_zone or zone)
            for contact in file.population:
                yield Known(contact, {}, file.now or moment, zone)

    def __len__(self) -> int:
        return sum(len(file.population) + sum(case.category == "preCall" for case in file.cases) for file in self.files)


def sample_of(
    project: Project, campaign: Campaign, given: ContactsFile | None, *, now: datetime, time_zone: str | None
) -> Sample:
    """Return the contacts of the file that was given, else those that the project's own files hold for the campaign."""
    if given is not None:
        named = _named(given.population, campaign.contact_list)
        header = frozenset(key for contact in named[:1] for key in contact) if named else None
        return Sample(given.path, [replace(given, population=named)], now, time_zone, header)
    files = [project.contacts_files[path] for path, linked in project.links.items() if linked.ids == campaign.ids]
    return Sample("the project's files", files, now, time_zone)


def _named(contacts: Sequence[Contact], columns: ContactList) -> tuple[Contact, ...]:
    """Return exported contacts with the names of the contact list: the platform knows each by its last segment."""
    there = {name: column.remote or name.rpartition(".")[2] for name, column in columns.columns.items()}
    uses = Counter(there.values())
    ours = {remote: name for name, remote in there.items() if uses[remote] == 1}
    return tuple({key if key in columns.columns else ours.get(key, key): v for key, v in c.items()} for c in contacts)
