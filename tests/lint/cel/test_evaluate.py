"""The ordered run: order, writes, stops, undecided conditions, context and clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from dialproof.cel.parse import CelSyntaxError, parse
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator, conflicts_of
from dialproof.model.rules import Group, Invariant
from tests.lint.cel.build import SPAN, action, campaign, condition, rule, when

if TYPE_CHECKING:
    from dialproof.model.rules import Expression

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


DEEP = {
    "not": ("!({})", "contact.b"),
    "either": ("({} || contact.b) && contact.b", "contact.b"),
    "equal": ("({}) == contact.b", "contact.b"),
    "conditional": ("contact.b ? ({}) : contact.b", "contact.b"),
    "test of a conditional": ("({}) ? contact.b : true", "contact.b"),
    "sum": ("{} + contact.n", "contact.n", " > 1"),
    "quotient": ("({}) / contact.n", "contact.n", " > 1"),
    "negative": ("-({})", "contact.n", " > 1"),
    "fold": ("fold({})", "contact.s", ' == "a"'),
    "text": ("string({})", "contact.s", ' == "a"'),
    "list": ("size([{}, 1.0])", "contact.n", " > 1"),
    "macro": ("[true].exists(x, {})", "contact.b"),
}


@pytest.mark.parametrize("shape", DEEP.values(), ids=DEEP.keys())
def test_whatever_parses_can_be_evaluated(shape: tuple[str, ...]) -> None:
    """The deepest expression of every form is compiled, and cel-python decides it as well."""
    pattern, inner, *rest = shape
    text = inner
    while True:
        deeper = pattern.format(text)
        try:
            parse(deeper + "".join(rest))
        except CelSyntaxError:
            break
        text = deeper
    subject = campaign(rule("r", when(text + "".join(rest))))
    for contact in ({"b": True, "n": 3, "s": "a"}, {}):
        ours, theirs = (Evaluator(subject, DEFAULT, reference=r).run(contact) for r in (False, True))
        assert ours == theirs
        assert ours.failure is None


@pytest.mark.parametrize(("depth", "sign"), [(40, "not"), (20, "any")])
def test_nested_groups_stay_small(depth: int, sign: Literal["not", "any"]) -> None:
    """Groups inside of groups are decided once each, and mean the same as one by one."""
    group: Expression = condition("n", "greaterThan", 1.0, "number")
    for i in range(depth):
        others = () if sign == "not" else (condition("custom.value", "lessThan", float(i), "number"),)
        group = Group(sign, (group, *others), SPAN)
        if sign == "any":
            group = Group("all", (group, condition("s", "notEquals", str(i))), SPAN)
    subject = campaign(rule("r", group))
    for contact in ({"n": 2}, {"n": 0, "custom": {"value": -1}}, {"n": "", "s": "3"}, {}):
        ours, theirs = (Evaluator(subject, DEFAULT, reference=r).verdicts(contact) for r in (False, True))
        assert ours == theirs


def test_long_chains_are_evaluated() -> None:
    """Six hundred conditions in one expression are compiled and run, with and without undecided ones."""
    for sign in ("&&", "||"):
        subject = campaign(rule("r", when(f" {sign} ".join(f"contact.n > {i}" for i in range(600)))))
        evaluator, reference = Evaluator(subject, DEFAULT), Evaluator(subject, DEFAULT, reference=True)
        assert not evaluator.fallbacks
        for contact in ({"n": 600}, {"n": 5}, {"n": -1}, {}):
            assert evaluator.run(contact) == reference.run(contact)


@pytest.mark.parametrize(
    ("constant", "zone"), [("9999-12-31T23:59:59", "America/Denver"), ("0001-01-01", "Asia/Tokyo")]
)
def test_a_constant_at_the_edge_of_the_calendar_is_undecided(constant: str, zone: str) -> None:
    """The first and the last day of the calendar are not there in every time zone."""
    subject = campaign(
        rule("before", condition("t", "lessThan", constant, "datetime")),
        rule("in", condition("t", "in", (constant, "2026-01-01"), "datetime"), order=2),
    )
    for reference in (False, True):
        evaluator = Evaluator(subject, DEFAULT, reference=reference)
        assert not evaluator.fallbacks
        assert evaluator.verdicts({"t": "2026-01-01"}, time_zone=zone) == {"before": None, "in": None}


def test_an_internal_error_refuses_to_dial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks, the contact is not dialed; the failure says what broke and where, not on which value."""
    evaluator = Evaluator(campaign(rule("r", condition("s", "equals", "x"))), DEFAULT)
    monkeypatch.setattr(evaluator.programs, "verdicts", lambda view: int(view.contact["s"]))
    outcome = evaluator.run({"s": "secret"})
    assert outcome.dial is False
    assert outcome.failure is not None
    assert outcome.failure.startswith("ValueError at test_evaluate.py:")
    assert "secret" not in outcome.failure


@pytest.mark.parametrize(
    ("text", "written", "contact"),
    [
        ('"n" in contact', "n", {}),
        ('contact.exists(k, k == "n")', "n", {}),
        ("size(contact) > 1", "n", {}),
        ('text[contact.s] == "1"', "n", {"s": "n"}),
        ('contact["cus" + "tom.value"] == 1', "custom.value", {}),
        ('text["custom.value"] == ""', "custom", {"custom": {"value": 2}}),
        ('text["custom"] == "1"', "custom", {"custom": {"value": 2}}),
        ('"new" in contact', "new", {}),
    ],
)
def test_a_write_is_seen_by_whoever_reads_it_in_any_way(text: str, written: str, contact: dict[str, object]) -> None:
    """A later rule sees a column that an earlier one wrote: by its name, below it, by a name made up, or among all."""
    act = action("setAttribute", attribute=written, option="SET", value="1")
    subject = campaign(rule("write", actions=(act,)), rule("read", when(text), order=2))
    for reference in (False, True):
        evaluator = Evaluator(subject, DEFAULT, reference=reference)
        assert not evaluator.problems
        assert evaluator.verdicts(contact)["read"] is not True
        assert evaluator.run(contact).matched == ("write", "read")


def test_what_uses_every_column_reads_every_column() -> None:
    """Whoever analyses a rule is told that its verdict depends on columns that its text does not name."""
    texts = ["size(contact) > 2", 'text[contact.s] == "a"', 'dyn(contact).exists(k, k == "n")']
    subject = campaign(*(rule(text, when(text), order=i) for i, text in enumerate(texts)))
    evaluator = Evaluator(subject, DEFAULT)
    for one in subject.rules:
        (leaf,) = one.conditions
        assert {v.name for v in evaluator.leaf(leaf).reads} == set(subject.contact_list.columns)  # type: ignore[arg-type]
    (trace, *_) = evaluator.trace({"s": "a"})
    assert [leaf.actual for leaf in trace.leaves] == ["(every column)"]


def test_equal_conditions_have_equal_problems() -> None:
    """What is wrong with a condition is reported wherever it stands, not where it stands first."""
    bad = condition("n", "greaterThan", "many", "number")
    subject = campaign(
        rule("a", when("contact.n > 'x'")), rule("b", when("contact.n > 'x'"), order=2), rule("c", bad), rule("d", bad)
    )
    assert sorted(p.owner for p in Evaluator(subject, DEFAULT).problems) == ["a", "b", "c", "d"]


def test_errors_in_a_comprehension_cost_no_more_than_values() -> None:
    """A blank column in all() or exists() is an error for every item; forty of them are decided at once."""
    items = f"[{', '.join(map(str, range(40)))}]"
    texts = [f"{items}.all(x, contact.n > x)", f"{items}.exists(x, contact.n > x)"]
    chains = [
        " && ".join([f"({' || '.join(['contact.n > 1'] * 2)})"] * 40),
        "(" * 20 + "contact.n > 1" + " || contact.b) && contact.b" * 20,
    ]
    subject = campaign(*(rule(text, when(text), order=i) for i, text in enumerate([*texts, *chains])))
    for reference in (False, True):
        evaluator = Evaluator(subject, DEFAULT, reference=reference)
        assert set(evaluator.verdicts({}).values()) == {None}
        assert evaluator.verdicts({"n": 50, "b": True}) == dict.fromkeys([*texts, *chains], True)
        assert list(evaluator.verdicts({"n": 0}).values())[:2] == [False, False]


def test_a_list_of_thousands_of_values_is_a_condition() -> None:
    """The bound on the length of CEL is for what users write in CEL."""
    codes = tuple(f"{i:05}" for i in range(2500))
    evaluator = Evaluator(campaign(rule("r", condition("s", "in", codes))), DEFAULT)
    assert not evaluator.problems
    assert [evaluator.verdicts({"s": code})["r"] for code in ("02499", "02500")] == [True, False]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("outcome.dial", 1, "outcome is known to invariants alone: a rule is part of it"),
        ("true && contact.s.startsWith()", 9, "startsWith() takes 1 in its brackets here, found 0"),
        ("size(contact.s, 2) > 1", 1, "size() takes 1 in its brackets here, found 2"),
        ("size(1, 2) > 1", 1, "size() takes 1 in its brackets here, found 2"),
        ("has()", 1, "has() takes a column such as contact.attempts"),
        ("contact.n.has()", 1, "has() takes a column such as contact.attempts"),
        ("now.getFullYear(1) == 2026", 17, "expected a text, found a number"),
        ('now.getHours("UTC", 1) == 1', 1, "getHours() takes 0 or 1 in its brackets here, found 2"),
        ("[1].exists(x, contact.s.matches())", 15, "matches() takes 1 in its brackets here, found 0"),
        ("[1].exists(x, foo(x))", 15, "there is no function foo(); expected one of CEL, or number, boolean, datetime"),
        ("contact.n > true", 1, "> compares values of one type, found a number and true or false"),
    ],
)
def test_calls_of_a_wrong_form_are_problems(text: str, column: int, message: str) -> None:
    """What no function or macro takes is a problem at its place, inside of macros too."""
    evaluator = Evaluator(campaign(rule("r", when(text))), DEFAULT)
    (problem,) = evaluator.problems
    assert problem.span.column == column
    assert problem.message.startswith(message)
    assert evaluator.verdicts({}) == {"r": None}


def test_what_cel_python_cannot_evaluate_is_undecided() -> None:
    """A value that has no such field leaves the rule undecided, as an error of CEL does."""
    texts = ['{"a": true}.b', "[true][5]", 'contact.s[contact.s] == "a"', "[contact.s].map(x, x.y)[0] == 1"]
    subject = campaign(*(rule(text, when(text), order=i) for i, text in enumerate(texts)))
    evaluator = Evaluator(subject, DEFAULT)
    assert not evaluator.problems
    assert evaluator.run({"s": "a"}).undecided == tuple(texts)


def test_division_is_that_of_doubles() -> None:
    """A division by zero has a sign, and zero by zero is not a number, which equals nothing."""
    holds = ["1 / 0 > 1e300", "-1 / 0 < -1e300", "1 / (0 * -1) < -1e300", "contact.n / 2 == 1.5"]
    fails = ["0 / 0 == 0 / 0", "0 / 0 in [0 / 0]", "contact.n / 0 in [contact.n / 0 - contact.n / 0]"]
    subject = campaign(*(rule(text, when(text), order=i) for i, text in enumerate([*holds, *fails])))
    for reference in (False, True):
        evaluator = Evaluator(subject, DEFAULT, reference=reference)
        assert not evaluator.fallbacks
        assert evaluator.verdicts({"n": 3}) == {**dict.fromkeys(holds, True), **dict.fromkeys(fails, False)}
        assert set(list(evaluator.verdicts({}).values())[3:4]) == {None}


def test_a_column_in_two_ways_is_a_failure_whoever_reads_it() -> None:
    """A contact with one column written in two ways is refused, also where no rule reads it."""
    contact = {"a.b": 1, "a": {"b": 2}, "s": "x"}
    for reference in (False, True):
        evaluator = Evaluator(campaign(rule("r", condition("s", "equals", "x"))), DEFAULT, reference=reference)
        outcome = evaluator.run(contact)
        assert outcome.failure == "the contact has 'a.b' both as a column and as a path: keep one"
        assert outcome.dial is False


def test_a_value_taken_for_a_pattern_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """RE2 keeps quiet about a pattern that is none: it may be somebody's number."""
    evaluator = Evaluator(campaign(rule("r", when('text["s"].matches(contact.s)'))), DEFAULT)
    assert evaluator.verdicts({"s": "+1 (303 555 0100"}) == {"r": None}
    assert evaluator.verdicts({"s": "303"}) == {"r": True}
    assert capfd.readouterr() == ("", "")
