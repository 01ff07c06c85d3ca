"""The one place where personal data is taken out of findings: no format and no report shows it in the clear."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.findings import DeferredWitness
from dialproof.reading import kind_of

if TYPE_CHECKING:
    from dialproof.findings import Finding, Witness
    from dialproof.model.contactlist import ContactList
    from dialproof.outcome import Acted, Outcome

__all__ = [
    "MASK",
    "PERSONAL_CONTEXT",
    "is_personal",
    "line_may_be_shown",
    "mask_contact",
    "mask_witness",
    "masked",
    "personal_columns",
]

MASK = "•••"
PERSONAL_CONTEXT = frozenset({"phone.number"})
"""The fields of the context that are personal."""


def personal_columns(columns: ContactList) -> frozenset[str]:
    """Return the names of the columns that are marked ``pii`` or ``phone``."""
    return frozenset(c.name for c in columns.columns.values() if c.pii or c.phone)


def is_personal(source: str, name: str, personal: Collection[str]) -> bool:
    """Tell whether a column (``personal`` are those that are), or a field of the context, is personal."""
    return name in (personal if source == "contact" else PERSONAL_CONTEXT)


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


def line_may_be_shown(finding: Finding) -> bool:
    """Tell whether nothing personal stands in the line where a finding begins.

    Anybody's number may stand in a contacts file, and in a file whose kind is unknown.
    """
    return not finding.personal and kind_of(finding.path) in ("rules", "contactlist")


def masked(finding: Finding, columns: ContactList) -> Finding:
    """Return the finding with every personal value of its witness masked (the sentences of checks never hold one)."""
    witness, names = finding.witness, personal_columns(columns)
    if witness is None:
        return finding
    if isinstance(witness, DeferredWitness):
        deferred = witness
        return replace(finding, witness=DeferredWitness(lambda: mask_witness(deferred.witness, names)))
    return replace(finding, witness=mask_witness(witness, names))


def mask_witness(witness: Witness, names: frozenset[str]) -> Witness:
    """Return a witness with the named columns, and what is personal of the context, masked."""
    return replace(
        witness,
        contact=mask_contact(witness.contact, names),
        context=mask_contact(witness.context, PERSONAL_CONTEXT),
        outcome=_mask_outcome(witness.outcome, names),
        other=None if witness.other is None else _mask_outcome(witness.other, names),
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
