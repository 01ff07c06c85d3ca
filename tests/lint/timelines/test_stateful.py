"""The state machine of a campaign: it breaks what can be broken, and prints the run as a case that shows it again."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from dialproof.config import Config, Semantics
from dialproof.errors import InputError, UsageError
from dialproof.evaluate import Evaluator
from dialproof.model.timelines import Attempt
from dialproof.over_time import play_and_compare
from dialproof.project import Project
from dialproof.source.positions import Problem
from dialproof.stateful import campaign_machine
from tests.lint.cel.build import SPAN, action, campaign, condition, rule
from tests.lint.timelines.build import COLUMNS, WINBACK, contacts_file

if TYPE_CHECKING:
    from dialproof.project import Campaign
    from dialproof.stateful import CampaignMachine

WEEK = timedelta(days=7)
FEW = settings(
    max_examples=30,
    stateful_step_count=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def project(*campaigns: Campaign, problems: tuple[Problem, ...] = ()) -> Project:
    """Return a project of campaigns without files."""
    return Project(Config(root=Path()), {}, {}, {}, campaigns, {}, problems, {})


COUNTED = campaign(  # every call counts, whatever it ends with
    rule("enough", condition("attempts", "greaterThanOrEqual", 3.0), actions=(action("doNotDial"),)),
    rule(
        "rest",
        condition("lastWrapUp.overall", "equals", "not_now", source="context"),
        condition("lastAttempt.overall", "lessThan", "P7D", "period", source="context"),
        order=2,
        actions=(action("doNotDial"),),
    ),
    rule(
        "count",
        condition("call.wrapUpCode", "exists", source="context"),
        order=3,
        category="wrapUp",
        actions=(
            action("setAttribute", attribute="attempts", option="INCREMENT"),
            action("scheduleCallback", offsetMinutes=90),
        ),
    ),
    columns=COLUMNS,
)


NOBODY = dict.fromkeys(COLUMNS.columns, "")


def promising(base: type[CampaignMachine]) -> type[CampaignMachine]:
    """Return a machine that says: three calls a week, and a week of rest after "not now"."""

    class Promises(base):  # type: ignore[misc, valid-type]
        @invariant()
        def at_most_three_calls_a_week(self) -> None:
            assert self.calls_within(WEEK) <= 3

        @invariant()
        def a_week_of_rest(self) -> None:
            for call, later in pairwise(self.calls):
                assert call.wrap_up_code != "not_now" or later.at - call.at >= WEEK

    return Promises


def broken_by(machine: type[CampaignMachine]) -> str:
    """Return the case that a machine prints when its statements break."""
    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(machine, settings=FEW)
    (text,) = (note for note in caught.value.__notes__ if "  - name: found by Promises" in note)
    return text[text.index("  - name: found by Promises") :]


def test_what_the_rules_promise_holds() -> None:
    """No run breaks a campaign that counts every call."""
    run_state_machine_as_test(promising(campaign_machine(project(COUNTED), contact={"attempts": 0})), settings=FEW)


LOOPHOLES: dict[str, dict[str, Any]] = {
    "codes that nobody counts": {"campaign": WINBACK, "contact": {"attempts": 0}},
    "contacts that have a count below zero": {"campaign": COUNTED, "contact": {"attempts": -1}},
}


@pytest.mark.parametrize("options", LOOPHOLES.values(), ids=LOOPHOLES.keys())
def test_a_loophole_is_printed_as_a_case_that_shows_it(options: dict[str, Any]) -> None:
    """The case that is printed can be read, comes out as it says, and has four calls within a week."""
    options = {**options, "time_zone": "America/Denver"}
    chosen = options.pop("campaign")
    printed = broken_by(promising(campaign_machine(project(chosen), **options)))
    file = contacts_file(f"cases:\n{printed}\n")
    (timeline,) = file.timelines
    played = play_and_compare(Evaluator(chosen, Semantics(), reference=True), timeline, file)
    assert played.found == {}
    calls = [one.at for one in played.happened if one.outcome.dial]
    assert len(calls) == 4
    assert calls[-1] - calls[0] < WEEK / timedelta(microseconds=1)
    assert len(timeline.steps) == 4


@pytest.mark.parametrize("chosen", [WINBACK, COUNTED], ids=["winback", "counted"])
def test_any_run_is_the_timeline_that_is_printed(chosen: Campaign) -> None:
    """Read again and played by cel-python it happens at the same times and comes out as it says."""
    base = campaign_machine(project(chosen), updates=["attempts", "customer.status"], time_zone="America/Denver")

    class Pasted(base):  # type: ignore[misc, valid-type]
        def teardown(self) -> None:
            if not self._steps:
                return
            file = contacts_file(f"cases:\n{self.timeline()}\n")
            played = play_and_compare(Evaluator(chosen, Semantics(), reference=True), file.timelines[0], file)
            assert played.found == {}
            assert [one.at for one in played.happened] == [at for _, at in self._steps]

    run_state_machine_as_test(Pasted, settings=settings(FEW, max_examples=10))


def test_somebody_who_writes_a_column_is_a_step() -> None:
    """Whoever had three calls is not called, unless his count is written over."""

    class Promises(campaign_machine(project(COUNTED), contact={**NOBODY, "attempts": 3}, updates=["attempts"])):  # type: ignore[misc]
        @invariant()
        def is_left_alone(self) -> None:
            assert not self.calls

    (timeline,) = contacts_file(f"cases:\n{broken_by(Promises)}\n").timelines
    update, attempt = timeline.steps
    assert isinstance(update.does, dict)
    assert (list(update.does), update.at, attempt.expect.dial) == (["attempts"], "2026-01-05T09:00:00+00:00", True)


def test_callbacks_wrap_ups_and_the_clock_are_reached() -> None:
    """All kinds of steps happen; what rules compare with is drawn, and the clock is that of the time zone."""
    seen: dict[str, None] = {}

    base = campaign_machine(project(COUNTED), contact={"attempts": 0}, updates=["cell"], time_zone="America/Denver")

    class Watching(base):  # type: ignore[misc, valid-type]
        @invariant()
        def watch(self) -> None:
            seen.update(dict.fromkeys(call.wrap_up_code for call in self.calls))
            seen.update({"due": None} if self.callback_due else {})
            seen.update({"rested": None} if self.outcome and "rest" in self.outcome.matched else {})
            seen.update(dict.fromkeys(call.column for call in self.calls))
            if self.callback_due and self.calls[-1].at == self.now:
                assert self.callback_due - self.now == timedelta(minutes=90)
            assert self.now.utcoffset() in (timedelta(hours=-7), timedelta(hours=-6))
            assert self.now >= datetime.fromisoformat("2026-01-05T09:00:00-07:00")
            assert not self.lists

    run_state_machine_as_test(Watching, settings=FEW)
    assert {"not_now", "another_code", "due", "rested", "cell", "home", None} <= seen.keys()


def test_a_day_is_a_day_when_clocks_change() -> None:
    """Calls stand in local time, and what lies between them is counted in time that passes."""
    machine = campaign_machine(project(COUNTED), start="2026-10-31T10:00", time_zone="America/Denver")()
    machine.contact_is_loaded(contact={"attempts": 0})  # type: ignore[attr-defined]
    for _ in range(2):
        machine.attempt(attempt=Attempt(call={"wrapUpCode": "no_answer"}))  # type: ignore[attr-defined]
        machine.time_passes(minutes=24 * 60)  # type: ignore[attr-defined]
    one, other = (call.at for call in machine.calls)
    assert (one.isoformat(), other.isoformat()) == ("2026-10-31T10:00:00-06:00", "2026-11-01T09:00:00-07:00")
    assert other - one == timedelta(days=1)
    assert machine.calls_within(timedelta(days=1)) == 1
    assert machine.calls_within(timedelta(days=1, minutes=1)) == 2


def test_no_personal_constant_of_a_rule_is_drawn() -> None:
    """A number that a rule compares with is somebody's number, and hypothesis prints what it draws."""
    number = "+15551234567"
    called = condition("phone.number", "equals", number, source="context")
    rules = campaign(rule("one", condition("cell", "equals", number)), rule("two", called, order=2), columns=COLUMNS)

    class Watching(campaign_machine(project(rules), updates=["cell"])):  # type: ignore[misc]
        @invariant()
        def watch(self) -> None:
            assert number not in self.contact.values()
            assert number not in self.timeline()

    run_state_machine_as_test(Watching, settings=settings(FEW, max_examples=10))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "column": ({"updates": ["attemps"]}, "campaign cmp has no column attemps"),
    "first column": ({"contact": {"age": 1}}, "campaign cmp has no column age"),
    "campaign": ({"campaign": "other"}, "expected one campaign, found 0: say which of cmp, cmp"),
    "several": ({}, "expected one campaign, found 2: say which of cmp, cmp"),
    "time zone": ({"campaign": "cmp", "time_zone": "Denver"}, "unknown time zone 'Denver'"),
    "start": ({"campaign": "cmp", "start": "tomorrow"}, "expected a date or time such as "),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_there_is_not_is_said(options: dict[str, Any], message: str) -> None:
    """A machine of something that does not exist is a usage error."""
    several = message.startswith("expected one")
    with pytest.raises(UsageError) as caught:
        campaign_machine(project(*[WINBACK] * (2 if several else 1)), **options)
    assert str(caught.value).startswith(message)


def test_files_with_errors_make_no_machine() -> None:
    """They are said with their places."""
    problem = Problem("a.rules.yaml", SPAN, "DP102", "is wrong")
    with pytest.raises(InputError, match=r"a\.rules\.yaml:1:1: DP102 is wrong"):
        campaign_machine(project(WINBACK, problems=(problem,)))
