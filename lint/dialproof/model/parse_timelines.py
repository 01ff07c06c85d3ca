"""Cases with a ``timeline:``: the records of a contacts file to :class:`Timeline`, with what is wrong between steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.cel.values import parse_datetime, parse_period
from dialproof.model.contacts import merged
from dialproof.model.parse_base import head
from dialproof.model.parse_contacts import contact_of, expectation, flat, note_local_time
from dialproof.model.rules import When
from dialproof.model.timelines import CALL_FIELDS, CALLBACK, AtMost, Attempt, OverTime, Step, Timeline
from dialproof.source import Mapping, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dialproof.model.parse_base import Fields, Reader
    from dialproof.model.timelines import Update

__all__ = ["at_problem", "read_timeline"]


def at_problem(text: str) -> str | None:
    """Return what keeps a text from saying when a step happens, None where it does."""
    period = parse_period(text)
    if period is not None:
        return "expected a period that does not go back" if period < 0 else None
    if text == CALLBACK or parse_datetime(text) is not None:
        return None
    return "expected a date or time such as 2026-03-07T10:00:00-07:00, a period such as P1D or PT4H, or callback"


def read_timeline(reader: Reader, case: Fields, base: dict[str, Any], file: Node) -> Timeline:
    """Return a case with a timeline; ``base`` are the values of ``defaults``, ``file`` is the file's own mapping."""
    contact = contact_of(reader, case, base)
    steps: tuple[Fields, ...] = case.get("timeline")
    now, zone = (case.get(key) or _text(file, key) for key in ("now", "timeZone"))
    _check_order(reader, steps, now, zone)
    expect: Fields | None = case.get("expect")
    if expect is not None and not expect.values:
        reader.problem(head(expect.node), "expect asserts nothing: give at least one of dials, lastDialed ...")
    if expect is None and not any("expect" in step.values for step in steps):
        reader.problem(case.span("name"), "this timeline asserts nothing: give expect to a step, or to the case")
    if expect is not None and "lastDialed" in expect.values and zone is None:
        note_local_time(reader, expect, "lastDialed")
    return Timeline(
        name=case.get("name"),
        tags=case.get("tags", ()),
        contact=contact,
        context=merged(base.get("context", {}), case.get("context", {})),
        lists={**base.get("lists", {}), **case.get("lists", {})},
        steps=tuple(_step(reader, step) for step in steps),
        expect=OverTime() if expect is None else _over_time(reader, expect),
        now=case.get("now"),
        time_zone=case.get("timeZone"),
        span=case.node.span,
        name_span=case.span("name"),
    )


def _text(file: Node, key: str) -> str | None:
    node = file.get(key) if isinstance(file, Mapping) else None
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def _step(reader: Reader, step: Fields) -> Step:
    expect: Fields | None = step.get("expect")
    if expect is not None and not expect.values:
        reader.problem(head(expect.node), "expect asserts nothing: give at least one of matched, actions, dial ...")
    does: Attempt | Update
    if "update" in step.values:
        for key in ("expect", "context"):
            if (entry := step.node.entry(key)) is not None:
                reader.problem(entry.key, f"an update runs no rules: give {key} to the attempt after it")
        does = dict(flat(step.get("update")))
    else:
        values = step.get("attempt").values
        call = {name: values[name] for name in CALL_FIELDS if name in values}
        does = Attempt(values.get("column"), call, step.get("context", {}))
    return Step(step.get("at"), does, expectation(expect), step.node.span, step.span("at"))


def _over_time(reader: Reader, fields: Fields) -> OverTime:
    at_most: Fields | None = fields.get("atMost")
    if at_most is not None and (parse_period(at_most.get("within")) or 0) <= 0:
        reader.problem(at_most.span("within"), "within: expected a period that goes forward, such as P7D")
    always = fields.node.get("always")
    return OverTime(
        dials=fields.get("dials"),
        last_dialed=fields.get("lastDialed"),
        at_most=AtMost(at_most.get("dials"), at_most.get("within")) if at_most else None,
        always=When(always.text, always.span, always) if isinstance(always, Scalar) else None,
        spans=fields.spans,
    )


def _check_order(reader: Reader, steps: Iterable[Fields], now: str | None, zone: str | None) -> None:
    """Report steps whose time is not known, or comes before that of an earlier one, as far as the file tells."""
    clock = parse_datetime(now, zone) if now else None
    for index, step in enumerate(steps):
        at = str(step.get("at"))
        if at == CALLBACK:
            if index == 0:
                reader.problem(step.span("at"), "nothing can have scheduled a callback before the first step")
            if "update" in step.values:
                reader.problem(step.span("at"), "a callback is an attempt: give attempt in place of update")
            clock = None
        elif (period := parse_period(at)) is not None:
            if index == 0 and now is None:
                reader.problem(step.span("at"), f"{at} counts from now, and neither the case nor the file has now")
            clock = None if clock is None else clock + period
        else:
            moment = parse_datetime(at, zone)
            if moment is not None and clock is not None and moment < clock:
                reader.problem(step.span("at"), f"{at} is before the step before it: steps stand in order of time")
            if zone is None:
                note_local_time(reader, step, "at")
            clock = moment
