"""Texts as YAML scalars that every reader takes for the same text.

``yes``, ``010``, ``1:30`` and ``2026-03-07`` are texts under YAML 1.2 or 1.1 or neither; in quotes they are texts under
both.
"""

from __future__ import annotations

import json
import re

from dialproof.source.yaml_reader import AMBIGUOUS_WORDS, UNPRINTABLE, resolve

__all__ = ["double_quoted", "escaped", "is_plain"]

_PLAIN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_.+/ -]*[A-Za-z0-9_./-])?")
_SPECIAL = re.compile(f"{UNPRINTABLE.pattern}|[\x85\u2028\u2029]")


def is_plain(text: str) -> bool:
    """Tell whether a text needs no quotes, wherever it stands."""
    return _PLAIN.fullmatch(text) is not None and text.lower() not in AMBIGUOUS_WORDS and resolve(text) == text


def double_quoted(text: str) -> str:
    """Return a text in double quotes, which is JSON too; half of a surrogate pair is not looked for."""
    return escaped(json.dumps(text, ensure_ascii=False))


def escaped(text: str) -> str:
    """Return a text with each character that ends a line, or that YAML must not hold, as an escape."""
    return _SPECIAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
