"""Code Quality reports, held against GitLab's description of them, written as a schema."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from dialproof.output import render
from dialproof.source.positions import Span
from tests.lint.output.build import CONFLICT, HINT, report, reports

if TYPE_CHECKING:
    from dialproof.output.report import Report

SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "additionalProperties": False,
                "properties": {
                    "path": {"type": "string", "minLength": 1, "not": {"pattern": r"^\./"}},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "additionalProperties": False,
                        "properties": {
                            "begin": {"type": "integer", "minimum": 1},
                            "end": {"type": "integer", "minimum": 1},
                        },
                    },
                },
            },
        },
    },
}


def test_a_conflict_is_a_critical_issue() -> None:
    """The whole report on one finding; a clean project is an empty array, which closes what was open before."""
    (entry,) = json.loads(render("gitlab", report(CONFLICT)))
    assert len(entry.pop("fingerprint")) == 32
    assert entry == {
        "description": "DP301 gold and silver contradict each other",
        "check_name": "conflicting-rules",
        "severity": "critical",
        "location": {"path": "a.rules.yaml", "lines": {"begin": 3, "end": 3}},
    }
    assert json.loads(render("gitlab", report())) == []


@pytest.mark.parametrize(
    ("severity", "code", "fail_on", "said"),
    [
        ("info", "DP104", "error", "info"),
        ("info", "DP104", "info", "info"),
        ("warning", "DP104", "error", "minor"),
        ("warning", "DP104", "warning", "major"),
        ("error", "DP104", "error", "critical"),
        ("error", "DP101", "error", "blocker"),
    ],
)
def test_severity_says_what_fails(severity: str, code: str, fail_on: str, said: str) -> None:
    """A warning weighs more where it fails the run, and a file that cannot be read more than anything."""
    finding = replace(HINT, severity=severity, code=code)  # type: ignore[arg-type]
    shown = replace(report(finding), fail_on={HINT.path: fail_on})
    assert [entry["severity"] for entry in json.loads(render("gitlab", shown))] == [said]


def test_a_finding_that_moves_is_the_same_issue() -> None:
    """The line is told and does not count: the fingerprint stays."""
    moved = replace(report(replace(CONFLICT, span=Span(5, 11, 5, 15))), lines=lambda _: ["", "", *report().lines("")])
    (first,), (second,) = (json.loads(render("gitlab", shown)) for shown in (report(CONFLICT), moved))
    assert first["fingerprint"] == second["fingerprint"]
    assert (first["location"]["lines"]["begin"], second["location"]["lines"]["begin"]) == (3, 5)


@given(shown=reports())
def test_any_report_is_what_gitlab_describes(shown: Report) -> None:
    """Every finding is there with its place, and no two share a fingerprint; suppressed ones are not."""
    entries = json.loads(render("gitlab", shown))
    Draft202012Validator(SCHEMA).validate(entries)
    assert [(e["location"]["path"], e["location"]["lines"]["begin"]) for e in entries] == [
        (f.path, f.span.line) for f in shown.findings
    ]
    assert len({e["fingerprint"] for e in entries}) == len(entries)
