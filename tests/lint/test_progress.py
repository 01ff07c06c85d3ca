"""Progress is shown on a terminal while work takes long, and nowhere else."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from dialproof import progress as module
from dialproof.progress import progress


class _Terminal(io.StringIO):
    """A terminal that keeps what it is sent and says when something came."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        if "second" in self.getvalue():
            self.written.set()
        return count


def test_long_work_shows_its_step_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the current step stands there with how many there are, and at the end the line is taken away."""
    monkeypatch.delenv("CI", raising=False)
    terminal = _Terminal()
    with progress(3, terminal, patience=0) as step:
        step("the first")
        step("the second")
        assert terminal.written.wait(10)
    assert "1/3" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")


def test_a_terminal_that_goes_away_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost connection under the bar is no error of the work."""
    monkeypatch.delenv("CI", raising=False)

    class Gone(_Terminal):
        def write(self, text: str) -> int:
            self.written.set()
            raise OSError(5, "Input/output error")

    terminal = Gone()
    with progress(2, terminal, patience=0) as step:
        step("the first")
        assert terminal.written.wait(10)
        step("the second")


@pytest.mark.parametrize("where", ["file", "ci", "quick"])
def test_nothing_is_shown_elsewhere(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, a CI run and work that is over at once get no progress, and nobody imports rich for it."""
    monkeypatch.delenv("CI", raising=False)
    if where == "ci":
        monkeypatch.setenv("CI", "true")
    stream = io.StringIO() if where == "file" else _Terminal()
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    with progress(1, stream, patience=0 if where != "quick" else module.PATIENCE) as step:
        step("the second")
    assert stream.getvalue() == ""
    assert "rich" not in sys.modules
