"""A campaign under other settings of a switch of ``semantics``, and the contacts to which they make a difference."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import islice, product
from typing import TYPE_CHECKING

from dialproof.analysis.answers import Nowhere, Unknown
from dialproof.analysis.effects import effect_of, same_effect
from dialproof.analysis.pairs import bits, sharing
from dialproof.analysis.passes import Starts, wide_regions
from dialproof.analysis.regions import Region
from dialproof.analysis.space import Space

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dialproof.analysis.answers import Question
    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.analysis.domain import Cell
    from dialproof.analysis.regions import Box
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.cel.values import Variable
    from dialproof.config import Semantics
    from dialproof.model.rules import Rule

__all__ = ["SWITCHES", "Contrast", "settings", "under"]

SWITCHES = ("undecided", "laterRulesSeeUpdates", "doNotDialStops", "caseSensitive", "tieBreak")

_TRIED = 24
"""Contacts that look likely and are run before all others."""
_BOXES = 20_000
"""Boxes of contacts that are looked at in all."""


def settings(semantics: Semantics, switch: str) -> tuple[object, ...]:
    """Return what else a switch could be set to."""
    now = getattr(semantics, switch)
    if isinstance(now, bool):
        return (not now,)
    every: tuple[str, ...] = ("refuseToDial", "unmet", "met") if switch == "undecided" else ("file", "name")
    return tuple(setting for setting in every if setting != ("file" if now == "error" else now))


def under(analysis: CampaignAnalysis, switch: str, setting: object) -> CampaignAnalysis:
    """Return the campaign under another setting of one switch."""
    semantics = replace(analysis.semantics, **{switch: setting})  # type: ignore[arg-type]  # one of `settings`
    rules = _in_order(analysis, by_name=setting == "name") if switch == "tieBreak" else None
    return analysis.under(semantics, rules)


def _in_order(analysis: CampaignAnalysis, *, by_name: bool) -> tuple[Rule, ...]:
    """Return the rules with ties of the execution order broken by name, or by their place in the files."""
    campaign = analysis.campaign
    if by_name:
        return tuple(sorted(campaign.rules, key=lambda rule: (rule.execution_order, rule.name)))
    place = {file.path: position for position, file in enumerate(campaign.files)}
    return tuple(
        sorted(campaign.rules, key=lambda r: (r.execution_order, place.get(r.path, 0), r.span.line, r.span.column))
    )


class Contrast:
    """One category of a campaign as it is configured, and under other settings of a switch.

    ``choices`` are all values to look at of some columns, where the cells of their axes do not tell the settings apart;
    ``open`` says why those do not stand for all.
    """

    def __init__(
        self,
        runs: Runs,
        others: Mapping[object, Runs],
        choices: Mapping[Variable, Sequence[Cell]] | None = None,
        opened: Unknown | None = None,
    ) -> None:
        self.runs = runs
        self.others = others
        self.starts = Starts(runs)
        self._choices = choices or {}
        self._open = opened
        self._positions = {
            setting: {id(rule): position for position, rule in enumerate(other.rules)}
            for setting, other in others.items()
        }

    def differs(self, scene: Scene) -> object | None:
        """Return a setting under which a run comes to something else for the contact, None if there is none."""
        outcome = self.runs.run(scene)
        return next((s for s, other in self.others.items() if not same_effect(outcome, other.run(scene))), None)

    def search(self, likely: Iterable[Scene], boxes: Iterable[Box], question: Question) -> Scene | Nowhere | Unknown:
        """Search a contact of the boxes to which the settings make a difference; ``likely`` ones are tried first."""
        for scene in islice(likely, _TRIED):
            spent = question.spend()
            if spent is not None:
                return spent
            if self.differs(scene) is not None:
                self.runs.analysis.decided["cells"] += 1
                return scene
        left: Unknown | None = None
        looked_at = list(islice(boxes, _BOXES + 1))
        for box in looked_at[:_BOXES]:
            found = self._inside(box, question)
            if isinstance(found, Unknown) and found.kind == "budget":
                return found
            if isinstance(found, Unknown):
                left = left or found
            elif not isinstance(found, Nowhere):
                return found
        if len(looked_at) > _BOXES:
            left = left or Unknown("too many rules can meet each other", "budget")
        if looked_at and left is None:
            self.runs.analysis.decided["enumeration"] += 1
        return left or Nowhere()

    @cached_property
    def _wide(self) -> list[Region]:
        return wide_regions(self.runs, self._choices.keys())

    def _inside(self, box: Box, question: Question) -> Scene | Nowhere | Unknown:
        involved = tuple(bits(sharing([Region((box,))], self._wide)[0]))
        space = Space(self.runs, involved, updated=True)
        chosen = [v for v in space.variables if v in self._choices]
        space.variables = [v for v in space.variables if v not in self._choices]
        for assignment in space.inside([box]):
            for cells in product(*(self._choices[v] for v in chosen)) if assignment is not None else ():
                spent = question.spend()
                if spent is not None:
                    return spent
                more = dict(zip(chosen, cells, strict=True))
                if assignment is not None and self._matters(involved, self.starts.part_of(assignment, more)):
                    return self.starts.scene_at(assignment, more)
        return space.open or (self._open if chosen else None) or Nowhere()

    def _matters(self, involved: tuple[int, ...], scene: Scene) -> bool:
        runs = self.runs
        effect = effect_of(runs, runs.steps.as_written(involved, runs.steps.start(scene)))
        for setting, other in self.others.items():
            place = self._positions[setting]
            rules = tuple(sorted(place[id(runs.rules[i])] for i in involved))
            if not effect.same(effect_of(other, other.steps.as_written(rules, other.steps.start(scene)))):
                return True
        return False
