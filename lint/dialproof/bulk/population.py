"""A population: a backtest of whole contact lists, held against what is expected of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dialproof.bulk.backtest import Options, backtest
from dialproof.bulk.report import contacts, share
from dialproof.output.report import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dialproof.bulk.report import Report
    from dialproof.bulk.statements import Held
    from dialproof.evaluate import Evaluator
    from dialproof.model.populations import Population, Range
    from dialproof.populations import Statements
    from dialproof.source.positions import Span

__all__ = ["Unmet", "run_population", "unmet"]


@dataclass(frozen=True)
class Unmet:
    """One thing that is not as expected: a sentence, the two sides of the diff (counts alone) and where it stands.

    ``held`` is the statement that is violated, if it is one; ``rules`` are those that it is about.
    """

    key: str
    summary: str
    expected: str
    got: str
    span: Span
    rules: tuple[str, ...] = ()
    held: Held | None = None


def run_population(
    population: Population,
    statements: Statements,
    evaluator: Evaluator,
    files: Mapping[str, Path],
    *,
    now: str | None,
    time_zone: str | None,
) -> Report:
    """Run the contacts of files, by the names that messages use; without ``now`` at the current time.

    Raises :class:`dialproof.errors.InputError` for contacts that cannot be read.
    """
    options = Options(
        category=population.category,
        now=now or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        time_zone=time_zone,
        on_bad_row=population.on_bad_row,
        blank_columns=population.blank_columns,
        allow_blank="missingColumns: blank",
        allow_bad_rows="onBadRow: skip, or report",
    )
    return backtest(evaluator, files, options, statements=statements)


def unmet(population: Population, report: Report) -> list[Unmet]:
    """Return everything in which the contacts are not as expected, in the order of the keys of ``expect``."""
    if not report.tally.contacts:
        summary = f"no contact could be read: {count(report.left_out, 'bad row')}"
        return [Unmet("contacts", summary, "at least 1", "0", population.span)]
    return [*_broken(population, report), *_counts(population, report), *_violated(report)]


def _broken(population: Population, report: Report) -> Iterator[Unmet]:
    for failure, number in report.tally.failures.most_common():
        summary = f"the rules could not be run for {contacts(number)}: {failure}"
        yield Unmet("failure", summary, "", "", population.span)


def _counts(population: Population, report: Report) -> Iterator[Unmet]:
    expect, tally = population.expect, report.tally
    for key, wanted, number, what in _expected(population, report):
        if wanted.holds(number, tally.contacts):
            continue
        got = f"{number:,}" if key == "contacts" else share(number, tally.contacts)
        kind, _, name = key.partition(".")
        rules: tuple[str, ...] = (name,) if kind == "matched" else ()
        if key == "undecided":
            rules = tuple(rule for rule, counts in tally.rules.items() if counts.undecided)
            got += "".join(f"; {rule}: {tally.rules[rule].undecided:,}" for rule in rules)
        summary = f"expected {wanted.text} {what}, got {got}"
        yield Unmet(key, summary, wanted.text, got, expect.spans.get(key, population.span), rules)


def _expected(population: Population, report: Report) -> Iterator[tuple[str, Range, int, str]]:
    """Yield each key with what is expected, what is there, and in words of what."""
    expect, tally = population.expect, report.tally
    if expect.contacts is not None:
        yield "contacts", expect.contacts, tally.contacts, "contacts"
    for name, wanted in expect.matched.items():
        matched = tally.rules[name].matched if name in tally.rules else 0  # a rule that is switched off
        yield f"matched.{name}", wanted, matched, f"matched by {name}"
    if expect.dial is not None:
        yield "dial", expect.dial, tally.dialed, "dialed"
    for name, wanted in expect.lists.items():
        yield f"lists.{name}", wanted, tally.lists.get(name, (0, 0))[0], f"on list {name}"
    yield "undecided", expect.undecided, tally.undecided, "undecided"


def _violated(report: Report) -> Iterator[Unmet]:
    for held in report.held.held if report.held else ():
        if held.violated:
            got = f"violated by {held.violated:,} of {contacts(held.about)}"
            yield Unmet(held.statement.kind, got, "", got, held.statement.text.span, held=held)
