"""Second and further passes: the rules run over a contact again, as the run before has left it.

Columns that rules count, and columns that they stamp with the time, are meant to change in each pass. They are put
back in front of a pass to what the contact had at first, so that only what else changes counts. What is left then are
values that rules set: there are finitely many, so that passes settle or repeat, and cells decide which.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Nowhere, Unknown
from dialproof.analysis.cycles import components
from dialproof.analysis.effects import same_state
from dialproof.analysis.order import Thing, column_of, counts
from dialproof.analysis.pairs import bits, sharing
from dialproof.analysis.space import Space
from dialproof.analysis.witness import replaced, scene_of
from dialproof.cel.values import Variable, lookup, read_number, read_text, same_value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from dialproof.analysis.answers import Question
    from dialproof.analysis.domain import Cell
    from dialproof.analysis.regions import Region
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.steps import State, Trace
    from dialproof.analysis.witness import Scene
    from dialproof.model.rules import Action
    from dialproof.outcome import Outcome

__all__ = ["Passes", "Starts", "deciding", "feeding_loops", "running", "wide_region", "wide_regions"]

_RULES = 16
"""Rules of which a pass costs as much as one run of the budget."""
_PASSES = 100
"""Passes after which a contact that has not repeated itself is given up."""


class Starts:
    """The contacts from which runs start where it matters what they change.

    A column that rules set and no condition reads holds a value that none of them sets it to (as far as there is one).
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    @cached_property
    def _unread(self) -> Mapping[Variable, Cell]:
        analysis = self._runs.analysis
        found: dict[Variable, Cell] = {}
        values: dict[Variable, list[object]] = {}
        for rule in self._runs.rules:
            for action in rule.actions:
                if action.type == "setAttribute" and column_of(action) not in analysis.axes:
                    values.setdefault(column_of(action), []).append(action.fields.get("value"))
        for variable, written in values.items():
            cells = [c for c in analysis.cells_of(variable) if c.kind in ("value", "blank")]
            others = [c for c in cells if not any(same_value(c.value, v) for v in written)]
            if cells:
                found[variable] = max(others or cells, key=lambda c: c.kind)
        return found

    def part_of(self, assignment: Assignment, more: Mapping[Variable, Cell] = MappingProxyType({})) -> Scene:
        """Return the contact that has the columns given (``more`` by cells of their own), and those nobody reads."""
        axes = self._runs.analysis.axes
        return self._scene({**{v: axes[v].cells[p] for v, p in assignment.items()}, **more})

    def scene_at(self, assignment: Assignment, more: Mapping[Variable, Cell] = MappingProxyType({})) -> Scene:
        """Return the contact with a usual value in every other column."""
        axes, usual = self._runs.analysis.axes, self._runs.analysis.usual
        return self._scene({**usual, **{v: axes[v].cells[p] for v, p in assignment.items()}, **more})

    def _scene(self, cells: Mapping[Variable, Cell]) -> Scene:
        analysis = self._runs.analysis
        return scene_of({**cells, **self._unread}.items(), analysis.columns, analysis.campaign.contact_list.columns)


def wide_region(runs: Runs, index: int, free: Collection[Variable] = ()) -> Region:
    """Return a region that holds all contacts on which a rule is not false, whatever any rule has written.

    ``free`` columns may hold anything too.
    """
    return runs.analysis.region_of(runs.analysis.part(runs.rules[index]), "not false", runs.ever_set.union(free))


def wide_regions(runs: Runs, free: Collection[Variable] = ()) -> list[Region]:
    """Return that region of each rule."""
    return [wide_region(runs, index, free) for index in range(len(runs.rules))]


def deciding(runs: Runs, seeds: int) -> int:
    """Return some rules (a bitset) and all that decide what passes make of what they change, by whatever way.

    They are those that change what one of them reads or counts, and those that end the run or may break it.
    """
    writers = _holders(runs.sets)
    found = seeds | runs.enders | sum(1 << i for i, fails in enumerate(runs.may_fail) if fails)
    pending = found
    while pending:
        reached = 0
        for index in bits(pending):
            for variable in runs.reads[index] | runs.counts[index]:
                reached |= writers.pop(variable, 0)
        pending = reached & ~found
        found |= reached
    return found


def _holders(held: Iterable[frozenset[Variable]]) -> dict[Variable, int]:
    """Return for each column the bitset of the sets that hold it."""
    found: dict[Variable, int] = {}
    for index, variables in enumerate(held):
        for variable in variables:
            found[variable] = found.get(variable, 0) | 1 << index
    return found


def feeding_loops(runs: Runs, kept: Collection[Variable]) -> list[frozenset[Variable]]:
    """Return the sets of columns that may never settle: each decides, by some rule, what another one is set to.

    A column that is set to one value alone changes once at most.
    """
    values: dict[Variable, set[str]] = {}
    for action in (a for rule in runs.rules for a in rule.actions):
        if action.type == "setAttribute":
            several = ("up", "down") if counts(action) else (read_text(action.fields.get("value")),)
            values.setdefault(column_of(action), set()).update(several)
    live = sorted(v for v, several in values.items() if len(several) > 1 and v not in kept)
    number = {variable: position for position, variable in enumerate(live)}
    edges: dict[int, list[int]] = {position: [] for position in number.values()}
    for read, changed in zip(runs.reads, runs.sets, strict=True):
        for one in read & number.keys():
            edges[number[one]] += [number[other] for other in changed & number.keys()]
    loops = [*components(edges), *([position] for position, others in edges.items() if position in others)]
    found = [frozenset(live[position] for position in loop) for loop in loops]
    return [loop for loop in found if not any(loop < other for other in found)]


def running(runs: Runs, *, both_ways: bool) -> frozenset[Variable]:
    """Return the columns that rules stamp with the time or count; with ``both_ways`` also those counted up and down."""
    ways: dict[Variable, set[str]] = {}
    for action in (a for rule in runs.rules for a in rule.actions):
        if counts(action) or (action.type == "setAttribute" and action.fields.get("option") == "CURRENT_TIME"):
            ways.setdefault(column_of(action), set()).add(_way(action))
    return frozenset(v for v, found in ways.items() if both_ways or not {"up", "down"} <= found)


def _way(action: Action) -> str:
    """Tell whether an action makes a number larger (up) or smaller (down)."""
    option, value = action.fields.get("option"), action.fields.get("value")
    if option == "CURRENT_TIME":
        return "time"
    backwards = value is not None and (read_number(value) or 0.0) < 0
    return "up" if (option == "INCREMENT") != backwards else "down"


class Passes:
    """Passes of one category over a contact; ``kept`` are the columns that are put back in front of each."""

    def __init__(self, runs: Runs, kept: Collection[Variable]) -> None:
        self.runs = runs
        self.kept = frozenset(kept)
        self.starts = Starts(runs)
        self._positions = [runs.steps.things[v] for v in sorted(self.kept) if v in runs.steps.things]

    def again(self, start: State, after: State) -> State:
        """Return the state in front of the next pass."""
        state = list(after)
        for position in self._positions:
            state[position] = start[position]
        return tuple(state)

    def twice(self, rules: tuple[int, ...], start: State) -> tuple[Trace, Trace] | None:
        """Return two passes of some rules, None where one of them breaks."""
        first = self.runs.steps.as_written(rules, start)
        if first.failed:
            return None
        second = self.runs.steps.as_written(rules, self.again(start, first.state))
        return None if second.failed else (first, second)

    def changed(self, thing: Thing, first: Trace, second: Trace) -> bool:
        """Tell whether the second pass leaves something else in a column, or on a list, than the first."""
        position = self.runs.steps.things[thing]
        return not same_state(first.state[position : position + 1], second.state[position : position + 1])

    def settles(self, thing: Thing, rules: tuple[int, ...], start: State) -> bool:
        """Tell whether passes come to leave one value in a column, or on a list, at last."""
        found = self.cycle(rules, start)
        if found is None:
            return True
        _, traces = found
        position, state, values = self.runs.steps.things[thing], traces[-1].state, set[object]()
        for _ in traces:  # once more, now that lists hold what the passes that repeat leave on them
            state = self.runs.steps.as_written(rules, self.again(start, state)).state
            values.add(state[position])
        return len(values) == 1

    def cycle(self, rules: tuple[int, ...], start: State) -> tuple[int, list[Trace]] | None:
        """Return the passes that repeat for ever, if that is more than one, and how many come before them."""
        columns = [p for thing, p in self.runs.steps.things.items() if not isinstance(thing, str)]
        state = start
        traces: list[Trace] = []
        seen: dict[State, int] = {}
        while len(traces) < _PASSES:
            key = tuple(state[p] for p in columns)
            if key in seen:
                before = seen[key]
                return (before, traces[before:]) if len(traces) - before > 1 else None
            seen[key] = len(traces)
            trace = self.runs.steps.as_written(rules, state)
            if trace.failed:
                return None
            traces.append(trace)
            state = self.again(start, trace.state)
        return None

    def outcomes(self, scene: Scene, count: int) -> list[Outcome]:
        """Run all rules over a contact ``count`` times."""
        runs = self.runs
        evaluator = runs.evaluator_of(runs.rules)
        found: list[Outcome] = []
        contact: Mapping[str, object] = scene.contact
        lists: Mapping[str, bool] = {}
        for _ in range(count):
            outcome = evaluator.run(
                contact, category=runs.category, context=scene.context, now=scene.now, lists=lists
            )  # fmt: skip
            found.append(outcome)
            contact, lists = self.put_back(scene, outcome).contact, outcome.lists
        return found

    def put_back(self, scene: Scene, outcome: Outcome) -> Outcome:
        """Return an outcome with the columns that are put back as the contact had them at first."""
        contact, names = outcome.contact, self.runs.analysis.campaign.contact_list.columns
        for column in self.kept:
            contact = replaced(contact, column.name, lookup(scene.contact, column.name), names)
        return replace(outcome, contact=contact)

    @cached_property
    def anew(self) -> int:
        """The rules (a bitset) that may come to another verdict in the second pass than in the first.

        They begin with those that read what they or a later rule (any rule, where nobody sees updates) has set: what an
        earlier rule has set they have seen already.
        """
        runs = self.runs
        readers = _holders(runs.reads)
        found, pending = 0, 0
        for index, given in enumerate(runs.given):
            for variable in given - self.kept:
                pending |= readers.get(variable, 0) & ((2 << index) - 1 if runs.updated else -1)
        while pending:
            found |= pending
            reached = 0
            for index in bits(pending):
                for variable in runs.sets[index]:
                    reached |= readers.pop(variable, 0)
                if runs.ends[index]:  # then whether the later ones are reached is another question
                    reached |= self._meeting[index] & -(1 << index)
            pending = reached & ~found
        return found

    @cached_property
    def _meeting(self) -> list[int]:
        return sharing(self.wide, self.wide)

    def search(
        self,
        region: Region,
        among: int,
        question: Question,
        found: Callable[[State, tuple[int, ...], Assignment], bool],
        likely: Iterable[Assignment] = (),
    ) -> Nowhere | Unknown | None:
        """Look at every contact of a region with those rules ``among`` (a bitset) that can meet it in any pass.

        ``found`` is told of each, first of the ``likely`` ones, and returns whether to stop; None where it did.
        """
        runs = self.runs
        involved = tuple(bits(sharing([region], self.wide)[0] & among))
        cost = 1 + len(involved) // _RULES
        for usual in likely:
            spent = question.spend(cost)
            if spent is not None:
                return spent
            if found(runs.steps.start(self.starts.scene_at(usual)), involved, usual):
                runs.analysis.decided["cells"] += 1
                return None
        space = Space(runs, involved, updated=True)
        for assignment in space.inside(region.boxes):
            spent = question.spend(cost)
            if spent is not None:
                return spent
            if assignment is not None:
                start = runs.steps.start(self.starts.part_of(assignment))
                if found(start, involved, assignment):
                    runs.analysis.decided["enumeration"] += 1
                    return None
        if space.open is not None:
            return space.open
        runs.analysis.decided["enumeration"] += 1
        return Nowhere()

    @cached_property
    def wide(self) -> list[Region]:
        """For each rule a region that holds all contacts on which it is not false in some pass."""
        return wide_regions(self.runs)
