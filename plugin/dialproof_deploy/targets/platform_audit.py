"""The audit of the public platform: who changed a rule set, and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dialproof.errors import RemoteError, UsageError
from dialproof_deploy.state import is_time, utc_text
from dialproof_deploy.targets.answers import MOST_PAGES, check_fields, endless, json_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dialproof_deploy.api.client import ApiClient

__all__ = ["check_interval", "rule_set_events"]

_PATH = "/api/v2/audits/query"
_PAGE_SIZE = "500"
_POLLS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds before each look whether a query has ended
_RELATIVE = re.compile(r"([0-9]{1,6})([mhd])")
_UNIT = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DURATION = re.compile(r"P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?")
_VERBS = {"Create": "created", "Update": "updated", "Delete": "deleted"}


def rule_set_events(client: ApiClient, interval: str, *, sleep: Callable[[float], object]) -> Iterator[dict[str, Any]]:
    """Yield ``{timestamp, eventName, entityId, entityName, user}`` for each change of a rule set, oldest first.

    ``interval`` is ``24h`` (30m, 7d) or one of ISO 8601; ``user`` is the name of who did it, or the OAuth client.
    Raises ``UsageError`` for another interval, and ``RemoteError`` where the platform refuses the query or does not
    finish it.
    """
    query = {
        "interval": _interval(interval),
        "serviceName": "Outbound",
        "filters": [{"property": "EntityType", "value": "RuleSet"}],
        "sort": [{"name": "Timestamp", "sortOrder": "ascending"}],
    }
    started = json_object(client.request("POST", _PATH, body=query, idempotent=True).body, "the audit")
    check_fields(started, {"id": str}, "the server's answer for the audit")
    path = f"{_PATH}/{quote(started['id'], safe='')}"
    _wait(client, path, started, sleep)
    params = {"pageSize": _PAGE_SIZE, "expand": "user"}
    for _ in range(MOST_PAGES):
        page = json_object(client.request("GET", f"{path}/results", params=params).body, "the audit")
        for message in page.get("entities") or ():
            if isinstance(message, dict) and message.get("status") in (None, "SUCCESS"):
                yield _event(message)
        cursor = page.get("cursor")
        if not isinstance(cursor, str) or not cursor or cursor == params.get("cursor"):
            return
        params["cursor"] = cursor
    raise endless("the audit")


def _wait(client: ApiClient, path: str, status: Mapping[str, Any], sleep: Callable[[float], object]) -> None:
    for seconds in _POLLS:
        if status.get("state") == "Succeeded":
            return
        if status.get("state") in ("Failed", "Cancelled"):
            raise RemoteError(f"the query of the audit ended as {status['state']}")
        sleep(seconds)
        status = json_object(client.request("GET", path).body, "the audit")
    if status.get("state") != "Succeeded":
        raise RemoteError("the query of the audit did not end in time")


def check_interval(text: str) -> str:
    """Return an interval as it is; raises ``UsageError`` that says what one looks like."""
    parts = text.split("/")
    durations = [part for part in parts if _DURATION.fullmatch(part)]
    whole = len(parts) == 2 and len(durations) < 2 and all(is_time(part) for part in parts if part not in durations)
    if not whole and not _RELATIVE.fullmatch(text):
        raise UsageError(
            f"the interval {text!r} is none: expected 24h, 30m or 7d, or an ISO 8601 interval such as "
            "2026-03-07T00:00:00Z/2026-03-08T00:00:00Z"
        )
    return text


def _interval(text: str) -> str:
    relative = _RELATIVE.fullmatch(check_interval(text))
    if relative is None:
        return text
    now = datetime.now(UTC)
    return f"{utc_text(now - int(relative[1]) * _UNIT[relative[2]])}/{utc_text(now + _UNIT['m'])}"


def _event(message: Mapping[str, Any]) -> dict[str, Any]:
    action = str(message.get("action"))
    return {
        "timestamp": message.get("eventDate"),
        "eventName": f"outbound.ruleset.{_VERBS.get(action, action.lower())}",
        "entityId": _object(message, "entity").get("id"),
        "entityName": _object(message, "entity").get("name"),
        "user": _who(message),
    }


def _who(message: Mapping[str, Any]) -> str:
    user, client = _object(message, "user"), _object(message, "client")
    if user.get("id"):
        return str(user.get("name") or user["id"])
    return f"client {client['id']}" if client.get("id") else ""


def _object(message: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = message.get(key)
    return value if isinstance(value, dict) else {}
