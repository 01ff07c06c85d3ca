"""What the analysis says of small campaigns, against every contact of their domain."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.analysis.answers import Found, Nowhere, acted
from dialproof.evaluate import Evaluator
from tests.lint.analysis.build import analysis, campaigns, contacts

if TYPE_CHECKING:
    from dialproof.config import Semantics
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=25, suppress_health_check=list(HealthCheck))


@given(campaigns())
@SETTINGS
def test_regions_hold_a_contact_exactly_where_some_contact_has_the_verdict(drawn: tuple[Campaign, Semantics]) -> None:
    """T, F and their complements are empty exactly where no contact of the domain is in them."""
    built, semantics = drawn
    asked, evaluator = analysis(built, semantics), Evaluator(built, semantics)
    verdicts = [evaluator.verdicts(contact) for contact in contacts()]
    for rule in built.rules:
        seen = {v[rule.name] for v in verdicts}
        assert bool(asked.region(rule).boxes) == (True in seen)
        assert bool(asked.region(rule, "false").boxes) == (False in seen)
        assert bool(asked.region(rule, "not true").boxes) == bool(seen - {True})
        assert bool(asked.region(rule, "not false").boxes) == bool(seen - {False})


KNOWN = st.fixed_dictionaries(
    {}, optional={"a": st.sampled_from((2, 6, 2.5, -1, 99, "4", "n/a")), "b": st.integers(-2, 5), "s": st.just("CA")}
)
"""Contacts of a project's fixtures, some of them outside of the domain."""


@given(campaigns(), st.lists(KNOWN, max_size=4))
@SETTINGS
def test_two_rules_act_together_exactly_where_some_contact_shows_it(
    drawn: tuple[Campaign, Semantics], familiar: list[dict[str, object]]
) -> None:
    """Witness and proof agree with running every contact: order, writes, stops and hit policy included."""
    built, semantics = drawn
    runs = analysis(built, semantics, familiar).runs("preCall")
    evaluator = Evaluator(built, semantics)
    outcomes = [evaluator.run(contact) for contact in contacts()]
    sets = [acted(outcome) for outcome in outcomes if outcome.failure is None]
    for one, other in combinations(range(len(built.rules)), 2):
        names = {built.rules[one].name, built.rules[other].name}
        answer = runs.both_act(one, other)
        assert isinstance(answer, (Found, Nowhere))
        assert isinstance(answer, Found) == any(names <= s for s in sets)
        if isinstance(answer, Found):
            assert names <= acted(evaluator.run(answer.scene.contact, context=answer.scene.context))
        overlap = runs.overlapping[other] >> one & 1
        assert overlap or isinstance(answer, Nowhere)


@given(campaigns())
@SETTINGS
def test_a_rule_acts_exactly_where_some_contact_shows_it(drawn: tuple[Campaign, Semantics]) -> None:
    """That a rule acts on some contact is decided as by running every contact."""
    built, semantics = drawn
    runs = analysis(built, semantics).runs("preCall")
    evaluator = Evaluator(built, semantics)
    outcomes = [evaluator.run(contact) for contact in contacts()]
    for index, rule in enumerate(built.rules):
        expected = any(rule.name in acted(o) for o in outcomes if o.failure is None)
        assert isinstance(runs.acts(index), Found) == expected


@given(campaigns())
@SETTINGS
def test_what_rules_do_does_not_depend_on_their_names(drawn: tuple[Campaign, Semantics]) -> None:
    """Rules that share a name (DP305) are told apart: the answers are those of rules with names of their own."""
    built, semantics = drawn
    named = replace(built, rules=tuple(replace(r, name="r" if i % 2 else r.name) for i, r in enumerate(built.rules)))
    runs, alike = analysis(built, semantics).runs("preCall"), analysis(named, semantics).runs("preCall")
    for one, other in combinations(range(len(built.rules)), 2):
        assert type(alike.both_act(one, other)) is type(runs.both_act(one, other))
        assert type(alike.acts(other)) is type(runs.acts(other))


@given(campaigns())
@SETTINGS
def test_covering_rules_hold_wherever_the_covered_rule_does(drawn: tuple[Campaign, Semantics]) -> None:
    """A rule that is said to cover another acts (alone) on every contact on which that one does, and no other does."""
    built, semantics = drawn
    runs = analysis(built, semantics).runs("preCall")
    evaluator = Evaluator(built, semantics)
    verdicts = [evaluator.verdicts(contact) for contact in contacts()]
    holds = (True, None) if semantics.undecided == "met" else (True,)
    for index, rule in enumerate(built.rules):
        for other in range(index):
            name = built.rules[other].name
            inside = [v[name] in holds for v in verdicts if v[rule.name] in holds]
            expected = runs.ends[other] and bool(inside) and all(inside)
            assert bool(runs.covering[index] >> other & 1) == expected
