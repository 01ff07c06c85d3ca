"""Files that commands write beside what they are for: plans and HTTP logs."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main

if TYPE_CHECKING:
    from dialproof_deploy.sandbox.serve import Sandbox


@pytest.fixture(autouse=True)
def _in_the_project(root: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in the project, with a sandbox."""
    monkeypatch.chdir(root)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_plan_file_is_readable_by_its_owner_alone(root: Path) -> None:
    """It may hold the values of contacts."""
    assert main(["plan", "--env", "sandbox", "--out", "plan.json"]) == 0
    assert stat.S_IMODE((root / "plan.json").stat().st_mode) == 0o600
    os.mkfifo(root / "pipe")
    reader = os.open(root / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert main(["plan", "--env", "sandbox", "--out", "pipe"]) == 0
    assert os.read(reader, 1 << 20) == (root / "plan.json").read_bytes()
    os.close(reader)


@pytest.mark.parametrize("way", [["plan"], ["drift"], ["deploy", "--abandon"], ["deploy", "--resume"]])
def test_an_http_log_that_cannot_be_written_is_refused_before_anything(
    root: Path, way: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also by a command that would send nothing."""
    journal = root / ".dialproof" / "journal" / "sandbox.json"
    journal.parent.mkdir(parents=True)
    journal.write_text("{", encoding="utf-8")
    assert main([*way, "--env", "sandbox", "--http-log", str(root)]) == 2
    assert "the HTTP log" in capsys.readouterr().err
    assert journal.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_an_http_log_that_fills_up_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The command goes on."""
    assert main(["plan", "--env", "sandbox", "--http-log", "/dev/full"]) == 0
    assert capsys.readouterr().err.count("the HTTP log /dev/full cannot be written") == 1
