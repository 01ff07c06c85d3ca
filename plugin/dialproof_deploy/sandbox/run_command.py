"""``dialproof sandbox``: serve in the foreground until Ctrl-C, or reset the data."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from dialproof.errors import ExitCode, InputError, RemoteError, UsageError
from dialproof_deploy.sandbox.serve import DATA_FILE, INFO_FILE, Connection, Sandbox, find_live

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

__all__ = ["run_sandbox"]

Echo = Callable[[str], None]


def run_sandbox(
    action: Literal["serve", "reset"],
    state_dir: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ephemeral: bool = False,
    echo: Echo = print,
) -> int:
    """Run ``dialproof sandbox`` and return its exit code.

    ``serve`` prints the address and blocks until SIGINT or SIGTERM; ``reset`` removes all data but the client id and
    secret, also those of a live server. Raises UsageError, InputError and RemoteError with messages for the user.
    """
    if action == "reset":
        return _reset(state_dir, echo)
    live = find_live(state_dir)
    if live is not None:
        raise UsageError(f"a sandbox of {state_dir} runs already at {live.url}")
    with (
        _stop_signals() as stopped,
        Sandbox.start(state_dir, host=host, port=port, ephemeral=ephemeral) as sandbox,
    ):
        _explain(sandbox, state_dir, ephemeral, echo)
        # in slices: a wait without end cannot be interrupted on Windows
        while not stopped.wait(0.5):
            pass
    echo("Sandbox stopped.")
    return ExitCode.OK


def _explain(sandbox: Sandbox, state_dir: Path, ephemeral: bool, echo: Echo) -> None:
    data = "memory, gone at the end" if ephemeral else str(state_dir / DATA_FILE)
    # the secret stays in its file: what a terminal shows ends up in logs and recordings
    echo(
        f"Sandbox at {sandbox.url} (Ctrl-C stops it)\n"
        f"  data         {data}\n"
        f"  credentials  client_id and client_secret in {state_dir / INFO_FILE}\n"
        "  in this project    pytest --dialproof-env=sandbox finds it by itself\n"
        f"  anywhere else      set DIALPROOF_SANDBOX_URL={sandbox.url}\n"
        "                     and DIALPROOF_SANDBOX_CLIENT_ID, DIALPROOF_SANDBOX_CLIENT_SECRET"
    )


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into an event, so that the sandbox stops in order."""
    stopped = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reset(state_dir: Path, echo: Echo) -> int:
    live = find_live(state_dir)
    if live is not None:
        _reset_live(live)
        echo(f"Sandbox at {live.url}: all data removed.")
        return ExitCode.OK
    path = state_dir / DATA_FILE
    if not path.exists():
        echo(f"{path}: nothing to reset.")
        return ExitCode.OK
    from dialproof_deploy.sandbox.store import Store

    try:
        store = Store(path, time.time)
    except InputError:
        # another format, or no database at all: nothing in it can be kept
        path.unlink()
        echo(f"{path}: was not usable and is removed; the next sandbox has a new client id and secret.")
        return ExitCode.OK
    try:
        store.reset()
    except sqlite3.Error as exc:
        raise InputError(f"{path}: cannot be reset: {exc}") from None
    finally:
        store.close()
    echo(f"{path}: all data removed.")
    return ExitCode.OK


def _reset_live(live: Connection) -> None:
    import httpx

    auth = (live.client_id, live.client_secret)
    try:
        httpx.post(f"{live.url}/_sandbox/reset", auth=auth, timeout=10.0, trust_env=False).raise_for_status()
    except httpx.HTTPError as exc:
        raise RemoteError(f"the sandbox at {live.url} cannot be reset: {type(exc).__name__}") from None
