"""Starting, finding and stopping a sandbox, and its files."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dialproof.errors import InputError, UsageError
from dialproof_deploy.sandbox.serve import EXTRA_MISSING, Connection, Sandbox, find_live, find_or_start

if TYPE_CHECKING:
    from pathlib import Path


def mode(path: Path) -> int:
    """Return the permission bits of a file."""
    return path.stat().st_mode & 0o777


def test_rules_and_client_survive_a_restart(tmp_path: Path, start: Any, connect: Any) -> None:
    """The data file keeps rules, events and credentials; tokens end with the server."""
    first = connect(start(tmp_path / "state"))
    first.create("a", 1)
    first.sandbox.stop()
    again = start(tmp_path / "state")
    assert (again.client_id, again.client_secret) == (first.sandbox.client_id, first.sandbox.client_secret)
    with httpx.Client(base_url=again.url, trust_env=False) as http:
        assert http.get(first.rules(), headers=first.http.headers).status_code == 401
    assert connect(again).names() == ["a"]


def test_ephemeral_leaves_no_data(tmp_path: Path, start: Any, connect: Any) -> None:
    """In memory nothing is kept, but the running server can still be found."""
    api = connect(start(tmp_path, ephemeral=True))
    api.create("a", 1)
    assert find_live(tmp_path) is not None
    api.sandbox.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gitignore"]
    assert connect(start(tmp_path, ephemeral=True)).names() == []


def test_clients_differ_between_data_files(tmp_path: Path, start: Any) -> None:
    """Id and secret are made at random for each data file."""
    one, two = start(tmp_path / "1"), start(tmp_path / "2")
    assert one.client_id != two.client_id
    assert one.client_secret != two.client_secret
    assert len(one.client_secret) >= 32


def test_files_are_private_and_ignored(tmp_path: Path, start: Any) -> None:
    """What holds the secret is readable by its owner alone, whatever the umask or an earlier mode, and not by git."""
    state = tmp_path / ".dialproof"
    before = os.umask(0)
    try:
        start(state).stop()
        (state / "sandbox.sqlite").chmod(0o666)
        sandbox = start(state)
    finally:
        os.umask(before)
    assert mode(state / "sandbox.sqlite") == mode(state / "sandbox.json") == 0o600
    assert (state / ".gitignore").read_text() == "*\n"
    assert sorted(path.name for path in state.iterdir()) == [".gitignore", "sandbox.json", "sandbox.sqlite"]
    assert json.loads((state / "sandbox.json").read_text()) == {
        "url": sandbox.url,
        "pid": os.getpid(),
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    }
    sandbox.stop()
    assert not (state / "sandbox.json").exists()


def test_stop_leaves_another_servers_file(tmp_path: Path, start: Any) -> None:
    """A server that is stopped does not remove the address of the one that came after it."""
    first, second = start(tmp_path), start(tmp_path)
    first.stop()
    assert find_live(tmp_path) == Connection(second.url, second.client_id, second.client_secret)


def test_two_servers_share_a_data_file(tmp_path: Path, start: Any, connect: Any, assert_error: Any) -> None:
    """Versions and orders hold between two servers of one data file."""
    one, two = connect(start(tmp_path)), connect(start(tmp_path))
    created = one.create("a", 1)
    assert two.names() == ["a"]
    body = {"name": "b", "version": 2, "priority": 1, "executionOrder": 1}
    assert_error(two.http.post(two.rules(), json=body), 409, "duplicate.execution.order")
    assert two.http.put(created["selfUri"], json=body).status_code == 200
    assert_error(one.http.put(created["selfUri"], json=body), 409, "invalid.update.wrong.version")


def test_the_secret_is_not_in_a_repr(start: Any, tmp_path: Path) -> None:
    """Printing a sandbox or a connection does not show the secret."""
    sandbox = start(tmp_path)
    for shown in (sandbox, find_live(tmp_path)):
        assert sandbox.url in repr(shown)
        assert sandbox.client_secret not in repr(shown)


def test_stop_is_complete_and_repeatable(start: Any, connect: Any) -> None:
    """After stop the port is closed and the thread is gone, even with an open connection and a slow answer."""
    before = threading.active_count()
    api = connect(start())
    api.fault({"kind": "slow", "seconds": 60})
    with pytest.raises(httpx.ReadTimeout):
        api.http.get(api.rules(), timeout=0.05)
    api.sandbox.stop()
    api.sandbox.stop()
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        api.http.get(api.rules())


def test_a_run_leaves_no_warning(tmp_path: Path) -> None:
    """A process that starts, uses and stops a sandbox ends silently with all warnings as errors."""
    code = (
        "import sys, httpx\nfrom pathlib import Path\nfrom dialproof_deploy.sandbox.serve import Sandbox\n"
        "with Sandbox.start(Path(sys.argv[1])) as sandbox:\n"
        "    httpx.get(sandbox.url + '/_sandbox/health', trust_env=False).raise_for_status()\n"
    )
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_serve_imports_no_server() -> None:
    """The module that finds a sandbox costs no third-party import until one is started."""
    code = (
        "import sys, dialproof_deploy.sandbox.run_command\n"
        "print([name for name in ('starlette', 'uvicorn', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_an_address_in_use(start: Any) -> None:
    """A port that is taken, or none at all, is named."""
    taken = int(start().url.rpartition(":")[2])
    with pytest.raises(UsageError, match=rf"cannot listen on 127\.0\.0\.1 port {taken}: .*in use"):
        Sandbox.start(None, port=taken)
    with pytest.raises(UsageError, match="port 70000: expected 0 to 65535"):
        Sandbox.start(None, port=70_000)
    with pytest.raises(UsageError, match=r"cannot listen on host\.invalid port 0"):
        Sandbox.start(None, host="host.invalid")


def test_every_address(start: Any) -> None:
    """A server on all addresses names one that can be reached."""
    sandbox = start(host="0.0.0.0")
    assert sandbox.url.startswith("http://127.0.0.1:")
    assert httpx.get(f"{sandbox.url}/_sandbox/health", trust_env=False).status_code == 200


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, missing: str, tmp_path: Path) -> None:
    """Without starlette or uvicorn the message is the command that installs them, and nothing is written."""
    for name in [
        name for name in sys.modules if name.startswith(("dialproof_deploy.sandbox.", "starlette", "uvicorn"))
    ]:
        if name != "dialproof_deploy.sandbox.serve":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError) as caught:
        Sandbox.start(tmp_path / "state")
    assert str(caught.value) == EXTRA_MISSING == "the sandbox needs an extra: pip install 'dialproof[sandbox]'"
    assert not (tmp_path / "state").exists()


def test_a_data_file_that_is_none(tmp_path: Path) -> None:
    """A file that is no database, or one of another format, is named with the way out."""
    path = tmp_path / "sandbox.sqlite"
    path.write_text("this is not a database, and it is long enough to be seen as something else\n" * 20)
    with pytest.raises(InputError, match=r"sandbox\.sqlite: not a sandbox data file .*dialproof sandbox reset"):
        Sandbox.start(tmp_path)
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InputError, match=r"sandbox\.sqlite: sandbox data of format 99, expected"):
        Sandbox.start(tmp_path)


def test_a_data_file_that_cannot_be_used(tmp_path: Path) -> None:
    """A data file that cannot be opened for writing is named; it is not called damaged."""
    (tmp_path / "sandbox.sqlite").mkdir()
    with pytest.raises(UsageError, match=r"sandbox\.sqlite: cannot be used as sandbox data: "):
        Sandbox.start(tmp_path)


def test_a_state_directory_that_is_none(tmp_path: Path) -> None:
    """A state directory that is a file is named."""
    (tmp_path / "state").write_text("")
    with pytest.raises(UsageError, match="state: cannot be used as state directory"):
        Sandbox.start(tmp_path / "state")


ENVIRON = {
    "DIALPROOF_SANDBOX_URL": "http://127.0.0.1:9/",
    "DIALPROOF_SANDBOX_CLIENT_ID": "id",
    "DIALPROOF_SANDBOX_CLIENT_SECRET": "hush",
}


def test_environment_goes_first(tmp_path: Path, start: Any) -> None:
    """The server of the environment variables is taken even if another one is live, and none is started."""
    start(tmp_path)
    with find_or_start(tmp_path, ENVIRON) as found:
        assert found == Connection("http://127.0.0.1:9", "id", "hush")


def test_environment_must_be_complete(tmp_path: Path) -> None:
    """What is missing beside the URL is named, all of it."""
    with pytest.raises(UsageError) as caught:
        find_or_start(tmp_path, {"DIALPROOF_SANDBOX_URL": "http://127.0.0.1:9", "DIALPROOF_SANDBOX_CLIENT_ID": ""})
    message = str(caught.value)
    assert "DIALPROOF_SANDBOX_CLIENT_ID and DIALPROOF_SANDBOX_CLIENT_SECRET" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:9", "ftp://127.0.0.1", "http://", "http://[::1", "http://127.0.0.1:x", "http://10.0.0.1:80",
     "http://example.org", "https://user:hush@example.org", "https://example.org/?a=b"],
)  # fmt: skip
def test_environment_with_an_unsafe_url(tmp_path: Path, url: str) -> None:
    """A URL that is none, or that would carry the secret in the clear over a network, is refused."""
    with pytest.raises(UsageError, match=r"DIALPROOF_SANDBOX_URL: base_url .*(must|is not a URL)") as caught:
        find_or_start(tmp_path, ENVIRON | {"DIALPROOF_SANDBOX_URL": url})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://[::1]:1", "http://127.8.0.1:1", "https://example.org/x"])
def test_environment_with_a_safe_url(tmp_path: Path, url: str) -> None:
    """The own machine may be reached by http, any other by https."""
    assert find_or_start(tmp_path, ENVIRON | {"DIALPROOF_SANDBOX_URL": url}).url == url


def test_a_live_server_is_found_and_left_running(tmp_path: Path, start: Any) -> None:
    """The server of the state directory is used, and stopping what was found does not stop it."""
    sandbox = start(tmp_path)
    with find_or_start(tmp_path, {}) as found:
        assert (found.url, found.client_id, found.client_secret) == (
            sandbox.url,
            sandbox.client_id,
            sandbox.client_secret,
        )
    assert find_live(tmp_path) is not None


def test_otherwise_one_is_started_and_stopped(tmp_path: Path) -> None:
    """Without a live server a new one is started, and stopped with the context."""
    with find_or_start(tmp_path, {"DIALPROOF_SANDBOX_URL": ""}) as found:
        assert isinstance(found, Sandbox)
        assert httpx.get(f"{found.url}/_sandbox/health", trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{found.url}/_sandbox/health", trust_env=False)


def test_what_was_started_for_us_is_not_found_by_others(tmp_path: Path, connect: Any) -> None:
    """A server that ends with its session is used by nobody else: a second session works on, over the same data."""
    with find_or_start(tmp_path, {}) as first:
        assert not (tmp_path / "sandbox.json").exists()
        second = find_or_start(tmp_path, {})
        connect(first).create("a", 1)
    with second:
        assert second.url != first.url
        assert connect(second).names() == ["a"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"url": 1, "client_id": "a", "client_secret": "b"}',
     '{"url": "nonsense", "client_id": "a", "client_secret": "b"}',
     '{"url": "http://[", "client_id": "a", "client_secret": "b"}'],
)  # fmt: skip
def test_an_unusable_address_file(tmp_path: Path, text: str) -> None:
    """An address file that cannot be read is as good as none, and a server that others may find takes its place."""
    (tmp_path / "sandbox.json").write_text(text)
    assert find_live(tmp_path) is None
    with find_or_start(tmp_path, {}) as found:
        assert isinstance(found, Sandbox)
    with Sandbox.start(tmp_path) as found:
        assert find_live(tmp_path) == Connection(found.url, found.client_id, found.client_secret)


def test_a_killed_server_is_not_live(tmp_path: Path) -> None:
    """An address file that outlived its server does not count."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    (tmp_path / "sandbox.json").write_text(json.dumps({"url": url, "client_id": "a", "client_secret": "b"}))
    assert find_live(tmp_path) is None


def test_another_server_on_the_port_is_not_ours(tmp_path: Path, start: Any) -> None:
    """A port that another sandbox has taken since does not count, so that it never sees our secret."""
    body = {"url": start().url, "client_id": "ours", "client_secret": "ours"}
    (tmp_path / "sandbox.json").write_text(json.dumps(body))
    assert find_live(tmp_path) is None
