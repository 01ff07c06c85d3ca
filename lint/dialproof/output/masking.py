"""The one place where personal data is taken out of findings: no format and no report shows it in the clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.findings import Finding
    from dialproof.model.contactlist import ContactList
    from dialproof.outcome import Acted, Outcome

__all__ = ["MASK", "mask_contact", "masked", "personal_columns"]

MASK = "•••"
_PERSONAL_CONTEXT = frozenset({"phone.number"})
_SHORTEST_TELLING = 5  # a shorter value says nothing about a person, and occurs in every sentence by chance


def personal_columns(columns: ContactList) -> frozenset[str]:
    """Return the names of the columns that are marked ``pii`` or ``phone``."""
    return frozenset(c.name for c in columns.columns.values() if c.pii or c.phone)


def mask_contact(contact: Mapping[str, object], names: frozenset[str], prefix: str = "") -> dict[str, object]:
    """Return a copy of a contact (or context) with the named columns masked; blank values stay blank."""
    result: dict[str, object] = {}
    for key, value in contact.items():
        name = prefix + key
        if name in names:
            result[key] = value if value is None or value == "" else MASK
        elif isinstance(value, Mapping):
            result[key] = mask_contact(value, names, f"{name}.")
        else:
            result[key] = value
    return result


def masked(finding: Finding, columns: ContactList) -> Finding:
    """Return the finding with every personal value of its witness masked, in its sentences too."""
    witness = finding.witness
    if witness is None:
        return finding
    names = personal_columns(columns)
    secrets = sorted(
        {*_values(witness.contact, names), *_values(witness.context, _PERSONAL_CONTEXT)}, key=len, reverse=True
    )
    safe = replace(
        witness,
        contact=mask_contact(witness.contact, names),
        context=mask_contact(witness.context, _PERSONAL_CONTEXT),
        outcome=_mask_outcome(witness.outcome, names),
        other=None if witness.other is None else _mask_outcome(witness.other, names),
    )
    return replace(
        finding,
        witness=safe,
        summary=_without(finding.summary, secrets),
        details=_without(finding.details, secrets),
        fix=_without(finding.fix, secrets),
    )


def _mask_outcome(outcome: Outcome, names: frozenset[str]) -> Outcome:
    return replace(
        outcome,
        contact=mask_contact(outcome.contact, names),
        acted=tuple(_mask_acted(acted, names) for acted in outcome.acted),
    )


def _mask_acted(acted: Acted, names: frozenset[str]) -> Acted:
    fields = acted.action.fields
    if fields.get("attribute") not in names or "value" not in fields:
        return acted
    return replace(acted, action=replace(acted.action, fields={**fields, "value": MASK}))


def _values(contact: Mapping[str, object], names: frozenset[str], prefix: str = "") -> Iterator[str]:
    for key, value in contact.items():
        if isinstance(value, Mapping) and prefix + key not in names:
            yield from _values(value, names, f"{prefix}{key}.")
        elif prefix + key in names and len(str(value)) >= _SHORTEST_TELLING:
            yield str(value)


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
