"""What README shows on the terminal is what comes out: its commands are run, one after the other, in a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
TIMES = re.compile(r"\d+\.\d+(?= ?m?s\b)")


def test_the_transcripts_of_the_readme_are_true(tmp_path: Path) -> None:
    """Every command of the console blocks prints what stands below it; `...` stands for what is left out."""
    folder = tmp_path / "premium_routing"
    shutil.copytree(ROOT / "examples/premium_routing", folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "DIALPROOF", "GENESYS", "CI"))}
    environment |= {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    text = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        for command, shown in COMMAND.findall(block):
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                timeout=120,
                check=False,
            )
            expected = "".join(map(pattern, _level(shown).splitlines(keepends=True)))
            assert re.fullmatch(expected, _level(done.stdout)), f"$ {command}\n{done.stdout}"


def pattern(line: str) -> str:
    """Return what matches a line of a transcript; `...` is any lines, at the end of a line any rest of it."""
    if line == "...\n":
        return r"(?:.*\n)*?"
    return re.escape(line.removesuffix("...\n")) + r".*\n" if line.endswith("...\n") else re.escape(line)


def _level(text: str) -> str:
    """Return the text with the times, which differ from run to run, made equal."""
    return TIMES.sub("N", text)
