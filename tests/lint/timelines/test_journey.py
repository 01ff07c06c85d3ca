"""A contact through time, by hand: what travels from step to step, and what the clock shows."""

from __future__ import annotations

import pytest

from dialproof.journey import moment_text, play
from tests.lint.timelines.build import EVALUATOR, REFERENCE, contacts_file, played

Row = tuple[str, bool | None, tuple[str, ...]]


@pytest.fixture(params=[EVALUATOR, REFERENCE], ids=["compiled", "cel-python"])
def rows(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """Return what plays steps and gives (local time, dial, matched) of each."""

    def play(*steps: str, zone: str = "America/Denver") -> list[Row]:
        # Something is expected that is not so: what becomes of the steps is what is looked at.
        happened = played(*steps, expect="{dials: 99}", zone=zone, evaluator=request.param).happened
        return [(moment_text(one.at, zone), one.outcome.dial, one.outcome.matched) for one in happened]

    return play


def test_three_attempts_then_stop(rows) -> None:  # type: ignore[no-untyped-def]
    """The wrap-up counts on the contact; the fourth attempt finds three."""
    attempt = "{at: P1D, attempt: {wrapUpCode: no_answer}}"
    assert rows("{at: 2026-03-02T10:00, attempt: {wrapUpCode: no_answer}}", attempt, attempt, attempt) == [
        ("2026-03-02T10:00:00-07:00", True, ("seen", "count")),
        ("2026-03-03T10:00:00-07:00", True, ("seen", "count")),
        ("2026-03-04T10:00:00-07:00", True, ("seen", "count")),
        ("2026-03-05T10:00:00-07:00", False, ("three_attempts", "seen")),
    ]


def test_no_call_within_a_week_of_a_wrap_up(rows) -> None:  # type: ignore[no-untyped-def]
    """The last attempt and its wrap-up are known without being repeated; an attempt that dials nobody is none."""
    assert rows(
        "{at: 2026-04-02T10:00, attempt: {wrapUpCode: not_now}}",
        "{at: P6D, attempt: {wrapUpCode: no_answer}}",
        "{at: PT23H59M, attempt: {}}",
        "{at: PT1M, attempt: {}}",
        "{at: PT1M, attempt: {}}",
    ) == [
        ("2026-04-02T10:00:00-06:00", True, ("seen", "count")),
        ("2026-04-08T10:00:00-06:00", False, ("wait_a_week", "seen")),
        ("2026-04-09T09:59:00-06:00", False, ("wait_a_week", "seen")),
        ("2026-04-09T10:00:00-06:00", True, ("seen",)),
        # A call that ended with no code leaves the last one as it is, and is the last attempt.
        ("2026-04-09T10:01:00-06:00", False, ("wait_a_week", "seen")),
    ]


def test_a_callback_after_four_hours_is_held_against_the_clock(rows) -> None:  # type: ignore[no-untyped-def]
    """It comes when it is due; one that is due at night is not dialed, and no longer due afterwards."""
    assert rows(
        "{at: 2026-03-02T10:00, attempt: {wrapUpCode: later}}",
        "{at: callback, attempt: {wrapUpCode: later}}",
        "{at: PT1H, update: {attempts: 0}}",
        "{at: callback, attempt: {}}",
        "{at: 2026-03-03T10:00, attempt: {wrapUpCode: later}}",
        "{at: callback, attempt: {wrapUpCode: no_answer}}",
    ) == [
        ("2026-03-02T10:00:00-07:00", True, ("seen", "count", "later")),
        ("2026-03-02T14:00:00-07:00", True, ("seen", "count", "later")),
        ("2026-03-02T15:00:00-07:00", None, ()),
        ("2026-03-02T18:00:00-07:00", True, ("seen",)),
        ("2026-03-03T10:00:00-07:00", True, ("seen", "count", "later")),
        ("2026-03-03T14:00:00-07:00", True, ("seen", "count")),
    ]
    assert rows("{at: 2026-03-02T16:00, attempt: {wrapUpCode: later}}", "{at: callback, attempt: {}}") == [
        ("2026-03-02T16:00:00-07:00", True, ("seen", "count", "later")),
        ("2026-03-02T20:00:00-07:00", False, ("at_night", "seen")),
    ]


SPRING = [  # In Denver the clock goes from 01:59 to 03:00 on March 8; a day is 24 hours, as in conditions.
    ("2026-03-07T09:00", "P1D", "2026-03-07T09:00:00-07:00", "2026-03-08T10:00:00-06:00", True),
    ("2026-03-07T19:30", "P1D", "2026-03-07T19:30:00-07:00", "2026-03-08T20:30:00-06:00", False),
    ("2026-03-07T09:00", "2026-03-08T09:00", "2026-03-07T09:00:00-07:00", "2026-03-08T09:00:00-06:00", True),
    ("2026-03-07T09:00", "2026-03-08T02:30", "2026-03-07T09:00:00-07:00", "2026-03-08T03:30:00-06:00", False),
]
AUTUMN = [  # On November 1 it goes from 01:59 back to 01:00: 01:30 is there twice, and the first one is meant.
    ("2026-10-31T09:30", "P1D", "2026-10-31T09:30:00-06:00", "2026-11-01T08:30:00-07:00", False),
    ("2026-10-31T19:30", "2026-11-01T01:30", "2026-10-31T19:30:00-06:00", "2026-11-01T01:30:00-06:00", False),
    ("2026-11-01T01:30", "PT1H", "2026-11-01T01:30:00-06:00", "2026-11-01T01:30:00-07:00", False),
]


@pytest.mark.parametrize(("first", "second", "one", "other", "dial"), SPRING + AUTUMN)
def test_clocks_that_change(rows, first: str, second: str, one: str, other: str, dial: bool) -> None:  # type: ignore[no-untyped-def]
    """Local times are those of the zone on that day."""
    found = rows(f"{{at: {first}, attempt: {{}}}}", f"{{at: {second}, attempt: {{}}}}")
    assert [at for at, _, _ in found] == [one, other]
    assert found[1][1] is dial


def test_a_contact_that_is_uncallable_is_not_called_again(rows) -> None:  # type: ignore[no-untyped-def]
    """No rule runs for it any more, whatever the column."""
    assert rows(
        "{at: 2026-03-02T10:00, attempt: {column: cell, wrapUpCode: never}}",
        "{at: P90D, attempt: {column: home}}",
    ) == [
        ("2026-03-02T10:00:00-07:00", True, ("seen", "count", "never")),
        ("2026-05-31T11:00:00-06:00", False, ()),
    ]


def test_a_number_that_is_uncallable_leaves_the_other(rows) -> None:  # type: ignore[no-untyped-def]
    """NumberUncallable is about the column that was dialed."""
    found = rows(
        "{at: 2026-03-02T10:00, attempt: {column: cell, wrapUpCode: wrong_number}}",
        "{at: PT1H, attempt: {column: cell}}",
        "{at: PT1H, attempt: {column: home}}",
    )
    assert [dial for _, dial, _ in found] == [True, False, True]


def test_a_number_on_the_do_not_call_list_comes_back_when_that_expires(rows) -> None:  # type: ignore[no-untyped-def]
    """Thirty days to the minute."""
    found = rows(
        "{at: 2026-04-02T10:00, attempt: {column: cell, wrapUpCode: dnc}}",
        "{at: P29DT23H59M, attempt: {column: cell}}",
        "{at: PT1M, attempt: {column: cell}}",
    )
    assert [dial for _, dial, _ in found] == [True, False, True]


def test_what_a_step_says_lies_over_what_is_known() -> None:
    """The number of the column over the case's, and what the step itself says over both."""
    file = contacts_file("""\
timeZone: UTC
cases:
  - name: c
    contact: {cell: "1"}
    context: {phone: {number: "2", type: Home}, lastWrapUp: {overall: not_now}}
    timeline:
      - {at: 2026-03-02T10:00, attempt: {}}
      - {at: PT1H, attempt: {column: cell}}
      - {at: PT1H, attempt: {column: cell}, context: {phone: {number: "3"}}}
    expect: {dials: 0}
""")
    happened = play(EVALUATOR, file.timelines[0], file)
    seen = [one.options["context"] for one in happened]
    assert [context["phone"] for context in seen] == [{"number": n, "type": "Home"} for n in "213"]
    assert {context["lastWrapUp"]["overall"] for context in seen} == {"not_now"}


def test_what_travels() -> None:
    """The contact as changed, lists, the last attempt and wrap-up by column, the number that is dialed."""
    happened = played(
        "{at: 2026-03-02T10:00, attempt: {column: cell, wrapUpCode: no_answer}, context: {data: {crm: {score: 5}}}}",
        "{at: PT1H, update: {customer: {status: closed}, note: x}}",
        "{at: PT1H, attempt: {column: home, systemDisposition: BUSY}}",
        "{at: PT1H, attempt: {}}",
        expect="{dials: 3}",
    ).happened
    first, update, second, third = happened
    assert first.runs[0].options["context"] == {
        "phone": {"number": "+15550001"},
        "data": {"crm": {"score": 5}},
    }
    assert first.runs[1].options["context"]["call"] == {"wrapUpCode": "no_answer"}
    assert first.runs[1].options["lists"] == {"called": True}
    assert first.outcome.contact["attempts"] == 1
    assert update.outcome.contact["customer"] == {"status": "closed"}
    assert (update.outcome.contact["note"], update.runs, update.is_attempt) == ("x", (), False)
    assert second.options["context"] == {
        "phone": {"number": "+15550002"},
        "call": {"systemDisposition": "BUSY"},
        "lastAttempt": {"overall": "2026-03-02T10:00:00-07:00", "byColumn": {"cell": "2026-03-02T10:00:00-07:00"}},
        "lastWrapUp": {"overall": "no_answer", "byColumn": {"cell": "no_answer"}},
    }
    assert third.options["context"] == {
        "lastAttempt": {
            "overall": "2026-03-02T12:00:00-07:00",
            "byColumn": {"cell": "2026-03-02T10:00:00-07:00", "home": "2026-03-02T12:00:00-07:00"},
        },
        "lastWrapUp": {"overall": "no_answer", "byColumn": {"cell": "no_answer"}},
    }
