"""Rules of a target as they may be shown: what they say of personal columns is hidden."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dialproof.output.masking import personal_columns
from dialproof_deploy.audit.personal import texts_of
from dialproof_deploy.redact import PII, register_pii

if TYPE_CHECKING:
    from dialproof.model.contactlist import ContactList

__all__ = ["hidden", "personal_names", "register_values", "shown"]

_NAMES = ("attribute", "attributeName")
"""Keys under which a condition or an action names a column."""
_NUMBER = "phoneNumberCondition"
"""The type of a condition whose value is a telephone number."""
_REGISTERED: set[str] = set()
"""The personal columns that this process has met: a target is handed rules, and no contact list."""


class _Hidden(str):
    """``[pii]``; equal to another only if the same value is hidden there, so that a change is still a change."""

    value: object

    def __new__(cls, value: object) -> _Hidden:
        self = super().__new__(cls, PII)
        self.value = value
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden) and self.value == other.value

    __hash__ = None  # type: ignore[assignment]


def personal_names(columns: ContactList) -> frozenset[str]:
    """Return the names of the personal columns, here and on the target."""
    names = personal_columns(columns)
    return names.union(*({columns.columns[name].remote, name.rpartition(".")[2]} for name in names)) - {""}


def hidden(rule: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return a wire rule with ``[pii]`` in place of every value that it compares with, or writes to, such a column.

    Of a rule set all rules are returned so.
    """
    found = {key: _shown(value, names) if key in ("conditions", "actions") else value for key, value in rule.items()}
    if isinstance(found.get("rules"), list):
        found["rules"] = [hidden(item, names) if isinstance(item, Mapping) else item for item in found["rules"]]
    return found


def shown(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a wire rule as ``hidden`` does, for all personal columns that were registered in this process."""
    return hidden(rule, _REGISTERED)


def register_values(rules: Iterable[Mapping[str, Any]], names: Collection[str]) -> None:
    """Keep what wire rules say of personal columns out of every record and message of this process.

    Of rules that are read later, what ``shown`` returns does not say it either.
    """
    _REGISTERED.update(names)
    waiting: list[Any] = [hidden(rule, names) for rule in rules] if names else []
    while waiting:
        part = waiting.pop()
        if isinstance(part, _Hidden):
            for text in texts_of(part.value, frozenset(), personal=True):
                register_pii(text)
        elif isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _shown(part: Any, names: Collection[str]) -> Any:
    if isinstance(part, list | tuple):
        return [_shown(item, names) for item in part]
    if not isinstance(part, Mapping):
        return part
    personal = part.get("type") == _NUMBER or any(_is_in(part.get(key), names) for key in _NAMES)
    return {
        key: _Hidden(value)
        if (key in names or (personal and key.startswith("value") and key != "valueType")) and value not in (None, "")
        else _shown(value, names)
        for key, value in part.items()
    }


def _is_in(name: object, names: Collection[str]) -> bool:
    return isinstance(name, str) and name in names
