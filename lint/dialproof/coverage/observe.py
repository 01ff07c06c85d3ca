"""What cases show of the rules of a campaign: the one place where that is computed, for lint, pytest and the gate."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from dialproof.coverage.decisions import Decision, taken_apart
from dialproof.coverage.goals import Goal, goals_of
from dialproof.journey import JourneyError, play
from dialproof.model.actions import action_types
from dialproof.model.timelines import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dialproof.coverage.goals import Goals
    from dialproof.evaluate import Evaluator
    from dialproof.journey import Happened
    from dialproof.model.contacts import Case, Contact, ContactsFile, Expect
    from dialproof.model.rules import Action
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign, Project
    from dialproof.view import View

__all__ = ["Observer", "asserts", "cases_of"]

_ONE = ord("1")


class Observer:
    """Runs contacts and says which goals of coverage they meet; ``evaluator`` has every ``when:`` taken apart."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = taken_apart(evaluator)
        self.decisions = [Decision(rule) for rule in self.evaluator.campaign.rules]
        ends = list(accumulate(len(decision.conditions) for decision in self.decisions))
        self._slices = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        self._shown: dict[tuple[int, tuple[bool | None, ...]], tuple[int, ...]] = {}

    @cached_property
    def goals(self) -> Goals:
        """The goals of the campaign."""
        return goals_of(self.evaluator.campaign.id, self.decisions)

    @cached_property
    def _actions(self) -> dict[int, int]:
        """The number of the goal of each action, by the identity of the action."""
        return {id(self.decisions[g.rule].rule.actions[g.position]): n for n, g in enumerate(self.goals.all)
                if g.kind == "action"}  # fmt: skip

    def met_by(self, case: Case | Timeline, file: ContactsFile) -> int:
        """Return the goals (a bitset) that a case meets, whether or not it comes out as expected."""
        if isinstance(case, Timeline):
            return self.met_along(case, play(self.evaluator, case, file))
        return self.met(case.contact, case.expect, **file.run_options(case))

    def met_along(self, timeline: Timeline, happened: Iterable[Happened]) -> int:
        """Return the goals that the runs of a timeline meet together, up to a step that cannot happen."""
        found = 0
        with suppress(JourneyError):
            for step, one in zip(timeline.steps, happened, strict=False):
                for run in one.runs:
                    found |= self.met(run.contact, step.expect, **run.options)
        return found

    def met(self, contact: Contact, expect: Expect | None = None, **options: Any) -> int:
        """Return the goals that a run meets, nothing where it broke.

        Actions count where ``expect`` says what they do. Raises ``ValueError`` for a clock or zone that there is not.
        """
        marks = bytearray(b"0") * len(self.goals.all)  # the digits of the bitset: to join integers takes far longer
        seen = None
        verdicts: Sequence[bool | None] = ()

        def decided(index: int, _: bool | None, view: View | None) -> None:
            nonlocal seen, verdicts
            if view is None:
                return
            if view is not seen:
                seen, verdicts = view, self.evaluator.programs.conditions(view)
            for number in self.shows(index, tuple(verdicts[self._slices[index]])):
                marks[number] = _ONE

        outcome = self.evaluator.watch(contact, decided, **options)
        if outcome.failure is not None:
            return 0
        for acted in outcome.acted:
            if expect is not None and asserts(expect, acted.action, outcome):
                marks[self._actions[id(acted.action)]] = _ONE
        return int(marks[::-1] or b"0", 2)

    def shows(self, index: int, verdicts: tuple[bool | None, ...]) -> tuple[int, ...]:
        """Return the numbers of the goals that a rule whose conditions have these verdicts meets."""
        known = self._shown.get((index, verdicts))
        if known is not None:
            return known
        decision, number = self.decisions[index], self.goals.number
        verdict = decision.verdict(verdicts)
        met = [Goal(index, "true" if value else "false", k) for k, value in enumerate(verdicts) if value is not None]
        if verdict or (verdict is None and self.evaluator.semantics.undecided == "met"):
            met.append(Goal(index, "matched"))
        if verdict is False:
            met.append(Goal(index, "missed"))
        met += (Goal(index, "decides true" if verdicts[k] else "decides false", k) for k in decision.deciding(verdicts))
        shown = self._shown[index, verdicts] = tuple(number[goal] for goal in met)
        return shown


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
