"""The checks that rest on the analysis, against every contact of small campaigns and on generated large ones."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import re2
from hypothesis import HealthCheck, given, settings

from dialproof.analysis import sat
from dialproof.analysis.answers import acted
from dialproof.analysis.exchange import same_result
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
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.actions import contradicts
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, campaign, campaigns, cond, contacts, context, rule, when

if TYPE_CHECKING:
    from dialproof.checks.base import Check, CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Action, Rule, When
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=20, suppress_health_check=list(HealthCheck))
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


def _culprits(built: Campaign, evaluator: Evaluator, name: str, contact: dict[str, object]) -> set[str]:
    """Return the rules that end the run in front of a rule, or turn its verdict, run without what comes after them."""
    found = set()
    met = evaluator.semantics.undecided == "met"
    holds = (True, None) if met else (True,)
    position = next(i for i, r in enumerate(built.rules) if r.name == name)
    for index, one in enumerate(built.rules[:position]):
        before = evaluator.run(contact, without=[r.name for r in built.rules[index:]])
        after = evaluator.run(contact, without=[r.name for r in built.rules[index + 1 :]])
        if one.name not in after.matched:
            continue
        stops = evaluator.semantics.doNotDialStops and any(a.type == "doNotDial" for a in one.actions)
        if built.hit_policy == "first" or stops:
            return {*found, one.name}
        if evaluator.semantics.laterRulesSeeUpdates:
            held = evaluator.verdicts(before.contact)[name] in holds
            if held and evaluator.verdicts(after.contact)[name] not in holds:
                found.add(one.name)
    return found


@given(campaigns())
@SETTINGS
def test_one_rule_is_named_only_if_it_is_in_the_way_on_every_contact(drawn: tuple[Campaign, Semantics]) -> None:
    """With writes and either hit policy: shadowed by one rule exactly where it stops or turns the rule everywhere."""
    built, semantics = drawn
    evaluator = Evaluator(built, semantics)
    found = {f.rules[0]: f.rules[1] for f in run(shadowed_rule.CHECK, context(built, Path("/nowhere"), semantics))}
    holds = (True, None) if semantics.undecided == "met" else (True,)
    for one in built.rules:
        behind = [r.name for r in built.rules[built.rules.index(one) :]]
        matching = [c for c in contacts() if evaluator.verdicts(c)[one.name] in holds]
        mine = [c for c in matching if evaluator.run(c, without=behind).failure is None]
        acts = any(one.name in acted(o) for o in map(evaluator.run, contacts()) if o.failure is None)
        common: set[str] = set()
        if mine and not acts:
            common = set.intersection(*(_culprits(built, evaluator, one.name, c) for c in mine))
        if common:
            assert one.name in found
        assert one.name not in found or matching
        if one.name in found and built.hit_policy == "all" and not semantics.doNotDialStops:
            assert found[one.name] in common


@given(campaigns())
@SETTINGS
def test_an_inversion_is_found_exactly_where_both_ways_of_moving_change_an_outcome(
    drawn: tuple[Campaign, Semantics],
) -> None:
    """Later rule first and earlier rule last, on every contact: that is what the order of two rules means."""
    built, semantics = drawn
    evaluator = Evaluator(built, semantics)
    outcomes = [(c, o) for c in contacts() if (o := evaluator.run(c)).failure is None]

    def changed(order: list[Rule], contact: dict[str, object], outcome: Outcome) -> bool:
        other = evaluator.of(order).run(contact)
        return other.failure is not None or not same_result(outcome, other)

    expected = set()
    for i, j in combinations(range(len(built.rules)), 2):
        one, other = built.rules[i], built.rules[j]
        both = [(c, o) for c, o in outcomes if {one.name, other.name} <= acted(o)]
        if other.priority <= one.priority or not both:
            continue
        rest = list(built.rules)
        ways = (
            [*rest[:i], other, one, *rest[i + 1 : j], *rest[j + 1 :]],
            [*rest[:i], *rest[i + 1 : j], other, one, *rest[j + 1 :]],
        )
        if _contradict(one, other) or any(all(changed(w, c, o) for w in ways) for c, o in both):
            expected.add((other.name, one.name))
    ctx = context(built, Path("/nowhere"), semantics)
    findings = run(priority_inversion.CHECK, ctx)
    assert {f.rules for f in findings} == expected
    assert run(undecided.CHECK, ctx) == []
    for finding in findings:
        assert finding.witness is not None
        assert set(finding.rules) <= acted(finding.witness.outcome)


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


def _apart(number: int) -> When:
    """Return conditions over two columns that exclude each other, which only running every combination tells."""
    return when(f"[{number}.0, {number + 2}.0].exists(x, x == contact.a && contact.b < 9.0)")


def test_a_budget_of_one_leaves_questions_open_and_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cells decide stays; what needs runs becomes DP901 that names the check and both rules."""
    monkeypatch.setattr(sat, "_TOGETHER", 0)
    columns = [Column("a", "integer", min=0, max=9), Column("b", "integer", min=0, max=9), Column("t", "string")]
    rules = [
        rule("on", 2, [_apart(0)], [act("setList", listId="l", value="true")]),
        rule("off", 3, [_apart(1)], [act("setList", listId="l", value="false")]),
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


def test_a_rest_cell_is_no_contact() -> None:
    """A required column whose pattern excludes what a rule wants: no such contact is shown, and that is said."""
    columns = [Column("code", "string", required=True, pattern=r"\b[0-9]{10}"), Column("m", "integer", min=0, max=9)]
    rules = [
        rule("off", 1, [cond("m", "greaterThan", 3)], [act("setList", listId="l", value="false")]),
        rule("on", 2, [cond("m", "greaterThan", 2)], [act("setList", listId="l", value="true")]),
        rule("letters", 3, [cond("code", "greaterThan", "A")], [act("setList", listId="l", value="false")]),
    ]
    ctx = context(campaign(rules, columns), Path("/nowhere"))
    (found,) = run(conflicting_rules.CHECK, ctx)
    assert found.rules == ("on", "off")
    assert found.witness is not None
    assert re.fullmatch("[0-9]{10}", str(found.witness.contact["code"]))
    assert [f.rules for f in run(undecided.CHECK, ctx)] == [("letters", "on")]


@pytest.mark.parametrize(
    "pattern", ["[0-9]{10}", r"\\+1[2-9]\\d{9}", "(TX|CA)-[[:upper:]]{2,4}", "[^@]+@x[.](com|org)"]
)
def test_a_witness_fits_the_pattern_of_every_column_that_contacts_must_have(pattern: str) -> None:
    """A required column that no condition reads is filled with a value of its domain, nested columns too."""
    columns = [
        Column("id.code", "string", required=True, pattern=pattern),
        Column("seen", "date", required=True),
        Column("n", "integer", required=True, min=3, max=4),
        Column("m", "integer", min=0, max=9),
    ]
    rules = [
        rule("off", 1, [cond("m", "greaterThan", 3)], [act("setList", listId="l", value="false")]),
        rule("on", 2, [cond("m", "greaterThan", 2)], [act("setList", listId="l", value="true")]),
    ]
    (found,) = run(conflicting_rules.CHECK, context(campaign(rules, columns), Path("/nowhere")))
    assert found.witness is not None
    contact: Any = found.witness.contact
    assert re2.fullmatch(pattern, contact["id"]["code"])
    assert contact["n"] in (3, 4)
    assert contact["seen"]


def test_a_folded_text_fits_a_pattern_of_capitals() -> None:
    """Without case sensitivity a column still holds what its pattern says, and the rule is known to be met."""
    rules = [rule("any", 1, [cond("s", "exists")], [act("doNotDial")])]
    built = campaign(rules, [Column("s", "string", required=True, pattern="[A-Z]{2}")])
    (found,) = run(always_true_rule.CHECK, context(built, Path("/nowhere"), Semantics(caseSensitive=False)))
    assert found.witness is not None
    assert found.witness.outcome.matched == ("any",)


def test_a_rule_that_two_others_shadow_each_is_shadowed() -> None:
    """Either of two earlier rules would be enough: the first one is named."""
    rules = [
        rule("one", 1, [cond("a", "greaterThan", 1)], [act("setAttribute", attribute="a", value="0")]),
        rule("two", 2, [cond("a", "greaterThan", 2)], [act("doNotDial")]),
        rule("three", 3, [cond("a", "greaterThan", 3)], [act("switchToPreview")]),
    ]
    ctx = context(campaign(rules, [Column("a", "integer", min=0, max=9)], hit_policy="first"), Path("/nowhere"))
    assert [f.rules for f in run(shadowed_rule.CHECK, ctx)] == [("two", "one"), ("three", "one")]


def test_several_rules_together_are_not_claimed_to_be_one() -> None:
    """Each of two writes turns the verdict on a part of the contacts: neither is named."""
    rules = [
        rule(f"{s} moves", i, [cond("s", "equals", s)], [act("setAttribute", attribute="s", value="NY")])
        for i, s in enumerate(("TX", "CA"), 1)
    ]
    rules.append(rule("south", 3, [cond("s", "in", ("TX", "CA"))], [act("doNotDial")]))
    ctx = context(campaign(rules, [Column("s", "string", enum=("TX", "CA", "NY"))]), Path("/nowhere"))
    assert [f for check in (shadowed_rule.CHECK, undecided.CHECK) for f in run(check, ctx)] == []


COUNT = act("setAttribute", attribute="a", option="INCREMENT", value="5")


@pytest.mark.parametrize(
    ("between", "last"),
    [
        (act("setList", listId="x"), act("setAttribute", attribute="a", option="CURRENT_TIME")),
        (act("doNotDial"), act("setAttribute", attribute="a", option="DECREMENT", value="5")),
    ],
    ids=["two writes of one column", "a rule in between"],
)
def test_the_order_of_two_writes_matters(between: Action, last: Action) -> None:
    """By what they write to one column, and by what a rule between them sees of it."""
    rules = [
        rule("count", 1, [cond("s", "equals", "TX")], [COUNT]),
        rule("heavy", 2, [cond("a", "greaterThan", 4)], [between], priority=200),
        rule("late", 3, [cond("s", "equals", "TX")], [last], priority=100),
    ]
    columns = [Column("a", "integer", min=0, max=9), Column("s", "string", enum=("TX", "CA"))]
    found = run(priority_inversion.CHECK, context(campaign(rules, columns), Path("/nowhere")))
    assert ("late", "count") in [f.rules for f in found]


def test_what_a_moved_rule_passes_says_nothing_about_the_pair() -> None:
    """A rule that only its neighbour contradicts is not out of order with every rule behind the two."""
    rules = [
        rule("on", 1, [cond("a", "exists")], [act("setList", listId="l", value="true")]),
        rule("off", 2, [cond("a", "exists")], [act("setList", listId="l", value="false")]),
        rule("skills", 3, [cond("a", "exists")], [act("setSkills", skills=("x",))], priority=9),
    ]
    ctx = context(campaign(rules, [Column("a", "integer", min=0, max=9)]), Path("/nowhere"))
    assert run(priority_inversion.CHECK, ctx) == []


def test_a_declared_number_that_a_rule_spoils_can_break_the_run() -> None:
    """SET to a text, then INCREMENT: the run fails, so that nothing behind it acts with the first one."""
    rules = [
        rule("spoil", 1, [cond("s", "equals", "TX")], [act("setAttribute", attribute="a", value="abc")]),
        rule("count", 2, [cond("s", "exists")], [COUNT]),
        rule("on", 3, [cond("s", "equals", "TX")], [act("doNotDial")]),
        rule("off", 4, [cond("s", "exists")], [act("switchToPreview")]),
    ]
    columns = [Column("a", "integer", min=0, max=9), Column("s", "string", enum=("TX", "CA"))]
    ctx = context(campaign(rules, columns), Path("/nowhere"))
    assert [f for check in (conflicting_rules.CHECK, undecided.CHECK) for f in run(check, ctx)] == []


@pytest.mark.parametrize(("one", "other"), [({}, {"value": ""}), ({"value": 5.0}, {"value": "5"})])
def test_equal_values_do_not_contradict(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two SETs of what a column holds as the same value are no conflict."""
    rules = [
        rule(f"r{i}", i, [cond("s", "exists")], [act("setAttribute", attribute="t", **fields)])
        for i, fields in enumerate((one, other))
    ]
    assert run(conflicting_rules.CHECK, context(campaign(rules, [Column("s", "string")]), Path("/nowhere"))) == []


def test_advice_fits_the_reason() -> None:
    """A budget is recommended only where it is used up, and only to a check that has one."""
    rules = [
        rule("one", 1, [cond("t", "matches", r"^q{3}\b[0-9]{4}$")], [act("doNotDial")]),
        rule("other", 2, [cond("t", "contains", "w")], [act("switchToPreview")]),
    ]
    ctx = context(campaign(rules, [Column("t", "string", required=True)]), Path("/nowhere"))
    found = [f for check in ALL for f in run(check, ctx) if check is undecided.CHECK]
    assert found
    assert {f.fix for f in found} == {
        "declare an `enum` for the column, or use conditions without `\\b`, `(?m)` and long counted repetitions"
    }


def test_the_budget_of_a_check_ends_in_one_finding_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left when it is used up is named, with how many rules, at the later rule of the pairs."""
    monkeypatch.setattr(sat, "_TOGETHER", 0)
    columns = [Column("a", "integer", min=0, max=9), Column("b", "integer", min=0, max=9)]
    rules = [
        rule(f"r{i}", i, [_apart(i % 2)], [act("setList", listId="l", value=("false", "true")[i % 2])])
        for i in range(2, 16)
    ]
    ctx = context(campaign(rules, columns), Path("/nowhere"), budget=1)
    run(conflicting_rules.CHECK, ctx)
    found = {f.rules[0]: f for f in run(undecided.CHECK, ctx)}
    assert found["r15"].summary.startswith('DP301 is not decided for "r15" and 7 other rules: the 10 runs of the whole')
    assert found["r15"].fix == "raise `budget` of DP301"
