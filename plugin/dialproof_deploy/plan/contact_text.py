"""A contact in one line of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.contactlist import ContactList

__all__ = ["contact_text"]


def contact_text(contact: Mapping[str, object], now: str, columns: ContactList) -> str:
    """Return what a contact holds, ``state = "TX", attempts = 3``; personal columns are masked.

    ``now`` is shown where the contact has a date, whose age may matter.
    """
    from dialproof.output.masking import mask_contact, personal_columns
    from dialproof.output.witness import flat, value_text

    cells = dict(flat(mask_contact(contact, personal_columns(columns))))
    texts = [f"{name} = {value_text(value)}" for name, value in cells.items()]
    kinds = {columns.columns[name].type for name in cells if name in columns.columns}
    if kinds & {"date", "datetime"}:
        texts.append(f"now = {now}")
    return ", ".join(texts) or "nothing in any column"
