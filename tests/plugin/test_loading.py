"""What the plugin costs a pytest run that has no rules, and how it is turned off."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Run = Callable[..., pytest.RunResult]

HEAVY = ("dialproof", "dialproof_deploy", "celpy", "httpx", "tenacity", "hypothesis", "yaml", "rich", "re2")


def _loaded(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_entry_point_loads_the_standard_library_and_pytest_alone() -> None:
    """Importing the plugin module loads none of what dialproof needs."""
    loaded = _loaded("import pytest_dialproof.plugin, sys; print(*{m.partition('.')[0] for m in sys.modules})")
    assert not loaded & set(HEAVY)


def test_a_session_without_rules_loads_nothing_more(run: Run, pytester: pytest.Pytester) -> None:
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
    result = run("-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*dialproof ==*")


def test_the_plugin_can_be_turned_off(project: Path, run: Run) -> None:
    """-p no:dialproof leaves rules files alone."""
    result = run("rules", "-p", "no:dialproof")
    assert result.ret == 5
    result.stdout.fnmatch_lines(["*no tests ran*"])


def test_help_lists_the_options_in_their_group(run: Run) -> None:
    """The output of --help has one group with every option."""
    result = run("--help")
    result.stdout.fnmatch_lines(["dialing rules:", "*--dialproof-deploy=*", "*--dialproof-env=NAME*"])


def test_globs_restrict_what_is_collected_and_not_what_is_expected(
    project: Path, run: Run, pytester: pytest.Pytester
) -> None:
    """The ini option dialproof_files leaves files out of the run; the gate misses them."""
    pytester.makeini("[pytest]\ndialproof_files = *.rules.yaml *.contactlist.yaml\n")
    result = run("rules")
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["GATE CLOSED", "  - 9 items expected, 7 passed; nothing was reported of *"])


def test_other_files_are_left_alone(run: Run, pytester: pytest.Pytester) -> None:
    """A YAML file without one of our suffixes is not collected."""
    (pytester.path / "my.rules.backup.yaml").write_text("rules: []", encoding="utf-8")
    (pytester.path / "workflow.yaml").write_text("on: push", encoding="utf-8")
    assert run().ret == 5


def test_without_configuration_the_folder_that_was_asked_for_is_the_root(project: Path, run: Run) -> None:
    """A rules folder without configuration file is a project of its own."""
    (project.parent / "dialproof.toml").unlink()
    result = run("rules")
    result.stdout.fnmatch_lines(["GATE OPEN*evidence in rules/.dialproof/evidence.json"])


def test_a_project_behind_a_symbolic_link_is_the_project(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """Paths through a link name the same files, with and without a configuration file."""
    (pytester.path / "link").symlink_to(project.parent)
    run("link/rules").stdout.fnmatch_lines(["GATE OPEN*evidence in .dialproof/evidence.json"])
    (project.parent / "dialproof.toml").unlink()
    (pytester.path / "direct").symlink_to(project)
    run("direct").stdout.fnmatch_lines(["GATE OPEN*evidence in rules/.dialproof/evidence.json"])
