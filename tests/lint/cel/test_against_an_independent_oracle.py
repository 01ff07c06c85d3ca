"""The evaluator against a second one, written in plain Python from the description of what conditions mean.

It shares no code with the evaluator: it knows neither CEL nor the readers of values. Verdicts are True, False and None
(undecided).
"""

from __future__ import annotations

import operator
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.rules import Condition, Group
from tests.lint.cel.build import SPAN, action, campaign, condition, rule, when

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.model.rules import Expression, Rule

    Person = Mapping[str, object]

NOW = datetime(2026, 3, 7, 17, 30, tzinfo=UTC)
TYPE_OF = {
    "n": "number",
    "custom.value": "number",
    "emp.var.rate": "number",
    "s": "string",
    "b": "boolean",
    "t": "datetime",
    "day": "datetime",
    "unknown": "string",
    "phone.type": "string",
    "lastAttempt.overall": "datetime",
    "now.dayOfWeek": "number",
    "now.timeOfDay": "string",
    "now.date": "string",
    "data.crm.score": "string",
}
ORDERED: dict[str, Callable[[object, object], bool]] = {
    "equals": operator.eq,
    "notEquals": operator.ne,
    "lessThan": operator.lt,  # type: ignore[dict-item]
    "lessThanOrEqual": operator.le,  # type: ignore[dict-item]
    "greaterThan": operator.gt,  # type: ignore[dict-item]
    "greaterThanOrEqual": operator.ge,  # type: ignore[dict-item]
    "before": operator.lt,  # type: ignore[dict-item]
    "after": operator.gt,  # type: ignore[dict-item]
}
PATTERNS: dict[str, Callable[[str], bool]] = {
    "^a": lambda text: text[:1] == "a",
    "o{2}": lambda text: "oo" in text,
    "x$": lambda text: text[-1:] == "x",
    "^$": lambda text: text == "",
    "[0-9]+": lambda text: any(c in "0123456789" for c in text),
}


def blank(raw: object) -> bool:
    """Absent, null and empty text are one thing."""
    return raw is None or raw == ""


def as_text(raw: object) -> str:
    """Return the text of a value; a number is its shortest decimal without ``.0``."""
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, (int, float)):
        text = f"{Decimal(repr(float(raw))):f}"
        return text.removesuffix(".0")
    return str(raw)


def as_number(raw: object) -> float | None:
    """Return the number of a value, None where it is blank or no number."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, (int, float)):
        return float(raw)
    text = as_text(raw).strip(" ")
    return float(text) if re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text) else None


def as_boolean(raw: object) -> bool | None:
    """Return the boolean of a value: itself, or the text true or false."""
    if isinstance(raw, bool):
        return raw
    return {"true": True, "false": False}.get(raw.lower()) if isinstance(raw, str) else None


def as_moment(raw: object, zone: str) -> datetime | None:
    """Return the instant of a value; local time without an offset is resolved by trying the offsets around it."""
    if not isinstance(raw, str) or not re.match(r"\d{4}-\d\d-\d\d", raw):
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    day = timedelta(days=1)
    before, after = (
        (moment + shift).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() for shift in (-day, day)
    )
    assert before is not None
    assert after is not None
    instants = [(moment - offset).replace(tzinfo=UTC) for offset in (before, after)]
    possible = [u for u in instants if u.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment]
    return min(possible) if possible else instants[0]


def as_period(text: object) -> timedelta:
    """Return the span of ``PxxDTyyHzzM``."""
    found = re.fullmatch(r"P(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?)?", str(text))
    assert found is not None
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


class Oracle:
    """Decides conditions on one contact."""

    def __init__(self, contact: Person, context: Person, zone: str, *, case_sensitive: bool) -> None:
        self.contact, self.context, self.zone, self.case_sensitive = contact, context, zone, case_sensitive

    def raw(self, source: str, name: str) -> object:
        """Return the value of a column or of a field of the context, None where it is absent."""
        if source == "context" and name.startswith("now."):
            local = NOW.astimezone(ZoneInfo(self.zone))
            return {
                "now.dayOfWeek": float(local.isoweekday()),
                "now.timeOfDay": local.strftime("%H:%M"),
                "now.date": local.strftime("%Y-%m-%d"),
            }[name]
        place: object = self.context if source == "context" else self.contact
        if isinstance(place, dict) and name in place:
            return place[name]
        for part in name.split("."):
            place = place.get(part) if isinstance(place, dict) else None
        return place

    def decide(self, one: Expression) -> bool | None:
        """Return the verdict of a condition or group."""
        if isinstance(one, Group):
            verdicts = [self.decide(member) for member in one.members]
            if one.kind == "not":
                return None if verdicts[0] is None else not verdicts[0]
            return every(verdicts) if one.kind == "all" else some(verdicts)
        assert isinstance(one, Condition)
        verdict = self.plain(one)
        return verdict if verdict is None or not one.inverted else not verdict

    def plain(self, one: Condition) -> bool | None:
        """Return the verdict without ``inverted``."""
        raw = self.raw(one.source, one.subject)
        kind = one.type or TYPE_OF[one.subject]
        if one.operator in ("exists", "notExists"):
            return blank(raw) == (one.operator == "notExists")
        wanted = list(one.value) if isinstance(one.value, tuple) else [one.value]
        numeric = all(not isinstance(w, bool) and as_number(w) is not None for w in wanted)
        if kind == "string" and one.operator in (*list(ORDERED)[2:6], "between") and numeric:
            kind = "number"
        if kind == "string" and one.operator == "matches":
            text = as_text(raw) if self.case_sensitive else as_text(raw).lower()
            return PATTERNS[str(one.value)](text)
        read: Callable[[object], object] = {
            "number": as_number,
            "boolean": as_boolean,
            "string": lambda v: as_text(v) if self.case_sensitive else as_text(v).lower(),
            "datetime": lambda v: as_moment(v, self.zone),
            "period": as_period,
        }[kind]
        values = [read(w) for w in wanted]
        if kind == "period":
            moment = as_moment(raw, self.zone)
            actual: object = None if moment is None else NOW - moment
        else:
            actual = read(raw)
        if actual is None:
            return None
        return self.compare(one.operator, actual, values)

    @staticmethod
    def compare(name: str, actual: object, values: Sequence[object]) -> bool:
        """Compare two readings of one type."""
        if name in ORDERED:
            return ORDERED[name](actual, values[0])
        if name == "between":
            return values[0] <= actual <= values[1]  # type: ignore[operator, no-any-return]
        if name in ("in", "notIn"):
            return (actual in values) == (name == "in")
        text, part = str(actual), str(values[0])
        return {
            "contains": part in text,
            "notContains": part not in text,
            "beginsWith": text[: len(part)] == part,
            "endsWith": text[-len(part) :] == part,
        }[name]


def every(verdicts: Sequence[bool | None]) -> bool | None:
    """Return the strong Kleene conjunction."""
    return False if False in verdicts else None if None in verdicts else True


def some(verdicts: Sequence[bool | None]) -> bool | None:
    """Return the strong Kleene disjunction."""
    return True if True in verdicts else None if None in verdicts else False


TEXTS = [
    "a",
    "A",
    "axx",
    "Foo",
    "foo",
    "x\n",
    "x",
    "5",
    "05",
    "5.0",
    " 5 ",
    "+5.",
    ".5",
    "1e5",
    "-3",
    "É",
    "\U0001f600x",
]
MOMENTS = ["2026-03-07T10:00:00", "2026-03-07T17:30:00Z", "2026-03-08T02:30:00", "2025-11-02T01:30:00", "2026-02-28"]
MOMENTS += ["2026-03-07T10:30:00-07:00", "2026-03-01T00:00:00+05:30"]
NUMBERS: list[float | int] = [-3, 0, 0.5, 4.999999999999999, 5, 5.000000000000001, 7.25, 1e16, 1e22]
ZONES = ["UTC", "America/Denver", "Asia/Kolkata"]
values = st.one_of(
    st.none(),
    st.just(""),
    st.booleans(),
    st.sampled_from(["true", "false", "yes", "not a date", "2026-13-01"]),
    st.sampled_from(NUMBERS),
    st.sampled_from(TEXTS),
    st.sampled_from(MOMENTS),
)
people = st.builds(
    lambda flat, nested: {**flat, **({} if nested is ... else {"custom": {"value": nested}})},
    st.dictionaries(st.sampled_from(["n", "s", "b", "t", "day", "emp.var.rate", "unknown"]), values),
    st.one_of(st.just(...), values),
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "phone": st.fixed_dictionaries({"type": values}),
        "lastAttempt": st.fixed_dictionaries({"overall": values}),
        "data": st.fixed_dictionaries({"crm": st.fixed_dictionaries({"score": values})}),
    },
)
CONTACT_SUBJECTS = ["n", "custom.value", "emp.var.rate", "s", "b", "t", "day", "unknown"]
OPERANDS = {
    "string": st.sampled_from(TEXTS),
    "number": st.sampled_from([*NUMBERS, "5", " 7.25 "]),
    "boolean": st.sampled_from([True, False, "true", "false"]),
    "datetime": st.sampled_from(MOMENTS),
    "period": st.sampled_from(["P0D", "P7DT0H0M", "P-1DT2H-3M", "PT90M"]),
}
OPERATORS = {
    "string": [*list(ORDERED)[:6], "between", "in", "notIn", "contains", "notContains", "beginsWith", "endsWith"],
    "number": [*list(ORDERED)[:6], "between", "in", "notIn"],
    "boolean": ["equals", "notEquals"],
    "datetime": [*ORDERED, "between", "in", "notIn"],
    "period": [*ORDERED, "between"],
}


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """Draw a condition that has a meaning."""
    context = [name for name in TYPE_OF if name not in CONTACT_SUBJECTS]
    subject = draw(st.sampled_from([*CONTACT_SUBJECTS, *context]))
    source = "contact" if subject in CONTACT_SUBJECTS else "context"
    native = TYPE_OF[subject]
    readable = list(OPERATORS) if source == "contact" or native == "string" else [native]
    kind = draw(st.sampled_from([None, *readable]))
    if native == "datetime" and source == "context":
        kind = draw(st.sampled_from([None, "datetime", "period"]))
    operand = OPERANDS[kind or native]
    name = draw(st.sampled_from([*OPERATORS[kind or native], "exists", "notExists"]))
    if (kind or native) == "string" and draw(st.integers(0, 5)) == 0:
        name = "matches"
    value: object = draw(operand)
    if name in ("in", "notIn"):
        value = tuple(draw(st.lists(operand, min_size=1, max_size=3)))
    elif name == "between":
        value = (value, draw(operand))
    elif name == "matches":
        value = draw(st.sampled_from(list(PATTERNS)))
    elif name in ("exists", "notExists"):
        value = None
    return condition(subject, name, value, kind, inverted=draw(st.booleans()), source=source)


expressions = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.builds(
            lambda kind, members: Group(kind, tuple(members), SPAN),
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda member: Group("not", (member,), SPAN), inner),
    ),
    max_leaves=10,
)


@settings(max_examples=300)
@given(
    st.lists(expressions, min_size=1, max_size=4),
    st.lists(st.tuples(people, contexts), min_size=1, max_size=4),
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_verdicts_are_those_of_the_description(
    ones: list[Expression],
    cases: list[tuple[dict[str, object], dict[str, object]]],
    zone: str,
    case_sensitive: bool,
) -> None:
    """Conditions and groups of any operator and type, on blanks, wrong types, texts of numbers and local times."""
    subject = campaign(*(rule(f"r{i}", one, order=i) for i, one in enumerate(ones)))
    evaluator = Evaluator(subject, Semantics(caseSensitive=case_sensitive))
    assert not evaluator.problems
    for contact, context in cases:
        oracle = Oracle(contact, context, zone, case_sensitive=case_sensitive)
        found = evaluator.verdicts(contact, context=context, now=NOW, time_zone=zone)
        assert found == {f"r{i}": oracle.decide(one) for i, one in enumerate(ones)}


TWINS: dict[str, tuple[str, str, object]] = {
    "contact.n > 5": ("n", "greaterThan", 5.0),
    "contact.n != 7.25": ("n", "notEquals", 7.25),
    "contact.custom.value <= 0.5": ("custom.value", "lessThanOrEqual", 0.5),
    'contact["emp.var.rate"] in [5, 7.25]': ("emp.var.rate", "in", (5.0, 7.25)),
    'contact.s == "foo"': ("s", "equals", "foo"),
    'contact.s < "a"': ("s", "lessThan", "a"),
    '!contact.s.contains("x")': ("s", "notContains", "x"),
    'contact.s.matches("x$")': ("s", "matches", "x$"),
    'contact.s != ""': ("s", "exists", None),
    "contact.b": ("b", "equals", True),
    "!contact.b": ("b", "notEquals", True),
    'contact.t < datetime("2026-03-08T02:30:00")': ("t", "before", "2026-03-08T02:30:00"),
    'contact.t >= timestamp("2026-03-07T17:30:00Z")': ("t", "greaterThanOrEqual", "2026-03-07T17:30:00Z"),
    'text["n"] == "5"': ("n", "equals", "5"),
    'number(text["s"]) > 4': ("s", "greaterThan", 4.0),
}
AS_TEXT = {'text["n"] == "5"': "string"}


@settings(max_examples=150)
@given(people, st.sampled_from(ZONES))
def test_raw_cel_agrees_with_conditions(contact: dict[str, object], zone: str) -> None:
    """``when:`` sees blanks and unreadable values as the condition of the same meaning does."""
    evaluator = Evaluator(campaign(*(rule(text, when(text), order=i) for i, text in enumerate(TWINS))), Semantics())
    assert not evaluator.problems
    oracle = Oracle(contact, {}, zone, case_sensitive=True)
    expected = {
        text: oracle.decide(condition(subject, name, value, AS_TEXT.get(text)))
        for text, (subject, name, value) in TWINS.items()
    }
    assert evaluator.verdicts(contact, now=NOW, time_zone=zone) == expected


ACTIONS = [
    action("setList", listId="vip", value="true"),
    action("setList", listId="vip", value="false"),
    action("setList", listId="warm", value="true"),
    action("doNotDial"),
    action("contactUncallable"),
    action("setAttribute", attribute="n", option="SET", value="5"),
    action("setAttribute", attribute="s", option="SET", value="foo"),
    action("setAttribute", attribute="custom.value", option="SET", value="7.25"),
    action("setAttribute", attribute="t", option="CURRENT_TIME"),
]
semantics = st.builds(
    Semantics,
    undecided=st.sampled_from(["refuseToDial", "unmet", "met"]),
    laterRulesSeeUpdates=st.booleans(),
    doNotDialStops=st.booleans(),
)
rules = st.lists(
    st.builds(
        lambda conditions, actions, enabled, category: rule(
            "", *conditions, actions=tuple(actions), enabled=enabled, category=category
        ),
        st.lists(expressions, min_size=1, max_size=2),
        st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2),
        st.sampled_from([True, True, True, False]),
        st.sampled_from(["preCall", "preCall", "wrapUp"]),
    ),
    min_size=1,
    max_size=5,
)


def written(contact: Person, name: str, value: object) -> dict[str, object]:
    """Return the contact after a write: at the end of its path where that exists, else as a whole column."""
    head, _, rest = name.partition(".")
    if rest and isinstance(contact.get(head), dict):
        return {**contact, head: {**contact[head], rest: value}}  # type: ignore[dict-item]
    return {**contact, name: value}


def expected_run(
    sequence: Sequence[Rule], contact: Person, zone: str, switches: Semantics, category: str, hit_policy: str
) -> tuple[object, ...]:
    """Return what a run gives: matched, undecided, lists, dial, contact."""
    matched, undecided, lists, dial, now_on, seen = [], [], {}, True, contact, contact
    for one in sequence:
        if not one.enabled or one.category != category:
            continue
        oracle = Oracle(seen, {}, zone, case_sensitive=True)
        verdict = every([oracle.decide(c) for c in one.conditions])
        if verdict is None:
            undecided.append(one.name)
            dial = dial and switches.undecided != "refuseToDial"
            verdict = switches.undecided == "met"
        if not verdict:
            continue
        matched.append(one.name)
        for act in one.actions:
            if act.type == "setList":
                lists[act.fields["listId"]] = act.fields["value"] == "true"
            elif act.type == "setAttribute":
                value = act.fields.get("value", "2026-03-07T17:30:00Z")
                now_on = written(now_on, str(act.fields["attribute"]), value)
            else:
                dial = False
        if switches.laterRulesSeeUpdates:
            seen = now_on
        if hit_policy == "first" or (switches.doNotDialStops and any(a.type == "doNotDial" for a in one.actions)):
            break
    return tuple(matched), tuple(undecided), lists, dial if category == "preCall" else None, now_on


@settings(max_examples=200)
@given(
    rules,
    people,
    st.sampled_from(ZONES),
    semantics,
    st.sampled_from(["preCall", "wrapUp"]),
    st.sampled_from(["all", "first"]),
)
@example([rule("", condition("s", "exists"))], {}, "UTC", Semantics(), "preCall", "all")
def test_runs_are_those_of_the_description(
    drawn: list[Rule], contact: dict[str, object], zone: str, switches: Semantics, category: str, hit_policy: str
) -> None:
    """Order, writes, stops and every switch: a run gives what a loop over the rules gives."""
    sequence = [
        rule(f"r{i}", *r.conditions, order=i, actions=r.actions, enabled=r.enabled, category=r.category)
        for i, r in enumerate(drawn)
    ]
    evaluator = Evaluator(campaign(*sequence, hit_policy=hit_policy), switches)
    outcome = evaluator.run(contact, category=category, now=NOW, time_zone=zone)  # type: ignore[arg-type]
    assert outcome.failure is None
    found = (outcome.matched, outcome.undecided, outcome.lists, outcome.dial, outcome.contact)
    assert found == expected_run(sequence, contact, zone, switches, category, hit_policy)
