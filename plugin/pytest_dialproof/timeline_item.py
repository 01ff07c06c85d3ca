"""The item of a case that goes through time: play its steps and hold each against what is expected of it."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from dialproof.over_time import play_and_compare
from pytest_dialproof.items import ContactsItem
from pytest_dialproof.run_facts import conflict

if TYPE_CHECKING:
    from dialproof.evaluate import Evaluator
    from dialproof.model.timelines import Timeline
    from dialproof.over_time import Played
    from pytest_dialproof.failure import ItemFailed

__all__ = ["TimelineItem"]


class TimelineItem(ContactsItem):
    """One case of a contacts file that has a timeline."""

    def __init__(self, *, case: Timeline, **kwargs: Any) -> None:
        super().__init__(tags=case.tags, line=case.span.line, **kwargs)
        self.case = case

    @property
    def time_zone(self) -> str | None:
        """The zone of local times, None for UTC."""
        return self.case.time_zone or self.contacts.time_zone

    def check(self) -> None:
        """Play the steps; only when something differs is it explained."""
        evaluator = self.place.evaluator(self.campaign)
        started = perf_counter_ns()
        played = play_and_compare(evaluator, self.case, self.contacts)
        elapsed = perf_counter_ns() - started
        self.facts["case"] = self._shown(played, elapsed)
        self.note_place()
        if played.found:
            raise self._failure(evaluator, played)

    def _shown(self, played: Played, elapsed: int) -> dict[str, Any]:
        """Return what all its runs together showed."""
        runs = [run for one in played.happened for run in one.runs]
        return {
            "campaign": self.campaign.id,
            "met": f"{self.place.observer(self.campaign).met_along(self.case, played.happened):x}",
            "dial": None,  # it has several
            "ns": elapsed // max(len(runs), 1),
            "conflict": any(conflict(self.campaign, run.outcome) for run in runs),
        }

    def _failure(self, evaluator: Evaluator, played: Played) -> ItemFailed:
        from pytest_dialproof.masking import values_masked
        from pytest_dialproof.timeline_text import explain

        index, (first, *_) = next(iter(played.found.items()))
        every = [difference for several in played.found.values() for difference in several]
        self.note_rules(rule for difference in every for rule in difference.rules)
        where = "" if index is None else f"step {index + 1}: "
        more = f" (and {len(every) - 1} more)" if len(every) > 1 else ""
        line = first.line or (self.line if index is None else self.case.steps[index].span.line)
        contacts = [*self.case.contacts, *(one.contact for one in played.happened)]
        mask = values_masked(self.campaign.contact_list, contacts, *self.case.contexts)
        text = explain(self, evaluator, played)
        return self.fails(mask(f"{where}{first.summary}{more}"), mask(text), line=line)
