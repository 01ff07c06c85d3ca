"""Survivors as findings (DP604): where the rules are changed and how, and the contact with both outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.checks.registry import checks_by_code
from dialproof.checks.surviving_mutant import CHECK
from dialproof.findings import Finding, Witness
from dialproof.mutation.cases import unlike
from dialproof.output.masking import MASK, PERSONAL_CONTEXT, masked, personal_columns
from dialproof.output.witness import outcome_text, value_text
from dialproof.suppressions import apply_suppressions, read_suppressions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from dialproof.model.contactlist import ContactList
    from dialproof.mutation.mutants import Mutant
    from dialproof.mutation.run import MutationRun, Survivor

__all__ = ["finding_of", "with_accepted"]

_LABELS = ("as written", "changed")


def with_accepted(run: MutationRun, today: date) -> MutationRun:
    """Return the run with each survivor accepted that a comment of the rules (``ignore[DP604]``) covers."""
    known = checks_by_code()
    survivors = [one for one in run.tried if one.fate == "survived"]
    findings = [_bare(run, one.mutant) for one in survivors]
    hidden: set[int] = set()
    for file in run.campaign.files:
        suppressions, _ = read_suppressions(file.source, file.path, known)
        _, found = apply_suppressions(findings, suppressions, known, ran=(), today=today)
        hidden |= {id(suppressed.finding) for suppressed in found}
    accepted = {id(one) for one, finding in zip(survivors, findings, strict=True) if id(finding) in hidden}
    return replace(run, tried=tuple(replace(t, fate="accepted") if id(t) in accepted else t for t in run.tried))


def finding_of(run: MutationRun, mutant: Mutant, survivor: Survivor, shown: Callable[[str], str]) -> Finding:
    """Return the finding about a survivor, personal values masked and files named as ``shown`` does.

    Where the contact was made after that of a case, its details say what is different, and both outcomes.
    """
    difference = survivor.difference
    scene = difference.scene
    witness = Witness(scene.contact, scene.context, scene.now, difference.written, difference.mutated, _LABELS)
    columns = run.campaign.contact_list
    finding = masked(replace(_bare(run, mutant), witness=witness), columns)
    return replace(finding, path=shown(mutant.path), details="\n".join(_details(survivor, finding, columns, shown)))


def _bare(run: MutationRun, mutant: Mutant) -> Finding:
    return Finding(
        code=CHECK.code,
        name=CHECK.name,
        severity=CHECK.severity,
        path=mutant.path,
        span=mutant.span,
        summary=f"no case notices when {mutant.text}",
        rules=(mutant.rule.name,) if mutant.rule is not None else (),
        campaign=run.campaign.id,
        personal=mutant.personal,
    )


def _details(survivor: Survivor, finding: Finding, columns: ContactList, shown: Callable[[str], str]) -> Iterator[str]:
    model, witness = survivor.model, finding.witness
    if model is None or witness is None or witness.other is None:
        return
    place = f'case "{model.case.name}" ({shown(model.file.path)}:{model.case.span.line})'
    personal = personal_columns(columns)
    rows = [
        (name, name in personal, value) for name, value in unlike(survivor.difference.scene.contact, model.case.contact)
    ]
    rows += [
        (f"context {name}", name in PERSONAL_CONTEXT, value)
        for name, value in unlike(survivor.difference.scene.context, model.case.context)
    ]
    if survivor.needs_clock:
        rows.append(("now", False, survivor.difference.scene.now))
    if rows:
        yield f"a contact that shows it: that of {place}, but for"
    else:
        yield f"a contact that shows it: that of {place}, which expects too little to notice"
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, hide, value in rows:
        yield f"  {name:<{width}}  {MASK if hide and value is not None else value_text(value)}"
    for label, outcome in zip(_LABELS, (witness.outcome, witness.other), strict=True):
        yield f"{label:<10}  {outcome_text(outcome, witness.contact)}"
