"""The text of a population: what was run, and where it failed, what was expected against what was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.bulk.report import contacts, share
from dialproof.output.report import count, printable
from dialproof.output.witness import value_text
from pytest_dialproof.masking import statement_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.bulk.population import Unmet
    from dialproof.bulk.report import Report
    from dialproof.bulk.statements import Held
    from dialproof.model.populations import Statement
    from dialproof.populations import Statements
    from pytest_dialproof.population_item import PopulationItem

__all__ = ["explain", "passed_lines", "summary"]


def passed_lines(item: PopulationItem, report: Report, statements: Statements) -> Iterator[str]:
    """Yield what a population that passed shows."""
    yield from _summary(report)
    for held in report.held.held if report.held else ():
        said = " ".join(_statement(item, held.statement, statements))
        yield printable(f"{said}: shown of {contacts(held.about)}{_by_row(held)}")


def _summary(report: Report) -> Iterator[str]:
    tally = report.tally
    dialed = "" if tally.bulk.category == "wrapUp" else f", dialed {share(tally.dialed, tally.contacts)}"
    yield f"{contacts(tally.contacts)} of {count(len(report.files), 'file')}{dialed}"
    if report.left_out:
        yield f"{count(report.left_out, 'bad row')} left out"
    for rule, why in tally.bulk.by_row.items():
        yield f"{rule} is decided contact by contact: {why}"
    recheck = report.recheck
    yield f"{count(recheck.sampled + recheck.on_boundaries, 'contact')} checked by cel-python"


def summary(item: PopulationItem, found: Sequence[Unmet], statements: Statements) -> str:
    """Return in one sentence what is not as expected; personal values are masked."""
    first = found[0]
    text = first.summary
    if first.held is not None:
        text = f"{' '.join(_statement(item, first.held.statement, statements))}: {text}"
    return text + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")


def explain(item: PopulationItem, report: Report, found: Sequence[Unmet], statements: Statements) -> str:
    """Return the text above the last line; its first line is a sentence, and personal values are masked."""
    lines = [f"Population {item.population.name!r} of campaign {item.campaign.id} is not as expected.", ""]
    lines += [f"  {line}" for line in _summary(report)]
    if item.contacts.now:
        zone = f" ({item.contacts.time_zone})" if item.contacts.time_zone else ""
        lines.append(f"  now {item.contacts.now}{zone}")
    lines.append("")
    for one in found:
        if one.held is not None:
            lines += _violated(item, one.held, one.got, statements)
        elif one.expected:
            lines += [f"- {one.key}: {one.expected}", f"+ {one.key}: {one.got}"]
        else:
            lines.append(f"! {one.summary}")
    return "\n".join(printable(line).rstrip() for line in lines)


def _violated(item: PopulationItem, held: Held, got: str, statements: Statements) -> Iterator[str]:
    for line in _statement(item, held.statement, statements):
        yield f"- {line}"
    yield f"+ {got}{_by_row(held)}"
    for one in held.shown:
        example = one.example
        values = ", ".join(f"{name}={value_text(value)}" for name, value in example.contact.items())
        yield f"    {example.path}, row {example.row}: {values or '(no columns)'}"
        yield f"      {one.outcome}" + ("; cannot be decided" if one.undecided else "")
    if held.violated > len(held.shown):
        yield f"    and {held.violated - len(held.shown):,} more"


def _by_row(held: Held) -> str:
    return f" (contact by contact: {held.by_row})" if held.by_row else ""


def _statement(item: PopulationItem, statement: Statement, statements: Statements) -> Iterator[str]:
    """Yield a statement as it may be shown: without its literals where it reads something personal."""
    columns = item.campaign.contact_list
    where, text = statements.programs(statement)
    for key, program in ((statement.kind, text), ("where", where)):
        if program is not None:
            yield f"{key} {' '.join(statement_text(program.cel, program, columns).split())}"
