"""Each format on one report, compared whole, and what must hold for any report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from dialproof.findings import DeferredWitness, Finding, Witness
from dialproof.lint import Suppressed
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.rules import Action
from dialproof.outcome import Acted, Outcome
from dialproof.output import FORMATS, render
from dialproof.output.masking import MASK, masked
from dialproof.output.report import Report
from dialproof.source.positions import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

XSD = Path(__file__).parents[3] / "fixtures" / "junit.xsd"
PHONE = "+13035550123"
PLACE = Span(3, 11, 3, 15)
TEXT = ["campaign: c", "rules:", "  - name: gold", "    priority: 1"]


def _action(kind: str, **fields: str) -> Action:
    return Action(kind, fields, PLACE)


def _witness() -> Witness:
    contact: Mapping[str, object] = {"phone": PHONE, "tier": "", "customFields": {"age": 3.0, "name": None}}
    written = Outcome(
        matched=("gold", "silver"),
        acted=(
            Acted("gold", _action("setList", listId="premium", value="true")),
            Acted("silver", _action("setAttribute", attribute="phone", value=PHONE)),
            Acted("silver", _action("switchToPreview")),
        ),
        contact={**contact, "tier": "gold"},
        lists={"premium": True},
        dial=False,
        undecided=("bronze",),
        reason="doNotDial: gold",
    )
    without = Outcome((), (), contact, {}, True, ())
    return Witness(
        contact, {"phone": {"number": PHONE}}, "2026-01-01T12:00:00Z", written, without, ("as written", "without gold")
    )


CONFLICT = Finding(
    "DP301",
    "conflicting-rules",
    "error",
    "a.rules.yaml",
    PLACE,
    "gold and silver contradict each other",
    "both act\n\non one contact",
    ("gold", "silver"),
    "c",
    _witness(),
    "narrow one of the two",
)
COLUMNS = ContactList("people.contactlist.yaml", {"phone": Column("phone", "string", phone=True)})
GAP = Finding("DP510", "gap", "info", "b.rules.yaml", Span(1, 1, 4, 5), "a \x1b[31mred\x1b[0m\nline\ud800")


def _report(*findings: Finding, color: bool = False) -> Report:
    return Report(
        [masked(f, COLUMNS) for f in findings],
        ["a.rules.yaml", "b.rules.yaml", "c.rules.yaml"],
        lambda _: TEXT,
        color=color,
    )


def test_full_shows_place_contact_both_outcomes_and_what_to_do() -> None:
    """The full format, whole: excerpt with underline, details, witness with both outcomes, fix, page."""
    assert render("full", _report(CONFLICT, GAP)) == (
        """\
error[DP301] gold and silver contradict each other
 --> a.rules.yaml:3:11
  |
3 |   - name: gold
  |           ^^^^
  = both act
  =
  = on one contact
  = a contact that shows it:
  =   phone                 •••
  =   tier                  ""
  =   customFields.age      3
  =   customFields.name     (blank)
  =   context phone.number  •••
  =   now                   2026-01-01T12:00:00Z
  =   as written    matched gold, silver; no dial (doNotDial: gold); list premium = true; switchToPreview by silver; """
        """tier = "gold"; undecided bronze
  =   without gold  no rule matched; dial
  = fix: narrow one of the two
  = conflicting-rules: https://dialproof.dev/checks/conflicting-rules/

info[DP510] a \\x1b[31mred\\x1b[0m\\nline\\ud800
 --> b.rules.yaml:1:1
  |
1 | campaign: c
  | ^^^^^^^^^^^
  = gap: https://dialproof.dev/checks/gap/
"""
    )


def test_full_says_how_many_questions_each_stage_decided() -> None:
    """The closing line counts what cells decided, what runs decided and what is left open; concise has none."""
    report = replace(_report(GAP), decided={"cells": 1234, "enumeration": 5, "unknown": 1})
    line = "questions decided: 1,234 by cells, 5 by runs over every combination of cells; left open: 1\n"
    assert render("full", report).endswith(f"\n\n{line}")
    assert render("concise", report).count("\n") == 1


def test_a_witness_is_made_only_for_findings_that_are_shown() -> None:
    """Of forty findings with witnesses the full format makes those of the five that it shows, masked as always."""
    made: list[int] = []

    def witness(number: int) -> Witness:
        made.append(number)
        return _witness()

    def finding(number: int) -> Finding:
        return replace(CONFLICT, span=Span.point(number, 1), witness=DeferredWitness(lambda: witness(number)))

    report = _report(*(finding(n) for n in range(1, 41)))
    assert made == []
    assert PHONE not in render("full", report)
    assert made == [1, 2, 3, 4, 5]


def test_a_line_with_a_personal_value_is_not_shown() -> None:
    """A finding at a rule that names somebody's number has its place and no excerpt."""
    report = replace(_report(replace(GAP, personal=True)), lines=lambda _: [f"value: {PHONE}"])
    assert PHONE not in render("full", report)


def test_full_shows_five_a_code_and_counts_the_others() -> None:
    """Of forty-two findings of one code five are shown, and the number of the others is exact."""
    many = [replace(GAP, span=Span.point(n, 1)) for n in range(1, 43)]
    text = render("full", _report(CONFLICT, *many))
    assert text.count("info[DP510]") == 5
    assert text.endswith("\nDP510 gap: and 37 more (42 findings in all)\n")


def test_underline_counts_cells_of_the_terminal() -> None:
    """A wide character takes two cells, in front of the span and in it; a tab counts as the space it is shown as."""
    finding = replace(GAP, span=Span(1, 3, 1, 5), path="w.rules.yaml")
    report = replace(_report(finding), lines=lambda _: ["日\tx語: y"])
    assert "1 | 日 x語: y\n  |    ^^^\n" in render("full", report)


def test_color_is_used_only_where_it_is_allowed() -> None:
    """With colour the severity is painted; the text between the escapes is the same."""
    import re

    painted = render("full", _report(CONFLICT, color=True))
    assert "\x1b[31merror[DP301]\x1b[0m" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == render("full", _report(CONFLICT))


def test_concise_is_one_line_a_finding() -> None:
    """``path:line:column: CODE severity summary``, with line breaks and control characters made visible."""
    assert render("concise", _report(CONFLICT, GAP)) == (
        "a.rules.yaml:3:11: DP301 error gold and silver contradict each other\n"
        "b.rules.yaml:1:1: DP510 info a \\x1b[31mred\\x1b[0m\\nline\\ud800\n"
    )


def test_json_holds_everything() -> None:
    """Positions, rules, the contact and both outcomes are there for programs."""
    report = replace(
        _report(CONFLICT), suppressed=[Suppressed(replace(GAP, rules=("x",)), "why not", None)], decided={"cells": 3}
    )
    document = json.loads(render("json", report))
    assert sorted(document) == ["decided", "findings", "suppressed", "version"]
    assert document["decided"] == {"cells": 3}
    assert document["suppressed"] == [
        {"code": "DP510", "path": "b.rules.yaml", "line": 1, "rules": ["x"], "reason": "why not", "until": None}
    ]
    (finding,) = document["findings"]
    witness = finding.pop("witness")
    assert finding == {
        "code": "DP301",
        "name": "conflicting-rules",
        "severity": "error",
        "path": "a.rules.yaml",
        "line": 3,
        "column": 11,
        "end_line": 3,
        "end_column": 15,
        "summary": "gold and silver contradict each other",
        "details": "both act\n\non one contact",
        "campaign": "c",
        "rules": ["gold", "silver"],
        "fix": "narrow one of the two",
        "url": "https://dialproof.dev/checks/conflicting-rules/",
    }
    assert witness["contact"] == {"phone": MASK, "tier": "", "customFields": {"age": 3.0, "name": None}}
    assert [o["label"] for o in witness["outcomes"]] == ["as written", "without gold"]
    assert witness["outcomes"][0]["lists"] == {"premium": True}
    assert witness["outcomes"][1]["dial"] is True


@pytest.mark.parametrize("findings", [(), (CONFLICT,), (GAP, GAP, CONFLICT, replace(CONFLICT, severity="warning"))])
def test_junit_is_valid_against_its_schema(findings: tuple[Finding, ...]) -> None:
    """Every document holds against the schema, lone surrogates and control characters in messages included."""
    document = etree.fromstring(render("junit", _report(*findings)).encode())
    etree.XMLSchema(etree.parse(XSD)).assertValid(document)


def test_junit_has_a_suite_a_file_and_fails_on_failures_alone() -> None:
    """An error is a failure with code, rules and campaign; an info is a passing case with output; clean files pass."""
    document = etree.fromstring(render("junit", _report(CONFLICT, GAP)).encode())
    suites = {s.get("name"): s for s in document}
    assert {n: (s.get("tests"), s.get("failures")) for n, s in suites.items()} == {
        "a.rules.yaml": ("1", "1"),
        "b.rules.yaml": ("1", "0"),
        "c.rules.yaml": ("1", "0"),
    }
    (case,) = suites["a.rules.yaml"]
    assert (case.get("classname"), case.get("file"), case.get("line")) == ("dialproof.c.DP301", "a.rules.yaml", "3")
    (failure,) = case
    assert failure.get("type") == "DP301"
    assert failure.text is not None
    assert "campaign: c\nrules: gold, silver\n" in failure.text
    assert suites["b.rules.yaml"][0][0].tag == "system-out"
    assert suites["c.rules.yaml"][0].get("name") == "no findings"


@pytest.mark.parametrize("path", ["people.contacts.yaml", "people.contacts.csv", "people.yaml"])
def test_lines_of_contacts_are_not_shown(path: str) -> None:
    """A finding in a contacts file has its place, never the line, which may hold anybody's number."""
    report = replace(_report(replace(GAP, path=path)), lines=lambda _: [f"{{phone: {PHONE}}}"] * 5)
    text = render("full", report)
    assert f"--> {path}:" in text
    assert PHONE not in text


def test_no_repr_shows_personal_data() -> None:
    """Findings, witnesses and outcomes may end up in a traceback or a log."""
    assert CONFLICT.witness is not None
    assert PHONE not in repr(CONFLICT.witness.outcome)
    assert PHONE not in repr(CONFLICT.witness)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_format_shows_personal_data(name: str) -> None:
    """A column marked as phone or pii is masked in the contact, the outcomes, the actions and the sentences."""
    text = render(name, _report(CONFLICT))
    assert PHONE not in text
    assert PHONE[1:] not in text
