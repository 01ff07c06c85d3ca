"""What becomes of each aspect of two campaigns, against running every contact of a small domain through both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings

from dialproof.analysis.answers import Found
from dialproof.analysis.comparison import Comparison
from dialproof.analysis.difference import analyses_of
from dialproof.cel.values import lookup, read_number, read_text
from dialproof.evaluate import Evaluator
from tests.lint.analysis.build import contacts
from tests.lint.analysis.test_difference import SETTINGS, changed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from dialproof.analysis.comparison import Relations
    from dialproof.config import Semantics
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

Side = "tuple[Campaign, Semantics]"


def compared(
    before: tuple[Campaign, Semantics], after: tuple[Campaign, Semantics]
) -> tuple[Comparison, dict[str, Relations]]:
    """Compare two campaigns; check each contact that is shown by running both."""
    old, new = Evaluator(*before), Evaluator(*after)
    comparison = Comparison(*analyses_of(old, new), "preCall")
    relations = {found.aspect.name: found for found in comparison.relations()}
    for name, found in relations.items():
        for direction, gains in ((found.gained, True), (found.lost, False)):
            if isinstance(direction.answer, Found):
                contact = direction.answer.scene.contact
                was, now = done(name, old.run(contact)), done(name, new.run(contact))
                assert was != now
                assert (now if gains else was) is not None
    return comparison, relations


def done(name: str, outcome: Outcome) -> Hashable:
    """Return what a run does in one aspect, told from its outcome in a way of its own."""
    kind, _, what = name.partition(" ")
    if outcome.failure is not None:
        return None
    if kind == "dial":
        return outcome.dial or None
    if kind == "rule":
        return what in outcome.matched or None
    if kind == "setList":
        wanted = not what.endswith("=false")
        return outcome.lists.get(what.removesuffix("=false")) is wanted or None
    actions = [a.action for a in outcome.acted if a.action.type == kind]
    if kind != "setAttribute":
        return str(actions[-1].fields) if actions else None
    writes = [a for a in actions if a.fields["attribute"] == what]
    if not writes:
        return None
    sets = [i for i, a in enumerate(writes) if a.fields["option"] == "SET"]
    if sets:
        return "set", read_text(lookup(outcome.contact, what))
    return "by", sum(
        (read_number(a.fields.get("value")) or 1) * (-1) ** (a.fields["option"] == "DECREMENT") for a in writes
    )


def by_hand(
    before: tuple[Campaign, Semantics],
    after: tuple[Campaign, Semantics],
    names: Iterable[str],
    domain: Sequence[Mapping[str, object]] = (),
) -> dict[str, str]:
    """Return what becomes of each aspect by running every contact."""
    old, new = Evaluator(*before), Evaluator(*after)
    pairs = [(old.run(c), new.run(c)) for c in domain or contacts()]
    found = {}
    for name in names:
        values = [(done(name, was), done(name, now)) for was, now in pairs]
        differing = [(was, now) for was, now in values if was != now]
        gained = any(now is not None for _, now in differing)
        lost = any(was is not None for was, _ in differing)
        found[name] = {(0, 0): "equal", (1, 0): "wider", (0, 1): "narrower", (1, 1): "incomparable"}[gained, lost]
    return found


@given(changed())
@settings(SETTINGS, max_examples=60)
def test_each_aspect_is_decided_as_by_running_everybody(drawn: Any) -> None:
    """Whatever the rules write, count, break or end, and whichever switches differ."""
    _, relations = compared(*drawn)
    assert {name: found.name for name, found in relations.items()} == by_hand(*drawn, relations)
