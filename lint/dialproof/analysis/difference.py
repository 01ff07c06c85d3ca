"""Whom the rules of a campaign dial now that they did not dial before, decided on cells of both and shown on a contact.

The contacts are those of the new contact list (with the columns that it has no more), each side runs as its own
configuration and contact list say. Both sides have the same axes, cut at the constants of both.

A contact was refused because a suppressing rule acted, a rule was undecided, or the run broke. For each such cause: its
boxes, without the boxes that the new rules refuse for certain, hold every contact that may be dialed now. Where every
rule is decided by its region one contact of what is left is the answer. Else the cells of those that are not (they read
what others write, may break the run, or are open) are tried one by one, by running both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from dialproof.analysis.answers import Found, Nowhere, Unknown, WitnessError
from dialproof.analysis.campaign import CampaignAnalysis, side_by_side
from dialproof.analysis.outside import Outside, TooMuchError
from dialproof.analysis.regions import intersect, meet
from dialproof.analysis.space import Space
from dialproof.inference import inferred_contact_list
from dialproof.model.actions import action_types
from dialproof.model.rules import Group, When
from dialproof.output.masking import personal_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dialproof.analysis.answers import Answer, Budget, Question
    from dialproof.analysis.familiar import Familiar
    from dialproof.analysis.regions import Box, Region
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.witness import Scene
    from dialproof.cel.values import Variable
    from dialproof.evaluate import Evaluator
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Action, Expression, Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

__all__ = ["Difference", "analyses_of", "content_of", "stops"]

_How: TypeAlias = Literal["acts", "undecided"]
"""How a rule comes to refuse a contact."""
_Accept: TypeAlias = "Callable[[Outcome], bool]"


class Difference:
    """Two campaigns, and the contacts that the new one dials although the old one refused them.

    ``decided`` counts the questions by what decided them, as that of an analysis does.
    """

    def __init__(
        self, old: Evaluator, new: Evaluator, decided: Counter[str] | None = None, familiar: Familiar | None = None
    ) -> None:
        self._evaluators = old, new
        self._read_alike = _read_alike(old, new)
        self.new, self.old = (_Side(analysis.runs("preCall")) for analysis in analyses_of(old, new, familiar))
        self.decided: Counter[str] = Counter() if decided is None else decided
        self._outside: Outside | None = None

    @cached_property
    def _run_alike(self) -> bool:
        """Whether the same rules do the same on both sides."""
        one, other = (replace(e.semantics, tieBreak="error") for e in self._evaluators)
        policies = {e.campaign.hit_policy for e in self._evaluators}
        return self._read_alike and one == other and len(policies) == 1

    @property
    def meaningless(self) -> str:
        """Why nothing can be said of the two: a rule has a condition without a meaning; "" where none has."""
        for side, when in ((self.old, " as it was"), (self.new, "")):
            for rule in side.runs.rules:
                if rule.name in side.runs.analysis.broken:
                    return f'rule "{rule.name}"{when} has a condition that has no meaning (DP103)'
        return ""

    @cached_property
    def personal(self) -> frozenset[str]:
        """The columns that were personal and that the contact list of now says nothing of."""
        old, new = (e.campaign.contact_list for e in self._evaluators)
        return personal_columns(old) - (new.columns.keys() if new.declared else frozenset())

    # Causes.

    @property
    def suppressions(self) -> tuple[Rule, ...]:
        """The old rules that kept contacts from being dialed by what they did."""
        return tuple(rule for rule in self.old.runs.rules if stops(rule))

    def let_through_by(self, rule: Rule, question: Question) -> Answer:
        """Search a contact on which an old rule acted and stopped dialing, and which is dialed now."""

        def accepted(before: Outcome) -> bool:
            return any(acted.rule == rule.name and _stops(acted.action) for acted in before.acted)

        return self._searched(self.old.runs.index(rule), "acts", accepted, question)

    def no_longer_undecided(self, rule: Rule, question: Question) -> Answer:
        """Search a contact that was refused because an old rule was undecided on it or broke the run, dialed now."""
        index, side = self.old.runs.index(rule), self.old
        answer: Answer = Nowhere()
        if side.refuses_undecided:
            answer = self._searched(index, "undecided", lambda before: rule.name in before.undecided, question)
        if side.runs.may_fail[index] and not isinstance(answer, Found):
            broken = self._searched(index, "acts", lambda before: before.failure is not None, question, breaks=True)
            answer = broken if isinstance(broken, Found) or isinstance(answer, Nowhere) else answer
        return answer

    def newly_dialed(self, budget: Budget) -> Iterator[tuple[Rule, Answer]]:
        """Yield, for each way in which an old rule may have refused contacts, whether one of them is dialed now."""
        for rule in self.suppressions:
            yield rule, self.let_through_by(rule, budget.question())
        for rule in self.old.runs.rules:
            yield rule, self.no_longer_undecided(rule, budget.question())

    def outcomes(self, scene: Scene) -> tuple[Outcome, Outcome]:
        """Run a contact through the rules of now and through the old ones."""
        return self.new.runs.run(scene), self.old.runs.run(scene)

    # What needs no search.

    def _stands(self, index: int) -> bool:
        """Tell whether what an old rule refused is refused, because all that decides about it is as it was."""
        if not self._run_alike:
            return False
        contents, now = self.old.contents, self.new.contents
        for other in self._of_content.get(contents[index], ()):
            front, same = self.old.deciders(index), self.new.deciders(other)
            if [contents[i] for i in front] == [now[i] for i in same]:
                return True
        return False

    @cached_property
    def _of_content(self) -> Mapping[object, list[int]]:
        found: dict[object, list[int]] = {}
        for index, content in enumerate(self.new.contents):
            found.setdefault(content, []).append(index)
        return found

    # Searching.

    def _searched(
        self, index: int, how: _How, accepted: _Accept, question: Question, *, breaks: bool = False
    ) -> Answer:
        if not breaks and self._stands(index):
            self.decided["cells"] += 1
            return Nowhere()
        unknown: Unknown | None = None
        before = question.spent
        try:
            answer: Answer
            for box, end in self._left(index, how):
                answer = self._inside(box, index, end, accepted, question)
                if isinstance(answer, Unknown):
                    unknown = unknown or answer
                if isinstance(answer, Found) or (isinstance(answer, Unknown) and answer.kind == "budget"):
                    break
            else:
                answer = unknown or Nowhere()
        except TooMuchError as error:
            answer = unknown or Unknown(str(error), "conditions")
        if not isinstance(answer, Unknown):
            self.decided["enumeration" if question.spent > before + 1 else "cells"] += 1
        return answer

    def _left(self, index: int, how: _How) -> Iterator[tuple[Box, int]]:
        """Yield where an old rule may refuse and no new one certainly does, with the new rule that ends the run there.

        That is one behind the last where no rule ends it.
        """
        old, new = self.old, self.new
        if self._outside is None:
            self._outside = Outside(new.runs.analysis.axes)
        in_front = [box for i in range(index) if old.runs.ends[i] for box in old.region(i, "acts", sure=True).boxes]
        for box in old.region(index, how).boxes:
            if len(new.endings) == 1 and frozenset(box.items()) in new.refused_boxes:
                continue
            for end, ways in new.endings:
                refused = new.refused if end == len(new.runs.rules) else [(i, b) for i, b in new.refused if i < end]
                for way in ways:
                    both = meet(box, way)
                    if both is not None:
                        for part in self._outside.parts(both, [*in_front, *(other for _, other in refused)]):
                            yield part, end

    def _inside(self, box: Box, index: int, end: int, accepted: _Accept, question: Question) -> Answer:
        """Search a contact of a box in which only the rules that regions do not decide are not known."""
        old, new = self.old.runs, self.new.runs
        rules = new.with_writers(self.new.loose(box, end))
        others = old.with_writers(self.old.loose(box, index, target=index))
        space = Space(new, rules, beside=Space(old, others))
        usual, hollow = self._usual(box)
        few = sorted({*rules, *((end,) if end < len(new.rules) else ())}), sorted({*others, index})
        for assignment in space.inside([box]):
            spent = question.spend()
            if spent is not None:
                return spent
            if assignment is None:
                continue
            found = Found(new, {**usual, **assignment})
            if (rules or others) and not self._differs(found.scene, accepted, *few):
                continue
            if self._differs(found.scene, accepted):
                return found
            if hollow is None:
                raise WitnessError("the cells of two campaigns leave a contact on which their runs show no difference")
        return space.open or hollow or Nowhere()

    def _differs(
        self, scene: Scene, accepted: _Accept, new: Sequence[int] | None = None, old: Sequence[int] | None = None
    ) -> bool:
        """Run a contact through both sides, or some rules of them; tell whether it was refused and is dialed."""
        before = self.old.runs.run(scene, order=old)
        return before.dial is False and accepted(before) and self.new.runs.run(scene, order=new).dial is True

    def _usual(self, box: Box) -> tuple[Assignment, Unknown | None]:
        """Return a cell of each variable in a box, and why that is not all where a value is missing."""
        axes = self.new.runs.analysis.axes
        cells: Assignment = {}
        hollow: Unknown | None = None
        for variable, axis in axes.items():
            position = axis.pick(box.get(variable, axis.full))
            if position >= 0 and variable in box:
                cells[variable] = position
            elif position < 0:
                hollow = axis.hollow
        return cells, hollow


class _Side:
    """The preCall rules of one campaign, and what is known of how they refuse contacts."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self._regions: dict[tuple[int, _How, bool], Region] = {}

    @property
    def evaluator(self) -> Evaluator:
        """What runs the whole campaign."""
        return self.runs.analysis.evaluator

    @cached_property
    def contents(self) -> Sequence[object]:
        """The content of each rule."""
        return [content_of(rule) for rule in self.runs.rules]

    @property
    def refuses_undecided(self) -> bool:
        """Whether a contact on which a rule is undecided is not dialed."""
        return self.runs.analysis.semantics.undecided == "refuseToDial"

    def region(self, index: int, how: _How, *, sure: bool = False) -> Region:
        """Return where a rule acts or is undecided, if it is reached: all that may be, or ``sure`` such contacts."""
        key = index, how, sure
        if key not in self._regions:
            self._regions[key] = self._region(index, how, sure=sure)
        return self._regions[key]

    def _region(self, index: int, how: _How, *, sure: bool) -> Region:
        runs = self.runs
        part, free = runs.analysis.part(runs.rules[index]), runs.written_before[index] & runs.reads[index]
        if how == "acts":
            met = runs.analysis.semantics.undecided == "met"
            return runs.analysis.region_of(part, "not false" if met else "true", free, sure=sure)
        untrue, unfalse = (runs.analysis.region_of(part, want, free, sure=sure) for want in ("not true", "not false"))
        both = intersect(untrue, unfalse)
        return replace(both, boxes=()) if sure and both.open is not None else both

    def hows(self, index: int) -> tuple[_How, ...]:
        """Return the ways in which a rule refuses contacts."""
        acts: tuple[_How, ...] = ("acts",) if stops(self.runs.rules[index]) else ()
        return (*acts, "undecided") if self.refuses_undecided else acts

    def deciders(self, index: int) -> tuple[int, ...]:
        """Return the rules that decide whether a rule refuses a contact that none in front of it refuses."""
        runs = self.runs
        if runs.analysis.campaign.hit_policy == "first":
            return tuple(range(index + 1))
        return runs.with_writers([index]) if runs.written >> index & 1 else (index,)

    @cached_property
    def refused(self) -> Sequence[tuple[int, Box]]:
        """The boxes in which a rule certainly refuses (if it is reached) or ends the run, by rule."""
        found = []
        for index in range(len(self.runs.rules)):
            hows = dict.fromkeys(self.hows(index))
            if self.runs.ends[index]:
                hows["acts"] = None
            found += [(index, box) for how in hows for box in self.region(index, how, sure=True).boxes]
        return found

    @cached_property
    def refused_boxes(self) -> frozenset[frozenset[tuple[Variable, int]]]:
        """The same boxes, to be found at once."""
        return frozenset(frozenset(box.items()) for _, box in self.refused)

    @cached_property
    def endings(self) -> Sequence[tuple[int, Sequence[Box]]]:
        """The rules that may end a run without refusing the contact, and where; last, that none does."""
        ending = [i for i, rule in enumerate(self.runs.rules) if self.runs.ends[i] and not stops(rule)]
        return [*((i, self.region(i, "acts").boxes) for i in ending), (len(self.runs.rules), ({},))]

    def loose(self, box: Box, end: int, *, target: int | None = None) -> list[int]:
        """Return the rules up to one that its region does not decide in a box although it matters.

        That are those which refuse, end or break the run; with ``target`` only that one, and what keeps it from acting.
        """
        found = []
        for index in range(min(end + 1, len(self.runs.rules))):
            hows = dict.fromkeys(self.hows(index) if target is None else ("acts", "undecided") * (index == target))
            if self.runs.ends[index] or self.runs.may_fail[index]:
                hows["acts"] = None
            if any(self._is_loose(index, how) and _meets(self.region(index, how), box) for how in hows):
                found.append(index)
        return found

    def _is_loose(self, index: int, how: _How) -> bool:
        runs = self.runs
        if runs.may_fail[index] or runs.written_before[index] & runs.reads[index]:
            return True
        regions = (self.region(index, how, sure=sure) for sure in (False, True))
        return any(region.open is not None for region in regions) or not runs.analysis.is_exact(runs.rules[index])


def analyses_of(
    old: Evaluator, new: Evaluator, familiar: Familiar | None = None
) -> tuple[CampaignAnalysis, CampaignAnalysis]:
    """Return the analyses of two campaigns with common axes, that of the new one first."""
    columns = _contacts_of(old.campaign, new.campaign)
    one, other = (
        CampaignAnalysis(replace(side.campaign, contact_list=columns), side, familiar=familiar) for side in (new, old)
    )
    return side_by_side(one, other, alike=_read_alike(old, new))


def _read_alike(old: Evaluator, new: Evaluator) -> bool:
    """Tell whether a condition of the same text says the same on both sides."""
    (one, sensitive), (other, also) = (
        ({c.name: c.type for c in e.campaign.contact_list.columns.values()}, e.semantics.caseSensitive)
        for e in (old, new)
    )
    return one == other and sensitive == also


def stops(rule: Rule) -> bool:
    """Tell whether a rule keeps the contacts on which it acts from being dialed."""
    return rule.enabled and rule.category == "preCall" and any(map(_stops, rule.actions))


def _stops(action: Action) -> bool:
    return "preCall" in action_types()[action.type].stops_dial_in


def _meets(region: Region, box: Box) -> bool:
    return any(meet(other, box) is not None for other in region.boxes)


def _contacts_of(old: Campaign, new: Campaign) -> ContactList:
    """Return the columns over which both range: those of the new list, and what it has no more as it was."""
    if not new.contact_list.declared:
        return inferred_contact_list((*new.rules, *old.rules), (*new.invariants, *old.invariants))
    gone = old.contact_list.columns if old.contact_list.declared else {}
    return replace(new.contact_list, columns={**gone, **new.contact_list.columns})


def content_of(rule: Rule) -> tuple[object, ...]:
    """Return the conditions and actions of a rule as one value; unlike to Python, true is not 1 in it."""
    conditions = tuple(_expression(expression) for expression in rule.conditions)
    actions = tuple((a.type, tuple((key, _exact(a.fields[key])) for key in sorted(a.fields))) for a in rule.actions)
    return conditions, actions


def _expression(expression: Expression) -> tuple[object, ...]:
    if isinstance(expression, Group):
        return (expression.kind, *map(_expression, expression.members))
    if isinstance(expression, When):
        return "when", expression.text.strip()
    return expression, _exact(expression.value)


def _exact(value: object) -> object:
    if isinstance(value, Mapping):
        return tuple((key, _exact(value[key])) for key in sorted(value))
    return tuple(map(_exact, value)) if isinstance(value, tuple) else (type(value).__name__, value)
