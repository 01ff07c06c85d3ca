"""What a server's answer can mean, as errors; none holds a header, a token or a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialproof.errors import RemoteConflictError, RemoteError

__all__ = [
    "AccessDeniedError",
    "AnswerLostError",
    "BadRequestError",
    "ConflictAnswerError",
    "ErrorBody",
    "NotFoundError",
    "UnreachableError",
]

_LONGEST = 300


class AccessDeniedError(RemoteError):
    """401 or 403: the credentials or their rights do not suffice."""


class BadRequestError(RemoteError):
    """400: the server finds fields missing or invalid; the message holds its details."""


class NotFoundError(RemoteError):
    """404: there is no such thing. ``attempts`` is the number of tries, this one included."""

    def __init__(self, message: str, *, attempts: int = 1) -> None:
        super().__init__(message)
        self.attempts = attempts


class ConflictAnswerError(RemoteConflictError):
    """409: another version is stored, or the order is taken. ``attempts`` counts the tries, this one included."""

    def __init__(self, message: str, *, attempts: int = 1) -> None:
        super().__init__(message)
        self.attempts = attempts


class UnreachableError(RemoteError):
    """No usable answer came in the tries that are allowed; a write may have been made all the same."""


class AnswerLostError(UnreachableError):
    """A create was sent and its answer is missing or unreadable: it may have been made, and was not repeated."""


@dataclass(frozen=True)
class ErrorBody:
    """The body of an error answer: ``{message, code, status, details}``, each part as readable text."""

    message: str
    code: str
    details: tuple[str, ...]

    @classmethod
    def parse(cls, body: Any) -> ErrorBody:
        """Read a decoded body of any shape; what is missing is empty."""
        if not isinstance(body, Mapping):
            return cls("", "", ())
        details = body.get("details")
        items = details if isinstance(details, list) else [] if details is None else [details]
        return cls(_text(body.get("message")), _text(body.get("code")), tuple(filter(None, map(_detail, items[:50]))))

    def __str__(self) -> str:
        parts = [part for part in (self.code, self.message) if part]
        return "; ".join([": ".join(parts) or "the server gave no reason", *self.details])


def _detail(item: Any) -> str:
    """Render one detail, which servers give as text or as ``{field, message}`` with varying keys."""
    if not isinstance(item, Mapping):
        return _text(item)
    name = _text(item.get("field") or item.get("fieldName") or item.get("entityName"))
    reason = _text(item.get("message") or item.get("errorCode") or item.get("code"))
    if name and reason:
        return f"{name}: {reason}"
    return name or reason or ", ".join(f"{_text(k)}={_text(v)}" for k, v in item.items())


def _text(value: Any) -> str:
    """Make a server's value fit for a terminal line: no control characters, bounded length."""
    if value is None:
        return ""
    line = "".join(c if c.isprintable() else " " for c in str(value)[: _LONGEST + 1])
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "..."
