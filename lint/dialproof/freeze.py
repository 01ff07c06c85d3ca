"""Freeze windows such as ``Fri 15:00-Mon 08:00 America/Denver``, in which nothing is deployed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dialproof.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["frozen", "read_window"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"(\w{3}) (\d\d):(\d\d) ?- ?(\w{3}) (\d\d):(\d\d)(?: (\S+))?", re.ASCII)


def frozen(window: str, now: datetime) -> bool:
    """Tell whether an aware time lies in a weekly window (its end excluded); the zone is UTC by default.

    Raises ``UsageError`` as ``read_window`` raises ``ValueError``.
    """
    try:
        start, end, zone = read_window(window)
    except ValueError as error:
        raise UsageError(f"freeze {window!r}: {error}") from None
    local = now.astimezone(zone)
    minute = (local.weekday() * 24 + local.hour) * 60 + local.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def read_window(window: str) -> tuple[int, int, ZoneInfo]:
    """Return the minutes of the week at which a window starts and ends, and their zone.

    Raises ``ValueError``, with what is wrong, for one that cannot be read, and for one that ends when it starts.
    """
    found = _WINDOW.fullmatch(window.strip())
    try:
        if found is None:
            raise ValueError
        start, end = _minute(*found.group(1, 2, 3)), _minute(*found.group(4, 5, 6))
        zone = ZoneInfo(found[7] or "UTC")
    except (ValueError, ZoneInfoNotFoundError, OSError):  # OSError: a folder of the system's zones
        raise ValueError("expected for example 'Fri 15:00-Mon 08:00 America/Denver'") from None
    if start == end:
        raise ValueError("it ends when it starts: write two windows that make up the week, or none")
    return start, end, zone


def _minute(day: str, hour: str, minute: str) -> int:
    """Return the minute of the week."""
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError
    return (_DAYS.index(day.lower()) * 24 + int(hour)) * 60 + int(minute)
