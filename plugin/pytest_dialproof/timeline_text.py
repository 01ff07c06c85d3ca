"""The text of a failed timeline: the contact, its steps as a table with those that differ, and why the first does."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from dialproof.journey import moment_text
from dialproof.model.timelines import CALLBACK, Attempt
from dialproof.output.masking import MASK, personal_columns
from dialproof.output.report import printable
from dialproof.output.witness import flat, value_text
from pytest_dialproof.case_text import columns, contact_lines, diff_lines, rule_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.evaluate import Evaluator
    from dialproof.journey import Happened
    from dialproof.model.timelines import Step
    from dialproof.over_time import Played
    from pytest_dialproof.timeline_item import TimelineItem

__all__ = ["explain"]

_HEADER = ("", "step", "at", "what", "dial", "matched", "then")


def explain(item: TimelineItem, evaluator: Evaluator, played: Played) -> str:
    """Return the text above the last line; its first line is a sentence, and personal values are masked."""
    lines = [f"Case {item.case.name!r} of campaign {item.campaign.id} is not as expected.", ""]
    lines += contact_lines(item, item.case.contact, item.case.context)
    rows: list[Sequence[str]] = [_HEADER]
    for index, (step, one) in enumerate(zip_longest(item.case.steps, played.happened)):
        rows.append((">" if index in played.found else "", str(index + 1), *_cells(item, step, one)))
    lines += ["", *columns(rows)]
    first = next(iter(played.found))
    for place, differences in played.found.items():
        lines.append("")
        if place is not None:
            lines.append(f"step {place + 1} ({item.place.shown(item.file)}:{item.case.steps[place].span.line})")
            if place == first and place < len(played.happened):
                one = played.happened[place]
                traces = [trace for run in one.runs for trace in evaluator.trace(run.contact, **run.options)]
                lines += rule_lines(item, differences, traces, one.outcome)
            lines.append("")
        lines += diff_lines(differences)
    return "\n".join(printable(line).rstrip() for line in lines)


def _cells(item: TimelineItem, step: Step, one: Happened | None) -> tuple[str, ...]:
    """Return what a step is, and what became of it unless it did not happen."""
    what = "update"
    if isinstance(step.does, Attempt):
        kind = "callback" if step.at == CALLBACK else "attempt"
        ended = step.does.call.values() if one is None or one.outcome.dial else ()
        what = " ".join(filter(None, (kind, step.does.column, *ended)))
    if one is None:
        return step.at, what, "", "", ""
    outcome = one.outcome
    dial = {True: "yes", False: f"no ({outcome.reason})", None: ""}[outcome.dial]
    return moment_text(one.at, item.time_zone), what, dial, ", ".join(outcome.matched), "; ".join(_then(item, one))


def _then(item: TimelineItem, one: Happened) -> Iterator[str]:
    """Yield what is another than before: columns, lists, what actions do for later, and rules that are undecided."""
    personal = personal_columns(item.campaign.contact_list)
    outcome, was = one.outcome, dict(flat(one.contact))
    for name, value in flat(outcome.contact):
        if was.get(name) != value:
            yield f"{name} = {MASK if name in personal else value_text(value)}"
    lists = one.runs[0].options["lists"] if one.runs else outcome.lists
    for name, member in outcome.lists.items():
        if lists.get(name, False) != member:
            yield f"list {name} = {'true' if member else 'false'}"
    for acted in outcome.acted:
        if acted.action.type == "scheduleCallback":
            yield f"callback in {acted.action.fields['offsetMinutes']} minutes"
        elif acted.action.type not in ("setAttribute", "setList", "doNotDial"):
            yield acted.action.type
    if outcome.undecided:
        yield f"undecided {', '.join(outcome.undecided)}"
