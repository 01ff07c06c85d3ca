# ruff: noqa: D102 - the methods are those of the contract
"""A server model in memory, behind ``httpx.MockTransport`` or as a ``Target``, and clocks that only tests move."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx

from dialproof.errors import RemoteConflictError
from dialproof_deploy.api.client import ApiClient
from dialproof_deploy.api.credentials import Credentials
from dialproof_deploy.api.errors import NotFoundError
from dialproof_deploy.targets import Written
from dialproof_deploy.targets.wire import content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SECRET = "s3cret-value"
CREDENTIALS = Credentials("https://usw2.mypurecloud.com", "the-client-id", SECRET)


def rule(name: str, order: int, **fields: Any) -> dict[str, Any]:
    """Return a wire rule as the files give it."""
    return {
        "name": name,
        "description": "",
        "version": 1,
        "priority": 100,
        "executionOrder": order,
        "conditions": [{"attribute": "score", "operator": "greaterThan", "value": "5", "type": "number"}],
        "actions": [{"type": "setList", "listId": "gold", "value": "true"}],
        "enabled": True,
        **fields,
    }


def stored(name: str, order: int, version: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a wire rule as a server answers it."""
    return {**rule(name, order, **fields), "id": f"id-{name}", "version": version, "selfUri": f"/rules/id-{name}"}


class Clock:
    """Monotonic seconds and a UTC date that only ``sleep`` moves; ``slept`` are the waits."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 3, 7, 12, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class Campaign:
    """The rules of one campaign, with the server's own checks; each method raises as a target does."""

    def __init__(self, *rules: Mapping[str, Any]) -> None:
        self.rules: dict[str, dict[str, Any]] = {r["id"]: dict(r) for r in rules}
        self.writes: list[tuple[str, str]] = []
        self.watch: Callable[[Campaign], None] = lambda _campaign: None
        self._made = 0

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._check_order(body, None)
        self._made += 1
        key = f"new-{self._made}"
        return self._store("create", {**body, "id": key, "selfUri": f"/rules/{key}"})

    def update(self, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        old = self.get(key)
        if body["version"] != old["version"] + 1:
            raise RemoteConflictError(f"version {old['version'] + 1} expected")
        self._check_order(body, key)
        return self._store("update", {**body, "id": key, "selfUri": old["selfUri"]})

    def get(self, key: str) -> dict[str, Any]:
        if key not in self.rules:
            raise NotFoundError(f"no rule {key}")
        return dict(self.rules[key])

    def delete(self, key: str) -> None:
        name = self.get(key)["name"]
        del self.rules[key]
        self.writes.append(("delete", name))
        self.watch(self)

    def edit(self, name: str, **fields: Any) -> None:
        """Change a rule as somebody in the user interface would."""
        found = next(r for r in self.rules.values() if r["name"] == name)
        self.rules[found["id"]] = {**found, **fields, "version": found["version"] + 1}

    def contents(self) -> dict[str, dict[str, Any]]:
        """Return the content of the rules by name."""
        return {r["name"]: content(r) for r in self.rules.values()}

    def orders(self) -> dict[str, int]:
        """Return the execution order of the rules by name."""
        return {r["name"]: r["executionOrder"] for r in self.rules.values()}

    def versions(self) -> dict[str, int]:
        """Return the stored version of the rules by name."""
        return {r["name"]: r["version"] for r in self.rules.values()}

    def _check_order(self, body: Mapping[str, Any], key: str | None) -> None:
        for other in self.rules.values():
            if other["id"] != key and other["executionOrder"] == body["executionOrder"]:
                raise RemoteConflictError(f"executionOrder {body['executionOrder']} is taken by {other['name']}")

    def _store(self, kind: str, rule_: dict[str, Any]) -> dict[str, Any]:
        self.rules[rule_["id"]] = rule_
        self.writes.append((kind, rule_["name"]))
        self.watch(self)
        return dict(rule_)


class MemoryTarget:
    """The ``Target`` over a ``Campaign``; ``fail`` maps the number of a write (from 1) to the error it raises."""

    def __init__(self, campaign: Campaign, fail: Mapping[int, BaseException] | None = None) -> None:
        self.campaign = campaign
        self.fail = dict(fail or {})
        self.lists = 0
        self._writes = 0

    def list_rules(self, campaign_id: str) -> list[dict[str, Any]]:
        self.lists += 1
        return [dict(r) for r in self.campaign.rules.values()]

    def get_rule(self, campaign_id: str, rule_id: str) -> dict[str, Any]:
        return self.campaign.get(rule_id)

    def create_rule(self, campaign_id: str, rule: Mapping[str, Any]) -> Written:
        return self._written(lambda: self.campaign.create({**content(rule), "version": 1}))

    def update_rule(self, campaign_id: str, planned_from: Mapping[str, Any], rule: Mapping[str, Any]) -> Written:
        body = {**content(rule), "version": planned_from["version"] + 1}
        return self._written(lambda: self.campaign.update(planned_from["id"], body))

    def delete_rule(self, campaign_id: str, planned_from: Mapping[str, Any]) -> Written:
        return self._written(lambda: self.campaign.delete(planned_from["id"]))

    def query_events(self, campaign_id: str, interval: str = "24h") -> Iterator[dict[str, Any]]:
        return iter(())

    def _written(self, write: Callable[[], dict[str, Any] | None]) -> Written:
        self._writes += 1
        if self._writes in self.fail:
            raise self.fail[self._writes]
        return Written(write(), f"request-{self._writes}")


Answer = httpx.Response | Exception


class Server:
    """The campaign-rules contract over a ``Campaign`` as a mock transport; ``faults`` are those of ``serve_with``."""

    def __init__(self, campaign: Campaign | None = None, page_size: int = 100) -> None:
        self.campaign = campaign or Campaign()
        self.page_size = page_size
        self.requests: list[httpx.Request] = []
        self.tokens = 0
        self.valid: set[str] = set()
        self.expires_in = 86400
        self.faults: list[tuple[str, Any]] = []

    @property
    def calls(self) -> list[str]:
        """The requests but those for tokens, as ``METHOD last-part-of-path``."""
        return [f"{r.method} {r.url.path.rpartition('/')[2]}" for r in self.requests if "oauth" not in r.url.path]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return serve_with(self.faults, request, lambda: self._serve(request))

    def _serve(self, request: httpx.Request) -> httpx.Response:
        if "oauth" in request.url.path:
            self.tokens += 1
            self.valid.add(f"token-{self.tokens}")
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": self.expires_in})
        if request.headers["Authorization"].removeprefix("Bearer ") not in self.valid:
            return error(401, "the token is not valid")
        parts = request.url.path.split("/")
        body = json.loads(request.content) if request.content else None
        try:
            if request.url.path.endswith("/rules"):
                return self._rules(request, body)
            if "rules" in parts:
                return self._rule(request.method, parts[-1], body)
        except NotFoundError as problem:
            return error(404, str(problem))
        except RemoteConflictError as problem:
            return error(409, str(problem))
        return httpx.Response(200, json={"id": parts[-1]})

    def _rules(self, request: httpx.Request, body: Any) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json=self.campaign.create(body), headers={"ININ-Correlation-Id": "c-1"})
        number = int(parse_qs(request.url.query.decode()).get("pageNumber", ["1"])[0])
        rules = list(self.campaign.rules.values())
        end = number * self.page_size
        following = f"{request.url.path}?pageNumber={number + 1}" if end < len(rules) else None
        return httpx.Response(200, json={"entities": rules[end - self.page_size : end], "nextUri": following})

    def _rule(self, method: str, key: str, body: Any) -> httpx.Response:
        if method == "DELETE":
            self.campaign.delete(key)
            return httpx.Response(204, headers={"ININ-Correlation-Id": "c-3"})
        found = self.campaign.update(key, body) if method == "PUT" else self.campaign.get(key)
        return httpx.Response(200, json=found, headers={"ININ-Correlation-Id": "c-2"})


def serve_with(
    faults: list[tuple[str, Any]], request: httpx.Request, serve: Callable[[], httpx.Response]
) -> httpx.Response:
    """Serve a request, or let it meet the first of (method, fault) that fits it and is used up by it.

    The method of a request for a token is TOKEN. A fault is an answer to give instead, an exception, ``"lost before"``
    or ``"lost after"`` (the connection breaks before or after the work), or a function that runs before the request is
    served as usual, or gives the answer.
    """
    name = "TOKEN" if "oauth" in request.url.path else request.method
    fault = next((f for f in faults if f[0] == name), None)
    if fault is None:
        return serve()
    faults.remove(fault)
    match fault[1]:
        case httpx.Response() as answer:
            return answer
        case Exception() as problem:
            raise problem
        case "lost before":
            raise httpx.ReadError("broken", request=request)
        case "lost after":
            serve()
            raise httpx.ReadError("broken", request=request)
        case action:
            given = action()
            return given if isinstance(given, httpx.Response) else serve()


def error(status: int, message: str, details: list[Any] | None = None, **headers: str) -> httpx.Response:
    """Return an error answer of the contract."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"message": message, "code": f"code.{status}", "status": status, "details": details or []}
    return httpx.Response(status, json=body, headers=names)


def client(server: Callable[[httpx.Request], httpx.Response], clock: Clock, **options: Any) -> ApiClient:
    """Return a client of the server without jitter, on the test's clock."""
    defaults: dict[str, Any] = {"jitter": lambda: 0.0, "rate_per_minute": 100_000}
    return ApiClient(
        CREDENTIALS.base_url,
        CREDENTIALS,
        transport=httpx.MockTransport(server),
        clock=clock,
        now=clock.now,
        sleep=clock.sleep,
        **(defaults | options),
    )
