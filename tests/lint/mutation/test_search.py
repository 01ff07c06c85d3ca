"""What is said of mutants that no case notices, held against running every contact of a small domain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings

from dialproof.analysis.effects import same_effect, same_result
from dialproof.evaluate import Evaluator
from tests.lint.analysis.build import campaigns, contacts
from tests.lint.mutation.build import in_a_file, without_cases

if TYPE_CHECKING:
    from dialproof.config import Semantics
    from dialproof.mutation.mutants import Mutant
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign


def _changed(built: Campaign, semantics: Semantics, mutant: Mutant) -> Evaluator:
    """Return an evaluator of the changed campaign that is compiled for itself alone."""
    if mutant.switch == "hitPolicy":
        return Evaluator(replace(built, hit_policy=mutant.setting), semantics)  # type: ignore[arg-type]
    if mutant.switch:
        return Evaluator(built, replace(semantics, **{mutant.switch: mutant.setting}))  # type: ignore[arg-type]
    return Evaluator(replace(built, rules=mutant.rules(built.rules)), semantics)


def _same(mutant: Mutant, one: Outcome, other: Outcome) -> bool:
    if mutant.kind == "order":
        return same_result(one, other) and same_effect(one, other)
    if mutant.kind == "semantics" and mutant.switch != "hitPolicy":
        return same_effect(one, other)
    return _expected(one) == _expected(other)


def _expected(outcome: Outcome) -> tuple[object, ...] | None:
    """Return everything that a case can expect of a run, None of one that broke."""
    if outcome.failure is not None:
        return None
    actions = [(acted.rule, acted.action.type, acted.action.fields) for acted in outcome.acted]
    return outcome.matched, outcome.undecided, outcome.dial, dict(outcome.contact), dict(outcome.lists), actions


@given(campaigns())
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
def test_a_mutant_is_equivalent_iff_no_contact_tells_it_apart(drawn: tuple[Campaign, Semantics]) -> None:
    """Proved equal: every contact comes to the same; survived: the contact that is shown does not."""
    built, semantics = drawn
    built = in_a_file(built)
    written, domain = Evaluator(built, semantics), list(contacts())
    outcomes = [(c, outcome) for c in domain if (outcome := written.run(c)).failure is None]
    for one in without_cases(built, semantics).tried:
        changed = _changed(built, semantics, one.mutant)
        if one.fate == "equivalent":
            apart = [c for c, outcome in outcomes if not _same(one.mutant, outcome, changed.run(c))]
            assert apart == [], one.mutant.text
        else:
            assert one.fate == "survived", (one.mutant.text, one.why)
            assert one.survivor is not None
            found = one.survivor.difference.scene.contact
            assert found in domain
            assert not _same(one.mutant, written.run(found), changed.run(found))
