"""The public API of rule sets and campaigns in memory, behind ``httpx.MockTransport``."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import httpx
from tests.deploy.target.target_fakes import error, serve_with

from dialproof_deploy.api.client import ApiClient
from dialproof_deploy.api.credentials import Credentials
from dialproof_deploy.targets.rulesets import RuleSetsTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deploy.target.target_fakes import Clock

SET = "Premium routing"
API = "https://api.usw2.pure.cloud"
CREDENTIALS = Credentials(
    API, "the-client-id", "s3cret-value", token_url="https://login.usw2.pure.cloud/oauth/token", scopes=""
)


def rule(name: str, value: str = "5", **fields: Any) -> dict[str, Any]:
    """Return a rule of a set as the files give it."""
    condition = {
        "type": "contactAttributeCondition",
        "attributeName": "score",
        "operator": "GREATER_THAN",
        "value": value,
        "valueType": "NUMERIC",
        "inverted": False,
    }
    action = {"type": "Action", "actionTypeName": "DO_NOT_DIAL", "properties": {}}
    return {"name": name, "category": "DIALER_PRECALL", "conditions": [condition], "actions": [action], **fields}


class Platform:
    """Rule sets and campaigns as a server holds them; it adds ids, names of references and nulls to what is sent.

    ``faults`` are those of ``serve_with``. ``stale`` reads of a rule set show it as it was before its last write.
    ``watch`` is told of each write: what was written, and its version.
    """

    def __init__(self, page_size: int = 100) -> None:
        self.sets: dict[str, dict[str, Any]] = {}
        self.campaigns: dict[str, dict[str, Any]] = {}
        self.warnings: dict[str, list[str]] = {}
        self.requests: list[httpx.Request] = []
        self.faults: list[tuple[str, Any]] = []
        self.tokens = 0
        self.valid: set[str] = {"given"}
        self.stale = 0
        self.page_size = page_size
        self.watch: Callable[[str, int | None], object] = lambda _key, _version: None
        self._earlier: dict[str, dict[str, Any]] = {}
        self._made = 0

    # What people do in the user interface

    def add_set(self, name: str, *rules: dict[str, Any]) -> str:
        """Create a rule set and return its id."""
        return str(self._save(self.sets, None, {"name": name, "rules": self._rules(rules)})["id"])

    def add_campaign(self, key: str, *sets: str, status: str = "off", **fields: Any) -> None:
        """Create a campaign that uses rule sets (ids)."""
        body = {"name": f"Campaign {key}", "campaignStatus": status, "ruleSets": self._references(sets), **fields}
        self._save(self.campaigns, key, body)

    def edit(self, name: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Change a rule set and save it."""
        found = self.named(name)
        body = copy.deepcopy(found)
        change(body)
        self._save(self.sets, found["id"], body)

    def named(self, name: str) -> dict[str, Any]:
        """Return the rule set of this name."""
        return next(found for found in self.sets.values() if found["name"] == name)

    def rules(self, name: str = SET) -> list[str]:
        """Return the names of its rules in their order."""
        return [r["name"] for r in sorted(self.named(name)["rules"], key=lambda r: r["order"])]

    # What clients ask

    @property
    def calls(self) -> list[str]:
        """The requests but those for tokens, as ``METHOD /path-below-outbound``."""
        paths = [(r.method, r.url.path.removeprefix("/api/v2/outbound")) for r in self.requests]
        return [f"{method} {path}" for method, path in paths if "oauth" not in path]

    @property
    def writes(self) -> list[str]:
        """The requests that change something."""
        return [call for call in self.calls if not call.startswith("GET")]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or let it meet its fault."""
        self.requests.append(request)
        return serve_with(self.faults, request, lambda: self._serve(request))

    def _serve(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/oauth/token"):
            self.tokens += 1
            self.valid.add(f"token-{self.tokens}")
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": 86400})
        if request.headers["Authorization"].removeprefix("Bearer ") not in self.valid:
            return error(401, "the token is not valid")
        if path == "/api/v2/tokens/me":
            return httpx.Response(200, json={"organization": {"id": "org-1", "name": "Acme"}})
        body = json.loads(request.content) if request.content else None
        parts = path.removeprefix("/api/v2/outbound/").split("/")
        things = {"rulesets": self.sets, "campaigns": self.campaigns}.get(parts[0])
        if things is None:
            return error(404, path)
        if len(parts) == 1:
            return self._all(request, things, body)
        if parts[1] not in things:
            return error(404, f"no {parts[1]}")
        if parts[2:] == ["diagnostics"]:
            sets = things[parts[1]]["ruleSets"]
            entries = [{"ruleSet": r, "warnings": self.warnings.get(r["name"], [])} for r in sets]
            return httpx.Response(200, json={"ruleSetDiagnostics": entries, "callableContacts": None})
        return self._one(request.method, things, parts[1], body)

    def _all(self, request: httpx.Request, things: dict[str, dict[str, Any]], body: Any) -> httpx.Response:
        query = request.url.params
        if request.method == "POST":
            if any(found["name"] == body["name"] for found in things.values()):
                return error(400, "taken", [{"errorCode": "duplicate.name", "fieldName": "name"}])
            made = self._save(things, None, {**body, "rules": self._rules(body["rules"])})
            return httpx.Response(200, json=made, headers={"ININ-Correlation-Id": "c-1"})
        name = query.get("name")
        exact = query.get("filterType") == "Equals"
        found = [t for t in things.values() if not name or (t["name"] == name if exact else t["name"].startswith(name))]
        number = int(query.get("pageNumber", "1"))
        page = found[(number - 1) * self.page_size : number * self.page_size]
        count = -(-len(found) // self.page_size)
        return httpx.Response(
            200, json={"entities": page, "pageNumber": number, "pageCount": count, "total": len(found)}
        )

    def _one(self, method: str, things: dict[str, dict[str, Any]], key: str, body: Any) -> httpx.Response:
        stored = things[key]
        if method == "DELETE":
            if any(r["id"] == key for c in self.campaigns.values() for r in c["ruleSets"]):
                return error(400, "in use", [{"errorCode": "referential.integrity.error"}])
            del things[key]
            self.watch(key, None)
            return httpx.Response(200)
        if method == "PUT":
            if body["version"] != stored["version"]:
                return error(409, "wrong version", [{"errorCode": "invalid.update.wrong.version"}])
            if things is self.sets:
                body["rules"] = self._rules(body["rules"], {r["id"] for r in stored["rules"]})
            else:
                body["ruleSets"] = self._references([r["id"] for r in body["ruleSets"]])
            made = self._save(things, key, body)
            return httpx.Response(200, json=made, headers={"ININ-Correlation-Id": "c-2"})
        if self.stale and key in self._earlier:
            self.stale -= 1
            return httpx.Response(200, json=self._earlier[key])
        return httpx.Response(200, json=stored)

    def _save(self, things: dict[str, dict[str, Any]], key: str | None, body: dict[str, Any]) -> dict[str, Any]:
        self._made += 1
        key = key or f"id-{self._made}"
        if key in things:
            self._earlier[key] = things[key]
        version = things[key]["version"] + 1 if key in things else 1
        things[key] = {**body, "id": key, "version": version, "dateModified": f"day {self._made}", "selfUri": f"/{key}"}
        self.watch(key, version)
        return things[key]

    def _rules(self, rules: Any, known: set[str] | frozenset[str] = frozenset()) -> list[dict[str, Any]]:
        """Return rules as the server stores them."""
        stored = []
        for place, body in enumerate(rules):
            self._made += 1
            key = body.get("id") if body.get("id") in known else f"rule-{self._made}"
            conditions = [{**c, "codes": c.get("codes"), "propertyType": None} for c in body["conditions"]]
            actions = [{**a, "contactIdField": None} for a in body["actions"]]
            stored.append({"order": place, **body, "id": key, "conditions": conditions, "actions": actions})
        return stored

    def _references(self, keys: Any) -> list[dict[str, Any]]:
        return [{"id": key, "name": self.sets[key]["name"], "selfUri": f"/{key}"} for key in keys]


def target(platform: Callable[[httpx.Request], httpx.Response], clock: Clock, **options: Any) -> RuleSetsTarget:
    """Return a target over the platform, whose waits are the clock's."""
    defaults: dict[str, Any] = {"jitter": lambda: 0.0, "rate_per_minute": 100_000}
    client = ApiClient(
        API,
        CREDENTIALS,
        transport=httpx.MockTransport(platform),
        clock=clock,
        now=clock.now,
        sleep=clock.sleep,
        **(defaults | options),
    )
    made = RuleSetsTarget(client, sleep=clock.sleep)
    made.use_sets_in({SET: ["c1"]})
    return made
