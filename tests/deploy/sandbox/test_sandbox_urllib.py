"""Both contracts by a client that is not httpx and opens a connection for each call."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from sandbox_bodies import CAMPAIGNS, RULE_SETS, rule_set, wire_rule


class Urllib:
    """Calls one server with urllib, past any proxy."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.authorization = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None, *, form: dict[str, str] | None = None) -> tuple[int, Any]:
        """Return status and JSON of one call."""
        status, text = self._send(method, path, body, form)
        return status, json.loads(text) if text else None

    def text(self, method: str, path: str) -> str:
        """Return the answer of a call that succeeds and is no JSON."""
        status, text = self._send(method, path, None, None)
        assert status == 200
        return text.decode("utf-8-sig")

    def _send(self, method: str, path: str, body: Any, form: dict[str, str] | None) -> tuple[int, bytes]:
        data, kind = None, "application/json"
        if form is not None:
            data, kind = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif body is not None:
            data = json.dumps(body).encode()
        headers = {"Content-Type": kind, "Authorization": self.authorization}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


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


def test_the_public_platform_from_token_to_audit(start: Any) -> None:
    """Rule set, attachment, a colleague's edit, conflict, diagnostics, export and audit, as another client does it."""
    sandbox = start()
    client, colleague = Urllib(sandbox.url), Urllib(sandbox.url)
    basic = base64.b64encode(f"{sandbox.client_id}:{sandbox.client_secret}".encode()).decode()
    client.authorization = colleague.authorization = f"Basic {basic}"
    status, token = client.call("POST", "/oauth/token", form={"grant_type": "client_credentials"})
    assert status == 200
    client.authorization = f"Bearer {token['access_token']}"
    assert client.call("GET", "/api/v2/tokens/me")[1]["organization"]["name"] == "sandbox"

    columns = {"columnNames": ["Phone"], "phoneColumns": [{"columnName": "Phone", "type": "cell"}]}
    assert colleague.call("PUT", "/_sandbox/contactlists/l1", columns)[0] == 200
    assert colleague.call("PUT", "/_sandbox/contactlists/l1/contacts", [{"id": "k", "data": {"Phone": "1"}}])[0] == 200
    colleague.call("PUT", "/_sandbox/campaigns/c1", {"contactList": {"id": "l1"}, "campaignStatus": "on"})

    status, created = client.call("POST", RULE_SETS, rule_set("night", wire_rule("Name is blank", 0)))
    assert (status, created["version"]) == (200, 1)
    status, found = client.call("GET", f"{RULE_SETS}?name=night&filterType=Equals")
    assert [entity["id"] for entity in found["entities"]] == [created["id"]]
    _, campaign = client.call("GET", f"{CAMPAIGNS}/c1")
    status, attached = client.call("PUT", f"{CAMPAIGNS}/c1", campaign | {"ruleSets": [{"id": created["id"]}]})
    assert (status, attached["campaignStatus"]) == (200, "on")

    created["rules"][0]["conditions"][0]["attributeName"] = "Name"
    status, updated = client.call("PUT", created["selfUri"], created)
    assert (status, updated["version"]) == (200, 2)
    _, diagnostics = client.call("GET", f"{CAMPAIGNS}/c1/diagnostics")
    assert diagnostics["ruleSetDiagnostics"][0]["warnings"] == ["CONTACT_ATTRIBUTE_NOT_IN_CONTACT_LIST"]
    colleague.call("PUT", f"/_sandbox/rulesets/{created['id']}?user=Pat", {"name": "day"})
    status, error = client.call("PUT", created["selfUri"], updated)
    assert (status, error["code"]) == (409, "invalid.update.wrong.version")
    status, error = client.call("DELETE", created["selfUri"])
    assert (status, error["code"]) == (400, "referential.integrity.error")

    export = "/api/v2/outbound/contactlists/l1/export"
    assert client.call("POST", export)[0] == 200
    answers = [client.call("GET", export) for _ in range(2)]
    assert [status for status, _ in answers] == [404, 200]
    assert client.text("GET", answers[1][1]["uri"].removeprefix(sandbox.url)).splitlines()[1].startswith('"k","1",')

    query = {"interval": "2026-03-07T00:00:00Z/P1D", "filters": [{"property": "EntityType", "value": "RuleSet"}]}
    state = client.call("POST", "/api/v2/audits/query", query)[1]
    while state["state"] != "Succeeded":
        state = client.call("GET", f"/api/v2/audits/query/{state['id']}")[1]
    _, page = client.call("GET", f"/api/v2/audits/query/{state['id']}/results")
    own = [message["client"]["id"] == sandbox.client_id for message in page["entities"]]
    assert [message["action"] for message in page["entities"]] == ["Update", "Update", "Create"]
    assert own == [False, True, True]
