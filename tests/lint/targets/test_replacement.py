"""Rules that stand in for others: what is proved or shown, against runs over every contact of a small domain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.analysis.answers import Budget, Found, Nowhere, Unknown
from dialproof.analysis.exchange import same_result
from dialproof.analysis.replacement import StandIn, as_all, where_all_differs, where_stand_in_differs
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.targets.rewriting import alternatives
from tests.lint.analysis.build import COLUMNS, act, analysis, campaign, campaigns, cond, contacts, group, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.model.rules import Action, Expression
    from dialproof.project import Campaign

CONTACTS = tuple(contacts())

leaves = st.one_of(
    st.builds(
        cond,
        st.sampled_from(("a", "b")),
        st.sampled_from(("equals", "lessThan", "greaterThanOrEqual")),
        st.integers(0, 4),
    ),
    st.builds(cond, st.just("s"), st.just("equals"), st.sampled_from(("TX", "CA"))),
    st.builds(cond, st.just("a"), st.sampled_from(("exists", "notExists"))),
)


def stand_in_for(built: Campaign, index: int) -> StandIn:
    """Return one rule for each alternative of a rule's conditions."""
    written = built.rules[index]
    forms = alternatives(written.conditions)
    assert forms is not None
    rules = [replace(written, name=f"{written.name} {n}", conditions=tuple(form)) for n, form in enumerate(forms)]
    return StandIn(built, written, tuple(rules))


def differing(stand_in: StandIn, semantics: Semantics) -> list[dict[str, object]]:
    """Return the contacts on which the rules do not come to the same, run through the whole campaign."""
    before, after = Evaluator(stand_in.campaign, semantics), Evaluator(stand_in.after, semantics)
    return [c for c in CONTACTS if not stand_in.same(before.run(c), after.run(c))]


@settings(max_examples=50)
@given(campaigns(), st.lists(leaves, min_size=2, max_size=3), st.integers(0, 4))
def test_what_stands_in_does_the_same(
    drawn: tuple[Campaign, Semantics], members: Sequence[Expression], position: int
) -> None:
    """What is proved holds on every contact of the domain; what is shown differs on the contact shown."""
    built, semantics = drawn
    index = position % len(built.rules)
    rules = list(built.rules)
    rules[index] = replace(rules[index], conditions=(group("any", *members),))
    stand_in = stand_in_for(replace(built, rules=tuple(rules)), index)
    answer = where_stand_in_differs(analysis(stand_in.campaign, semantics), stand_in, Budget().question())
    wrong = differing(stand_in, semantics)
    if isinstance(answer, Nowhere):
        assert wrong == []
    elif isinstance(answer, Found) and not wrong:
        # Rules that end the run in front of it are not all looked at, so that it may not even be reached.
        assert semantics.doNotDialStops or built.hit_policy == "first"


ANY = group("any", cond("s", "equals", "TX"), cond("b", "greaterThan", 1))
APART = group("any", cond("s", "equals", "TX"), group("all", cond("s", "equals", "CA"), cond("b", "greaterThan", 1)))
BLANK = group("any", cond("s", "equals", "TX"), cond("a", "greaterThan", 3))


def answer_for(condition: Expression, action: Action, **semantics: object) -> object:
    """Return whether one rule for each alternative comes to the same."""
    built = campaign([rule("r", 1, [condition], [action])], COLUMNS)
    meaning = Semantics(**semantics)  # type: ignore[arg-type]
    stand_in = stand_in_for(built, 0)
    answer = where_stand_in_differs(analysis(built, meaning), stand_in, Budget().question())
    assert isinstance(answer, Found) == bool(differing(stand_in, meaning))
    return type(answer)


def test_an_action_that_may_be_repeated_allows_the_split() -> None:
    """Both rules act on a contact of both alternatives: once more on a list is no more, a second count is."""
    counting = act("setAttribute", attribute="x", option="INCREMENT")
    assert answer_for(ANY, act("setList", listId="l")) is Nowhere
    assert answer_for(ANY, counting) is Found
    assert answer_for(APART, counting) is Nowhere


def test_an_undecided_alternative_forbids_the_split() -> None:
    """The other alternative decides the rule, and of the two rules one stays undecided: nobody is dialed then."""
    assert answer_for(BLANK, act("setList", listId="l")) is Found
    assert answer_for(BLANK, act("doNotDial")) is Found
    assert answer_for(BLANK, act("setList", listId="l"), undecided="met") is Found


def test_a_rule_that_writes_what_it_reads_is_not_split() -> None:
    """After the first rule has written, the second one may hold."""
    moves = group("any", cond("s", "equals", "TX"), cond("s", "equals", "CA"))
    written = act("setAttribute", attribute="s", value="CA")
    assert answer_for(moves, act("setAttribute", attribute="x", option="INCREMENT")) is Nowhere
    built = campaign(
        [rule("r", 1, [moves], [written, act("setAttribute", attribute="x", option="INCREMENT")])], COLUMNS
    )
    answer = where_stand_in_differs(analysis(built), stand_in_for(built, 0), Budget().question())
    assert isinstance(answer, Found)


def test_a_budget_of_one_decides_nothing() -> None:
    """What could not be run is not proved."""
    built = campaign([rule("r", 1, [ANY], [act("setList", listId="l")])], COLUMNS)
    answer = where_stand_in_differs(analysis(built), stand_in_for(built, 0), Budget(1).question())
    assert isinstance(answer, Unknown)


@settings(max_examples=50)
@given(campaigns())
def test_every_match_comes_to_the_same_as_the_first(drawn: tuple[Campaign, Semantics]) -> None:
    """Where that is proved no contact tells the two hit policies apart; else some contact does, or it is left open."""
    built, semantics = replace(drawn[0], hit_policy="first"), drawn[1]
    first, every = Evaluator(built, semantics), Evaluator(replace(built, hit_policy="all"), semantics)
    different = [c for c in CONTACTS if not same_result(first.run(c), every.run(c))]
    answer = where_all_differs(built, semantics, Budget())
    if isinstance(answer, Nowhere):
        assert different == []
        assert as_all(built, semantics).hit_policy == "all"
    else:
        assert as_all(built, semantics) is built
        assert different or isinstance(answer, Unknown)


def test_rules_that_exclude_each_other_come_to_the_same() -> None:
    """One rule a state: `first` and `all` are one policy, until a contact meets two rules or one is undecided."""
    texas = rule("texas", 1, [cond("s", "equals", "TX")], [act("setList", listId="l")])
    others = rule("others", 2, [cond("s", "notEquals", "TX")], [act("doNotDial")])
    tired = rule("tired", 3, [cond("s", "equals", "TX"), cond("a", "greaterThan", 9)], [act("doNotDial")])
    policy = {name: as_all(campaign(rules, COLUMNS, hit_policy="first"), Semantics()).hit_policy
              for name, rules in {"two": [texas, others], "three": [texas, others, tired]}.items()}  # fmt: skip
    assert policy == {"two": "all", "three": "first"}
    unmet = Semantics(undecided="unmet")
    assert as_all(campaign([texas, others, tired], COLUMNS, hit_policy="first"), unmet).hit_policy == "all"
