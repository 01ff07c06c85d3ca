"""A contact list of the platform as a ``*.contactlist.yaml`` file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dialproof.source.yaml_text import block, comment

__all__ = ["contact_list_file"]

_TYPES = {"NUMERIC": "number", "TIMESTAMP": "datetime", "DATETIME": "datetime"}


def contact_list_file(contact_list: Mapping[str, Any], note: str) -> str:
    """Return the text of the file: every column with its type, bounds where the platform has some, phones marked.

    Raises ``ValueError`` for a name that YAML cannot hold, or no columns.
    """
    names = contact_list.get("columnNames")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) and n.strip(".") for n in names):
        raise ValueError("a contact list whose columns have no names")
    phones = _by_column(contact_list, "phoneColumns")
    personal = {**_by_column(contact_list, "emailColumns"), **_by_column(contact_list, "whatsAppColumns")}
    specifications = _by_column(contact_list, "columnDataTypeSpecifications")
    columns: dict[str, object] = {}
    for name in names:
        column = _column(specifications.get(name, {}), phone=name in phones)
        if name in personal:
            column["pii"] = True
        if "." in name:
            column["column"] = name
        columns[name] = column
    lines = [*comment(note), *block({"columns": columns}, 2)]
    return "".join(f"{line}\n" for line in lines)


def _column(specification: Mapping[str, Any], *, phone: bool) -> dict[str, object]:
    if phone:
        return {"type": "string", "phone": True}
    column: dict[str, object] = {"type": _TYPES.get(str(specification.get("columnDataType")), "string")}
    low, high = specification.get("min"), specification.get("max")
    if column["type"] == "number" and _is_number(low) and _is_number(high) and low <= high:  # type: ignore[operator]
        column |= {"min": low, "max": high}
    return column


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _by_column(contact_list: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
    """Return what a contact list says of columns under a key, by their names."""
    entries = contact_list.get(key)
    if not isinstance(entries, list):
        return {}
    objects = (entry for entry in entries if isinstance(entry, Mapping))
    return {name: entry for entry in objects if isinstance(name := entry.get("columnName"), str)}
