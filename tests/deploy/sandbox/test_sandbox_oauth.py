"""Tokens, scopes and the rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from pathlib import Path

GRANT = {"grant_type": "client_credentials"}


@pytest.mark.parametrize("path", ["/api/v2/oauth/token", "/oauth/token"])
def test_token_is_issued(start: Any, path: str) -> None:
    """Both token paths answer client credentials with a bearer token and its life in seconds."""
    sandbox = start(token_seconds=1200)
    answer = httpx.post(
        sandbox.url + path, auth=(sandbox.client_id, sandbox.client_secret), data=GRANT, trust_env=False
    )
    body = answer.json()
    assert answer.status_code == 200
    assert len(body["access_token"]) > 20
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 1200)
    assert body["scope"].split() == [
        "outbound:campaign:write",
        "outbound:rule:write",
        "analytics:events:read",
        "outbound:campaign:read",
    ]


@pytest.mark.parametrize("secret", ["", "wrong", None])
def test_wrong_secret_is_401(api: Any, assert_error: Any, secret: str | None) -> None:
    """A wrong, empty or absent secret is refused, and the answer does not repeat the right one."""
    auth = None if secret is None else (api.sandbox.client_id, secret)
    del api.http.headers["Authorization"]
    answer = api.http.post("/api/v2/oauth/token", auth=auth, data=GRANT)
    assert_error(answer, 401, "bad.credentials")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert api.sandbox.client_secret not in answer.text


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic é", "Bearer eDp5", "Basic eDp5"])
def test_unreadable_basic_header_is_401(api: Any, assert_error: Any, header: str) -> None:
    """A Basic header that is no base64, or another scheme, is wrong credentials and not a failure."""
    headers = {"Authorization": header.encode()}
    assert_error(api.http.post("/api/v2/oauth/token", headers=headers, data=GRANT), 401, "bad.credentials")


def test_other_grants_and_bodies_are_refused(api: Any, assert_error: Any) -> None:
    """Only a form with client_credentials is answered."""
    post, basic = api.http.post, api.basic
    body = assert_error(post("/oauth/token", auth=basic, data={"grant_type": "password"}), 400)
    assert body["details"][0]["fieldName"] == "grant_type"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert_error(post("/oauth/token", auth=basic, content=b"", headers=form), 400)
    assert_error(post("/oauth/token", auth=basic, content=b"nonsense", headers=form), 400)
    assert_error(post("/oauth/token", auth=basic, content=b"a=\xff\xfe", headers=form), 400)
    assert_error(post("/oauth/token", auth=basic, json=GRANT), 415)


def test_unknown_and_missing_tokens_are_401(api: Any, assert_error: Any) -> None:
    """A call without a token, or with one that was never issued, is not answered."""
    for headers in ({"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
        answer = api.http.get(api.rules(), headers=headers)
        assert_error(answer, 401, "authentication.required")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    del api.http.headers["Authorization"]
    assert_error(api.http.get(api.rules()), 401, "authentication.required")


def test_token_expires(start: Any, connect: Any, clock: Any, assert_error: Any) -> None:
    """A token works until the last second of its life, and a new one works after it."""
    api = connect(start(token_seconds=600))
    clock.now += 599
    assert api.http.get(api.rules()).status_code == 200
    clock.now += 1
    assert_error(api.http.get(api.rules()), 401, "credentials.expired")
    api.login()
    assert api.http.get(api.rules()).status_code == 200


CALLS = [
    ("outbound:campaign:read", "GET", "/api/v2/outbound/campaigns/c1"),
    ("outbound:campaign:read", "GET", "/api/v2/outbound/campaigns/c1/rules"),
    ("outbound:campaign:read", "GET", "/api/v2/outbound/campaigns/c1/rules/r1"),
    ("outbound:rule:write", "POST", "/api/v2/outbound/campaigns/c1/rules"),
    ("outbound:rule:write", "PUT", "/api/v2/outbound/campaigns/c1/rules/r1"),
    ("outbound:rule:write", "DELETE", "/api/v2/outbound/campaigns/c1/rules/r1"),
    ("analytics:events:read", "POST", "/api/v2/analytics/events/query"),
    ("analytics:events:read", "GET", "/api/v2/analytics/events/query"),
]


def test_every_call_names_its_missing_scope(start: Any, connect: Any, assert_error: Any) -> None:
    """A client without the scope of a call gets 403 with that scope in the message, with it something else."""
    scopes = ("outbound:campaign:read", "outbound:rule:write", "analytics:events:read")
    for lacking in scopes:
        api = connect(start(scopes=[scope for scope in scopes if scope != lacking]))
        for scope, method, path in CALLS:
            answer = api.http.request(method, path)
            if scope == lacking:
                body = assert_error(answer, 403, "missing.permissions")
                assert lacking in body["message"]
            else:
                assert answer.status_code != 403


def test_a_token_tells_its_organization(start: Any, connect: Any, tmp_path: Path) -> None:
    """Any token is told the organisation: the same after a restart, another one for another data file."""
    organizations = []
    for state in ("a", "a", "b"):
        api = connect(start(tmp_path / state))
        api.login("outbound:nothing")
        body = api.http.get("/api/v2/tokens/me").json()
        assert body["OAuthClient"] == {"id": api.sandbox.client_id}
        assert body["organization"]["name"] == "sandbox"
        organizations.append(body["organization"]["id"])
        api.sandbox.stop()
    assert organizations[0] == organizations[1] != organizations[2]


def test_a_token_holds_only_the_scopes_asked_for(api: Any, assert_error: Any) -> None:
    """Asking for fewer scopes gives a token that cannot do more; unknown ones are not granted."""
    api.login("outbound:campaign:read outbound:everything")
    assert api.http.get(api.rules()).status_code == 200
    body = assert_error(api.http.post(api.rules(), json={}), 403)
    assert "outbound:rule:write" in body["message"]


def test_rate_limit_by_token(start: Any, connect: Any, clock: Any, assert_error: Any) -> None:
    """The request over the limit of a minute is 429 with the seconds to wait; after them it is answered."""
    api = connect(start(rate_limit=3))
    for used in (1, 2, 3):
        answer = api.http.get(api.rules())
        assert answer.status_code == 200
        assert answer.headers["inin-ratelimit-count"] == str(used)
        assert answer.headers["inin-ratelimit-allowed"] == "3"
        assert answer.headers["inin-ratelimit-reset"] == "60"
    clock.now += 20
    answer = api.http.get(api.rules())
    assert_error(answer, 429, "too.many.requests.retry.after")
    assert answer.headers["Retry-After"] == answer.headers["inin-ratelimit-reset"] == "40"
    other = connect(api.sandbox)
    assert other.http.get(api.rules()).status_code == 200
    clock.now += 40
    assert api.http.get(api.rules()).status_code == 200


def test_errors_carry_the_rate_limit_too(api: Any, assert_error: Any) -> None:
    """A client can steer by the rate limit on answers that are errors."""
    answer = api.http.get(api.rules("gone"))
    assert_error(answer, 404)
    assert answer.headers["inin-ratelimit-count"] == "1"
    assert answer.headers["ININ-Correlation-Id"]
