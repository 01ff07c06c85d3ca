"""``dialproof lint --since REV``: what a change brings, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from tests.lint.git import LIST, Git, rules

if TYPE_CHECKING:
    from pathlib import Path

LONELY = """\
  - name: lonely
    version: 1
    priority: 1
    executionOrder: 2
    conditions:
      - {attribute: state, operator: equals, value: TX}
      - {attribute: state, operator: equals, value: CA}
    actions: [{type: setSkills, skills: [x]}]
"""
"""A rule that DP201 reports."""


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Return a repository with one commit, in the current folder."""
    repository = Git(tmp_path)
    repository.commit({"dialproof.toml": "", "c.contactlist.yaml": LIST, "c.rules.yaml": rules("a") + LONELY})
    monkeypatch.chdir(tmp_path)
    return repository


def _since(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    """Return the exit code, place and code of each finding, and what stands on stderr."""
    code = main(["lint", "-f", "concise", *arguments])
    out, err = capsys.readouterr()
    return code, [" ".join(line.split()[:2]) for line in out.splitlines() if ": DP" in line], err


def test_what_was_there_before_is_not_reported(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """An old finding is left out wherever its line has moved to; the same offence in another rule is new."""
    assert _since(capsys, ".")[:2] == (1, ["c.rules.yaml:10:11: DP201"])
    git.write({"c.rules.yaml": "# moved\n\n" + rules("a") + LONELY})
    assert _since(capsys, "--since", "HEAD")[:2] == (0, [])
    second = LONELY.replace("lonely", "second").replace("executionOrder: 2", "executionOrder: 3")
    git.write({"c.rules.yaml": rules("a") + LONELY + second})
    assert _since(capsys, "--since", "HEAD")[:2] == (1, ["c.rules.yaml:18:11: DP201"])


def test_what_the_change_does_to_dialing_is_reported(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """DP801 and DP803 come with it, and a note says which commit was meant."""
    git.write({"c.rules.yaml": rules("a", value="yes") + LONELY})
    code, found, err = _since(capsys, "--since", "HEAD")
    assert (code, found) == (1, ["c.rules.yaml:4:11: DP801", "c.rules.yaml:5:14: DP803"])
    assert f"changes are looked at since {git('rev-parse', 'HEAD')[:12]}, the merge base of HEAD and HEAD" in err


def test_the_whole_project_is_the_context(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding in an untouched file is reported where the change of another file brings it."""
    git.write({"c.contactlist.yaml": LIST.replace('["yes", "no"]', '["yes", "maybe"]')})
    assert _since(capsys, "--since", "HEAD", "c.rules.yaml")[:2] == (1, ["c.rules.yaml:4:11: DP201"])


def test_a_renamed_file_brings_nothing(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """Old findings are known again in the file that holds the campaign now."""
    git("mv", "c.rules.yaml", "renamed.rules.yaml")
    assert _since(capsys, "--since", "HEAD")[:2] == (0, [])


def test_a_check_that_is_turned_on_brings_nothing_old(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """Which checks run is as it is now, on both sides: what they find was there before."""
    git.commit({"dialproof.toml": "select = ['DP5']\n"})
    git.write({"dialproof.toml": ""})
    assert _since(capsys, "--since", "HEAD")[:2] == (0, [])


def test_a_suppression_that_is_taken_away_brings_its_finding(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """At the base it was hidden, so it is new."""
    comment = "  # dialproof: ignore[DP201] nobody reads it\n"
    git.commit({"c.rules.yaml": rules("a") + comment + LONELY})
    assert _since(capsys, "--since", "HEAD")[:2] == (0, [])
    git.write({"c.rules.yaml": rules("a") + LONELY})
    assert _since(capsys, "--since", "HEAD")[:2] == (1, ["c.rules.yaml:10:11: DP201"])


def test_the_option_stands_before_the_configuration(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """With ``base`` alone everything is reported, DP80x among it; ``--since`` names another revision."""
    git.commit({"c.rules.yaml": rules("a", value="yes") + LONELY, "dialproof.toml": "base = 'HEAD~1'\n"})
    code, found, _ = _since(capsys, ".")
    assert (code, found) == (
        1,
        ["c.rules.yaml:4:11: DP801", "c.rules.yaml:5:14: DP803", "c.rules.yaml:10:11: DP201"],
    )
    assert _since(capsys, "--since", "HEAD")[:2] == (0, [])


@pytest.mark.parametrize("revision", ["", "nope"])
def test_a_revision_that_is_none_is_a_usage_error(git: Git, capsys: pytest.CaptureFixture[str], revision: str) -> None:
    """One sentence and exit code 2."""
    code, found, err = _since(capsys, "--since", revision)
    assert (code, found) == (2, [])
    assert err.startswith("dialproof: error: ")
    assert len(err.splitlines()) == 1


def test_the_baseline_holds_what_stands(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """What is hidden at the base is no news, what is hidden now is not reported, and ``--since`` writes none."""
    assert _since(capsys, "--write-baseline")[0] == 0
    assert _since(capsys, "--since", "HEAD")[:2] == (0, [])
    code, _, err = _since(capsys, "--since", "HEAD", "--write-baseline")
    assert (code, "leave --since out" in err) == (2, True)
    (git.folder / ".dialproof-baseline.json").unlink()
    assert _since(capsys, "--since", "HEAD")[:2] == (0, [])


def test_a_comment_about_a_change_is_unused_only_where_changes_were_looked_at(
    git: Git, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a base nobody knows whether it hides anything; with one, a comment that hides nothing is DP903."""
    comment = "  # dialproof: ignore[DP801] agreed with legal\n  - name: a"
    text = rules("a").replace("  - name: a", comment)
    git.write({"c.rules.yaml": text.replace("'no'", "'yes'").replace("version: 1", "version: 2")})
    assert _since(capsys, ".", "--ignore", "DP606")[:2] == (0, [])
    assert _since(capsys, "--since", "HEAD", "--ignore", "DP606")[:2] == (0, [])
    git.write({"c.rules.yaml": text})
    assert _since(capsys, "--since", "HEAD", "--ignore", "DP606")[1] == ["c.rules.yaml:4:23: DP903"]


def test_the_repair_raises_the_version(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """``--fix --since`` writes the next version and nothing else; a second run finds nothing."""
    changed = rules("a", "b").replace("priority: 2", "priority: 9")
    git.commit({"c.rules.yaml": rules("a", "b")})
    git.write({"c.rules.yaml": changed})
    assert _since(capsys, "--since", "HEAD", "--select", "DP8")[1] == ["c.rules.yaml:11:14: DP803"]
    assert _since(capsys, "--since", "HEAD", "--select", "DP8", "--fix")[:2] == (0, [])
    head, _, tail = changed.rpartition("version: 1")
    assert (git.folder / "c.rules.yaml").read_text() == f"{head}version: 2{tail}"


def test_raising_the_version_is_a_repair(git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """DP803 carries the edit of the version alone, and none where the value stands elsewhere."""
    from dataclasses import replace

    from dialproof.config import load_config
    from dialproof.lint import lint
    from dialproof.project import load_project

    shared = rules("b").replace("version: 1", "version: &one 1").replace("priority: 1", "priority: *one")
    alias = rules("b").replace("version: 1\n    priority: 1", "priority: &one 1\n    version: *one")
    for text, edited in ((rules("b", version=41), "42"), (shared, None), (alias, None)):
        git.commit({"c.rules.yaml": text})
        git.write({"c.rules.yaml": text.replace("'no'", "'yes'")})
        result = lint(load_project(replace(load_config(git.folder), base="HEAD")))
        (finding,) = [f for f in result.findings if f.code == "DP803"]
        assert finding.safe
        assert [(e.path, e.span, e.text) for e in finding.edits] == (
            [("c.rules.yaml", finding.span, edited)] if edited else []
        )
