"""What the plugin costs a pytest run that has no rules, and how it is turned off."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.project import load_project
from pytest_dialproof.projects import digests_of
from tests.plugin.conftest import CONTACTS, ITEMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Run = Callable[..., pytest.RunResult]

HEAVY = ("dialproof", "dialproof_deploy", "celpy", "httpx", "tenacity", "hypothesis", "yaml", "rich", "re2", "polars")


def _loaded(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_entry_point_loads_the_standard_library_and_pytest_alone() -> None:
    """Importing the plugin module loads none of what dialproof needs."""
    loaded = _loaded("import pytest_dialproof.plugin, sys; print(*{m.partition('.')[0] for m in sys.modules})")
    assert not loaded & set(HEAVY)


def test_a_session_without_rules_loads_nothing_more(run_apart: Run, pytester: pytest.Pytester) -> None:
    """Through collection, run, gate and summary of a project without rules, nothing heavy is imported by us."""
    pytester.makepyfile(
        """
        import sys

        def test_other():
            assert "dialproof" not in sys.modules
            assert "dialproof_deploy" not in sys.modules
        """
    )
    pytester.makefile(".yaml", config="a: 1")
    result = run_apart("-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*dialproof ==*")


def test_the_plugin_can_be_turned_off(project: Path, run_apart: Run) -> None:
    """-p no:dialproof leaves rules files alone."""
    result = run_apart("rules", "-p", "no:dialproof")
    assert result.ret == 5
    result.stdout.fnmatch_lines(["*no tests ran*"])


def test_help_lists_the_options_in_their_group(run: Run) -> None:
    """The output of --help has one group with every option."""
    result = run("--help")
    result.stdout.fnmatch_lines(["dialing rules:", "*--dialproof-deploy=*", "*--dialproof-env=NAME*"])


def test_excluded_files_are_nobody_s(project: Path, run: Run, workers: str) -> None:
    """A file with our suffix and another's content is neither collected, nor linted, nor missed by the gate."""
    (project / "monitoring").mkdir()
    (project / "monitoring/alerts.rules.yaml").write_text("groups: []\n", encoding="utf-8")
    (project.parent / "dialproof.toml").write_text('exclude = ["rules/monitoring/**"]\n', encoding="utf-8")
    result = run("rules", workers)
    result.assert_outcomes(passed=ITEMS)
    result.stdout.fnmatch_lines([f"GATE OPEN: {ITEMS} of {ITEMS} items *"])
    assert main(["lint", "rules", "rules/monitoring/alerts.rules.yaml"]) == 0


def test_other_files_are_left_alone(run: Run, pytester: pytest.Pytester) -> None:
    """A YAML file without one of our suffixes is not collected."""
    (pytester.path / "my.rules.backup.yaml").write_text("rules: []", encoding="utf-8")
    (pytester.path / "workflow.yaml").write_text("on: push", encoding="utf-8")
    assert run().ret == 5


def test_without_configuration_the_root_directory_is_the_project(project: Path, run: Run, workers: str) -> None:
    """A file elsewhere below it that tests the same rules belongs to them, whatever paths were asked for."""
    (project.parent / "dialproof.toml").unlink()
    run("rules").stdout.fnmatch_lines(["GATE OPEN*evidence in .dialproof/evidence.json"])
    (project.parent / "extra").mkdir()
    text = CONTACTS.replace("rules: ", "rules: ../rules/")
    (project.parent / "extra/x.contacts.yaml").write_text(text, encoding="utf-8")
    result = run("rules", workers)
    result.stdout.fnmatch_lines(["GATE CLOSED", "  - 2 items were left out, because only some paths were given *"])


def test_without_configuration_distant_folders_are_projects_of_their_own(
    project: Path, run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the paths have in common is no project: it is not searched for files."""
    (project.parent / "dialproof.toml").unlink()
    (project.parent / "stray.rules.yaml").write_text("rules: [\n", encoding="utf-8")
    other = pytester.mkdir("other")
    for path in project.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(pytester.mkdir("elsewhere"))
    result = run("../rules", "../other")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["-* ../other -*", "GATE OPEN*", "-* ../rules -*", "GATE OPEN*"])


def test_a_project_behind_a_symbolic_link_is_the_project(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """Paths through a link name the same files, with and without a configuration file."""
    (pytester.path / "link").symlink_to(project.parent)
    run("link/rules").stdout.fnmatch_lines(["GATE OPEN*evidence in .dialproof/evidence.json"])
    (project.parent / "dialproof.toml").unlink()
    (pytester.path / "direct").symlink_to(project)
    run("direct").stdout.fnmatch_lines(["GATE OPEN*evidence in .dialproof/evidence.json"])


def test_a_link_out_of_the_project_is_named(project: Path, run: Run, pytester: pytest.Pytester, workers: str) -> None:
    """The project does not follow links: a file behind one is an error that says so, not one about its content."""
    outside = pytester.path.parent / f"{pytester.path.name}-shared"
    outside.mkdir()
    (outside / "x.contacts.yaml").write_text(CONTACTS, encoding="utf-8")
    (project / "shared").symlink_to(outside)
    result = run("rules", workers)
    assert result.ret != 0
    where = "rules/shared/x.contacts.yaml: is reached through the symbolic link rules/shared"
    result.stdout.fnmatch_lines([f"{where}, which the project at . does not follow: put the files there instead"])


def test_the_digest_of_the_configuration_is_that_of_what_was_parsed(project: Path) -> None:
    """A configuration that changes while the files are read is not taken for the one that they were tested under."""
    config, before = load_config(project), (project.parent / "dialproof.toml").read_bytes()
    (project.parent / "dialproof.toml").write_text("[semantics]\nundecided = 'met'\n", encoding="utf-8")
    digests = digests_of(load_project(config))
    assert digests["dialproof.toml"] == hashlib.sha256(before).hexdigest()
    assert (
        digests["the effective configuration"]
        != digests_of(load_project(load_config(project)))["the effective configuration"]
    )
