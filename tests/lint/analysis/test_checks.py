"""The checks that rest on the analysis, against every contact of small campaigns and on generated large ones."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings

from dialproof.analysis.answers import acted
from dialproof.checks import (
    always_true_rule,
    conflicting_rules,
    dependency_cycle,
    duplicate_rule,
    priority_inversion,
    shadowed_rule,
    undecided,
    unreachable_rule,
)
from dialproof.evaluate import Evaluator
from dialproof.model.actions import contradicts
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, campaign, campaigns, cond, contacts, context, rule

if TYPE_CHECKING:
    from dialproof.checks.base import Check, CheckContext
    from dialproof.config import Semantics
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
ALL = tuple(
    module.CHECK
    for module in (
        unreachable_rule, always_true_rule, conflicting_rules, shadowed_rule, duplicate_rule, priority_inversion,
        dependency_cycle, undecided,
    )
)  # fmt: skip


def run(check: Check, ctx: CheckContext) -> list[Finding]:
    """Return what one check finds."""
    ctx.check = check
    return list(check.run(ctx))


def _contradict(one: Rule, other: Rule) -> bool:
    return any(contradicts(a, b) for a in one.actions for b in other.actions)


@given(campaigns())
@SETTINGS
def test_findings_are_those_of_running_every_contact(drawn: tuple[Campaign, Semantics]) -> None:
    """Unreachable, always true, conflicting and shadowed rules are exactly those that exhaustive runs show."""
    built, semantics = drawn
    ctx = context(built, Path("/nowhere"), semantics)
    evaluator = Evaluator(built, semantics)
    everybody = list(contacts())
    verdicts = [evaluator.verdicts(c) for c in everybody]
    outcomes = [evaluator.run(c) for c in everybody]
    acting = [acted(o) for o in outcomes if o.failure is None]

    never = {f.rules[0] for f in run(unreachable_rule.CHECK, ctx)}
    silent = {r.name for r in built.rules if not any(r.name in a for a in acting)}
    assert never == {r.name for r in built.rules if r.name in silent and not any(v[r.name] for v in verdicts)}

    always = {f.rules[0] for f in run(always_true_rule.CHECK, ctx)}
    assert always == {r.name for r in built.rules if all(v[r.name] for v in verdicts)}

    conflicts = {frozenset(f.rules) for f in run(conflicting_rules.CHECK, ctx)}
    pairs = [(a, b) for a, b in combinations(built.rules, 2) if _contradict(a, b)]
    assert conflicts == {frozenset((a.name, b.name)) for a, b in pairs if any({a.name, b.name} <= s for s in acting)}

    for finding in run(shadowed_rule.CHECK, ctx):
        assert finding.rules[0] in {
            n for n in (r.name for r in built.rules) if all(n not in acted(o) for o in outcomes)
        }
    for finding in run(priority_inversion.CHECK, ctx):
        assert set(finding.rules) <= acted(finding.witness.outcome)  # type: ignore[union-attr]
    assert run(undecided.CHECK, ctx) == []


@given(campaigns())
@SETTINGS
def test_a_rule_is_shadowed_if_one_earlier_rule_ends_the_run_on_all_its_contacts(
    drawn: tuple[Campaign, Semantics],
) -> None:
    """Without writes, the shadowed rules are exactly those inside one earlier rule that ends the run."""
    built, semantics = drawn
    rules = [
        replace(r, actions=tuple(a for a in r.actions if a.type != "setAttribute") or (act("doNotDial"),))
        for r in built.rules
    ]
    built = replace(built, rules=tuple(rules))
    ctx = context(built, Path("/nowhere"), semantics)
    verdicts = [Evaluator(built, semantics).verdicts(c) for c in contacts()]
    holds = (True, None) if semantics.undecided == "met" else (True,)
    expected = set()
    for index, one in enumerate(rules):
        mine = [v for v in verdicts if v[one.name] in holds]
        for other in rules[:index]:
            ends = built.hit_policy == "first" or (
                semantics.doNotDialStops and any(a.type == "doNotDial" for a in other.actions)
            )
            if mine and ends and all(v[other.name] in holds for v in mine):
                expected.add(one.name)
    assert {f.rules[0] for f in run(shadowed_rule.CHECK, ctx)} == expected


@given(campaigns())
@SETTINGS
def test_duplicates_hold_on_the_same_contacts(drawn: tuple[Campaign, Semantics]) -> None:
    """With equal actions everywhere, rules are duplicates exactly where no contact tells them apart."""
    built, semantics = drawn
    rules = tuple(replace(r, actions=(act("doNotDial"),)) for r in built.rules)
    built = replace(built, rules=rules)
    verdicts = [Evaluator(built, semantics).verdicts(c) for c in contacts()]
    expected = set()
    for index, one in enumerate(rules):
        mine = [v[one.name] is True for v in verdicts]
        if any(mine) and any(mine == [v[o.name] is True for v in verdicts] for o in rules[:index]):
            expected.add(one.name)
    assert {f.rules[0] for f in run(duplicate_rule.CHECK, context(built, Path("/nowhere"), semantics))} == expected


def _table(count: int, seed: int = 7) -> tuple[list[Rule], list[Column]]:
    """Return rules of a decision table: every rule has an interval of its own, so that no two act together."""
    rng = random.Random(seed)
    columns = [
        Column("x", "integer", min=0, max=10 * count, required=True),
        Column("s", "string"),
        Column("n", "number"),
    ]
    rules = []
    for i in range(count):
        conditions = [cond("x", "between", (10 * i, 10 * i + 9))]
        if rng.random() < 0.5:
            conditions.append(cond("s", "notEquals", f"v{rng.randrange(9)}"))
        if rng.random() < 0.5:
            conditions.append(cond("n", "greaterThan", rng.randrange(1000)))
        value = rng.choice(("true", "false"))
        rules.append(rule(f"r{i}", i + 1, conditions, [act("setList", listId="l", value=value)], priority=i + 1))
    return rules, columns


def test_a_clean_table_has_no_findings_and_every_pair_is_decided() -> None:
    """Two thousand disjoint rules: nothing is found, nothing is left open, no pair is run."""
    rules, columns = _table(2000)
    ctx = context(campaign(rules, columns), Path("/nowhere"))
    assert [f for check in (conflicting_rules.CHECK, undecided.CHECK) for f in run(check, ctx)] == []
    assert ctx.analysis.decided["cells"] == 2000 * 1999 // 2
    assert ctx.analysis.decided["unknown"] == 0


def test_a_seeded_conflict_is_found_and_nothing_else() -> None:
    """One rule widened by one value into its neighbour, with the opposite action: exactly that pair is reported."""
    rules, columns = _table(150)
    for seed in range(10):
        at = random.Random(seed).randrange(1, 149)
        faulty = list(rules)
        wanted = {"true": "false", "false": "true"}[str(rules[at - 1].actions[0].fields["value"])]
        faulty[at] = replace(
            rules[at],
            conditions=(cond("x", "between", (10 * at - 1, 10 * at + 9)),),
            actions=(act("setList", listId="l", value=wanted),),
        )
        ctx = context(campaign(faulty, columns), Path("/nowhere"))
        found = run(conflicting_rules.CHECK, ctx)
        assert [f.rules for f in found] == [(f"r{at}", f"r{at - 1}")]
        witness = found[0].witness
        assert witness is not None
        assert witness.contact["x"] == 10 * at - 1
        assert witness.other is not None
        later, earlier = found[0].rules
        assert earlier in witness.outcome.matched
        assert later in witness.other.matched
        inverted = run(priority_inversion.CHECK, ctx)
        assert [f.rules for f in inverted] == [(f"r{at}", f"r{at - 1}")]


def test_a_budget_of_one_leaves_questions_open_and_changes_nothing_else() -> None:
    """What cells decide stays; what needs runs becomes DP901 that names the check and both rules."""
    columns = [Column("a", "integer", min=0, max=9), Column("b", "integer", min=0, max=9), Column("t", "string")]
    rules = [
        rule("count", 1, [cond("b", "greaterThan", 3)], [act("setAttribute", attribute="a", option="INCREMENT")]),
        rule("on", 2, [cond("a", "equals", 0)], [act("setList", listId="l", value="true")]),
        rule("off", 3, [cond("a", "equals", 1)], [act("setList", listId="l", value="false")]),
        rule("yes", 4, [cond("t", "exists")], [act("setList", listId="m", value="true")]),
        rule("no", 5, [cond("b", "equals", 2)], [act("setList", listId="m", value="false")]),
    ]
    built = campaign(rules, columns)

    def findings(**options: Any) -> tuple[list[tuple[str, ...]], list[str]]:
        ctx = context(built, Path("/nowhere"), **options)
        found = [f for check in ALL[:-1] for f in run(check, ctx)]
        return [(f.code, *f.rules) for f in found], [f.summary for f in run(undecided.CHECK, ctx)]

    whole, nothing = findings()
    poor, left = findings(budget=1)
    assert whole == poor == [("DP301", "no", "yes")]
    assert nothing == []
    assert left == ['DP301 is not decided for "off" and "on": not decided within 1 runs']


def test_a_conflict_that_needs_a_write_is_found_with_the_contact_that_starts_it() -> None:
    """A value that only a write makes (outside of the domain even) switches the second rule on."""
    columns = [Column("tier", "string", enum=("gold", "basic")), Column("a", "integer", min=0, max=3)]
    rules = [
        rule("promote", 1, [cond("a", "equals", 3)], [act("setAttribute", attribute="tier", value="vip")]),
        rule("on", 2, [cond("a", "greaterThan", 1)], [act("setList", listId="l", value="true")]),
        rule("vip", 3, [cond("tier", "equals", "vip")], [act("setList", listId="l", value="false")]),
    ]
    (found,) = run(conflicting_rules.CHECK, context(campaign(rules, columns), Path("/nowhere")))
    assert found.rules == ("vip", "on")
    assert found.witness is not None
    assert found.witness.contact["a"] == 3


def test_overlaps_of_long_chains_of_alternatives_are_those_of_their_parts() -> None:
    """Rules that are unions of boxes overlap where one of their boxes does."""
    from tests.lint.analysis.build import analysis, group

    columns = [Column("a", "integer", min=0, max=99), Column("b", "integer", min=0, max=99)]
    rng = random.Random(3)

    def spot() -> tuple[int, int]:
        return rng.randrange(100), rng.randrange(100)

    spots = [[spot() for _ in range(20)] for _ in range(30)]
    rules = [
        rule(
            f"r{i}", i + 1,
            [group("any", *(group("all", cond("a", "equals", a), cond("b", "equals", b)) for a, b in mine))],
            [act("doNotDial")],
        )
        for i, mine in enumerate(spots)
    ]  # fmt: skip
    runs = analysis(campaign(rules, columns)).runs("preCall")
    for i, j in combinations(range(30), 2):
        assert bool(runs.overlapping[i] >> j & 1) == bool(set(spots[i]) & set(spots[j]))
