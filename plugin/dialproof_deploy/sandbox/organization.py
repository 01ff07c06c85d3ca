"""The routes of the client and its organisation: tokens, whose they are, and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dialproof_deploy.sandbox.errors import detail, invalid
from dialproof_deploy.sandbox.web import Service, read_form, secured

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["routes"]


def routes(service: Service) -> list[Route]:
    """Return the routes that both contracts share over ``service``."""

    async def token(request: Request) -> Response:
        service.credentials.check(request.headers.get("authorization"))
        form = await read_form(request)
        if form.get("grant_type") != "client_credentials":
            raise invalid([detail("grant_type", "invalid.value", "expected client_credentials")])
        answer = service.tokens.issue(form.get("scope"))
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def get_token(_: Request) -> Response:
        return JSONResponse(
            {
                "organization": {"id": service.organization_id, "name": "sandbox"},
                "OAuthClient": {"id": service.credentials.client_id},
            }
        )

    async def get_limits(_: Request) -> Response:
        limit = {"key": "rule.sets", "namespace": "outbound", "value": service.settings.rule_sets}
        return JSONResponse({"entities": [limit]})

    return [
        Route("/api/v2/oauth/token", token, methods=["POST"]),
        Route("/oauth/token", token, methods=["POST"]),
        Route("/api/v2/tokens/me", secured(service, get_token), methods=["GET"]),
        Route("/api/v2/organizations/limits/namespaces/outbound", secured(service, get_limits), methods=["GET"]),
    ]
