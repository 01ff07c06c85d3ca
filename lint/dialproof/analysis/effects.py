"""What a run comes to for the contact and for the call, whichever rules brought it about."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dialproof.analysis.steps import given
from dialproof.cel.values import read_number, same_value
from dialproof.model.actions import action_types
from dialproof.output.witness import flat

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from dialproof.analysis.runs import Runs
    from dialproof.analysis.steps import State, Trace
    from dialproof.model.rules import Action
    from dialproof.outcome import Outcome

__all__ = [
    "OF_THE_CALL",
    "Effect",
    "Write",
    "effect_of",
    "effects_of",
    "left_behind",
    "results",
    "same_effect",
    "same_result",
    "same_state",
    "same_values",
]

OF_THE_CALL = frozenset({"mode", "skills", "callerId"})
"""What actions write that matters only to a contact that is dialed."""


Write: TypeAlias = "tuple[tuple[Hashable, ...], Hashable]"
"""What is written, and what to it: the last one to write a thing decides."""


def effects_of(action: Action) -> Iterator[Write]:
    """Yield what an action does, thing by thing; a thing that is done each time has no second way to be done."""
    kind = action_types()[action.type]
    thing = (kind.writes, *(action.fields.get(k) for k in kind.key))
    if action.type == "setAttribute":
        yield thing, (action.fields.get("option"), action.fields.get("value"))
    elif kind.compares:
        for name in kind.compares:
            if name in action.fields:
                value = action.fields[name]
                yield (*thing, name), frozenset(value) if isinstance(value, tuple) else value
    else:
        yield (action.type, *sorted((k, v) for k, v in action.fields.items())), True


def results(outcome: Outcome) -> tuple[object, ...]:
    """Return what a run comes to, whoever brought it about: dial, columns, lists, everything else that is done."""
    done: dict[object, object] = {}
    for acted in outcome.acted:
        for thing, what in effects_of(acted.action):
            if acted.action.type == "dataAction":
                done[thing] = (done.get(thing, 0), True)  # each time counts
            elif acted.action.type not in ("setAttribute", "setList"):
                done[thing] = what
    return outcome.dial, dict(flat(outcome.contact)), dict(outcome.lists), done, outcome.failure is None


class Effect(NamedTuple):
    """The effect of a run put together of steps; ``state`` is without the circumstances."""

    failed: bool
    dial: bool | None
    state: State
    left: Mapping[Hashable, object]

    def same(self, other: Effect) -> bool:
        """Tell whether two runs of the same rules, in whatever order, come to the same."""
        if self.failed or other.failed:
            return self.failed and other.failed
        return self.dial == other.dial and self.left == other.left and same_state(self.state, other.state)


def effect_of(runs: Runs, trace: Trace) -> Effect:
    """Return the effect of a run."""
    table = action_types()
    acted = [action for index, step in trace.steps.items() if step.matched for action in runs.rules[index].actions]
    dial: bool | None = None
    if runs.category == "preCall":
        refused = runs.analysis.semantics.undecided == "refuseToDial" and any(
            step.verdict is None for step in trace.steps.values()
        )
        dial = not refused and not any("preCall" in table[a.type].stops_dial_in for a in acted)
    return Effect(trace.failed, dial, trace.state[1:], left_behind(acted, dial=dial))


def left_behind(actions: Iterable[Action], *, dial: bool | None) -> Mapping[Hashable, object]:
    """Return what actions do beside columns and lists, the last word on each thing.

    How a call is made does not matter where ``dial`` is False.
    """
    table = action_types()
    found: dict[Hashable, object] = {}
    for action in actions:
        writes = table[action.type].writes
        if writes not in ("attribute", "list", "dial") and not (dial is False and writes in OF_THE_CALL):
            found.update(effects_of(action))
    return found


def same_effect(one: Outcome, other: Outcome) -> bool:
    """Tell whether two runs come to the same for the contact and the call, whichever rules acted."""
    if one.failure is not None or other.failure is not None:
        return one.failure is not None and other.failure is not None
    first, second = (left_behind((a.action for a in o.acted), dial=o.dial) for o in (one, other))
    return one.dial == other.dial and first == second and same_values(one, other)


def same_result(one: Outcome, other: Outcome) -> bool:
    """Tell whether two runs come to the same: rules matched and undecided, dial, lists, columns; rounding aside."""
    if (one.failure is None) != (other.failure is None):
        return False
    if (set(one.matched), set(one.undecided), one.dial) != (set(other.matched), set(other.undecided), other.dial):
        return False
    return same_values(one, other)


def same_values(one: Outcome, other: Outcome) -> bool:
    """Tell whether two runs leave the same in every column and on every list."""
    first, second = dict(flat(one.contact)), dict(flat(other.contact))
    columns = all(_same(first.get(name), second.get(name)) for name in {**first, **second})
    return columns and dict(one.lists) == dict(other.lists)


def same_state(one: Sequence[object], other: Sequence[object]) -> bool:
    """Tell whether two states (or parts of them) hold the same, rounding aside."""
    return one == other or all(_same(given(a), given(b)) for a, b in zip(one, other, strict=True))


def _same(one: object, other: object) -> bool:
    """Tell whether two values are the same, or numbers that only the order of additions has rounded otherwise."""
    if same_value(one, other):
        return True
    first, second = read_number(one), read_number(other)
    if first is None or second is None or first == second:
        return False
    return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)
