"""How far long work is, shown on a terminal and nowhere else."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

__all__ = ["progress"]

PATIENCE = 1.0
"""Seconds of work before anything is shown: what is quick needs no progress, and no import of rich."""


@contextmanager
def progress(
    total: int, stream: TextIO | None = None, *, patience: float = PATIENCE
) -> Iterator[Callable[[str], None]]:
    """Give the function to be told what each of ``total`` steps is when it begins.

    A bar with the current step stands on ``stream`` (default: stderr) from ``patience`` seconds on and is gone at the
    end. Nothing is shown where the stream is no terminal or the variable ``CI`` is set.
    """
    out = sys.stderr if stream is None else stream
    if os.environ.get("CI", "").lower() not in ("", "0", "false") or not out.isatty():
        yield lambda _: None
        return
    bar = _Bar(total, out)
    timer = threading.Timer(patience, bar.show)
    timer.daemon = True
    timer.start()
    try:
        yield bar.step
    finally:
        timer.cancel()
        bar.close()


class _Bar:
    """The bar, once it is shown; told of steps before and after that."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self._total, self._stream = total, stream
        self._begun, self._what = 0, ""
        self._closed = False
        self._shown: Progress | None = None
        self._lock = threading.Lock()

    def step(self, what: str) -> None:
        with self._lock:
            self._begun, self._what = self._begun + 1, what
            if self._shown is not None:
                with suppress(Exception):  # a terminal that has gone away, say: what is shown decides nothing
                    self._shown.update(self._shown.task_ids[0], completed=self._begun - 1, description=what)

    def show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        with self._lock:
            if self._closed:
                return
            columns = (
                SpinnerColumn(),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}", markup=False),
            )
            with suppress(Exception):
                self._shown = Progress(*columns, console=Console(file=self._stream), transient=True)
                self._shown.add_task(self._what, total=self._total, completed=max(0, self._begun - 1))
                self._shown.start()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._shown is not None:
                with suppress(Exception):
                    self._shown.stop()
