"""Whom two campaigns dial, against running every contact of a small domain through both."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dialproof.analysis.answers import Budget, Found, Nowhere, Unknown
from dialproof.analysis.difference import Difference
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.actions import action_types
from dialproof.model.contactlist import Column
from dialproof.model.rules import When, leaves
from tests.lint.analysis.build import COLUMNS, act, campaign, campaigns, cond, contacts, rule, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.model.rules import Condition, Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=25, suppress_health_check=list(HealthCheck))

SEMANTICS = st.builds(
    Semantics,
    undecided=st.sampled_from(("refuseToDial", "unmet", "met")),
    laterRulesSeeUpdates=st.booleans(),
    doNotDialStops=st.booleans(),
)


@st.composite
def changed(draw: st.DrawFn) -> tuple[tuple[Campaign, Semantics], tuple[Campaign, Semantics]]:
    """Draw a campaign and what a change makes of it: rules gone, swapped, disabled, replaced; now and then all else."""
    old, semantics = draw(campaigns())
    other, others = draw(campaigns())
    stop = draw(st.lists(st.sampled_from(old.rules), max_size=3, unique_by=lambda r: r.name))
    rules = [replace(r, actions=(*r.actions, act("doNotDial"))) if r in stop else r for r in old.rules]
    old = replace(old, rules=tuple(rules))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(rules) - 1))
        kind = draw(st.sampled_from(("remove", "swap", "disable", "replace", "insert", "narrow")))
        if kind == "remove" and len(rules) > 1:
            del rules[at]
        elif kind == "swap":
            rules[at], rules[0] = rules[0], rules[at]
        elif kind == "disable":
            rules[at] = replace(rules[at], enabled=False)
        elif kind == "replace":
            rules[at] = replace(draw(st.sampled_from(other.rules)), name=rules[at].name)
        elif kind == "insert":
            rules.insert(at, replace(draw(st.sampled_from(other.rules)), name=f"new{len(rules)}"))
        elif kind == "narrow":
            further = draw(st.sampled_from(other.rules)).conditions
            rules[at] = replace(rules[at], conditions=(*rules[at].conditions, *further))
    policy = draw(st.sampled_from((old.hit_policy, old.hit_policy, other.hit_policy)))
    new = campaign(rules, COLUMNS, hit_policy=policy)
    return (old, semantics), (new, draw(st.sampled_from((semantics, semantics, others))))


def _difference(before: tuple[Campaign, Semantics], after: tuple[Campaign, Semantics]) -> Difference:
    return Difference(Evaluator(*before), Evaluator(*after))


def _pairs(
    before: tuple[Campaign, Semantics],
    after: tuple[Campaign, Semantics],
    domain: Iterable[Mapping[str, object]] = (),
) -> list[tuple[Outcome, Outcome]]:
    """Run every contact of the domain; return the outcomes of those that were refused and are dialed."""
    old, new = Evaluator(*before), Evaluator(*after)
    outcomes = ((old.run(contact), new.run(contact)) for contact in domain or contacts())
    return [(was, now) for was, now in outcomes if was.dial is False and now.dial]


def _holds(difference: Difference, answer: Answer, expected: bool) -> None:
    assert isinstance(answer, (Found, Nowhere))
    assert isinstance(answer, Found) == expected
    if isinstance(answer, Found):
        now, was = difference.outcomes(answer.scene)
        assert (was.dial, now.dial) == (False, True)


@given(changed())
@SETTINGS
def test_who_is_dialed_now_is_decided_as_by_running_everybody(
    drawn: tuple[tuple[Campaign, Semantics], tuple[Campaign, Semantics]],
) -> None:
    """For each old rule: whether a contact that it kept back, or was undecided on, is dialed now; nobody else is."""
    _compare(_difference(*drawn), _pairs(*drawn))


def _stopped_by(rule: Rule, outcome: Outcome) -> bool:
    """Tell whether a suppressing action of the rule ran: a rule can act, and break the run before it."""
    table = action_types()
    return any(a.rule == rule.name and "preCall" in table[a.action.type].stops_dial_in for a in outcome.acted)


def test_a_rule_that_breaks_the_run_before_it_suppresses_is_no_suppression_but_is_found() -> None:
    """The run that broke is what refused the contact: the rule is named for that, and for nothing else."""
    spoil = act("setAttribute", attribute="a", value="abc"), act("setAttribute", attribute="a", option="INCREMENT")
    before = rule("r", 1, [cond("b", "equals", 1)], [*spoil, act("doNotDial")])
    after = rule("r", 1, [cond("b", "equals", 2)], [act("setList", listId="l")])
    sides = [(campaign([one], COLUMNS, hit_policy="first"), Semantics()) for one in (before, after)]
    difference, widened = _difference(*sides), _pairs(*sides)
    assert all(was.failure is not None for was, _ in widened)
    assert isinstance(difference.let_through_by(before, Budget().question()), Nowhere)
    answer = difference.no_longer_undecided(before, Budget().question())
    assert isinstance(answer, Found)
    now, was = difference.outcomes(answer.scene)
    assert (was.dial, now.dial) == (False, True)


def _compare(difference: Difference, widened: list[tuple[Outcome, Outcome]]) -> None:
    stopping = {r.name for r in difference.suppressions}
    left = list(widened)
    for old in difference.old.runs.rules:
        by = [pair for pair in widened if _stopped_by(old, pair[0])]
        if old.name in stopping:
            _holds(difference, difference.let_through_by(old, Budget().question()), bool(by))
        undecided = [
            pair
            for pair in widened
            if (old.name in pair[0].undecided and difference.old.refuses_undecided)
            or (pair[0].failure is not None and difference.old.runs.may_fail[difference.old.runs.index(old)])
        ]
        answer = difference.no_longer_undecided(old, Budget().question())
        if undecided and all(pair[0].failure is not None for pair in undecided):
            assert isinstance(answer, (Found, Nowhere))  # another rule may be what broke the run
        else:
            _holds(difference, answer, bool(undecided))
        left = [p for p in left if p not in by and p not in undecided]
    assert left == []


VARIANTS: Mapping[str, tuple[tuple[Column, tuple[object, ...]], ...]] = {
    "a": (
        (COLUMNS[0], (None, *range(7))),
        (Column("a", "string", enum=("3", "5", "x")), (None, "3", "5", "x")),
        (Column("a", "integer", min=2, max=4, required=True), (2, 3, 4)),
        (Column("a", "boolean"), (None, True, False)),
    ),
    "b": (
        (COLUMNS[1], tuple(range(4))),
        (Column("b", "number", min=0, max=1, decimals=1), (None, *(k / 10 for k in range(11)))),
    ),
    "s": (
        (COLUMNS[2], (None, "TX", "CA")),
        (Column("s", "string", enum=("TX", "tx", "T", "5")), (None, "TX", "tx", "T", "5")),
    ),
}
"""For each column what else it may be, with all of its values."""


@st.composite
def relisted(
    draw: st.DrawFn,
) -> tuple[tuple[Campaign, Semantics], tuple[Campaign, Semantics], list[Mapping[str, object]]]:
    """Draw a change of everything, contact lists and case included, with all contacts of the new list."""
    sides: list[tuple[Campaign, Semantics]] = []
    domain: dict[str, tuple[object, ...]] = {}
    for side, semantics in draw(changed()):
        columns = {}
        in_cel = any(isinstance(leaf, When) for rule in side.rules for leaf in leaves(rule.conditions))
        for name, variants in VARIANTS.items():
            fitting = [v for v in variants if name == "s" or v[0].type in ("integer", "number") or not in_cel]
            columns[name], domain[name] = draw(st.sampled_from(fitting))
        changed_list = replace(side.contact_list, columns=columns)
        sensitive = draw(st.booleans())
        sides.append((replace(side, contact_list=changed_list), replace(semantics, caseSensitive=sensitive)))
    before, after = sides
    assume(not Difference(Evaluator(*before), Evaluator(*after)).meaningless)
    everybody = [
        {name: value for name, value in zip(domain, values, strict=True) if value is not None}
        for values in product(*domain.values())
    ]
    return before, after, [*everybody]


@given(relisted())
@SETTINGS
def test_each_side_reads_the_contacts_of_now_in_its_own_way(
    drawn: tuple[tuple[Campaign, Semantics], tuple[Campaign, Semantics], list[Mapping[str, object]]],
) -> None:
    """Contact lists and case may differ: old conditions keep their meaning, and contacts are those of the new list."""
    before, after, everybody = drawn
    difference = Difference(Evaluator(*before), Evaluator(*after))
    _compare(difference, _pairs(before, after, everybody))


def _stop(name: str, order: int, *conditions: Condition) -> Rule:
    return rule(name, order, conditions, [act("doNotDial")])


def _asked(old: Sequence[Rule], new: Sequence[Rule], columns: Sequence[Column], budget: int = 20_000) -> Answer:
    """Ask about the first old rule."""
    difference = _difference((campaign(old, columns), Semantics()), (campaign(new, columns), Semantics()))
    return difference.let_through_by(difference.suppressions[0], Budget(budget).question())


NOTHING = rule("nothing", 1, [cond("s", "exists")], [act("setSkills", skills=("x",))])


def test_a_column_with_endless_texts_is_decided_where_prefixes_decide_it() -> None:
    """Many suppressions over free text and large numbers need no enumeration."""
    columns = (Column("phone", "string"), Column("value", "number", min=0, max=1e9, decimals=2), *COLUMNS)
    old = [
        _stop(f"p{i}", i + 1, cond("phone", "beginsWith", f"+{i}"), cond("value", "lessThan", i)) for i in range(1, 40)
    ]
    taken_over = [r for r in old if r.name != "p1"]
    assert isinstance(_asked(old, taken_over, columns, 1), Found)
    wider = _stop("wider", 99, cond("phone", "beginsWith", "+1"), cond("value", "lessThan", 5))
    assert isinstance(_asked(old, [*taken_over, wider], columns, 1), Nowhere)


def test_ages_and_the_time_of_the_call_are_columns_like_others() -> None:
    """A distance from now, the clock and the context of the call are shown as a contact, its context and its moment."""
    columns = (Column("last", "datetime"), *COLUMNS)
    recent = cond("last", "lessThan", "P7D", "period")
    evening = cond("now.timeOfDay", "greaterThan", "20:00", context=True)
    mobile = cond("phone.type", "equals", "Cell", context=True)
    for condition in (recent, evening, mobile):
        old, new = [_stop("old", 1, condition)], [NOTHING]
        difference = _difference((campaign(old, columns), Semantics()), (campaign(new, columns), Semantics()))
        answer = difference.let_through_by(old[0], Budget().question())
        assert isinstance(answer, Found)
        now, was = difference.outcomes(answer.scene)
        assert (was.dial, now.dial) == (False, True)
    shorter = [_stop("old", 1, cond("last", "lessThan", "P8D", "period"))]
    assert isinstance(_asked([_stop("old", 1, recent)], shorter, columns), Nowhere)


def test_what_no_cell_decides_is_unknown_unless_a_contact_shows_it() -> None:
    """Values are tried; that none shows a difference is no proof."""
    columns = (Column("x", "number"), Column("y", "number"), Column("name", "string"), *COLUMNS)
    old = [_stop("old", 1, when("contact.x > contact.y"))]
    assert isinstance(_asked(old, old, columns), Nowhere)  # nothing has changed, whatever it means
    assert isinstance(_asked(old, [_stop("old", 1, when("contact.y < contact.x"))], columns), Unknown)
    assert isinstance(_asked(old, [_stop("old", 1, when("contact.y + 1.0 < contact.x"))], columns), Found)
    two = [_stop("old", 1, cond("name", "contains", "abc"))]
    assert isinstance(_asked(two, [_stop("old", 1, cond("name", "contains", "abcd"))], columns), Found)


def test_the_budget_is_kept() -> None:
    """Where whole runs have to be compared, one run more than allowed is unknown."""
    reset = rule("reset", 1, [cond("b", "equals", 1)], [act("setAttribute", attribute="a", value="1")])
    old = [reset, _stop("old", 2, cond("a", "greaterThan", 4), cond("s", "equals", "TX"))]
    new = [replace(reset, conditions=(cond("b", "equals", 5),)), old[1]]
    assert isinstance(_asked(old, new, COLUMNS), Nowhere)
    answer = _asked(old, new, COLUMNS, 3)
    assert isinstance(answer, Unknown)
    assert (answer.kind, answer.reason) == ("budget", "not decided within 3 runs")


def test_a_column_that_the_new_list_does_not_have_is_as_it_was() -> None:
    """Deleting a column together with its suppression shows the contacts that were suppressed; they stay personal."""
    personal = Column("ssn", "string", pii=True)
    old = campaign([_stop("old", 1, cond("ssn", "exists"))], (*COLUMNS, personal))
    new = campaign([NOTHING], COLUMNS)
    difference = _difference((old, Semantics()), (new, Semantics()))
    answer = difference.let_through_by(old.rules[0], Budget().question())
    assert isinstance(answer, Found)
    assert answer.scene.contact["ssn"]
    assert difference.personal == {"ssn"}


def test_a_run_that_could_not_be_completed_refused_the_contact() -> None:
    """Counting a text breaks the run; without the rule the contact is dialed, although no condition reads it."""
    columns = (Column("note", "string"), *COLUMNS)
    counting = rule(
        "count", 1, [cond("s", "equals", "TX")], [act("setAttribute", attribute="note", option="INCREMENT")]
    )
    difference = _difference(
        (campaign([counting], columns), Semantics(undecided="unmet")),
        (campaign([NOTHING], columns), Semantics(undecided="unmet")),
    )
    answer = difference.no_longer_undecided(counting, Budget().question())
    assert isinstance(answer, Found)
    now, was = difference.outcomes(answer.scene)
    assert was.failure is not None
    assert now.dial
