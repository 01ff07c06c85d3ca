"""The events query: its body, its interval and the cursor that follows from page to page."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dialproof_deploy.sandbox.errors import ApiError, Detail, detail, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EVENT_NAMES", "EventQuery", "iso", "parse_interval"]

EVENT_NAMES: Final = ("outbound.rule.created", "outbound.rule.updated", "outbound.rule.deleted")

_LARGEST_PAGE: Final = 100
_RELATIVE: Final = re.compile(r"([0-9]{1,5})([mhd])")
_UNIT: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DURATION: Final = re.compile(
    r"P(?=.)(?:([0-9]{1,5})W)?(?:([0-9]{1,5})D)?(?:T(?=.)(?:([0-9]{1,7})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,9})S)?)?"
)
_CAMPAIGN: Final = re.compile(r"\s*campaignId\s+eq\s+'((?:[^']|'')*)'\s*")


def iso(milliseconds: int) -> str:
    """Return milliseconds since the epoch as ``2026-03-07T17:00:00.000Z``."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


@dataclass(frozen=True)
class EventQuery:
    """What to read: ``names``, of one campaign or of all, from ``start`` up to but not at ``end``.

    Times are milliseconds since the epoch; without ``end`` everything from ``start`` on. ``after`` and
    ``last`` are positions in the log: a page starts behind ``after``, and what is appended behind ``last``
    while the pages are read is not shown.
    """

    names: tuple[str, ...]
    campaign_id: str | None
    start: int
    end: int | None
    page_size: int
    after: int = 0
    last: int | None = None

    @staticmethod
    def from_body(body: object, now: float, page_size: int) -> EventQuery:
        """Read ``{eventNames, query?, interval, pageSize?}`` or raise a 400 with every invalid field."""
        if not isinstance(body, dict):
            raise invalid([detail("body", "invalid.value", "expected a JSON object")])
        problems = list(_problems(body))
        interval = None
        try:
            interval = parse_interval(body.get("interval"), now)
        except ValueError as exc:
            problems.append(detail("interval", "invalid.value" if "interval" in body else "missing", str(exc)))
        if problems or interval is None:
            raise invalid(problems)
        match = _CAMPAIGN.fullmatch(body["query"]) if "query" in body else None
        campaign = match.group(1).replace("''", "'") if match else None
        names = tuple(dict.fromkeys(body["eventNames"]))  # each becomes a variable of SQL, which bounds their number
        return EventQuery(names, campaign, *interval, body.get("pageSize", page_size))

    def cursor(self, after: int, last: int) -> str:
        """Return the cursor of the page behind position ``after``; it carries the whole query."""
        query = replace(self, after=after, last=last)
        fields = [
            query.names,
            query.campaign_id,
            query.start,
            query.end,
            query.page_size,
            query.after,
            query.last,
        ]
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")

    @staticmethod
    def from_cursor(cursor: str) -> EventQuery:
        """Read what ``cursor`` wrote, or raise 400."""
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            names, campaign, start, end, page_size, after, last = json.loads(text)
            json.dumps(campaign, ensure_ascii=False).encode()  # "\ud800" is JSON and no text
        except (binascii.Error, ValueError, TypeError, RecursionError):
            raise _bad_cursor() from None
        numbers = [start, page_size, after, last] + ([] if end is None else [end])
        if (
            not isinstance(names, list)
            or not all(name in EVENT_NAMES for name in names)
            or not isinstance(campaign, str | None)
            or not all(isinstance(number, int) and abs(number) < 2**62 for number in numbers)
            or not 1 <= page_size <= _LARGEST_PAGE
        ):
            raise _bad_cursor()
        return EventQuery(tuple(dict.fromkeys(names)), campaign, start, end, page_size, after, last)


def _bad_cursor() -> ApiError:
    return invalid([detail("cursor", "invalid.value", "not a cursor of this server")])


def _problems(body: dict[str, object]) -> Iterator[Detail]:
    names = body.get("eventNames")
    if names is None:
        yield detail("eventNames", "missing", "required")
    elif not isinstance(names, list) or not names or not all(name in EVENT_NAMES for name in names):
        yield detail("eventNames", "invalid.value", f"expected a list of {', '.join(EVENT_NAMES)}")
    query = body.get("query", "campaignId eq ''")
    if not isinstance(query, str) or not _CAMPAIGN.fullmatch(query):
        yield detail("query", "invalid.value", "expected campaignId eq '<id>'")
    size = body.get("pageSize", 1)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= _LARGEST_PAGE:
        yield detail("pageSize", "invalid.value", f"expected a whole number from 1 to {_LARGEST_PAGE}")


def parse_interval(interval: object, now: float) -> tuple[int, int | None]:
    """Return (start, end) in milliseconds of ``24h`` (30m, 7d) before ``now``, or of an ISO 8601 interval.

    ISO 8601 has ``start/end``, ``start/duration`` and ``duration/end``; a time without offset is UTC. Raises
    ValueError with what was expected.
    """
    expected = "expected 24h or an ISO 8601 interval such as 2026-03-07T00:00:00Z/2026-03-08T00:00:00Z"
    if not isinstance(interval, str):
        raise ValueError(expected)  # noqa: TRY004 - one kind of error for all bad input
    try:
        if relative := _RELATIVE.fullmatch(interval):
            back = int(relative[1]) * _UNIT[relative[2]]
            return int((now - back.total_seconds()) * 1000), None
        first, slash, second = interval.partition("/")
        if not slash or (first.startswith("P") and second.startswith("P")):
            raise ValueError
        if first.startswith("P"):
            end = _moment(second)
            start = end - _duration(first)
        else:
            start = _moment(first)
            end = start + _duration(second) if second.startswith("P") else _moment(second)
        return _milliseconds(start), _milliseconds(end)
    except (ValueError, OverflowError):
        raise ValueError(expected) from None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
