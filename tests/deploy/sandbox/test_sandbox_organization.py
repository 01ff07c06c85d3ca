"""Limits of the organisation and its run-time events."""

from __future__ import annotations

from typing import Any

EVENTS = "/api/v2/outbound/events"


def test_limits(api: Any) -> None:
    """The limits are those that hold, as they can be set."""
    path = "/api/v2/organizations/limits/namespaces/outbound"
    api.control("PUT", "settings", json={"rule_sets": 7})
    assert api.http.get(path).json()["entities"] == [{"key": "rule.sets", "namespace": "outbound", "value": 7}]
    assert api.control("GET", "settings").json()["rule_sets"] == 7
    api.control("POST", "reset")
    assert api.control("GET", "settings").json()["rule_sets"] == 1000


def test_a_rate_limit_can_be_set(api: Any, assert_error: Any) -> None:
    """A limit that is set holds from the next request on, and its answer says when to come back."""
    api.control("PUT", "settings", json={"rate_limit": 2})
    headers = [api.http.get(EVENTS).headers for _ in range(2)]
    assert [(h["inin-ratelimit-count"], h["inin-ratelimit-allowed"]) for h in headers] == [("1", "2"), ("2", "2")]
    answer = api.http.get(EVENTS)
    assert_error(answer, 429, "too.many.requests.retry.after")
    assert answer.headers["Retry-After"] == answer.headers["inin-ratelimit-reset"] == "60"


def test_events(api: Any, assert_error: Any) -> None:
    """Events that a test put there are listed by category and level, by pages."""
    message = {"code": "CALL_RULE_MISMATCH_TYPE", "message": "not a number"}
    api.seed("events/e1", {"eventMessage": message, "errorEntity": {"id": "r1"}})
    api.seed("events/e2", {"category": "CAMPAIGN", "level": "INFO"})
    first = api.http.get(f"{EVENTS}/e1").json()
    assert (first["eventMessage"], first["timestamp"]) == (message, "2026-03-07T12:00:00.000Z")
    assert not {"version", "dateCreated", "dateModified"} & set(first)
    for query, ids in (
        ({}, ["e1", "e2"]),
        ({"category": "CALL_RULE"}, ["e1"]),
        ({"level": "INFO"}, ["e2"]),
        ({"category": "CALL_RULE", "level": "INFO"}, []),
        ({"pageSize": "1", "pageNumber": "2"}, ["e2"]),
        ({"sortBy": "timestamp", "sortOrder": "descending"}, ["e2", "e1"]),
    ):
        found = api.http.get(EVENTS, params=query).json()["entities"]
        assert [event["id"] for event in found] == ids
    assert_error(api.http.get(f"{EVENTS}/e3"), 404, "not.found")
