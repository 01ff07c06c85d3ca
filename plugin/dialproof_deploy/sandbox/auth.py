"""OAuth client credentials, scopes, permissions and the rate limit of a token."""

from __future__ import annotations

import base64
import binascii
import hmac
import math
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dialproof_deploy.sandbox.errors import ApiError, detail

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PERMISSIONS", "SCOPES", "Credentials", "Grant", "Tokens"]

SCOPES: Final = (
    "outbound:campaign:write",
    "outbound:rule:write",
    "analytics:events:read",
    "outbound:campaign:read",
)
"""What a client may be granted; in the order in which the contract lists them."""

PERMISSIONS: Final = (
    *("outbound:ruleSet:view", "outbound:ruleSet:add", "outbound:ruleSet:edit", "outbound:ruleSet:delete"),
    *("outbound:campaign:view", "outbound:campaign:edit"),
    *("outbound:contactList:view", "outbound:contact:view"),
    *("outbound:eventLog:view", "audits:audit:view"),
)
"""What the roles of a client may allow on the public platform; it does not depend on what a token asked for."""

_WINDOW: Final = 60.0
_HELD: Final = 1000
"""Tokens kept before the expired ones are thrown away."""


@dataclass(frozen=True)
class Credentials:
    """The one client of a sandbox."""

    client_id: str
    client_secret: str = field(repr=False)

    def check(self, authorization: str | None) -> None:
        """Raise 401 unless ``authorization`` is HTTP Basic with this id and secret."""
        scheme, _, encoded = (authorization or "").partition(" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            given = b""
        wanted = f"{self.client_id}:{self.client_secret}".encode()
        if scheme.lower() != "basic" or not hmac.compare_digest(given, wanted):
            raise ApiError(
                401,
                "bad.credentials",
                "client id or client secret is wrong",
                headers={"WWW-Authenticate": 'Basic realm="sandbox"'},
            )


@dataclass
class Grant:
    """What one token may do, and what it has used of its rate limit in the current minute."""

    allowed: frozenset[str]
    expires_at: float
    window_start: float = 0.0
    used: int = 0

    def require(self, needed: str) -> None:
        """Raise 403, naming the scope or permission ``needed``, unless the token has it."""
        if needed in self.allowed:
            return
        if needed in SCOPES:
            details = [detail("scope", "missing.scope", needed)]
            raise ApiError(403, "missing.permissions", f"the token lacks the scope {needed}", details)
        raise ApiError(403, "missing.any.permissions", f"the client lacks the permission {needed}")

    def count(self, now: float, allowed: int) -> dict[str, str]:
        """Count one request of ``allowed`` a minute; return the rate-limit headers or raise 429 with them."""
        if not 0 <= now - self.window_start < _WINDOW:
            self.window_start, self.used = now, 0
        self.used += 1
        reset = max(1, math.ceil(self.window_start + _WINDOW - now))
        headers = {
            "inin-ratelimit-count": str(self.used),
            "inin-ratelimit-allowed": str(allowed),
            "inin-ratelimit-reset": str(reset),
        }
        if self.used > allowed:
            raise ApiError(
                429,
                "too.many.requests.retry.after",
                f"more than {allowed} requests in a minute; retry in {reset} s",
                headers={**headers, "Retry-After": str(reset)},
            )
        return headers


class Tokens:
    """The tokens handed out by one server; they do not outlive it."""

    def __init__(
        self,
        clock: Callable[[], float],
        scopes: tuple[str, ...],
        seconds: float,
        permissions: tuple[str, ...] = PERMISSIONS,
    ) -> None:
        """Grant at most ``scopes``, and ``permissions``, for ``seconds`` of ``clock`` (seconds since the epoch)."""
        self._clock = clock
        self._scopes = scopes
        self._seconds = seconds
        self._permissions = permissions
        self._grants: dict[str, Grant] = {}

    def issue(self, asked: str | None) -> dict[str, object]:
        """Return the answer of the token call: of the client's scopes those asked for, by default all."""
        wanted = self._scopes if asked is None else asked.split()
        scopes = tuple(scope for scope in self._scopes if scope in wanted)
        now = self._clock()
        if len(self._grants) >= _HELD:
            self._grants = {token: grant for token, grant in self._grants.items() if grant.expires_at > now}
        token = secrets.token_urlsafe(32)
        self._grants[token] = Grant(frozenset((*scopes, *self._permissions)), now + self._seconds)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(self._seconds),
            "scope": " ".join(scopes),
        }

    def grant(self, authorization: str | None) -> Grant:
        """Return the grant of a ``Bearer`` header; raise 401 if the token is missing, unknown or expired."""
        scheme, _, token = (authorization or "").partition(" ")
        grant = self._grants.get(token.strip()) if scheme.lower() == "bearer" else None
        if grant is None:
            code, message = "authentication.required", "no valid access token"
        elif grant.expires_at <= self._clock():
            code, message = "credentials.expired", "the access token has expired"
        else:
            return grant
        raise ApiError(401, code, message, headers={"WWW-Authenticate": "Bearer"})

    def revoke_all(self) -> None:
        """Make every token handed out so far unknown."""
        self._grants.clear()
