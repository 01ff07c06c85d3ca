"""Every run of a timeline is that of the plain case which says what is known by then, in a file of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.over_time import play_and_compare
from dialproof.strategies import campaigns, contacts
from tests.lint.cel.build import campaign, condition, rule
from tests.lint.timelines.build import COLUMNS, WINBACK, contacts_file

if TYPE_CHECKING:
    from dialproof.model.contacts import ContactsFile
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

ZONES = ("America/Denver", "Europe/Berlin", "UTC")
CODES = ("no_answer", "not_now", "later", "other", None)
STARTS = ("2026-03-07T23:30:00Z", "2026-10-31T12:00:00Z", "2026-06-01T00:00:00Z")
MINUTES = {"P0D": 0, "PT1M": 1, "PT4H": 240, "P1D": 1440, "P6DT23H59M": 10079, "P7D": 10080}


@st.composite
def some_campaigns(draw: st.DrawFn) -> Campaign:
    """Draw the campaign of these tests, or one of any rules that know what happened before."""
    if draw(st.booleans()):
        return WINBACK
    known = (
        condition("lastWrapUp.overall", "equals", draw(st.sampled_from(CODES[:4])), source="context"),
        condition("lastAttempt.byColumn.cell", "exists", None, "datetime", source="context"),
        condition("call.wrapUpCode", "notEquals", "later", source="context"),
        condition("now.timeOfDay", "greaterThan", "12:00", source="context"),
    )
    drawn = draw(campaigns(COLUMNS, max_rules=3)) + draw(campaigns(COLUMNS, max_rules=3, category="wrapUp"))
    rules = [
        rule(
            f"rule_{order}",
            draw(st.sampled_from((*one.conditions, *known))),
            order=order,
            category=one.category,
            actions=tuple(a for a in one.actions if a.type not in ("contactUncallable", "scheduleCallback")) or (),
        )
        for order, one in enumerate(drawn, 1)
    ]
    return campaign(*rules, columns=COLUMNS, hit_policy=draw(st.sampled_from(("all", "first"))))


@st.composite
def some_steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw attempts and updates, one after the other."""
    steps: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 5))):
        step: dict[str, Any] = {"at": draw(st.sampled_from(tuple(MINUTES)))}
        if draw(st.integers(0, 3)):
            code, column = draw(st.sampled_from(CODES)), draw(st.sampled_from(("cell", None)))
            step["attempt"] = {k: v for k, v in (("wrapUpCode", code), ("column", column)) if v}
        else:
            step["update"] = draw(st.sampled_from(({"attempts": 2}, {"cell": ""}, {"customer.status": "closed"})))
        steps.append(step)
    return steps


def written(**file: object) -> ContactsFile:
    """Return a contacts file."""
    return contacts_file(json.dumps(file), "winback.contacts.json")


def plain(evaluator: Evaluator, zone: str, at: datetime, category: str, **known: object) -> Outcome:
    """Return the outcome of a case that is written down."""
    now = at.astimezone(ZoneInfo(zone)).isoformat()
    case = {"name": "c", "category": category, "now": now, "expect": {"matched": []}, **known}
    file = written(timeZone=zone, cases=[case])
    return evaluator.run(file.cases[0].contact, **file.run_options(file.cases[0]))


@settings(max_examples=20)
@given(
    campaign=some_campaigns(),
    contact=contacts(COLUMNS, wrong_types=True),
    steps=some_steps(),
    zone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
)
def test_each_run_is_that_of_a_plain_case(
    campaign: Campaign, contact: dict[str, object], steps: list[dict[str, Any]], zone: str, start: str
) -> None:
    """With the contact, lists, last attempts and clock as they are by then; cel-python says the same."""
    timeline = {"name": "c", "contact": contact, "timeline": steps, "expect": {"dials": 0}}
    file = written(timeZone=zone, now=start, cases=[timeline])
    evaluator = Evaluator(campaign, Semantics())
    happened = play_and_compare(evaluator, file.timelines[0], file).happened
    assert (
        happened == play_and_compare(Evaluator(campaign, Semantics(), reference=True), file.timelines[0], file).happened
    )

    at = datetime.fromisoformat(start)
    person: Any = contact
    lists: Any = {}
    context: Any = {}
    for step, one in zip(steps, happened, strict=True):
        at += timedelta(minutes=MINUTES[step["at"]])
        assert one.at == (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        if "update" in step:
            person = {**person, **step["update"]}
            assert (one.runs, one.outcome.contact, one.outcome.dial) == ((), person, None)
            continue
        column, code = step["attempt"].get("column"), step["attempt"].get("wrapUpCode")
        known = {**context, **({"phone": {"number": person[column]}} if column in person else {})}
        outcomes = [plain(evaluator, zone, at, "preCall", contact=person, lists=lists, context=known)]
        if outcomes[0].dial:
            person, lists = outcomes[0].contact, outcomes[0].lists
            if code:
                ended = {**known, "call": {"wrapUpCode": code}}
                outcomes.append(plain(evaluator, zone, at, "wrapUp", contact=person, lists=lists, context=ended))
            now = at.astimezone(ZoneInfo(zone)).isoformat()
            for name, value in (("lastAttempt", now), ("lastWrapUp", code)):
                if value:
                    by_column = {**context.get(name, {}).get("byColumn", {}), **({column: value} if column else {})}
                    context = {**context, name: {"overall": value, **({"byColumn": by_column} if by_column else {})}}
        person, lists = outcomes[-1].contact, outcomes[-1].lists
        assert [run.outcome for run in one.runs] == outcomes
        assert one.outcome.matched == tuple(rule for outcome in outcomes for rule in outcome.matched)
        assert one.outcome.dial is outcomes[0].dial
