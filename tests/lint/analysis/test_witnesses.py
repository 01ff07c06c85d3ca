"""What is searched is what is shown: no finding rests on a contact that nobody could have, and what is open is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dialproof.config import load_config
from dialproof.lint import lint
from dialproof.project import load_project

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.findings import Finding

RULES = """\
campaign: c
contactList: c.contactlist.yaml
rules:
  - {{name: r1, version: 1, priority: 1, executionOrder: 1, {one}}}
  - {{name: r2, version: 1, priority: 1, executionOrder: 2, {two}}}
"""
EXISTS = "conditions: [{attribute: s, operator: exists}]"
ON, OFF = (f'actions: [{{type: setList, listId: l, value: "{value}"}}]' for value in ("true", "false"))


def found(folder: Path, columns: str, one: str, two: str) -> dict[str, Finding]:
    """Lint a campaign of two rules and return its findings by code."""
    (folder / "c.contactlist.yaml").write_text(f"columns: {{s: {{type: string}}, {columns}}}\n", "utf-8")
    (folder / "a.rules.yaml").write_text(RULES.format(one=one, two=two), "utf-8")
    findings = lint(load_project(load_config(folder))).findings
    for finding in findings:
        assert finding.witness is None or finding.witness.outcome
    return {finding.code: finding for finding in findings}


@pytest.mark.parametrize(
    ("columns", "one", "codes"),
    [
        # Two required columns that can never be equal: blank ones would be.
        (
            "a: {type: string, required: true, enum: [p, q]}, b: {type: string, required: true, enum: [u, w]}",
            f"when: contact.a == contact.b, {ON}",
            {"DP201"},
        ),
        # The hour of the call is that of the contact that is shown.
        ("a: {type: string}", f"when: now.getHours() == 12.0, {ON}", {"DP301", "DP901"}),
        # A required column of which no value is known is not left out.
        (
            'a: {type: string, required: true, pattern: "\\\\x{4e00}+\\\\b"}',
            f"conditions: [{{attribute: a, operator: exists}}], {ON}",
            {"DP901"},
        ),
        # A dollar that is escaped is a dollar.
        (
            'a: {type: string, required: true, pattern: "\\\\$[0-9]+"}',
            f"conditions: [{{attribute: a, operator: exists}}], {ON}",
            {"DP301", "DP202"},
        ),
        # A pattern that repeats repetitions of repetitions has no example, but is decided; a long one is given up.
        (
            f'a: {{type: string, required: true, pattern: "{"(" * 20}a{"+)" * 20}b"}}',
            f"conditions: [{{attribute: a, operator: exists}}], {ON}",
            {"DP301", "DP202"},
        ),
        (
            'a: {type: string, required: true, pattern: "(abc{9}defghi){60}"}',
            f"conditions: [{{attribute: a, operator: exists}}], {ON}",
            {"DP901"},
        ),
    ],
    ids=["two columns", "clock", "no sample", "escaped dollar", "repetitions", "counted"],
)
def test_no_conflict_is_shown_on_a_contact_that_cannot_be(
    columns: str, one: str, codes: set[str], tmp_path: Path
) -> None:
    """The conflict of the two rules is shown on a contact of the contact list, or is undecided."""
    shown = found(tmp_path, columns, one, f"{EXISTS}, {OFF}")
    assert ("DP301" in shown) is ("DP301" in codes)
    assert ("DP901" in shown) is ("DP901" in codes)


def test_how_old_a_fixed_time_is_depends_on_the_call(tmp_path: Path) -> None:
    """After a rule has set a column to a fixed time, nothing is claimed about its age."""
    one = f"{EXISTS}, actions: [{{type: setAttribute, attribute: t, value: '2026-05-01T00:00:00Z'}}]"
    two = "conditions: [{attribute: t, operator: greaterThan, value: P7D, type: period}], actions: [{type: doNotDial}]"
    assert "DP302" not in found(tmp_path, "t: {type: datetime}", one, two)


def test_columns_of_a_list_that_cannot_be_read_are_not_shown(tmp_path: Path) -> None:
    """Which columns are personal stands in the list: while it is broken every column is taken for one."""
    from dialproof.output.masking import MASK, masked

    one = f"conditions: [{{attribute: tel, operator: equals, value: '5550199'}}], {ON}"
    columns = "tel: {type: string, pii: true}, q: {type: number, min: 5, max: 1}"
    finding = found(tmp_path, columns, one, f"{EXISTS}, {OFF}")["DP301"]
    project = load_project(load_config(tmp_path))
    witness = masked(finding, project.campaigns[0].contact_list).witness
    assert witness is not None
    assert witness.contact["tel"] == MASK


def test_a_budget_is_at_least_one(tmp_path: Path) -> None:
    """A budget of nothing would leave every question open without a word."""
    from dialproof.errors import UsageError

    (tmp_path / "dialproof.toml").write_text("[checks.DP301]\nbudget = 0\n", "utf-8")
    with pytest.raises(UsageError, match=r"checks.DP301.budget: expected 1 or more, found 0"):
        found(tmp_path, "a: {type: string}", f"{EXISTS}, {ON}", f"{EXISTS}, {OFF}")
