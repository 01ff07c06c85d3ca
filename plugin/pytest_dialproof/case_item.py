"""The item of one case: run the rules over its contact and hold the outcome against what is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.compare import case_differences
from pytest_dialproof.items import ContactsItem
from pytest_dialproof.run_facts import conflict

if TYPE_CHECKING:
    from dialproof.model.contacts import Case

__all__ = ["CaseItem"]


class CaseItem(ContactsItem):
    """One case of a contacts file."""

    def __init__(self, *, case: Case, **kwargs: Any) -> None:
        super().__init__(tags=case.tags, line=case.span.line, **kwargs)
        self.case = case

    def check(self) -> None:
        """Run the case; only when it fails is the trace computed that explains why."""
        observer = self.place.observer(self.campaign)
        try:
            run = observer.run(self.case, self.contacts)
        except ValueError as error:  # a clock or time zone that there is not
            raise self.fails(f"the case cannot be run: {error}") from None
        evaluator, options, outcome = observer.given, run.options, run.outcome
        self.facts["case"] = {
            "campaign": self.campaign.id,
            "met": f"{run.met:x}",
            "dial": outcome.dial,
            "ns": run.nanoseconds,
            "conflict": conflict(self.campaign, outcome),
        }
        self.note_place()
        found = case_differences(self.case, options, outcome, evaluator)
        if found:
            from pytest_dialproof.case_text import explain
            from pytest_dialproof.masking import values_masked

            self.note_rules(rule for difference in found for rule in difference.rules)
            traces = evaluator.trace(self.case.contact, **options)
            text = explain(self, options, outcome, found, traces)
            line = next((d.line for d in found if d.line), None)
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            contacts = (self.case.contact, self.case.expect.contact or {})
            mask = values_masked(self.campaign.contact_list, contacts, self.case.context)
            raise self.fails(mask(found[0].summary + more), mask(text), line=line)
