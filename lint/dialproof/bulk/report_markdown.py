"""A backtest for a pull request: the figures as tables, and behind a fold all that the text says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.bulk.report import as_text, contacts, most, outcome_text, share
from dialproof.output.markdown import code_span, text_block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.bulk.report import Report
    from dialproof.bulk.tally import Changes

__all__ = ["as_markdown"]


def as_markdown(report: Report) -> str:
    """Return the report as Markdown of GitHub and GitLab."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    tally, total = report.tally, report.tally.contacts
    yield f"### Backtest of {code_span(report.campaign)}"
    yield ""
    said = [contacts(total)]
    if tally.bulk.category == "preCall":
        said.append(f"{share(tally.dialed, total)} dialed")
    if tally.undecided:
        said.append(f"{share(tally.undecided, total)} undecided")
    yield f"{', '.join(said)}."
    if report.changes is not None:
        yield from ("", *_changes(report.changes, report.against, total))
    yield from ("", "| rule | matched | first | undecided |", "|---|---:|---:|---:|")
    for name, counts in tally.rules.items():
        yield f"| {code_span(name)} | {counts.matched:,} | {counts.first:,} | {counts.undecided:,} |"
    yield from ("", "<details><summary>The whole report</summary>", "")
    yield from text_block(as_text(report).splitlines())
    yield from ("", "</details>")


def _changes(changes: Changes, against: str, total: int) -> Iterator[str]:
    dialing = f"; {changes.more:,} come to be dialed, {changes.fewer:,} cease to be" * (
        changes.new.category == "preCall"
    )
    yield f"Against {code_span(against)} the outcome of {share(changes.contacts, total)} changes{dialing}."
    if changes.changes:
        yield from ("", "| contacts | before | after |", "|---:|---|---|")
    for change, n in most(changes.changes):
        yield f"| {n:,} | {code_span(outcome_text(change.before))} | {code_span(outcome_text(change.after))} |"
