"""A small set of contacts that are worth a test: candidates for every reason, of which a greedy cover keeps a few.

A reason is something a case should show: a goal of coverage, a value on a boundary, a pair of values, the contact of a
finding. A contact may serve several, and says all of them. Every contact was run by the evaluator; one whose run breaks
is no case. The same project gives the same contacts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from dialproof.analysis.pairs import bits
from dialproof.output.report import count
from dialproof.output.witness import flat
from dialproof.view import instant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from dialproof.analysis.witness import Scene
    from dialproof.coverage.observe import Observer
    from dialproof.model.rules import Category
    from dialproof.outcome import Outcome

__all__ = ["KINDS", "Chosen", "Collector", "Kind", "Reason", "Suite", "situation"]

Kind: TypeAlias = Literal["rules", "mcdc", "boundary", "pairwise", "findings"]

KINDS: Mapping[Kind, str] = {
    "rules": "rules matched and missed",
    "mcdc": "conditions that decide (MC/DC)",
    "boundary": "values on boundaries",
    "pairwise": "pairs of values",
    "findings": "contacts of findings",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a contact is worth a test."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A contact of the suite with what the evaluator makes of it and why it is there."""

    scene: Scene
    category: Category
    outcome: Outcome
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """The contacts in the order in which they were chosen; ``notes`` say what there is no contact for, and why."""

    contacts: tuple[Chosen, ...]
    reasons: Mapping[Kind, int]
    notes: tuple[str, ...]
    time_zone: str | None = None


@dataclass(slots=True)
class _Candidate:
    """A contact with the goals that it meets, and the reasons that it was made for (bitsets)."""

    scene: Scene
    category: Category
    outcome: Outcome
    met: int
    own: int = 0


@dataclass
class Collector:
    """Gathers candidates and the reasons that they serve; ``time_zone`` is that of the clock and of local times."""

    observer: Observer
    time_zone: str | None = None
    notes: list[str] = field(default_factory=list)
    _reasons: dict[Reason, int] = field(default_factory=dict)
    _goals: dict[int, int] = field(default_factory=dict)
    _candidates: dict[str, _Candidate] = field(default_factory=dict)
    _broken: int = 0

    def reason(self, kind: Kind, text: str) -> int:
        """Return the number of a reason."""
        return self._reasons.setdefault(Reason(kind, text), len(self._reasons))

    def goal(self, kind: Kind, text: str, number: int) -> int:
        """Return the number of a goal of coverage as a reason: whatever contact meets it serves it."""
        self._goals[number] = self.reason(kind, text)
        return self._goals[number]

    def options(self, scene: Scene) -> dict[str, Any]:
        """Return how a contact is run: its clock shows the same hour in every zone."""
        now = scene.now.removesuffix("Z") if self.time_zone else scene.now
        return {"context": scene.context, "now": now, "time_zone": self.time_zone}

    def add(self, scene: Scene, category: Category, own: Iterable[int] = ()) -> None:
        """Add a contact, its columns by their whole names; ``own`` are reasons that it was made for."""
        scene = replace(scene, contact=dict(flat(scene.contact)))
        options = {"category": category, **self.options(scene)}
        key = situation(scene.contact, scene.context, instant(options["now"], self.time_zone), category)
        if key not in self._candidates:
            outcome = self.observer.evaluator.run(scene.contact, **options)
            if outcome.failure is not None:
                self._broken += 1
                return
            self._candidates[key] = _Candidate(scene, category, outcome, self.observer.met(scene.contact, **options))
        self._candidates[key].own |= union(1 << reason for reason in own)

    def suite(self, *, taken: Collection[str] = (), met: int = 0) -> Suite:
        """Return a small choice of contacts that serves every reason which some contact serves.

        ``taken`` are situations that there are cases for; ``met`` the goals of coverage that need no contact.
        """
        of_goals = [(number, 1 << reason) for number, reason in self._goals.items()]
        done = union(bit for number, bit in of_goals if met >> number & 1)
        served = {
            key: (c.own | union(bit for number, bit in of_goals if c.met >> number & 1)) & ~done
            for key, c in self._candidates.items()
        }
        keys = _cover(served)
        said = self._said({key: served[key] for key in keys})
        texts = list(self._reasons)
        missing = union(served.values())
        kinds = Counter(texts[reason].kind for reason in bits(missing))
        lost = union(bit for _, bit in of_goals) & ~missing & ~done
        notes = [*self.notes, *(f"not found in {self.time_zone}: {texts[reason].text}" for reason in bits(lost))]
        if self._broken:
            notes.append(f"{count(self._broken, 'contact')} left out, because the rules cannot be run on them")
        chosen = []
        for key in sorted((k for k in keys if k not in taken), key=lambda k: said[k] & -said[k]):
            candidate = self._candidates[key]
            why = _words([texts[reason] for reason in bits(said[key])])
            chosen.append(Chosen(candidate.scene, candidate.category, candidate.outcome, why))
        return Suite(tuple(chosen), {kind: kinds[kind] for kind in KINDS if kinds[kind]}, tuple(notes), self.time_zone)

    def _said(self, served: Mapping[str, int]) -> dict[str, int]:
        """Return what each contact says it is for: a reason stands at one that was made for it, else at the first."""
        left = union(served.values())
        said = dict.fromkeys(served, 0)
        own = {key: self._candidates[key].own & reasons for key, reasons in served.items()}
        for key, reasons in (*own.items(), *served.items()):
            said[key] |= reasons & left
            left &= ~said[key]
        return said


def _cover(served: Mapping[str, int]) -> list[str]:
    """Return few keys that together serve everything: those that alone serve something, then the most useful ones."""
    once = several = 0
    for reasons in served.values():
        several |= once & reasons
        once |= reasons
    alone = once & ~several
    keys = [key for key, reasons in served.items() if reasons & alone]
    missing = once & ~union(served[key] for key in keys)
    while missing:
        key = max(served, key=lambda k: (served[k] & missing).bit_count())
        missing &= ~served[key]
        keys.append(key)
    return keys


def union(masks: Iterable[int]) -> int:
    """Return what is in any of some bitsets."""
    return reduce(or_, masks, 0)


def _words(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """Return the reasons as words; pairs of values are many, and only counted."""
    found: list[str] = []
    pairs = 0
    for reason in reasons:
        if reason.kind == "pairwise":
            pairs += 1
        else:
            found.append(reason.text)
    return (*found, *([f"pairwise: {count(pairs, 'pair')} of values"] if pairs else ()))


def situation(contact: Mapping[str, object], context: Mapping[str, object], moment: int, category: str) -> str:
    """Return what tells two contacts apart, in words: 1 and true are the same to Python."""
    return repr((category, sorted(flat(contact)), sorted(flat(context)), moment))
