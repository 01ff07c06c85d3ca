"""What the documentation shows is true: its files fit together and have no finding."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.evaluate import Evaluator
from dialproof.lint import lint
from dialproof.output import FORMATS
from dialproof.project import load_project

if TYPE_CHECKING:
    import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_three_files_of_the_page_on_files_fit_together(tmp_path: Path) -> None:
    """Put side by side, the examples have no finding but what one case leaves open; it comes out as it expects."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "files.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names = ("premium.rules.yaml", "premium.contacts.yaml", "customers.contactlist.yaml")
    for name, block in zip(names, blocks, strict=True):
        (tmp_path / name).write_text(block, "utf-8")
    project = load_project(load_config(tmp_path))
    assert not project.problems
    assert not [finding for finding in lint(project).findings if not finding.code.startswith("DP60")]
    [file] = project.contacts_files.values()
    [case] = file.cases
    outcome = Evaluator(project.campaigns[0], project.config.semantics).run(
        case.contact, context=case.context, now=file.now, time_zone=file.time_zone
    )
    assert outcome.matched == case.expect.matched
    assert outcome.contact["tier"] == "gold"
    assert outcome.dial is True


def test_the_workflows_of_the_page_on_linting_do_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands of both CI systems are run: the reports are where the jobs look, without what a comment hides."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "lint.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    github, gitlab, hooks = (yaml.safe_load(block) for block in blocks)
    known = yaml.safe_load((DOCS.parent / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {hook["id"] for repo in hooks["repos"] for hook in repo["hooks"]} == {hook["id"] for hook in known}
    steps = github["jobs"]["lint"]["steps"]
    runs = [step["run"] for step in steps if "run" in step]
    job = gitlab["dialproof"]
    monkeypatch.chdir(tmp_path)
    rule = "{{name: {}, version: 1, priority: 1, executionOrder: 1, when: 'true', actions: [{{type: doNotDial}}]}}"
    text = f"campaign: c\nrules:\n  - {rule.format('a')}\n  - {rule.format('b')}\n"
    (tmp_path / "a.rules.yaml").write_text(f"# dialproof: ignore-file[DP501] known\n{text}")
    for command in [*runs, *job["script"]]:
        if command.startswith("dialproof"):
            assert main(shlex.split(command)[1:]) == 0
    (filtered,) = (shlex.split(run)[1] for run in runs if run.startswith("jq"))
    assert filtered == "del(.runs[].results[] | select(.suppressions != []))"
    results = json.loads((tmp_path / "lint.sarif").read_text())["runs"][0]["results"]
    assert {(r["ruleId"], r["suppressions"] != []) for r in results} >= {("DP501", True), ("DP202", False)}
    assert steps[-1]["with"]["sarif_file"] == runs[-1].split()[-1]
    assert (tmp_path / job["artifacts"]["reports"]["codequality"]).exists()
    assert (tmp_path / job["artifacts"]["reports"]["junit"]).exists()


def test_the_page_on_linting_has_every_format() -> None:
    """The table lists what ``-f`` takes, in the order of the command's help."""
    text = (DOCS / "lint.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == ["auto", *FORMATS]
