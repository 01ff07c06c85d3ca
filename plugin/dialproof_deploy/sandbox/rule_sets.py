"""The routes of rule sets, as the public platform has them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dialproof_deploy.sandbox.documents import CAMPAIGNS, RULE_SETS
from dialproof_deploy.sandbox.errors import ApiError, detail, refused
from dialproof_deploy.sandbox.fields import check_version
from dialproof_deploy.sandbox.paging import filtered, listing_of
from dialproof_deploy.sandbox.rule_set_body import check_rule_set, rewritten
from dialproof_deploy.sandbox.web import Handler, Service, read_json, secured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from dialproof_deploy.sandbox.documents import Session

__all__ = ["routes"]

_PATH: Final = "/api/v2/outbound/rulesets"


def routes(service: Service) -> list[Route]:
    """Return the routes of rule sets over ``service``."""
    calls = _Calls(service)

    def route(method: str, path: str, permission: str, handler: Handler) -> Route:
        return Route(path, secured(service, handler, f"outbound:ruleSet:{permission}"), methods=[method])

    one = _PATH + "/{rule_set_id}"
    return [
        route("GET", _PATH, "view", calls.list_rule_sets),
        route("POST", _PATH, "add", calls.create_rule_set),
        route("GET", one, "view", calls.get_rule_set),
        route("PUT", one, "edit", calls.update_rule_set),
        route("DELETE", one, "delete", calls.delete_rule_set),
    ]


class _Calls:
    """One method a call."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._documents = service.documents

    async def list_rule_sets(self, request: Request) -> Response:
        found = filtered(request, self._documents.listed(RULE_SETS))
        return JSONResponse(listing_of(request, _PATH, found))

    async def get_rule_set(self, request: Request) -> Response:
        return JSONResponse(self._documents.read(RULE_SETS, request.path_params["rule_set_id"]))

    async def create_rule_set(self, request: Request) -> Response:
        body = check_rule_set(await read_json(request))
        with self._documents.session(self._service.client) as session:
            self._check_number(session)
            key = str(uuid.uuid4())
            _check_name(session, key, body["name"])
            return JSONResponse(session.save(RULE_SETS, key, _fields(body, {})))

    async def update_rule_set(self, request: Request) -> Response:
        body = check_rule_set(await read_json(request))
        key = request.path_params["rule_set_id"]
        with self._documents.session(self._service.client) as session:
            stored = session.get(RULE_SETS, key)
            check_version(body.get("version"), stored["version"])
            _check_name(session, key, body["name"])
            return JSONResponse(session.save(RULE_SETS, key, _fields(body, stored)))

    async def delete_rule_set(self, request: Request) -> Response:
        key = request.path_params["rule_set_id"]
        with self._documents.session(self._service.client) as session:
            session.get(RULE_SETS, key)
            users = [
                campaign
                for campaign in session.listed(CAMPAIGNS)
                if any(reference["id"] == key for reference in campaign.get("ruleSets") or [])
            ]
            if users:
                message = f"in use by {', '.join(campaign['name'] for campaign in users)}"
                more = [{"entityId": campaign["id"], "entityName": campaign["name"]} for campaign in users]
                details = [detail("id", "referential.integrity.error", message, **entry) for entry in more]
                raise ApiError(400, "referential.integrity.error", f"rule set {key}: {message}", details)
            session.remove(RULE_SETS, key)
        return Response(status_code=200)

    def _check_number(self, session: Session) -> None:
        most = self._service.settings.rule_sets
        if len(session.names(RULE_SETS)) >= most:
            limit = {"key": "rule.sets", "namespace": "outbound", "value": most}
            raise ApiError(
                400, "max.entity.count.reached", f"the organisation has {most} rule sets already", limit=limit
            )


def _check_name(session: Session, key: str, name: str) -> None:
    for other, taken in session.names(RULE_SETS).items():
        if taken == name and other != key:
            raise refused([detail("name", "duplicate.name", "taken by another rule set", entityId=other)])


def _fields(body: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    known = [rule["id"] for rule in stored.get("rules", ()) if "id" in rule]
    return {
        "name": body["name"],
        "contactList": body.get("contactList"),
        "queue": body.get("queue"),
        "rules": rewritten(body, known),
    }
