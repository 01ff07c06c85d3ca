"""The personal values of a project's contacts, so that no record of a deploy shows one by accident."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dialproof.cel.values import read_text
from dialproof.model.rules import Condition, leaves
from dialproof.output.masking import PERSONAL_CONTEXT, is_personal, personal_columns
from dialproof_deploy.redact import register_pii

if TYPE_CHECKING:
    from dialproof.project import Project

__all__ = ["personal_values", "register_personal_values", "texts_of"]

_SHORTEST_TELLING = 5
"""A shorter value says nothing about a person, and would blot out words and numbers that it happens to equal."""


def register_personal_values(project: Project) -> None:
    """Keep the personal values of all contacts out of audit records and exports of this process."""
    for value in personal_values(project):
        register_pii(value)


def personal_values(project: Project) -> Iterator[str]:
    """Yield, as text, the values of all ``pii`` and ``phone`` columns and the numbers that were called.

    As contacts have them, as cases expect them, and as conditions compare with them; values of fewer than five
    characters are left out.
    """
    for campaign in project.campaigns:
        columns = personal_columns(campaign.contact_list)
        of_rules = (leaf for rule in campaign.rules for leaf in leaves(rule.conditions))
        for condition in (leaf for leaf in of_rules if isinstance(leaf, Condition)):
            if is_personal(condition.source, condition.subject, columns):
                yield from texts_of(condition.value, columns, personal=True)
    for path, campaign in project.links.items():
        columns = personal_columns(campaign.contact_list)
        file = project.contacts_files[path]
        for contact in file.population:
            yield from texts_of(contact, columns)
        for case in file.cases:
            yield from texts_of(case.contact, columns)
            yield from texts_of(case.expect.contact or {}, columns)
            yield from texts_of(case.context, PERSONAL_CONTEXT)
        for timeline in file.timelines:
            for contact in timeline.contacts:
                yield from texts_of(contact, columns)
            for context in timeline.contexts:
                yield from texts_of(context, PERSONAL_CONTEXT)


def texts_of(value: object, names: frozenset[str], name: str = "", personal: bool = False) -> Iterator[str]:
    """Yield the texts of personal columns (``names``) at and below a value, those of five characters and more."""
    personal = personal or name in names
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts_of(item, names, f"{name}.{key}" if name else str(key), personal)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_of(item, names, name, personal)
    elif personal and not isinstance(value, bool):
        text = read_text(value)
        if len(text) >= _SHORTEST_TELLING:
            yield text
