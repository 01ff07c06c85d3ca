"""Proofs over open domains (doubles, texts, instants, numbers in text) attacked with contacts around every constant."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.analysis.answers import Found, Nowhere, Unknown, acted
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, analysis, campaign, cond, rule

if TYPE_CHECKING:
    import pytest
    from hypothesis.strategies import SearchStrategy

    from dialproof.model.rules import Condition, Value, ValueType
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=30, suppress_health_check=list(HealthCheck))
COLUMNS = (
    Column("n", "number"),
    Column("d", "number", min=0, max=10, decimals=2),
    Column("t", "string"),
    Column("when", "datetime"),
    Column("day", "date"),
    Column("age", "datetime"),
    Column("zip", "string"),
    Column("code", "string", pattern="[A-C][0-9]{2}", required=True),
)
NUMBERS = (0.1, 0.3, 1, 2.5, 5, 7)
TEXTS = ("a", "ab", "b", "TX", "é", "\U0001f600", "abc")
INSTANTS = ("2026-01-01T12:00:00Z", "2026-03-01", "2026-03-01T00:00:01Z", "2025-12-31T23:59:59.500Z")
DAYS = ("2026-01-01", "2026-03-01", "2026-03-02")
PERIODS = ("P1D", "P7DT0H0M", "PT12H")
CODES = ("5", "80202", "05")
ORDERS = ("equals", "notEquals", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")


def _on(
    column: str, values: tuple[Value, ...], operators: tuple[str, ...], kind: ValueType | None = None
) -> SearchStrategy[Condition]:
    return st.builds(lambda o, v: cond(column, o, v, kind), st.sampled_from(operators), st.sampled_from(values))


CONDITIONS = st.one_of(
    _on("n", NUMBERS, ORDERS),
    _on("d", NUMBERS, ORDERS),
    _on("t", TEXTS, (*ORDERS, "beginsWith")),
    _on("t", ("a", "b", "x"), ("contains", "endsWith", "notContains")),
    _on("when", INSTANTS, (*ORDERS, "before", "after")),
    _on("day", DAYS, ORDERS),
    _on("age", PERIODS, ("lessThan", "greaterThan", "lessThanOrEqual", "before", "after"), "period"),
    _on("zip", NUMBERS, ORDERS, "number"),
    _on("zip", CODES, ("equals", "notEquals"), "string"),
    _on("code", ("A00", "B", "B07", "C99", "D"), (*ORDERS, "beginsWith", "contains")),
    st.sampled_from(("n", "t", "when", "age", "zip")).map(lambda c: cond(c, "exists")),
)


@st.composite
def _campaigns(draw: st.DrawFn) -> Campaign:
    rules = [
        rule(f"r{i}", i + 1, draw(st.lists(CONDITIONS, min_size=1, max_size=3)), [act("setList", listId="l", value=v)])
        for i, v in enumerate(("true", "false"))
    ]
    if draw(st.booleans()):
        count = act("setAttribute", attribute=draw(st.sampled_from(("n", "d"))), option="INCREMENT",
                    value=draw(st.sampled_from(("0.2", "1", "0.7"))))  # fmt: skip
        rules.insert(draw(st.integers(0, 1)), rule("count", 9, [draw(CONDITIONS)], [count]))
    return campaign(rules, COLUMNS)


def _near_numbers() -> st.SearchStrategy[float]:
    shifted = [x - s for x in NUMBERS for s in (0.2, 1, 0.7)]
    near = [m for x in (*NUMBERS, *shifted) for m in (math.nextafter(x, -9e9), x, math.nextafter(x, 9e9))]
    return st.sampled_from((*near, -1e300, 1e300, 0.0, -0.0, 6.5))


def _near_instants() -> st.SearchStrategy[str]:
    base = [datetime.fromisoformat(i).replace(tzinfo=UTC) for i in INSTANTS]
    base += [datetime(2026, 1, 1, 12, tzinfo=UTC) - timedelta(hours=h) for h in (12, 24, 168)]
    steps = (timedelta(microseconds=-1), timedelta(), timedelta(microseconds=1), timedelta(days=40))
    return st.sampled_from([f"{b + s:%Y-%m-%dT%H:%M:%S.%fZ}" for b in base for s in steps])


CONTACTS = st.fixed_dictionaries(
    {"code": st.sampled_from(("A00", "A01", "A99", "B00", "B06", "B07", "B08", "C98", "C99"))},
    optional={
        "n": _near_numbers(),
        "d": st.integers(0, 1000).map(lambda k: k / 100) | st.sampled_from((0.1, 0.3, 0.09, 0.11, 2.3, 2.29, 4.8, 1.8)),
        "t": st.sampled_from(("", *TEXTS, *(t + "\0" for t in TEXTS), *(t + "x" for t in TEXTS), "B", "axb", "xab")),
        "when": _near_instants(),
        "day": st.sampled_from((*DAYS, "2025-12-31", "2026-02-28", "2027-01-01")),
        "age": _near_instants(),
        "zip": st.sampled_from(("5", "05", "5.0", "80202", "n/a", "2.5", "7.000", "0.3", "+5", "1")),
    },
)


@given(_campaigns(), st.lists(CONTACTS, min_size=60, max_size=60))
@SETTINGS
def test_no_boundary_contact_refutes_a_proof(built: Campaign, attack: list[dict[str, object]]) -> None:
    """Where two rules are proved never to act together, no contact around the constants makes them."""
    runs = analysis(built).runs("preCall")
    evaluator = Evaluator(built, analysis(built).semantics)
    outcomes = [acted(evaluator.run(contact)) for contact in attack]
    for one in range(len(built.rules)):
        for other in range(one + 1, len(built.rules)):
            names = {built.rules[one].name, built.rules[other].name}
            answer = runs.both_act(one, other)
            seen = next((c for c, a in zip(attack, outcomes, strict=True) if names <= a), None)
            if seen is not None:
                assert not isinstance(answer, Nowhere), seen
            if isinstance(answer, Found):
                assert names <= acted(evaluator.run(answer.scene.contact, now=answer.scene.now))


@given(_campaigns(), st.lists(CONTACTS, min_size=60, max_size=60))
@SETTINGS
def test_no_boundary_contact_is_outside_of_a_region(built: Campaign, attack: list[dict[str, object]]) -> None:
    """No contact has a verdict whose region is empty, and a covering rule holds wherever the covered one does."""
    asked = analysis(built)
    evaluator = Evaluator(built, asked.semantics)
    for contact in attack:
        for name, verdict in evaluator.verdicts(contact).items():
            found = next(r for r in built.rules if r.name == name)
            want = {True: ("true", "not false"), False: ("false", "not true"), None: ("not true", "not false")}[verdict]
            assert all(asked.region(found, w).boxes for w in want), contact  # type: ignore[arg-type]


def _pair(one: list[Condition], other: list[Condition], *columns: Column) -> object:
    rules = [rule("one", 1, one, [act("doNotDial")]), rule("other", 2, other, [act("switchToPreview")])]
    return analysis(campaign(rules, columns)).runs("preCall").both_act(0, 1)


def test_no_integer_lies_between_neighbours() -> None:
    """An interval without a value of the domain is empty: whole numbers, decimals and doubles differ."""
    over, under = [cond("x", "greaterThan", 5)], [cond("x", "lessThan", 6)]
    assert isinstance(_pair(over, under, Column("x", "integer")), Nowhere)
    assert isinstance(_pair(over, under, Column("x", "number")), Found)
    close = [cond("x", "greaterThan", 0.1)], [cond("x", "lessThan", 0.11)]
    assert isinstance(_pair(*close, Column("x", "number", decimals=2)), Nowhere)
    assert isinstance(_pair(*close, Column("x", "number", decimals=3)), Found)


def test_bounds_of_a_column_end_its_domain() -> None:
    """What lies outside of min and max is no witness."""
    assert isinstance(
        _pair([cond("x", "greaterThan", 9)], [cond("x", "exists")], Column("x", "integer", max=9)), Nowhere
    )
    assert isinstance(
        _pair([cond("x", "greaterThan", 9)], [cond("x", "exists")], Column("x", "integer", max=10)), Found
    )


def test_contains_and_patterns_are_decided() -> None:
    """Two contained texts meet in a text that holds both; a pattern of digits holds no letter."""
    column = Column("t", "string")
    assert isinstance(_pair([cond("t", "contains", "ab")], [cond("t", "contains", "yz")], column), Found)
    digits = [cond("t", "matches", "^q{3}[0-9]{4}$")]
    assert isinstance(_pair(digits, [cond("t", "contains", "w")], column), Nowhere)
    assert isinstance(_pair(digits, [cond("t", "equals", "TX")], column), Nowhere)


def test_a_word_boundary_is_decided_by_example_and_never_by_its_absence() -> None:
    """What has no automaton is only tried: that it met nothing proves nothing."""
    column = Column("t", "string")
    strange = [cond("t", "matches", r"^q{3}\b[0-9]{4}$")]
    assert isinstance(_pair([cond("t", "matches", r"\bab\b")], [cond("t", "beginsWith", "ab")], column), Found)
    assert isinstance(_pair(strange, [cond("t", "contains", "w")], column), Unknown)
    assert isinstance(_pair(strange, [cond("t", "equals", "TX")], column), Nowhere)


def test_an_enumerated_column_makes_contains_exact() -> None:
    """Where the values are known, contains and matches are decided."""
    column = Column("t", "string", enum=("red car", "blue car", "red"))
    assert isinstance(_pair([cond("t", "contains", "blue")], [cond("t", "matches", "^red")], column), Nowhere)
    assert isinstance(_pair([cond("t", "endsWith", "car")], [cond("t", "matches", "^red")], column), Found)


def test_the_clock_is_one_moment() -> None:
    """Weekday, day of the month and date belong to one day, and ages are measured from the moment that is chosen."""
    friday_13th = [cond("now.dayOfWeek", "equals", 5, context=True), cond("now.dayOfMonth", "equals", 13, context=True)]
    late = [
        cond("now.timeOfDay", "greaterThanOrEqual", "20:00", context=True),
        cond("seen", "lessThan", "P1D", "period"),
    ]
    column = Column("seen", "datetime")
    answer = _pair(friday_13th, late, column)
    assert isinstance(answer, Found)
    moment = datetime.fromisoformat(answer.scene.now)
    assert (moment.isoweekday(), moment.day, moment.hour) == (5, 13, 20)
    in_2026 = [cond("now.date", "equals", "2026-03-12", context=True)]
    assert isinstance(_pair(friday_13th, in_2026, column), Nowhere)


def test_columns_compared_with_each_other_are_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cells cannot hold is not proved without a solver, but a contact that shows it is a witness."""
    from dialproof.analysis import smt
    from tests.lint.analysis.build import when

    monkeypatch.setattr(smt, "installed", lambda: False)

    rules = [
        rule("one", 1, [when("contact.x < contact.y")], [act("doNotDial")]),
        rule("other", 2, [when("contact.x > contact.y + 1.0")], [act("switchToPreview")]),
        rule("third", 3, [cond("x", "equals", 0), cond("y", "greaterThan", 5)], [act("switchToPreview")]),
    ]
    runs = analysis(campaign(rules, (Column("x", "number"), Column("y", "number")))).runs("preCall")
    assert isinstance(runs.both_act(0, 1), Unknown)
    assert isinstance(runs.both_act(0, 2), Found)


def test_thresholds_are_pulled_back_through_counting_with_its_rounding() -> None:
    """A counted column is cut where its later value crosses a constant, to the last bit: 0.1 + 0.2 is above 0.3."""

    def together(first: str, low: float, operator: str, high: float) -> object:
        rules = [
            rule("early", 1, [cond("n", first, low)], [act("doNotDial")]),
            rule(
                "count", 2, [cond("n", "exists")], [act("setAttribute", attribute="n", option="INCREMENT", value="0.2")]
            ),
            rule("late", 3, [cond("n", operator, high)], [act("switchToPreview")]),
        ]
        return analysis(campaign(rules, (Column("n", "number", min=0.0),))).runs("preCall").both_act(0, 2)

    between = together("lessThan", 0.15, "greaterThan", 0.3)
    assert isinstance(between, Found)
    assert 0.09 < float(str(between.scene.contact["n"])) < 0.15
    exact = together("lessThanOrEqual", 0.1, "greaterThanOrEqual", 0.1 + 0.2)
    assert isinstance(exact, Found)
    assert exact.scene.contact["n"] == 0.1
    assert isinstance(together("lessThanOrEqual", 0.1, "greaterThan", 0.1 + 0.2), Nowhere)


def test_what_uses_every_column_or_the_clock_in_a_macro_is_left_open() -> None:
    """A rule whose verdict depends on columns that it does not name, or on a clock inside a macro, is never proved."""
    from tests.lint.analysis.build import when

    texts = ["size(contact) > 1", 'text[contact.s] == "5"', "[2027, 2028].exists(y, now.getFullYear() == y)"]
    rules = [
        *(rule(text, i, [when(text)], [act("doNotDial")]) for i, text in enumerate(texts, 1)),
        rule("preview", 9, [cond("n", "equals", 5)], [act("switchToPreview")]),
    ]
    runs = analysis(campaign(rules, (Column("n", "number", required=True), Column("s", "string")))).runs("preCall")
    for i in range(len(texts)):
        assert not isinstance(runs.both_act(i, len(texts)), Nowhere)
