"""Redundant and undecidable conditions: held against looking at every contact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings

from dialproof.checks import redundant_condition, undecidable_condition
from dialproof.evaluate import Evaluator
from dialproof.model.rules import Group
from tests.lint.analysis.build import act, campaigns, contacts, context
from tests.lint.analysis.test_checks import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.config import Semantics
    from dialproof.model.rules import Expression, Rule
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=20, suppress_health_check=list(HealthCheck))


def _shorter(expressions: tuple[Expression, ...]) -> Iterator[tuple[Expression, ...]]:
    """Yield the expressions with one of them, or one member of a group, left out."""
    for i, expression in enumerate(expressions):
        if len(expressions) > 1:
            yield (*expressions[:i], *expressions[i + 1 :])
        if isinstance(expression, Group):
            for members in _shorter(expression.members):
                yield (*expressions[:i], replace(expression, members=members), *expressions[i + 1 :])


def _table(built: Campaign, semantics: Semantics, rule: Rule) -> list[bool | None]:
    evaluator = Evaluator(replace(built, rules=(rule,)), semantics)
    return [evaluator.verdicts(c)[rule.name] for c in contacts()]


def _without_writes(built: Campaign) -> Campaign:
    rules = tuple(
        replace(r, actions=tuple(a for a in r.actions if a.type != "setAttribute") or (act("doNotDial"),))
        for r in built.rules
    )
    return replace(built, rules=rules)


@given(campaigns())
@SETTINGS
def test_a_rule_has_a_redundant_condition_iff_one_can_be_left_out(drawn: tuple[Campaign, Semantics]) -> None:
    """Without writes: something is reported iff leaving out one condition keeps the verdict on every contact."""
    built, semantics = _without_writes(drawn[0]), drawn[1]
    ctx = context(built, Path("/nowhere"), semantics)
    reported: dict[str, int] = {}
    for finding in run(redundant_condition.CHECK, ctx):
        reported[finding.rules[0]] = reported.get(finding.rules[0], 0) + 1
    assert not ctx.analysis.undecided
    for rule in built.rules:
        table = _table(built, semantics, rule)
        reached = (True, None) if semantics.undecided == "met" else (True,)
        if not any(v in reached for v in table):
            assert rule.name not in reported
            continue
        same = [c for c in _shorter(rule.conditions) if _table(built, semantics, replace(rule, conditions=c)) == table]
        assert (rule.name in reported) == bool(same)


@given(campaigns())
@SETTINGS
def test_what_is_reported_can_be_left_out_of_the_run(drawn: tuple[Campaign, Semantics]) -> None:
    """Whatever earlier rules write, dropping the reported condition of a rule changes no outcome of any contact."""
    built, semantics = drawn
    ctx = context(built, Path("/nowhere"), semantics)
    before = [Evaluator(built, semantics).run(c) for c in contacts()]
    for finding in run(redundant_condition.CHECK, ctx):
        [rule] = [r for r in built.rules if r.name == finding.rules[0]]
        names = [f for f in run(redundant_condition.CHECK, ctx) if f.rules == finding.rules]
        if len(names) > 1:
            continue  # each of them may need that the others stay
        candidates = [
            replace(built, rules=tuple(replace(r, conditions=c) if r is rule else r for r in built.rules))
            for c in _shorter(rule.conditions)
        ]
        after = [[Evaluator(other, semantics).run(c) for c in contacts()] for other in candidates]
        assert any(_alike(before, outcomes) for outcomes in after)


def _alike(one: list, other: list) -> bool:  # type: ignore[type-arg]
    facts = lambda o: (o.matched, o.undecided, o.contact, o.lists, o.dial, o.failure)  # noqa: E731
    return [facts(o) for o in one] == [facts(o) for o in other]


@given(campaigns())
@SETTINGS
def test_an_undecidable_condition_leaves_its_rule_undecided(drawn: tuple[Campaign, Semantics]) -> None:
    """A rule has a finding iff it is undecided on some contact, and its witness is such a contact."""
    built, semantics = drawn
    ctx = context(built, Path("/nowhere"), semantics)
    found = run(undecidable_condition.CHECK, ctx)
    assert not ctx.analysis.undecided
    expected = {r.name for r in built.rules if None in _table(built, semantics, r)}
    assert {f.rules[0] for f in found} == expected
    for finding in found:
        assert finding.witness is not None
        assert finding.rules[0] in finding.witness.outcome.undecided
