"""``dialproof init`` writes a project that passes, and overwrites nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.project import load_project

if TYPE_CHECKING:
    from pathlib import Path

FILES = [
    ".github/workflows/dialproof.yml",
    ".pre-commit-config.yaml",
    "dialproof.toml",
    "rules/customers.contactlist.yaml",
    "rules/premium.contacts.yaml",
    "rules/premium.rules.yaml",
]


def written(folder: Path) -> list[str]:
    """Return the files below a folder."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_init_writes_a_project_that_reads_and_lints_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The new project has no problem and no finding, and the output ends with what to do next."""
    folder = tmp_path / "new"
    assert main(["init", str(folder)]) == 0
    out = capsys.readouterr().out
    assert written(folder) == FILES
    assert "dialproof lint" in out
    assert "pytest rules/" in out
    project = load_project(load_config(folder))
    assert project.problems == ()
    assert len(project.contacts_files["rules/premium.contacts.yaml"].cases) == 5
    assert main(["lint", str(folder)]) == 0
    assert "no findings" in capsys.readouterr().err


def test_what_init_writes_passes_under_pytest(tmp_path: Path, pytester: pytest.Pytester) -> None:
    """The cases of the new project pass, and the gate opens."""
    assert main(["init", str(pytester.path)]) == 0
    result = pytester.runpytest_subprocess("rules/")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*GATE OPEN*"])


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With one of its files in the way, nothing at all is written and the file is named."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "premium.rules.yaml").write_text("mine", "utf-8")
    assert main(["init", str(tmp_path)]) == 2
    assert "premium.rules.yaml: this file exists already" in capsys.readouterr().err
    assert written(tmp_path) == ["rules/premium.rules.yaml"]


def test_init_keeps_a_pre_commit_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A repository's own hooks stay as they are, and init says so."""
    (tmp_path / ".pre-commit-config.yaml").write_text("mine", "utf-8")
    assert main(["init", str(tmp_path)]) == 0
    assert (tmp_path / ".pre-commit-config.yaml").read_text("utf-8") == "mine"
    assert "kept" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["pyproject.toml", "file"])
def test_init_refuses_a_configured_folder_and_a_file(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that has a configuration, or no folder at all, is refused before anything is written."""
    (tmp_path / name).write_text("[tool.dialproof]\n", "utf-8")
    assert main(["init", str(tmp_path if name == "pyproject.toml" else tmp_path / name)]) == 2
    assert capsys.readouterr().err
    assert written(tmp_path) == [name]
