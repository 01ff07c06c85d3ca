"""Invariants as items: proved, searched or broken, and what the summary and the evidence say of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.plugin.conftest import edit

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Run = Callable[..., pytest.RunResult]

BANK = Path(__file__).parents[2] / "examples" / "bank_campaign"
RULES = "bank.rules.yaml"


def _bank(pytester: pytest.Pytester) -> Path:
    """Return a copy of the example in which an attempt limit is one too high, and no case shows it."""
    folder = pytester.path
    shutil.copytree(BANK, folder, dirs_exist_ok=True)
    (folder / "suppression.contacts.yaml").unlink()
    (folder / "routing.contacts.csv").unlink()
    edit(folder / RULES, 'operator: greaterThanOrEqual, value: "6"', 'operator: greaterThanOrEqual, value: "7"')
    return folder


def test_a_wrong_boundary_is_found_without_a_case(pytester: pytest.Pytester, run: Run, workers: str) -> None:
    """The invariant names a contact on the boundary, with its outcome, at its own line."""
    _bank(pytester)
    result = run(RULES, workers)
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(
        [
            "The invariant does not hold for a contact of bank.contactlist.yaml.",
            "  contact.campaign < 6.0 || !outcome.dial",
            "  campaign * 6",
            "bank.rules.yaml:*: invariant 'nobody is called a seventh time' does not hold for a contact of *",
            "invariants: 3 proved",
        ]
    )


def test_the_evidence_counts_proofs_and_searches(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was only searched is not counted as proved."""
    monkeypatch.setattr("dialproof.search.CONTACTS", 20)
    edit(
        project / "premium.rules.yaml",
        "    always: outcome.dial",
        "    always: outcome.dial\n"
        "  - name: two columns\n"
        "    always: contact.customFields.lifetimeValue + contact.customFields.leadAge >= 0",
    )
    result = run("rules", "-rP", "--dialproof-evidence=evidence.json")
    result.stdout.fnmatch_lines(
        [
            "invariant: two columns: not proved (*); held on 2[0-9] contacts",
            "invariants: 1 proved, 1 only searched: no contact was found that breaks them",
        ]
    )
    counts = json.loads((project.parent / "evidence.json").read_text(encoding="utf-8"))["predicate"]["dialproof"][
        "counts"
    ]
    assert (counts["invariantsProved"], counts["invariantsSearched"]) == (1, 1)
