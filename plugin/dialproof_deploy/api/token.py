"""The OAuth client-credentials token: one for all requests of a process, renewed in time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from dialproof.errors import RemoteError
from dialproof_deploy.redact import register_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["RENEW_BEFORE", "SCOPES", "TOKEN_PATH", "TokenSource"]

TOKEN_PATH = "/api/v2/oauth/token"  # noqa: S105 - a path, not a password
SCOPES = "outbound:campaign:write outbound:rule:write analytics:events:read outbound:campaign:read"
RENEW_BEFORE = 300.0
"""Seconds before its end at which a token is renewed."""


class TokenSource:
    """Gives the current access token.

    ``fetch`` asks the server and returns the decoded answer ``{access_token, token_type, expires_in}``;
    ``clock`` is monotonic and in seconds. One renewal runs at a time, and the other threads wait for its token.
    """

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], *, clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = float("-inf")

    def __repr__(self) -> str:
        return "TokenSource(...)"

    def token(self) -> str:
        """Return a token with more than five minutes left, fetching one when needed.

        Raises ``RemoteError`` where the server refuses or its answer holds no token.
        """
        with self._lock:
            if self._clock() >= self._renew_at:
                self._renew()
            return self._token

    def renew(self, refused: str) -> str:
        """Return another token than ``refused``, which the server has answered with 401.

        Fetches one only if no other thread has renewed it in the meantime.
        """
        with self._lock:
            if self._token == refused:
                self._renew()
            return self._token

    def _renew(self) -> None:
        asked_at = self._clock()
        self._renew_at = float("-inf")  # a failed renewal leaves nothing that looks usable
        answer = self._fetch()
        token, lifetime = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token.strip():
            raise RemoteError("the token answer of the server holds no access_token")
        if not (token.isascii() and token.isprintable()):
            raise RemoteError("the token answer of the server holds an access_token that cannot be sent")
        register_secret(token)
        if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or lifetime <= 0:
            raise RemoteError("the token answer of the server holds no usable expires_in")
        # A token that never has five minutes left would be renewed before each request: use half of its life.
        margin = RENEW_BEFORE if lifetime > RENEW_BEFORE else lifetime / 2
        self._token, self._renew_at = token, asked_at + lifetime - margin
