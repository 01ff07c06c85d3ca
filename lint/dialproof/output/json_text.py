"""Everything that is known about the findings, as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING

from dialproof import __version__

if TYPE_CHECKING:
    from dialproof.findings import Finding, Witness
    from dialproof.outcome import Outcome
    from dialproof.output.report import Report

__all__ = ["finding_json", "render", "witness_json"]


def render(report: Report) -> str:
    """Return ``{findings, suppressed, decided, version}``; positions are 1-based, ends exclusive."""
    document = {
        "findings": [finding_json(f) for f in report.findings],
        "suppressed": [
            {
                "code": s.finding.code,
                "path": s.finding.path,
                "line": s.finding.span.line,
                "rules": list(s.finding.rules),
                "by": s.by,
                "reason": s.reason,
                "until": None if s.until is None else s.until.isoformat(),
            }
            for s in report.suppressed
        ],
        "decided": dict(report.decided),
        "version": __version__,
    }
    return json.dumps(document, indent=2, default=str) + "\n"


def finding_json(finding: Finding) -> dict[str, object]:
    """Return one finding, already masked, as JSON values."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "path": finding.path,
        "line": finding.span.line,
        "column": finding.span.column,
        "end_line": finding.span.end_line,
        "end_column": finding.span.end_column,
        "summary": finding.summary,
        "details": finding.details,
        "campaign": finding.campaign,
        "rules": list(finding.rules),
        "witness": None if finding.witness is None else witness_json(finding.witness),
        "fix": finding.fix,
        "url": finding.url,
    }


def witness_json(witness: Witness) -> dict[str, object]:
    """Return a witness, already masked, as JSON values."""
    outcomes = [_outcome(witness.labels[0], witness.outcome)]
    if witness.other is not None:
        outcomes.append(_outcome(witness.labels[1], witness.other))
    return {
        "contact": _plain(witness.contact),
        "context": _plain(witness.context),
        "now": witness.now,
        "outcomes": outcomes,
    }


def _outcome(label: str, outcome: Outcome) -> dict[str, object]:
    return {
        "label": label,
        "matched": list(outcome.matched),
        "actions": [_plain({"rule": a.rule, "type": a.action.type, **a.action.fields}) for a in outcome.acted],
        "contact": _plain(outcome.contact),
        "lists": dict(outcome.lists),
        "dial": outcome.dial,
        "reason": outcome.reason,
        "undecided": list(outcome.undecided),
        "failure": outcome.failure,
    }


def _plain(value: object) -> object:
    """Return a value as JSON has it: numbers that are none (an increment too far) as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value
