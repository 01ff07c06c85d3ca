"""Rules that never act: held against running every contact, and against every set of rules that could be the reason."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings

from dialproof.checks import shadowed_by_union, shadowed_rule
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, campaign, campaigns, cond, contacts, context, rule
from tests.lint.analysis.test_checks import run

if TYPE_CHECKING:
    from dialproof.config import Semantics
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=20, suppress_health_check=list(HealthCheck))


@given(campaigns())
@SETTINGS
def test_covers_are_the_smallest_sets_that_leave_no_contact_over(drawn: tuple[Campaign, Semantics]) -> None:
    """Without writes, a rule is reported iff earlier rules leave none of its contacts, with as few rules as can be."""
    built, semantics = drawn
    rules = [
        replace(r, actions=tuple(a for a in r.actions if a.type != "setAttribute") or (act("doNotDial"),))
        for r in built.rules
    ]
    built = replace(built, rules=tuple(rules))
    ctx = context(built, Path("/nowhere"), semantics)
    found = {f.rules[0]: set(f.rules[1:]) for f in run(shadowed_rule.CHECK, ctx)}
    single = dict(found)
    found |= {f.rules[0]: set(f.rules[1:]) for f in run(shadowed_by_union.CHECK, ctx)}
    assert not ctx.analysis.undecided

    verdicts = [Evaluator(built, semantics).verdicts(c) for c in contacts()]
    holds = (True, None) if semantics.undecided == "met" else (True,)
    for index, one in enumerate(rules):
        enders = [
            other.name
            for other in rules[:index]
            if built.hit_policy == "first"
            or (semantics.doNotDialStops and any(a.type == "doNotDial" for a in other.actions))
        ]
        mine = [{n for n in enders if v[n] in holds} for v in verdicts if v[one.name] in holds]
        if not mine or not all(mine):
            assert one.name not in found
            continue
        size = next(
            n for n in range(1, len(enders) + 1)
            if any(all(set(chosen) & acting for acting in mine) for chosen in combinations(enders, n))
        )  # fmt: skip
        assert len(found[one.name]) == size
        assert all(found[one.name] & acting for acting in mine)
        assert (one.name in single) == (size == 1)


@given(campaigns())
@SETTINGS
def test_with_writes_a_reported_rule_never_acts(drawn: tuple[Campaign, Semantics]) -> None:
    """Whatever rules write, a rule that is reported acts on no contact, and one that is not acts or matches none."""
    built, semantics = drawn
    ctx = context(built, Path("/nowhere"), semantics)
    reported = {f.rules[0] for check in (shadowed_rule, shadowed_by_union) for f in run(check.CHECK, ctx)}
    evaluator = Evaluator(built, semantics)
    outcomes = [o for o in map(evaluator.run, contacts()) if o.failure is None]
    acting = {n for o in outcomes for n in set(o.matched) - set(o.undecided)}
    assert not reported & acting
    if ctx.analysis.undecided or semantics.undecided == "met" or len(outcomes) < len(list(contacts())):
        return
    verdicts = [evaluator.verdicts(c) for c in contacts()]
    matching = {r.name for r in built.rules if any(v[r.name] for v in verdicts)}
    assert reported == matching - acting


def test_many_rules_are_dead_only_together() -> None:
    """Of rules over twenty segments, each third one is covered by the two in front of it and by no single one."""
    columns = (Column("segment", "integer", min=0, max=19), Column("n", "integer", min=0, max=99, required=True))
    rules = []
    for segment in range(20):
        here = cond("segment", "equals", segment)
        for part in (cond("n", "lessThan", 40), cond("n", "greaterThanOrEqual", 40), cond("n", "between", (10, 60))):
            rules.append(rule(f"r{len(rules)}", len(rules) + 1, [here, part], [act("setList", listId="l")]))
    dead = {f"r{3 * k + 2}" for k in range(20)}
    ctx = context(campaign(rules, columns, hit_policy="first"), Path("/nowhere"))
    assert run(shadowed_rule.CHECK, ctx) == []
    found = run(shadowed_by_union.CHECK, ctx)
    assert {f.rules[0] for f in found} == dead
    assert all(f.rules[1:] == (f"r{int(f.rules[0][1:]) - 2}", f"r{int(f.rules[0][1:]) - 1}") for f in found)

    relaxed = context(campaign(rules, columns), Path("/nowhere"))
    assert run(shadowed_rule.CHECK, relaxed) == run(shadowed_by_union.CHECK, relaxed) == []


def test_without_any_cell_left_out_a_rule_is_found_by_the_solver() -> None:
    """A contact that only one combination of two columns leaves over is found, and the rule not reported."""
    columns = (
        Column("a", "integer", min=0, max=99, required=True),
        Column("b", "integer", min=0, max=99, required=True),
    )
    rules = [
        rule("a", 1, [cond("a", "notEquals", 17)], [act("setList", listId="l")]),
        rule("b", 2, [cond("b", "notEquals", 71)], [act("setList", listId="l")]),
        rule("c", 3, [cond("a", "lessThan", 50)], [act("setList", listId="l")]),
    ]
    built = campaign(rules, columns, hit_policy="first")
    ctx = context(built, Path("/nowhere"))
    assert run(shadowed_by_union.CHECK, ctx) == []
    assert not ctx.analysis.undecided
