"""Contacts files are read into cases; no message quotes a contact's value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.model.contacts import ContactsFile, ExpectedAction
from dialproof.model.parse_contacts import parse_contacts
from dialproof.source import read_source

if TYPE_CHECKING:
    from dialproof.source.positions import Problem

GOOD = """\
rules: premium.rules.yaml
timeZone: America/Denver
now: 2026-03-07T10:00:00-07:00
defaults:
  contact: {state: TX, customFields: {leadAge: 1, tier: silver}}
  context: {phone: {type: Home}}
  lists: {a: true}
cases:
  - name: gold
    tags: [smoke]
    category: wrapUp
    contact: {customFields: {lifetimeValue: 9000, tier: gold}, emp.var.rate: -1.5, consent: null}
    context: {lastAttempt: {byColumn: {cell: 2026-01-01}}, data: {lookup: {score: 5}}}
    lists: {b: false}
    now: 2026-03-08
    timeZone: UTC
    expect:
      matched: [routing, other]
      not_matched: [third]
      actions: [{type: setList, listId: premium}]
      contact: {customFields: {tier: gold}, emp.var.rate: -1.5}
      lists: {premium: true}
      undecided: []
  - {name: plain, expect: {dial: true}}
"""


def parse(text: str, name: str = "rules/premium.contacts.yaml") -> tuple[ContactsFile | None, tuple[Problem, ...]]:
    """Parse the text of a contacts file."""
    return parse_contacts(read_source(Path(name), name, text.encode()))


def wrong(text: str) -> list[tuple[int, int, str, str]]:
    """Return line, column, code and message of every error of a bad file."""
    file, problems = parse(text)
    assert file is None
    return [(p.span.line, p.span.column, p.code, p.message) for p in problems]


def case(line: str) -> str:
    """Return a file with one case that has a further key."""
    return f"cases:\n  - {{name: c, expect: {{matched: []}}, {line}}}\n"


def test_a_contacts_file_is_read_whole() -> None:
    """Defaults are merged deeply below each case; expectations keep what is asserted and nothing else."""
    file, problems = parse(GOOD)
    assert file is not None, problems
    assert (file.rules, file.time_zone, file.now) == (
        "premium.rules.yaml",
        "America/Denver",
        "2026-03-07T10:00:00-07:00",
    )
    gold, plain = file.cases
    assert gold.contact == {
        "state": "TX",
        "customFields": {"leadAge": 1, "tier": "gold", "lifetimeValue": 9000},
        "emp.var.rate": -1.5,
        "consent": None,
    }
    assert gold.context == {
        "phone": {"type": "Home"},
        "lastAttempt": {"byColumn": {"cell": "2026-01-01"}},
        "data": {"lookup": {"score": 5}},
    }
    assert (gold.lists, gold.category, gold.now, gold.time_zone) == (
        {"a": True, "b": False},
        "wrapUp",
        "2026-03-08",
        "UTC",
    )
    assert gold.expect.matched == ("routing", "other")
    assert gold.expect.actions == (ExpectedAction("setList", {"listId": "premium"}),)
    assert gold.expect.contact == {"customFields.tier": "gold", "emp.var.rate": -1.5}
    assert (gold.expect.undecided, gold.expect.dial) == ((), None)
    assert plain.contact == {"state": "TX", "customFields": {"leadAge": 1, "tier": "silver"}}
    assert (plain.category, plain.expect.matched, plain.expect.dial) == ("preCall", None, True)


def test_expected_names_know_where_they_stand() -> None:
    """Each key of expect and each name in its lists has a place."""
    file, _ = parse(GOOD)
    assert file is not None
    spans = file.cases[0].expect.spans
    assert (spans["matched"].line, spans["matched"].column) == (18, 16)
    assert (spans["matched[1]"].line, spans["matched[1]"].column) == (18, 26)
    assert (file.cases[0].name_span.line, file.cases[0].span.line, file.cases[0].span.end_line) == (9, 9, 23)


PROBLEMS = {
    "no cases": ("rules: a.rules.yaml\n", 1, "DP107", "this contacts file lacks cases or population"),
    "no case": ("cases: []\n", 1, "DP107", "cases: expected at least one item, found an empty list"),
    "list": (
        "- a\n",
        1,
        "DP101",
        "this file: expected a mapping with rules, campaign, timeZone, now ..., found a list",
    ),
    "rules file": (
        "rules: [{name: a}]\n",
        1,
        "DP101",
        "expected cases:, found a list of rules: rename this file to premium.rules.yaml",
    ),
    "two targets": (
        "rules: a\ncampaign: b\ncases: [{name: c, expect: {dial: true}}]\n",
        2,
        "DP102",
        "expected one of rules and campaign, found both",
    ),
    "no name": ("cases:\n  - expect: {dial: true}\n", 2, "DP107", "this case lacks name"),
    "no expect": ("cases:\n  - name: c\n", 2, "DP107", "this case lacks expect"),
    "empty expect": (
        "cases:\n  - name: c\n    expect: {}\n",
        3,
        "DP102",
        "expect asserts nothing: give at least one of matched, actions, dial ...",
    ),
    "null expectation": (
        "cases:\n  - name: c\n    expect: {matched: }\n",
        3,
        "DP102",
        "matched: expected a list, found nothing",
    ),
    "unknown expectation": (
        "cases:\n  - name: c\n    expect: {match: []}\n",
        3,
        "DP102",
        'unknown key "match" in this expectation; did you mean matched?',
    ),
    "expected action": (
        "cases:\n  - name: c\n    expect: {actions: [{type: setlist}]}\n",
        3,
        "DP102",
        "there is no action type 'setlist'; did you mean setList?",
    ),
    "duplicate name": (
        "cases:\n  - {name: c, expect: {dial: true}}\n  - {name: c, expect: {dial: true}}\n",
        3,
        "DP102",
        "duplicate case 'c': first given at line 2; names select cases",
    ),
    "dial in wrapUp": (
        "cases:\n  - {name: c, category: wrapUp, expect: {dial: true}}\n",
        2,
        "DP102",
        "a wrapUp case has no dial: remove it",
    ),
    "list as value": (
        case("contact: {phone: [secret]}"),
        2,
        "DP102",
        "contact.phone: expected text, a number, true, false or null, found a list",
    ),
    "not finite": (
        case("contact: {a: .nan}"),
        2,
        "DP102",
        "contact.a: expected text, a number, true, false or null, found a number that is not finite",
    ),
    "contact is text": (case("contact: secret"), 2, "DP102", "contact: expected a mapping of columns"),
    "column and path": (
        case("contact: {a.b: 1, a: {b: 2}}"),
        2,
        "DP102",
        "the contact has a.b both as a column and as a path: keep one",
    ),
    "dot below": (
        case("contact: {a: {b.c: 1}}"),
        2,
        "DP102",
        "contact.a: a column name with a dot must stand at the top",
    ),
    "context root": (
        case("context: {phon: {type: Home}}"),
        2,
        "DP102",
        "context: there is no 'phon'; did you mean phone?",
    ),
    "context field": (
        case("context: {phone: {typ: Home}}"),
        2,
        "DP102",
        "context: there is no phone.typ; did you mean phone.type?",
    ),
    "context now": (
        case("context: {now: {date: x}}"),
        2,
        "DP102",
        "context: there is no 'now'; expected one of call, phone, lastAttempt, lastWrapUp, data",
    ),
    "zone": (
        case("timeZone: Texas"),
        2,
        "DP102",
        'timeZone: expected a time zone such as America/Denver, found "Texas"',
    ),
    "lists": (case('lists: {a: "true"}'), 2, "DP102", 'lists.a: expected true or false, found the text "true"'),
}


@pytest.mark.parametrize(("text", "line", "code", "message"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_what_is_wrong_with_contacts(text: str, line: int, code: str, message: str) -> None:
    """Each wrong key or value is one error at its line, and never quotes the contact."""
    [(found_line, _, found_code, found_message)] = wrong(text)
    assert (found_line, found_code, found_message) == (line, code, message)
    assert "secret" not in found_message


def test_a_clock_without_a_place_is_noted() -> None:
    """Local time of nobody knows where counts as UTC, which a hint says; an offset or a time zone settles it."""
    cases = "cases:\n  - {name: a, expect: {dial: true}, now: '2026-03-07T10:00'}\n"
    for head, expected in (
        ("", [2]),
        ("now: 2026-03-07\n", [1, 3]),
        ("now: 2026-03-07T10:00:00-07:00\n", [3]),
        ("timeZone: America/Denver\nnow: 2026-03-07\n", []),
    ):
        file, problems = parse(head + cases)
        assert file is not None
        assert [(p.span.line, getattr(p, "severity", "")) for p in problems] == [(line, "info") for line in expected]


def test_cases_beside_a_wrong_one_are_checked_too() -> None:
    """What a case lacks does not hide that another asserts nothing, or that two have one name."""
    text = (
        "cases:\n  - {name: a}\n  - {name: b, expect: {}}\n  - {name: c, expect: {dial: true}}\n"
        "  - {name: c, expect: {dial: true}}\n"
    )
    assert [(line, message.partition(":")[0]) for line, _, _, message in wrong(text)] == [
        (2, "this case lacks expect"),
        (3, "expect asserts nothing"),
        (5, "duplicate case 'c'"),
    ]


def test_a_conflict_between_defaults_and_a_case_is_found() -> None:
    """A dotted column of the case beside the same path of the defaults is ambiguous, and said so at the case."""
    text = "defaults: {contact: {a: {b: 1}}}\ncases:\n  - {name: c, contact: {a.b: 2}, expect: {dial: true}}\n"
    assert [(line, column) for line, column, _, _ in wrong(text)] == [(3, 25)]


def test_reprs_of_cases_show_no_contact() -> None:
    """A case in a log or an assertion message does not carry the contact's values."""
    file, _ = parse("cases:\n  - {name: c, contact: {phone: '+15550100'}, expect: {contact: {phone: '+15550100'}}}\n")
    assert "555" not in repr(file)
