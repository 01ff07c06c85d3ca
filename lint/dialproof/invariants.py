"""Invariants of one campaign: held against the contacts that are known, proved for all of them, or searched for others.

What is known already comes first: the cases of the campaign and the contacts that findings show. Then the analysis is
asked for a proof or a counterexample, and where it leaves the question open, a bounded search looks for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from dialproof.analysis.invariants import Proofs
    from dialproof.analysis.witness import Scene
    from dialproof.evaluate import Evaluator
    from dialproof.findings import Finding
    from dialproof.model.contacts import Contact
    from dialproof.model.rules import Category, Invariant
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign, Project

__all__ = ["Held", "Invariants", "Seen", "Violated", "broken_by", "verdict_of"]

Source: TypeAlias = Literal["case", "finding", "proof", "search"]
"""Where a contact comes from: a case, the witness of a finding, the analysis, or the search."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A contact, how it is run, and where it comes from: in words, and the file that this names, if any."""

    origin: str
    path: str
    source: Source
    contact: Mapping[str, object]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """An invariant that held on ``contacts`` contacts; ``unproved`` says why that is no proof, "" where it is one."""

    contacts: int
    unproved: str

    @property
    def proved(self) -> bool:
        """Whether it holds on every contact of the domain."""
        return not self.unproved


@dataclass(frozen=True, slots=True)
class Violated:
    """A run that does not keep an invariant: ``verdict`` is False, or None where it is undecided."""

    seen: Seen
    outcome: Outcome
    verdict: bool | None


def verdict_of(
    invariant: Invariant, evaluator: Evaluator, contact: Contact, options: Mapping[str, Any], outcome: Outcome
) -> bool | None:
    """Return whether an invariant holds for a run with these options, None where that is undecided."""
    circumstances = {key: options[key] for key in ("context", "now", "time_zone") if key in options}
    return evaluator.invariant(invariant, contact, outcome, **circumstances)


def broken_by(
    names: Iterable[str], evaluator: Evaluator, contact: Contact, options: Mapping[str, Any], outcome: Outcome
) -> tuple[str, ...]:
    """Return those of the named invariants of a campaign that do not hold for a run."""
    named = {invariant.name: invariant for invariant in evaluator.campaign.invariants}
    return tuple(
        name
        for name in names
        if name not in named or verdict_of(named[name], evaluator, contact, options, outcome) is not True
    )


class Invariants:
    """Verifies the invariants of one campaign; what it learns of the campaign serves all of them."""

    def __init__(self, project: Project, campaign: Campaign, evaluator: Evaluator) -> None:
        self.project, self.campaign, self.evaluator = project, campaign, evaluator

    @cached_property
    def _proofs(self) -> Proofs:
        from dialproof.analysis.familiar import familiar_to
        from dialproof.analysis.invariants import Proofs

        return Proofs(self.evaluator, familiar=familiar_to(self.project, self.campaign))

    def verify(self, invariant: Invariant, findings: Iterable[Finding] = ()) -> Held | Violated:
        """Return whether an invariant holds; ``findings`` are those of the project, whose contacts are run too."""
        from dialproof.analysis.invariants import categories_of

        categories = categories_of(self.evaluator, invariant)
        held = 0
        for seen in self._known(findings):
            if seen.options.get("category", "preCall") not in categories:
                continue
            violated = self._violated(invariant, seen)
            if violated is not None:
                return violated
            held += 1
        unproved = ""
        for category in categories:
            answer, tried = self._settled(invariant, category)
            if isinstance(answer, Violated):
                return answer
            held += tried
            unproved = unproved or answer
        return Held(held, unproved)

    def _known(self, findings: Iterable[Finding]) -> Iterator[Seen]:
        """Yield the cases of the campaign, then the contacts that findings show."""
        from dialproof.over_time import play_and_compare

        for file in self.project.contacts_files_of(self.campaign):
            for case in file.cases:
                yield Seen(f"the case {case.name!r}", file.path, "case", case.contact, file.run_options(case))
            for timeline in file.timelines:
                for number, one in enumerate(play_and_compare(self.evaluator, timeline, file).happened, 1):
                    origin = f"step {number} of the case {timeline.name!r}"
                    yield from (Seen(origin, file.path, "case", run.contact, run.options) for run in one.runs)
        for finding in findings:
            if finding.witness is not None and finding.campaign in self.campaign.ids:
                witness = finding.witness
                origin = f"the contact that shows {finding.code} ({', '.join(finding.rules)})"
                options = {"context": witness.context, "now": witness.now or None}
                yield Seen(origin, "", "finding", witness.contact, options)

    def _violated(self, invariant: Invariant, seen: Seen) -> Violated | None:
        outcome = self.evaluator.run(seen.contact, **seen.options)
        verdict = verdict_of(invariant, self.evaluator, seen.contact, seen.options, outcome)
        return Violated(seen, outcome, verdict) if verdict is not True or outcome.failure is not None else None

    def _settled(self, invariant: Invariant, category: Category) -> tuple[Violated | str, int]:
        """Return a violation, or why there is no proof ("" where there is one), and how many contacts were searched."""
        from dialproof.analysis.answers import Nowhere, Unknown, WitnessError

        answer = self._proofs.decide(invariant, category)
        if isinstance(answer, Nowhere):
            return "", 0
        if isinstance(answer, Unknown):
            found, tried = self._searched(invariant, category)
            return found or answer.reason, tried
        violated = self._violated(invariant, self._found(answer.scene, category, "proof"))
        if violated is None:
            raise WitnessError(f"the contact found for the invariant {invariant.name!r} keeps it")
        return violated, 0

    def _searched(self, invariant: Invariant, category: Category) -> tuple[Violated | None, int]:
        """Return a violation that the search finds, and how many contacts it ran."""
        from dialproof.search import search

        tried = 0

        def happens(scene: Scene) -> bool:
            nonlocal tried
            tried += 1
            return run(scene) is not None

        def run(scene: Scene) -> Violated | None:
            return self._violated(invariant, self._found(scene, category, "search"))

        scene = search(self.campaign, happens, folder=self.project.config.cache / "hypothesis")
        return (None if scene is None else run(scene)), tried

    def _found(self, scene: Scene, category: Category, source: Source) -> Seen:
        columns = self.campaign.contact_list
        options = {"category": category, "context": scene.context, "now": scene.now}
        return Seen("a contact", columns.path if columns.declared else "", source, scene.contact, options)
