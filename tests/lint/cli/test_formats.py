"""Which format is written where, and how files are named for those who look from the root of the repository."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from dialproof import lint
from dialproof.cli import main
from dialproof.config import load_config
from dialproof.lint import selected_checks

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

RULES = """\
campaign: spring
rules:
  - {name: a, version: 1, priority: 1, executionOrder: 1, when: 'true', actions: [{type: setList, listId: x}]}
  - name: b
    version: 1
    priority: 1
    executionOrder: 1
    when: 'true'
    actions: [{type: setList, listId: y}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with one finding (DP501) the current one."""
    (tmp_path / "dialproof.toml").write_text('select = ["DP501"]\n')
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.rules.yaml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _paths(folder: Path) -> dict[str, str | None]:
    """Return format -> the path that it gives for the finding."""
    main(["lint", "-f", "sarif=o.sarif", "-f", "gitlab=o.json", "-f", "junit=o.xml", "-f", "github=o.txt"])
    (result,) = json.loads((folder / "o.sarif").read_text())["runs"][0]["results"]
    (issue,) = json.loads((folder / "o.json").read_text())
    (case,) = etree.parse(folder / "o.xml").findall("*/testcase")
    command = (folder / "o.txt").read_text()
    return {
        "sarif": result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "gitlab": issue["location"]["path"],
        "junit": case.get("file"),
        "github": command.partition("file=")[2].partition(",")[0],
    }


def test_without_a_repository_paths_are_those_of_the_current_folder(folder: Path) -> None:
    """Four files from one run, each with the path that a person would use."""
    assert _paths(folder) == dict.fromkeys(("sarif", "gitlab", "junit", "github"), "rules/a.rules.yaml")


def test_paths_are_those_of_the_repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code scanning and merge requests look from the repository's root, wherever the command was run."""
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder / "rules")
    assert _paths(folder / "rules") == dict.fromkeys(("sarif", "gitlab", "junit", "github"), "rules/a.rules.yaml")


def test_a_finding_is_known_by_the_same_fingerprint_from_every_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CI job that changes folders opens no new alerts."""
    (folder / ".git").touch()  # a worktree or a submodule has a file
    main(["lint", "-f", "sarif=one.sarif"])
    monkeypatch.chdir(folder / "rules")
    main(["lint", "-f", "sarif=two.sarif"])
    assert (folder / "one.sarif").read_text() == (folder / "rules" / "two.sarif").read_text()


def test_people_see_the_paths_of_the_current_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a repository too, a terminal shows what can be opened from where one stands."""
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder / "rules")
    main(["lint"])
    assert capsys.readouterr().out.startswith("a.rules.yaml:7:21: DP501")


@pytest.mark.parametrize(
    ("github", "terminal", "begins"),
    [
        (False, False, "rules/a.rules.yaml:7:21: DP501 error "),
        (False, True, "error[DP501] "),
        (True, False, "::error file=rules/a.rules.yaml,line=7,"),
        (True, True, "::error file=rules/a.rules.yaml,line=7,"),
    ],
)
@pytest.mark.parametrize("options", [[], ["-f", "auto"]])
def test_auto_suits_who_reads(
    options: list[str],
    github: bool,
    terminal: bool,
    begins: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Annotations in GitHub Actions, everything on a terminal, a line a finding for whatever reads a pipe."""
    monkeypatch.setenv("NO_COLOR", "1")
    if github:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert main(["lint", *options]) == 1
    assert capsys.readouterr().out.startswith(begins)


def test_auto_into_a_file_is_concise(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is neither a terminal nor the log of a job."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    main(["lint", "-f", "auto=o.txt"])
    assert (folder / "o.txt").read_text().startswith("rules/a.rules.yaml:7:21: DP501")


def test_two_formats_never_share_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second one would take the first one's place: refused before anything is written."""
    assert main(["lint", "-f", "sarif=out", "-f", f"junit={folder / 'out'}"]) == 2
    assert "two --output-format name one file" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_log_of_a_check_that_broke_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SARIF of a run that did not get through its checks is no success, with what the others found."""
    (working,) = selected_checks(load_config(folder))

    def broken(_: CheckContext) -> list[Finding]:
        raise ZeroDivisionError

    monkeypatch.setattr(lint, "selected_checks", lambda _: (working, replace(working, run=broken)))
    assert main(["lint", "-f", "sarif=o.sarif"]) == 70
    (run,) = json.loads((folder / "o.sarif").read_text())["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["DP501"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (note,) = invocation["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("check DP501 (duplicate-execution-order) broke on campaign spring")
