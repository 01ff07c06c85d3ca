"""The item of one invariant: held against what is known, proved for all contacts, or searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_dialproof.items import DialproofItem

if TYPE_CHECKING:
    from dialproof.invariants import Violated
    from dialproof.model.rules import Invariant
    from dialproof.project import Campaign
    from pytest_dialproof.failure import ItemFailed

__all__ = ["InvariantItem"]


class InvariantItem(DialproofItem):
    """One invariant of a rules file, in every campaign that runs it."""

    def __init__(self, *, invariant: Invariant, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.invariant = invariant

    def check(self) -> None:
        """Verify the invariant; a contact on which it is undecided fails it, as one on which it is false does."""
        from dialproof.invariants import Violated

        self.user_properties += [("file", self.place.shown(self.file)), ("line", str(self.line))]
        held, unproved, lists = 0, "", []
        for campaign in self.place.project.campaigns:
            if not any(file.path == self.file for file in campaign.files):
                continue
            self.user_properties.append(("campaign", campaign.id))
            self._refuse_problems(campaign)
            result = self.place.invariants(campaign).verify(self.invariant, self.place.lint_result.findings)
            if isinstance(result, Violated):
                self._keep(campaign, result)
                raise self._violated(campaign, result)
            held += result.contacts
            unproved = unproved or result.unproved
            lists.append(self._domain(campaign))
        self.facts["proved"] = not unproved
        self.user_properties += [("held", str(held)), ("proved", str(not unproved).lower())]
        text = f"not proved ({unproved}); held on {held} contacts"
        if not unproved:
            text = f"proved for every contact of {', '.join(dict.fromkeys(lists))}"
        self.add_report_section("call", "stdout: dialproof", f"{self.name}: {text}\n")

    def _keep(self, campaign: Campaign, violated: Violated) -> None:
        """Keep a contact that no case has, for the controller to save."""
        if self.config.option.dialproof_save and isinstance(violated.seen.options.get("now"), str):
            if violated.seen.source == "case":
                return
            from dialproof.counterexamples import counterexample

            evaluator = self.place.evaluator(campaign)
            self.facts["counterexample"] = counterexample(self.invariant, violated, evaluator)

    def _domain(self, campaign: Campaign) -> str:
        columns = campaign.contact_list
        return self.place.shown(columns.path) if columns.declared else "the columns that the rules use"

    def _refuse_problems(self, campaign: Campaign) -> None:
        """Raise for an invariant without a meaning, at the place of what is wrong with it."""
        place = self.invariant.span
        for problem in self.place.evaluator(campaign).problems:
            if problem.path == self.file and place.line <= problem.span.line <= place.end_line:
                raise self.fails(problem.message, line=problem.span.line)

    def _violated(self, campaign: Campaign, violated: Violated) -> ItemFailed:
        from dialproof.findings import Finding, Witness
        from dialproof.output.masking import masked
        from dialproof.output.witness import witness_lines
        from pytest_dialproof.masking import statement_text, values_masked

        seen, columns = violated.seen, campaign.contact_list
        origin = seen.origin + (f" of {self.place.shown(seen.path)}" if seen.path else "")
        found = "is undecided" if violated.verdict is None else "does not hold"
        context = seen.options.get("context") or {}
        now = seen.options.get("now")
        # a clock that nobody set is another one in the next run
        witness = Witness(seen.contact, context, now if isinstance(now, str) else "", violated.outcome)
        finding = Finding("", "", "error", self.file, self.invariant.span, "", witness=witness)
        safe = masked(finding, columns).witness
        always = self.invariant.always
        cel = statement_text(always.text.strip(), self.place.evaluator(campaign).leaf(always), columns)
        lines = [f"The invariant {found} for {origin}.", "", f"  {cel}", ""]
        lines += [f"  {line}" for line in (witness_lines(safe) if safe else [])]
        mask = values_masked(columns, [seen.contact], context)
        return self.fails(mask(f"invariant {self.invariant.name!r} {found} for {origin}"), mask("\n".join(lines)))
