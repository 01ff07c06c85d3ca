"""uvicorn in a thread of this process, with connections that the application may close."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dialproof.errors import UsageError
from dialproof_deploy.sandbox.app import TRANSPORT

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["ServerThread"]

_GRACE: Final = 1
"""Seconds that requests in flight get when the server stops."""


class _Protocol(H11Protocol):
    """HTTP/1.1 that shows each request its connection: ASGI itself has no way to drop one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does this only for sockets it made itself; without it each answer waits 40 ms for an ACK
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # copied into the scope's state of every request on this connection
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _Server(uvicorn.Server):
    """A server that tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class ServerThread:
    """A running server; ``url`` is where it answers."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """Listen on ``host`` and ``port`` (0: any free one) and return when connections are accepted.

        Raises UsageError if the address cannot be used.
        """
        if not 0 <= port <= 65_535:
            raise UsageError(f"the sandbox cannot listen on port {port}: expected 0 to 65535")
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family, backlog=128)
        except OSError as exc:
            raise UsageError(f"the sandbox cannot listen on {host} port {port}: {exc.strerror}") from None
        reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
        netloc = f"[{reachable}]" if ":" in reachable else reachable
        self.url = f"http://{netloc}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,  # the logging of the process we run in is not ours
            access_log=False,
            timeout_graceful_shutdown=_GRACE,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="dialproof-sandbox", daemon=True)
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self._thread.join()
            raise UsageError("the sandbox could not be started")

    def _run(self, listener: socket.socket) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[listener]))
        finally:
            listener.close()
            self._server.ready.set()

    def stop(self) -> None:
        """Close every connection and wait for the thread; calling it again does nothing."""
        self._server.should_exit = True
        self._thread.join()
