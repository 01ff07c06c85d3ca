"""JSON lines that every reader splits alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["json_lines"]

_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\u0085\u2028\u2029"}
"""What JSON lets stand in a text and many readers, such as ``str.splitlines``, take for the end of a line."""


def json_lines(records: Iterable[Mapping[str, object]]) -> bytes:
    """Return the records as JSON, one a line, in UTF-8; half of a surrogate pair stands escaped."""
    text = "".join(json.dumps(record, ensure_ascii=False).translate(_LINE_ENDS) + "\n" for record in records)
    return text.encode("utf-8", "backslashreplace")
