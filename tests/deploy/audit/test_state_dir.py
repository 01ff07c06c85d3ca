"""The state directory: its paths, one writer an environment, and files that are whole or untouched."""

from __future__ import annotations

import stat
import threading
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from dialproof.errors import RefusedError, UsageError
from dialproof_deploy.state import StateDir, environment_lock, utc_text, write_atomic

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_created_for_its_owner_and_kept_out_of_git(tmp_path: Path) -> None:
    """A new state directory and its folders are 0700 and it ignores itself; a second ``create`` changes nothing."""
    state = StateDir.at(tmp_path).create("audit", "locks")
    assert state.root == tmp_path / ".dialproof"
    for folder in (state.root, state.audit("prod").parent, state.lock("prod").parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (state.root / ".gitignore").read_text() == "*\n"
    (state.root / ".gitignore").write_text("mine\n")
    assert (state.create().root / ".gitignore").read_text() == "mine\n"


def test_a_folder_of_the_user_is_not_hidden_from_git(tmp_path: Path) -> None:
    """``--state-dir`` may name a folder that holds other things: those stay visible to git."""
    (tmp_path / "rules.yaml").write_text("")
    StateDir.at(tmp_path / "elsewhere", tmp_path).create()
    assert not (tmp_path / ".gitignore").exists()


def test_paths(tmp_path: Path) -> None:
    """Everything has its place, and who only asks where makes nothing."""
    state = StateDir(tmp_path / ".dialproof")
    names = [state.evidence, state.audit("prod"), state.events("prod"), state.lock("prod")]
    assert [path.relative_to(state.root).as_posix() for path in names] == [
        "evidence.json",
        "audit/prod.jsonl",
        "audit/prod.events.jsonl",
        "locks/prod.lock",
    ]
    assert not state.root.exists()


@pytest.mark.parametrize("name", ["../prod", "a/b", "", "prod.events", "-x", "a\nb"])
def test_an_environment_name_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    """A name that is no plain word is refused, so no file outside of the folder is touched."""
    with pytest.raises(UsageError, match="environment name"):
        StateDir(tmp_path).audit(name)


def test_a_state_directory_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    """A file in the way is reported with its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be used as state directory"):
        StateDir(tmp_path / "file").create()


def test_a_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    """The second writer says once whom it waits for, and goes on when the first has ended."""
    state = StateDir(tmp_path)
    release, held = threading.Event(), threading.Event()
    said: list[str] = []

    def first() -> None:
        with environment_lock(state, "prod"):
            held.set()
            release.wait(30)

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(30)
    waits = 0

    def sleep(_: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 3:
            release.set()
            thread.join(30)

    with environment_lock(state, "prod", sleep=sleep, say=said.append):
        assert waits == 3
    assert len(said) == 1
    assert "environment 'prod' is in use by process" in said[0]


def test_a_writer_that_waits_too_long_gives_up(tmp_path: Path) -> None:
    """After the timeout, by the injected clock, the writer is refused and told what to do."""
    state, now = StateDir(tmp_path), 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += 30

    with (
        environment_lock(state, "prod"),
        pytest.raises(RefusedError, match=r"not released within 60 s; nothing was changed: run this again"),
        environment_lock(state, "prod", timeout=60, sleep=sleep, clock=lambda: now),
    ):
        pass
    assert now == 60


def test_environments_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """Each environment has a lock of its own, and it is free again after an error."""
    state = StateDir(tmp_path)
    with environment_lock(state, "prod"), environment_lock(state, "staging", timeout=0):
        pass
    with pytest.raises(KeyError), environment_lock(state, "prod"):
        raise KeyError
    with environment_lock(state, "prod", timeout=0):
        pass


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """An atomic write leaves no draft behind, and on failure the old content."""
    file = tmp_path / "f"
    write_atomic(file, b"old")
    write_atomic(file, b"new")
    assert file.read_bytes() == b"new"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_atomic(tmp_path / "folder", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "folder"]


def test_a_time_without_zone_is_refused() -> None:
    """A naive time would be read as anybody's local time."""
    with pytest.raises(ValueError, match="time zone"):
        utc_text(datetime(2026, 3, 7))
