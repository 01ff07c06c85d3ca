"""The checks about the order of rules, against what each says of every contact of a small domain."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given
from hypothesis import strategies as st

from dialproof.analysis.answers import acted
from dialproof.analysis.exchange import same_result
from dialproof.analysis.merging import mergeable
from dialproof.checks import (
    generalised_rule,
    mergeable_rules,
    order_sensitive_rules,
    read_before_write,
)
from tests.lint.analysis.build import analysis, contacts, context
from tests.lint.analysis.world import (
    NOWHERE,
    SETTINGS,
    Contact,
    World,
    assigned,
    counted,
    declared,
    effect,
    families,
    left_open,
    reads,
    run,
    worlds,
)

if TYPE_CHECKING:
    from dialproof.config import Semantics
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

# DP306.


def _goes_along(world: World, one: Rule, other: Rule, contact: Contact, outcome: Outcome) -> bool:
    """Tell whether a later rule acts where an earlier one does, or would where that one ends the run."""
    if world.ends(one):
        return world.verdict(other, outcome.contact if world.updated else contact) is True
    return other.name in acted(outcome)


@given(st.one_of(declared(), families()))
@SETTINGS
def test_a_generalised_rule_is_one_whose_contacts_are_all_in_a_later_wider_one(
    drawn: tuple[Campaign, Semantics],
) -> None:
    """The earlier rule acts, on all of its contacts the later one acts too (or would), and it acts elsewhere."""
    ctx = context(drawn[0], NOWHERE, drawn[1])
    expected = set()
    for world in worlds(*drawn):
        outcomes = list(world.runs())
        for one, other in combinations(world.rules, 2):
            mine = [(c, o) for c, o in outcomes if one.name in acted(o)]

            elsewhere = any(other.name in acted(o) and one.name not in acted(o) for _, o in outcomes)
            inside = bool(mine) and all(_goes_along(world, one, other, c, o) for c, o in mine)
            told = world.ends(one) or one.name in other.overrides  # else DP301 tells it
            if told and world.contradict(one, other) and inside and elsewhere:
                expected.add((other.name, one.name))
    assert {f.rules for f in run(generalised_rule.CHECK, ctx)} == expected
    assert left_open(ctx) == set()


# DP307.


def _overturns(world: World, one: Rule, other: Rule) -> bool:
    """Tell whether a later rule sets a column so that an earlier one would have come to another verdict."""
    if not world.updated or not assigned(other) & reads(world, one):
        return False
    place = {r.name: i for i, r in enumerate(world.rules)}
    for contact, outcome in world.runs():
        if other.name not in acted(outcome):
            continue
        ends = (place[one.name], place[other.name], place[other.name] + 1)
        before, held, after = (world.run(contact, world.rules[:end]).contact for end in ends)
        past = {**held, **{column: after[column] for column in assigned(other)}}
        verdicts = [world.verdict(one, c) for c in (before, held, past)]
        if verdicts[0] is verdicts[1] and verdicts[1] is not verdicts[2]:
            return True
    return False


def _swapping_matters(world: World, index: int, *, both: bool = False) -> bool:
    one, other = world.rules[index : index + 2]
    swapped = [*world.rules[:index], other, one, *world.rules[index + 2 :]]
    for contact, outcome in world.runs():
        if both and not {one.name, other.name} <= acted(outcome):
            continue
        changed = world.run(contact, swapped)
        if changed.failure is not None or not same_result(outcome, changed):
            return True
    return False


def _is_seen(world: World, one: Rule, other: Rule) -> bool:
    """Tell whether it is seen which of two rules acts first where that one, or the other, ends the run."""
    first = world.built.hit_policy == "first"

    def seen(*rules: Rule) -> set[str]:
        acting = rules[:1] if world.ends(rules[0]) else rules
        return {
            repr((a.type, sorted(a.fields.items())))
            for r in acting
            for a in r.actions
            if first or a.type in ("setList", "setAttribute")
        }

    return seen(one, other) != seen(other, one)


def _sensitive(world: World, index: int) -> bool:
    one, other = world.rules[index : index + 2]
    if one.name in (*other.overrides, *other.runs_after):
        return False
    outcomes = list(world.runs())
    together = any({one.name, other.name} <= acted(o) for _, o in outcomes)
    if world.contradict(one, other) and together:
        return False  # DP301
    if not world.ends(one) and other.priority > one.priority and _swapping_matters(world, index, both=True):
        return False  # DP502
    if _overturns(world, one, other):
        return False  # DP503
    if (world.ends(one) or world.ends(other)) and not _is_seen(world, one, other):
        return False
    if world.ends(one):
        mine = [(c, o) for c, o in outcomes if one.name in acted(o)]
        inside = all(world.verdict(other, o.contact if world.updated else c) is True for c, o in mine)
        if inside or not any(other.name in acted(o) for _, o in outcomes):
            return False  # an exception in front of the general case (DP306), or a shadow (DP302)
    return _swapping_matters(world, index)


@given(declared())
@SETTINGS
def test_neighbours_are_order_sensitive_exactly_where_swapping_them_shows(drawn: tuple[Campaign, Semantics]) -> None:
    """Every pair of neighbours is swapped on every contact; what other checks report is left to them."""
    ctx = context(drawn[0], NOWHERE, drawn[1])
    expected = {
        (world.rules[i + 1].name, world.rules[i].name)
        for world in worlds(*drawn)
        for i in range(len(world.rules) - 1)
        if _sensitive(world, i)
    }
    assert {f.rules for f in run(order_sensitive_rules.CHECK, ctx)} == expected
    assert left_open(ctx) == set()


# DP308.


@given(families())
@SETTINGS
def test_one_rule_in_place_of_mergeable_ones_does_the_same_to_every_contact(drawn: tuple[Campaign, Semantics]) -> None:
    """Whatever runs between them: every contact comes to the same end, failures included."""
    built, semantics = drawn
    runs = analysis(built, semantics).runs("preCall")
    world = World(built, semantics)
    for found in mergeable(runs):
        rules = mergeable_rules.merged(runs, found)
        assert len(rules) == len(built.rules) - len(found.members) + 1
        for contact in contacts():
            assert effect(world.run(contact)) == effect(world.run(contact, rules))


@given(families(most=2))
@SETTINGS
def test_two_rules_are_mergeable_exactly_where_they_differ_in_neighbouring_values(
    drawn: tuple[Campaign, Semantics],
) -> None:
    """With nothing between them: one column, alternatives or a range without a gap, nothing that counts twice."""
    built, semantics = drawn
    world = World(built, semantics)
    one, other = built.rules
    parts: list[list[Any]] = [list(r.conditions[::-1]) for r in (one, other)]
    (first, *base), (second, *base_of_other) = parts
    column = first.subject
    assume(not (*base, *base_of_other) or "a" not in {c.subject for c in (*base, *base_of_other)})
    alike = base == base_of_other and column == second.subject and column not in {c.subject for c in base}
    writes = assigned(one) | counted([one], "INCREMENT")
    reading = (reads(world, one) | reads(world, other)) & writes if world.updated else set()
    mine, its = (
        {c.get(column) for c in contacts() if world.verdict(replace(one, conditions=(v,)), c)} for v in (first, second)
    )
    listed = all(c.operator in ("equals", "in") for c in (first, second))
    both = sorted(v for v in mine | its if isinstance(v, int))
    ranged = column == "a" and bool(both) and both == list(range(both[0], both[-1] + 1))
    twice = bool(mine & its) and bool(counted([one], "INCREMENT"))
    acting = all(any(world.verdict(r, c) for c in contacts()) for r in built.rules)
    neighbours = (listed or ranged) and bool(mine - its) and bool(its - mine) and not twice
    same = alike and one.actions == other.actions and one.overrides == other.overrides
    expected = same and not reading and neighbours and acting
    ctx = context(built, NOWHERE, semantics)
    assert bool(run(mergeable_rules.CHECK, ctx)) == expected


# DP503.


@given(declared())
@SETTINGS
def test_a_rule_reads_before_a_write_exactly_where_the_write_changes_its_verdict(
    drawn: tuple[Campaign, Semantics],
) -> None:
    """The verdicts of the earlier rule are taken when it ran, in front of the later rule and behind it."""
    ctx = context(drawn[0], NOWHERE, drawn[1])
    expected = {
        (one.name, other.name)
        for world in worlds(*drawn)
        for one, other in combinations(world.rules, 2)
        if one.name not in other.runs_after and _overturns(world, one, other)
    }
    assert {f.rules for f in run(read_before_write.CHECK, ctx)} == expected
    assert left_open(ctx) == set()
