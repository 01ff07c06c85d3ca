"""The states that a plan leads through, and which of them a target is in.

A state is the content of each document (``targets.documents``: a rule, say) by its key: the id that it had when the
plan was made, or ``+name`` for one that the plan creates. Documents are recognised by name and content alone: one that
was deleted and created again has another id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof_deploy.redact import redact
from dialproof_deploy.targets.documents import content, title_of
from dialproof_deploy.targets.wire import same_content, three_way

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof_deploy.plan.plan import Plan, Step

__all__ = ["distances", "key_of", "moved", "same_rule", "state_after", "stored_by_key"]

State = dict[str, dict[str, Any]]


def key_of(step: Step) -> str:
    """Return the key of the rule that a step writes."""
    return step.rule_id or f"+{step.rule}"


def same_rule(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Tell whether two rules, of which either may be missing, mean the same."""
    if one is None or other is None:
        return one is other
    return same_content(one, other)


def state_after(plan: Plan, writes: int) -> State:
    """Return the state after so many writes of the plan."""
    state = {rule["id"]: content(rule) for rule in plan.remote}
    for step in plan.steps[:writes]:
        if step.after is None:
            state.pop(key_of(step), None)
        else:
            state[key_of(step)] = step.after
    return state


def stored_by_key(state: Mapping[str, Mapping[str, Any]], rules: Sequence[dict[str, Any]]) -> State:
    """Return the stored rule of each key of a state that the target is in."""
    by_title = {title_of(rule): rule for rule in rules}
    return {key: by_title[title_of(wanted)] for key, wanted in state.items()}


def distances(plan: Plan, rules: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return, for each number of writes from 0 on, how many rules of the target are not as they would stand then."""
    by_title = {title_of(rule): rule for rule in rules}
    state = state_after(plan, 0)
    right = {key for key, wanted in state.items() if same_rule(by_title.get(title_of(wanted)), wanted)}
    known = {key for key, wanted in state.items() if title_of(wanted) in by_title}

    def distance() -> int:
        return len(state) - len(right) + len(rules) - len(known)

    found = [distance()]
    for step in plan.steps:
        key = key_of(step)
        for keys in (right, known):
            keys.discard(key)
        if step.after is None:
            state.pop(key, None)
        else:
            state[key] = step.after
            stands = by_title.get(title_of(step.after))
            known |= {key} if stands else set()
            right |= {key} if same_rule(stands, step.after) else set()
        found.append(distance())
    return found


def moved(
    state: Mapping[str, Mapping[str, Any]],
    wanted: Mapping[str, Mapping[str, Any]],
    rules: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    """Return, by key, a sentence for each rule that is not as ``state`` says, with the three versions where there are.

    ``wanted`` are the rules as we want them; personal values are blotted out.
    """
    by_id = {rule["id"]: rule for rule in rules}
    by_title = {title_of(rule): rule for rule in rules}
    found, seen = {}, set()
    for key, expected in state.items():
        rule = by_id.get(key) or by_title.get(title_of(expected))
        if rule is None:
            found[key] = f"{title_of(expected)} was deleted"
            continue
        seen.add(rule["id"])
        if not same_content(expected, rule):
            report = three_way(expected, wanted.get(key, expected), rule)
            found[key] = f"{title_of(expected)} was changed:\n{redact(report)}"
    for rule in rules:
        if rule["id"] not in seen:
            order = f" (executionOrder {rule['executionOrder']})" if "executionOrder" in rule else ""
            found[rule["id"]] = f"{title_of(rule)} was created{order}"
    return found
