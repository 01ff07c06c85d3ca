"""Redundant rules and lists that nobody reaches: held against running every contact."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings

from dialproof.analysis.contradictions import contradicting_actions
from dialproof.analysis.effects import results
from dialproof.checks import duplicate_rule, list_never_reached, redundant_rule, shadowed_by_union, shadowed_rule
from dialproof.evaluate import Evaluator
from tests.lint.analysis.build import act, campaign, campaigns, cond, contacts, context, rule
from tests.lint.analysis.test_checks import run

if TYPE_CHECKING:
    from dialproof.config import Semantics
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=20, suppress_health_check=list(HealthCheck))


@given(campaigns())
@SETTINGS
def test_a_rule_is_redundant_iff_no_contact_misses_it(drawn: tuple[Campaign, Semantics]) -> None:
    """From the last rule to the first: reported iff every contact comes to the same without it and those before."""
    built, semantics = drawn
    ctx = context(built, Path("/nowhere"), semantics)
    reported = {f.rules[0] for f in run(redundant_rule.CHECK, ctx)}
    assert not [u for u in ctx.analysis.undecided if u.code == "DP304"]
    other = {f.rules[0] for check in (shadowed_rule, shadowed_by_union) for f in run(check.CHECK, ctx)}
    other |= {name for f in run(duplicate_rule.CHECK, ctx) for name in f.rules}
    other |= {a.name for a, b in combinations(built.rules, 2) if contradicting_actions(a, b)}
    evaluator = Evaluator(built, semantics)
    holds = (True, None) if semantics.undecided == "met" else (True,)
    matching = {n for c in contacts() for n, v in evaluator.verdicts(c).items() if v in holds}
    gone: list[str] = []
    for one in reversed(built.rules):
        same = all(
            results(evaluator.run(c, without=gone)) == results(evaluator.run(c, without=[*gone, one.name]))
            for c in contacts()
        )
        if one.name in reported:
            assert same
            gone.append(one.name)
        elif one.name in matching - other:
            assert not same


def test_under_first_the_rule_that_comes_next_decides() -> None:
    """Removing a rule changes nothing where whoever comes next does the same, and something where one does not."""
    rules = [
        rule("narrow", 1, [cond("a", "greaterThan", 4)], [act("setList", listId="l")]),
        rule("between", 2, [cond("s", "equals", "TX"), cond("a", "equals", 6)], [act("setList", listId="m")]),
        rule("wide", 3, [cond("a", "greaterThan", 2)], [act("setList", listId="l")]),
    ]
    from tests.lint.analysis.build import COLUMNS

    built = campaign(rules, COLUMNS, hit_policy="first")
    assert run(redundant_rule.CHECK, context(built, Path("/nowhere"))) == []
    fewer = replace(built, rules=(rules[0], rules[2]))
    assert [f.rules for f in run(redundant_rule.CHECK, context(fewer, Path("/nowhere")))] == [("narrow", "wide")]


@given(campaigns())
@SETTINGS
def test_a_list_is_never_reached_iff_no_contact_ends_on_it(drawn: tuple[Campaign, Semantics]) -> None:
    """Reported iff some rule puts contacts on the list and every run ends without one on it."""
    built, semantics = drawn
    ctx = context(built, Path("/nowhere"), semantics)
    found = run(list_never_reached.CHECK, ctx)
    assert not ctx.analysis.undecided
    evaluator = Evaluator(built, semantics)
    last = [{a.fields["listId"]: a.fields["value"] for a in r.actions if a.type == "setList"} for r in built.rules]
    wanted = {"l"} if any(writes.get("l") == "true" for writes in last) else set()
    outcomes = [o for o in map(evaluator.run, contacts()) if o.failure is None]
    reached = {name for o in outcomes for name, on in o.lists.items() if on}
    assert len(found) == len(wanted - reached)
