"""Contact lists: the typed columns of contacts, from a ``*.contactlist.yaml`` file or inferred from use."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.rules import ValueType
    from dialproof.source.positions import Span

__all__ = ["VALUE_TYPES", "Column", "ColumnType", "ContactList"]

ColumnType: TypeAlias = Literal["string", "integer", "number", "boolean", "datetime", "date"]

VALUE_TYPES: Mapping[ColumnType, ValueType] = MappingProxyType(
    {
        "string": "string",
        "integer": "number",
        "number": "number",
        "boolean": "boolean",
        "datetime": "datetime",
        "date": "datetime",
    }
)
"""The type of a column -> the type under which a condition compares it that names none."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type and the domain that the analysis ranges over.

    ``name`` is the full name or path (``customFields.lifetimeValue``); ``remote`` the name on the platform. ``min`` and
    ``max`` are numbers, or ISO 8601 text for datetime and date; ``enum`` holds text, numbers or booleans.
    """

    name: str
    type: ColumnType
    required: bool = False
    min: float | str | None = None
    max: float | str | None = None
    decimals: int | None = None
    enum: tuple[str | float | bool, ...] | None = None
    pattern: str | None = None
    pii: bool = False
    phone: bool = False
    time_zone: bool = False
    remote: str = ""
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ContactList:
    """The columns of a campaign's contacts, in document order.

    ``declared`` is False for a list that was inferred from what the rules compare; ``path`` is then empty.
    """

    path: str
    columns: Mapping[str, Column]
    declared: bool = True
