"""Which rules contradict which by the action table, for all rules at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.model.actions import action_types, contradicts

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from dialproof.model.rules import Action, Rule

__all__ = ["action_key", "contradicting", "contradicting_actions", "written_thing"]


def action_key(action: Action) -> tuple[Hashable, ...]:
    """Return what equal actions have in common."""
    # Python takes true for 1, a contact does not.
    return (action.type, tuple(sorted((name, isinstance(v, bool), v) for name, v in action.fields.items())))


def written_thing(action: Action) -> tuple[Hashable, ...]:
    """Return what an action writes: its type with the fields that say where."""
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
            key = action_key(action)
            actions[key] = action
            holders[key] = holders.get(key, 0) | 1 << index
    written: dict[tuple[Hashable, ...], list[tuple[Hashable, ...]]] = {}
    of_type: dict[str, int] = {}
    for key, action in actions.items():
        written.setdefault(written_thing(action), []).append(key)
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
            found |= against[action_key(action)]
        result.append(found & ~(1 << index))
    return result


def contradicting_actions(one: Rule, other: Rule) -> tuple[tuple[Action, Action], ...]:
    """Return the pairs of actions (one of each rule) that contradict each other."""
    return tuple((a, b) for a in one.actions for b in other.actions if contradicts(a, b))
