"""The formats for people and plain programs on one report, compared whole, and what must hold for any report."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from dialproof.findings import DeferredWitness, Finding, Witness
from dialproof.lint import Suppressed
from dialproof.output import FORMATS, render
from dialproof.output.masking import MASK
from dialproof.source.positions import Span
from tests.lint.output.build import CONFLICT, HINT, PHONE, report, reports, witness

if TYPE_CHECKING:
    from dialproof.output.report import Report


def test_full_shows_place_contact_both_outcomes_and_what_to_do() -> None:
    """The full format, whole: excerpt with underline, details, witness with both outcomes, fix, page."""
    assert render("full", report(CONFLICT, HINT)) == (
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

info[DP104] a \\x1b[31mred\\x1b[0m\\nline\\ud800
 --> b.rules.yaml:1:1
  |
1 | campaign: c
  | ^^^^^^^^^^^
  = text-compared-as-number: https://dialproof.dev/checks/text-compared-as-number/
"""
    )


def test_full_says_how_many_questions_each_stage_decided() -> None:
    """The closing line counts what cells decided, what runs decided and what is left open; concise has none."""
    shown = replace(report(HINT), decided={"cells": 1234, "enumeration": 5, "unknown": 1})
    line = "questions decided: 1,234 by cells, 5 by runs over every combination of cells; left open: 1\n"
    assert render("full", shown).endswith(f"\n\n{line}")
    further = replace(shown, decided={**shown.decided, "automata": 7})
    assert ", 7 by automata; left open: 1\n" in render("full", further)
    assert render("concise", shown).count("\n") == 1


def test_a_witness_is_made_only_for_findings_that_are_shown() -> None:
    """Of forty findings with witnesses the full format makes those of the five that it shows, masked as always."""
    made: list[int] = []

    def make(number: int) -> Witness:
        made.append(number)
        return witness()

    def finding(number: int) -> Finding:
        return replace(CONFLICT, span=Span.point(number, 1), witness=DeferredWitness(lambda: make(number)))

    shown = report(*(finding(n) for n in range(1, 41)))
    assert made == []
    assert PHONE not in render("full", shown)
    assert made == [1, 2, 3, 4, 5]


def test_a_line_with_a_personal_value_is_not_shown() -> None:
    """A finding at a rule that names somebody's number has its place and no excerpt."""
    shown = replace(report(replace(HINT, personal=True)), lines=lambda _: [f"value: {PHONE}"])
    assert PHONE not in render("full", shown)


def test_full_shows_five_a_code_and_counts_the_others() -> None:
    """Of forty-two findings of one code five are shown, and the number of the others is exact."""
    many = [replace(HINT, span=Span.point(n, 1)) for n in range(1, 43)]
    text = render("full", report(CONFLICT, *many))
    assert text.count("info[DP104]") == 5
    assert text.endswith(
        "\nDP104 text-compared-as-number: and 37 more (42 findings in all)\n"
        "`-f concise` and `-f json` list all of them\n"
    )


def test_underline_counts_cells_of_the_terminal() -> None:
    """A wide character takes two cells, in front of the span and in it; a tab counts as the space it is shown as."""
    finding = replace(HINT, span=Span(1, 3, 1, 5), path="w.rules.yaml")
    shown = replace(report(finding), lines=lambda _: ["日\tx語: y"])
    assert "1 | 日 x語: y\n  |    ^^^\n" in render("full", shown)


def test_color_is_used_only_where_it_is_allowed() -> None:
    """With colour the severity is painted; the text between the escapes is the same."""
    import re

    painted = render("full", report(CONFLICT, color=True))
    assert "\x1b[31merror[DP301]\x1b[0m" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == render("full", report(CONFLICT))


def test_concise_is_one_line_a_finding() -> None:
    """``path:line:column: CODE severity summary``, with line breaks and control characters made visible."""
    assert render("concise", report(CONFLICT, HINT)) == (
        "a.rules.yaml:3:11: DP301 error gold and silver contradict each other\n"
        "b.rules.yaml:1:1: DP104 info a \\x1b[31mred\\x1b[0m\\nline\\ud800\n"
    )


def test_json_holds_everything() -> None:
    """Positions, rules, the contact and both outcomes are there for programs."""
    shown = replace(
        report(CONFLICT), suppressed=[Suppressed(replace(HINT, rules=("x",)), "why not", None)], decided={"cells": 3}
    )
    document = json.loads(render("json", shown))
    assert sorted(document) == ["decided", "findings", "suppressed", "version"]
    assert document["decided"] == {"cells": 3}
    assert document["suppressed"] == [
        {
            "code": "DP104",
            "path": "b.rules.yaml",
            "line": 1,
            "rules": ["x"],
            "by": "comment",
            "reason": "why not",
            "until": None,
        }
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


@pytest.mark.parametrize("path", ["people.contacts.yaml", "people.contacts.csv", "people.yaml"])
def test_lines_of_contacts_are_not_shown(path: str) -> None:
    """A finding in a contacts file has its place, never the line, which may hold anybody's number."""
    shown = replace(report(replace(HINT, path=path)), lines=lambda _: [f"{{phone: {PHONE}}}"] * 5)
    text = render("full", shown)
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
    text = render(name, report(CONFLICT))
    assert PHONE not in text
    assert PHONE[1:] not in text


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=25)  # of each format
@given(shown=reports())
def test_any_report_is_written_the_same_way_twice_and_in_utf_8(name: str, shown: Report) -> None:
    """Whatever names and sentences hold, each format is written, ends in a newline, and says the same again."""
    text = render(name, shown)
    assert text == render(name, shown)
    assert text == "" or text.endswith("\n")
    assert text.encode("utf-8").decode("utf-8") == text
    assert PHONE not in text


@given(shown=reports())
def test_jsonl_has_the_findings_of_json_one_a_line(shown: Report) -> None:
    """Each line is one object of ``findings``, in their order, whatever way lines are split."""
    lines = render("jsonl", shown).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(render("json", shown))["findings"]


@given(shown=reports())
def test_a_finding_is_one_line_of_concise_and_steers_no_terminal(shown: Report) -> None:
    """No character of a name or a sentence is a control character, a direction mark or half a character."""
    for name in ("concise", "full"):
        characters = set(render(name, shown)) - {"\n"}
        assert {unicodedata.category(c) for c in characters}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert len(render("concise", shown).splitlines()) == len(shown.findings)


@pytest.mark.parametrize("name", ["json", "jsonl", "sarif"])
def test_numbers_that_json_does_not_know_are_text(name: str) -> None:
    """A contact whose number has grown beyond all numbers leaves a document that every reader of JSON takes."""
    grown = witness()
    grown = replace(grown, outcome=replace(grown.outcome, contact={"sum": float("inf"), "all": [float("nan"), 1.5]}))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = render(name, report(replace(CONFLICT, witness=grown)))
    assert '"inf"' in json.dumps(json.loads(text, parse_constant=refuse))
