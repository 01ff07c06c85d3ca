"""One contact on its way through time: attempts, wrap-ups and updates, each run the run of a plain case.

What is taken for granted about the platform is said in docs/timelines.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dialproof.cel.values import (
    MISSING,
    AmbiguousColumnError,
    from_micros,
    lookup,
    parse_period,
    read_number,
    zone_of,
)
from dialproof.evaluate import Evaluator, with_column
from dialproof.model.contacts import merged
from dialproof.model.rules import Invariant
from dialproof.model.timelines import CALLBACK, Attempt
from dialproof.outcome import Outcome
from dialproof.view import instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.model.contacts import Contact, ContactsFile
    from dialproof.model.rules import Category, When
    from dialproof.model.timelines import AtMost, Step, Timeline

__all__ = ["Happened", "Journey", "JourneyError", "Run", "always_holds", "moment_text", "nested", "play", "too_many_in"]

_MINUTE = 60_000_000
_CONTACT = "the contact"


class JourneyError(ValueError):
    """A step that cannot happen: it comes before the one before it, after the calendar, or no callback is due."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the rules: the contact as it was before, and the keyword arguments of :meth:`Evaluator.run`."""

    contact: Contact = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of one step, at ``at`` (microseconds since the epoch).

    ``contact`` is the contact before it; ``options`` are those of :meth:`Evaluator.invariant` for it. ``runs`` are the
    pre-call run of an attempt and, if it was dialed and the call ended with something, the wrap-up run; there is none
    of an update, and of a contact or number that must not be called any more. ``outcome`` is that of all runs together:
    rules and actions in order, ``dial`` that of the pre-call run (None for an update), contact and lists after it.
    """

    at: int
    contact: Contact = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    runs: tuple[Run, ...]
    outcome: Outcome

    @property
    def is_attempt(self) -> bool:
        """Whether the campaign came to the contact; else somebody wrote columns."""
        return self.outcome.dial is not None


class Journey:
    """A contact with everything that goes along from step to step.

    ``callback`` is when the scheduled callback is due (microseconds since the epoch), or None; ``context`` tells of the
    last attempt and wrap-up as conditions read them.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        contact: Contact,
        *,
        context: Mapping[str, object] | None = None,
        lists: Mapping[str, bool] | None = None,
        time_zone: str | None = None,
    ) -> None:
        self.evaluator = evaluator
        self.contact = contact
        self.context: dict[str, object] = dict(context or {})
        self.lists: Mapping[str, bool] = dict(lists or {})
        self.time_zone = time_zone
        self.callback: int | None = None
        self._barred: dict[str, tuple[int | None, str]] = {}  # the contact or a phone column -> until when, and why

    def update(self, at: int, columns: Mapping[str, object]) -> Happened:
        """Write columns from outside, nested ones by their paths; no rule runs."""
        before = self.contact
        for name, value in columns.items():
            self.contact = with_column(self.contact, name, value)
        return Happened(at, before, self._options(at, {}), (), Outcome((), (), self.contact, self.lists, None, ()))

    def attempt(self, at: int, attempt: Attempt) -> Happened:
        """Come to the contact: pre-call rules, and if it is dialed and the call ends with something, wrap-up rules."""
        before = self.contact
        options = self._options(at, merged(merged(self.context, self._number_of(attempt)), attempt.context))
        if reason := self._bar(at, attempt.column):
            outcome = Outcome((), (), before, self.lists, dial=False, undecided=(), reason=reason)
            return Happened(at, before, options, (), outcome)
        runs = [self._run("preCall", at, attempt, options)]
        if runs[0].outcome.dial:
            if attempt.call:
                options = {**options, "context": merged(options["context"], {"call": dict(attempt.call)})}
                runs.append(self._run("wrapUp", at, attempt, options))
            self._remember(at, attempt)
        return Happened(at, before, options, tuple(runs), _together([run.outcome for run in runs]))

    def _options(self, at: int, context: Mapping[str, object]) -> dict[str, Any]:
        return {"context": context, "now": moment_text(at, self.time_zone), "time_zone": self.time_zone}

    def _number_of(self, attempt: Attempt) -> Mapping[str, object]:
        """Return the number that is dialed, as part of the context."""
        try:
            number = lookup(self.contact, attempt.column) if attempt.column else MISSING
        except AmbiguousColumnError:  # which the run itself will say
            number = MISSING
        return {} if number is MISSING else {"phone": {"number": number}}

    def _run(self, category: Category, at: int, attempt: Attempt, options: Mapping[str, Any]) -> Run:
        options = {**options, "category": category, "lists": self.lists}
        run = Run(self.contact, options, self.evaluator.run(self.contact, **options))
        self.contact, self.lists = run.outcome.contact, run.outcome.lists
        for acted in run.outcome.acted:
            self._take(acted.action.type, acted.action.fields, at, attempt, acted.rule)
        return run

    def _take(self, kind: str, fields: Mapping[str, object], at: int, attempt: Attempt, rule: str) -> None:
        """Keep what an action means for later attempts."""
        number, why = f"column {attempt.column or ''}", f"{kind}: {rule}"
        if kind == "scheduleCallback":
            self.callback = at + round((read_number(fields.get("offsetMinutes")) or 0) * _MINUTE)
        elif kind == "contactUncallable":
            self._barred[_CONTACT] = (None, why)
        elif kind == "numberUncallable":
            self._barred[number] = (None, why)
        elif kind == "appendToDnc":
            period = parse_period(str(fields.get("expires", "")))
            whom = _CONTACT if fields.get("list") == "custom" else number
            self._barred[whom] = (None if period is None else at + period, why)

    def _bar(self, at: int, column: str | None) -> str:
        """Return why the contact, or the number in a column, must not be called any more; empty where it may."""
        for whom in (_CONTACT, f"column {column or ''}"):
            until, why = self._barred.get(whom, (at, ""))
            if until is None or at < until:
                return f"{why}, in an earlier attempt"
        return ""

    def _remember(self, at: int, attempt: Attempt) -> None:
        code = attempt.call.get("wrapUpCode")
        for name, value in (("lastAttempt", moment_text(at, self.time_zone)), ("lastWrapUp", code)):
            if value is not None:
                by_column = nested(f"byColumn.{attempt.column}", value) if attempt.column else {}
                self.context = merged(self.context, {name: {"overall": value, **by_column}})


def nested(path: str, value: object) -> dict[str, object]:
    """Return a value at the end of a path, as conditions on the context read it."""
    head, _, rest = path.partition(".")
    return {head: nested(rest, value) if rest else value}


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcomes of the runs of one attempt as one."""
    first, last = outcomes[0], outcomes[-1]
    return replace(
        last,
        matched=tuple(rule for outcome in outcomes for rule in outcome.matched),
        acted=tuple(acted for outcome in outcomes for acted in outcome.acted),
        undecided=tuple(rule for outcome in outcomes for rule in outcome.undecided),
        dial=first.dial,
        reason=first.reason,
        failure=next((outcome.failure for outcome in outcomes if outcome.failure is not None), None),
    )


def play(evaluator: Evaluator, timeline: Timeline, file: ContactsFile) -> Iterator[Happened]:
    """Yield what becomes of each step, in order.

    Raises :class:`JourneyError` at a step that cannot happen.
    """
    zone = timeline.time_zone or file.time_zone
    journey = Journey(evaluator, timeline.contact, context=timeline.context, lists=timeline.lists, time_zone=zone)
    now = timeline.now or file.now
    clock = None if now is None else instant(now, zone)
    for step in timeline.steps:
        clock = _moment(step, clock, journey)
        if isinstance(step.does, Attempt):
            yield journey.attempt(clock, step.does)
        else:
            yield journey.update(clock, step.does)


def _moment(step: Step, clock: int | None, journey: Journey) -> int:
    """Return when a step happens; a callback that it is about is no longer due then."""
    zone = journey.time_zone
    period = parse_period(step.at)
    if step.at == CALLBACK:
        if journey.callback is None:
            raise JourneyError("no callback is due: no rule has scheduled one that is still to come")
        at, journey.callback = journey.callback, None
    elif period is not None:
        if clock is None:
            raise JourneyError(f"{step.at} counts from now, and neither the case nor the file has now")
        at = clock + period
    else:
        at = instant(step.at, zone)
    try:
        text = moment_text(at, zone)
    except OverflowError:
        raise JourneyError("this step is not within the years 1 to 9999") from None
    if clock is not None and at < clock:
        raise JourneyError(f"this step, at {text}, is before the one before it")
    return at


def moment_text(at: int, zone: str | None) -> str:
    """Return a time as it stands in files: local time with its offset, and in UTC at the ends of the calendar."""
    moment = from_micros(at)
    try:
        return moment.astimezone(zone_of(zone)).isoformat()
    except OverflowError:
        return moment.isoformat()


def too_many_in(dials: Sequence[int], limit: AtMost) -> Sequence[int]:
    """Return the first calls, one more than the limit, that lie within one of its periods; none where there are not."""
    period = parse_period(limit.within) or 0
    for first, dial in enumerate(dials):
        window = [other for other in dials[first:] if other < dial + period]
        if len(window) > limit.dials:
            return window[: limit.dials + 1]
    return ()


def always_holds(evaluator: Evaluator, always: When, happened: Sequence[Happened]) -> Iterator[bool | None]:
    """Yield for each step whether a statement holds for the contact before it and the outcome; None is undecided.

    At an update there is no outcome, and it holds.
    """
    statement = Invariant("always", always, always.span)
    checker = Evaluator(replace(evaluator.campaign, rules=(), invariants=(statement,)), evaluator.semantics)
    for step in happened:
        yield not step.is_attempt or checker.invariant(statement, step.contact, step.outcome, **step.options)
