"""Whole transcripts of the command: input files, command lines, and everything that is printed.

A transcript is a text file::

    What it shows, in a sentence or two.
    --- a.rules.yaml
    content of an input file
    --- commands
    $ dialproof lint a.rules.yaml
    what it prints on stdout
    ! what it prints on stderr
    [exit 1]

``UPDATE_TRANSCRIPTS=1 pytest tests/transcripts`` writes what is printed now; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from dialproof.cli import main

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


def _sections(text: str) -> tuple[str, dict[str, str]]:
    inputs, _, commands = text.partition("--- commands\n")  # where a diff may be printed
    head, *parts = re.split(r"^--- (.+)\n", inputs, flags=re.MULTILINE)
    return head, {**dict(zip(parts[::2], parts[1::2], strict=True)), "commands": commands}


def _run(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    program, *arguments = shlex.split(command)
    assert program == "dialproof"
    code = main(arguments)
    out, err = capsys.readouterr()
    errors = "".join(f"! {line}\n" if line else "!\n" for line in err.splitlines())
    return f"$ {command}\n{out}{errors}[exit {code}]\n"


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands print exactly what the transcript says, and end with its exit codes."""
    for name in ("NO_COLOR", "FORCE_COLOR", "DIALPROOF_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    text = path.read_text("utf-8")
    head, sections = _sections(text)
    commands = sections.pop("commands")
    for name, content in sections.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    lines = [line[2:] for line in commands.splitlines() if line.startswith("$ ")]
    printed = "\n".join(_run(line, capsys) for line in lines)
    inputs = "".join(f"--- {name}\n{content}" for name, content in sections.items())
    now = f"{head}{inputs}--- commands\n{printed}"
    if os.environ.get("UPDATE_TRANSCRIPTS"):
        path.write_text(now, "utf-8")
    assert now == text
