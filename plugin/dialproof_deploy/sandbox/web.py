"""What the routes share: bodies in, JSON and errors out, and the check that stands before every API call."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dialproof_deploy.sandbox.errors import ApiError
from dialproof_deploy.sandbox.faults import FaultQueue
from dialproof_deploy.targets.wire import too_deep

if TYPE_CHECKING:
    from dialproof_deploy.sandbox.auth import Credentials, Tokens
    from dialproof_deploy.sandbox.store import Store

__all__ = ["Handler", "Service", "error_response", "read_form", "read_json", "secured"]

Handler = Callable[[Request], Awaitable[Response]]

_LARGEST_BODY: Final = 512_000


@dataclass
class Service:
    """One running sandbox, as its routes see it; only the server's thread uses it."""

    store: Store
    credentials: Credentials
    tokens: Tokens
    clock: Callable[[], float]
    rate_limit: int
    event_page_size: int
    faults: FaultQueue = field(default_factory=FaultQueue)
    requests: dict[tuple[str, str, int | None], int] = field(default_factory=dict)
    """How often each (method, path, status) was answered, in the order first seen; status None: dropped."""

    @property
    def organization_id(self) -> str:
        """The id of the organisation that every token belongs to: one a data file, as the client is."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.credentials.client_id))


def error_response(error: ApiError) -> Response:
    """Return the answer that ``error`` stands for."""
    return JSONResponse(error.body(), error.status, error.headers)


def secured(service: Service, scope: str | None, handler: Handler) -> Handler:
    """Return ``handler`` behind the token, its rate limit (in every answer too) and ``scope`` (None: any token)."""

    async def endpoint(request: Request) -> Response:
        grant = service.tokens.grant(request.headers.get("authorization"))
        limits = grant.count(service.clock(), service.rate_limit)
        try:
            if scope is not None:
                grant.require(scope)
            response = await handler(request)
        except ApiError as error:
            response = error_response(error)
        response.headers.update(limits)
        return response

    return endpoint


async def read_json(request: Request) -> object:
    """Return the JSON body; raise 413, 415, or 400 if it is not JSON that can be stored and answered as such."""
    raw = await _read(request, "application/json")
    try:
        body: object = json.loads(raw, parse_constant=_refuse, parse_float=_finite)
        # "\ud800" is valid JSON and no text
        json.dumps(body, ensure_ascii=False).encode()
        if too_deep(body):
            raise ValueError
    except (ValueError, RecursionError):
        raise ApiError(400, "bad.request", "the body is not valid JSON") from None
    return body


async def read_form(request: Request) -> dict[str, str]:
    """Return the last value of every field of a form body; raise 413, 415, or 400."""
    raw = await _read(request, "application/x-www-form-urlencoded")
    try:
        fields = parse_qs(raw.decode(), keep_blank_values=True, strict_parsing=bool(raw), max_num_fields=20)
    except ValueError:
        raise ApiError(400, "bad.request", "the body is not a valid form") from None
    return {key: values[-1] for key, values in fields.items()}


async def _read(request: Request, media_type: str) -> bytes:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise ApiError(415, "unsupported.media.type", f"expected Content-Type: {media_type}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise ApiError(413, "request.entity.too.large", f"the body is larger than {_LARGEST_BODY} bytes")
    return bytes(body)


def _finite(text: str) -> float:
    # 1e999 is JSON to read, and infinity, which JSON cannot write
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _refuse(constant: str) -> NoReturn:
    # Python reads NaN and Infinity, JSON has neither
    raise ValueError(constant)
