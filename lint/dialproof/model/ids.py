"""Where rules name things of a target by a logical id, which each environment maps to the id there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.rules import Condition

__all__ = ["ACTION_IDS", "compares_wrap_up_codes"]

ACTION_IDS: Mapping[tuple[str, str], str] = {
    ("setList", "listId"): "lists",
    ("setSkills", "skills"): "skills",
    ("dataAction", "id"): "dataActions",
}
"""(action type, field) -> the kind of id that the field holds, as in the configuration."""

_WRAP_UP_SUBJECTS = ("call.wrapUpCode", "lastWrapUp.")
_WHOLE_VALUE = frozenset({"equals", "notEquals", "in", "notIn"})


def compares_wrap_up_codes(condition: Condition) -> bool:
    """Tell whether the values of a condition are ids of wrap-up codes."""
    return (
        condition.source == "context"
        and condition.subject.startswith(_WRAP_UP_SUBJECTS)
        and condition.operator in _WHOLE_VALUE
    )
