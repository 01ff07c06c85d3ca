"""A campaign that counts, waits, calls back and gives up, and timelines over it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.parse_contacts import parse_contacts
from dialproof.over_time import play_and_compare
from dialproof.source import read_source
from tests.lint.cel.build import action, campaign, condition, rule

if TYPE_CHECKING:
    from dialproof.model.contacts import ContactsFile
    from dialproof.model.rules import Expression
    from dialproof.over_time import Played

COLUMNS = ContactList(
    "people.contactlist.yaml",
    {
        column.name: column
        for column in (
            Column("attempts", "integer", min=0, max=9),
            Column("customer.status", "string", enum=("churned", "closed")),
            Column("cell", "string", phone=True),
            Column("home", "string", phone=True),
        )
    },
)


def _code(*codes: str) -> tuple[Expression, ...]:
    return (condition("call.wrapUpCode", "in", codes, source="context"),)


WINBACK = campaign(
    rule(
        "three_attempts",
        condition("attempts", "greaterThanOrEqual", 3.0),
        actions=(action("doNotDial"),),
    ),
    rule(
        "wait_a_week",
        condition("lastWrapUp.overall", "equals", "not_now", source="context"),
        condition("lastAttempt.overall", "lessThan", "P7D", "period", source="context"),
        order=2,
        actions=(action("doNotDial"),),
    ),
    rule(
        "at_night",
        condition("now.timeOfDay", "between", ("09:00", "19:59"), source="context", inverted=True),
        order=3,
        actions=(action("doNotDial"),),
    ),
    rule(
        "seen",
        condition("customer.status", "equals", "churned"),
        order=4,
        actions=(action("setList", listId="called", value="true"),),
    ),
    rule(
        "count",
        *_code("no_answer", "not_now", "later", "wrong_number", "never", "dnc"),
        order=5,
        category="wrapUp",
        actions=(action("setAttribute", attribute="attempts", option="INCREMENT"),),
    ),
    rule(
        "later",
        *_code("later"),
        order=6,
        category="wrapUp",
        actions=(action("scheduleCallback", offsetMinutes=240),),
    ),
    rule("never", *_code("never"), order=7, category="wrapUp", actions=(action("contactUncallable"),)),
    rule("wrong", *_code("wrong_number"), order=8, category="wrapUp", actions=(action("numberUncallable"),)),
    rule(
        "dnc",
        *_code("dnc"),
        order=9,
        category="wrapUp",
        actions=(action("appendToDnc", list="numbers", expires="P30D"),),
    ),
    columns=COLUMNS,
)
EVALUATOR = Evaluator(WINBACK, Semantics())
REFERENCE = Evaluator(WINBACK, Semantics(), reference=True)


def contacts_file(text: str, name: str = "winback.contacts.yaml") -> ContactsFile:
    """Return the contacts file of a text."""
    file, problems = parse_contacts(read_source(Path(name), name, text.encode()))
    assert file is not None, problems
    return file


def played(*steps: str, expect: str = "{}", zone: str = "America/Denver", evaluator: Evaluator = EVALUATOR) -> Played:
    """Play steps over a churned customer who was never called."""
    lines = [
        f"timeZone: {zone}",
        "defaults: {contact: {attempts: 0, customer: {status: churned}, cell: '+15550001', home: '+15550002'}}",
        "cases:",
        "  - name: c",
        *([f"    expect: {expect}"] if expect != "{}" else []),
        "    timeline:",
        *(f"      - {step}" for step in steps),
    ]
    file = contacts_file("\n".join([*lines, ""]))
    (timeline,) = file.timelines
    return play_and_compare(evaluator, timeline, file)
