"""The whole contract by a client that is not httpx and opens a connection for each call."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class Urllib:
    """Calls one server with urllib, past any proxy."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.authorization = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None, *, form: dict[str, str] | None = None) -> tuple[int, Any]:
        """Return status and JSON of one call."""
        data, kind = None, "application/json"
        if form is not None:
            data, kind = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif body is not None:
            data = json.dumps(body).encode()
        headers = {"Content-Type": kind, "Authorization": self.authorization}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=10) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


def test_the_contract_from_token_to_events(start: Any) -> None:
    """Token, create, list, swap of two orders, stale update, delete, 404 and events, as another client does it."""
    sandbox = start()
    client = Urllib(sandbox.url)
    basic = base64.b64encode(f"{sandbox.client_id}:{sandbox.client_secret}".encode()).decode()
    client.authorization = f"Basic {basic}"
    form = {
        "grant_type": "client_credentials",
        "scope": "outbound:rule:write outbound:campaign:read analytics:events:read",
    }
    status, token = client.call("POST", "/oauth/token", form=form)
    assert status == 200
    client.authorization = f"{token['token_type']} {token['access_token']}"

    rules = "/api/v2/outbound/campaigns/cmp_123/rules"
    created = []
    for order, name in enumerate(("suppress", "route"), start=1):
        body = {
            "name": name,
            "description": name,
            "version": 1,
            "priority": 100 * order,
            "executionOrder": order,
            "conditions": [{"attribute": "state", "operator": "equals", "value": "TX", "type": "string"}],
            "actions": [{"type": "setList", "listId": "l", "value": "true"}],
            "enabled": True,
        }
        status, answer = client.call("POST", rules, body)
        assert status == 201
        assert {key: answer[key] for key in body} == body
        created.append(answer)
    first, second = created

    status, page = client.call("GET", rules + "?pageSize=1")
    assert (status, page["entities"]) == (200, [first])
    status, page = client.call("GET", page["nextUri"])
    assert (status, page["entities"], page["nextUri"]) == (200, [second], None)

    # two rules change places by way of a third one
    status, error = client.call("PUT", first["selfUri"], first | {"version": 2, "executionOrder": 2})
    assert (status, error["code"]) == (409, "duplicate.execution.order")
    for rule, order, version in ((first, 3, 2), (second, 1, 2), (first, 2, 3)):
        status, answer = client.call("PUT", rule["selfUri"], rule | {"version": version, "executionOrder": order})
        assert (status, answer["executionOrder"], answer["version"]) == (200, order, version)
    status, error = client.call("PUT", first["selfUri"], first | {"version": 3})
    assert (status, error["code"]) == (409, "invalid.update.wrong.version")

    assert client.call("DELETE", second["selfUri"]) == (204, None)
    status, error = client.call("GET", second["selfUri"])
    assert (status, sorted(error)) == (404, ["code", "contextId", "details", "errors", "message", "status"])

    names = [f"outbound.rule.{what}" for what in ("created", "updated", "deleted")]
    query = {"eventNames": names, "query": "campaignId eq 'cmp_123'", "interval": "24h", "pageSize": 4}
    status, page = client.call("POST", "/api/v2/analytics/events/query", query)
    assert (status, len(page["events"])) == (200, 4)
    status, rest = client.call("POST", page["nextPageUri"], query)
    assert (status, rest["nextPageUri"]) == (200, None)
    seen = [(event["eventName"].rpartition(".")[2], event["entityId"]) for event in page["events"] + rest["events"]]
    assert seen == [
        ("created", first["id"]),
        ("created", second["id"]),
        ("updated", first["id"]),
        ("updated", second["id"]),
        ("updated", first["id"]),
        ("deleted", second["id"]),
    ]
