"""Workflow commands, read back by a parser that follows GitHub's description of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given

from dialproof.output import render
from dialproof.source.positions import Span
from tests.lint.output.build import CONFLICT, HINT, report, reports

if TYPE_CHECKING:
    from dialproof.output.report import Report

_COMMAND = re.compile(r"::(?P<name>[^ :]+) (?P<properties>.*?)::(?P<message>.*)")
_DATA = {"%0D": "\r", "%0A": "\n", "%25": "%"}
_PROPERTY = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


def _unescaped(text: str, escapes: dict[str, str]) -> str:
    return re.sub("|".join(escapes), lambda found: escapes[found[0]], text)


def _commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Return name, properties and message of each command, line by line as the runner reads them."""
    found = []
    for line in re.split(r"\r\n|\r|\n", text.removesuffix("\n")) if text else ():
        command = _COMMAND.fullmatch(line)
        assert command is not None, line
        pairs = (pair.split("=", 1) for pair in command["properties"].split(","))
        properties = {name: _unescaped(value, _PROPERTY) for name, value in pairs}
        found.append((command["name"], properties, _unescaped(command["message"], _DATA)))
    return found


def test_a_conflict_is_an_annotation() -> None:
    """Place, title, and a message that says all that is known; columns include the last one."""
    ((name, properties, message),) = _commands(render("github", report(CONFLICT)))
    assert name == "error"
    assert properties == {
        "file": "a.rules.yaml",
        "line": "3",
        "endLine": "3",
        "col": "11",
        "endColumn": "14",
        "title": "DP301 conflicting-rules",
    }
    first, *others = message.splitlines()
    assert first == "a.rules.yaml:3:11: DP301 error gold and silver contradict each other"
    assert "a contact that shows it:" in others
    assert others[-2:] == ["fix: narrow one of the two", "https://dialproof.dev/checks/conflicting-rules/"]


def test_columns_are_given_on_one_line_alone() -> None:
    """GitHub drops an annotation of several lines that has columns; a warning and a hint have their own commands."""
    found = _commands(render("github", report(HINT, replace(HINT, severity="warning", span=Span(2, 5, 2, 5)))))
    assert [(name, "col" in properties, "endColumn" in properties) for name, properties, _ in found] == [
        ("notice", False, False),
        ("warning", True, True),
    ]
    assert found[1][1]["endColumn"] == found[1][1]["col"] == "5"


def test_what_looks_escaped_stays_as_it_is() -> None:
    """A name that holds ``%0A`` or ``::`` is read back as such, in the message and in a property."""
    finding = replace(HINT, path="50%, a::b%3A.rules.yaml", summary="matches 100%0A::error::%25")
    ((_, properties, message),) = _commands(render("github", report(finding)))
    assert properties["file"] == finding.path
    assert message.splitlines()[0].endswith(finding.summary)


@given(shown=reports())
def test_any_report_is_read_back(shown: Report) -> None:
    """One command a finding, whatever its names hold: no name can end a command or begin another one."""
    found = _commands(render("github", shown))
    assert len(found) == len(shown.findings)
    for finding, (name, properties, message) in zip(shown.findings, found, strict=True):
        assert name == {"error": "error", "warning": "warning", "info": "notice"}[finding.severity]
        assert (properties["line"], properties["endLine"]) == (str(finding.span.line), str(finding.span.end_line))
        assert ("col" in properties) == (finding.span.line == finding.span.end_line)
        assert properties["title"] == f"{finding.code} {finding.name}"
        if finding.path.isprintable():
            assert properties["file"] == finding.path
            if finding.summary.isprintable():
                assert message.startswith(
                    f"{finding.path}:{finding.span.line}:{finding.span.column}: {finding.code} {finding.severity} "
                    f"{finding.summary}"
                )
        assert message.endswith(f"\n{finding.url}")
