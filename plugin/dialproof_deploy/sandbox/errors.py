"""The error answer of the API: one exception, one body shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ApiError", "Detail", "detail", "invalid"]

Detail = dict[str, object]
"""An entry of ``details``: fieldName, errorCode, message, and entityId if another entity is meant."""


def detail(field: str, code: str, message: str, **more: object) -> Detail:
    """Return one entry of ``details`` about ``field``."""
    return {"fieldName": field, "errorCode": code, "message": message, **more}


class ApiError(Exception):
    """An error answer, raised by any layer and sent as ``{message, code, status, details}``."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = list(details)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """Return the JSON body; it has exactly these four keys."""
        return {"message": self.message, "code": self.code, "status": self.status, "details": self.details}


def invalid(details: Sequence[Detail]) -> ApiError:
    """Return the 400 that names every invalid field at once; ``details`` must not be empty."""
    fields = ", ".join(str(entry["fieldName"]) for entry in details)
    return ApiError(400, "bad.request", f"invalid or missing: {fields}", details)
