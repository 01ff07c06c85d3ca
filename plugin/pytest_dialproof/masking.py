"""Personal values in the text of failures: masked by column where a literal is compared with one, and by value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dialproof.output.masking import MASK, PERSONAL_CONTEXT, is_personal, personal_columns
from dialproof_deploy.audit.personal import texts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dialproof.cel.program import LeafProgram
    from dialproof.cel.values import Variable
    from dialproof.model.contactlist import ContactList

__all__ = ["cel_text", "statement_text", "values_masked"]

_LITERAL = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\b[0-9]{5,}\b""")


def values_masked(
    columns: ContactList, contacts: Iterable[Mapping[str, object]], *contexts: Mapping[str, object]
) -> Callable[[str], str]:
    """Return what masks the personal values of some contacts and of calls wherever a text holds them."""
    names = personal_columns(columns)
    found = {text for contact in contacts for text in texts_of(contact, names)}
    called = {text for context in contexts for text in texts_of(context, PERSONAL_CONTEXT)}
    values = sorted(found | called, key=len, reverse=True)

    def mask(text: str) -> str:
        for value in values:
            text = text.replace(value, MASK)
        return text

    return mask


def cel_text(text: str, reads: Iterable[Variable], columns: ContactList) -> str:
    """Return CEL as it may be shown: without its literals where it reads something personal."""
    names = personal_columns(columns)
    personal = any(is_personal(variable.source, variable.name, names) for variable in reads)
    return _LITERAL.sub(MASK, text) if personal else text


def statement_text(text: str, program: LeafProgram, columns: ContactList) -> str:
    """Return a statement over contact and outcome as ``cel_text`` does; it may read a contact before or after a run."""
    from dialproof.cel.values import Variable
    from dialproof.populations import columns_of

    return cel_text(text, [*program.reads, *(Variable("contact", name) for name in columns_of(program))], columns)
