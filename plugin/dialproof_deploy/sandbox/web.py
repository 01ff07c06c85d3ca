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

from dialproof_deploy.sandbox.contacts import Contacts
from dialproof_deploy.sandbox.documents import Actor, Documents
from dialproof_deploy.sandbox.errors import ApiError
from dialproof_deploy.sandbox.faults import FaultQueue
from dialproof_deploy.sandbox.jobs import Jobs
from dialproof_deploy.sandbox.rule_store import RuleStore
from dialproof_deploy.sandbox.settings import Settings
from dialproof_deploy.targets.wire import too_deep

if TYPE_CHECKING:
    from starlette.types import Scope

    from dialproof_deploy.sandbox.auth import Credentials, Tokens
    from dialproof_deploy.sandbox.store import Store

__all__ = ["CONTEXT_ID", "Handler", "Service", "error_response", "read_form", "read_json", "secured"]

Handler = Callable[[Request], Awaitable[Response]]

CONTEXT_ID: Final = "dialproof_context_id"
"""Key in the ASGI scope's ``state`` of the id of an answer: its ININ-Correlation-Id, the contextId of its error."""

_LARGEST_BODY: Final = 512_000


@dataclass
class Service:
    """One running sandbox, as its routes see it; only the server's thread uses it."""

    store: Store
    credentials: Credentials
    tokens: Tokens
    clock: Callable[[], float]
    settings: Settings = field(default_factory=Settings)
    auto_create: bool = True
    faults: FaultQueue = field(default_factory=FaultQueue)
    requests: dict[tuple[str, str, int | None], int] = field(default_factory=dict)
    """How often each (method, path, status) was answered, in the order first seen; status None: dropped."""
    documents: Documents = field(init=False)
    rules: RuleStore = field(init=False)
    contacts: Contacts = field(init=False)
    jobs: Jobs = field(init=False)

    def __post_init__(self) -> None:
        """Open the parts of the store, and note the settings that a reset goes back to."""
        self.documents = Documents(self.store, lambda: self.settings.stale_reads, auto_create=self.auto_create)
        self.rules = RuleStore(self.store, self.documents)
        self.contacts = Contacts(self.store)
        self.jobs = Jobs(self.store, lambda: self.settings.pending_polls)
        self._initial = self.settings.as_json()

    def reset(self) -> None:
        """Go back to how it was before the first request; client, tokens and address stay."""
        self.store.reset()
        self.faults.clear()
        self.requests.clear()
        self.settings.change(self._initial)

    @property
    def client(self) -> Actor:
        """The one who makes the changes that come with a token."""
        return Actor(self.credentials.client_id)

    @property
    def organization_id(self) -> str:
        """The id of the organisation that every token belongs to: one a data file, as the client is."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.credentials.client_id))


def error_response(error: ApiError, scope: Scope) -> Response:
    """Return the answer that ``error`` stands for in the request of an ASGI ``scope``."""
    return JSONResponse(error.body(scope["state"][CONTEXT_ID]), error.status, error.headers)


def secured(service: Service, handler: Handler, *needs: str) -> Handler:
    """Return ``handler`` behind the token, its rate limit (in every answer too), and the scopes it needs."""

    async def endpoint(request: Request) -> Response:
        grant = service.tokens.grant(request.headers.get("authorization"))
        limits = grant.count(service.clock(), service.settings.rate_limit)
        try:
            for needed in needs:
                grant.require(needed)
            response = await handler(request)
        except ApiError as error:
            response = error_response(error, request.scope)
        response.headers.update(limits)
        return response

    return endpoint


async def read_json(request: Request, *, optional: bool = False) -> object:
    """Return the JSON body, None for an empty one if it is ``optional``.

    Raises 413, 415, or 400 if it is not JSON that can be stored and answered as such.
    """
    raw = await _read(request, "application/json", optional=optional)
    if optional and not raw:
        return None
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


async def _read(request: Request, media_type: str, *, optional: bool = False) -> bytes:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type and (given or not optional):
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
