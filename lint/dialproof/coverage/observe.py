"""What cases show of the rules of a campaign: the one place where that is computed, for lint, pytest and the gate."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from dialproof.coverage.decisions import Decision, taken_apart
from dialproof.coverage.goals import Goal, goals_of
from dialproof.journey import JourneyError, play
from dialproof.model.actions import action_types
from dialproof.model.timelines import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dialproof.coverage.goals import Goals
    from dialproof.evaluate import Evaluator, Step
    from dialproof.journey import Happened
    from dialproof.model.contacts import Case, Contact, ContactsFile, Expect
    from dialproof.model.rules import Action
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign, Project

__all__ = ["CaseRun", "Observer", "asserts", "cases_of"]

_ONE = ord("1")


@dataclass(frozen=True, slots=True)
class CaseRun:
    """One run of a case: with which ``options`` (clock, zone, context, lists), what came of it, in which time.

    ``met`` is a bitset of goals, ``nanoseconds`` that of the evaluation alone.
    """

    case: Case
    options: dict[str, Any]
    outcome: Outcome
    met: int
    nanoseconds: int


class Observer:
    """Runs contacts with ``given`` and says which goals of coverage they meet.

    ``evaluator`` is that of the same rules with every ``when:`` taken apart.
    """

    def __init__(self, given: Evaluator) -> None:
        self.given = given
        self.evaluator = taken_apart(given)
        self.decisions = [Decision(rule) for rule in self.evaluator.campaign.rules]
        ends = list(accumulate(len(decision.conditions) for decision in self.decisions))
        self._slices = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        self._digits: dict[tuple[int, tuple[bool | None, ...]], bytes] = {}
        self._runs: dict[int, CaseRun] = {}  # by id of the case, which the run holds, so that the id stays its own

    @cached_property
    def goals(self) -> Goals:
        """The goals of the campaign."""
        return goals_of(self.evaluator.campaign.id, self.decisions)

    @cached_property
    def _actions(self) -> dict[int, int]:
        """The number of the goal of each action, by the identity of the action."""
        return {id(self.decisions[g.rule].rule.actions[g.position]): n for n, g in enumerate(self.goals.all)
                if g.kind == "action"}  # fmt: skip

    @cached_property
    def _nothing(self) -> list[bytes]:
        """The goals of each rule, in digits, where none is met: goals are numbered in the order of the rules."""
        counts = Counter(goal.rule for goal in self.goals.all)
        return [b"0" * counts[index] for index in range(len(self.decisions))]

    @cached_property
    def _first(self) -> list[int]:
        """The number of the first goal of each rule."""
        return [0, *accumulate(map(len, self._nothing))]

    def met_by(self, case: Case | Timeline, file: ContactsFile) -> int:
        """Return the goals (a bitset) that a case meets, whether or not it comes out as expected."""
        if isinstance(case, Timeline):
            return self.met_along(case, play(self.evaluator, case, file))
        return self.run(case, file).met

    def run(self, case: Case, file: ContactsFile) -> CaseRun:
        """Return the run of a case, which is run once, by whoever asks first: the lint of coverage, or its item.

        Raises ``ValueError`` for a clock or zone that there is not.
        """
        known = self._runs.get(id(case))
        if known is None:
            options = file.run_options(case)
            started = perf_counter_ns()
            outcome, steps = self.given.watch(case.contact, **options)
            elapsed = perf_counter_ns() - started
            known = CaseRun(case, options, outcome, self.met_in(outcome, steps, case.expect), elapsed)
            self._runs[id(case)] = known
        return known

    def met_along(self, timeline: Timeline, happened: Iterable[Happened]) -> int:
        """Return the goals that the runs of a timeline meet together, up to a step that cannot happen."""
        found = 0
        with suppress(JourneyError):
            for step, one in zip(timeline.steps, happened, strict=False):
                for run in one.runs:
                    found |= self.met(run.contact, step.expect, **run.options)
        return found

    def met(self, contact: Contact, expect: Expect | None = None, **options: Any) -> int:
        """Return the goals that a run meets; raises ``ValueError`` for a clock or zone that there is not."""
        return self.met_in(*self.given.watch(contact, **options), expect)

    def met_in(self, outcome: Outcome, steps: Iterable[Step], expect: Expect | None = None) -> int:
        """Return the goals that a run of ``given`` has met, nothing where it broke.

        Actions count where ``expect`` says what they do.
        """
        if outcome.failure is not None:
            return 0
        seen = None
        verdicts: tuple[bool | None, ...] = ()
        digits = list(self._nothing)  # of each rule apart: to join integers of all goals takes far longer
        for index, _, view, conditions in steps:
            if view is None:
                break
            if view is not seen:
                if conditions is None or self.evaluator is not self.given:
                    conditions = self.evaluator.programs.rules_and_conditions(view)[1]
                seen, verdicts = view, conditions
            own = verdicts[self._slices[index]]
            digits[index] = self._digits.get((index, own)) or self._in_digits(index, own)
        found = int(b"".join(digits)[::-1] or b"0", 2)
        for acted in outcome.acted:
            if expect is not None and asserts(expect, acted.action, outcome):
                found |= 1 << self._actions[id(acted.action)]
        return found

    def _in_digits(self, index: int, verdicts: tuple[bool | None, ...]) -> bytes:
        digits = bytearray(self._nothing[index])
        for number in self.shows(index, verdicts):
            digits[number - self._first[index]] = _ONE
        found = self._digits[index, verdicts] = bytes(digits)
        return found

    def shows(self, index: int, verdicts: tuple[bool | None, ...]) -> tuple[int, ...]:
        """Return the numbers of the goals that a rule whose conditions have these verdicts meets."""
        decision, number = self.decisions[index], self.goals.number
        verdict = decision.verdict(verdicts)
        met = [Goal(index, "true" if value else "false", k) for k, value in enumerate(verdicts) if value is not None]
        if verdict or (verdict is None and self.evaluator.semantics.undecided == "met"):
            met.append(Goal(index, "matched"))
        if verdict is False:
            met.append(Goal(index, "missed"))
        met += (Goal(index, "decides true" if verdicts[k] else "decides false", k) for k in decision.deciding(verdicts))
        return tuple(number[goal] for goal in met)


def asserts(expect: Expect, action: Action, outcome: Outcome) -> bool:
    """Tell whether an expectation says what an action, which ran, does: without the action it would not be met.

    ``actions`` lists them all; a list, a column or the dialing that the action changes may be expected by itself.
    """
    if expect.actions is not None:
        return True
    if action.type == "setList":
        return action.fields["listId"] in (expect.lists or {})
    if action.type == "setAttribute":
        return action.fields["attribute"] in (expect.contact or {})
    stops = outcome.dial is False and "preCall" in action_types()[action.type].stops_dial_in
    return expect.dial is False and stops


def cases_of(project: Project, campaign: Campaign) -> Iterator[tuple[Case | Timeline, ContactsFile]]:
    """Return the cases that test a campaign, each with its file; populations are none."""
    return ((case, file) for file in project.contacts_files_of(campaign) for case in file.tests)
