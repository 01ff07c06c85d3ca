"""The distribution of examples/custom_check, built and installed as anybody's would be, in processes of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "custom_check"
COMMAND = re.compile(r"^\$ dialproof (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


class Installed:
    """A copy of the example, with its wheel unpacked where Python finds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "custom_check"
        shutil.copytree(EXAMPLE, self.folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        site = folder / "site"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "DIALPROOF", "GENESYS"))}
        self.environment |= {
            "COLUMNS": "200",
            "NO_COLOR": "1",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.python("hatchling", "build", "--target", "wheel", "--directory", str(folder))
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            self.names = archive.namelist()
            archive.extractall(site)
        path = [str(site), *filter(None, [self.environment.get("PYTHONPATH")])]
        self.environment["PYTHONPATH"] = os.pathsep.join(path)

    def python(self, module: str, *arguments: str, code: int = 0) -> str:
        """Run a module in the copy and return what it prints; it must end with the exit code."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build and install the distribution, without any index."""
    return Installed(tmp_path_factory.mktemp("installed"))


def test_its_wheel_holds_the_check_and_no_tests(installed: Installed) -> None:
    """Only the package and the metadata are installed."""
    assert {name.partition("/")[0] for name in installed.names} == {"abc_dialproof", "abc_dialproof-1.0.dist-info"}


def test_its_commands_print_what_its_readme_shows(installed: Installed) -> None:
    """`dialproof lint` finds the rule without a ticket, and `dialproof explain` prints the docstring as a page."""
    (block,) = re.findall(
        r"^```console\n(.*?)^```$", (EXAMPLE / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    shown = COMMAND.findall(block)
    assert [command for command, _ in shown] == ["lint rules", "explain ABC001"]
    for command, text in shown:
        printed = installed.python("dialproof", *command.split())
        assert printed.startswith(text.removesuffix("...\n")) if text.endswith("...\n") else printed == text


def test_its_check_is_listed_among_ours(installed: Installed) -> None:
    """`dialproof checks` has a row of it, and still those of the built-in checks."""
    rows = [line.split(maxsplit=3) for line in installed.python("dialproof", "checks").splitlines()]
    by_code = {code: (name, severity) for code, name, severity, _ in rows}
    assert by_code["ABC001"] == ("suppression-without-ticket", "warning")
    assert by_code["DP301"] == ("conflicting-rules", "error")


def test_its_own_tests_pass(installed: Installed) -> None:
    """Its three cases run, by the public loader, and none is skipped."""
    printed = installed.python("pytest", "-W", "error", "-p", "no:cacheprovider", "tests")
    assert "3 passed" in printed
    assert "skipped" not in printed


def test_its_finding_is_a_warning_under_pytest(installed: Installed) -> None:
    """The item of its family reports it; the cases of the rules pass and the gate is open."""
    printed = installed.python("pytest", "-p", "no:cacheprovider", "rules")
    assert 'ABC001 suppression-without-ticket (warning): rule "attempt_limit" keeps contacts from being' in printed
    assert "1 warning" in printed
    assert "GATE OPEN: " in printed


def test_it_is_configured_and_suppressed_as_ours_are(installed: Installed, tmp_path: Path) -> None:
    """Its option is known, another severity fails the run, and a comment with a reason hides the finding."""
    folder = tmp_path / "rules"
    shutil.copytree(installed.folder / "rules", folder)
    settings = 'ignore = ["DP509"]\n[severity]\nABC001 = "error"\n[checks.ABC001]\nprefix = "LEGAL-"\n'
    (folder / "dialproof.toml").write_text(settings, "utf-8")
    rules = folder / "tickets.rules.yaml"
    text = rules.read_text("utf-8")
    reason = "  # dialproof: ignore[ABC001] it is being agreed on\n  - name: attempt_limit\n"
    rules.write_text(text.replace("  - name: attempt_limit\n", reason), "utf-8")
    printed = installed.python("dialproof", "lint", str(folder), code=1)
    assert 'ABC001 error rule "no_consent_no_call" keeps contacts from being dialed and names a ticket that' in printed
    assert "attempt_limit" not in printed
    assert "1 error in 1 file" in printed
    assert "1 finding suppressed" in printed
