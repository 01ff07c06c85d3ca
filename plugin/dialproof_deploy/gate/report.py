"""The gate's verdict as a file: JSON, or JUnit XML where the name ends in ``.xml``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dialproof.coverage.goals import files_as_json
from dialproof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dialproof_deploy.gate.decision import Verdict

__all__ = ["as_json", "write_gate_report"]


def write_gate_report(path: Path, verdicts: Mapping[str, Verdict]) -> None:
    """Write the verdicts by project; raises ``UsageError`` where the file cannot be written."""
    text = _junit(verdicts) if path.suffix.lower() == ".xml" else json.dumps(as_json(verdicts), indent=2) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: the gate report cannot be written: {error.strerror or error}") from None


def as_json(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """Return the verdicts as JSON data; ``open`` at the top only if every one is."""
    return {
        "open": bool(verdicts) and all(verdict.open for verdict in verdicts.values()),
        "projects": [
            {
                "project": project,
                "open": verdict.open,
                "reasons": list(verdict.reasons),
                "campaigns": list(verdict.campaigns),
                "items": {"expected": len(verdict.items), "passed": len(verdict.passed)},
                "coverage": [
                    {
                        "campaign": gaps.campaign,
                        "never_matched": list(gaps.never_matched),
                        "never_missed": list(gaps.never_missed),
                        "files": files_as_json(gaps),
                    }
                    for gaps in verdict.coverage
                ],
                "evaluations": verdict.evaluations,
                "conflicts": verdict.conflicts,
                "invariants": {"proved": verdict.proved, "searched": verdict.searched},
            }
            for project, verdict in verdicts.items()
        ],
    }


def _junit(verdicts: Mapping[str, Verdict]) -> str:
    """Return one suite a project, with one case that fails for each reason, or one that passes."""
    from junit_xml import TestCase, TestSuite, to_xml_report_string

    suites = []
    for project, verdict in verdicts.items():
        cases = [TestCase("gate open", classname="dialproof.gate")] if verdict.open else []
        for number, reason in enumerate(verdict.reasons, 1):
            case = TestCase(f"reason {number}", classname="dialproof.gate")
            case.add_failure_info(message=reason, output=reason)
            cases.append(case)
        suites.append(TestSuite(f"dialproof gate: {project}", cases))
    return str(to_xml_report_string(suites))
