"""Faults on demand and the other control calls."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

DROPPED = (httpx.RemoteProtocolError, httpx.ReadError)


def test_status_fault(api: Any, make_rule: Any, assert_error: Any) -> None:
    """The asked status comes as often as asked, with Retry-After, and nothing is stored meanwhile."""
    api.fault(
        {"method": "POST", "path_contains": "/rules", "kind": "status", "status": 503, "retry_after": 1, "times": 2}
    )
    assert api.names() == []
    for _ in range(2):
        answer = api.http.post(api.rules(), json=make_rule("a", 1))
        assert_error(answer, 503, "injected.fault")
        assert answer.headers["Retry-After"] == "1"
    assert api.names() == []
    assert api.create("a", 1)["name"] == "a"


def test_retry_after_may_be_a_date_or_absent(api: Any, assert_error: Any) -> None:
    """Retry-After is sent as it was given; without one there is no header."""
    date = "Sat, 07 Mar 2026 12:00:05 GMT"
    api.fault({"kind": "status", "status": 429, "retry_after": date}, {"kind": "status", "status": 500})
    answer = api.http.get(api.rules())
    assert_error(answer, 429)
    assert answer.headers["Retry-After"] == date
    answer = api.http.get(api.rules())
    assert_error(answer, 500)
    assert "Retry-After" not in answer.headers


def test_drop_before_stores_nothing(api: Any, make_rule: Any) -> None:
    """The connection is closed without an answer, and the rule is not there."""
    api.fault({"kind": "drop_before"})
    with pytest.raises(DROPPED):
        api.http.post(api.rules(), json=make_rule("a", 1))
    assert api.names() == []


def test_drop_after_has_stored(api: Any, make_rule: Any) -> None:
    """The connection is closed without an answer, and the rule is there: the create that must be looked up."""
    api.fault({"method": "POST", "kind": "drop_after"})
    with pytest.raises(DROPPED):
        api.http.post(api.rules(), json=make_rule("a", 1))
    assert api.names() == ["a"]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_drops_without_and_with_large_bodies(api: Any, make_rule: Any, kind: str) -> None:
    """A call without a body and one with a body of many segments see the closed connection too."""
    api.fault({"kind": kind, "times": 3})
    with pytest.raises(DROPPED):
        api.http.get(api.rules())
    for size in (300_000, 3_000_000):
        with pytest.raises(DROPPED):
            api.http.post(api.rules(), json=make_rule("a", 1, description="x" * size))
    assert api.names() == (["a"] if kind == "drop_after" else [])


def test_truncate(api: Any, make_rule: Any) -> None:
    """The rule is stored and the answer is complete HTTP with half of its JSON."""
    api.fault({"kind": "truncate"})
    answer = api.http.post(api.rules(), json=make_rule("a", 1))
    assert answer.status_code == 201
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()
    whole = api.http.get(api.rules()).json()["entities"]
    assert [entity["name"] for entity in whole] == ["a"]
    assert answer.text.startswith('{"id":"' + whole[0]["id"])


def test_truncate_without_a_body(api: Any) -> None:
    """An answer that has no body stays as it is."""
    created = api.create("a", 1)
    api.fault({"kind": "truncate"})
    assert api.http.delete(created["selfUri"]).status_code == 204
    assert api.http.get(api.rules()).status_code == 200


def test_slow(api: Any) -> None:
    """A slow answer outlasts an impatient client, and a patient one gets it."""
    api.fault({"kind": "slow", "seconds": 30})
    with pytest.raises(httpx.ReadTimeout):
        api.http.get(api.rules(), timeout=0.05)
    api.fault({"kind": "slow", "seconds": 0.001})
    assert api.http.get(api.rules()).status_code == 200


def test_revoke_tokens(api: Any, assert_error: Any) -> None:
    """The request meets 401, as if the token had been revoked on the way, and a new token works."""
    api.fault({"kind": "revoke_tokens", "method": "GET"})
    assert_error(api.http.get(api.rules()), 401, "authentication.required")
    assert_error(api.http.get(api.rules()), 401, "authentication.required")
    api.login()
    assert api.http.get(api.rules()).status_code == 200


def test_faults_are_a_queue(api: Any) -> None:
    """Each request meets the first fault that matches, and skip lets requests pass before it."""
    api.fault(
        {"kind": "status", "status": 500, "path_contains": "/nowhere"},
        {"kind": "status", "status": 501, "method": "get", "skip": 1},
        {"kind": "status", "status": 502, "skip": 2},
    )
    assert [api.http.get(api.rules()).status_code for _ in range(5)] == [200, 501, 200, 502, 200]
    left = api.control("GET", "faults").json()["faults"]
    assert [(fault["status"], fault["times"]) for fault in left] == [(500, 1)]
    assert api.control("DELETE", "faults").status_code == 204
    assert api.control("GET", "faults").json() == {"faults": []}


def test_the_token_call_can_fail_too(api: Any, assert_error: Any) -> None:
    """Faults meet token calls, so that a failing login can be tried."""
    api.fault({"kind": "status", "status": 503, "path_contains": "/oauth/token"})
    form = {"grant_type": "client_credentials"}
    assert_error(api.http.post("/api/v2/oauth/token", auth=api.basic, data=form), 503)


@pytest.mark.parametrize(
    ("fault", "fields"),
    [
        ("x", ["[0]"]),
        ({}, ["[0].kind"]),
        ({"kind": "explode"}, ["[0].kind"]),
        ({"kind": ["slow"]}, ["[0].kind"]),
        ({"kind": "status"}, ["[0].status"]),
        ({"kind": "status", "status": 200}, ["[0].status"]),
        ({"kind": "slow", "seconds": "1", "times": 0, "skip": -1}, ["[0].times", "[0].skip", "[0].seconds"]),
        ({"kind": "slow", "method": 1, "path_contains": None}, ["[0].method", "[0].path_contains"]),
        ({"kind": "status", "status": 503, "retry_after": "a\r\nb: c"}, ["[0].retry_after"]),
        ({"kind": "status", "status": 503, "retry_after": -1}, ["[0].retry_after"]),
        ({"kind": "slow", "time": 2}, ["[0].time"]),
    ],
    ids=str,
)
def test_invalid_faults(api: Any, assert_error: Any, fault: Any, fields: list[str]) -> None:
    """A fault that is not understood is refused with all its problems, and none of the list is queued."""
    for body, at in (([fault, {"kind": "slow"}], "[0]"), ([{"kind": "slow"}, fault], "[1]")):
        error = assert_error(api.control("POST", "faults", json=body), 400)
        assert [entry["fieldName"].replace(at, "[0]", 1) for entry in error["details"]] == fields
    assert api.control("GET", "faults").json() == {"faults": []}


def test_control_calls_ask_for_the_client(api: Any, assert_error: Any) -> None:
    """Without the client's credentials nothing but the health call is answered, and a token does not do."""
    for method, path in (
        ("POST", "faults"),
        ("GET", "faults"),
        ("DELETE", "faults"),
        ("GET", "requests"),
        ("POST", "reset"),
        ("PUT", "campaigns/c1"),
    ):
        assert_error(api.http.request(method, f"/_sandbox/{path}"), 401, "bad.credentials")
    health = httpx.get(f"{api.sandbox.url}/_sandbox/health", trust_env=False)
    assert health.json()["status"] == "ok"
    assert api.sandbox.client_secret not in health.text


def test_requests_are_counted(api: Any, make_rule: Any) -> None:
    """Method, path and status of each call are counted, dropped ones without status; queries and control calls not."""
    api.login()
    api.http.get(api.rules() + "?pageSize=5")
    api.http.get(api.rules())
    api.fault({"kind": "drop_before"}, {"kind": "status", "status": 500})
    with pytest.raises(DROPPED):
        api.http.get(api.rules())
    api.http.get(api.rules())
    api.http.post(api.rules(), json=make_rule("a", 1))
    answer = api.control("GET", "requests")
    assert answer.json() == {
        "requests": [
            {"method": "POST", "path": "/api/v2/oauth/token", "status": 200, "count": 1},
            {"method": "GET", "path": api.rules(), "status": 200, "count": 2},
            {"method": "GET", "path": api.rules(), "status": None, "count": 1},
            {"method": "GET", "path": api.rules(), "status": 500, "count": 1},
            {"method": "POST", "path": api.rules(), "status": 201, "count": 1},
        ],
        "total": 6,
    }


def test_reset(api: Any) -> None:
    """After a reset there are no rules, events, faults and counted requests; token and client still work."""
    api.create("a", 1)
    api.control("PUT", "campaigns/c1", json={"campaignStatus": "on"})
    api.fault({"kind": "status", "status": 500})
    assert api.control("POST", "reset").status_code == 204
    assert api.control("GET", "requests").json() == {"requests": [], "total": 0}
    assert api.names() == []
    assert api.http.get("/api/v2/outbound/campaigns/c1").json()["campaignStatus"] == "off"
    body = {"eventNames": ["outbound.rule.created"], "interval": "24h"}
    assert api.http.post("/api/v2/analytics/events/query", json=body).json()["events"] == []


def test_an_error_of_the_server_has_the_same_shape(
    api: Any, assert_error: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect of the sandbox is a 500 of the common shape, and its traceback is in the log, not in the answer."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("dialproof_deploy.sandbox.documents.Documents.read", fail)
    answer = api.http.get("/api/v2/outbound/campaigns/c1")
    assert_error(answer, 500, "internal.server.error")
    assert "on purpose" not in answer.text
