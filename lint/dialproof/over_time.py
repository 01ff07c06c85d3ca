"""What a case with a timeline expects against what became of it, step by step and of all steps together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dialproof.cel.values import parse_datetime
from dialproof.compare import Difference, differences
from dialproof.journey import JourneyError, always_holds, moment_text, play, too_many_in
from dialproof.output.report import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.evaluate import Evaluator
    from dialproof.journey import Happened
    from dialproof.model.contacts import ContactsFile
    from dialproof.model.timelines import Timeline

__all__ = ["Found", "Played", "play_and_compare"]

Found: TypeAlias = "Mapping[int | None, list[Difference]]"
"""What is not as expected by the index of the step that shows it; None for what no single step does."""


@dataclass(frozen=True, slots=True)
class Played:
    """What became of the steps (of those before one that cannot happen), and what of it is not as expected."""

    happened: tuple[Happened, ...]
    found: Found


def play_and_compare(evaluator: Evaluator, timeline: Timeline, file: ContactsFile) -> Played:
    """Play a timeline of a contacts file and hold it against what it expects.

    What is expected of all steps together is looked at where each single one is as expected.
    """
    happened: list[Happened] = []
    found: dict[int | None, list[Difference]] = {}
    try:
        happened.extend(play(evaluator, timeline, file))
    except JourneyError as error:
        line = timeline.steps[len(happened)].at_span.line
        found[len(happened)] = [Difference("at", str(error), (), (), (), line)]
    for index, (step, one) in enumerate(zip(timeline.steps, happened, strict=False)):
        if one.is_attempt and (off := differences(step.expect, one.outcome, evaluator.campaign)):
            found[index] = off
    found = dict(sorted(found.items(), key=lambda item: item[0] or 0))
    return Played(tuple(happened), found or _together(evaluator, timeline, file, happened))


def _together(evaluator: Evaluator, timeline: Timeline, file: ContactsFile, happened: list[Happened]) -> Found:
    expect, zone = timeline.expect, timeline.time_zone or file.time_zone
    found: dict[int | None, list[Difference]] = {}

    def differ(step: int | None, key: str, summary: str, expected: str = "", got: str = "") -> None:
        sides = [(text,) if text else () for text in (expected, got)]
        found.setdefault(step, []).append(Difference(key, summary, sides[0], sides[1], (), expect.spans[key].line))

    dialed = [index for index, one in enumerate(happened) if one.outcome.dial]
    times = [happened[index].at for index in dialed]
    if expect.dials is not None and expect.dials != len(dialed):
        summary = f"expected {count(expect.dials, 'call')} in all, got {len(dialed)}"
        differ(None, "dials", summary, str(expect.dials), str(len(dialed)))
    if expect.last_dialed is not None and (not times or parse_datetime(expect.last_dialed, zone) != times[-1]):
        got = moment_text(times[-1], zone) if times else "never"
        summary = f"expected the last call at {expect.last_dialed}, got {got}"
        differ(dialed[-1] if dialed else None, "lastDialed", summary, expect.last_dialed, got)
    if expect.at_most is not None and (many := too_many_in(times, expect.at_most)):
        allowed = f"at most {count(expect.at_most.dials, 'call')} in any {expect.at_most.within}"
        got = ", ".join(moment_text(at, zone) for at in many)
        differ(dialed[times.index(many[-1])], "atMost", f"expected {allowed}, got {len(many)}", allowed, got)
    if expect.always is not None:
        for index, holds in enumerate(always_holds(evaluator, expect.always, happened)):
            if holds is not True:
                how = "is undecided" if holds is None else "does not hold"
                differ(index, "always", f"always {how} for the contact of this step and its outcome")
                break
    return found
