"""What becomes of each aspect of two campaigns, against running every contact of a small domain through both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from dialproof.analysis.answers import Found
from dialproof.analysis.comparison import Comparison
from dialproof.analysis.difference import analyses_of
from dialproof.analysis.nearness import Nearness
from dialproof.analysis.witness import Scene
from dialproof.cel.values import lookup, read_number, read_text
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import COLUMNS, act, campaign, cond, contacts, group, rule, when
from tests.lint.analysis.test_difference import SETTINGS, changed, relisted

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from dialproof.analysis.comparison import Relations
    from dialproof.model.rules import Action, Category, Expression, Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

NOW = "2026-01-01T12:00:00Z"


def compared(before: tuple[Campaign, Semantics], after: tuple[Campaign, Semantics]) -> dict[str, Relations]:
    """Compare two campaigns; check each contact that is shown by running both."""
    old, new = Evaluator(*before), Evaluator(*after)
    relations = {found.aspect.name: found for found in Comparison(*analyses_of(old, new), "preCall").relations()}
    for name, found in relations.items():
        for direction, gains in ((found.gained, True), (found.lost, False)):
            if isinstance(direction.answer, Found):
                contact = direction.answer.scene.contact
                was, now = done(name, old.run(contact)), done(name, new.run(contact))
                assert was != now
                assert (now if gains else was) is not None
    return relations


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
        return str([a.fields for a in actions][0 if kind == "dataAction" else -1 :]) if actions else None
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
@settings(SETTINGS, max_examples=25)
def test_each_aspect_is_decided_as_by_running_everybody(drawn: Any) -> None:
    """Whatever the rules write, count, break or end, and whichever switches differ."""
    relations = compared(*drawn)
    assert {name: found.name for name, found in relations.items()} == by_hand(*drawn, relations)


@given(relisted())
@settings(SETTINGS, max_examples=15)
def test_contact_lists_may_differ(drawn: Any) -> None:
    """Each side reads the contacts of now in its own way."""
    before, after, everybody = drawn
    relations = compared(before, after)
    assert {name: found.name for name, found in relations.items()} == by_hand(before, after, relations, everybody)


def _sides(
    old: Sequence[Rule], new: Sequence[Rule], columns: Sequence[Column] = COLUMNS
) -> tuple[tuple[Campaign, Semantics], tuple[Campaign, Semantics]]:
    return (campaign(old, columns), Semantics()), (campaign(new, columns), Semantics())


def _one(condition: Expression, *actions: Action, category: Category = "preCall") -> list[Rule]:
    return [rule("r", 1, [condition], actions or [act("setList", listId="l")], category=category)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([act("setSkills", skills=("x", "y"))], [act("setSkills", skills=("y", "x"))], "equal"),
        ([act("setSkills", skills=("x",))], [act("setSkills", skills=("y",))], "incomparable"),
        ([act("setCallerId", callerName="A", callerAddress="1")], [act("setCallerId", callerName="A")], "incomparable"),
        ([act("setAttribute", attribute="s", value="5")], [act("setAttribute", attribute="s", value=5.0)], "equal"),
        ([act("setAttribute", attribute="b", option="INCREMENT", value="0.1")] * 2,
         [act("setAttribute", attribute="b", option="INCREMENT", value="0.2")], "equal"),
        ([act("setAttribute", attribute="b", value="1")],
         [act("setAttribute", attribute="b", value="0"), act("setAttribute", attribute="b", option="INCREMENT")],
         "equal"),
        ([act("dataAction", id="d")], [act("dataAction", id="d")] * 2, "incomparable"),
        ([act("dataAction", id="d", fields={"a": 1})], [act("dataAction", id="d", fields={"a": 2})], "incomparable"),
        ([act("switchToPreview")], [act("switchToPreview")] * 2, "equal"),
    ],
)  # fmt: skip
def test_what_is_done_is_compared_with_its_value(old: Sequence[Action], new: Sequence[Action], expected: str) -> None:
    """Twice is once where the table of the actions says so; the order of skills does not count."""
    condition = cond("b", "greaterThan", 1)
    relations = compared(*_sides(_one(condition, *old), _one(condition, *new)))
    assert {f.name for n, f in relations.items() if not n.startswith(("dial", "rule"))} == {expected}


def test_rules_for_after_the_call_are_compared_by_themselves() -> None:
    """They dial nobody, and are no rules for before the call."""
    sides = _sides(
        _one(cond("b", "greaterThan", 1), act("scheduleCallback", offsetMinutes=5), category="wrapUp"),
        _one(cond("b", "greaterThan", 2), act("scheduleCallback", offsetMinutes=5), category="wrapUp"),
    )
    analyses = analyses_of(*(Evaluator(*side) for side in sides))
    after = {found.aspect.name: found for found in Comparison(*analyses, "wrapUp").relations()}
    assert {name: found.name for name, found in after.items()} == {"scheduleCallback": "narrower", "rule r": "narrower"}
    assert [found.aspect.name for found in Comparison(*analyses, "preCall").relations()] == ["dial"]


@pytest.mark.parametrize(
    ("most", "expected"), [(50, ("equal", "narrower")), (1e6, ("unknown", "narrower or incomparable"))]
)
def test_conditions_over_several_columns(most: float, expected: tuple[str, str]) -> None:
    """They are decided where the columns have few values; elsewhere what no contact shows is said to be open."""
    columns = (*(Column(n, "integer", min=0, max=most, required=True) for n in ("x", "y")), *COLUMNS)
    old = _one(when("contact.x >= contact.y"))
    for text, wanted in zip(("contact.y <= contact.x", "contact.x > contact.y"), expected, strict=True):
        relations = compared(*_sides(old, _one(when(text)), columns))
        assert relations["rule r"].name == wanted
    assert compared(*_sides(old, old, columns))["rule r"].name == "equal"


def test_who_is_concerned_is_said_exactly() -> None:
    """The boxes of a direction hold those contacts who gain or lose it, and, where they are complete, all of them."""
    old = _one(group("any", cond("a", "greaterThan", 2), cond("s", "equals", "TX")))
    new = _one(group("all", cond("a", "greaterThan", 1), cond("s", "exists")))
    before, after = _sides(old, new)
    comparison = Comparison(*analyses_of(Evaluator(*before), Evaluator(*after)), "preCall")
    found = next(r for r in comparison.relations() if r.aspect.name == "rule r")
    evaluators = Evaluator(*before), Evaluator(*after)
    for direction, gains in ((found.gained, True), (found.lost, False)):
        assert direction.boxes.complete
        for contact in contacts():
            was, now = ("r" in evaluator.run(contact).matched for evaluator in evaluators)
            cells = Nearness(comparison.new.analysis, Scene(contact, {}, NOW), None)
            inside = any(all(mask & cells.cells_here(v) for v, mask in box.items()) for box in direction.boxes.found)
            assert inside == ((now and not was) if gains else (was and not now))
