"""Contact lists and their export over HTTP."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

LISTS = "/api/v2/outbound/contactlists"
LEADS = {
    "name": "Leads",
    "columnNames": ["Name", "Phone"],
    "phoneColumns": [{"columnName": "Phone", "type": "home"}],
    "columnDataTypeSpecifications": [{"columnName": "Name", "columnDataType": "TEXT", "maxLength": 50}],
}
CONTACTS = [
    {"id": "k1", "data": {"Name": 'Ann "A", ü', "Phone": "+1"}, "callRecords": {"Phone": {"lastResult": "busy"}}},
    {"id": "k2", "data": {"Phone": ""}, "callable": False},
]


@pytest.fixture
def leads(api: Any) -> Any:
    """Return a client of a sandbox with one contact list of two contacts."""
    api.seed("contactlists/l1", LEADS)
    assert api.seed("contactlists/l1/contacts", CONTACTS) == {"count": 2}
    return api


def test_columns(leads: Any, assert_error: Any) -> None:
    """A list is answered with its columns and their types, and with its size if that is asked for."""
    found = leads.http.get(f"{LISTS}/l1").json()
    assert {**found, **LEADS} == found
    assert "size" not in found
    assert leads.http.get(LISTS, params={"includeSize": "true"}).json()["entities"] == [found | {"size": 2}]
    assert leads.http.get(LISTS, params={"name": "other"}).json()["entities"] == []
    assert_error(leads.http.get(f"{LISTS}/gone"), 404, "not.found")


def test_a_contact(leads: Any, assert_error: Any) -> None:
    """A contact is answered with its data, all texts."""
    contact = leads.http.get(f"{LISTS}/l1/contacts/k2").json()
    assert (contact["id"], contact["contactListId"], contact["callable"]) == ("k2", "l1", False)
    assert contact["data"] == {"Phone": ""}
    assert_error(leads.http.get(f"{LISTS}/l1/contacts/k3"), 404)


def test_export(leads: Any, assert_error: Any) -> None:
    """An export is not there until it was asked for and some time has passed; it is downloaded with the token."""
    path = f"{LISTS}/l1/export"
    assert_error(leads.http.get(path), 404, "no.available.list.export.uri")
    assert leads.http.post(path).status_code == 200
    assert_error(leads.http.get(path), 404, "no.available.list.export.uri")
    answer = leads.http.get(path).json()
    assert answer["exportTimestamp"] == "2026-03-07T12:00:00.000Z"
    assert_error(httpx.get(answer["uri"], trust_env=False), 401)
    download = leads.http.get(answer["uri"])
    assert download.headers["Content-Type"].startswith("text/csv")
    assert leads.http.get(path, params={"download": "true"}, follow_redirects=True).content == download.content

    assert download.content.startswith('\ufeff"inin-outbound-id","Name","Phone","ContactCallable",'.encode())
    header, *rows = csv.reader(io.StringIO(download.content.decode("utf-8-sig")))
    assert header[7:9] == ["ZipCodeAutomaticTimeZone", "CallRecordLastAttempt-Phone"]
    assert header[-1] == "AutomaticTimeZone-Phone"
    first, second = (dict(zip(header, row, strict=True)) for row in rows)
    assert (first["inin-outbound-id"], first["Name"], first["Phone"]) == ("k1", 'Ann "A", ü', "+1")
    assert (first["CallRecordLastResult-Phone"], first["Callable-Phone"]) == ("busy", "1")
    assert (second["Name"], second["ContactCallable"]) == ("", "0")


def test_an_export_is_what_was_there_when_it_started(leads: Any) -> None:
    """Contacts that come later are not in an export; a new export has them."""
    leads.control("PUT", "settings", json={"pending_polls": 0})
    path = f"{LISTS}/l1/export"
    for expected in (3, 1):  # lines, with the header
        leads.http.post(path)
        uri = leads.http.get(path).json()["uri"]
        leads.seed("contactlists/l1/contacts", [])
        assert len(leads.http.get(uri).text.splitlines()) == expected


def test_parts_of_a_list_are_not_exported(leads: Any, assert_error: Any) -> None:
    """A filter is refused rather than ignored."""
    assert_error(leads.http.post(f"{LISTS}/l1/export", json={"contactIds": ["k1"]}), 400, "invalid.value")
    assert leads.http.post(f"{LISTS}/l1/export", json={}).status_code == 200
    assert_error(leads.http.post(f"{LISTS}/gone/export"), 404)
    assert_error(leads.http.get("/api/v2/downloads/gone"), 404)


def test_permissions(start: Any, connect: Any, assert_error: Any) -> None:
    """Who may see a list may not see its contacts for that."""
    api = connect(start(permissions=["outbound:contactList:view"]))
    api.seed("contactlists/l1", LEADS)
    assert api.http.get(f"{LISTS}/l1").status_code == 200
    assert_error(api.http.post(f"{LISTS}/l1/export"), 403, "missing.any.permissions")


@pytest.mark.parametrize(
    "body",
    [
        {},
        ["a"],
        [{}],
        [{"data": {"a": 1}}],
        [{"data": {}, "id": 1}],
        [{"data": {}, "callable": "no"}],
        [{"data": {}, "callRecords": {"a": 1}}],
    ],
)
def test_what_is_no_contact(leads: Any, assert_error: Any, body: Any) -> None:
    """Contacts of another shape are refused, and the list keeps those that it has."""
    assert_error(leads.control("PUT", "contactlists/l1/contacts", json=body), 400, "bad.request")
    assert leads.http.get(f"{LISTS}/l1", params={"includeSize": "true"}).json()["size"] == 2


def test_a_deleted_list_has_no_contacts(leads: Any, assert_error: Any) -> None:
    """A list that is made again is empty."""
    assert leads.control("DELETE", "contactlists/l1").status_code == 204
    assert_error(leads.control("PUT", "contactlists/l1/contacts", json=[]), 404)
    leads.seed("contactlists/l1", LEADS)
    assert leads.http.get(f"{LISTS}/l1", params={"includeSize": "true"}).json()["size"] == 0
