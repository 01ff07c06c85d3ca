"""Questions about two rules and their order: what one does without the other, before it, after it.

Whether the order of two rules matters is asked of runs in which one of them is moved past the other, step by step.

Two rules that do not stand next to each other can be brought into the other order in two ways: the later one moves in
front of the earlier one, or the earlier one behind the later one. Either may also pass rules in between, with which it
need not get along, and that says nothing about the two. The order of the two matters on a contact where both ways
change the outcome.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Found, Nowhere, Unknown
from dialproof.analysis.contradictions import action_key
from dialproof.analysis.effects import OF_THE_CALL, same_result, same_state
from dialproof.analysis.pairs import bits, sharing
from dialproof.analysis.passes import wide_region
from dialproof.analysis.regions import Region, meetings
from dialproof.analysis.space import Space
from dialproof.analysis.witness import replaced
from dialproof.cel.values import lookup
from dialproof.model.actions import action_types

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from dialproof.analysis.answers import Answer, Question
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.steps import State, Trace
    from dialproof.analysis.witness import Scene

__all__ = [
    "is_overturned",
    "may_swap",
    "moved",
    "reached",
    "same_result",
    "where_order_matters",
    "where_overturned",
    "where_swapping_matters",
    "where_without",
    "within",
]

_UNSEEN = OF_THE_CALL | {"dial"}
"""What actions write that nobody sees of a contact that is not dialed anyway."""
_CHEAP = 8
"""Boxes whose representative is tried before anything else."""


def moved(runs: Runs, earlier: int, later: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return all rules with the later one moved in front of the earlier one, and with the earlier one behind it."""
    before, between = range(earlier), range(earlier + 1, later)
    after = range(later + 1, len(runs.rules))
    return (*before, later, earlier, *between, *after), (*before, *between, later, earlier, *after)


def where_order_matters(runs: Runs, earlier: int, later: int, question: Question) -> Answer:
    """Search a contact on which both rules act and the outcome changes whichever of the two is moved past the other."""
    involved = runs.involved((earlier, later), runs.affected(earlier, later))
    if runs.looked_at(involved) == runs.looked_at(range(len(runs.rules))):
        involved = tuple(range(len(runs.rules)))  # the others look at nothing else, and all pairs share their runs
    pair = _Pair(runs, involved, earlier, later)
    boxes = meetings([runs.reachable(earlier), runs.reachable(later)])
    return Space(runs, involved).search(boxes, question, pair.depends, (earlier, later))


class _Pair:
    def __init__(self, runs: Runs, rules: tuple[int, ...], earlier: int, later: int) -> None:
        self._steps, self._ends, self._rules = runs.steps, runs.ends, rules
        self._earlier, self._later = earlier, later
        self._between = [i for i in rules if earlier < i < later]
        self._after = [i for i in rules if i > later]

    def depends(self, first: State) -> bool:
        """Tell whether both rules act on a contact, and its outcome changes whichever of them is moved."""
        written = self._steps.as_written(self._rules, first)
        both = (written.steps.get(self._earlier), written.steps.get(self._later))
        if written.failed or not all(step is not None and step.acted for step in both):
            return False
        pair = (self._later, self._earlier)
        return self._changes(written, first, pair, ()) and self._changes(written, first, (), pair)

    def _changes(self, written: Trace, first: State, front: Sequence[int], back: Sequence[int]) -> bool:
        """Tell whether the outcome changes if the two rules run in front of, or behind, those between them."""
        state = self._same_steps(written, first, written.before[self._earlier], front)
        if state is not None and self._between:
            same = state == written.before[self._between[0]]  # then they do what they did
            state = written.before[self._later] if same else self._same_steps(written, first, state, self._between)
        state = None if state is None else self._same_steps(written, first, state, back)
        if state is None or self._ends[self._later]:
            return True
        for index in self._after:
            if state == written.before.get(index):
                return False
            step = self._steps.step(index, state, first)
            if not step.like(written.steps.get(index)):
                return True
            state = step.state
            if step.matched and self._ends[index]:
                break
        return not same_state(state[1:], written.state[1:])

    def _same_steps(self, written: Trace, first: State, state: State, indices: Sequence[int]) -> State | None:
        """Return the state after some rules, None where one of them does not do what it did as written."""
        for index in indices:
            step = self._steps.step(index, state, first)
            if not step.like(written.steps[index]):
                return None
            state = step.state
        return state


def may_swap(runs: Runs, earlier: int) -> bool:
    """Tell by what they read, write and end whether two neighbours can be told apart in the other order."""
    later = earlier + 1
    if runs.ends[earlier] or runs.ends[later]:
        met = next(meetings([wide_region(runs, i) for i in (earlier, later)]), None)
        return met is not None and _seen(runs, earlier, later) != _seen(runs, later, earlier)
    met_together = runs.overlapping[earlier] >> later & 1 or runs.writes[later] & runs.reads[earlier]
    return bool(met_together) and runs.order_may_matter(earlier, later)


def _seen(runs: Runs, one: int, other: int) -> frozenset[Hashable]:
    """Return what is seen of two rules of which one ends the run, where both would act and ``one`` runs first."""
    first, table = runs.analysis.campaign.hit_policy == "first", action_types()
    acting = (one,) if runs.ends[one] else (one, other)
    actions = (a for i in acting for a in runs.rules[i].actions)
    return frozenset(action_key(a) for a in actions if first or table[a.type].writes not in _UNSEEN)


def where_swapping_matters(runs: Runs, earlier: int, question: Question) -> Answer:
    """Search a contact that comes to another result where a rule and the next one change places.

    On such a contact one of the two acts as the rules are written: neither does anything else. Later rules are looked
    at only where the two do the same in either order and leave something else behind.
    """
    if runs.is_static((earlier, earlier + 1)) and (runs.ends[earlier] or runs.ends[earlier + 1]):
        answer = _ending(runs, earlier)
        if not isinstance(answer, Unknown):
            return answer
    affected = runs.affected(earlier, earlier + 1)
    left: Answer = Nowhere()
    for target in (earlier, earlier + 1):
        boxes = runs.reachable(target).boxes
        near = _Swap(runs, earlier, runs.involved((target,), (earlier, earlier + 1)))
        answer = Space(runs, near.rules).search(boxes, question, near.tells_apart, (target,))
        if near.leaves_other_states and not isinstance(answer, Found):
            all_of_them = _Swap(runs, earlier, runs.involved((target,), affected))
            answer = Space(runs, all_of_them.rules).search(boxes, question, all_of_them.differs, (target,))
        if isinstance(answer, Found):
            return answer
        left = left if isinstance(answer, Nowhere) else answer
    return left


def _ending(runs: Runs, earlier: int) -> Answer:
    """Search a contact on which one of two neighbours ends the run and the other is not false.

    Where nothing that is written decides who acts, the two matter to each other nowhere else.
    """
    later, formula = earlier + 1, runs.formula
    steps, rules = runs.steps, runs.involved((earlier,), (later,))
    answer: Answer = Nowhere()
    for one, other in ((earlier, later), (later, earlier)):
        if not runs.ends[one]:
            continue
        swap = _Swap(runs, earlier, tuple(sorted({*rules, *runs.involved((one,), (other,))})))
        literals = [
            *reached(runs, one, earlier),
            runs.acts_literal(one),
            formula.literal(runs.rules[other], "not false"),
        ]
        answer = formula.search(
            literals,
            lambda found, swap=swap: swap.differs(steps.start(runs.scene_at(found))),  # type: ignore[misc]
        )
        if not isinstance(answer, Nowhere):
            return answer
    return answer


class _Swap:
    def __init__(self, runs: Runs, earlier: int, rules: tuple[int, ...]) -> None:
        at = rules.index(earlier)
        self.rules = rules
        self.leaves_other_states = False
        self._steps = runs.steps
        self._swapped = (*rules[:at], earlier + 1, earlier, *rules[at + 2 :])

    def tells_apart(self, first: State) -> bool:
        """Tell whether some rule comes to another verdict, and note where only what is left is another."""
        written, other = self._both(first)
        if written.failed:
            return False
        if other.failed or _verdicts(written) != _verdicts(other):
            return True
        self.leaves_other_states |= not same_state(written.state[1:], other.state[1:])
        return False

    def differs(self, first: State) -> bool:
        """Tell whether the two orders come to another result, as :func:`same_result` tells it of outcomes."""
        written, other = self._both(first)
        if written.failed:
            return False
        if other.failed or _verdicts(written) != _verdicts(other):
            return True
        return not same_state(written.state[1:], other.state[1:])

    def _both(self, first: State) -> tuple[Trace, Trace]:
        return self._steps.as_written(self.rules, first), self._steps.as_written(self._swapped, first)


def _verdicts(trace: Trace) -> dict[int, bool | None]:
    """Return the rules that are true or undecided; one that is not reached is neither."""
    return {index: step.verdict for index, step in trace.steps.items() if step.verdict is not False}


def within(runs: Runs, candidates: Sequence[int]) -> list[int]:
    """Return for each rule the bitset of those of its ``candidates`` that hold on all contacts on which it acts.

    That is said of the contacts as they are given; a rule that acts on none is within none.
    """
    asked = 0
    for mask in candidates:
        asked |= mask
    outside = [runs.not_acting(i) if asked >> i & 1 else Region(()) for i in range(len(candidates))]
    acting = [runs.acting(i) if mask else Region(()) for i, mask in enumerate(candidates)]
    missed = sharing(acting, outside) if asked else [0] * len(candidates)
    return [mask & ~m if acting[i].boxes else 0 for i, (mask, m) in enumerate(zip(candidates, missed, strict=True))]


def where_without(
    runs: Runs, index: int, others: Collection[int], question: Question, *, ended: bool = False
) -> Answer:
    """Search a contact on which a rule acts and none of the others does.

    With ``ended``, where the rule ends the run, another one counts as acting if its conditions hold on the contact as
    the rule leaves it.
    """
    involved = runs.involved((index,), others)
    steps = runs.steps

    def goes_along(other: int, trace: Trace, first: State) -> bool:
        step = trace.steps.get(other)
        if step is None and ended and other > index:
            step = steps.step(other, trace.state, first)
        return step is not None and step.acted

    def alone(first: State) -> bool:
        trace = steps.as_written(involved, first)
        own = trace.steps.get(index)
        if trace.failed or own is None or not own.acted:
            return False
        return not any(goes_along(other, trace, first) for other in others)

    if runs.is_static((index, *others)):
        literals = [*reached(runs, index), runs.formula.literal(runs.rules[index], "true")]
        literals += [_does_not_act(runs, index, other, ended=ended) for other in others]
        answer = runs.formula.search(literals, lambda found: alone(steps.start(runs.scene_at(found))))
        if not isinstance(answer, Unknown):
            return answer
    for box in islice(runs.acting(index).boxes, _CHEAP):
        assignment = runs.representative(box)
        if assignment is not None and alone(steps.start(runs.scene_at(assignment))):
            runs.analysis.decided["cells"] += 1
            return Found(runs, assignment)
    return Space(runs, involved).search(runs.reachable(index).boxes, question, alone, (index,))


def reached(runs: Runs, acting: int, index: int | None = None) -> list[int]:
    """Return the literals "the run comes to a rule" (by default the acting one) of a contact on which a rule acts."""
    in_front = (1 << (acting if index is None else index)) - 1
    return [-runs.acts_literal(i) for i in bits(runs.enders & runs.overlapping[acting] & in_front)]


def _does_not_act(runs: Runs, index: int, other: int, *, ended: bool) -> int:
    """Return the literal "another rule does not act", of a contact on which the rule acts."""
    false = -runs.formula.literal(runs.rules[other], "true")
    if other < index:
        return false
    between = runs.enders & runs.overlapping[index] & (1 << other) - (1 << index)
    between &= ~(1 << index) if ended else -1
    return runs.formula.some([false, *(runs.acts_literal(i) if i != index else 1 for i in bits(between))])


def where_overturned(runs: Runs, reader: int, writer: int, question: Question) -> Answer:
    """Search a contact on which a later rule sets a column so that an earlier one would have come to another verdict.

    In front of the later rule the verdict that was given still holds; what that rule counts does not matter.
    """
    steps = runs.steps
    columns = runs.given[writer]
    involved = runs.involved((writer,), (reader,))

    def overturned(first: State) -> bool:
        trace = steps.as_written(involved, first)
        given, written = trace.steps.get(reader), trace.steps.get(writer)
        if trace.failed or given is None or written is None or not written.acted:
            return False
        before = trace.before[writer]
        after = list(before)
        for column in columns:
            after[steps.things[column]] = written.state[steps.things[column]]
        verdicts = [steps.step(reader, state, state).verdict for state in (before, tuple(after))]
        return verdicts[0] is given.verdict and verdicts[1] is not given.verdict

    free = columns | runs.written_before[writer]
    near = runs.analysis.region_of(runs.analysis.part(runs.rules[reader]), "not false", free)
    return Space(runs, involved).search(meetings([runs.reachable(writer), near]), question, overturned, (writer,))


def is_overturned(runs: Runs, reader: int, writer: int, scene: Scene) -> bool:
    """Tell the same of one contact by whole runs up to the reader, to the later rule and past it."""
    one, other, after = (runs.run(scene, order=range(end)).contact for end in (reader, writer, writer + 1))
    names, past = runs.analysis.campaign.contact_list.columns, other
    for column in runs.given[writer]:
        past = replaced(past, column.name, lookup(after, column.name), names)
    rule = runs.rules[reader]
    evaluator = runs.evaluator_of([rule])
    given, held, turned = (
        evaluator.verdicts(contact, context=scene.context, now=scene.now)[rule.name] for contact in (one, other, past)
    )
    return given is held and held is not turned
