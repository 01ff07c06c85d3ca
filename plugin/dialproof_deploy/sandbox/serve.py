"""Start, find and stop a sandbox.

::

    with Sandbox.start(tmp_path) as sandbox:
        httpx.post(f"{sandbox.url}/api/v2/oauth/token", auth=(sandbox.client_id, sandbox.client_secret), ...)
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from dialproof.errors import UsageError
from dialproof_deploy.api.credentials import check_base_url
from dialproof_deploy.state import StateDir, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from dialproof_deploy.sandbox.server import ServerThread
    from dialproof_deploy.sandbox.store import Store

__all__ = ["DATA_FILE", "EXTRA_MISSING", "INFO_FILE", "Connection", "Sandbox", "find_live", "find_or_start"]

DATA_FILE: Final = "sandbox.sqlite"
INFO_FILE: Final = "sandbox.json"
EXTRA_MISSING: Final = "the sandbox needs an extra: pip install 'dialproof[sandbox]'"

_URL: Final = "DIALPROOF_SANDBOX_URL"
_ID: Final = "DIALPROOF_SANDBOX_CLIENT_ID"
_SECRET: Final = "DIALPROOF_SANDBOX_CLIENT_SECRET"  # noqa: S105 - a name, not a secret


@dataclass(frozen=True)
class Connection:
    """A sandbox that somebody else runs: where it answers, and the credentials for a token."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)

    def stop(self) -> None:
        """Do nothing: only what was started here is stopped here."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@dataclass(frozen=True)
class Sandbox(Connection):
    """A sandbox that runs in a thread of this process until ``stop``."""

    _server: ServerThread = field(repr=False)
    _store: Store = field(repr=False)
    _info: Path | None = field(repr=False)

    @classmethod
    def start(
        cls,
        state_dir: Path | None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ephemeral: bool = False,
        announce: bool = True,
        clock: Callable[[], float] = time.time,
        rate_limit: int = 300,
        token_seconds: int = 3600,
        auto_create_campaigns: bool = True,
        scopes: Sequence[str] | None = None,
        permissions: Sequence[str] | None = None,
        event_page_size: int = 25,
    ) -> Sandbox:
        """Start a sandbox and return when it accepts connections.

        Its data are in ``state_dir``/sandbox.sqlite, or in memory if ``ephemeral`` or without a
        ``state_dir``. While it runs, ``state_dir``/sandbox.json says where it answers, if ``announce``: that is
        for a server that outlives whoever finds it. ``port`` 0 takes any free port. ``clock`` gives seconds since
        the epoch. ``rate_limit`` is requests a minute for each token. ``scopes`` and ``permissions`` are by default
        all of the contracts. Raises UsageError if the extra is missing or the address or the state directory cannot
        be used, InputError if the data file is not ours.
        """
        try:
            from dialproof_deploy.sandbox.app import create_app
            from dialproof_deploy.sandbox.server import ServerThread
            from dialproof_deploy.sandbox.web import Service
        except ModuleNotFoundError as exc:
            if (exc.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
                raise
            raise UsageError(EXTRA_MISSING) from None
        from dialproof_deploy.sandbox.auth import PERMISSIONS, SCOPES, Tokens
        from dialproof_deploy.sandbox.settings import Settings
        from dialproof_deploy.sandbox.store import Store

        if state_dir is not None:
            StateDir(state_dir).create()
        data = None if state_dir is None or ephemeral else state_dir / DATA_FILE
        store = Store(data, clock)
        try:
            credentials = store.credentials()
            allowed = (SCOPES if scopes is None else scopes), (PERMISSIONS if permissions is None else permissions)
            tokens = Tokens(clock, tuple(allowed[0]), token_seconds, tuple(allowed[1]))
            settings = Settings(rate_limit=rate_limit, event_page_size=event_page_size)
            service = Service(store, credentials, tokens, clock, settings, auto_create_campaigns)
            server = ServerThread(create_app(service), host, port)
        except BaseException:
            store.close()
            raise
        info = state_dir / INFO_FILE if state_dir is not None and announce else None
        sandbox = cls(server.url, credentials.client_id, credentials.client_secret, server, store, info)
        if info is not None:
            try:
                _write_info(info, sandbox)
            except BaseException:
                sandbox.stop()
                raise
        return sandbox

    def stop(self) -> None:
        """Stop the server, close its data and remove sandbox.json; calling it again does nothing."""
        # first, so that nobody finds a server that is about to go; not if another one has taken the place
        if self._info is not None and _read_info(self._info) == self._as_connection():
            self._info.unlink(missing_ok=True)
        self._server.stop()
        self._store.close()

    def _as_connection(self) -> Connection:
        return Connection(self.url, self.client_id, self.client_secret)


def find_live(state_dir: Path) -> Connection | None:
    """Return the sandbox that ``state_dir``/sandbox.json names if it answers, else None."""
    found = _read_info(state_dir / INFO_FILE)
    if found is None:
        return None
    import httpx

    try:
        # trust_env: a proxy has no business between this machine and itself
        response = httpx.get(f"{found.url}/_sandbox/health", timeout=2.0, trust_env=False)
        body = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    # a port is soon taken by something else: the secret goes only to the server of this data file
    live = response.status_code == 200 and isinstance(body, dict) and body.get("client_id") == found.client_id
    return found if live else None


def find_or_start(state_dir: Path, environ: Mapping[str, str]) -> Connection:
    """Return the sandbox of the environment variables, else the live one of ``state_dir``, else a new one.

    ``environ`` may have DIALPROOF_SANDBOX_URL, and then needs DIALPROOF_SANDBOX_CLIENT_ID and
    _CLIENT_SECRET. The result is a context manager; ``stop`` ends only what was started here. A new one is for this
    process alone: another that found it would lose it when we end, so each has its own over the same data. Raises
    UsageError and InputError as ``Sandbox.start`` does, and UsageError for an incomplete or unsafe
    environment.
    """
    if environ.get(_URL):
        missing = [name for name in (_ID, _SECRET) if not environ.get(name)]
        if missing:
            raise UsageError(f"{_URL} is set, but not {' and '.join(missing)}")
        try:
            url = check_base_url(environ[_URL])
        except UsageError as exc:
            raise UsageError(f"{_URL}: {exc}") from None
        return Connection(url, environ[_ID], environ[_SECRET])
    return find_live(state_dir) or Sandbox.start(state_dir, announce=False)


def _write_info(path: Path, sandbox: Sandbox) -> None:
    body = {
        "url": sandbox.url,
        "pid": os.getpid(),
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    }
    try:
        write_atomic(path, (json.dumps(body, indent=2) + "\n").encode())
    except OSError as exc:
        raise UsageError(f"{path}: cannot be written: {exc.strerror or exc}") from None


def _read_info(path: Path) -> Connection | None:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        found = Connection(body["url"], body["client_id"], body["client_secret"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = (found.url, found.client_id, found.client_secret)
    return found if all(isinstance(text, str) for text in texts) else None
