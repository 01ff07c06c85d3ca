"""Which rules contradict which by the action table, for all rules at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.pairs import bits
from dialproof.model.actions import action_types, contradicts

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from dialproof.model.rules import Action, Rule

__all__ = ["contradicting", "contradicting_actions", "overwriting"]


def _key(action: Action) -> tuple[Hashable, ...]:
    return (action.type, tuple(sorted(action.fields.items(), key=lambda item: item[0])))


def _written(action: Action) -> tuple[Hashable, ...]:
    return (action.type, *(action.fields.get(k) for k in action_types()[action.type].key))


def contradicting(rules: Sequence[Rule]) -> list[int]:
    """Return for each rule the bitset of the rules with an action that contradicts one of its actions.

    Equal actions are looked at once; two actions are compared only where they write the same thing, or where the type
    of one excludes that of the other.
    """
    holders: dict[tuple[Hashable, ...], int] = {}
    actions: dict[tuple[Hashable, ...], Action] = {}
    for index, rule in enumerate(rules):
        for action in rule.actions:
            key = _key(action)
            actions[key] = action
            holders[key] = holders.get(key, 0) | 1 << index
    written: dict[tuple[Hashable, ...], list[tuple[Hashable, ...]]] = {}
    of_type: dict[str, int] = {}
    for key, action in actions.items():
        written.setdefault(_written(action), []).append(key)
        of_type[action.type] = of_type.get(action.type, 0) | holders[key]
    table = action_types()
    excluded: dict[str, int] = dict.fromkeys(of_type, 0)
    for one in of_type:
        for other in of_type:
            if other in table[one].excludes or one in table[other].excludes:
                excluded[one] |= of_type[other]
    against: dict[tuple[Hashable, ...], int] = {}
    for keys in written.values():
        for key in keys:
            against[key] = excluded[actions[key].type]
            for other_key in keys:
                if contradicts(actions[key], actions[other_key]):
                    against[key] |= holders[other_key]
    result = []
    for index, rule in enumerate(rules):
        found = 0
        for action in rule.actions:
            found |= against[_key(action)]
        result.append(found & ~(1 << index))
    return result


def overwriting(rules: Sequence[Rule], *, data: bool = False) -> list[int]:
    """Return for each rule the bitset of the rules of whose writes it would leave nothing, without contradicting them.

    With ``data`` also those that run the same data action with other fields.
    """
    forms: dict[tuple[Hashable, ...], dict[tuple[Hashable, ...], tuple[Action, int]]] = {}
    for index, rule in enumerate(rules):
        for action in rule.actions:
            of_thing = forms.setdefault(_written(action), {})
            _, holders = of_thing.get(_key(action), (action, 0))
            of_thing[_key(action)] = action, holders | 1 << index
    result = [0] * len(rules)
    for of_thing in forms.values():
        for later, writers in of_thing.values() if len(of_thing) > 1 else ():
            over = 0
            for earlier, holders in of_thing.values():
                over |= holders if _overwrites(later, earlier, data=data) else 0
            for index in bits(writers) if over else ():
                result[index] |= over & ~(1 << index)
    return result


def _overwrites(later: Action, earlier: Action, *, data: bool) -> bool:
    if contradicts(earlier, later):
        return False
    if later.type == "setAttribute":
        counted = earlier.fields.get("option") in ("INCREMENT", "DECREMENT")
        return later.fields.get("option") == "CURRENT_TIME" and counted
    if action_types()[later.type].writes == "data" and not data:
        return False
    return any(earlier.fields[k] != later.fields[k] for k in earlier.fields.keys() & later.fields.keys())


def contradicting_actions(one: Rule, other: Rule) -> tuple[tuple[Action, Action], ...]:
    """Return the pairs of actions (one of each rule) that contradict each other."""
    return tuple((a, b) for a in one.actions for b in other.actions if contradicts(a, b))
