"""The campaigns of two states, each against what it was: relations, the contacts that show them, and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Found, Unknown, WitnessError, require
from dialproof.analysis.comparison import Comparison
from dialproof.analysis.describe import describe
from dialproof.analysis.difference import analyses_of
from dialproof.analysis.familiar import familiar_to
from dialproof.base import counterparts
from dialproof.findings import Witness
from dialproof.output.masking import MASK, is_personal, mask_witness, personal_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dialproof.analysis.aspects import Aspect
    from dialproof.analysis.comparison import Direction, Relations
    from dialproof.analysis.regions import Box
    from dialproof.diff.states import State
    from dialproof.evaluate import Evaluator
    from dialproof.model.rules import Category
    from dialproof.project import Campaign

__all__ = ["CampaignDiff", "Contact", "Count", "Who", "diffs_of", "pairs_of"]

CATEGORIES: tuple[Category, ...] = ("preCall", "wrapUp")


@dataclass(frozen=True, slots=True)
class Count:
    """How many contacts gain an aspect, and how many lose it."""

    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class Who:
    """Contacts in words, one set of columns and what they hold after the other; ``every`` one, or some of them."""

    parts: tuple[Mapping[str, str], ...] = ()
    every: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact that was run under both, personal values masked, with the aspects that it gains and loses."""

    witness: Witness
    category: Category
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """How one direction is shown: by which of the contacts, counted from one, and who else is like it."""

    contact: int
    who: Who


@dataclass
class CampaignDiff:
    """A campaign in both states, or (``only``) in one of them; ``unread`` is why nothing is known of one of them.

    ``shown`` has what contacts gain (true) and lose; ``counts`` what ``counted`` contacts of files do, if they were;
    ``left_out`` are the bad rows of those files.
    """

    id: str
    only: str = ""
    unread: str = ""
    relations: list[Relations] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    shown: dict[tuple[Aspect, bool], Shown] = field(default_factory=dict)
    counts: dict[Aspect, Count] = field(default_factory=dict)
    counted: int | None = None
    left_out: int = 0

    @property
    def equal(self) -> bool:
        """Whether nothing is different for any contact: proved."""
        return not (self.only or self.unread or self.differing)

    @property
    def differing(self) -> list[Relations]:
        """What is not proved to be equal."""
        return [found for found in self.relations if found.name != "equal"]

    @property
    def same(self) -> list[Aspect]:
        """What is proved to be equal."""
        return [found.aspect for found in self.relations if found.name == "equal"]


def pairs_of(old: State, new: State, campaign_id: str | None) -> Iterator[tuple[Campaign | None, Campaign | None]]:
    """Yield the campaigns of both states, by their ids; if each has one alone, these two.

    What several campaigns share comes once.
    """
    olds, news = list(old.campaigns), list(new.campaigns)
    if campaign_id is not None:
        olds, news = ([c for c in side if campaign_id in c.ids] for side in (olds, news))
    elif len(olds) == len(news) == 1 and old.file and new.file:
        yield olds[0], news[0]
        return
    met = set()
    for after in news:
        before = [c for c in olds if not {*c.ids}.isdisjoint(after.ids)]
        met |= {id(c) for c in before}
        yield from ((c, after) for c in before)
        if not before:
            yield None, after
    yield from ((c, None) for c in olds if id(c) not in met)


def diffs_of(
    pairs: Iterable[tuple[Campaign | None, Campaign | None]],
    old: State,
    new: State,
    on_campaign: Callable[[str], object] = lambda _: None,
) -> Iterator[tuple[CampaignDiff, list[Comparison]]]:
    """Yield what became of each campaign, and how that was decided; nothing of one that is in one state alone.

    ``on_campaign`` is told of each when it begins. Raises :class:`InputError` for what is wrong in its files.
    """
    for before, after in pairs:
        one = after or before
        assert one is not None
        on_campaign(one.id)
        if before is None or after is None:
            here, there = (old, new) if after is None else (new, old)
            why = there.unread(one)
            yield CampaignDiff(one.id, "" if why else here.label, why), []
            continue
        try:
            yield _diff_of(before, after, old, new)
        except WitnessError as error:
            raise RuntimeError(str(error)) from error


def _diff_of(before: Campaign, after: Campaign, old: State, new: State) -> tuple[CampaignDiff, list[Comparison]]:
    evaluators = old.evaluator(before), new.evaluator(after)
    became = {name: rule.name for name, rule in counterparts(before.rules, after.rules).items()}
    analyses = analyses_of(*evaluators, familiar_to(new.project, after))
    diff = CampaignDiff(after.id)
    comparisons = []
    for category in CATEGORIES:
        comparison = Comparison(*analyses, category, became)
        if category == "wrapUp" and not (comparison.new.rules or comparison.old.rules):
            continue
        comparisons.append(comparison)
        relations = comparison.relations()
        diff.relations += relations
        _show(diff, comparison, relations, evaluators, (old.label, new.label))
    return diff, comparisons


def _show(
    diff: CampaignDiff,
    comparison: Comparison,
    relations: Sequence[Relations],
    evaluators: tuple[Evaluator, Evaluator],
    labels: tuple[str, str],
) -> None:
    """Add the contacts of one category, each once, and who else is like them."""
    personal = frozenset().union(*(personal_columns(e.campaign.contact_list) for e in evaluators))
    places: dict[int, int] = {}
    answers: list[tuple[Found, list[Aspect], list[Aspect]]] = []
    first = len(diff.contacts) + 1
    for found in relations:
        for direction, gains in ((found.gained, True), (found.lost, False)):
            if not isinstance(direction.answer, Found):
                continue
            place = places.setdefault(id(direction.answer), len(answers))
            if place == len(answers):
                answers.append((direction.answer, [], []))
            _, gained, lost = answers[place]
            (gained if gains else lost).append(found.aspect)
            diff.shown[found.aspect, gains] = Shown(first + place, _who(direction, comparison, personal))
    for answer, gained, lost in answers:
        scene = answer.scene
        was, now = comparison.outcomes(scene)
        for aspect in (*gained, *lost):
            require(aspect.of(was, old=True) != aspect.of(now), "a contact does not show what differs")
        witness = mask_witness(Witness(scene.contact, scene.context, scene.now, was, now, labels), personal)
        names = (tuple(aspect.name for aspect in aspects) for aspects in (gained, lost))
        diff.contacts.append(Contact(witness, comparison.new.category, *names))


def _who(direction: Direction, comparison: Comparison, personal: frozenset[str]) -> Who:
    boxes = direction.boxes
    parts = [_described(box, comparison, personal) for box in boxes.found]
    good = tuple(part for part in parts if part is not None)
    return Who(good, boxes.complete and len(good) == len(parts))


def _described(box: Box, comparison: Comparison, personal: frozenset[str]) -> Mapping[str, str] | None:
    """Return what the columns of a box hold, None where there are no words for it."""
    analysis = comparison.new.analysis
    found = {}
    for variable in sorted(box):
        axis = analysis.axes[variable]
        if variable.source == "now" or axis.relative:
            return None
        hidden = is_personal(variable.source, variable.name, personal)
        text = MASK if hidden else describe(axis, analysis.columns[variable], box[variable])
        if not text:
            return None
        found[variable.name if variable.source == "contact" else f"context {variable.name}"] = text
    return found


def reasons_of(found: Relations) -> Iterator[str]:
    """Yield why a relation is not decided, in sentences."""
    for direction, what in ((found.gained, "gains"), (found.lost, "loses")):
        if isinstance(direction.answer, Unknown):
            yield f"whether a contact {what} it is not decided: {direction.answer.reason}"
