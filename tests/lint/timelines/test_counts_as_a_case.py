"""What asks the cases of a campaign asks its timelines too: mutation, and invariants of its rules."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dialproof.config import Config, Semantics
from dialproof.evaluate import Evaluator
from dialproof.invariants import Invariants, Violated
from dialproof.model.rules import Invariant
from dialproof.mutation.cases import CasesFailError
from dialproof.mutation.run import MutationRun, mutate
from dialproof.project import Project
from tests.lint.cel.build import SPAN, action, campaign, condition, rule, when
from tests.lint.mutation.build import in_a_file
from tests.lint.timelines.build import COLUMNS, contacts_file

RULES = in_a_file(
    campaign(
        rule("enough", condition("attempts", "greaterThanOrEqual", 2.0), actions=(action("doNotDial"),)),
        rule(
            "count",
            condition("call.wrapUpCode", "equals", "busy", source="context"),
            order=2,
            category="wrapUp",
            actions=(action("setAttribute", attribute="attempts", option="INCREMENT"),),
        ),
        columns=COLUMNS,
    )
)
TEXT = """\
timeZone: UTC
cases:
  - name: two calls
    contact: {attempts: 0}
    timeline:
      - {at: 2026-03-02T10:00, attempt: {wrapUpCode: busy}}
      - {at: P1D, attempt: {wrapUpCode: busy}}
      - {at: P1D, attempt: {wrapUpCode: busy}}
    expect: {dials: 2}
"""


def project(text: str) -> Project:
    """Return the campaign with a contacts file."""
    file = contacts_file(text)
    return Project(Config(Path(os.devnull)), {}, {file.path: file}, {}, (RULES,), {file.path: RULES}, (), {})


def mutated(text: str) -> MutationRun:
    """Return the mutation run of the campaign with a contacts file."""
    return mutate(project(text), RULES, Evaluator(RULES, Semantics()), 5000)


def test_a_timeline_notices_what_no_case_of_one_run_is_there_to_see() -> None:
    """Other bounds, other steps of counting and rules that are gone change how often it is called."""
    run = mutated(TEXT)
    assert run.cases == 1
    by = {one.mutant.text: one.by.case.name for one in run.tried if one.by is not None}
    assert len(by) >= 5
    assert set(by.values()) == {"two calls"}
    assert run.counts["noticed"] == len(by)
    assert mutated(TEXT.replace("dials: 2}", "atMost: {dials: 9, within: P7D}}")).counts["noticed"] == 0


def test_a_timeline_that_fails_is_named_before_anything_is_mutated() -> None:
    """As a case is, with its place."""
    with pytest.raises(CasesFailError, match=r"winback\.contacts\.yaml:3:5: case 'two calls' fails"):
        mutated(TEXT.replace("dials: 2", "dials: 3"))


def test_an_invariant_is_held_against_every_run_of_a_timeline() -> None:
    """A contact that is only there after some steps breaks it, and the step is named."""
    statement = Invariant("never twice", when("text.attempts != '1'"), SPAN, "r.rules.yaml")
    built = replace(RULES, invariants=(statement,))
    files = project(TEXT)
    files = replace(files, campaigns=(built,), links=dict.fromkeys(files.links, built))
    verdict = Invariants(files, built, Evaluator(built, Semantics())).verify(statement)
    assert isinstance(verdict, Violated)
    assert (verdict.seen.origin, verdict.seen.contact["attempts"]) == ("step 2 of the case 'two calls'", 1.0)
