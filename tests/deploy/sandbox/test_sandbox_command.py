"""``dialproof sandbox serve`` and ``reset``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dialproof.errors import UsageError
from dialproof_deploy.sandbox.run_command import run_sandbox

if TYPE_CHECKING:
    from pathlib import Path

SERVE = (
    "import sys\nfrom pathlib import Path\nfrom dialproof_deploy.sandbox.run_command import run_sandbox\n"
    "sys.exit(run_sandbox('serve', Path(sys.argv[1]), echo=lambda text: print(text, flush=True)))"
)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_until_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    """Serve prints how to use the server, never its secret, and ends cleanly with code 0 on Ctrl-C."""
    state = tmp_path / "state"
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", SERVE, str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        info = json.loads((state / "sandbox.json").read_text())
        health = httpx.get(f"{info['url']}/_sandbox/health", trust_env=False)
        process.send_signal(number)
        process.wait(timeout=30)
        out, err = process.stdout.read(), process.stderr.read()
    assert health.json()["client_id"] == info["client_id"]
    assert info["pid"] == process.pid
    assert first == f"Sandbox at {info['url']} (Ctrl-C stops it)\n"
    assert f"DIALPROOF_SANDBOX_URL={info['url']}" in out
    assert "--dialproof-env=sandbox" in out
    assert str(state / "sandbox.json") in out
    assert out.endswith("Sandbox stopped.\n")
    assert info["client_secret"] not in out
    assert (process.returncode, err) == (0, "")
    assert not (state / "sandbox.json").exists()


def test_serve_refuses_a_second_server(tmp_path: Path, start: Any) -> None:
    """One state directory has one server in the foreground; the second is told where the first is."""
    sandbox = start(tmp_path)
    with pytest.raises(UsageError, match=f"runs already at {sandbox.url}"):
        run_sandbox("serve", tmp_path)


def test_reset_of_a_live_server(tmp_path: Path, start: Any, connect: Any) -> None:
    """A running server loses its rules and keeps running, with the same client."""
    api = connect(start(tmp_path))
    api.create("a", 1)
    lines: list[str] = []
    assert run_sandbox("reset", tmp_path, echo=lines.append) == 0
    assert api.names() == []
    assert lines == [f"Sandbox at {api.sandbox.url}: all data removed."]


def test_reset_of_a_data_file(tmp_path: Path, start: Any, connect: Any) -> None:
    """Without a server the data file is cleared; the client stays the same."""
    api = connect(start(tmp_path))
    api.create("a", 1)
    api.sandbox.stop()
    lines: list[str] = []
    assert run_sandbox("reset", tmp_path, echo=lines.append) == 0
    assert lines == [f"{tmp_path / 'sandbox.sqlite'}: all data removed."]
    again = connect(start(tmp_path))
    assert again.names() == []
    assert again.sandbox.client_secret == api.sandbox.client_secret


def test_reset_of_nothing(tmp_path: Path) -> None:
    """Where there is no data file none is made."""
    lines: list[str] = []
    assert run_sandbox("reset", tmp_path / "state", echo=lines.append) == 0
    assert lines == [f"{tmp_path / 'state' / 'sandbox.sqlite'}: nothing to reset."]
    assert not (tmp_path / "state").exists()


def test_reset_of_an_unusable_file(tmp_path: Path, start: Any, connect: Any) -> None:
    """A data file that cannot be opened is removed, and the next server starts afresh."""
    (tmp_path / "sandbox.sqlite").write_text("nonsense\n" * 100)
    lines: list[str] = []
    assert run_sandbox("reset", tmp_path, echo=lines.append) == 0
    assert "was not usable and is removed" in lines[0]
    assert connect(start(tmp_path)).names() == []
