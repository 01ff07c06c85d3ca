"""The routes of campaigns, as the public platform has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dialproof_deploy.sandbox.diagnostics import diagnose
from dialproof_deploy.sandbox.documents import CAMPAIGNS, RULE_SETS
from dialproof_deploy.sandbox.errors import Detail, detail, refused
from dialproof_deploy.sandbox.fields import check_version, is_reference, name_problems
from dialproof_deploy.sandbox.paging import filtered, listing_of
from dialproof_deploy.sandbox.web import Service, read_json, secured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from dialproof_deploy.sandbox.documents import Session

__all__ = ["STATUSES", "routes"]

STATUSES: Final = ("on", "stopping", "off", "complete", "invalid", "forced_off", "forced_stopping")

_PATH: Final = "/api/v2/outbound/campaigns"
_WRITABLE: Final = ("on", "off")
"""What a client may ask for; the other states are the server's own."""


def routes(service: Service) -> list[Route]:
    """Return the routes of campaigns over ``service``."""
    calls = _Calls(service)
    one = _PATH + "/{campaign_id}"
    # the other contract has the same call and its own scope
    get = secured(service, calls.get_campaign, "outbound:campaign:read", "outbound:campaign:view")
    return [
        Route(_PATH, secured(service, calls.list_campaigns, "outbound:campaign:view"), methods=["GET"]),
        Route(one, get, methods=["GET"]),
        Route(one + "/diagnostics", secured(service, calls.diagnose, "outbound:campaign:view"), methods=["GET"]),
        Route(one, secured(service, calls.update_campaign, "outbound:campaign:edit"), methods=["PUT"]),
    ]


class _Calls:
    """One method a call."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._documents = service.documents

    async def list_campaigns(self, request: Request) -> Response:
        found = filtered(request, self._documents.listed(CAMPAIGNS))
        for query, field in (("contactListId", "contactList"), ("distributionQueueId", "queue")):
            wanted = request.query_params.get(query)
            if wanted:
                found = [campaign for campaign in found if (campaign.get(field) or {}).get("id") == wanted]
        return JSONResponse(listing_of(request, _PATH, found))

    async def get_campaign(self, request: Request) -> Response:
        return JSONResponse(self._documents.read(CAMPAIGNS, request.path_params["campaign_id"]))

    async def diagnose(self, request: Request) -> Response:
        with self._documents.session(self._service.client) as session:
            return JSONResponse(diagnose(session, session.get(CAMPAIGNS, request.path_params["campaign_id"])))

    async def update_campaign(self, request: Request) -> Response:
        body = await read_json(request)
        if not isinstance(body, dict):
            raise refused([detail("body", "invalid.value", "expected a JSON object")])
        key = request.path_params["campaign_id"]
        with self._documents.session(self._service.client) as session:
            session.keep_campaign(key)
            stored = session.get(CAMPAIGNS, key)
            problems = list(_problems(session, body, stored))
            if problems:
                raise refused(problems)
            check_version(body.get("version"), stored["version"])
            return JSONResponse(session.save(CAMPAIGNS, key, _fields(body, stored)))


def _problems(session: Session, body: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterator[Detail]:
    yield from name_problems(body)
    status = body.get("campaignStatus")
    if status not in (None, *STATUSES):
        yield detail("campaignStatus", "invalid.value", f"expected one of {', '.join(STATUSES)}")
    elif status not in (None, stored["campaignStatus"]) and (
        status not in _WRITABLE or (stored["campaignStatus"], status) == ("complete", "off")
    ):
        message = f"from {stored['campaignStatus']} to {status} is no step that a campaign can take"
        yield detail("campaignStatus", "invalid.update.bad.status.transition", message)
    for field in ("contactList", "queue"):
        if not (body.get(field) is None or is_reference(body[field])):
            yield detail(field, "invalid.value", "expected an object with an id")
    for field in ("ruleSets", "dncLists"):
        references = [] if body.get(field) is None else body[field]
        if not isinstance(references, list) or not all(map(is_reference, references)):
            yield detail(field, "invalid.value", "expected a list of objects with an id")
        elif field == "ruleSets":
            for index, reference in enumerate(references):
                if session.find(RULE_SETS, reference["id"]) is None:
                    message = f"no rule set {reference['id']}"
                    yield detail(f"ruleSets[{index}]", "rule.set.not.found", message)


def _fields(body: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    status = body.get("campaignStatus") or stored["campaignStatus"]
    return {**body, "campaignStatus": status, "ruleSets": body.get("ruleSets") or []}
