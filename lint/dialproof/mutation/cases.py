"""The cases of a campaign as they run, and new ones that would have noticed a mutant.

A new case is made as like an existing one as it can be: column by column takes over that one's value, as long as the
mutant still shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dialproof.analysis.universe import may_hold
from dialproof.analysis.witness import replaced
from dialproof.cel.values import MISSING, AmbiguousColumnError, lookup, read_text, same_value
from dialproof.compare import case_differences, differences
from dialproof.errors import DialproofError, ExitCode
from dialproof.model.contacts import Expect, ExpectedAction
from dialproof.output.masking import PERSONAL_CONTEXT
from dialproof.output.witness import flat
from dialproof.over_time import play_and_compare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.analysis.witness import Scene
    from dialproof.evaluate import Evaluator
    from dialproof.model.contactlist import ContactList
    from dialproof.model.contacts import Case, ContactsFile
    from dialproof.model.timelines import Timeline
    from dialproof.mutation.search import Difference
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign, Project
    from dialproof.source.positions import Span

__all__ = ["CaseRun", "CasesFailError", "TimelineRun", "case_runs", "expectation", "likened", "unlike"]


_ADVICE = "mutation asks which changes turn green cases red: make these pass first (pytest says why they fail)"


class CasesFailError(DialproofError):
    """Cases fail on the rules as they are written, so that nothing can be said of changed ones.

    ``failing`` are path, place in the file and a sentence of each; ``shown`` names a file as its path is written.
    """

    exit_code = ExitCode.FINDINGS

    def __init__(
        self, failing: Sequence[tuple[str, Span, str]], shown: Callable[[str], str] = lambda path: path
    ) -> None:
        lines = (f"{shown(path)}:{span.line}:{span.column}: {why}" for path, span, why in failing)
        super().__init__("\n".join((*lines, _ADVICE)))
        self.failing = failing


@dataclass(frozen=True, slots=True)
class CaseRun:
    """A case with how it is run (its clock is read once) and what becomes of it under the rules as they are written."""

    file: ContactsFile
    case: Case
    options: dict[str, Any]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TimelineRun:
    """A case that goes through time."""

    file: ContactsFile
    case: Timeline

    def notices(self, evaluator: Evaluator) -> bool:
        """Tell whether something is not as expected under the rules of an evaluator."""
        return bool(play_and_compare(evaluator, self.case, self.file).found)


def case_runs(project: Project, campaign: Campaign, evaluator: Evaluator) -> tuple[list[CaseRun], list[TimelineRun]]:
    """Run every case of a campaign; raises :class:`CasesFailError` that names each one that fails."""
    runs, timelines, failing = [], [], []
    for file in project.contacts_files_of(campaign):
        for case in file.cases:
            options = file.run_options(case)
            try:
                run = CaseRun(file, case, options, evaluator.run(case.contact, **options))
            except ValueError as error:  # a clock or time zone that there is not
                failing.append((file.path, case.span, f"the case cannot be run: {error}"))
                continue
            runs.append(run)
            if case_differences(case, options, run.outcome, evaluator):
                failing.append((file.path, case.span, f"case {case.name!r} fails"))
        for timeline in file.timelines:
            timelines.append(TimelineRun(file, timeline))
            if timelines[-1].notices(evaluator):
                failing.append((file.path, timeline.span, f"case {timeline.name!r} fails"))
    if failing:
        raise CasesFailError(failing)
    return runs, timelines


def likened(scene: Scene, model: CaseRun, columns: ContactList, shows: Callable[[Scene], bool]) -> Scene:
    """Return a contact that is as like the one of a case as it can be, and still ``shows`` what the given one does.

    It stays in the declared domain, and takes over no personal value.
    """
    for name, _ in list(flat(scene.context)):
        value = MISSING if name in PERSONAL_CONTEXT else lookup(model.case.context, name)
        other = replace(scene, context=_given(replaced(scene.context, name, value, ())))
        if shows(other):
            scene = other
    names = dict.fromkeys(name for contact in (scene.contact, model.case.contact) for name, _ in flat(contact))
    for name in names:
        column = columns.columns.get(name)
        if column is None or column.pii or column.phone:
            continue
        try:
            value, own = lookup(model.case.contact, name), lookup(scene.contact, name)
        except AmbiguousColumnError:
            continue
        blank = value is MISSING or read_text(value) == ""
        if same_value(value, own) or (column.required if blank else not may_hold(column, value)):
            continue
        other = replace(scene, contact=replaced(scene.contact, name, MISSING if blank else value, columns.columns))
        if shows(other):
            scene = other
    return scene


def _given(context: Mapping[str, object]) -> dict[str, object]:
    """Return a context without the parts that hold nothing any more."""
    return {key: value for key, value in context.items() if value != {}}


def unlike(contact: Mapping[str, object], model: Mapping[str, object]) -> list[tuple[str, object]]:
    """Return the columns in which a contact differs from another, with its own values (None: blank)."""
    found: list[tuple[str, object]] = []
    for name in dict.fromkeys(name for one in (model, contact) for name, _ in flat(one)):
        own, other = lookup(contact, name), lookup(model, name)
        if not same_value(own, other):
            found.append((name, None if own is MISSING else own))
    return found


def expectation(difference: Difference, campaign: Campaign) -> Expect:
    """Return what a case expects of the rules as they are written, so that it fails under the mutant."""
    outcome = difference.written
    before = dict(flat(difference.scene.contact))
    changed = {name: value for name, value in flat(outcome.contact) if before.get(name, MISSING) != value}
    expect = Expect(
        matched=outcome.matched,
        undecided=outcome.undecided or None,
        contact=changed or None,
        lists=dict(outcome.lists) or None,
        dial=outcome.dial,
    )
    if differences(expect, difference.mutated, campaign):
        return expect
    return replace(expect, actions=_actions(outcome))


def _actions(outcome: Outcome) -> tuple[ExpectedAction, ...]:
    return tuple(ExpectedAction(acted.action.type, dict(acted.action.fields)) for acted in outcome.acted)
