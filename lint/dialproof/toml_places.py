"""Where the keys of a TOML text stand, which tomllib does not tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["place_of", "places_of_keys"]

_LINE = re.compile(
    r"""\s*(?:(\[\[?)([^\]]+)\]|((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=)"""
)


def places_of_keys(text: str) -> dict[str, tuple[int, int]]:
    """Return the line and column at which each table and key of a TOML text begins, by its name without quotes.

    Read are the lines that begin with ``[table]`` or ``key =``. What stands in an inline table is at that table's key.
    """
    places: dict[str, tuple[int, int]] = {}
    tables: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.match(line)
        if found is None:
            continue
        opening, header, key = found.groups()
        name = re.sub(r"\s*\.\s*", ".", (header or key).strip()).replace('"', "").replace("'", "")
        if header is None:
            places.setdefault(f"{table}{name}", (number, found.start(3) + 1))
            continue
        if opening == "[[":
            index = tables[name] = tables.get(name, -1) + 1
            name = f"{name}[{index}]"
        table = f"{name}."
        places.setdefault(name, (number, found.start(1) + 1))
    return places


def place_of(text: str, places: Mapping[str, tuple[int, int]], key: str, written: str) -> str:
    """Return ``:LINE:COLUMN`` of a key, or of the nearest table around it that has a place.

    Of a text that is ``written`` there it is the place of that, if it stands in the text as it is.
    """
    while key and key not in places:
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    if not key:
        return ""
    line, column = places[key]
    following = min((other for other, _ in places.values() if other > line), default=None)
    for number, content in enumerate(text.splitlines()[line - 1 : following and following - 1], line):
        at = content.find(written, column if number == line else 0) if written else -1
        if at >= 0:
            return f":{number}:{at + 1}"
    return f":{line}:{column}"
