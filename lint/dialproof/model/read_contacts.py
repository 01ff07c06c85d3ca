"""A contacts file that somebody names: an exported list or the cases of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.errors import InputError, UsageError
from dialproof.model.parse_contacts import parse_contacts
from dialproof.model.parse_csv import parse_csv
from dialproof.source import read_source

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.model.contacts import ContactsFile

__all__ = ["read_contacts"]


def read_contacts(path: Path) -> ContactsFile:
    """Read a contact list as the platform exports it (CSV), or any contacts file.

    Raises ``UsageError`` where there is no such file, ``InputError`` with everything that is wrong in it.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    if path.suffix.lower() == ".csv":
        file, problems, _ = parse_csv(path, str(path))
    elif path.suffix.lower() in (".yaml", ".yml", ".json"):
        file, problems = parse_contacts(read_source(path, str(path)))
    else:
        raise UsageError(f"{path}: expected contacts as .csv, .yaml or .json")
    if file is None:
        raise InputError("\n".join(map(str, problems)))
    return file
