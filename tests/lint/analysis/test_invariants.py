"""Proofs of invariants, held against the run of every contact of a small domain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.analysis.answers import Found, Nowhere, Unknown
from dialproof.analysis.invariants import Proofs, categories_of
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.rules import Invariant, When
from dialproof.source.nodes import Scalar, SourceText
from tests.lint.analysis.build import HERE, campaigns, contacts
from tests.lint.analysis.world import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.project import Campaign

PARTS = (
    "contact.a > 2",
    "contact.s == 'TX'",
    "contact.b < contact.a",
    "has(contact.a)",
    "outcome.dial",
    "outcome.dial == (contact.b == 1)",
    "outcome.lists['l']",
    "'l' in outcome.lists",
    "'r0' in outcome.matched",
    "'r1' in outcome.matched",
    "'r1' in outcome.undecided",
    "outcome.contact.a == contact.a",
    "outcome.contact.a > 3",
    "has(outcome.contact.a)",
    "outcome.contact.b <= 4",
    "outcome.contact.s == 'NV'",
    "size(outcome.matched) > 0",
    "0 == size(outcome.undecided)",
    "size(outcome.matched) == 1",
    "(contact.s == 'CA' ? outcome.dial : contact.b > 0)",
)


def statements() -> st.SearchStrategy[str]:
    """Draw an invariant of a few parts."""
    return st.recursive(
        st.sampled_from(PARTS),
        lambda inner: st.one_of(
            st.builds("!({})".format, inner),
            st.builds("({} && {})".format, inner, inner),
            st.builds("({} || {})".format, inner, inner),
        ),
        max_leaves=4,
    )


def always(text: str, name: str = "i") -> Invariant:
    """Return an invariant."""
    return Invariant(name, When(text, HERE, Scalar(SourceText(text), 0, len(text), text, text, "plain")), HERE)


def stated(built: Campaign, *texts: str) -> tuple[Evaluator, Sequence[Invariant]]:
    """Return the evaluator of a campaign with some invariants."""
    invariants = tuple(always(text, f"i{number}") for number, text in enumerate(texts))
    return Evaluator(replace(built, invariants=invariants), Semantics()), invariants


def decided(built: Campaign, text: str, semantics: Semantics | None = None) -> Answer:
    """Decide one invariant."""
    evaluator, (invariant,) = stated(built, text)
    (category,) = categories_of(evaluator, invariant)
    return Proofs(evaluator.under(semantics) if semantics else evaluator).decide(invariant, category)


@given(drawn=campaigns(), text=statements())
@settings(SETTINGS, max_examples=15)
def test_what_is_proved_holds_for_every_contact(drawn: tuple[Campaign, Semantics], text: str) -> None:
    """Every contact is run, and cel-python says what the invariant makes of it: it agrees with proof and witness."""
    built, semantics = drawn
    invariant = always(text)
    built = replace(built, invariants=(invariant,))
    evaluator, reference = Evaluator(built, semantics), Evaluator(built, semantics, reference=True)
    answer = Proofs(evaluator).decide(invariant, "preCall")

    def kept(contact: dict[str, object]) -> bool:
        outcome = evaluator.run(contact)
        verdict = reference.invariant(invariant, contact, outcome)
        assert evaluator.invariant(invariant, contact, outcome) is verdict
        return outcome.failure is None and verdict is True

    broken = [contact for contact in contacts() if not kept(contact)]
    if isinstance(answer, Found):
        assert not kept(dict(answer.scene.contact))
    elif isinstance(answer, Nowhere):
        assert not broken
    else:
        assert isinstance(answer, Unknown)
        assert answer.reason
