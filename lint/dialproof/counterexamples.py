"""Contacts that break an invariant, saved as cases: they fail as long as it is broken, and pass once that is mended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dialproof.compare import case_differences
from dialproof.errors import DialproofError
from dialproof.evaluate import Evaluator
from dialproof.fixes import Change, write
from dialproof.invariants import verdict_of
from dialproof.model.contacts import Expect
from dialproof.model.parse_contacts import parse_contacts
from dialproof.new_cases import CasesFile, NewCase, free_name, target_in
from dialproof.output.witness import flat
from dialproof.source import MAX_BYTES, read_bytes, read_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dialproof.invariants import Violated
    from dialproof.model.contacts import Case, ContactsFile
    from dialproof.model.rules import Invariant
    from dialproof.project import Campaign, Project

__all__ = ["counterexample", "save"]

_COMMENT = "A contact that broke the invariant, saved by `pytest --dialproof-save`."


def counterexample(invariant: Invariant, violated: Violated, evaluator: Evaluator) -> dict[str, Any]:
    """Return a violation as plain data: what is run, and what the invariant demands of the run.

    That is to be dialed, or not, where nothing else of the outcome can mend it; else that the invariant holds.
    """
    seen = violated.seen
    return {
        "invariant": invariant.name,
        "rules": invariant.path,
        "campaign": evaluator.campaign.id,
        "category": seen.options.get("category", "preCall"),
        "contact": _plain(seen.contact),
        "context": _plain(seen.options.get("context") or {}),
        "now": seen.options["now"],
        "dial": _demanded(invariant, violated, evaluator),
    }


def _demanded(invariant: Invariant, violated: Violated, evaluator: Evaluator) -> bool | None:
    """Return whether an invariant that speaks of no other part of the outcome demands to dial, None if it does not."""
    from dialproof.analysis.invariants import outcome_read

    if violated.outcome.failure is not None or outcome_read(evaluator, invariant) != {"dial"}:
        return None
    seen = violated.seen
    outcomes = {dial: replace(violated.outcome, dial=dial) for dial in (False, True)}
    kept = [
        dial
        for dial, outcome in outcomes.items()
        if verdict_of(invariant, evaluator, seen.contact, seen.options, outcome) is True
    ]
    return kept[0] if len(kept) == 1 else None


def _plain(values: Mapping[str, object]) -> dict[str, Any]:
    """Return a contact without blank columns, whole numbers as such."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found[key] = _plain(value)
        elif value is not None and value != "":
            found[key] = int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
    return found


def save(project: Project, found: dict[str, Any]) -> str:
    """Add a counterexample to a contacts file next to its rules, and return a sentence about it.

    It goes behind the cases of a file that tests the campaign and can be written to, else into a file of its own. None
    is saved twice. Raises ``DialproofError`` where it cannot be saved.
    """
    campaign = project.campaign(found["campaign"])
    if campaign is None:
        raise DialproofError(f"there is no campaign {found['campaign']!r} to save a case for")
    root = project.config.root
    for display in _files(project, campaign, found["rules"]):
        path = root / display
        before = read_bytes(path, MAX_BYTES) if path.exists() else None
        if isinstance(before, str):
            continue
        try:
            file = CasesFile(path, display, before)
            known = next((case for case in file.file.cases if _is_known(case, found)), None) if file.file else None
            if known is not None:
                return f"{display} has the counterexample already: {known.name!r}"
            case = _case(found, file)
            content = file.with_cases([case], target_in(path.parent, campaign, root))
        except DialproofError:
            continue
        if _fails(project, campaign, path, display, content, case.name):
            _write(root, display, before, content)
            return f"saved in {display}: the case {case.name!r}"
    raise DialproofError(f"the counterexample to {found['invariant']!r} fits into no contacts file next to the rules")


def _files(project: Project, campaign: Campaign, rules: str) -> Iterator[str]:
    """Yield the contacts files next to the rules that cases may be added to, that of the same name first."""
    folder, _, name = rules.rpartition("/")
    stem = name.rsplit(".", 2)[0]
    own = f"{stem}.contacts.yaml"
    beside = [
        path
        for path, tested in project.links.items()
        if tested is campaign and path.rpartition("/")[0] == folder and path.endswith((".yaml", ".yml"))
    ]
    yield from sorted(beside, key=lambda path: (path.rpartition("/")[2] != own, path))
    for new in (own, f"{stem}.counterexamples.contacts.yaml"):
        display = f"{folder}/{new}" if folder else new
        if display not in beside and not (project.config.root / display).exists():
            yield display


def _case(found: Mapping[str, Any], file: CasesFile) -> NewCase:
    dial, names = found["dial"], (found["invariant"],)
    return NewCase(
        name=free_name(f"counterexample to {found['invariant']}", file.names),
        comment=_COMMENT,
        tags=("counterexample",),
        category=found["category"],
        contact=found["contact"],
        context=found["context"],
        now=found["now"],
        expect=Expect(dial=dial) if dial is not None else Expect(invariants=names),
    )


def _is_known(case: Case, found: Mapping[str, Any]) -> bool:
    """Tell whether a case is this very counterexample: the same run, and the same that is demanded."""
    same = (case.category, case.now) == (found["category"], found["now"])
    for one, other in ((case.contact, found["contact"]), (case.context, found["context"])):
        same &= dict(flat(_plain(one))) == dict(flat(other))
    if found["dial"] is not None:
        return same and case.expect.dial is found["dial"]
    return same and found["invariant"] in (case.expect.invariants or ())


def _fails(project: Project, campaign: Campaign, path: Path, display: str, content: bytes, name: str) -> bool:
    """Tell whether the case, as it will be read, fails on the rules as they are."""
    file: ContactsFile | None
    file, _ = parse_contacts(read_source(path, display, content))
    case = next((case for case in file.cases if case.name == name), None) if file is not None else None
    if file is None or case is None:
        return False
    evaluator = Evaluator(campaign, project.config.semantics, cache=project.config.cache)
    options = file.run_options(case)
    outcome = evaluator.run(case.contact, **options)
    return bool(case_differences(case, options, outcome, evaluator))


def _write(root: Path, display: str, before: bytes | None, after: bytes) -> None:
    if before is not None:
        write(root, {display: Change(before, after)})
        return
    try:
        with (root / display).open("xb") as file:
            file.write(after)
    except OSError as error:
        raise DialproofError(f"{display}: cannot be written: {error.strerror or error}") from None
