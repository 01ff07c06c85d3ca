"""What two campaigns do to contacts, aspect by aspect: the same (proved), more, less, or either, shown on contacts.

Both run as literals of one SAT solver; what is the same in both is one literal, so that a change costs what it touches.
One question asks for a contact on which anything differs; it is run through both and answers for every aspect that
differs on it, and so on until nothing is left. Of an aspect that is written, such as a column, what is compared is whom
it is written for and with which value: other values for the same contacts are neither more nor less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from dialproof.analysis.answers import Found, Nowhere, Unknown
from dialproof.analysis.aspects import DIAL, TooManyValuesError, aspects_of, touching, values_of
from dialproof.analysis.implicants import NO_BOXES, Boxes, boxes_of
from dialproof.analysis.unrolled import Unrolled
from dialproof.model.actions import action_types

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.analysis.aspects import Aspect, Thing
    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.sat import Formula
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.witness import Scene
    from dialproof.model.rules import Category
    from dialproof.outcome import Outcome

__all__ = ["Comparison", "Direction", "Literals", "Relation", "Relations"]

Relation: TypeAlias = Literal[
    "equal", "wider", "narrower", "incomparable",
    "equal or wider", "equal or narrower", "wider or incomparable", "narrower or incomparable", "unknown",
]  # fmt: skip

_CONTACTS = 1_000
"""Contacts that are found for all aspects together."""
_ALONE = 50
"""Directions that are asked about one by one where a question about all of them is not answered."""
_DESCRIBED = 40
"""Directions whose contacts are described."""
_NOT_ASKED = Unknown("too many things are open to ask about each", "budget")
_TOO_MANY = Unknown("it is written in too many ways", "counting")
_NAMES: dict[tuple[type, type], Relation] = {
    (Nowhere, Nowhere): "equal",
    (Found, Nowhere): "wider",
    (Nowhere, Found): "narrower",
    (Found, Found): "incomparable",
    (Unknown, Nowhere): "equal or wider",
    (Nowhere, Unknown): "equal or narrower",
    (Found, Unknown): "wider or incomparable",
    (Unknown, Found): "narrower or incomparable",
    (Unknown, Unknown): "unknown",
}


@dataclass(frozen=True, slots=True)
class Direction:
    """Whether some contact gains (or loses) an aspect, and which contacts do, as far as that is described."""

    answer: Answer
    boxes: Boxes = NO_BOXES


@dataclass(frozen=True, slots=True)
class Relations:
    """An aspect of the new rules against the same one of the old rules."""

    aspect: Aspect
    gained: Direction
    lost: Direction

    @property
    def name(self) -> Relation:
        """What the new rules are: an answer that is open leaves two or more of the four."""
        return _NAMES[type(self.gained.answer), type(self.lost.answer)]


class Literals:
    """The aspects of one campaign as literals: for each value the contacts whose run comes to it."""

    def __init__(self, runs: Runs, beside: Unrolled | None = None) -> None:
        self.runs = runs
        self.unrolled = Unrolled(runs, beside)
        self._touching: Mapping[Thing, list[int]] = touching(runs.rules)

    @cached_property
    def _unbroken(self) -> int:
        return self.unrolled.formula.every(self.unrolled.unbroken())

    def of(self, aspect: Aspect, thing: Thing) -> Mapping[Hashable, int]:
        """Return the literal of each value that counts; raises :class:`TooManyValuesError`."""
        formula, unrolled = self.unrolled.formula, self.unrolled
        if thing == DIAL:
            values: dict[Hashable, int] = {True: formula.every(-literal for literal in self._refusing())}
        else:
            touched = [(self.runs.rules[i], unrolled.matched(i)) for i in self._touching.get(thing, ())]
            values = values_of(thing, touched, formula)
        return {
            value: literal
            for value, there in aspect.among(values).items()
            if (literal := formula.every((there, self._unbroken))) != -1
        }

    def _refusing(self) -> list[int]:
        table = action_types()
        refuses = self.runs.analysis.semantics.undecided == "refuseToDial"
        found = []
        for index, rule in enumerate(self.runs.rules):
            if refuses:
                found.append(self.unrolled.undecided(index))
            if any("preCall" in table[action.type].stops_dial_in for action in rule.actions):
                found.append(self.unrolled.matched(index))
        return found


@dataclass(eq=False)
class _Wanted:
    """One direction of an aspect: the literal "it differs in this way"."""

    aspect: Aspect
    gains: bool
    literal: int
    direction: Direction = field(default_factory=lambda: Direction(Nowhere()))

    def shown_by(self, old: Outcome, new: Outcome) -> bool:
        """Tell whether a contact with these outcomes gains (or loses) it."""
        was, now = self.aspect.of(old, old=True), self.aspect.of(new)
        return was != now and (now if self.gains else was) is not None


class Comparison:
    """Two campaigns with common axes (see :func:`dialproof.analysis.difference.analyses_of`) in one category."""

    def __init__(
        self, new: CampaignAnalysis, old: CampaignAnalysis, category: Category, became: Mapping[str, str] | None = None
    ) -> None:
        self.new, self.old = new.runs(category), old.runs(category)
        self.aspects = aspects_of(self.old.rules, self.new.rules, category, became)

    def outcomes(self, scene: Scene) -> tuple[Outcome, Outcome]:
        """Run a contact through the old rules and through the new ones."""
        old, new = (
            runs.analysis.evaluator.run(scene.contact, category=runs.category, context=scene.context, now=scene.now)
            for runs in (self.old, self.new)
        )
        return old, new

    def relations(self) -> list[Relations]:
        """Return what has become of each aspect."""
        wanted = self._wanted()
        open_ = [one for one in wanted if one.literal != -1 and not isinstance(one.direction.answer, Unknown)]
        # Nearly all rules decide who is dialed, and few of them about anything else.
        others = [one for one in open_ if one.aspect.thing != DIAL]
        self._settle(others, ())
        self._settle([one for one in open_ if one.aspect.thing == DIAL], others)
        directions = {(one.aspect, one.gains): one.direction for one in wanted}
        return [Relations(a, directions[a, True], directions[a, False]) for a in self.aspects]

    def _wanted(self) -> list[_Wanted]:
        old = Literals(self.old)
        new, formula = Literals(self.new, old.unrolled), self.old.formula
        found = []
        for aspect in self.aspects:
            try:
                was, now = old.of(aspect, aspect.old), new.of(aspect, aspect.thing)
            except TooManyValuesError:
                found += [_Wanted(aspect, gains, 1, Direction(_TOO_MANY)) for gains in (True, False)]
                continue
            for gains, one, other in ((True, now, was), (False, was, now)):
                parts = [formula.every((there, -other.get(value, -1))) for value, there in one.items()]
                found.append(_Wanted(aspect, gains, formula.some(parts)))
        return found

    def _settle(self, wanted: Sequence[_Wanted], settled: Sequence[_Wanted]) -> None:
        """Answer some directions by a solver that knows nothing but what decides them.

        The contacts of those that are ``settled`` are looked at first.
        """
        if not wanted:
            return
        formula, literals = self.old.formula.alone(one.literal for one in wanted)
        for one, literal in zip(wanted, literals, strict=True):
            one.literal = literal
        for answer in {id(a): a for one in settled if isinstance(a := one.direction.answer, Found)}.values():
            outcomes = self.outcomes(answer.scene)
            for one in wanted:
                if one.shown_by(*outcomes):
                    one.direction = Direction(answer)
        self._search(formula, [one for one in wanted if not isinstance(one.direction.answer, Found)])
        known: dict[int, Boxes] = {}
        for one in [one for one in wanted if isinstance(one.direction.answer, Found)][:_DESCRIBED]:
            if one.literal not in known:
                part, (literal,) = formula.alone([one.literal])
                known[one.literal] = boxes_of(part, self.old.analysis.axes, literal)
            one.direction = Direction(one.direction.answer, known[one.literal])

    def _search(self, formula: Formula, wanted: Sequence[_Wanted]) -> None:
        """Find a contact for each direction that has one; a contact answers for all that differs on it."""
        left = list(wanted)
        asked = {id(one): formula.new() for one in wanted}  # whether it is still asked about
        any_of_them = formula.some([formula.every((one.literal, asked[id(one)])) for one in wanted])
        answered: list[int] = []
        for _ in range(_CONTACTS):
            answer, shown = self._ask(formula, left, [any_of_them, *answered])
            if isinstance(answer, Nowhere):
                return
            if isinstance(answer, Unknown):
                break
            for one in shown:
                one.direction = Direction(answer)
                answered.append(-asked[id(one)])
            left = [one for one in left if one not in shown]
        for number, one in enumerate(left):
            if number < _ALONE:
                one.direction = Direction(self._ask(formula, [one], [one.literal])[0])
            else:
                one.direction = Direction(_NOT_ASKED)

    def _ask(
        self, formula: Formula, wanted: Sequence[_Wanted], literals: Sequence[int]
    ) -> tuple[Answer, list[_Wanted]]:
        """Search a contact on which one of them differs; return also all those that do."""
        shown: list[_Wanted] = []

        def differs(assignment: Assignment) -> bool:
            outcomes = self.outcomes(self.old.scene_at(assignment))
            shown[:] = [one for one in wanted if one.shown_by(*outcomes)]
            return bool(shown)

        return formula.search(literals, differs), shown
