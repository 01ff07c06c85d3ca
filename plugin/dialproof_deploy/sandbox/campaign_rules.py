"""The routes of the campaign-rules contract: the rules of a campaign, and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dialproof_deploy.sandbox.documents import CAMPAIGNS, self_uri
from dialproof_deploy.sandbox.errors import ApiError
from dialproof_deploy.sandbox.events import EventQuery
from dialproof_deploy.sandbox.paging import listing, page_of
from dialproof_deploy.sandbox.rule_body import check_rule
from dialproof_deploy.sandbox.web import Handler, Service, read_json, secured

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["routes"]

_READ: Final = "outbound:campaign:read"
_WRITE: Final = "outbound:rule:write"
_EVENTS: Final = "analytics:events:read"

_RULES: Final = "/api/v2/outbound/campaigns/{campaign_id}/rules"
_RULE: Final = _RULES + "/{rule_id}"
_EVENT_QUERY: Final = "/api/v2/analytics/events/query"


def routes(service: Service) -> list[Route]:
    """Return the contract's routes over ``service``."""
    calls = _Calls(service)

    def route(method: str, path: str, scope: str, handler: Handler) -> Route:
        return Route(path, secured(service, handler, scope), methods=[method])

    return [
        route("GET", _RULES, _READ, calls.list_rules),
        route("POST", _RULES, _WRITE, calls.create_rule),
        route("GET", _RULE, _READ, calls.get_rule),
        route("PUT", _RULE, _WRITE, calls.update_rule),
        route("DELETE", _RULE, _WRITE, calls.delete_rule),
        route("POST", _EVENT_QUERY, _EVENTS, calls.query_events),
        # a nextPageUri carries the whole query: both ways to follow it work
        route("GET", _EVENT_QUERY, _EVENTS, calls.query_events),
    ]


class _Calls:
    """One method a call of the contract."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._rules = service.rules

    async def list_rules(self, request: Request) -> Response:
        campaign_id = request.path_params["campaign_id"]
        page = self._rules.list_rules(campaign_id, request.query_params.get("name"), *page_of(request))
        path = f"{self_uri(CAMPAIGNS, campaign_id)}/rules"
        return JSONResponse(listing(request, path, page.entities, page.total))

    async def create_rule(self, request: Request) -> Response:
        body = check_rule(await read_json(request))
        return JSONResponse(self._rules.create_rule(request.path_params["campaign_id"], body), 201)

    async def get_rule(self, request: Request) -> Response:
        return JSONResponse(self._rules.rule(**request.path_params))

    async def update_rule(self, request: Request) -> Response:
        body = check_rule(await read_json(request))
        return JSONResponse(self._rules.update_rule(**request.path_params, body=body))

    async def delete_rule(self, request: Request) -> Response:
        self._rules.delete_rule(**request.path_params)
        return Response(status_code=204)

    async def query_events(self, request: Request) -> Response:
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            query = EventQuery.from_cursor(cursor)
        elif request.method == "POST":
            body = await read_json(request)
            query = EventQuery.from_body(body, self._service.clock(), self._service.settings.event_page_size)
        else:
            raise ApiError(405, "method.not.allowed", "a query starts with POST; GET only follows a nextPageUri")
        events, following = self._rules.events(query)
        next_uri = None if following is None else f"{_EVENT_QUERY}?{urlencode({'cursor': following})}"
        return JSONResponse({"events": events, "nextPageUri": next_uri})
