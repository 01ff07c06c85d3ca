"""Cases with a timeline are read into steps; what is wrong in them or between them is said at its place."""

from __future__ import annotations

import pytest

from dialproof.model.timelines import AtMost, Attempt
from tests.lint.model.test_contacts import parse, wrong

GOOD = """\
timeZone: America/Denver
now: 2026-03-06T08:00
defaults:
  contact: {state: TX, customFields: {tier: silver}}
  context: {phone: {type: Home}}
  lists: {a: true}
  category: wrapUp
cases:
  - {name: before, expect: {matched: []}}
  - name: three attempts
    tags: [smoke]
    contact: {customFields: {tier: gold}}
    timeline:
      - at: PT2H
        attempt: {column: cell, wrapUpCode: no_answer, systemDisposition: X, analysis: Y}
        context: {data: {crm: {score: 5}}}
        expect: {matched: [a, b], dial: true}
      - {at: 2026-03-06T10:00, update: {customFields: {tier: bronze}, emp.var.rate: 2}}
      - {at: P1D, attempt: {}}
      - {at: callback, attempt: {wrapUpCode: busy}, expect: {contact: {customFields: {tier: bronze}}}}
    expect: {dials: 3, lastDialed: 2026-03-09, atMost: {dials: 2, within: P7D}, always: contact.state == "TX"}
  - {name: after, expect: {matched: []}}
"""


def test_a_timeline_is_read_whole() -> None:
    """Defaults are merged below it as below a case; each step has its time, what happens and what is expected."""
    file, problems = parse(GOOD)
    assert file is not None, problems
    (timeline,) = file.timelines
    assert [case.name for case in file.tests] == ["before", "three attempts", "after"]
    assert [case.name for case in file.cases] == ["before", "after"]
    assert timeline.contact == {"state": "TX", "customFields": {"tier": "gold"}}
    assert (timeline.context, timeline.lists, timeline.tags) == ({"phone": {"type": "Home"}}, {"a": True}, ("smoke",))
    first, update, plain, callback = timeline.steps
    assert [step.at for step in timeline.steps] == ["PT2H", "2026-03-06T10:00", "P1D", "callback"]
    assert first.does == Attempt(
        "cell",
        {"wrapUpCode": "no_answer", "systemDisposition": "X", "analysis": "Y"},
        {"data": {"crm": {"score": 5}}},
    )
    assert (first.expect.matched, first.expect.dial) == (("a", "b"), True)
    assert update.does == {"customFields.tier": "bronze", "emp.var.rate": 2}
    assert plain.does == Attempt()
    assert plain.expect.dial is None
    assert callback.expect.contact == {"customFields.tier": "bronze"}
    assert (timeline.expect.dials, timeline.expect.last_dialed) == (3, "2026-03-09")
    assert timeline.expect.at_most == AtMost(2, "P7D")
    assert timeline.expect.always is not None
    assert timeline.expect.always.text == 'contact.state == "TX"'
    assert (first.span.line, callback.at_span.line, callback.at_span.column) == (14, 20, 14)


def case(*steps: str, expect: str = "{dials: 0}", now: str = "2026-01-01T00:00:00Z") -> str:
    """Return a file with a timeline whose first step stands in line 5."""
    lines = [f"now: {now}" if now else "x-none: 1", "cases:", "  - name: c", "    timeline:"]
    return "\n".join(
        [*lines, *(f"      - {step}" for step in steps), *([f"    expect: {expect}"] if expect else []), ""]
    )


FIRST = "{at: 2026-03-06T10:00:00Z, attempt: {}}"
PROBLEMS = {
    "no steps": (
        "cases:\n  - {name: c, timeline: []}\n",
        2,
        25,
        "timeline: expected at least one item, found an empty list",
    ),
    "neither attempt nor update": (case("{at: P1D}"), 5, 10, "this step lacks attempt or update"),
    "both": (case("{at: P1D, attempt: {}, update: {a: 1}}"), 5, 32, "expected one of attempt and update, found both"),
    "no time": (case("{attempt: {}}"), 5, 10, "this step lacks at"),
    "a time that is none": (
        case("{at: +1d, attempt: {}}"),
        5,
        14,
        (
            "at: expected a date or time such as 2026-03-07T10:00:00-07:00, a period such as P1D or PT4H, or callback, "
            'found "+1d"'
        ),
    ),
    "a period that goes back": (
        case("{at: P-1D, attempt: {}}"),
        5,
        14,
        'at: expected a period that does not go back, found "P-1D"',
    ),
    "steps out of order": (
        case(FIRST, "{at: 2026-03-06T09:59:59Z, attempt: {}}"),
        6,
        14,
        "2026-03-06T09:59:59Z is before the step before it: steps stand in order of time",
    ),
    "out of order behind a period": (
        case(FIRST, "{at: P1D, attempt: {}}", "{at: 2026-03-07T09:59:59Z, attempt: {}}"),
        7,
        14,
        "2026-03-07T09:59:59Z is before the step before it: steps stand in order of time",
    ),
    "a column and a path": (
        case(FIRST).replace("    timeline:", "    contact: {a.b: 1, a: {b: 2}}\n    timeline:"),
        4,
        15,
        "the contact has a.b both as a column and as a path: keep one",
    ),
    "before now": (
        case("{at: 2025-12-31T00:00:00Z, attempt: {}}"),
        5,
        14,
        "2025-12-31T00:00:00Z is before the step before it: steps stand in order of time",
    ),
    "a period from nowhere": (
        case("{at: P1D, attempt: {}}", now=""),
        5,
        14,
        "P1D counts from now, and neither the case nor the file has now",
    ),
    "a callback at the start": (
        case("{at: callback, attempt: {}}"),
        5,
        14,
        "nothing can have scheduled a callback before the first step",
    ),
    "a callback that is none": (
        case(FIRST, "{at: callback, update: {a: 1}}"),
        6,
        14,
        "a callback is an attempt: give attempt in place of update",
    ),
    "an update with expectations": (
        case("{at: P1D, update: {a: 1}, expect: {contact: {a: 1}}}"),
        5,
        35,
        "an update runs no rules: give expect to the attempt after it",
    ),
    "nothing expected": (
        case(FIRST, expect=""),
        3,
        11,
        "this timeline asserts nothing: give expect to a step, or to the case",
    ),
    "an empty expectation": (
        case(FIRST, expect="{}"),
        6,
        13,
        "expect asserts nothing: give at least one of dials, lastDialed ...",
    ),
    "an empty expectation of a step": (
        case("{at: P1D, attempt: {}, expect: {}}"),
        5,
        40,
        "expect asserts nothing: give at least one of matched, actions, dial ...",
    ),
    "the expectation of a case": (
        case(FIRST, expect="{matched: [a]}"),
        6,
        14,
        'unknown key "matched" in this expectation over time; expected one of dials, lastDialed, atMost, always',
    ),
    "a category": (
        case(FIRST).replace("name: c", "category: wrapUp\n    name: c"),
        3,
        5,
        (
            'unknown key "category" in this case with a timeline; '
            "expected one of name, tags, contact, context, lists, now, timeZone, timeline, expect"
        ),
    ),
    "a limit without a period": (
        case(FIRST, expect="{atMost: {dials: 3}}"),
        6,
        23,
        "this limit lacks within",
    ),
    "a limit in no time": (
        case(FIRST, expect="{atMost: {dials: 3, within: P0D}}"),
        6,
        41,
        "within: expected a period that goes forward, such as P7D",
    ),
    "a misspelt key of an attempt": (
        case("{at: P1D, attempt: {wrapupCode: a}}"),
        5,
        29,
        'unknown key "wrapupCode" in this attempt; did you mean wrapUpCode?',
    ),
}

BETWEEN = (
    "a period that goes back",
    "steps out of order",
    "out of order behind a period",
    "a column and a path",
    "before now",
    "a period from nowhere",
    "a callback at the start",
    "a callback that is none",
    "an update with expectations",
    "nothing expected",
    "a limit in no time",
)
"""What is wrong between values: a JSON Schema cannot say it."""


@pytest.mark.parametrize(("text", "line", "column", "message"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_what_is_wrong_with_a_timeline(text: str, line: int, column: int, message: str) -> None:
    """Each is one error at its place."""
    [(found_line, found_column, code, found_message)] = wrong(text)
    assert (found_line, found_column, found_message) == (line, column, message)
    assert code in ("DP102", "DP107")


def test_everything_wrong_is_said_at_once() -> None:
    """Errors of a case, of steps and between steps come together."""
    text = case(
        "{at: 2026-03-06T10:00:00Z, attempt: {}, expect: {}}", "{at: 2026-03-05T00:00:00Z, attempt: {}}", expect="{}"
    )
    assert sorted(line for line, *_ in wrong(text)) == [5, 6, 7]


def test_local_times_of_nobody_knows_where_are_noted() -> None:
    """A time without an offset is UTC where neither the case nor the file has a time zone, and that is said."""
    text = case("{at: 2026-03-06T10:00, attempt: {}}", expect="{lastDialed: 2026-03-06T10:00}")
    file, notes = parse(text)
    assert file is not None
    assert [(n.span.line, n.message) for n in notes] == [
        (5, "at has neither an offset nor a timeZone: it is read as UTC"),
        (6, "lastDialed has neither an offset nor a timeZone: it is read as UTC"),
    ]
    assert parse("timeZone: America/Denver\n" + text)[1] == ()
