"""A journal that is no record of a deploy: every message names the way out, which works or says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from tests.deploy.gate.conftest import records

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox

WAY_OUT = (
    "'dialproof deploy --env sandbox --abandon' forgets that deploy: nothing is written, what stands on the target"
)


@pytest.fixture
def journal(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the journal lies, with the project as the current folder."""
    monkeypatch.chdir(root)
    folder = root / ".dialproof" / "journal"
    folder.mkdir(parents=True)
    return folder / "sandbox.json"


@pytest.mark.parametrize("text", ["", "{", "\x00garbage", "[]", '{"format": 1}'])
def test_every_message_on_a_broken_journal_names_the_way_out(
    root: Path, journal: Path, sandbox: Sandbox, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither way can be gone, another write is refused, and --abandon makes room."""
    journal.write_text(text, encoding="utf-8")
    for command in (["deploy", "--resume"], ["deploy", "--abort"], ["rollback", "--last"]):
        assert main([*command, "--env", "sandbox"]) == 4
        error = capsys.readouterr().err
        assert "this is not the record of a deploy" in error
        assert WAY_OUT in error
    assert main(["deploy", "--env", "sandbox", "--abandon"]) == 0
    assert not journal.exists()
    assert records(root)[-1]["decision"] == "abandoned"


def test_a_directory_in_place_of_the_journal_is_a_sentence(
    root: Path, journal: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also for --abandon, which takes no directory away."""
    journal.mkdir()
    for way in ("--resume", "--abort"):
        assert main(["deploy", "--env", "sandbox", way]) == 4
        assert "sandbox.json: cannot be read: Is a directory; " + WAY_OUT in capsys.readouterr().err
    assert main(["deploy", "--env", "sandbox", "--abandon"]) == 4
    error = capsys.readouterr().err
    assert "this is a directory and no journal: see what it is and take it away yourself" in error
    assert journal.is_dir()


def test_a_suggested_command_means_the_same_state_directory(
    root: Path, journal: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was given as --state-dir stands in it, quoted for a shell."""
    state = root / "my state"
    (state / "journal").mkdir(parents=True)
    (state / "journal" / "sandbox.json").write_text("{", encoding="utf-8")
    assert main(["deploy", "--env", "sandbox", "--state-dir", str(state), "--resume"]) == 4
    assert f"--env sandbox --state-dir '{state}' --abandon' forgets" in capsys.readouterr().err
