"""A case with a timeline is an item like any case: for its failures, for JUnit and for the gate."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from tests.plugin.conftest import ITEMS, edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Run = Callable[..., pytest.RunResult]

RULES = """\
  - name: later
    version: 1
    priority: 10
    executionOrder: 3
    category: wrapUp
    conditions:
      - {context: call.wrapUpCode, operator: equals, value: later}
    actions:
      - {type: setAttribute, attribute: customFields.leadAge, option: INCREMENT, value: 5}
      - {type: scheduleCallback, offsetMinutes: 60}
invariants: []
"""

TIMELINE = """\
  - name: a new lead cools down
    tags: [slow]
    contact: {customFields: {lifetimeValue: 100, leadAge: 2}, phone: "+15551234567"}
    timeline:
      - at: 2026-03-07T10:00:00-07:00
        attempt: {column: phone, wrapUpCode: later}
        expect: {matched: [new_lead, later], dial: true}
      - {at: PT30M, update: {phone: "+15559876543"}}
      - {at: callback, attempt: {wrapUpCode: later}, expect: {matched: [], contact: {phone: "+15559876543"}}}
    expect: {dials: 2}
"""

FAILED = """\
Case 'a new lead cools down' of campaign cmp_123 is not as expected.

  customFields.lifetimeValue  100
  customFields.leadAge        2
  phone                       •••

   step  at                         what                 dial  matched          then
   1     2026-03-07T17:00:00+00:00  attempt phone later  yes   new_lead, later  customFields.leadAge = 7; \
list warm_desk = true; callback in 60 minutes
   2     2026-03-07T17:30:00+00:00  update                                      phone = •••
>  3     2026-03-07T18:00:00+00:00  callback later       yes   later            customFields.leadAge = 12; \
callback in 60 minutes

step 3 (rules/premium.contacts.yaml:22)

rule later matched (rules/premium.rules.yaml:20)
  attribute                operator  wanted   actual  verdict
  context call.wrapUpCode  equals    "later"  later   true

- matched: []
+ matched: [later]

rules/premium.contacts.yaml:22: step 3: rule later matched unexpectedly
"""


def _with_timeline(project: Path) -> None:
    edit(
        project / "premium.rules.yaml", "invariants:\n  - name: everybody is dialed\n    always: outcome.dial\n", RULES
    )
    contacts = project / "premium.contacts.yaml"
    contacts.write_text(contacts.read_text("utf-8") + TIMELINE, encoding="utf-8")


def test_a_failed_timeline_shows_its_steps(project: Path, run: Run) -> None:
    """The step that differs is marked and explained, personal values are masked, the last line is file:line."""
    _with_timeline(project)
    result = run("rules", "--junit-xml=out.xml")
    result.assert_outcomes(passed=ITEMS - 1, failed=1)
    assert FAILED in result.stdout.str()
    assert "555" not in result.stdout.str()
    case = next(c for c in ET.parse("out.xml").getroot().iter("testcase") if c.get("name") == "a new lead cools down")
    assert [(p.get("name"), p.get("value")) for p in case.iter("property")] == [
        ("campaign", "cmp_123"),
        ("file", "rules/premium.contacts.yaml"),
        ("line", "14"),
        ("rule", "later"),
    ]


def test_the_gate_counts_a_timeline_as_a_case(project: Path, run: Run) -> None:
    """Its runs match and miss rules; green it opens the gate and is in the evidence, and -k finds it by its tags."""
    _with_timeline(project)
    edit(
        project / "premium.contacts.yaml",
        "callback, attempt: {wrapUpCode: later}",
        "callback, attempt: {wrapUpCode: sale}",
    )
    result = run("rules")
    result.assert_outcomes(passed=ITEMS)
    result.stdout.fnmatch_lines([f"GATE OPEN: {ITEMS} of {ITEMS} items passed for cmp_123*"])
    evidence = (project.parent / ".dialproof/evidence.json").read_text("utf-8")
    assert "rules/premium.contacts.yaml::a new lead cools down" in json.loads(evidence)["predicate"]["passedTests"]
    assert "5551234567" not in evidence
    left_out = run("rules", "-k", "not slow")
    left_out.stdout.fnmatch_lines(
        ["  - 1 item was deselected by -k *: rules/premium.contacts.yaml::a new lead cools down"]
    )


def test_a_statement_that_is_no_cel_is_an_error_at_its_place(project: Path, run: Run) -> None:
    """As is a rule that there is not; both come with the other errors of the file, before anything runs."""
    _with_timeline(project)
    edit(project / "premium.contacts.yaml", "{dials: 2}", "{always: contact.phone ==}")
    edit(project / "premium.contacts.yaml", "[new_lead, later]", "[new_leed, later]")
    result = run("rules/premium.contacts.yaml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "rules/premium.contacts.yaml:20:28: DP605 case 'a new lead cools down': there is no rule 'new_leed'; *",
            "rules/premium.contacts.yaml:23:38: DP103 *",
        ]
    )
