"""Rules as they travel on the wire: which fields carry meaning, and how two rules are compared.

A wire rule is the mapping of the campaign-rules contract: ``name``, ``description``, ``version``, ``priority``,
``executionOrder``, ``conditions``, ``actions``, ``enabled``, and on answers ``id``, ``selfUri`` and dates.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialproof.errors import InputError
from dialproof_deploy.gate.evidence import json_digest
from dialproof_deploy.plan.personal import hidden, shown
from dialproof_deploy.targets.documents import SERVER_FIELDS, comparable, content

__all__ = [
    "DEEPEST",
    "SERVER_FIELDS",
    "FieldDifference",
    "content",
    "content_digest",
    "difference_text",
    "differences",
    "same_content",
    "shown_differences",
    "three_way",
    "too_deep",
]

DEEPEST = 64
"""Lists and objects within one another that a body may have; a rule of the contract has five."""

_DEFAULTS: Mapping[str, object] = {"enabled": True}
_ABSENT: Any = None
_EXACT = "properties"  # names of columns: one that is counted or emptied has the empty text as its value


@dataclass(frozen=True)
class FieldDifference:
    """One field that differs: its path (``actions[0].value``), the value before and the value after.

    ``None`` stands for an absent field as well as for null: the contract gives null no meaning of its own.
    """

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{_printable(self.field)}: {_show(self.before)} → {_show(self.after)}"


def too_deep(body: Any) -> bool:
    """Tell whether a decoded body is nested deeper than ``DEEPEST``: whoever walks it may run out of stack."""
    level = [body]
    for _ in range(DEEPEST):
        nested = [item for item in level if isinstance(item, dict | list)]
        level = [child for item in nested for child in (item.values() if isinstance(item, dict) else item)]
    return any(isinstance(item, dict | list) for item in level)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldDifference, ...]:
    """Compare the content of two rules field by field, in the order of the fields.

    A field that is absent on one side equals the default a server adds for it: ``enabled`` true, and otherwise
    nothing (null, false, empty text, empty list). ``true`` and ``1`` differ, ``1`` and ``1.0`` do not.
    """
    return tuple(_compare("", comparable(before), comparable(after)))


def shown_differences(
    before: Mapping[str, Any], after: Mapping[str, Any], personal: Collection[str]
) -> tuple[FieldDifference, ...]:
    """Compare two rules as ``differences`` does, without the values of personal columns."""
    return differences(hidden(before, personal), hidden(after, personal))


def same_content(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two rules mean the same, whatever their id, version and dates."""
    return not differences(one, other)


def content_digest(rule: Mapping[str, Any]) -> str | None:
    """Return the sha256 of the content, the same for rules that mean the same: fields at their default are left out.

    ``None`` where a server added a number that JSON cannot hold exactly.
    """
    try:
        return json_digest(_without_defaults(comparable(rule)))
    except InputError:
        return None


def difference_text(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return what differs between two rules in words, without values of personal columns; "" where nothing does."""
    return "; ".join(str(difference) for difference in differences(shown(before), shown(after)))


def three_way(planned_from: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Return a report, one line a field, of what was planned from, what we want and what stands there now.

    It shows no value of a personal column, whoever wrote it.
    """
    planned_from, ours, theirs = shown(planned_from), shown(ours), shown(theirs)
    changed_by_us = {d.field: d.after for d in differences(planned_from, ours)}
    changed_by_them = {d.field: d.after for d in differences(planned_from, theirs)}
    base = {d.field: d.before for d in (*differences(planned_from, ours), *differences(planned_from, theirs))}
    lines = []
    for name, before in base.items():
        us = _show(changed_by_us[name]) if name in changed_by_us else "(unchanged)"
        them = _show(changed_by_them[name]) if name in changed_by_them else "(unchanged)"
        lines.append(f"  {_printable(name)}: planned from {_show(before)}, ours {us}, theirs {them}")
    return "\n".join(lines)


def _compare(path: str, before: Any, after: Any) -> list[FieldDifference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found = []
        exact = path.endswith(_EXACT)
        for key in [*before, *(key for key in after if key not in before)]:
            child = f"{path}.{key}" if path else str(key)
            if exact and (key in before) != (key in after):
                found.append(FieldDifference(child, before.get(key), after.get(key)))
                continue
            found += _compare_member(child, str(key), before.get(key, _ABSENT), after.get(key, _ABSENT))
        return found
    if _is_list(before) and _is_list(after) and len(before) == len(after):
        return [d for i, pair in enumerate(zip(before, after, strict=True)) for d in _compare(f"{path}[{i}]", *pair)]
    return [] if _equal(before, after) else [FieldDifference(path, before, after)]


def _compare_member(path: str, key: str, before: Any, after: Any) -> list[FieldDifference]:
    if before is _ABSENT or after is _ABSENT:
        present = after if before is _ABSENT else before
        if _is_default(key, present):
            return []
    return _compare(path, before, after)


def _is_default(key: str, value: Any) -> bool:
    """Tell whether the field means the same as if it were absent."""
    if value is _ABSENT:
        return True
    return value is _DEFAULTS[key] if key in _DEFAULTS else not value and not _is_number(value)


def _without_defaults(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: item if key == _EXACT else _without_defaults(item)
            for key, item in value.items()
            if not _is_default(str(key), item)
        }
    return [_without_defaults(item) for item in value] if _is_list(value) else value


def _equal(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _show(value: Any) -> str:
    return "(absent)" if value is _ABSENT else _printable(json.dumps(value, ensure_ascii=False, sort_keys=True))


def _printable(text: str) -> str:
    """Escape what could steer a terminal: rules come from other people's keyboards."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
