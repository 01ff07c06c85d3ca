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


def test_a_wrong_boundary_is_found_saved_as_a_case_and_mended(pytester: pytest.Pytester, run: Run) -> None:
    """No case shows that a limit is one too high: the invariant does, and its contact is a case from then on."""
    folder = pytester.path
    shutil.copytree(BANK, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    cases = folder / "suppression.contacts.yaml"
    for other in [path for path in folder.glob("*.contacts.yaml") if path != cases]:
        other.unlink()  # the case is saved in the first of them
    written = cases.read_text(encoding="utf-8")
    begin = written.index("  - name: a seventh is not\n")
    without = written[:begin] + written[written.index("  - name:", begin + 9) :]
    cases.write_text(without, encoding="utf-8")
    edit(folder / RULES, 'operator: greaterThanOrEqual, value: "6"', 'operator: greaterThanOrEqual, value: "7"')

    result = run(RULES, "-n2", "--dialproof-save")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(
        [
            "The invariant does not hold for a contact of bank.contactlist.yaml.",
            "  contact.campaign < 6.0 || !outcome.dial",
            "  campaign * 6",
            "bank.rules.yaml:*: invariant 'nobody is called a seventh time' does not hold for a contact of *",
            "saved in suppression.contacts.yaml: the case 'counterexample to nobody is called a seventh time'",
            "invariants: 3 proved",
        ]
    )
    text = cases.read_text(encoding="utf-8")
    assert text.startswith(without.rstrip())
    assert "dial: false" in text[len(without) :]

    case = "suppression.contacts.yaml::counterexample to nobody is called a seventh time"
    run(case).assert_outcomes(failed=1)
    edit(folder / RULES, 'operator: greaterThanOrEqual, value: "7"', 'operator: greaterThanOrEqual, value: "6"')
    run(case).assert_outcomes(passed=1)


def test_a_case_can_expect_an_invariant(project: Path, run: Run) -> None:
    """It fails, at its line, where the invariant does not hold for its contact."""
    edit(project / "premium.contacts.yaml", "      matched: [new_lead]", "      invariants: [everybody is dialed]")
    edit(project / "premium.rules.yaml", '{type: setList, listId: warm_desk, value: "true"}', "{type: doNotDial}")
    result = run("rules/premium.contacts.yaml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["rules/premium.contacts.yaml:13: the invariant 'everybody is dialed' does not hold"])


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


def test_nobodys_number_is_in_the_text(project: Path, run: Run) -> None:
    """A number that an invariant names is masked, whether it is compared before or after the run."""
    for contact in ("contact", "outcome.contact"):
        edit(project / "premium.rules.yaml", "outcome.dial", f'{contact}.phone != "+15551234567"')
        result = run("rules", "-k", "invariant")
        assert result.parseoutcomes()["failed"] == 1
        result.stdout.fnmatch_lines([f"  {contact}.phone != •••"])
        assert "5551234567" not in result.stdout.str()
        edit(project / "premium.rules.yaml", f'{contact}.phone != "+15551234567"', "outcome.dial")
