"""Runs put together of steps: what one rule makes of one state of a contact, asked of the evaluator and remembered.

A run is the step of one rule after the other until one ends it or breaks it. Runs over neighbouring cells, and runs of
the same rules in another order, share most of their steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dialproof.analysis.witness import put
from dialproof.cel.values import MISSING, lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.analysis.order import Thing
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.evaluate import Evaluator
    from dialproof.outcome import Outcome

__all__ = ["State", "Step", "Steps", "Trace", "given", "kept"]

State: TypeAlias = "tuple[object, ...]"
"""The number of the circumstances (context and clock), then the value of each column and list."""

_REMEMBERED = 200_000
"""Steps that are kept."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule does: the verdict of its conditions, whether it matched, whether it broke the run, what is left."""

    verdict: bool | None
    matched: bool
    failed: bool
    state: State

    @property
    def acted(self) -> bool:
        """Whether it acted because its conditions hold."""
        return self.matched and self.verdict is True

    def like(self, other: Step | None) -> bool:
        """Tell whether the rule came to the same verdict in another run, and neither run broke at it."""
        if other is None or self.failed or other.failed:
            return False
        return self.verdict is other.verdict and self.matched == other.matched


@dataclass(frozen=True, slots=True)
class Trace:
    """A run: of each rule that was reached the state in front of it and its step, and the state at the end."""

    before: dict[int, State]
    steps: dict[int, Step]
    state: State
    failed: bool


class Steps:
    """The steps of the rules of one category; a state holds everything that any of them looks at or changes."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._circumstances: list[Scene] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._lone: dict[tuple[int, bool], _Lone] = {}
        self._steps: dict[tuple[int, State, bool], Step] = {}
        self._traces: dict[tuple[tuple[int, ...], State], Trace] = {}

    @cached_property
    def things(self) -> Mapping[Thing, int]:
        """The columns and lists of a state, by their position in it."""
        runs = self._runs
        columns = {v for read in runs.reads for v in read if v.source == "contact"}.union(*runs.sets)
        lists = {thing for changed in runs.changes for thing in changed if isinstance(thing, str)}
        things: list[Thing] = [*sorted(columns), *sorted(lists)]
        return {thing: position for position, thing in enumerate(things, 1)}

    def start(self, scene: Scene) -> State:
        """Return the state in front of the first rule."""
        key = scene.now, repr(scene.context)
        if key not in self._numbers:
            self._numbers[key] = len(self._circumstances)
            self._circumstances.append(scene)
        values = (None if isinstance(t, str) else kept(lookup(scene.contact, t.name)) for t in self.things)
        return (self._numbers[key], *values)

    def step(self, index: int, state: State, first: State) -> Step:
        """Return what a rule makes of a state; ``first`` is what conditions look at where they see no updates."""
        if self._runs.updated or state == first:
            return self._step(index, state, bare=False)
        decided = self._step(index, first, bare=False)
        if not decided.matched:
            return replace(decided, state=state)
        return replace(self._step(index, state, bare=True), verdict=decided.verdict)

    def as_written(self, rules: tuple[int, ...], first: State) -> Trace:
        """Run some rules in their own order."""
        known = self._traces.get((rules, first))
        if known is not None:
            return known
        state = first
        before: dict[int, State] = {}
        steps: dict[int, Step] = {}
        for index in rules:
            before[index] = state
            step = steps[index] = self.step(index, state, first)
            state = step.state
            if step.failed or (step.matched and self._runs.ends[index]):
                break
        failed = any(step.failed for step in steps.values())
        if len(self._traces) * len(rules) >= _REMEMBERED:
            self._traces.clear()
        trace = self._traces[rules, first] = Trace(before, steps, state, failed)
        return trace

    def _step(self, index: int, state: State, *, bare: bool) -> Step:
        """Ask the evaluator about one rule; ``bare`` leaves its conditions out."""
        key = index, state, bare
        known = self._steps.get(key)
        if known is None:
            lone = self._lone.get((index, bare))
            if lone is None:
                lone = self._lone[index, bare] = _Lone(self._runs, self.things, index, bare=bare)
            if len(self._steps) >= _REMEMBERED:
                self._steps.clear()
            scene = self._circumstances[state[0]]  # type: ignore[call-overload]
            known = self._steps[key] = lone.step(state, scene)
        return known


class _Lone:
    """One rule by itself: its step depends on, and changes, a few columns and lists alone."""

    def __init__(self, runs: Runs, things: Mapping[Thing, int], index: int, *, bare: bool) -> None:
        rule = runs.rules[index]
        own = sorted({things[t] for t in (*runs.reads[index], *runs.changes[index]) if t in things})
        by_position = {position: thing for thing, position in things.items()}
        self._own = [(by_position[position], position) for position in own]
        self._category = runs.category
        self._names = runs.analysis.campaign.contact_list.columns
        self._evaluator: Evaluator = runs.evaluator_of([replace(rule, conditions=()) if bare else rule])
        self._known: dict[State, tuple[Step, dict[int, object]]] = {}

    def step(self, state: State, scene: Scene) -> Step:
        key = (state[0], *(state[position] for _, position in self._own))
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _REMEMBERED // 100:
                self._known.clear()
            known = self._known[key] = self._asked(state, scene)
        step, changed = known
        if not changed:
            return replace(step, state=state)
        after = list(state)
        for position, value in changed.items():
            after[position] = value
        return replace(step, state=tuple(after))

    def _asked(self, state: State, scene: Scene) -> tuple[Step, dict[int, object]]:
        contact: dict[str, object] = {}
        lists: dict[str, bool] = {}
        for thing, position in self._own:
            value = given(state[position])
            if not isinstance(thing, str):
                if value is not MISSING:
                    put(contact, thing.name, value, self._names)
            elif value is not None:
                lists[thing] = bool(value)
        outcome = self._evaluator.run(
            contact, category=self._category, context=scene.context, now=scene.now, lists=lists
        )
        changed = {
            position: value
            for thing, position in self._own
            if (value := _value(outcome, thing)) is not state[position] and value != state[position]
        }
        matched = bool(outcome.matched)
        verdict = None if outcome.undecided else matched
        return Step(verdict, matched, outcome.failure is not None, ()), changed


def _value(outcome: Outcome, thing: Thing) -> object:
    if isinstance(thing, str):
        return kept(outcome.lists.get(thing))
    return kept(lookup(outcome.contact, thing.name))


def kept(value: object) -> object:
    """Return a value as a state holds it: true is not 1."""
    return ("", value) if isinstance(value, bool) else value


def given(value: object) -> object:
    """Return a value of a state as a contact holds it."""
    return value[1] if isinstance(value, tuple) else value
