"""The ordered run: order, writes, stops, undecided conditions, context and clock."""

from __future__ import annotations

import pytest

from dialproof.config import Semantics
from dialproof.evaluate import Evaluator, conflicts_of
from dialproof.model.rules import Group, Invariant
from tests.lint.cel.build import SPAN, action, campaign, condition, rule, when

PREMIUM = action("setList", listId="premium", value="true")
NOT_PREMIUM = action("setList", listId="premium", value="false")
STOP = action("doNotDial")
DEFAULT = Semantics()


def test_every_matching_rule_acts_in_order() -> None:
    """Under hitPolicy all the last write to a list wins."""
    subject = campaign(
        rule("on", condition("n", "greaterThan", "5", "number"), actions=(PREMIUM,)),
        rule("off", condition("s", "equals", "x"), order=2, actions=(NOT_PREMIUM,)),
    )
    outcome = Evaluator(subject, DEFAULT).run({"n": 6, "s": "x"})
    assert outcome.matched == ("on", "off")
    assert outcome.lists == {"premium": False}
    assert outcome.dial is True
    assert conflicts_of(outcome) == (("on", "off"),)


def test_first_match_ends_the_run() -> None:
    """Under hitPolicy first only the first matching rule acts."""
    subject = campaign(
        rule("one", condition("n", "greaterThan", "5", "number")),
        rule("two", condition("n", "greaterThan", "1", "number"), order=2, actions=(STOP,)),
        hit_policy="first",
    )
    evaluator = Evaluator(subject, DEFAULT)
    assert evaluator.run({"n": 6}).matched == ("one",)
    assert evaluator.run({"n": 2}).matched == ("two",)
    assert [t.skipped for t in evaluator.trace({"n": 6})] == [False, True]


@pytest.mark.parametrize(
    ("undecided", "matched", "dial"),
    [("refuseToDial", (), False), ("unmet", (), True), ("met", ("r",), True)],
)
def test_undecided_conditions_follow_the_switch(undecided: str, matched: tuple[str, ...], dial: bool) -> None:
    """A blank number cannot be compared: by default the contact is not dialed, and the outcome says which rule."""
    subject = campaign(rule("r", condition("n", "greaterThan", "5", "number")))
    outcome = Evaluator(subject, Semantics(undecided=undecided)).run({"n": ""})  # type: ignore[arg-type]
    assert (outcome.matched, outcome.dial, outcome.undecided) == (matched, dial, ("r",))


def test_undecided_passes_unchanged_through_negation() -> None:
    """inverted, notEquals and not keep a condition undecided."""
    for expression in (
        condition("n", "equals", "5", "number", inverted=True),
        condition("n", "notEquals", "5", "number"),
        Group("not", (condition("n", "equals", "5", "number"),), SPAN),
    ):
        assert Evaluator(campaign(rule("r", expression)), DEFAULT).verdicts({}) == {"r": None}


def test_blank_is_empty_text_under_string_operators() -> None:
    """Absent and empty are one thing under string operators, and exists is "not blank"."""
    evaluator = Evaluator(
        campaign(
            rule("empty", condition("s", "equals", "")),
            rule("not x", condition("s", "notContains", "x"), order=2),
            rule("there", condition("s", "exists"), order=3),
            rule("unreadable number is there", condition("n", "exists"), order=4),
        ),
        DEFAULT,
    )
    blank = {"empty": True, "not x": True, "there": False, "unreadable number is there": True}
    for contact in ({"n": "abc"}, {"s": "", "n": "abc"}, {"s": None, "n": "abc"}):
        assert evaluator.verdicts(contact) == blank


def test_later_rules_see_updates_unless_told_otherwise() -> None:
    """A column that an earlier rule set is read by a later one; the switch turns that off."""
    subject = campaign(
        rule("write", actions=(action("setAttribute", attribute="s", option="SET", value="gold"),)),
        rule("read", condition("s", "equals", "gold"), order=2),
    )
    assert Evaluator(subject, DEFAULT).run({"s": "x"}).matched == ("write", "read")
    assert Evaluator(subject, Semantics(laterRulesSeeUpdates=False)).run({"s": "x"}).matched == ("write",)


def test_do_not_dial_stops_only_under_its_switch() -> None:
    """DoNotDial decides dial; it ends the run only while doNotDialStops is on."""
    subject = campaign(rule("stop", actions=(STOP,)), rule("after", order=2))
    plain = Evaluator(subject, DEFAULT).run({})
    assert (plain.matched, plain.dial, plain.reason) == (("stop", "after"), False, "doNotDial: stop")
    assert Evaluator(subject, Semantics(doNotDialStops=True)).run({}).matched == ("stop",)


def test_attribute_options() -> None:
    """SET, INCREMENT, DECREMENT and CURRENT_TIME, in nested columns too; the given contact stays as it was."""
    contact: dict[str, object] = {"n": 1, "custom": {"value": "2"}}
    subject = campaign(
        rule(
            "r",
            actions=(
                action("setAttribute", attribute="n", option="INCREMENT"),
                action("setAttribute", attribute="custom.value", option="DECREMENT", value="0.5"),
                action("setAttribute", attribute="t", option="CURRENT_TIME"),
                action("setAttribute", attribute="s", option="SET", value="x"),
            ),
        )
    )
    outcome = Evaluator(subject, DEFAULT).run(contact, now="2026-03-07T10:00:00-07:00")
    assert outcome.contact == {"n": 2.0, "custom": {"value": "1.5"}, "t": "2026-03-07T17:00:00Z", "s": "x"}
    assert contact == {"n": 1, "custom": {"value": "2"}}


def test_failures_refuse_to_dial() -> None:
    """A contact that cannot be evaluated is not dialed, and the reason names the column, not its value."""
    subject = campaign(rule("r", actions=(action("setAttribute", attribute="n", option="INCREMENT"),)))
    outcome = Evaluator(subject, DEFAULT).run({"n": "secret"})
    assert outcome.dial is False
    assert outcome.failure is not None
    assert "n" in outcome.failure
    assert "secret" not in outcome.failure
    ambiguous = campaign(rule("r", condition("custom.value", "exists")))
    assert Evaluator(ambiguous, DEFAULT).run({"custom.value": 1, "custom": {"value": 2}}).failure is not None


def test_clock_and_context() -> None:
    """now.* follows the frozen clock in its time zone; other context comes from the case."""
    subject = campaign(
        rule("morning", condition("now.timeOfDay", "between", ("08:00", "11:59"), source="context")),
        rule("saturday", condition("now.dayOfWeek", "equals", 6.0, source="context"), order=2),
        rule("home", condition("phone.type", "equals", "Home", source="context"), order=3),
        rule("week", condition("lastAttempt.overall", "greaterThan", "P7DT0H0M", "period", source="context"), order=4),
    )
    outcome = Evaluator(subject, DEFAULT).run(
        {},
        now="2026-03-07T17:00:00Z",
        time_zone="America/Denver",
        context={"phone": {"type": "Home"}, "lastAttempt": {"overall": "2026-02-27T00:00:00Z"}},
    )
    assert outcome.matched == ("morning", "saturday", "home", "week")


def test_disabled_rules_and_other_categories_do_not_run() -> None:
    """Only enabled rules of the category take part; a wrapUp outcome has no dial."""
    subject = campaign(rule("off", enabled=False), rule("wrap", order=2, category="wrapUp"), rule("pre", order=3))
    evaluator = Evaluator(subject, DEFAULT)
    assert evaluator.run({}).matched == ("pre",)
    wrapped = evaluator.run({}, category="wrapUp")
    assert (wrapped.matched, wrapped.dial) == (("wrap",), None)


def test_problems_have_places_and_leave_the_rule_undecided() -> None:
    """CEL that does not parse or type-check is reported with its place; its rule is undecided for everybody."""
    subject = campaign(
        rule("types", when("contact.n > 'five'")),
        rule("syntax", when("contact.n > > 5"), order=2),
        rule("column", when("contact.nn > 5"), order=3),
        rule("value", condition("n", "greaterThan", "many", "number"), order=4),
        rule("regex", condition("s", "matches", "("), order=5),
        rule("result", when("contact.n + 1"), order=6),
    )
    evaluator = Evaluator(subject, DEFAULT)
    assert {p.owner: (p.span.column, p.message.split(",")[0]) for p in evaluator.problems} == {
        "types": (1, "> compares values of one type"),
        "syntax": (13, "not CEL: found '>'"),
        "column": (1, "column 'nn' is not in customers.contactlist.yaml"),
        "value": (1, "expected a number"),
        "regex": (1, "expected a regular expression of RE2"),
        "result": (1, "expected true or false as the result"),
    }
    assert set(evaluator.verdicts({"n": 9, "s": "x"}).values()) == {None}


def test_everything_wrong_with_an_expression_is_reported_at_once() -> None:
    """Unknown functions and names, and values of the wrong type, are problems of their own, side by side."""
    text = 'foo(contact.n) && bar > 3 && contact.n.startsWith("x") && contact.s.containz("a") && contact.n % 2 == 1'
    evaluator = Evaluator(campaign(rule("r", when(text))), DEFAULT)
    assert [(p.span.column, p.message.split(",")[0].split("; exp")[0]) for p in evaluator.problems] == [
        (1, "there is no function foo()"),
        (19, "unknown name 'bar'; there are contact"),
        (30, "expected a text"),
        (59, "there is no function containz(); did you mean contains()?"),
        (86, "there is no number % number"),
    ]
    assert not evaluator.fallbacks


@pytest.mark.parametrize(
    "text",
    [
        "int(contact.n) == 5",
        'string(contact.n) == "5.75"',
        'string(contact.b) == "true"',
        "[contact.s, 'x'].size() == 2",
        "contact.t.getHours() == 9",
    ],
)
def test_functions_of_cel_meet_values_as_conditions_do(text: str) -> None:
    """What CEL's functions give compares with literals: numbers are doubles, and text is that of a condition."""
    contact = {"n": 5.75, "b": True, "s": "a", "t": "2026-03-07T09:30:00Z"}
    evaluator = Evaluator(campaign(rule("r", when(text))), DEFAULT)
    assert not evaluator.problems
    assert evaluator.verdicts(contact) == {"r": True}


def test_a_mapping_is_no_value_of_a_column() -> None:
    """What holds the columns below a path is blank when it is read itself; its values stay out of the trace."""
    subject = campaign(
        rule("r", condition("custom", "exists")), rule("s", condition("custom", "contains", "7"), order=2)
    )
    contact = {"custom": {"value": 777}}
    for reference in (False, True):
        evaluator = Evaluator(subject, DEFAULT, reference=reference)
        assert evaluator.verdicts(contact) == {"r": False, "s": False}
        assert "777" not in repr(evaluator.trace(contact))


def test_groups_keep_their_brackets_in_the_text() -> None:
    """A group of one is what it holds, also where it stands beside others: the text means what the rule means."""
    either = Group("any", (condition("s", "equals", "a"), condition("s", "equals", "b")), SPAN)
    nested = rule("r", Group("all", (either,), SPAN), condition("n", "equals", 1.0, "number"))
    text = Evaluator(campaign(nested), DEFAULT).programs.text(nested)
    assert text == '(contact.s == "a" || contact.s == "b") && contact.n == 1.0'


def test_what_a_macro_reads_is_known() -> None:
    """A comprehension is left to cel-python, but the columns in it are known to whoever analyses the rule."""
    subject = campaign(rule("r", when('[contact.s, text["n"]].exists(x, x == "TX")')))
    evaluator = Evaluator(subject, DEFAULT)
    (leaf,) = subject.rules[0].conditions
    assert [v.name for v in evaluator.leaf(leaf).reads] == ["s", "n"]  # type: ignore[arg-type]
    assert evaluator.fallbacks == {"r": "the macro exists()"}
    assert evaluator.verdicts({"s": "TX"}) == {"r": True}


def test_invariants_read_contact_and_outcome() -> None:
    """An invariant holds, fails or is undecided; compiled and cel-python agree."""
    invariants = tuple(
        Invariant(name, when(text), SPAN)
        for name, text in {
            "no consent, no call": 'contact.s == "yes" || !outcome.dial',
            "matched": '"stop" in outcome.matched',
            "lists": 'outcome.lists["premium"]',
            "blank": "contact.n > 5",
        }.items()
    )
    subject = campaign(rule("stop", condition("s", "notEquals", "yes"), actions=(STOP,)), invariants=invariants)
    for evaluator in (Evaluator(subject, DEFAULT), Evaluator(subject, DEFAULT, reference=True)):
        assert not evaluator.problems
        contact = {"s": "no"}
        outcome = evaluator.run(contact)
        held = [evaluator.invariant(i, contact, outcome) for i in invariants]
        assert held == [True, True, None, None]


def test_trace_masks_pii() -> None:
    """A trace shows what was wanted and what was there, but never a value of a pii column."""
    from dialproof.model.contactlist import Column, ContactList

    columns = ContactList("c", {"phone": Column("phone", "string", pii=True), "n": Column("n", "number")})
    subject = campaign(
        rule("r", condition("phone", "beginsWith", "+1"), condition("n", "lessThan", "5", "number")), columns=columns
    )
    (trace,) = Evaluator(subject, DEFAULT).trace({"phone": "+1555", "n": 7})
    assert [(leaf.wanted, leaf.actual, leaf.verdict) for leaf in trace.leaves] == [
        ('"+1"', "•••", True),
        ('"5"', "7", False),
    ]
