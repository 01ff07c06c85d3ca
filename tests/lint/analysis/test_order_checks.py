"""The checks about order, writes and passes, against what each says of every contact of a small domain."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dialproof.analysis.answers import acted
from dialproof.analysis.exchange import same_result
from dialproof.analysis.merging import mergeable
from dialproof.cel.values import number_text, read_number, read_text
from dialproof.checks import (
    dead_write,
    generalised_rule,
    mergeable_rules,
    not_idempotent,
    order_sensitive_rules,
    oscillating_attribute,
    read_before_write,
    undocumented_semantics,
)
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.actions import contradicts
from tests.lint.analysis.build import COLUMNS, act, analysis, campaign, campaigns, cond, contacts, context, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dialproof.checks.base import Check, CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Action, Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=20, suppress_health_check=list(HealthCheck))
Contact = dict[str, object]
NOWHERE = Path("/nowhere")


def run(check: Check, ctx: CheckContext) -> list[Finding]:
    """Return what one check finds; each witness is run and held against what it is to show."""
    ctx.check = check
    found = list(check.run(ctx))
    for finding in found:
        assert finding.witness is not None
        assert finding.witness.outcome is not None
    return found


def left_open(ctx: CheckContext) -> set[str]:
    """Return the codes of the checks that left a question open."""
    return {question.code for question in ctx.analysis.undecided}


@st.composite
def declared(draw: st.DrawFn) -> tuple[Campaign, Semantics]:
    """Draw a campaign whose rules may declare that they override others or run after them, or be switched off."""
    built, semantics = draw(campaigns())
    rules = []
    for index, one in enumerate(built.rules):
        earlier = [r.name for r in built.rules[:index]]
        names = st.lists(st.sampled_from(earlier), max_size=1).map(tuple) if earlier else st.just(())
        chance = draw(st.integers(0, 5))
        rules.append(
            replace(
                one,
                overrides=draw(names) if chance in (0, 4) else (),
                runs_after=draw(names) if chance == 1 else (),
                enabled=chance != 2,
                category="wrapUp" if chance == 3 and all(a.type != "doNotDial" for a in one.actions) else "preCall",
            )
        )
    return replace(built, rules=tuple(rules)), semantics


@st.composite
def machines(draw: st.DrawFn) -> tuple[Campaign, Semantics]:
    """Draw a campaign of rules that set the columns which others of them read."""
    tests = st.one_of(
        st.builds(lambda v: cond("s", "equals", v), st.sampled_from(("TX", "CA", "NV"))),
        st.builds(lambda o, v: cond("a", o, v), st.sampled_from(("equals", "lessThan")), st.sampled_from((0, 3, 5))),
        st.just(cond("s", "exists")),
    )
    writes = st.one_of(
        st.builds(lambda v: act("setAttribute", attribute="s", value=v), st.sampled_from(("TX", "CA", "NV", ""))),
        st.builds(lambda v: act("setAttribute", attribute="a", value=v), st.sampled_from(("0", "3", "5"))),
        st.builds(
            lambda o: act("setAttribute", attribute="b", option=o), st.sampled_from(("INCREMENT", "CURRENT_TIME"))
        ),
        st.builds(lambda v: act("setList", listId="l", value=v), st.sampled_from(("true", "false"))),
    )
    turns = st.builds(
        lambda one, other: ([cond("s", "equals", one)], [act("setAttribute", attribute="s", value=other)]),
        st.sampled_from(("TX", "CA")), st.sampled_from(("TX", "CA", "NV")),
    )  # fmt: skip
    lists = st.tuples(st.lists(tests, min_size=1, max_size=2), st.lists(writes, min_size=1, max_size=2))
    parts = draw(st.lists(st.one_of(turns, lists), min_size=2, max_size=4))
    rules = [rule(f"r{i}", i + 1, conditions, actions) for i, (conditions, actions) in enumerate(parts)]
    semantics = Semantics(undecided=draw(st.sampled_from(("unmet", "met"))), laterRulesSeeUpdates=draw(st.booleans()))
    return campaign(rules, COLUMNS, hit_policy=draw(st.sampled_from(("all", "first")))), semantics


BASES = (cond("b", "greaterThan", 0), cond("s", "exists"), cond("a", "lessThan", 4))
ORDERS = ("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")


@st.composite
def families(draw: st.DrawFn, most: int = 5) -> tuple[Campaign, Semantics]:
    """Draw rules of few kinds, many of which are equal but for the values of one column."""
    values = st.one_of(
        st.builds(lambda v: cond("s", "equals", v), st.sampled_from(("TX", "CA"))),
        st.builds(lambda o, v: cond("a", o, v), st.sampled_from(("equals", *ORDERS)), st.integers(0, 6)),
        st.builds(lambda x, y: cond("a", "between", (x, y)), st.integers(0, 4), st.integers(2, 6)),
        st.builds(lambda v: cond("a", "in", tuple(sorted(v))), st.sets(st.integers(0, 6), min_size=1, max_size=3)),
    )
    actions = st.sampled_from(
        (
            act("setList", listId="l"),
            act("setList", listId="l", value="false"),
            act("setAttribute", attribute="b", option="INCREMENT"),
            act("setAttribute", attribute="s", value="TX"),
            act("doNotDial"),
        )
    )
    bases = st.lists(st.sampled_from(BASES), max_size=1)
    overriding = draw(st.booleans())
    rules = [
        rule(
            f"r{i}", i + 1, [*draw(bases), draw(values)], [draw(actions)], overrides=("r0",) if i and overriding else ()
        )
        for i in range(draw(st.integers(2, most)))
    ]
    semantics = Semantics(
        undecided=draw(st.sampled_from(("refuseToDial", "unmet"))), doNotDialStops=draw(st.booleans())
    )
    return campaign(rules, COLUMNS, hit_policy=draw(st.sampled_from(("all", "all", "first")))), semantics


SYSTEMS = st.one_of(declared(), machines(), machines())


class World:
    """One category of a campaign, run over every contact of the domain, straight from the definition of a run."""

    def __init__(self, built: Campaign, semantics: Semantics, category: Any = "preCall") -> None:
        self.built, self.semantics, self.category = built, semantics, category
        self.evaluator = Evaluator(built, semantics)
        self.rules = [r for r in built.rules if r.enabled and r.category == category]
        self.updated = semantics.laterRulesSeeUpdates and built.hit_policy == "all"

    def run(self, contact: Contact, rules: Sequence[Rule] | None = None, lists: Any = None) -> Outcome:
        """Run some rules over a contact."""
        chosen = self.rules if rules is None else rules
        return self.evaluator.of(chosen).run(contact, category=self.category, lists=lists)

    def runs(self) -> Iterator[tuple[Contact, Outcome]]:
        """Yield every contact with its outcome, but those that break the run."""
        for contact in contacts():
            outcome = self.run(contact)
            if outcome.failure is None:
                yield contact, outcome

    def verdict(self, one: Rule, contact: Any) -> bool | None:
        """Return what a rule says of a contact as it is."""
        return self.evaluator.of([one]).verdicts(contact)[one.name]

    def ends(self, one: Rule) -> bool:
        """Tell whether the run is over when a rule has acted."""
        stops = self.semantics.doNotDialStops and any(a.type == "doNotDial" for a in one.actions)
        return self.built.hit_policy == "first" or stops

    def contradict(self, one: Rule, other: Rule) -> bool:
        """Tell whether two rules contradict each other."""
        return any(contradicts(a, b) for a in one.actions for b in other.actions)


def worlds(built: Campaign, semantics: Semantics) -> list[World]:
    """Return both categories."""
    return [World(built, semantics, category) for category in ("preCall", "wrapUp")]


def counted(rules: Sequence[Rule], *options: str) -> set[str]:
    """Return the columns that some rule writes with one of the options."""
    return {
        str(a.fields["attribute"])
        for r in rules
        for a in r.actions
        if a.type == "setAttribute" and a.fields["option"] in options
    }


def assigned(one: Rule) -> set[str]:
    """Return the columns that a rule sets to a value."""
    return counted([one], "SET")


def reads(world: World, one: Rule) -> set[str]:
    """Return the columns that the conditions of a rule read."""
    from dialproof.model.rules import leaves

    return {v.name for leaf in leaves(one.conditions) for v in world.evaluator.leaf(leaf).reads}


def effect(outcome: Outcome) -> object:
    """Return what an outcome comes to: dial, columns, lists, and how the call is made if there is one."""
    if outcome.failure is not None:
        return "failed"
    columns = {name: read_text(value) for name, value in outcome.contact.items() if read_text(value)}
    others = {a.action.type for a in outcome.acted} & {"switchToPreview", "setSkills"}
    return outcome.dial, columns, dict(outcome.lists), others if outcome.dial is not False else set()


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


# DP506 and DP507.


def _passes(world: World, contact: Contact, kept: set[str], count: int) -> list[tuple[Contact, Outcome]] | None:
    """Return ``count`` passes (what each starts from and comes to), None where one fails."""
    found: list[tuple[Contact, Outcome]] = []
    start: Contact = contact
    lists: dict[str, bool] = {}
    for _ in range(count):
        outcome = world.run(start, lists=lists)
        if outcome.failure is not None:
            return None
        found.append((start, outcome))
        after = {k: v for k, v in outcome.contact.items() if k not in kept}
        start, lists = {**after, **{k: contact[k] for k in kept if k in contact}}, dict(outcome.lists)
    return found


def _columns(contact: Any, kept: set[str]) -> dict[str, str]:
    return {k: read_text(v) for k, v in contact.items() if k not in kept and read_text(v)}


def _one_way(world: World) -> set[str]:
    both = counted(world.rules, "INCREMENT") & counted(world.rules, "DECREMENT")
    return counted(world.rules, "INCREMENT", "DECREMENT", "CURRENT_TIME") - both


def _restless(world: World, contact: Contact) -> set[str]:
    """Return the columns that never settle: after many passes they still change, and come back to what they were."""
    kept = _one_way(world)
    found = _passes(world, contact, kept, 40)
    if found is None:
        return set()
    late = [_columns(start, kept) for start, _ in found[20:]]
    if late[0] not in late[1:] or late[0] == late[1]:
        return set()
    return {name for name in {k for c in late for k in c} if len({c.get(name) for c in late}) > 1}


def _things(outcome: Outcome, kept: set[str]) -> dict[str, object]:
    """Return the value of each column and list after a pass."""
    return {**_columns(outcome.contact, kept), **{f"list {name}": on for name, on in outcome.lists.items()}}


def _differing(one: dict[str, object], other: dict[str, object]) -> set[str]:
    return {name for name in {**one, **other} if one.get(name) != other.get(name)}


@given(SYSTEMS)
@SETTINGS
def test_a_second_pass_is_reported_exactly_where_it_changes_a_contact(drawn: tuple[Campaign, Semantics]) -> None:
    """Both passes are run on every contact: what the second one changes is named, unless it changes for ever."""
    ctx = context(drawn[0], NOWHERE, drawn[1])
    expected = set()
    for world in worlds(*drawn):
        kept = counted(world.rules, "INCREMENT", "DECREMENT", "CURRENT_TIME")
        for contact in contacts():
            found = _passes(world, contact, kept, 2)
            changed = found and _differing(*(_things(outcome, kept) for _, outcome in found))
            if changed:
                late = (_passes(world, contact, _one_way(world), 40) or [])[20:]
                after = [_things(outcome, kept) for _, outcome in late] or [{}]
                expected |= {name for name in changed if all(a.get(name) == after[0].get(name) for a in after)}
    findings = run(not_idempotent.CHECK, ctx)
    named = [f.summary.removeprefix("a second pass changes ").partition(" again: ")[0] for f in findings]
    assert {name for text in named for name in text.split(" and ")} == expected
    assert left_open(ctx) == set()


@given(SYSTEMS)
@SETTINGS
def test_a_column_oscillates_exactly_where_some_contact_never_settles(drawn: tuple[Campaign, Semantics]) -> None:
    """Twenty passes and twenty more: whoever still moves then and has been there before never comes to rest."""
    ctx = context(drawn[0], NOWHERE, drawn[1])
    found = run(oscillating_attribute.CHECK, ctx)
    names = {
        name for f in found for name in f.summary.removeprefix("no value of ").partition(" lasts")[0].split(" and ")
    }
    expected = {name for world in worlds(*drawn) for contact in contacts() for name in _restless(world, contact)}
    assert names <= expected
    assert bool(found) == bool(expected) or "DP507" in left_open(ctx)


# DP508.


def _overwrites(world: World, action: Action, other: Action) -> bool:
    if other.type != action.type or any(action.fields.get(k) != other.fields.get(k) for k in ("listId", "attribute")):
        return False
    return action.type in ("setList", "setSkills") or (
        action.type == "setAttribute" and other.fields["option"] in ("SET", "CURRENT_TIME")
    )


def _is_read(world: World, action: Action, one: Rule) -> bool:
    if action.type != "setAttribute":
        return False
    name = str(action.fields["attribute"])
    return name in counted([one], "INCREMENT", "DECREMENT") or (world.updated and name in reads(world, one))


def _same_thing(one: Action, other: Action) -> bool:
    return one.type == other.type and all(one.fields.get(k) == other.fields.get(k) for k in ("listId", "attribute"))


@given(declared())
@SETTINGS
def test_a_write_is_dead_exactly_where_it_is_overwritten_on_every_contact(drawn: tuple[Campaign, Semantics]) -> None:
    """On every contact on which its rule acts, one of the later rules that overwrite it unread acts as well."""
    ctx = context(drawn[0], NOWHERE, drawn[1])
    expected = set()
    for world in worlds(*drawn):
        outcomes = list(world.runs())
        for index, one in enumerate(world.rules):
            mine = [o for _, o in outcomes if one.name in acted(o)]
            for action in one.actions:
                later = world.rules[index + 1 :]
                unread = next((i for i, r in enumerate(later) if _is_read(world, action, r)), len(later))
                over = {r.name for r in later[:unread] if any(_overwrites(world, action, a) for a in r.actions)}
                once = sum(_same_thing(action, other) for other in one.actions) == 1
                written = action.type in ("setList", "setAttribute", "setSkills")
                if written and once and mine and all(over & acted(o) for o in mine):
                    expected.add((one.name, action.type, str(action.fields.get("attribute"))))
    found = run(dead_write.CHECK, ctx)
    assert {(f.rules[0], f.summary.split(" ")[0]) for f in found} == {(name, kind) for name, kind, _ in expected}
    assert len(found) == len(expected)
    assert left_open(ctx) == set()


# DP509.


def _settings(semantics: Semantics) -> Iterator[tuple[str, Semantics]]:
    for setting in ("refuseToDial", "unmet", "met"):
        yield "undecided", replace(semantics, undecided=setting)
    yield "laterRulesSeeUpdates", replace(semantics, laterRulesSeeUpdates=not semantics.laterRulesSeeUpdates)
    yield "doNotDialStops", replace(semantics, doNotDialStops=not semantics.doNotDialStops)
    yield "caseSensitive", replace(semantics, caseSensitive=not semantics.caseSensitive)


@given(declared())
@SETTINGS
def test_a_switch_is_reported_exactly_where_some_contact_comes_to_another_end(
    drawn: tuple[Campaign, Semantics],
) -> None:
    """Every contact is run under every setting of every switch."""
    built, semantics = drawn
    ctx = context(built, NOWHERE, semantics)
    expected = set()
    for switch, other in _settings(semantics):
        for one, changed in zip(worlds(built, semantics), worlds(built, other), strict=True):
            if any(effect(one.run(c)) != effect(changed.run(c)) for c in contacts()):
                expected.add(switch)
    found = run(undocumented_semantics.CHECK, ctx)
    assert {f.summary.partition("semantics.")[2].partition(":")[0] for f in found} == expected
    assert len(found) == len(expected)
    assert left_open(ctx) == set()


# What must not matter.

CHECKS = (
    generalised_rule.CHECK,
    order_sensitive_rules.CHECK,
    mergeable_rules.CHECK,
    read_before_write.CHECK,
    not_idempotent.CHECK,
    oscillating_attribute.CHECK,
    dead_write.CHECK,
    undocumented_semantics.CHECK,
)


def _all_findings(built: Campaign, semantics: Semantics, checks: Sequence[Check] = CHECKS) -> set[tuple[object, ...]]:
    ctx = context(built, NOWHERE, semantics)
    found = [(check.code, f) for check in checks for f in run(check, ctx)]
    # Which of several rules depends on a switch first is a matter of the file; that some do is not.
    return {(code, f.summary.partition(": rule")[0] if code == "DP509" else frozenset(f.rules)) for code, f in found}


def _changed(built: Campaign, name: Callable[[str], str], size: int) -> Campaign:
    """Return a campaign with other names of columns, and with all numbers ``size`` times as large."""

    def value(one: Any) -> Any:
        if isinstance(one, tuple):
            return tuple(map(value, one))
        number = read_number(one)
        return one if number is None or isinstance(one, bool) else type(one)(number_text(number * size))

    def action(one: Action) -> Action:
        if one.type != "setAttribute":
            return one
        fields = {**one.fields, "attribute": name(str(one.fields["attribute"]))}
        if one.fields["option"] in ("INCREMENT", "DECREMENT"):
            fields["value"] = value(one.fields.get("value") or "1")
        elif "value" in fields:
            fields["value"] = value(fields["value"])
        return replace(one, fields=fields)

    def condition(one: Any) -> Any:
        return replace(one, subject=name(one.subject), value=value(one.value))

    rules = [
        replace(r, conditions=tuple(map(condition, r.conditions)), actions=tuple(map(action, r.actions)))
        for r in built.rules
    ]
    columns = [
        replace(c, name=name(c.name), type="string" if c.enum else "number", max=c.max and c.max * size)
        for c in COLUMNS
    ]
    return campaign(rules, columns, hit_policy=built.hit_policy)


@given(st.one_of(machines(), families()))
@settings(SETTINGS, max_examples=15)
def test_names_of_columns_and_units_do_not_matter(drawn: tuple[Campaign, Semantics]) -> None:
    """Other names, and cents instead of euros: the same findings about the same rules."""
    built, semantics = drawn
    plain = _all_findings(_changed(built, str, 1), semantics)
    assert _all_findings(_changed(built, lambda name: f"custom.{name}", 1), semantics) == plain
    assert _all_findings(_changed(built, str, 100), semantics) == plain


@given(st.one_of(machines(), families()), st.integers(0, 3))
@settings(SETTINGS, max_examples=15)
def test_rules_that_have_nothing_in_common_may_change_places(drawn: tuple[Campaign, Semantics], at: int) -> None:
    """Two neighbours without a common contact, neither of which reads what the other writes: the same findings."""
    built, semantics = drawn
    rules = [
        replace(
            r, actions=tuple(act("setList", listId="m") if a.fields.get("attribute") == "b" else a for a in r.actions)
        )
        for r in built.rules
    ]
    at = min(at, len(rules) - 2)
    one, other = (
        replace(r, conditions=(cond("b", "equals", b), *r.conditions))
        for r, b in zip(rules[at : at + 2], (0, 3), strict=True)
    )
    rules[at : at + 2] = [one, other]
    built = replace(built, rules=tuple(rules))
    world = World(built, semantics)
    changed = [assigned(r) | counted([r], "INCREMENT", "DECREMENT", "CURRENT_TIME") for r in (one, other)]
    assume(not changed[0] & reads(world, other) and not changed[1] & reads(world, one))
    written = {column for r in rules for column in assigned(r)}
    assume(not written & (reads(world, one) | reads(world, other)))
    assume(all(False in (world.verdict(one, c), world.verdict(other, c)) for c in contacts()))
    rules[at : at + 2] = [replace(other, execution_order=at + 1), replace(one, execution_order=at + 2)]
    checks = [c for c in CHECKS if c.code not in ("DP307", "DP508")]  # these are about places in the file
    expected = _all_findings(built, semantics, checks)
    assert _all_findings(replace(built, rules=tuple(rules)), semantics, checks) == expected
