"""The events query: what is recorded, filters, intervals and pages."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dialproof_deploy.sandbox.events import parse_interval

QUERY = "/api/v2/analytics/events/query"
NAMES = ["outbound.rule.created", "outbound.rule.updated", "outbound.rule.deleted"]


def query(api: Any, **changes: Any) -> dict[str, Any]:
    """Return the answer to a query of campaign c1."""
    body = {"eventNames": NAMES, "query": "campaignId eq 'c1'", "interval": "24h"} | changes
    answer = api.http.post(QUERY, json={key: value for key, value in body.items() if value is not None})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def test_every_change_is_an_event(api: Any, clock: Any, make_rule: Any) -> None:
    """Create, update and delete are recorded in order, with the time and the rule; failed calls are not."""
    first, second = api.create("a", 1), api.create("b", 2)
    clock.now += 0.25
    api.http.put(first["selfUri"], json=make_rule("a", 1, version=2))
    api.http.put(first["selfUri"], json=make_rule("a", 1, version=2))
    clock.now += 60
    api.http.delete(second["selfUri"])
    api.http.delete(second["selfUri"])
    assert query(api) == {
        "events": [
            {"timestamp": "2026-03-07T12:00:00.000Z", "eventName": NAMES[0], "entityId": first["id"]},
            {"timestamp": "2026-03-07T12:00:00.000Z", "eventName": NAMES[0], "entityId": second["id"]},
            {"timestamp": "2026-03-07T12:00:00.250Z", "eventName": NAMES[1], "entityId": first["id"]},
            {"timestamp": "2026-03-07T12:01:00.250Z", "eventName": NAMES[2], "entityId": second["id"]},
        ],
        "nextPageUri": None,
    }


def test_filters(api: Any, make_rule: Any) -> None:
    """Names and campaign select; without a query all campaigns answer; a quote in an id is doubled."""
    created = api.create("a", 1)
    api.http.put(created["selfUri"], json=make_rule("a", 1, version=2))
    other = api.http.post(api.rules(campaign="o'neil"), json=make_rule("a", 1)).json()

    def ids(**changes: Any) -> list[str]:
        return [event["entityId"] for event in query(api, **changes)["events"]]

    assert ids() == [created["id"]] * 2
    assert ids(eventNames=NAMES[:1]) == [created["id"]]
    assert ids(eventNames=NAMES[2:]) == []
    assert ids(query="campaignId eq 'o''neil'") == [other["id"]]
    assert ids(query="campaignId eq 'nobody'") == []
    assert ids(query=None) == [created["id"]] * 2 + [other["id"]]


def test_intervals(start: Any, connect: Any, clock: Any) -> None:
    """Only events from the start of the interval up to, not at, its end are answered."""
    api = connect(start(token_seconds=1_000_000))
    old = api.create("old", 1)["id"]
    clock.now += 3600
    new = api.create("new", 2)["id"]

    def ids(interval: str) -> list[str]:
        return [event["entityId"] for event in query(api, interval=interval)["events"]]

    assert ids("24h") == ids("1h") == [old, new]
    assert ids("59m") == [new]
    assert ids("2026-03-07T12:00:00Z/2026-03-07T13:00:00Z") == [old]
    assert ids("2026-03-07T05:00:00.001-07:00/2026-03-07T13:00:00.001Z") == [new]
    assert ids("PT1H/2026-03-07T13:00:01Z") == [new]
    clock.now += 86_400
    assert ids("24h") == [new]
    assert ids("23h") == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_are_followed_to_the_end(api: Any, method: str) -> None:
    """Pages of 25 are followed by GET or by POST of the same body until nextPageUri is null, nothing twice."""
    ids = [api.create(f"r{number}", number)["id"] for number in range(1, 61)]
    page = query(api)
    sizes, seen = [], []
    while True:
        sizes.append(len(page["events"]))
        seen += [event["entityId"] for event in page["events"]]
        if page["nextPageUri"] is None:
            break
        body = {"eventNames": NAMES, "interval": "24h"} if method == "POST" else None
        page = api.http.request(method, page["nextPageUri"], json=body).json()
    assert sizes == [25, 25, 10]
    assert seen == ids


def test_events_that_come_while_pages_are_read(api: Any, clock: Any) -> None:
    """The pages of a query show what was there when it started, even if the interval has moved on."""
    ids = [api.create(f"r{number}", number)["id"] for number in range(1, 4)]
    page = query(api, pageSize=2)
    api.create("late", 9)
    clock.now += 300
    following = api.http.get(page["nextPageUri"]).json()
    assert [event["entityId"] for event in page["events"] + following["events"]] == ids
    assert following["nextPageUri"] is None


def test_page_size_is_configurable(start: Any, connect: Any) -> None:
    """A server can be started with small pages; a full last page has no successor."""
    api = connect(start(event_page_size=2))
    for number in range(1, 5):
        api.create(f"r{number}", number)
    page = query(api)
    assert len(page["events"]) == 2
    page = api.http.get(page["nextPageUri"]).json()
    assert (len(page["events"]), page["nextPageUri"]) == (2, None)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"eventNames": None}, ["eventNames"]),
        ({"eventNames": []}, ["eventNames"]),
        ({"eventNames": ["outbound.rule.craeted"]}, ["eventNames"]),
        ({"eventNames": [[]]}, ["eventNames"]),
        ({"eventNames": "outbound.rule.created"}, ["eventNames"]),
        ({"query": "campaignId = 'c1'"}, ["query"]),
        ({"query": 5}, ["query"]),
        ({"interval": None}, ["interval"]),
        ({"interval": "yesterday"}, ["interval"]),
        ({"pageSize": 0}, ["pageSize"]),
        ({"pageSize": True}, ["pageSize"]),
        (
            {"eventNames": None, "query": "", "interval": 24, "pageSize": "x"},
            ["eventNames", "query", "pageSize", "interval"],
        ),
    ],
    ids=str,
)
def test_invalid_queries(api: Any, assert_error: Any, change: Any, fields: Any) -> None:
    """All invalid fields of a query are named at once."""
    body = {"eventNames": NAMES, "interval": "24h"} | change
    sent = {key: value for key, value in body.items() if value is not None}
    error = assert_error(api.http.post(QUERY, json=sent), 400)
    assert [entry["fieldName"] for entry in error["details"]] == fields


def encoded(*fields: Any) -> str:
    """Return a cursor of these fields."""
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "ü",
        encoded(1),
        encoded("ab", None, 0, None, 5, 0, 0),
        encoded(["x"], None, 0, None, 5, 0, 0),
        encoded([], 5, 0, None, 5, 0, 0),
        encoded([], None, 10**30, None, 5, 0, 0),
        encoded([], None, 0, "x", 5, 0, 0),
        encoded([], None, 0, None, 1000, 0, 0),
        encoded([[]], None, 0, None, 5, 0, 0),
        encoded([NAMES[0]], "\ud800", 0, None, 5, 0, 0),
    ],
)
def test_foreign_cursors_are_400(api: Any, assert_error: Any, cursor: str) -> None:
    """A cursor that this server did not write is refused, not a failure."""
    error = assert_error(api.http.get(QUERY, params={"cursor": cursor}), 400)
    assert error["details"][0]["fieldName"] == "cursor"


def test_a_name_may_be_asked_for_again_and_again(api: Any) -> None:
    """However long the list of names is, it holds three at most."""
    created = api.create("a", 1)
    assert [event["entityId"] for event in query(api, eventNames=NAMES[:1] * 10_000)["events"]] == [created["id"]]


def test_bodies_and_methods(api: Any, assert_error: Any) -> None:
    """A query is a POST with an object; GET alone says what is missing."""
    assert_error(api.http.post(QUERY, json=[]), 400)
    assert_error(api.http.get(QUERY), 405)


NOW = datetime(2026, 3, 7, 12, tzinfo=UTC)


def ms(*parts: int) -> int:
    """Return the milliseconds of a UTC time."""
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("24h", (ms(2026, 3, 6, 12), None)),
        ("90m", (ms(2026, 3, 7, 10, 30), None)),
        ("7d", (ms(2026, 2, 28, 12), None)),
        ("2026-03-01/2026-03-02", (ms(2026, 3, 1), ms(2026, 3, 2))),
        ("2026-03-01T00:00:00/P1DT2H3M4S", (ms(2026, 3, 1), ms(2026, 3, 2, 2, 3, 4))),
        ("P1W/2026-03-08T01:00:00+01:00", (ms(2026, 3, 1), ms(2026, 3, 8))),
    ],
)
def test_interval_forms(interval: str, expected: tuple[int, int | None]) -> None:
    """The relative form and the three ISO 8601 forms give milliseconds since the epoch."""
    assert parse_interval(interval, NOW.timestamp()) == expected


@pytest.mark.parametrize(
    "interval",
    ["", "24", "h", "-1h", "P1D/P1D", "2026-03-01", "2026-03-01/", "/2026-03-01", "2026-03-01/P", "P/2026-03-01",
     "2026-03-01/PT", "9999-12-31/P1W", None, 24, "x/y", "2026-03-01/2026-03-02/2026-03-03"],
)  # fmt: skip
def test_interval_errors(interval: object) -> None:
    """Anything else is refused with what is expected."""
    with pytest.raises(ValueError, match="expected 24h or an ISO 8601 interval"):
        parse_interval(interval, NOW.timestamp())
