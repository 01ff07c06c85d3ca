"""A campaign as a state machine of hypothesis, for statements about what happens over time.

::

    from datetime import timedelta
    from hypothesis.stateful import invariant
    from dialproof.stateful import campaign_machine

    class Calls(campaign_machine("rules", "winback")):
        @invariant()
        def at_most_three_calls_a_week(self):
            assert self.calls_within(timedelta(days=7)) <= 3

    TestCalls = Calls.TestCase

Hypothesis takes a contact of the contact list through time: the clock moves, the campaign comes to the contact, calls
end, callbacks become due, somebody writes columns. A run that breaks a statement is printed as a case with a
``timeline:``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from dialproof.cel.values import parse_period, read_text, zone_of
from dialproof.config import load_config
from dialproof.errors import UsageError
from dialproof.evaluate import Evaluator
from dialproof.journey import Journey, moment_text, nested
from dialproof.model.contacts import merged
from dialproof.model.rules import Condition, When, leaves
from dialproof.model.timelines import CALLBACK, Attempt
from dialproof.output.masking import PERSONAL_CONTEXT, personal_columns
from dialproof.project import Project, load_project
from dialproof.runnable import check_read
from dialproof.source.yaml_text import block
from dialproof.strategies import contacts
from dialproof.view import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dialproof.model.contactlist import ContactList
    from dialproof.model.contacts import Contact
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

__all__ = ["Call", "CampaignMachine", "campaign_machine"]

_MINUTE = 60_000_000
_DAY = 24 * 60
_PERIODS = (1, 60, 4 * 60, _DAY, 7 * _DAY)
_OTHER = "another_code"
_ENDS = ("call.wrapUpCode", "call.systemDisposition")
"""A call ends with one of these: what an agent says of it, or what the system does where there is no agent."""


class Call(NamedTuple):
    """A call that was placed: when (local time, with its offset), on which phone column, and how it ended."""

    at: datetime
    column: str | None
    wrap_up_code: str | None


class CampaignMachine(RuleBasedStateMachine):
    """One contact of a campaign through time; subclasses of :func:`campaign_machine` add ``@invariant()`` methods."""

    evaluator: ClassVar[Evaluator]
    time_zone: ClassVar[str | None]
    start: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self._now = self.start
        self._steps: list[tuple[dict[str, object], int]] = []
        self.calls: list[Call] = []
        """The calls placed so far."""
        self.outcome: Outcome | None = None
        """What came of the last attempt, pre-call and wrap-up rules together; None before the first."""

    @property
    def contact(self) -> Contact:
        """The contact as it is now."""
        return self._journey.contact

    @property
    def lists(self) -> Mapping[str, bool]:
        """The lists that the contact is on now (True) or was taken off (False)."""
        return self._journey.lists

    @property
    def now(self) -> datetime:
        """The clock: local time, with its offset."""
        return self._local(self._now)

    @property
    def callback_due(self) -> datetime | None:
        """When the scheduled callback is due, None where there is none to come."""
        due = self._journey.callback
        return None if due is None or due < self._now else self._local(due)

    def calls_within(self, period: timedelta) -> int:
        """Return the most calls that lie within any one period; two that are exactly that far apart do not."""
        times = [call.at for call in self.calls]
        return max((sum(at <= other < at + period for other in times) for at in times), default=0)

    def timeline(self) -> str:
        """Return what happened as a case of a contacts file, which expects what happened."""
        steps: list[dict[str, object]] = []
        clock: int | None = None
        for step, at in self._steps:
            since = moment_text(at, self.time_zone) if clock is None else _period(at - clock)
            clock = at
            steps.append({"at": since, **step})
        case = {
            "name": f"found by {type(self).__name__}",
            **({"timeZone": self.time_zone} if self.time_zone else {}),
            "contact": dict(self._first),
            "timeline": steps,
            "expect": {"dials": len(self.calls)},
        }
        return "\n".join(block([case], 3, 2))

    def teardown(self) -> None:
        """Print the run where it is the one that failed."""
        if self._steps:
            note(f"As a case of a contacts file, which expects what happens today:\n\n{self.timeline()}\n")

    def _begin(self, contact: Contact) -> None:
        self._first = contact
        self._journey = Journey(self.evaluator, contact, time_zone=self.time_zone)

    def _attempt(self, attempt: Attempt, **step: object) -> None:
        outcome = self.outcome = self._journey.attempt(self._now, attempt).outcome
        if outcome.dial:
            self.calls.append(Call(self.now, attempt.column, attempt.call.get("wrapUpCode")))
        given = {"column": attempt.column} if attempt.column else {}
        context = {"context": dict(attempt.context)} if attempt.context else {}
        expect: dict[str, object] = {"matched": outcome.matched, "dial": outcome.dial}
        if outcome.undecided:
            expect["undecided"] = outcome.undecided
        self._steps.append(({**step, "attempt": {**given, **attempt.call}, **context, "expect": expect}, self._now))

    def _callback(self, attempt: Attempt) -> None:
        assert self._journey.callback is not None
        self._now, self._journey.callback = self._journey.callback, None
        self._attempt(attempt, at=CALLBACK)

    def _update(self, columns: Mapping[str, object]) -> None:
        self._journey.update(self._now, columns)
        self._steps.append(({"update": dict(columns)}, self._now))

    def _local(self, at: int) -> datetime:
        # With its offset alone: between two times of one zone Python counts hours of the clock.
        return datetime.fromisoformat(moment_text(at, self.time_zone))


def campaign_machine(
    project: Project | Path | str,
    campaign: str | None = None,
    *,
    contact: Mapping[str, object] | None = None,
    updates: Sequence[str] = (),
    start: str | datetime = "2026-01-05T09:00:00",
    time_zone: str | None = None,
) -> type[CampaignMachine]:
    """Return the state machine of a campaign, to be subclassed with statements.

    ``project`` is a project or its folder, ``campaign`` an id (it may be left out where there is one campaign).
    Every contact begins with the columns of ``contact``; the others are drawn, and no value of a personal column comes
    from the rules. ``updates`` names the columns that somebody else may write at any time. The clock starts at
    ``start``, which is local time of ``time_zone`` (default UTC) if it has no offset.

    Raises :class:`dialproof.errors.InputError` for files with errors, and :class:`dialproof.errors.UsageError` for a
    campaign, column, time or time zone that there is not.
    """
    project = project if isinstance(project, Project) else load_project(load_config(Path(project)))
    chosen = _campaign(project, campaign)
    columns = chosen.contact_list
    begin_with = dict(contact or {})
    unknown = [name for name in (*updates, *begin_with) if name not in columns.columns]
    if unknown:
        raise UsageError(f"campaign {chosen.id} has no column {', '.join(unknown)}")
    known = _without_personal(chosen)
    drawn = [name for name in columns.columns if name not in begin_with]
    codes = project.config.inventory.get("wrapUpCodes", ())
    attempts = _attempts(_fields(chosen, codes), sorted(c.name for c in columns.columns.values() if c.phone))

    class Machine(CampaignMachine):
        @initialize(contact=contacts(_only(columns, drawn), rules=known))
        def contact_is_loaded(self, contact: dict[str, object]) -> None:
            self._begin({**begin_with, **contact})

        @rule(minutes=_minutes(chosen))
        def time_passes(self, minutes: int) -> None:
            self._now += minutes * _MINUTE

        @rule(attempt=attempts)
        def attempt(self, attempt: Attempt) -> None:
            self._attempt(attempt)

        @precondition(lambda self: self.callback_due is not None)
        @rule(attempt=attempts)
        def callback(self, attempt: Attempt) -> None:
            self._callback(attempt)

        if updates:

            @rule(columns=contacts(_only(columns, updates), rules=known).filter(bool))
            def update(self, columns: dict[str, object]) -> None:
                self._update(columns)

    Machine.evaluator = Evaluator(chosen, project.config.semantics)
    Machine.time_zone = time_zone
    try:
        zone_of(time_zone)
        Machine.start = instant(start, time_zone)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return Machine


def _campaign(project: Project, wanted: str | None) -> Campaign:
    """Return the campaign of an id, or the only one."""
    check_read(project)
    found = [c for c in project.campaigns if wanted is None or wanted in c.ids]
    if len(found) != 1:
        ids = ", ".join(i for campaign in project.campaigns for i in campaign.ids) or "none"
        raise UsageError(f"expected one campaign, found {len(found)}: say which of {ids}")
    return found[0]


def _only(columns: ContactList, names: Iterable[str]) -> ContactList:
    return replace(columns, columns={name: columns.columns[name] for name in names})


def _without_personal(campaign: Campaign) -> list[Rule]:
    """Return the rules without conditions on personal columns, whose constants must not be drawn and then printed."""
    personal = personal_columns(campaign.contact_list)

    def open_ones(one: Rule) -> Iterator[Condition | When]:
        for leaf in leaves(one.conditions):
            if isinstance(leaf, When) or leaf.subject not in personal:
                yield leaf

    return [replace(one, conditions=tuple(open_ones(one))) for one in campaign.rules]


def _fields(campaign: Campaign, codes: Iterable[str]) -> dict[str, list[str]]:
    """Return the fields of the context that rules read and attempts decide, each with the values that matter."""
    found: dict[str, dict[str, None]] = {"call.wrapUpCode": {**dict.fromkeys(codes), _OTHER: None}}
    for leaf in (leaf for one in campaign.rules for leaf in leaves(one.conditions)):
        if isinstance(leaf, Condition) and leaf.source == "context":
            values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
            name = "call.wrapUpCode" if leaf.subject.startswith("lastWrapUp.") else leaf.subject
            if not name.startswith(("lastAttempt.", "now.")) and name not in PERSONAL_CONTEXT:
                found.setdefault(name, {}).update({read_text(value): None for value in values if read_text(value)})
    return {name: sorted(values) for name, values in found.items()}


@st.composite
def _attempts(draw: st.DrawFn, fields: Mapping[str, Sequence[str]], columns: Sequence[str]) -> Attempt:
    ends = [nested(name, value) for name in _ENDS for value in fields.get(name, ())]
    context: dict[str, Any] = draw(st.sampled_from(ends))
    for name, values in fields.items():
        value = draw(st.sampled_from((None, *values))) if name not in _ENDS else None
        if value is not None:
            context = merged(context, nested(name, value))
    return Attempt(draw(st.sampled_from((None, *columns))), context.pop("call"), context)


def _minutes(campaign: Campaign) -> st.SearchStrategy[int]:
    """Return how long it takes until something happens: just before, at and just after what rules wait for."""
    points = dict.fromkeys(_PERIODS)
    for leaf in (leaf for one in campaign.rules for leaf in leaves(one.conditions) if isinstance(leaf, Condition)):
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        periods = [period for value in values if (period := parse_period(read_text(value))) is not None]
        points.update({period // _MINUTE + near: None for period in periods for near in (-1, 0, 1)})
    return st.sampled_from([point for point in points if point > 0]) | st.integers(1, 14 * _DAY)


def _period(micros: int) -> str:
    days, minutes = divmod(micros // _MINUTE, _DAY)
    hours, minutes = divmod(minutes, 60)
    date = f"{days}D" if days else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return f"P{date}T{time}" if time else f"P{date or '0D'}"
