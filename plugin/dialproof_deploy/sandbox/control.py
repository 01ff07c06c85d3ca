"""The routes below ``/_sandbox/``: what a test asks of the sandbox itself, without rate limit and faults."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dialproof_deploy.sandbox.documents import CONTACT_LISTS, KINDS, Actor
from dialproof_deploy.sandbox.seeding import seed
from dialproof_deploy.sandbox.web import Handler, Service, read_json

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["routes"]


def routes(service: Service) -> list[Route]:
    """Return the control routes; all but the health call ask for HTTP Basic with the client's credentials."""

    def route(method: str, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            service.credentials.check(request.headers.get("authorization"))
            return await handler(request)

        return Route(f"/_sandbox/{path}", endpoint, methods=[method])

    async def health(_: Request) -> Response:
        # the id tells a client that found this address in a file whether it has found the right server
        body = {"status": "ok", "service": "dialproof-sandbox", "client_id": service.credentials.client_id}
        return JSONResponse(body)

    async def add_faults(request: Request) -> Response:
        service.faults.add(await read_json(request))
        return JSONResponse({"faults": service.faults.as_json()}, 201)

    async def list_faults(_: Request) -> Response:
        return JSONResponse({"faults": service.faults.as_json()})

    async def clear_faults(_: Request) -> Response:
        service.faults.clear()
        return Response(status_code=204)

    async def list_requests(_: Request) -> Response:
        counts = [
            {"method": method, "path": path, "status": status, "count": count}
            for (method, path, status), count in service.requests.items()
        ]
        return JSONResponse({"requests": counts, "total": sum(service.requests.values())})

    async def reset(_: Request) -> Response:
        service.reset()
        return Response(status_code=204)

    async def get_settings(_: Request) -> Response:
        return JSONResponse(service.settings.as_json())

    async def change_settings(request: Request) -> Response:
        service.settings.change(await read_json(request))
        return JSONResponse(service.settings.as_json())

    def somebody_else(request: Request) -> Actor:
        name = request.query_params.get("user") or "Somebody Else"
        client, user = (str(uuid.uuid5(uuid.NAMESPACE_URL, text)) for text in ("client of the user interface", name))
        return Actor(client, user, name)

    async def put_document(kind: str, request: Request) -> Response:
        body = await read_json(request)
        with service.documents.session(somebody_else(request)) as session:
            return JSONResponse(seed(session, kind, request.path_params["key"], body))

    async def delete_document(kind: str, request: Request) -> Response:
        with service.documents.session(somebody_else(request)) as session:
            session.remove(kind, request.path_params["key"])
        if kind == CONTACT_LISTS:
            service.contacts.replace(request.path_params["key"], [])
        return Response(status_code=204)

    async def put_contacts(request: Request) -> Response:
        service.documents.read(CONTACT_LISTS, request.path_params["key"])
        count = service.contacts.replace(request.path_params["key"], await read_json(request))
        return JSONResponse({"count": count})

    return [
        Route("/_sandbox/health", health, methods=["GET"]),
        route("POST", "faults", add_faults),
        route("GET", "faults", list_faults),
        route("DELETE", "faults", clear_faults),
        route("GET", "requests", list_requests),
        route("POST", "reset", reset),
        route("GET", "settings", get_settings),
        route("PUT", "settings", change_settings),
        route("PUT", f"{CONTACT_LISTS}/{{key}}/contacts", put_contacts),
        *(
            route(method, f"{kind}/{{key}}", partial(handler, kind))
            for kind in KINDS
            for method, handler in (("PUT", put_document), ("DELETE", delete_document))
        ),
    ]
