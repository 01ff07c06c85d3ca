"""Which rule overwrites what another one has written, and which writes nobody can ever see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.contradictions import action_key, written_thing
from dialproof.analysis.order import column_of, counts
from dialproof.analysis.pairs import bits
from dialproof.cel.values import Variable
from dialproof.model.actions import action_types, contradicts

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from dialproof.analysis.runs import Runs
    from dialproof.model.rules import Action, Rule

__all__ = ["overwriting", "overwritten", "undisturbed"]


def overwriting(rules: Sequence[Rule], *, data: bool = False) -> list[int]:
    """Return for each rule the bitset of the rules of whose writes it would leave nothing, without contradicting them.

    With ``data`` also those that run the same data action with other fields.
    """
    forms: dict[tuple[Hashable, ...], dict[tuple[Hashable, ...], tuple[Action, int]]] = {}
    for index, rule in enumerate(rules):
        for action in rule.actions:
            of_thing = forms.setdefault(written_thing(action), {})
            _, holders = of_thing.get(action_key(action), (action, 0))
            of_thing[action_key(action)] = action, holders | 1 << index
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


def overwritten(runs: Runs) -> Iterator[tuple[int, Action, int]]:
    """Yield the actions that later rules overwrite on a common contact before anybody reads, with those rules."""
    readers, writers = _readers(runs), _writers(runs)
    for index, rule in enumerate(runs.rules):
        things = [_thing(action) for action in rule.actions]
        for action, thing in zip(rule.actions, things, strict=True):
            over = 0
            for fields, found in writers.get(thing, {}).items():
                over |= found if _fields(action) <= fields else 0
            over = over >> index + 1 << index + 1
            if not over or runs.ends[index] or things.count(thing) > 1:
                continue
            if action.type == "setAttribute":
                read = readers.get(column_of(action), 0) >> index + 1
                over &= (1 << index + (read & -read).bit_length()) - 1 if read else -1
            over = over and over & runs.overlapping[index]
            if over:
                yield index, action, over


def _thing(action: Action) -> Hashable:
    """Return what an action writes, if a later write of the same leaves nothing of it."""
    return written_thing(action) if action_types()[action.type].compares else None


def _fields(action: Action) -> frozenset[str]:
    """Return the fields of a write that each may be given or left alone."""
    return (
        frozenset()
        if action.type == "setAttribute"
        else frozenset(k for k, v in action.fields.items() if v is not None)
    )


def _writers(runs: Runs) -> dict[Hashable, dict[frozenset[str], int]]:
    """Return for each thing the rules (a bitset) that overwrite it, by the fields that they give."""
    found: dict[Hashable, dict[frozenset[str], int]] = {}
    for index, rule in enumerate(runs.rules):
        for action in rule.actions:
            thing = _thing(action)
            if thing is not None and not counts(action):
                forms = found.setdefault(thing, {})
                forms[_fields(action)] = forms.get(_fields(action), 0) | 1 << index
    return found


def _readers(runs: Runs) -> dict[Variable, int]:
    """Return for each column the rules (a bitset) that read it: in conditions, by counting, or in a field."""
    found: dict[Variable, int] = {}
    for index, rule in enumerate(runs.rules):
        read = runs.counts[index] | (runs.reads[index] if runs.updated else frozenset())
        for action in rule.actions:
            read |= {Variable("contact", name) for name in _mentioned(action)}
        for variable in read:
            found[variable] = found.get(variable, 0) | 1 << index
    return found


def _mentioned(action: Action) -> Iterator[str]:
    """Yield the columns whose values an action sends: ``contact.COLUMN`` in one of its fields."""
    given = action.fields.get("fields")
    for value in (*action.fields.values(), *(given.values() if isinstance(given, dict) else ())):
        if isinstance(value, str) and value.startswith("contact."):
            yield value.removeprefix("contact.")


def undisturbed(runs: Runs, index: int) -> int:
    """Return the later rules (a bitset) that act wherever this one does, if their conditions hold there."""
    if runs.written >> index & 1:
        return 0
    breaking = runs.enders | sum(1 << i for i, fails in enumerate(runs.may_fail) if fails)
    behind = (breaking & runs.overlapping[index]) >> index + 1
    return ~runs.written & ((2 << index + (behind & -behind).bit_length()) - 1 if behind else -1)
