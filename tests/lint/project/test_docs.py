"""What the documentation shows is true: its files fit together and have no finding."""

from __future__ import annotations

import re
from pathlib import Path

from dialproof.config import load_config
from dialproof.evaluate import Evaluator
from dialproof.lint import lint
from dialproof.project import load_project

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_three_files_of_the_page_on_files_fit_together(tmp_path: Path) -> None:
    """Put side by side, the examples have no finding, and the case comes out as it expects."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "files.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names = ("premium.rules.yaml", "premium.contacts.yaml", "customers.contactlist.yaml")
    for name, block in zip(names, blocks, strict=True):
        (tmp_path / name).write_text(block, "utf-8")
    project = load_project(load_config(tmp_path))
    assert not project.problems
    assert not lint(project).findings
    [file] = project.contacts_files.values()
    [case] = file.cases
    outcome = Evaluator(project.campaigns[0], project.config.semantics).run(
        case.contact, context=case.context, now=file.now, time_zone=file.time_zone
    )
    assert outcome.matched == case.expect.matched
    assert outcome.contact["tier"] == "gold"
    assert outcome.dial is True
