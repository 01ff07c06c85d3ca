"""Whatever a client sends, no route fails: every answer is the contract's, and what was stored can be listed."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import re
from typing import TYPE_CHECKING, Any

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sandbox_bodies import CAMPAIGNS, RULE_SETS, wire_rule

from dialproof_deploy.sandbox.app import create_app
from dialproof_deploy.sandbox.auth import SCOPES, Tokens
from dialproof_deploy.sandbox.settings import Settings
from dialproof_deploy.sandbox.store import Store
from dialproof_deploy.sandbox.web import Service

if TYPE_CHECKING:
    from starlette.types import ASGIApp

RULES = "/api/v2/outbound/campaigns/c1/rules"
AUDITS = "/api/v2/audits/query"
CONTACT_LISTS = "/api/v2/outbound/contactlists"
QUERY = "/api/v2/analytics/events/query"
RULE = {
    "name": "b",
    "version": 2,
    "priority": 1,
    "executionOrder": 2,
    "conditions": [{"attribute": "a", "operator": "equals", "value": "1", "type": "string"}],
    "actions": [{"type": "setList", "listId": "l", "value": "true"}],
}
VALID: list[dict[str, Any]] = [
    RULE,
    {"eventNames": ["outbound.rule.created"], "query": "campaignId eq 'c1'", "interval": "24h", "pageSize": 1},
    {"kind": "status", "status": 503, "retry_after": 1, "times": 1, "skip": 0},
    {"name": "First", "campaignStatus": "on"},
]

VALID += [
    {"name": "a", "version": 1, "contactList": {"id": "l"}, "rules": [wire_rule("r", 0)]},
    {
        "name": "C",
        "version": 2,
        "campaignStatus": "off",
        "queue": {"id": "q"},
        "ruleSets": [],
        "dncLists": [{"id": "d"}],
    },
    wire_rule("r", 0),
    {"type": "dataActionCondition", "dataAction": {"id": "d"}, "predicates": [{"outputField": "f"}]},
    {"interval": "P1D/2026-03-08", "filters": [{"property": "Action", "value": "x"}], "sort": [{"sortOrder": "x"}]},
    {"data": {"a": "1"}, "callRecords": {"a": {"lastAttempt": "x"}}, "id": "k", "callable": True},
    {"columnNames": ["a"], "phoneColumns": [{"columnName": "a"}], "wrapupCodes": ["w"], "stale_reads": 1},
]

texts = st.text(st.characters(exclude_categories=()), max_size=8)  # half surrogate pairs and NUL too
traps = st.sampled_from(
    [math.inf, -math.inf, "\ud800", 10**30, "P1D/", "99999d", "2026-03-07/9999-12-31T23:59-23:59", "0001-01-01/P1D"]
)
leaves = traps | st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
) | st.sampled_from([1, 61, 62, 63, 200, 950, 963]).map("nested {}".format)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Draw a valid body with something in it replaced, added or left out."""
    body = json.loads(json.dumps(draw(st.sampled_from(VALID))))
    places = [body, *(entry for value in body.values() if isinstance(value, list) for entry in value)]
    place = draw(st.sampled_from([p for p in places if isinstance(p, dict)]))
    key = draw(st.sampled_from(sorted(place)) | texts)
    if draw(st.integers(0, 9)):
        place[key] = draw(values)
    else:
        place.pop(key, None)
    return body


def encode(body: Any) -> bytes:
    """Return a body as JSON, infinity as a number too large, and ``nested N`` as so many lists in one another."""
    text = json.dumps(body).replace("Infinity", "1e999")
    return re.sub('"nested ([0-9]+)"', lambda found: "[" * int(found[1]) + "]" * int(found[1]), text).encode()


def in_a_rule(body: bytes) -> bytes:
    """Return a rule set of which ``body`` is a condition, an action and a rule."""
    rule = b'{"name": "r", "category": "DIALER_PRECALL", "conditions": [%b], "actions": [%b]}' % (body, body)
    return b'{"name": "in", "version": 1, "rules": [%b, %b]}' % (rule, body)


bodies = (mutated() | values).map(encode) | st.binary(max_size=30)
cursors = st.one_of(
    texts.map(lambda text: text.encode("utf-8", "replace")),
    st.tuples(
        st.just(["outbound.rule.created"]) | values,
        st.just("c1") | leaves,
        *([st.just(1) | leaves] * 5),
    ).map(lambda fields: base64.urlsafe_b64encode(encode(fields))),
)


def service() -> Service:
    """Return a sandbox in memory without a limit."""
    store = Store(None, lambda: 0.0)
    clock = lambda: 1_772_884_800.0  # noqa: E731
    return Service(store, store.credentials(), Tokens(clock, SCOPES, 3600), clock, Settings(rate_limit=10**9))


def refuse(constant: str) -> None:
    """Fail on what is not JSON."""
    raise AssertionError(f"{constant} in an answer")


async def ask(app: ASGIApp, method: str, path: str, **options: Any) -> httpx.Response:
    """Send one request to the application, within this process; an error in it is raised here."""
    transport = httpx.ASGITransport(app)
    headers = {"Content-Type": "application/json", **options.pop("headers", {})}
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        answer = await http.request(method, path, headers=headers, **options)
    assert answer.status_code < 500, answer.text
    if answer.headers.get("content-type") == "application/json":
        json.loads(answer.content, parse_constant=refuse)
    return answer


async def check(body: bytes, cursor: bytes, header: bytes, page: str) -> None:
    """Send the four to every route that reads them, and then list what is stored."""
    running = service()
    app = create_app(running)
    created = running.rules.create_rule("c1", RULE | {"name": "a", "version": 1, "executionOrder": 1})
    token = {"Authorization": f"Bearer {running.tokens.issue(None)['access_token']}"}
    own = httpx.BasicAuth(running.credentials.client_id, running.credentials.client_secret)
    rule = f"{RULES}/{created['id']}"
    set_body = json.dumps({"name": "stored", "rules": [wire_rule("r", 0)]}).encode()
    stored = (await ask(app, "POST", RULE_SETS, content=set_body, headers=token)).json()
    try:
        for method, path in (("POST", RULES), ("PUT", rule), ("PUT", f"{RULES}/gone"), ("POST", QUERY)):
            await ask(app, method, path, content=body, headers=token)
        for method, path in (("PUT", "campaigns/c1"), ("POST", "faults"), ("GET", "faults"), ("DELETE", "faults")):
            await ask(app, method, f"/_sandbox/{path}", content=body, auth=own)
        one = f"{RULE_SETS}/{stored['id']}"
        for method, path in (("POST", RULE_SETS), ("PUT", one), ("PUT", f"{CAMPAIGNS}/c1"), ("PUT", f"{CAMPAIGNS}/c2")):
            await ask(app, method, path, content=body, headers=token)
            await ask(app, method, path, content=in_a_rule(body), headers=token)
        for path in (f"rulesets/{stored['id']}", "campaigns/c1", "contactlists/l", "queues/q", "events/e", "settings"):
            await ask(app, "PUT", f"/_sandbox/{path}", content=body, auth=own)
        await ask(app, "PUT", "/_sandbox/contactlists/l/contacts", content=b"[%b]" % body, auth=own)
        for path in (AUDITS, f"{AUDITS}/realtime"):
            await ask(app, "POST", path, content=body, headers=token)
        query = (await ask(app, "POST", AUDITS, content=b'{"interval": "2026-03-07/P1D"}', headers=token)).json()["id"]
        for params in ({}, {}, {"cursor": cursor.decode("latin-1"), "pageSize": page}):
            await ask(app, "GET", f"{AUDITS}/{query}/results", params=params, headers=token)
            await ask(app, "GET", f"{AUDITS}/{query}", headers=token)
        for method, path in (("POST", "export"), ("GET", "export"), ("GET", "export"), ("GET", "contacts/k")):
            await ask(app, method, f"{CONTACT_LISTS}/l/{path}", headers=token)
        for path in (f"{CAMPAIGNS}/c1/diagnostics", CONTACT_LISTS, "/api/v2/outbound/events"):
            assert (await ask(app, "GET", path, headers=token)).status_code == 200
        for path in (RULE_SETS, CAMPAIGNS):
            query = {"pageSize": page, "name": page, "filterType": page, "sortBy": page, "id": page}
            await ask(app, "GET", path, params=query, headers=token)
            assert (await ask(app, "GET", path, headers=token)).status_code == 200
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        await ask(app, "POST", "/oauth/token", content=body, headers=form, auth=own)
        await ask(app, "GET", QUERY, params={"cursor": cursor.decode("latin-1")}, headers=token)
        await ask(app, "GET", RULES, params={"pageSize": page, "pageNumber": page, "name": page}, headers=token)
        for path in (RULES, "/oauth/token"):
            await ask(app, "POST", path, content=body, headers={"Authorization": header, "Content-Type": header})
        listed = await ask(app, "GET", RULES, headers=token)
        assert listed.status_code == (await ask(app, "GET", rule, headers=token)).status_code == 200
    finally:
        running.store.close()


@example(encode(RULE | {"actions": [{"type": "x", "v": math.inf}]}), b"", b"", "1")
@example(encode(RULE | {"actions": [{"type": "x", "v": "nested 950"}]}), b"", b"", "1")
@example(b"", base64.urlsafe_b64encode(encode([["outbound.rule.created"], "\ud800", 0, None, 5, 0, 0])), b"", "1")
@settings(max_examples=100)
@given(
    body=bodies,
    cursor=cursors,
    header=st.binary(max_size=20).map(lambda raw: b"Basic " + raw.translate(None, bytes(range(32)) + b"\x7f")),
    page=st.integers().map(str) | texts.map(lambda text: text.encode("utf-8", "replace").decode()),
)
def test_no_request_is_a_failure_of_the_server(body: bytes, cursor: bytes, header: bytes, page: str) -> None:
    """Malformed bodies, cursors, pages and headers are answered with an error of the client, never with 500."""
    asyncio.run(check(body, cursor, header, page))
