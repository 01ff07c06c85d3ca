"""Listings: which page a request asks for, and the answer with the pages around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from dialproof_deploy.sandbox.errors import detail, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from dialproof_deploy.sandbox.documents import Document

__all__ = ["filtered", "listing", "listing_of", "page_of"]

_PAGE_SIZE: Final = 25
_LARGEST_PAGE: Final = 100
_FILTERS: Final = {
    "equals": str.__eq__,
    "contains": str.__contains__,
    "prefix": str.startswith,
}
_ORDERS: Final = {"a": False, "asc": False, "ascending": False, "d": True, "desc": True, "descending": True}


def page_of(request: Request) -> tuple[int, int]:
    """Return pageSize (25, at most 100) and pageNumber (from 1) of a request, or raise 400."""
    problems = []
    values = []
    for key, default, largest in (("pageSize", _PAGE_SIZE, _LARGEST_PAGE), ("pageNumber", 1, 1_000_000)):
        text = request.query_params.get(key, str(default))
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        if not 1 <= number <= largest:
            problems.append(detail(key, "invalid.value", f"expected a whole number from 1 to {largest}"))
        values.append(number)
    if problems:
        raise invalid(problems)
    return values[0], values[1]


def listing(request: Request, path: str, entities: Sequence[object], total: int) -> dict[str, object]:
    """Return one page: ``entities`` of ``total``, and the paths of the other pages with the same query."""
    size, number = page_of(request)
    pages = -(-total // size)
    kept = [item for item in request.query_params.multi_items() if item[0] not in ("pageSize", "pageNumber")]

    def uri(wanted: int) -> str | None:
        if not 1 <= wanted <= max(pages, 1):
            return None
        return f"{path}?{urlencode([('pageSize', size), ('pageNumber', wanted), *kept])}"

    return {
        "entities": entities,
        "pageSize": size,
        "pageNumber": number,
        "total": total,
        "pageCount": pages,
        "selfUri": uri(number),
        "firstUri": uri(1),
        "previousUri": uri(number - 1),
        "nextUri": uri(number + 1),
        "lastUri": uri(max(pages, 1)),
    }


def listing_of(request: Request, path: str, entities: Sequence[object]) -> dict[str, object]:
    """Return the page of ``entities``, which are all there are, that a request asks for."""
    size, number = page_of(request)
    return listing(request, path, entities[(number - 1) * size : number * size], len(entities))


def filtered(request: Request, documents: Sequence[Document]) -> list[Document]:
    """Return the documents that name, filterType and id ask for, in the order of sortBy and sortOrder; or raise 400.

    Upper and lower case are one in a name that is looked for: a client must not rely on their being told apart.
    """
    query = request.query_params
    match = _FILTERS.get(query.get("filterType", "Prefix").lower())
    descending = _ORDERS.get(query.get("sortOrder", "a").lower())
    problems = []
    if match is None:
        problems.append(detail("filterType", "invalid.value", "expected Prefix, Equals or Contains"))
    if descending is None:
        problems.append(detail("sortOrder", "invalid.value", "expected ascending or descending"))
    if problems or match is None or descending is None:
        raise invalid(problems)
    name, ids, sort_by = query.get("name"), query.getlist("id"), query.get("sortBy")
    found = [
        document
        for document in documents
        if (not name or match(str(document["name"]).casefold(), name.casefold())) and (not ids or document["id"] in ids)
    ]

    def key(document: Document) -> tuple[float, str, str]:
        value: Any = document.get(sort_by or "name")
        return (
            (value, "", document["id"])
            if isinstance(value, int | float)
            else (0, str(value).casefold(), document["id"])
        )

    return sorted(found, key=key, reverse=descending) if sort_by or descending else found
