"""What is expected of a timeline, step by step and of all steps together."""

from __future__ import annotations

import pytest

from dialproof.journey import too_many_in
from dialproof.model.timelines import AtMost
from tests.lint.timelines.build import played

FIRST = "{at: 2026-03-02T10:00, attempt: {wrapUpCode: no_answer}}"
NEXT = "{at: P1D, attempt: {wrapUpCode: no_answer}}"
AFTER = "{at: P1D, attempt: {wrapUpCode: later}}"

HELD = {
    "dials": "{dials: 3}",
    "last dialed": "{lastDialed: 2026-03-04T10:00:00-07:00}",
    "at most": "{atMost: {dials: 2, within: P2D}}",
    "always": "{always: 'contact.attempts < 3.0 || !outcome.dial'}",
}


@pytest.mark.parametrize("expect", HELD.values(), ids=HELD.keys())
def test_what_holds_over_time(expect: str) -> None:
    """Three calls a day apart, the fourth refused: nothing differs."""
    assert played(FIRST, NEXT, NEXT, NEXT, expect=expect).found == {}


BROKEN = {
    "dials": ("{dials: 2}", None, "expected 2 calls in all, got 3"),
    "last dialed": (
        "{lastDialed: 2026-03-05T10:00:00-07:00}",
        2,
        "expected the last call at 2026-03-05T10:00:00-07:00, got 2026-03-04T10:00:00-07:00",
    ),
    "at most": ("{atMost: {dials: 2, within: P2DT1M}}", 2, "expected at most 2 calls in any P2DT1M, got 3"),
    "always": (
        "{always: 'contact.attempts < 2.0'}",
        2,
        "always does not hold for the contact of this step and its outcome",
    ),
    "undecided": ("{always: 'number(text.note) > 0.0'}", 0, "always is undecided"),
}


@pytest.mark.parametrize(("expect", "step", "summary"), BROKEN.values(), ids=BROKEN.keys())
def test_what_does_not_hold_over_time(expect: str, step: int | None, summary: str) -> None:
    """It is said of the step that shows it."""
    found = played(FIRST, NEXT, NEXT, NEXT, expect=expect).found
    assert list(found) == [step]
    assert found[step][0].summary.startswith(summary)


def test_what_always_holds_is_asked_at_attempts_alone() -> None:
    """Between two updates a contact may be what no attempt finds."""
    steps = [FIRST, "{at: P1D, update: {attempts: 9}}", "{at: PT1H, update: {attempts: 9}}"]
    always = "{always: 'contact.attempts < 3.0'}"
    assert played(*steps, "{at: PT1H, update: {attempts: 1}}", NEXT, expect=always).found == {}
    assert list(played(*steps, NEXT, expect=always).found) == [3]


def test_nobody_is_dialed_last() -> None:
    """Where no call is placed at all there is no last one."""
    found = played("{at: 2026-03-02T03:00, attempt: {}}", expect="{lastDialed: 2026-03-02T03:00}").found
    assert found[None][0].got == ("never",)


def test_a_step_that_differs_is_said_before_what_holds_over_time() -> None:
    """Each step is compared as a case is; rules that cannot be decided fail it without being expected."""
    steps = [
        FIRST,
        "{at: P1D, attempt: {}, expect: {matched: [seen], dial: false}}",
        "{at: P1D, update: {attempts: ''}}",
        NEXT,
    ]
    found = played(*steps, expect="{dials: 7}").found
    assert {index: [d.key for d in several] for index, several in found.items()} == {1: ["dial"], 3: ["undecided"]}


def test_the_runs_of_one_attempt_are_compared_together() -> None:
    """Rules and actions of the pre-call run, then those of the wrap-up run; columns after both."""
    step = (
        "{at: 2026-03-02T10:00, attempt: {wrapUpCode: later}, expect: {matched: [seen, count, later], dial: true,"
        " actions: [{type: setList}, {type: setAttribute}, {type: scheduleCallback, offsetMinutes: 240}],"
        " contact: {attempts: 1}, lists: {called: true}}}"
    )
    assert played(step).found == {}


STUCK = {
    "no callback": (
        [FIRST, "{at: callback, attempt: {}}"],
        1,
        "no callback is due: no rule has scheduled one that is still to come",
    ),
    "a callback in the past": (
        [FIRST, AFTER, "{at: P1D, attempt: {}}", "{at: callback, attempt: {}}"],
        3,
        "this step, at 2026-03-03T14:00:00-07:00, is before the one before it",
    ),
    "a time before a callback": (
        [FIRST, AFTER, "{at: callback, attempt: {}}", "{at: 2026-03-03T13:59, attempt: {}}"],
        3,
        "this step, at 2026-03-03T13:59:00-07:00, is before the one before it",
    ),
    "the end of time": (
        [FIRST, *["{at: P999999D, attempt: {}}"] * 3],
        3,
        "this step is not within the years 1 to 9999",
    ),
}


@pytest.mark.parametrize(("steps", "index", "message"), STUCK.values(), ids=STUCK.keys())
def test_steps_that_cannot_happen(steps: list[str], index: int, message: str) -> None:
    """The timeline ends there, and says why."""
    result = played(*steps, expect="{dials: 1}")
    assert len(result.happened) == index
    assert list(result.found) == [index]
    assert result.found[index][0].summary == message


DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("dials", "limit", "many"),
    [
        ([], AtMost(0, "P1D"), []),
        ([5], AtMost(0, "P1D"), [5]),
        ([0, DAY], AtMost(1, "P1D"), []),
        ([0, DAY - 1], AtMost(1, "P1D"), [0, DAY - 1]),
        ([0, 3 * DAY, 3 * DAY, 4 * DAY - 1], AtMost(2, "P1D"), [3 * DAY, 3 * DAY, 4 * DAY - 1]),
    ],
)
def test_calls_in_any_period(dials: list[int], limit: AtMost, many: list[int]) -> None:
    """Two calls exactly one period apart are not within one."""
    assert list(too_many_in(dials, limit)) == many
