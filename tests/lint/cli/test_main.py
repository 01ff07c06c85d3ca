"""The ``dialproof`` command: what it loads, how it ends, and what plugins add to it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy
import pytest

from dialproof import built_in, cli, hookimpl, hookspecs
from dialproof.checks import registry
from dialproof.checks.base import Check, CheckContext
from dialproof.cli import main
from dialproof.errors import DialproofError, RefusedError
from dialproof.plugins import BUILT_INS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.findings import Finding

RULES = """\
campaign: spring
rules:
  - name: a
    version: 1
    priority: 1
    executionOrder: 1
    conditions: [{attribute: state, operator: equals, value: TX}]
    actions: [{type: doNotDial}]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with one clean rules file the current one."""
    (tmp_path / "a.rules.yaml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _modules_after(code: str, folder: Path) -> set[str]:
    script = f"import sys, json\n{code}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_lint_loads_neither_the_network_nor_test_tools(project: Path) -> None:
    """``dialproof lint`` imports no HTTP client, no retries, neither pytest nor hypothesis."""
    loaded = _modules_after("from dialproof.cli import main; assert main(['lint', '.']) == 0", project)
    assert "dialproof.lint" in loaded
    unwanted = {
        "httpx", "tenacity", "pytest", "_pytest", "hypothesis", "starlette", "uvicorn", "rich", "junit_xml",
        "pytest_dialproof", "polars", "narwhals", "pyarrow",
    }  # fmt: skip
    assert not unwanted & loaded


def test_cel_is_loaded_only_for_conditions(project: Path) -> None:
    """Where no rule can be read, no CEL parser is started."""
    (project / "a.rules.yaml").write_text("rules: [\n")
    assert "celpy" not in _modules_after("from dialproof.cli import main; assert main(['lint', '.']) == 3", project)


def test_help_names_every_command_without_loading_any(project: Path) -> None:
    """Names and one-line helps are known without importing a command's module."""
    loaded = _modules_after("from dialproof.cli import main; main(['--help'])", project)
    assert not {m for m in loaded if m.startswith("dialproof.cli.")}
    assert "dialproof.lint" not in loaded


def test_help_lists_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """The help of the command lists the built-in commands with their helps."""
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name, help_ in cli.COMMANDS.items():
        assert name in out
        assert help_ in " ".join(out.split())


class _CommandPlugin:
    def __init__(self, name: str, run: Callable[[argparse.Namespace], int]) -> None:
        self.name = name
        self.run = run

    @hookimpl
    def dialproof_subcommands(self) -> Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]]:
        def add_arguments(parser: argparse.ArgumentParser) -> None:
            parser.add_argument("--times", type=int, default=1)
            parser.set_defaults(run=self.run)

        return {self.name: ("do it", add_arguments)}


def _with_plugins(monkeypatch: pytest.MonkeyPatch, **plugins: object) -> None:
    manager = pluggy.PluginManager("dialproof")
    manager.add_hookspecs(hookspecs)
    manager.register(built_in, name=BUILT_INS)
    for name, plugin in plugins.items():
        manager.register(plugin, name=name)
    monkeypatch.setattr("dialproof.plugins.plugin_manager", lambda: manager)
    registry.all_checks.cache_clear()
    registry.checks_by_code.cache_clear()


@pytest.fixture(autouse=True)
def _fresh_registry() -> object:
    yield
    registry.all_checks.cache_clear()
    registry.checks_by_code.cache_clear()


def test_a_plugin_adds_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A command of a plugin gets its options and its exit code, and stands in the help."""
    _with_plugins(monkeypatch, mine=_CommandPlugin("again", lambda args: int(args.times)))
    assert main(["again", "--times", "8"]) == 8
    assert main(["--help"]) == 0
    assert "again" in capsys.readouterr().out


def test_a_plugin_cannot_replace_a_built_in_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two commands of one name are an error that names the plugin."""
    _with_plugins(monkeypatch, mine=_CommandPlugin("lint", lambda _: 0))
    assert main(["other"]) == 2
    assert capsys.readouterr().err == "dialproof: error: plugin 'mine': the command 'lint' exists already\n"


def test_help_survives_a_broken_plugin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The help is printed with the built-in commands, and the plugin's error on stderr."""
    _with_plugins(monkeypatch, mine=_CommandPlugin("lint", lambda _: 0))
    assert main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert "explain" in out
    assert err == "dialproof: error: plugin 'mine': the command 'lint' exists already\n"


def test_checks_lists_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a check: code, name, severity and what it reports, by code."""
    assert main(["checks"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[:3] for row in rows] == [
        [c.code, c.name, c.severity] for c in sorted(registry.built_in_checks(), key=lambda c: c.code)
    ]
    assert all(row.endswith(".") for row in rows)


@pytest.mark.parametrize("kind", ["rules", "contacts", "contactlist"])
def test_schema_prints_a_json_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema of each kind is a JSON object for editors."""
    assert main(["schema", kind]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


def _raising(error: BaseException) -> Callable[[argparse.Namespace], int]:
    def run(_: argparse.Namespace) -> int:
        raise error

    return run


def test_every_error_is_lines_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the tree is one line for each of its sentences and the exit code of its class."""
    monkeypatch.delenv("DIALPROOF_DEBUG", raising=False)
    _with_plugins(monkeypatch, mine=_CommandPlugin("go", _raising(RefusedError("first\nsecond"))))
    assert main(["go"]) == 4
    assert capsys.readouterr().err == "dialproof: error: first\ndialproof: error: second\n"


def test_an_unexpected_error_tells_nothing_of_its_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 70, one sentence, no traceback, and not the error's text, which may hold a contact's values."""
    monkeypatch.delenv("DIALPROOF_DEBUG", raising=False)
    _with_plugins(monkeypatch, mine=_CommandPlugin("go", _raising(KeyError("+13035550123"))))
    assert main(["go"]) == 70
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "KeyError" in err
    assert "DIALPROOF_DEBUG=1" in err
    assert "+1303" not in err


def test_debugging_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """With DIALPROOF_DEBUG=1 the error is raised as it is."""
    monkeypatch.setenv("DIALPROOF_DEBUG", "1")
    _with_plugins(monkeypatch, mine=_CommandPlugin("go", _raising(KeyError("x"))))
    with pytest.raises(KeyError):
        main(["go"])


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control-C ends the command as shells expect it, without a traceback."""
    _with_plugins(monkeypatch, mine=_CommandPlugin("go", _raising(KeyboardInterrupt())))
    assert main(["go"]) == 130


def test_a_closed_pipe_is_quiet(project: Path) -> None:
    """``dialproof checks | head -1`` prints no traceback when the reader goes away."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "dialproof", "checks"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=120)
    assert err == b""
    assert process.returncode == 141


def test_a_full_disk_is_one_line(project: Path) -> None:
    """Output that cannot be written is said in a sentence, with exit code 2."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "dialproof", "checks"], cwd=project, stdout=out, stderr=subprocess.PIPE, check=False
        )
    assert done.stderr.decode() == f"dialproof: error: the output cannot be written: {os.strerror(errno.ENOSPC)}\n"
    assert done.returncode == 2


def test_without_a_standard_output_the_exit_code_counts(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """``dialproof lint >&-`` runs to its end and returns the same code."""
    monkeypatch.chdir(project)
    expected = main(["checks"])
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["checks"]) == expected
    sys.stdout.close()


class _CheckPlugin:
    def __init__(self, *checks: object) -> None:
        self.checks = checks

    @hookimpl
    def dialproof_checks(self) -> Sequence[Check]:
        return self.checks  # type: ignore[return-value]


def _check(code: str = "ACME001", name: str = "rule-without-owner", **changes: object) -> Check:
    def run(context: CheckContext) -> Sequence[Finding]:
        return [
            context.finding(rule.path, rule.name_span, f"{rule.name} has no owner", rules=(rule.name,))
            for rule in context.campaign.rules
            if context.option("key") not in rule.metadata
        ]

    values: dict[str, object] = {
        "code": code, "name": name, "severity": "error", "family": "conditions", "run": run, "doc": "No owner.",
        "options": {"key": "owner"}, **changes,
    }  # fmt: skip
    return Check(**values)  # type: ignore[arg-type]


def test_a_plugin_adds_a_check_with_options(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A check of a plugin runs, can be configured and suppressed, and its findings look like any other."""
    _with_plugins(monkeypatch, acme=_CheckPlugin(_check()))
    assert main(["lint", "--select", "ACME"]) == 1
    assert capsys.readouterr().out == "a.rules.yaml:3:11: ACME001 error a has no owner\n"
    (project / "dialproof.toml").write_text('[checks.ACME001]\nkey = "name"\n')
    assert main(["lint", "--select", "ACME"]) == 1
    (project / "dialproof.toml").write_text("[checks.ACME001]\nkey = 1\n")
    capsys.readouterr()
    assert main(["lint"]) == 2
    assert capsys.readouterr().err == "dialproof: error: checks.ACME001.key: expected str, found int\n"
    (project / "dialproof.toml").unlink()
    (project / "a.rules.yaml").write_text(RULES.replace("name: a", "name: a  # dialproof: ignore[ACME001] ours"))
    assert main(["lint", "--select", "ACME"]) == 0


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (_check(code="DP999"), "codes that begin with DP are dialproof's own"),
        (_check(code="acme1"), "check code 'acme1' is not two to five capital letters and three digits"),
        (_check(name="Rule"), "the name 'Rule' is not lower-case words"),
        (_check(name="conflicting-rules"), "is already there: DP301"),
        (_check(severity="fatal"), "severity 'fatal' is not one of info, warning, error"),
        (_check(doc=" "), "has no documentation"),
        ("text", "returned a str"),
    ],
)
def test_a_wrong_check_is_refused_with_its_plugin(
    check: object, message: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A check that does not keep the rules is a usage error that names the plugin."""
    _with_plugins(monkeypatch, acme=_CheckPlugin(check))
    assert main(["lint"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("dialproof: error: plugin 'acme': ")
    assert message in err


def test_a_check_that_breaks_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 70 with check and campaign; the findings of all other checks are still printed."""
    monkeypatch.delenv("DIALPROOF_DEBUG", raising=False)

    def run(_: CheckContext) -> Sequence[Finding]:
        raise ValueError("+13035550123")

    _with_plugins(monkeypatch, acme=_CheckPlugin(_check(code="ACME002", name="broken", run=run), _check()))
    assert main(["lint", "--select", "ACME"]) == 70
    out, err = capsys.readouterr()
    assert "ACME001" in out
    assert "dialproof: error: check ACME002 (broken) broke on campaign spring: ValueError at test_main.py:" in err
    assert "Traceback" not in err
    assert "+1303" not in err


def test_errors_have_documented_exit_codes() -> None:
    """Each class of the error tree has its own exit code from 2 to 7."""
    codes = sorted(
        int(error.exit_code) for error in DialproofError.__subclasses__() if error.__module__ == "dialproof.errors"
    )
    assert codes == [2, 3, 4, 5, 6, 7]
