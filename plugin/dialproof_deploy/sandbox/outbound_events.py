"""The routes of the run-time events of outbound dialing, as the public platform has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dialproof_deploy.sandbox.documents import EVENTS
from dialproof_deploy.sandbox.paging import filtered, listing_of
from dialproof_deploy.sandbox.web import Service, secured

if TYPE_CHECKING:
    from starlette.requests import Request

    from dialproof_deploy.sandbox.documents import Document

__all__ = ["routes"]

_PATH: Final = "/api/v2/outbound/events"
_VIEW: Final = "outbound:eventLog:view"


def routes(service: Service) -> list[Route]:
    """Return the routes of events over ``service``; they were put there by a test."""

    async def list_events(request: Request) -> Response:
        wanted = {field: request.query_params.get(field) for field in ("category", "level")}
        found = [
            event
            for event in filtered(request, service.documents.listed(EVENTS))
            if all(value is None or event.get(field) == value for field, value in wanted.items())
        ]
        return JSONResponse(listing_of(request, _PATH, [_event(event) for event in found]))

    async def get_event(request: Request) -> Response:
        return JSONResponse(_event(service.documents.read(EVENTS, request.path_params["event_id"])))

    return [
        Route(_PATH, secured(service, list_events, _VIEW), methods=["GET"]),
        Route(_PATH + "/{event_id}", secured(service, get_event, _VIEW), methods=["GET"]),
    ]


def _event(document: Document) -> Document:
    """Return an event as it is answered: it has a time of its own, and no version."""
    return {name: value for name, value in document.items() if name not in ("dateCreated", "dateModified", "version")}
