"""The routes below ``/_sandbox/``: what a test asks of the sandbox itself, without rate limit and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dialproof_deploy.sandbox.errors import detail, invalid
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
        service.store.reset()
        service.faults.clear()
        service.requests.clear()
        return Response(status_code=204)

    async def put_campaign(request: Request) -> Response:
        body = await read_json(request)
        if not isinstance(body, dict):
            raise invalid([detail("body", "invalid.value", "expected a JSON object")])
        name, status = body.get("name"), body.get("campaignStatus")
        problems = []
        if not isinstance(name, str | None):
            problems.append(detail("name", "invalid.value", "expected a string"))
        if status not in (None, "on", "off"):
            problems.append(detail("campaignStatus", "invalid.value", "expected on or off"))
        if problems:
            raise invalid(problems)
        return JSONResponse(service.store.put_campaign(request.path_params["campaign_id"], name, status))

    return [
        Route("/_sandbox/health", health, methods=["GET"]),
        route("POST", "faults", add_faults),
        route("GET", "faults", list_faults),
        route("DELETE", "faults", clear_faults),
        route("GET", "requests", list_requests),
        route("POST", "reset", reset),
        route("PUT", "campaigns/{campaign_id}", put_campaign),
    ]
