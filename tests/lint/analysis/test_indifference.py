"""What must not matter to the checks about order, writes and passes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dialproof.cel.values import number_text, read_number
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
from tests.lint.analysis.build import COLUMNS, act, campaign, cond, contacts, context
from tests.lint.analysis.world import (
    NOWHERE,
    SETTINGS,
    World,
    assigned,
    counted,
    families,
    machines,
    reads,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialproof.checks.base import Check
    from dialproof.config import Semantics
    from dialproof.model.rules import Action
    from dialproof.project import Campaign

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
