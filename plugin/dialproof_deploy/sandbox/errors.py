"""The error answer of the API: one exception, one body shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ApiError", "Detail", "detail", "invalid", "refused"]

Detail = dict[str, object]
"""An entry of ``details``: fieldName, errorCode, message, and entityId if another entity is meant."""


def detail(field: str, code: str, message: str, **more: object) -> Detail:
    """Return one entry of ``details`` about ``field``."""
    return {"fieldName": field, "errorCode": code, "message": message, **more}


class ApiError(Exception):
    """An error answer, raised by any layer; ``more`` are fields of its body that not every error has."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = list(details)
        self.headers = dict(headers or {})
        self.more = more

    def body(self, context_id: str) -> dict[str, object]:
        """Return the JSON body; ``context_id`` is the correlation id of the request."""
        return {
            "message": self.message,
            "code": self.code,
            "status": self.status,
            "contextId": context_id,
            "details": self.details,
            "errors": [],
            **self.more,
        }


def invalid(details: Sequence[Detail]) -> ApiError:
    """Return the 400 that names every invalid field at once; ``details`` must not be empty."""
    fields = ", ".join(str(entry["fieldName"]) for entry in details)
    return ApiError(400, "bad.request", f"invalid or missing: {fields}", details)


def refused(details: Sequence[Detail], status: int = 400) -> ApiError:
    """Return the error that has the code of the first of ``details`` and the message of each."""
    message = "; ".join(f"{entry['fieldName']}: {entry['message']}" for entry in details)
    return ApiError(status, str(details[0]["errorCode"]), message, details)
