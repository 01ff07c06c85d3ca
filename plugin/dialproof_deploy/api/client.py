"""HTTP to a target: one token, one rate limit, retries that never repeat a create blindly, and plain errors.

Import it late: httpx and tenacity cost 90 ms.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import httpx
import tenacity

from dialproof.errors import RemoteError, UsageError
from dialproof_deploy.api.answer import UnboundedAnswerError, read_answer
from dialproof_deploy.api.connection import open_http, why_untrusted
from dialproof_deploy.api.credentials import Credentials, check_base_url
from dialproof_deploy.api.errors import (
    AccessDeniedError,
    AnswerLostError,
    BadRequestError,
    ConflictAnswerError,
    ErrorBody,
    NotFoundError,
    UnreachableError,
)
from dialproof_deploy.api.http_log import HttpLog
from dialproof_deploy.api.rate_limit import TokenBucket
from dialproof_deploy.api.token import TOKEN_PATH, TokenSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

__all__ = ["Answer", "ApiClient"]

_LONGEST_RETRY_AFTER = 300.0
_OF_A_CAMPAIGN = re.compile("/campaigns/[^/]+(/rules)?$")
_REQUEST_ID_HEADER = "ININ-Correlation-Id"
_LIFE_OF_A_GIVEN_TOKEN = 86_400  # seconds; nobody says how long it lives, and no deploy takes a day
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True)
class Answer:
    """A successful answer: its status, decoded JSON body (``None`` when empty), request id and number of tries."""

    status: int
    body: Any
    request_id: str | None
    attempts: int


class _TryAgainError(Exception):
    """One try failed in a way that allows another; ``wait`` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class ApiClient:
    """Requests to one target under one token and one rate limit; safe under threads.

    ``clock`` (monotonic seconds), ``now`` (UTC, for a Retry-After date), ``sleep`` and ``jitter`` (0 to 1) are
    injected by tests. Waits are ``backoff_start * backoff_multiplier ** n`` seconds and up to half as much again;
    Retry-After stands before that, if it asks for any, and ends in ``RemoteError`` if it asks for more than five
    minutes; ``say`` is told of each wait. An answer of more than 16 MiB or one minute is not read to its end. Proxies
    and certificate authorities are those of ``open_http``. ``http_log`` receives one JSON line a request, without
    headers, bodies and query values.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        max_attempts: int = 5,
        backoff_start: float = 2.0,
        backoff_multiplier: float = 2.0,
        rate_per_minute: int = 300,
        http_log: Path | None = None,
        ca_bundle: str = "",
        say: Callable[[str], object] = lambda _: None,
    ) -> None:
        if max_attempts < 1:
            raise UsageError(f"max_attempts must be at least 1, not {max_attempts}")
        self._base_url = check_base_url(base_url)
        self._credentials = credentials
        self._clock, self._now, self._sleep, self._jitter = clock, now, sleep, jitter
        self._max_attempts = max_attempts
        self._backoff_start, self._backoff_multiplier = backoff_start, backoff_multiplier
        self._bucket = TokenBucket(rate_per_minute, clock=clock, sleep=sleep)
        self._say = say
        self._gave_token = False
        self._tokens = TokenSource(self._fetch_token, clock=clock)
        self._log = HttpLog(http_log, now) if http_log else None
        self._http = open_http(self._base_url, ca_bundle=ca_bundle, transport=transport)

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def login(self) -> None:
        """Obtain the token now, so that bad credentials fail before anything else is done.

        Raises ``AccessDeniedError`` for refused credentials, ``RemoteError`` for everything else.
        """
        self._tokens.token()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        idempotent: bool | None = None,
    ) -> Answer:
        """Send one request and return its answer.

        ``path`` is a path, or a URI of the same host from an earlier answer. ``idempotent`` says whether a request
        whose answer was lost may be sent again; the default is yes for everything but POST and PATCH.

        Raises ``AccessDeniedError`` (401, 403), ``BadRequestError`` (400), ``NotFoundError`` (404),
        ``ConflictAnswerError`` (409), ``AnswerLostError`` (a request that is not idempotent may have been
        made), ``UnreachableError`` (tries used up) and ``RemoteError`` (anything else).
        """
        repeatable = method not in ("POST", "PATCH") if idempotent is None else idempotent
        response, attempts = self._authorized(method, path, repeatable, params=params, json=body)
        what = _name(response.request)
        return Answer(response.status_code, self._decode(what, response, repeatable), _request_id(response), attempts)

    def download(self, uri: str, first: int) -> bytes:
        """Return the first bytes of what lies at a URI of the same host; raises as ``request`` does."""
        return self._authorized("GET", uri, repeatable=True, first=first)[0].content

    def _authorized(
        self, method: str, path: str, repeatable: bool, *, first: int | None = None, **content: Any
    ) -> tuple[httpx.Response, int]:
        """Send a request under the token, or under another one where it is refused; return the successful answer."""
        url = self._resolve(path)
        token = self._tokens.token()

        def send(bearer: str) -> tuple[httpx.Response, int]:
            headers = {"Authorization": f"Bearer {bearer}"}
            return self._send(self._http.build_request(method, url, headers=headers, **content), repeatable, first)

        response, attempts = send(token)
        if response.status_code == 401:
            response, more = send(self._tokens.renew(token))
            attempts += more - 1  # the first try was refused before anything was done
        if not response.is_success:
            raise self._error(_name(response.request), response, attempts)
        return response, attempts

    def _resolve(self, path: str) -> str:
        """Make an absolute URL, refusing to carry the token to another host."""
        try:
            if not urlsplit(path).scheme and not path.startswith("//"):
                url = self._base_url + (path if path.startswith("/") else f"/{path}")
            else:
                url = urljoin(self._base_url, path)
            same_host = urlsplit(url)[:2] == urlsplit(self._base_url)[:2]
            httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise RemoteError("the server sent a link that is not a URL, which cannot be followed") from None
        if not same_host:
            raise RemoteError("the server sent a link to another host, which is not followed")
        return url

    def _send(self, request: httpx.Request, repeatable: bool, first: int | None = None) -> tuple[httpx.Response, int]:
        """Send with retries; return the last answer, of whatever status, and the number of tries."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._max_attempts),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(_TryAgainError),
            sleep=self._sleep,
            before_sleep=lambda state: self._tell(request, state),
            reraise=True,
        )
        tries = 0

        def attempt() -> httpx.Response:
            nonlocal tries
            tries += 1
            return self._attempt(request, repeatable, first)

        try:
            return retrying(attempt), tries
        except _TryAgainError as error:
            count = f"{tries} tries" if tries > 1 else "1 try"
            raise UnreachableError(f"{_name(request)} failed after {count}: {error}") from None

    def _attempt(self, request: httpx.Request, repeatable: bool, first: int | None) -> httpx.Response:
        self._bucket.acquire()
        started = self._clock()
        try:
            response = read_answer(self._http, request, self._clock, first)
        except UnboundedAnswerError as error:
            self._record(request, None, started)
            message = f"{_name(request)}: {_host(request)} is not waited for: {error}"
            raise (UnreachableError if repeatable else AnswerLostError)(message) from None
        except httpx.RequestError as error:
            self._record(request, None, started)
            if why := why_untrusted(error, "ca_bundle of the environment, or in SSL_CERT_FILE"):
                raise RemoteError(
                    f"{_name(request)}: the certificate of {_host(request)} is not trusted {why}"
                ) from None
            reason = f"{_host(request)} gave no answer ({type(error).__name__})"
            if repeatable or isinstance(error, _NEVER_SENT):
                raise _TryAgainError(reason) from None
            raise AnswerLostError(f"{_name(request)}: {reason}") from None
        self._record(request, response, started)
        status = response.status_code
        if status in (429, 503):
            wait = self._retry_after(request, response)
            if status == 429 and wait is not None:
                self._bucket.pause(wait)
            raise _TryAgainError(f"the server answered {status}", wait)
        if status >= 500:
            if repeatable:
                raise _TryAgainError(f"the server answered {status}")
            raise AnswerLostError(f"{_name(request)}: the server answered {status}")
        return response

    def _tell(self, request: httpx.Request, state: tenacity.RetryCallState) -> None:
        """Say why there is silence now."""
        reason = state.outcome.exception() if state.outcome else None
        self._say(f"{_name(request)}: {reason}; trying again in {state.upcoming_sleep:.0f} s")

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _TryAgainError) and error.wait is not None:
            return error.wait
        exponential = self._backoff_start * self._backoff_multiplier ** (state.attempt_number - 1)
        return exponential * (1 + self._jitter() / 2)

    def _retry_after(self, request: httpx.Request, response: httpx.Response) -> float | None:
        """Return the seconds to wait, from a number of seconds or an HTTP date; ``None`` if unreadable or no wait."""
        text = response.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            seconds = float(text)
        else:
            try:
                date = parsedate_to_datetime(text)
            except ValueError:
                return None
            aware = date if date.tzinfo else date.replace(tzinfo=UTC)
            seconds = (aware - self._now()).total_seconds()
        if seconds > _LONGEST_RETRY_AFTER:
            raise RemoteError(
                f"{_name(request)}: the server asks to wait {seconds:.0f} s (Retry-After); "
                f"more than {_LONGEST_RETRY_AFTER:.0f} s is not waited for, try again later"
            )
        return seconds if seconds > 0 else None

    def _fetch_token(self) -> Mapping[str, Any]:
        given = self._credentials
        variable = given.client_id_variable
        if given.access_token:
            if self._gave_token:
                raise AccessDeniedError(f"the server refuses the token of {variable} (401): get another one")
            self._gave_token = True
            return {"access_token": given.access_token, "expires_in": _LIFE_OF_A_GIVEN_TOKEN}
        scope = {"scope": given.scopes} if given.scopes else {}
        request = self._http.build_request(
            "POST",
            given.token_url or self._base_url + TOKEN_PATH,
            data={"grant_type": "client_credentials", **scope},
        )
        login = httpx.BasicAuth(self._credentials.client_id, self._credentials.client_secret)
        response, _ = self._send(next(login.auth_flow(request)), repeatable=True)
        if response.status_code in (400, 401):
            raise AccessDeniedError(
                f"the server refuses the credentials of {variable} ({response.status_code}): "
                "check the client id and its secret"
            )
        if not response.is_success:
            raise self._error(_name(request), response, 1)
        answer = self._decode(_name(request), response, repeatable=True)
        if not isinstance(answer, dict):
            raise RemoteError(f"{_name(request)}: the token answer is not a JSON object")
        return answer

    def _error(self, what: str, response: httpx.Response, attempts: int) -> Exception:
        try:
            body = ErrorBody.parse(response.json())
        except (ValueError, RecursionError):
            body = ErrorBody.parse(None)
        status = response.status_code
        text = self._without_secrets(str(body), response.request)
        if status == 401:
            variable = self._credentials.client_id_variable
            return AccessDeniedError(f"{what}: the renewed token of {variable} is refused as well (401): {text}")
        if status == 403:
            who = self._credentials.client_id_variable
            return AccessDeniedError(f"{what}: access denied (403): {text}; give {who} the permission for it")
        if status == 404:
            hint = "; check ids.campaigns" if _OF_A_CAMPAIGN.search(what) else ""
            return NotFoundError(f"{what}: not found (404): {text}{hint}", attempts=attempts)
        if status == 409:
            return ConflictAnswerError(f"{what}: conflict (409): {text}", attempts=attempts)
        if status == 400:
            return BadRequestError(f"{what}: the server refuses the request (400): {text}")
        if response.is_redirect:
            return RemoteError(f"{what}: the server redirects ({status}), which is not followed; check base_url")
        return RemoteError(f"{what}: unexpected answer {status}: {text}")

    def _decode(self, what: str, response: httpx.Response, repeatable: bool) -> Any:
        if not response.content:
            return None
        try:
            return response.json()
        except (ValueError, RecursionError):
            message = f"{what}: the answer {response.status_code} is not readable JSON"
            raise (UnreachableError if repeatable else AnswerLostError)(message) from None

    def _without_secrets(self, text: str, request: httpx.Request) -> str:
        """Blank what a server may have echoed."""
        sent = request.headers.get("Authorization", "").rpartition(" ")[2]
        for secret in (sent, self._credentials.client_secret, self._credentials.client_id):
            text = text.replace(secret, "***") if secret else text
        return text

    def _record(self, request: httpx.Request, response: httpx.Response | None, started: float) -> None:
        if self._log:
            status = None if response is None else response.status_code
            request_id = None if response is None else _request_id(response)
            milliseconds = (self._clock() - started) * 1000
            self._log.write(request.method, request.url.path, status, request_id, milliseconds)


def _name(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path}"


def _host(request: httpx.Request) -> str:
    return request.url.host


def _request_id(response: httpx.Response) -> str | None:
    value = response.headers.get(_REQUEST_ID_HEADER) or response.headers.get("X-Request-Id")
    return str(value)[:100] if value else None
