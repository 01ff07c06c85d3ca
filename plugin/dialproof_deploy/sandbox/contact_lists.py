"""The routes of contact lists and their export, as the public platform has them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dialproof_deploy.sandbox.contacts import as_csv
from dialproof_deploy.sandbox.documents import CONTACT_LISTS, self_uri
from dialproof_deploy.sandbox.errors import ApiError, detail, refused
from dialproof_deploy.sandbox.events import iso
from dialproof_deploy.sandbox.paging import filtered, listing_of
from dialproof_deploy.sandbox.web import Handler, Service, read_json, secured

if TYPE_CHECKING:
    from starlette.requests import Request

    from dialproof_deploy.sandbox.documents import Document

__all__ = ["routes"]

_PATH: Final = "/api/v2/outbound/contactlists"
_DOWNLOADS: Final = "/api/v2/downloads"
_VIEW: Final = "outbound:contactList:view"
_CONTACTS: Final = "outbound:contact:view"
_EXPORT: Final = "export"
_DOWNLOAD: Final = "download"


def routes(service: Service) -> list[Route]:
    """Return the routes of contact lists over ``service``."""
    calls = _Calls(service)

    def route(method: str, path: str, handler: Handler, *permissions: str) -> Route:
        return Route(path, secured(service, handler, *permissions), methods=[method])

    one = _PATH + "/{list_id}"
    return [
        route("GET", _PATH, calls.list_contact_lists, _VIEW),
        route("GET", one, calls.get_contact_list, _VIEW),
        route("GET", one + "/contacts/{contact_id}", calls.get_contact, _CONTACTS),
        route("POST", one + "/export", calls.start_export, _VIEW, _CONTACTS),
        route("GET", one + "/export", calls.get_export, _VIEW, _CONTACTS),
        route("GET", _DOWNLOADS + "/{download_id}", calls.download),
    ]


class _Calls:
    """One method a call."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._documents = service.documents
        self._contacts = service.contacts
        self._jobs = service.jobs

    async def list_contact_lists(self, request: Request) -> Response:
        found = filtered(request, self._documents.listed(CONTACT_LISTS))
        return JSONResponse(listing_of(request, _PATH, [self._sized(request, entity) for entity in found]))

    async def get_contact_list(self, request: Request) -> Response:
        return JSONResponse(self._sized(request, self._list(request)))

    async def get_contact(self, request: Request) -> Response:
        return JSONResponse(self._contacts.get(self._list(request)["id"], request.path_params["contact_id"]))

    async def start_export(self, request: Request) -> Response:
        contact_list = self._list(request)
        if await read_json(request, optional=True) not in (None, {}):
            raise refused([detail("body", "invalid.value", "the sandbox exports whole contact lists alone")])
        key, download = contact_list["id"], str(uuid.uuid4())
        self._jobs.start(_DOWNLOAD, download, as_csv(contact_list, self._contacts.all(key)))
        self._jobs.start(_EXPORT, key, {"download": download, "timestamp": iso(self._service.store.now())})
        return JSONResponse({"id": download, "selfUri": f"{self_uri(CONTACT_LISTS, key)}/export"})

    async def get_export(self, request: Request) -> Response:
        key = self._list(request)["id"]
        job = self._jobs.ask(_EXPORT, key)
        if job is None or not job.done:
            raise ApiError(404, "no.available.list.export.uri", f"no export of contact list {key} is ready")
        uri = str(request.base_url.replace(path=f"{_DOWNLOADS}/{job.body['download']}"))
        if request.query_params.get("download") == "true":
            return RedirectResponse(uri, 303)
        return JSONResponse({"uri": uri, "exportTimestamp": job.body["timestamp"]})

    async def download(self, request: Request) -> Response:
        job = self._jobs.ask(_DOWNLOAD, request.path_params["download_id"])
        if job is None:
            raise ApiError(404, "not.found", "no such download")
        return Response(job.body, media_type="text/csv; charset=utf-8")

    def _list(self, request: Request) -> Document:
        return self._documents.read(CONTACT_LISTS, request.path_params["list_id"])

    def _sized(self, request: Request, contact_list: Document) -> Document:
        if request.query_params.get("includeSize") != "true":
            return contact_list
        return {**contact_list, "size": self._contacts.count(contact_list["id"])}
