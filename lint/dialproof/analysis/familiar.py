"""Values that the contacts of a project hold: a witness made of them reads like a contact that people know."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from dialproof.analysis.witness import replaced
from dialproof.cel.values import MISSING, AmbiguousColumnError, lookup, read_text
from dialproof.output.masking import PERSONAL_CONTEXT, personal_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dialproof.cel.values import Variable
    from dialproof.project import Campaign, Project

__all__ = ["Familiar", "familiar_to"]

_CONTACTS = 1000
"""Contacts that are looked at, in the order of the files."""
_VALUES = 100
"""Different values of one column that are taken."""


@dataclass(frozen=True)
class Familiar:
    """Contacts, each with the context of its call."""

    contacts: tuple[tuple[Mapping[str, object], Mapping[str, object]], ...] = ()

    def values(self, variable: Variable) -> tuple[object, ...]:
        """Return the different values that the contacts have in a column, blank ones left out."""
        found: dict[str, object] = {}
        for contact, context in self.contacts:
            try:
                value = lookup(contact if variable.source == "contact" else context, variable.name)
            except AmbiguousColumnError:
                continue
            text = read_text(value) if isinstance(value, (str, int, float)) else ""
            if text:
                found.setdefault(text, value)
            if len(found) == _VALUES:
                break
        return tuple(found.values())


def familiar_to(project: Project, campaign: Campaign) -> Familiar:
    """Return the contacts of the campaign's contacts files, at most a thousand, without what is personal."""
    columns = campaign.contact_list
    personal = personal_columns(columns)

    def without(values: Mapping[str, object], hidden: Iterable[str]) -> Mapping[str, object]:
        for name in hidden:
            values = replaced(values, name, MISSING, columns.columns)
        return values

    found = islice(_contacts(project, campaign), _CONTACTS)
    return Familiar(
        tuple((without(contact, personal), without(context, PERSONAL_CONTEXT)) for contact, context in found)
    )


def _contacts(project: Project, campaign: Campaign) -> Iterator[tuple[Mapping[str, object], Mapping[str, object]]]:
    for file in project.contacts_files_of(campaign):
        yield from chain(((c.contact, c.context) for c in file.tests), ((p, {}) for p in file.population))
