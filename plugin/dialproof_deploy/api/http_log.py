"""The log of requests: one JSON line each, without headers, bodies and query values."""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof_deploy.redact import scrub

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

__all__ = ["HttpLog", "check_http_log"]


def check_http_log(path: Path) -> None:
    """Make the file with its folders; raises ``UsageError`` where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise UsageError(f"the HTTP log {path} cannot be written: {error.strerror or error}") from None


class HttpLog:
    """Appends time, method, path, status, request id and milliseconds; safe under threads."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        """Raise ``UsageError`` where the file cannot be written."""
        self._path, self._now, self._lock = path, now, threading.Lock()
        check_http_log(path)
        self._failed = False

    def write(self, method: str, path: str, status: int | None, request_id: str | None, milliseconds: float) -> None:
        """Append a request; ``status`` is None where it was not answered."""
        line = {
            "time": self._now().isoformat(timespec="milliseconds"),
            "method": method,
            "path": path,
            "status": status,
            "request_id": request_id,
            "ms": round(milliseconds, 1),
        }
        with self._lock:
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(scrub(line)) + "\n")
            except OSError as error:  # a diagnostic aid must not undo a deploy half way
                if not self._failed:
                    self._failed = True
                    why = error.strerror or error
                    print(
                        f"the HTTP log {self._path} cannot be written: {why}; requests are missing in it",
                        file=sys.stderr,
                    )
