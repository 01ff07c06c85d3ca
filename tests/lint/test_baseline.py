"""The baseline: what it hides, what it never hides, and how it is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dialproof.baseline import BASELINE, may_be_in_baseline
from dialproof.cli import main
from dialproof.findings import Finding
from dialproof.source.positions import Span

if TYPE_CHECKING:
    from pathlib import Path

RULE = """\
  - name: {name}
    version: 1
    priority: 1
    executionOrder: {order}
    conditions: [{{attribute: state, operator: equals, value: {state}}}]
    actions: [{{type: setList, listId: l, value: "{value}"}}]
"""


def rules(*parts: tuple[str, int, str, str]) -> str:
    """Return a rules file of rules by name, order, state and value."""
    made = [RULE.format(name=n, order=o, state=s, value=v) for n, o, s, v in parts]
    return "campaign: c\nrules:\n" + "".join(made)


CONFLICT = rules(("a", 1, "TX", "true"), ("b", 2, "TX", "false"))
"""DP301 between two rules."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Make a project with one conflict the current folder, and a baseline of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dialproof.toml").write_text('select = ["DP1", "DP301", "DP501", "DP9"]\ninventory = {lists = ["l"]}\n')
    (tmp_path / "a.rules.yaml").write_text(CONFLICT)
    assert main(["lint"]) == 1
    assert main(["lint", "--write-baseline"]) == 0
    capsys.readouterr()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    """Return the exit code, the findings, and the last line of the summary."""
    code = main(["lint", *arguments])
    out, err = capsys.readouterr()
    return code, [line.split()[1] for line in out.splitlines()], err.splitlines()[-1]


def test_findings_of_the_baseline_are_counted_and_fail_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever their lines have moved to; two options show them all the same."""
    counted = "no findings (1 file, 2 rules, 1 campaign checked; 1 finding in the baseline)"
    assert run(capsys) == (0, [], counted)
    (folder / "a.rules.yaml").write_text("# one line more\n\n" + CONFLICT)
    assert run(capsys) == (0, [], counted)
    assert run(capsys, "a.rules.yaml") == (0, [], counted)
    assert run(capsys, "--no-baseline")[:2] == (1, ["DP301"])
    assert run(capsys, "--no-ignore")[:2] == (1, ["DP301"])


def test_a_new_finding_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A third rule in the same conflict is a finding of its own."""
    (folder / "a.rules.yaml").write_text(CONFLICT + RULE.format(name="d", order=3, state="TX", value="true"))
    code, codes, _ = run(capsys, "--select", "DP301")
    assert (code, codes) == (1, ["DP301"])


def test_an_entry_that_is_not_needed_is_reported_and_taken_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """DP903 at the entry, where its check did run and all of the project was asked for; --fix removes it."""
    (folder / "a.rules.yaml").write_text(CONFLICT.replace("value: TX", "value: CA", 1))
    assert run(capsys)[:2] == (0, ["DP903"])
    assert run(capsys, "a.rules.yaml")[:2] == (0, [])
    assert run(capsys, "--select", "DP501,DP903")[:2] == (0, [])
    assert run(capsys, "--fix")[:2] == (0, [])
    assert json.loads((folder / BASELINE).read_text()) == {"version": 1, "findings": []}


def test_what_was_not_looked_at_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Writing the baseline of some checks leaves the entries of the others; writing it twice changes nothing."""
    before = (folder / BASELINE).read_bytes()
    assert run(capsys, "--write-baseline", "--select", "DP501")[0] == 0
    assert (folder / BASELINE).read_bytes() == before
    assert run(capsys, "--write-baseline")[0] == 0
    assert (folder / BASELINE).read_bytes() == before


def test_a_baseline_of_another_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It can be named for one run or in the configuration; "" in the configuration is none."""
    (folder / BASELINE).rename(folder / "known.json")
    assert run(capsys)[0] == 1
    assert run(capsys, "--baseline", "known.json")[0] == 0
    config = (folder / "dialproof.toml").read_text()
    (folder / "dialproof.toml").write_text('baseline = "known.json"\n' + config)
    assert run(capsys)[0] == 0
    (folder / "dialproof.toml").write_text('baseline = ""\n' + config)
    assert run(capsys)[0] == 1
    assert run(capsys, "--write-baseline=other.json")[0] == 0
    assert (folder / "other.json").read_bytes() == (folder / "known.json").read_bytes()


@pytest.mark.parametrize(
    "code", ["DP101", "DP102", "DP107", "DP108", "DP801", "DP802", "DP803", "DP804", "DP902", "DP903", "DP904"]
)
def test_what_a_baseline_never_hides(code: str) -> None:
    """What makes a file unreadable, what is about hiding, and what a change has brought."""
    assert not may_be_in_baseline(Finding(code, "x", "error", "a.rules.yaml", Span.point(1, 1), ""))
    assert may_be_in_baseline(Finding("DP301", "x", "error", "a.rules.yaml", Span.point(1, 1), ""))


def test_an_entry_written_by_hand_hides_nothing_that_must_be_seen(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A priority of 0 (DP108) is reported whatever the file says."""
    from dialproof.config import load_config
    from dialproof.fingerprint import fingerprints
    from dialproof.lint import lines_of, lint
    from dialproof.project import load_project

    (folder / "a.rules.yaml").write_text(CONFLICT.replace("priority: 1", "priority: 0"))
    project = load_project(load_config(folder))
    found = lint(project).findings
    entries = [
        {"code": f.code, "path": f.path, "rules": list(f.rules), "fingerprint": fingerprint}
        for f, fingerprint in zip(found, fingerprints(found, lines_of(project)), strict=True)
    ]
    assert {entry["code"] for entry in entries} >= {"DP108"}
    (folder / BASELINE).write_text(json.dumps({"version": 1, "findings": entries}))
    code, codes, _ = run(capsys)
    assert code == 1
    assert "DP108" in codes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", f"{BASELINE}:1: not JSON: expected a key in double quotes or }}, found the end of the file"),
        ("[]", f'{BASELINE}: expected {{"version": 1, "findings": [...]}}; write it again with'),
        ('{"version": 2, "findings": []}', f'{BASELINE}: expected {{"version": 1, "findings": [...]}}'),
        ('{"version": 1, "findings": [\n{"code": "DP301"}]}', f"{BASELINE}:2: expected code, path, rules and"),
        ("\xff", f"{BASELINE}:1: not JSON"),
    ],
)
def test_a_baseline_that_cannot_be_read_is_a_usage_error(
    content: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its place and what to do; nothing is linted under a baseline that nobody can read."""
    (folder / BASELINE).write_text(content)
    assert main(["lint"]) == 2
    assert f"dialproof: error: {message}" in capsys.readouterr().err


def test_nothing_personal_is_in_a_baseline(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It holds codes, paths, names of rules and hashes; of a personal line not even a hash."""
    (folder / "c.contactlist.yaml").write_text("columns:\n  state: {type: string, pii: true}\n")
    written = []
    for value in ("5550100", "5550199"):
        text = CONFLICT.replace("campaign: c", "campaign: c\ncontactList: c.contactlist.yaml")
        (folder / "a.rules.yaml").write_text(text.replace("value: TX", f'value: "{value}"'))
        assert run(capsys, "--write-baseline")[0] == 0
        written.append((folder / BASELINE).read_text())
    assert written[0] == written[1]
    assert "5550" not in written[0]
