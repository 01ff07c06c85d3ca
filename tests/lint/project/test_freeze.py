"""Freeze windows: weekly, in their own time zone, over the end of the week too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dialproof.errors import UsageError
from dialproof.freeze import frozen

WEEKEND = "Fri 15:00-Mon 08:00 America/Denver"


@pytest.mark.parametrize(
    ("now", "inside"),
    [
        ("2026-03-06T21:59", False),  # Friday 14:59 in Denver
        ("2026-03-06T22:00", True),
        ("2026-03-08T12:00", True),
        ("2026-03-09T13:59", True),  # Monday 07:59, after the change to daylight saving time
        ("2026-03-09T14:00", False),
    ],
)
def test_weekend_window(now: str, inside: bool) -> None:
    """The start belongs to the window, the end does not."""
    assert frozen(WEEKEND, datetime.fromisoformat(now).replace(tzinfo=UTC)) is inside


def test_window_within_a_day_is_utc_by_default() -> None:
    """Without a zone the times are UTC."""
    assert frozen("Tue 09:00-Tue 10:00", datetime(2026, 3, 10, 9, 30, tzinfo=UTC))
    assert not frozen("Tue 09:00-Tue 10:00", datetime(2026, 3, 11, 9, 30, tzinfo=UTC))


def test_equal_ends_are_a_usage_error() -> None:
    """A window that ends when it starts would freeze nothing, or everything: nobody should have to guess."""
    with pytest.raises(UsageError, match="ends when it starts"):
        frozen("Mon 00:00-Mon 00:00", datetime(2026, 3, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    "window", ["", "weekend", "Fri 25:00-Mon 08:00", "Foo 15:00-Mon 08:00", "Fri 15:00-Mon 08:00 Mars/X"]
)
def test_unreadable_window_is_a_usage_error(window: str) -> None:
    """A window that cannot be read must not pass as none."""
    with pytest.raises(UsageError, match="expected for example"):
        frozen(window, datetime(2026, 3, 10, tzinfo=UTC))
