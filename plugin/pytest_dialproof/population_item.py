"""The item of one population: run the rules over its contacts, and hold what is counted against what is expected."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pytest_dialproof.items import ContactsItem
from pytest_dialproof.warning import DialproofWarning

if TYPE_CHECKING:
    from dialproof.bulk.report import Report
    from dialproof.model.populations import Population

__all__ = ["PopulationItem"]


class PopulationItem(ContactsItem):
    """One population of a contacts file."""

    def __init__(self, *, population: Population, **kwargs: Any) -> None:
        super().__init__(tags=population.tags, line=population.span.line, **kwargs)
        self.population = population

    def check(self) -> None:
        """Run the population by columns; contacts that are shown were run one by one."""
        from dialproof.bulk import check_installed
        from dialproof.populations import Statements, files_of

        self.note_place()
        config = self.place.config
        statements = Statements(self.file, self.population, self.campaign, config)
        check_installed()
        from dialproof.bulk.population import run_population, unmet

        files = files_of(config.root, self.contacts, self.population)
        report = run_population(
            self.population,
            statements,
            self.place.evaluator(self.campaign),
            {self.place.shown(name): path for name, path in files.items()},
            now=self.contacts.now,
            time_zone=self.contacts.time_zone,
        )
        self.facts["population"] = {
            "campaign": self.campaign.id,
            "name": self.population.name,
            "contacts": report.tally.contacts,
            "dialed": report.tally.dialed if report.tally.bulk.category == "preCall" else None,
        }
        from pytest_dialproof.population_text import explain, passed_lines, summary

        self._refuse_disagreement(report)
        found = unmet(self.population, report)
        if found:
            self.note_rules(rule for one in found for rule in one.rules)
            text = explain(self, report, found, statements)
            raise self.fails(summary(self, found, statements), text, line=found[0].span.line)
        lines = passed_lines(self, report, statements)
        self.add_report_section("call", "stdout: dialproof", "".join(f"{line}\n" for line in lines))
        for held in report.held.held if report.held else ():
            if not held.about:
                warnings.warn_explicit(
                    DialproofWarning("no contact is one `where` this is about, so nothing was shown"),
                    category=None,
                    filename=str(config.root / self.file),
                    lineno=held.statement.span.line,
                )

    def _refuse_disagreement(self, report: Report) -> None:
        wrong = [*report.recheck.wrong, *(report.held.wrong if report.held else ())]
        if wrong:
            places = ", ".join(f"{path}, row {row}" for path, row in wrong[:5])
            raise self.fails(
                f"cel-python comes to another outcome than the run by columns, which is a defect of dialproof: {places}"
            )
