"""Writes the cases that would have noticed what no case notices behind the cases of a file; nothing else in it changes.

Before anything is written the file is read as pytest will read it, and each new case is run: it passes on the rules as
they are, and fails under the mutant that it is for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import WitnessError
from dialproof.cel.values import read_text
from dialproof.compare import differences
from dialproof.model.contacts import REVIEW
from dialproof.model.parse_contacts import parse_contacts
from dialproof.mutation.cases import unlike
from dialproof.new_cases import CasesFile, NewCase, free_name
from dialproof.output.masking import PERSONAL_CONTEXT, personal_columns
from dialproof.output.report import printable
from dialproof.source import read_source

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from dialproof.model.contacts import Expect
    from dialproof.mutation.mutants import Mutant
    from dialproof.mutation.run import MutationRun, Survivor

__all__ = ["Written", "with_cases"]

_COMMENT = (
    "`dialproof mutate` wrote this case, because no other notices when {}. It expects what the rules do now: if that "
    "is what is meant, drop the tag."
)
_NAME = 140
_SAID = 3


@dataclass(frozen=True, slots=True)
class Written:
    """A file with new cases: its content, and how many there are."""

    content: bytes
    cases: int


@dataclass(frozen=True, slots=True)
class _Draft:
    name: str
    mutant: Mutant
    survivor: Survivor
    expect: Expect


def with_cases(run: MutationRun, path: Path, display: str, before: bytes | None, target: Mapping[str, str]) -> Written:
    """Return a contacts file with the cases that the survivors of a run lack.

    ``before`` is the file as it is, None for a new one, which then begins with ``target``
    (:func:`dialproof.new_cases.target_in`). Raises :class:`UsageError` where cases cannot be put behind the others, and
    ``InputError`` for a file that cannot be read.
    """
    file = CasesFile(path, display, before)
    drafts = _drafts(run, file.names)
    content = file.with_cases([_case(draft) for draft in drafts], target) if drafts else before or b""
    if drafts:
        _prove(run, drafts, path, display, content)
    return Written(content, len(drafts))


def _drafts(run: MutationRun, taken: Collection[str]) -> list[_Draft]:
    """Return one case for each survivor that no earlier one of them notices."""
    names = set(taken)
    drafts: list[_Draft] = []
    for one in run.tried:
        survivor = one.survivor
        if one.fate != "survived" or survivor is None or any(_notices(run, draft, survivor) for draft in drafts):
            continue
        scene, expect = survivor.difference.scene, survivor.expect
        same = next((i for i, d in enumerate(drafts) if d.survivor.difference.scene == scene), None)
        if same is not None and expect.actions is not None:  # the same contact, and more of it
            drafts[same] = replace(drafts[same], expect=expect)
            continue
        name = free_name(_name(run, one.mutant, survivor), names)
        names.add(name)
        drafts.append(_Draft(name, one.mutant, survivor, expect))
    return drafts


def _notices(run: MutationRun, draft: _Draft, survivor: Survivor) -> bool:
    difference = draft.survivor.difference
    scene = difference.scene
    outcome = survivor.changed.run(scene.contact, category=difference.category, context=scene.context, now=scene.now)
    return bool(differences(draft.expect, outcome, run.campaign))


def _name(run: MutationRun, mutant: Mutant, survivor: Survivor) -> str:
    """Return a name that says which rule and which values a case is about, without personal ones."""
    about = run.campaign.id if mutant.rule is None else mutant.rule.name
    hidden = {*personal_columns(run.campaign.contact_list), *PERSONAL_CONTEXT}
    scene = survivor.difference.scene
    model: tuple[Mapping[str, object], Mapping[str, object]] = ({}, {})
    if survivor.model is not None:
        model = survivor.model.case.contact, survivor.model.case.context
    unusual = [*unlike(scene.contact, model[0]), *unlike(scene.context, model[1])]
    said = [f"{name} {read_text(value) or 'blank'}" for name, value in unusual if name not in hidden]
    name = f"{about} with {' and '.join(said[:_SAID])}" if said else f"what {about} does"
    return name.replace("::", ":")[:_NAME]


def _prove(run: MutationRun, drafts: Collection[_Draft], path: Path, display: str, content: bytes) -> None:
    """Raise where a new case, as it will be read, does not pass now and fail under its mutant."""
    file, problems = parse_contacts(read_source(path, display, content))
    cases = {case.name: case for case in file.cases} if file is not None else {}
    for draft in drafts:
        case = cases.get(draft.name)
        if case is None or file is None:
            raise WitnessError(f"a written case cannot be read: {'; '.join(map(str, problems))}")
        options = file.run_options(case)
        for evaluator, fails in ((run.evaluator, False), (draft.survivor.changed, True)):
            outcome = evaluator.run(case.contact, **options)
            if bool(differences(case.expect, outcome, run.campaign)) is not fails:
                raise WitnessError("a written case does not tell its mutant from the rules")


def _case(draft: _Draft) -> NewCase:
    difference = draft.survivor.difference
    scene = difference.scene
    return NewCase(
        name=draft.name,
        comment=_COMMENT.format(printable(draft.mutant.text)),
        tags=(REVIEW,),
        category=difference.category,
        contact=scene.contact,
        context=scene.context,
        now=scene.now if draft.survivor.needs_clock else None,
        expect=draft.expect,
    )
