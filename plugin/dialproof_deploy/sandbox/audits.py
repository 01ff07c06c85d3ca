"""The routes of the audit, as the public platform has them: who changed which rule set, campaign or contact list."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dialproof_deploy.sandbox.documents import KINDS
from dialproof_deploy.sandbox.errors import ApiError, Detail, detail, refused
from dialproof_deploy.sandbox.events import iso, parse_interval
from dialproof_deploy.sandbox.web import Handler, Service, read_json, secured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

__all__ = ["routes"]

_PATH: Final = "/api/v2/audits/query"
_REALTIME: Final = _PATH + "/realtime"
_VIEW: Final = "audits:audit:view"
_QUERY: Final = "audit"
_SERVICE: Final = "Outbound"
_DAYS: Final = 14
"""Days that the realtime query looks back."""
_PAGE_SIZE: Final = 25
_LARGEST_PAGE: Final = 500
_FILTERS: Final = ("UserId", "TrusteeOrganizationId", "ClientId", "Action", "EntityType", "EntityId")
_ORDERS: Final = ("ascending", "descending")


def routes(service: Service) -> list[Route]:
    """Return the routes of the audit over ``service``."""
    calls = _Calls(service)

    def route(method: str, path: str, handler: Handler) -> Route:
        return Route(path, secured(service, handler, _VIEW), methods=[method])

    return [
        route("POST", _PATH, calls.start_query),
        route("POST", _REALTIME, calls.query_realtime),
        route("GET", _PATH + "/servicemapping", calls.get_mapping),
        route("GET", _REALTIME + "/servicemapping", calls.get_mapping),
        route("GET", _PATH + "/{query_id}", calls.get_query),
        route("GET", _PATH + "/{query_id}/results", calls.get_results),
    ]


class _Calls:
    """One method a call."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs = service.jobs

    async def start_query(self, request: Request) -> Response:
        body = _checked(await read_json(request), self._service.clock())
        key = str(uuid.uuid4())
        query = {name: body.get(name) for name in ("interval", "serviceName", "filters", "sort")}
        job = {"query": query, "startDate": iso(self._service.store.now()), "last": self._last()}
        self._jobs.start(_QUERY, key, job)
        return JSONResponse({"id": key, "state": "Queued", "startDate": job["startDate"], **query})

    async def get_query(self, request: Request) -> Response:
        key = request.path_params["query_id"]
        job = self._jobs.ask(_QUERY, key)
        if job is None:
            raise _unknown_query(key)
        state = "Succeeded" if job.done else "Running"
        return JSONResponse({"id": key, "state": state, "startDate": job.body["startDate"], **job.body["query"]})

    async def get_results(self, request: Request) -> Response:
        key = request.path_params["query_id"]
        job = self._jobs.peek(_QUERY, key)
        if job is None:
            raise _unknown_query(key)
        if not job.done:
            raise ApiError(400, "bad.request", f"query {key} has not succeeded yet")
        size = _whole_number(request.query_params, "pageSize", _PAGE_SIZE)
        start = _from_cursor(request.query_params.get("cursor"))
        found = self._find(job.body["query"], job.body["last"], request)
        end = start + size
        cursor = _cursor(end) if end < len(found) else None
        return JSONResponse({"id": key, "pageSize": size, "cursor": cursor, "entities": found[start:end]})

    async def query_realtime(self, request: Request) -> Response:
        now = self._service.clock()
        body = _checked(await read_json(request), now)
        start, _ = parse_interval(body["interval"], now)
        if start < (now - _DAYS * 86_400) * 1000:
            raise refused([detail("interval", "invalid.value", f"starts more than {_DAYS} days ago")])
        size, number = _whole_number(body, "pageSize", _PAGE_SIZE), _whole_number(body, "pageNumber", 1)
        found = self._find(body, self._last(), request)
        return JSONResponse(
            {
                "entities": found[(number - 1) * size : number * size],
                "pageSize": size,
                "pageNumber": number,
                "total": len(found),
                "pageCount": -(-len(found) // size),
            }
        )

    async def get_mapping(self, _: Request) -> Response:
        actions = ["Create", "Update", "Delete"]
        entities = [{"name": name, "actions": actions} for _, name in KINDS.values() if name is not None]
        return JSONResponse({"services": [{"name": _SERVICE, "entities": entities}]})

    def _last(self) -> int:
        """Return the position of the newest message: what comes later is not in a query that runs already."""
        with self._service.store.transaction() as db:
            last: int = db.execute("SELECT coalesce(max(position), 0) FROM audits").fetchone()[0]
        return last

    def _find(self, query: Mapping[str, Any], last: int, request: Request) -> list[dict[str, Any]]:
        """Return the messages of a query, in its order, newest first by default.

        Of several filters on one property one must match, and each property must.
        """
        start, end = parse_interval(query["interval"], 0)
        with self._service.store.transaction() as db:
            rows = db.execute(
                "SELECT body FROM audits WHERE position <= ? AND moment >= ? AND moment < ? ORDER BY position",
                (last, start, end),
            ).fetchall()
        wanted: dict[str, set[str]] = {}
        for entry in query.get("filters") or []:
            wanted.setdefault(entry["property"], set()).add(entry["value"])
        found = [message for (text,) in rows if _matches(message := json.loads(text), wanted)]
        if query.get("serviceName") not in (None, _SERVICE):
            found = []
        if "user" not in request.query_params.getlist("expand"):
            for message in found:
                message["user"] = message["user"] and {**message["user"], "name": None}
        sort = query.get("sort") or [{}]
        return found if sort[0].get("sortOrder") == "ascending" else found[::-1]


def _checked(body: object, now: float) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise refused([detail("body", "invalid.value", "expected a JSON object")])
    problems = list(_problems(body, now))
    if problems:
        raise refused(problems)
    return body


def _problems(body: Mapping[str, Any], now: float) -> Iterator[Detail]:
    interval = body.get("interval")
    try:
        if not isinstance(interval, str) or "/" not in interval:
            raise ValueError("expected an ISO 8601 interval such as 2026-03-07T00:00:00Z/2026-03-08T00:00:00Z")
        parse_interval(interval, now)
    except ValueError as exc:
        yield detail("interval", "invalid.value", str(exc))
    if not isinstance(body.get("serviceName"), str | None):
        yield detail("serviceName", "invalid.value", "expected a string")
    for field, key, known in (("filters", "property", _FILTERS), ("sort", "name", ("Timestamp",))):
        entries = body.get(field)
        if not isinstance(entries, list | None) or not all(isinstance(entry, dict) for entry in entries or []):
            yield detail(field, "invalid.value", "expected a list of objects")
            continue
        for index, entry in enumerate(entries or []):
            at = f"{field}[{index}]"
            if entry.get(key) not in known:
                yield detail(f"{at}.{key}", "invalid.value", f"expected one of {', '.join(known)}")
            if field == "filters" and not isinstance(entry.get("value"), str):
                yield detail(f"{at}.value", "invalid.value", "expected a string")
            if field == "sort" and entry.get("sortOrder", "ascending") not in _ORDERS:
                yield detail(f"{at}.sortOrder", "invalid.value", f"expected one of {', '.join(_ORDERS)}")


def _matches(message: Mapping[str, Any], wanted: Mapping[str, set[str]]) -> bool:
    values = {
        "UserId": (message["user"] or {}).get("id"),
        "ClientId": (message["client"] or {}).get("id"),
        "Action": message["action"],
        "EntityType": message["entityType"],
        "EntityId": message["entity"]["id"],
    }
    return all(values.get(name) in some for name, some in wanted.items())


def _whole_number(holder: Mapping[str, Any], key: str, default: int) -> int:
    """Return a page size or number of a query or a body, or raise 400."""
    given = holder.get(key)
    if given is None:
        return default
    text = str(given)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if isinstance(given, bool) or not 1 <= number <= _LARGEST_PAGE:
        raise refused([detail(key, "invalid.value", f"expected a whole number from 1 to {_LARGEST_PAGE}")])
    return number


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(f"from {start}".encode()).decode()


def _from_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        word, number = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().split(" ")
        if word == "from" and number.isdigit() and len(number) < 10:
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise refused([detail("cursor", "invalid.value", "not a cursor of this server")])


def _unknown_query(key: str) -> ApiError:
    return ApiError(404, "not.found", f"no query {key}")
