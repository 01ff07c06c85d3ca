"""Whether the log of requests can be written, which is asked before anything else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_http_log"]


def check_http_log(path: Path) -> None:
    """Make the file with its folders; raises ``UsageError`` where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise UsageError(f"the HTTP log {path} cannot be written: {error.strerror or error}") from None
