"""Rules of a target as rules again, so that they can be run and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dialproof.model.rules import Rule

__all__ = ["read_back"]


def read_back(
    wires: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], Rule]
) -> tuple[list[Rule], list[tuple[Mapping[str, Any], str]]]:
    """Return the rules in the order in which they run, and those that cannot be read back, each with why.

    ``read`` is that of the target.
    """
    rules, unread = [], []
    for wire in wires:
        try:
            rules.append(read(wire))
        except ValueError as error:
            unread.append((wire, str(error)))
    return sorted(rules, key=lambda rule: rule.execution_order), unread
