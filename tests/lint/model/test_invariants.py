"""Invariants in all their forms are CEL in the end, and what is wrong with one is reported at its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.parse_rules import parse_rules
from dialproof.project import Campaign
from dialproof.source import read_source

if TYPE_CHECKING:
    from dialproof.model.rules import Invariant
    from dialproof.source.positions import Problem

HEAD = """\
rules:
  - name: r
    version: 1
    priority: 1
    executionOrder: 1
    conditions: [{attribute: a, operator: exists}]
    actions: [{type: doNotDial}]
invariants:
"""


def parsed(text: str) -> tuple[list[Invariant], tuple[Problem, ...]]:
    """Return the invariants of a rules file, and its problems; the first line of the text is line 9."""
    file, problems = parse_rules(read_source(Path("r.rules.yaml"), "r.rules.yaml", (HEAD + text).encode()))
    return list(file.invariants) if file else [], problems


def only(text: str) -> Invariant:
    """Return the one invariant of a good text."""
    found, problems = parsed(text)
    assert problems == ()
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("text", "name", "cel"),
    [
        ("  - {name: n1, always: outcome.dial}", "n1", "outcome.dial"),
        ("  - {name: n1, never: outcome.dial}", "n1", "!(outcome.dial)"),
        ("  - name: n1\n    never: |-\n      outcome.dial // why", "n1", "!(outcome.dial // why\n)"),
        ("  - {name: n1, when: outcome.dial, implies: 1 < 2}", "n1", "!(outcome.dial) || (1 < 2)"),
        (
            "  - {use: noDialWithoutConsent, column: consent, value: 'yes'}",
            "no dial without consent",
            '!outcome.dial || contact.consent == "yes"',
        ),
        (
            "  - {use: noDialWithoutConsent, name: n1, column: a.b, value: [true, 1]}",
            "n1",
            '!outcome.dial || contact["a.b"] in [true, 1.0]',
        ),
        (
            "  - {use: noDialOutsideHours}",
            "no dial outside 08:00-21:00 local time",
            '!(outcome.dial && (context.now.timeOfDay < "08:00" || context.now.timeOfDay >= "21:00"))',
        ),
        (
            "  - {use: noDialOutsideHours, from: 09:00, to: '20:00', timeZone: t}",
            "no dial outside 09:00-20:00 local time",
            '!(outcome.dial && (contact.t == "" || now.getHours(contact.t) < 9.0 || now.getHours(contact.t) >= 20.0))',
        ),
        (
            "  - {use: noDialOutsideHours, from: 08:30, timeZone: t, name: half}",
            "half",
            (
                '!(outcome.dial && (contact.t == "" || '
                "now.getHours(contact.t) * 60.0 + now.getMinutes(contact.t) < 510.0 || "
                "now.getHours(contact.t) * 60.0 + now.getMinutes(contact.t) >= 1260.0))"
            ),
        ),
        (
            "  - {use: attemptLimit, column: attempts, attempts: 3, days: 7, last: tried}",
            "at most 3 attempts in 7 days",
            '!outcome.dial || contact.attempts < 3.0 || now - contact.tried >= duration("168h")',
        ),
        (
            "  - {use: attemptLimit, column: attempts, attempts: 1, days: 1}",
            "at most 1 attempt in 1 day",
            '!outcome.dial || contact.attempts < 1.0 || now - context.lastAttempt.overall >= duration("24h")',
        ),
        (
            "  - {use: exclusiveLists, lists: [p, q]}",
            "never on two of p, q",
            '!("p" in outcome.lists && outcome.lists["p"] && "q" in outcome.lists && outcome.lists["q"])',
        ),
    ],
)
def test_every_form_is_cel_in_the_end(text: str, name: str, cel: str) -> None:
    """Each form, with its options, stands for this text, and has this name where none is given."""
    invariant = only(text)
    assert (invariant.name, invariant.always.text) == (name, cel)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("  - 5", (9, 5), "invariant: expected a mapping with name and always, never or implies, or with use"),
        ("  - {name: n1}", (9, 6), "this invariant lacks always or never or implies"),
        ("  - {name: n1, always: 'true', never: 'true'}", (9, 32), "expected one of always and never, found both"),
        ("  - {name: n1, when: 'true'}", (9, 6), "this invariant lacks always or never or implies"),
        ("  - {name: n1, implies: 'true'}", (9, 6), "this invariant lacks when, which implies needs"),
        ("  - {name: n1, always: 'true', when: 'true'}", (9, 6), "this invariant lacks implies, which when needs"),
        ("  - {use: attemptlimit}", (9, 11), "ready-made invariant 'attemptlimit'; did you mean attemptLimit?"),
        ("  - {use: attemptLimit, column: a, days: 7}", (9, 6), "this attemptLimit invariant lacks attempts"),
        ("  - {use: attemptLimit, column: a, days: 7, attempts: 0}", (9, 55), "attempts: expected 1 or more, found 0"),
        ("  - {use: noDialOutsideHours, from: 8:00}", (9, 37), "from: expected a time of the day such as"),
        (
            "  - {use: noDialOutsideHours, from: '21:00', to: '08:00'}",
            (9, 50),
            "to: expected a time after 21:00, found 08:00",
        ),
        ("  - {use: exclusiveLists, lists: [x, x]}", (9, 34), "lists: expected two lists or more, found one"),
        ("  - {use: noDialWithoutConsent, column: a, value: []}", (9, 51), "value: expected at least one item"),
        ("  - {use: noDialWithoutConsent, column: a, valeu: 1}", (9, 44), 'unknown key "valeu"'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place(text: str, place: tuple[int, int], message: str) -> None:
    """Line and column, what was found and what was expected; no invariant is left out in silence."""
    found, problems = parsed(text)
    assert not found
    assert [(p.span.line, p.span.column) for p in problems if message in p.message] == [place]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("  - {name: n1, never: outcome.dail}", (9, 23)),
        ("  - {name: n1, when: outcome.dial, implies: 1 < 'x'}", (9, 45)),
        ("  - name: n1\n    never: |\n      outcome.dial &&\n      size(3) > 1", (12, 7)),
        ("  - {use: noDialWithoutConsent, column: flag, value: 'yes'}", (9, 41)),
    ],
)
def test_cel_that_has_no_meaning_is_found_where_it_was_written(text: str, place: tuple[int, int]) -> None:
    """Places inside of what was put together are those of the file, of our words those of their option."""
    file, _ = parse_rules(read_source(Path("r.rules.yaml"), "r.rules.yaml", (HEAD + text).encode()))
    assert file is not None
    columns = ContactList("c", {name: Column(name, kind) for name, kind in (("a", "string"), ("flag", "boolean"))})
    evaluator = Evaluator(Campaign(("c",), (file,), file.rules, file.invariants, "all", columns), Semantics())
    assert {(p.span.line, p.span.column) for p in evaluator.problems} == {place}
