"""Freeze windows such as ``Fri 15:00-Mon 08:00 America/Denver``, in which nothing is deployed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dialproof.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["frozen"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"(\w{3}) (\d\d):(\d\d) ?- ?(\w{3}) (\d\d):(\d\d)(?: (\S+))?", re.ASCII)


def frozen(window: str, now: datetime) -> bool:
    """Tell whether an aware time lies in a weekly window (its end excluded); the zone is UTC by default.

    Raises ``UsageError`` for a window that cannot be read, and for one that ends when it starts.
    """
    found = _WINDOW.fullmatch(window.strip())
    try:
        if found is None:
            raise ValueError
        start = _minute(*found.group(1, 2, 3))
        end = _minute(*found.group(4, 5, 6))
        local = now.astimezone(ZoneInfo(found[7] or "UTC"))
    except (ValueError, ZoneInfoNotFoundError):
        raise UsageError(f"freeze {window!r}: expected for example 'Fri 15:00-Mon 08:00 America/Denver'") from None
    if start == end:
        raise UsageError(f"freeze {window!r}: it ends when it starts: write two windows that make up the week, or none")
    minute = (local.weekday() * 24 + local.hour) * 60 + local.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def _minute(day: str, hour: str, minute: str) -> int:
    """Return the minute of the week."""
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError
    return (_DAYS.index(day.lower()) * 24 + int(hour)) * 60 + int(minute)
