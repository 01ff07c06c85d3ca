"""The ASGI application: the routes, and around them the record of requests and the faults."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException

from dialproof_deploy.sandbox import (
    audits,
    campaign_rules,
    campaigns,
    contact_lists,
    control,
    organization,
    outbound_events,
    rule_sets,
)
from dialproof_deploy.sandbox.errors import ApiError
from dialproof_deploy.sandbox.web import CONTEXT_ID, Service, error_response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from dialproof_deploy.sandbox.faults import Fault

__all__ = ["TRANSPORT", "create_app"]

TRANSPORT: Final = "dialproof_transport"
"""Key in the ASGI scope's ``state`` under which the server gives the connection that a fault may close."""

_PARTS: Final = (
    organization,
    campaign_rules,
    rule_sets,
    campaigns,
    contact_lists,
    outbound_events,
    audits,
    control,
)
_CODES: Final = {404: "not.found", 405: "method.not.allowed"}


def create_app(service: Service) -> ASGIApp:
    """Return the application that serves ``service``."""
    app = Starlette(
        routes=[route for part in _PARTS for route in part.routes(service)],
        exception_handlers={ApiError: _api_error, HTTPException: _http_error, Exception: _internal_error},
    )
    app.router.redirect_slashes = False
    return _Outside(app, service)


def _api_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, ApiError)
    return error_response(exc, request.scope)


def _http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    code = _CODES.get(exc.status_code, "bad.request")
    message = f"{exc.detail}: {request.method} {request.url.path}"
    return error_response(ApiError(exc.status_code, code, message, headers=exc.headers), request.scope)


def _internal_error(request: Request, _: Exception) -> Response:
    error = ApiError(500, "internal.server.error", "the sandbox has failed; its log has the traceback")
    return error_response(error, request.scope)


class _Outside:
    """Records each request of the API, answers with a correlation id, and lets it meet its fault."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context_id = scope.setdefault("state", {})[CONTEXT_ID] = str(uuid.uuid4())
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox/"):
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["ININ-Correlation-Id"] = context_id
                record(message["status"])
            await send(message)

        def record(status: int | None) -> None:
            # before the answer leaves: a client that has it finds it counted
            key = (scope["method"], scope["path"], status)
            self._service.requests[key] = self._service.requests.get(key, 0) + 1

        fault = self._service.faults.take(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, answer)
        elif fault.kind in ("drop_before", "drop_after"):
            record(None)
            await self._drop(fault, scope, receive)
        else:
            await self._disturb(fault, scope, receive, answer)

    async def _disturb(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "status":
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            error = ApiError(fault.status, "injected.fault", f"the sandbox was asked for {fault.status}", (), headers)
            await error_response(error, scope)(scope, receive, send)
        elif fault.kind == "truncate":
            answer = _Answer()
            await self._app(scope, receive, answer.keep)
            await answer.send_half(send)
        else:
            if fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            else:
                self._service.tokens.revoke_all()
            await self._app(scope, receive, send)

    async def _drop(self, fault: Fault, scope: Scope, receive: Receive) -> None:
        """Close the connection: not an answer of 500, which is all that raising would give."""
        # all of the request is read first, so that the client sees a closed connection and not a broken pipe
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        if fault.kind == "drop_after":
            waiting = iter(messages)

            async def replay() -> Message:
                return next(waiting, None) or await receive()

            await self._app(scope, replay, _Answer().keep)
        scope["state"][TRANSPORT].abort()
        # uvicorn answers 500 for an application that returns without an answer on an open connection
        while messages[-1]["type"] != "http.disconnect":
            messages.append(await receive())


class _Answer:
    """An answer kept back instead of sent."""

    def __init__(self) -> None:
        self._start: Message = {}
        self._body = b""

    async def keep(self, message: Message) -> None:
        """Take one ASGI message."""
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._body += message.get("body", b"")

    async def send_half(self, send: Send) -> None:
        """Send the answer with the first half of its body, as complete HTTP."""
        half = self._body[: len(self._body) // 2]
        if self._body:
            MutableHeaders(scope=self._start)["Content-Length"] = str(len(half))
        await send(self._start)
        await send({"type": "http.response.body", "body": half})
