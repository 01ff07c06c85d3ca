"""No malformed file ends in a traceback: each ends in findings with places, or in a line about the configuration."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from tests.lint.source.malformed import Malformed, by_hand, faults, mutated

if TYPE_CHECKING:
    from pathlib import Path

PART = 47
"""One of so many mutated files is linted: a prime, so that each kind of mutation has its turn."""
MUTATED = list(islice(mutated(), 0, None, PART))


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Return to the current folder after each test; neither colours nor tracebacks are asked for."""
    for name in ("NO_COLOR", "FORCE_COLOR", "DIALPROOF_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("malformed", list(by_hand()), ids=str)
def test_a_nasty_file_is_findings_with_places(malformed: Malformed, tmp_path: Path) -> None:
    """The exit code is the one written down; every finding stands inside of the file."""
    assert faults(malformed, tmp_path) == []


@pytest.mark.parametrize("file", sorted({str(m).partition(": ")[0] for m in MUTATED}))
def test_a_spoilt_example_is_findings_with_places(file: str, tmp_path: Path) -> None:
    """Cut off, of another kind, misspelt, twice, with a foreign byte or in another encoding: never a traceback."""
    found = {}
    chosen = [m for m in MUTATED if str(m).startswith(f"{file}: ")]
    for number, malformed in enumerate(chosen):
        (tmp_path / str(number)).mkdir()
        found[malformed.name] = faults(malformed, tmp_path / str(number))
    assert found == {malformed.name: [] for malformed in chosen}


def test_there_are_more_than_two_hundred_malformed_files() -> None:
    """No two are the same, and each kind of file is among them."""
    different = {(name, content) for m in (*by_hand(), *MUTATED) for name, content in m.files.items()}
    assert len(different) > 400
    assert {name.partition(".")[2] for name, _ in different} >= {
        "rules.yaml",
        "contacts.csv",
        "contactlist.yaml",
        "toml",
    }


def test_a_path_that_no_system_can_hold_is_one_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """A name of a thousand characters on the command line is no internal error."""
    assert main(["lint", "a" * 1000]) == 2
    assert capsys.readouterr().err == f"dialproof: error: {'a' * 1000}: there is no such file or folder\n"
