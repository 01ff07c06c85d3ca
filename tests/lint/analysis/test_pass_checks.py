"""The checks about writes, passes and switches, against what each says of every contact of a small domain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given

from dialproof.analysis.answers import acted
from dialproof.cel.values import read_text
from dialproof.checks import (
    dead_write,
    not_idempotent,
    oscillating_attribute,
    undocumented_semantics,
)
from tests.lint.analysis.build import contacts, context
from tests.lint.analysis.world import (
    NOWHERE,
    SETTINGS,
    SYSTEMS,
    Contact,
    World,
    counted,
    declared,
    effect,
    left_open,
    reads,
    run,
    worlds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.config import Semantics
    from dialproof.model.rules import Action, Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

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
