"""The audit over HTTP: who changed what."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_bodies import CAMPAIGNS, RULE_SETS, rule_set, wire_rule

AUDITS = "/api/v2/audits/query"
DAY = "2026-03-07T00:00:00Z/2026-03-08T00:00:00Z"


def audits(api: Any, *filters: tuple[str, str], interval: str = DAY, **more: Any) -> list[dict[str, Any]]:
    """Return the messages of a query, polled and paged as a client must."""
    body = {
        "interval": interval,
        "serviceName": "Outbound",
        "filters": [{"property": name, "value": value} for name, value in filters],
        "sort": [{"name": "Timestamp", "sortOrder": "ascending"}],
    }
    answer = api.http.post(AUDITS, json=body | more).json()
    states = [answer["state"]]
    while states[-1] != "Succeeded":
        states.append(api.http.get(f"{AUDITS}/{answer['id']}").json()["state"])
    assert states == ["Queued", "Running", "Succeeded"]
    found, query = [], {"pageSize": "2"}
    while True:
        page = api.http.get(f"{AUDITS}/{answer['id']}/results", params=query).json()
        found += page["entities"]
        if page["cursor"] is None:
            return found
        query["cursor"] = page["cursor"]


@pytest.fixture
def busy(api: Any) -> Any:
    """Return a client of a sandbox in which a deployer and somebody else made changes."""
    created = api.create_set("night", wire_rule("a", 0))
    api.http.put(created["selfUri"], json=rule_set("day", wire_rule("b", 0), version=1))
    api.seed(f"rulesets/{created['id']}", {"name": "noon"}, user="Pat")
    campaign = api.http.get(f"{CAMPAIGNS}/c1").json()
    api.http.put(f"{CAMPAIGNS}/c1", json=campaign | {"ruleSets": [{"id": created["id"]}]})
    api.http.put(f"{CAMPAIGNS}/c1", json=campaign | {"version": 2, "ruleSets": []})
    api.http.delete(created["selfUri"])
    return api


def test_every_change_is_in_the_audit(busy: Any) -> None:
    """Each create, update and delete of a rule set and a campaign is a message, oldest first if asked so."""
    found = audits(busy)
    assert [(message["entityType"], message["action"]) for message in found] == [
        ("RuleSet", "Create"),
        ("RuleSet", "Update"),
        ("RuleSet", "Update"),
        ("Campaign", "Update"),
        ("Campaign", "Update"),
        ("RuleSet", "Delete"),
    ]
    assert {(message["serviceName"], message["status"], message["eventDate"]) for message in found} == {
        ("Outbound", "SUCCESS", "2026-03-07T12:00:00.000Z")
    }
    assert [message["entity"]["name"] for message in found] == ["night", "day", "noon", "c1", "c1", "noon"]
    assert len({message["id"] for message in found}) == 6
    assert audits(busy, sort=None) == found[::-1]


def test_what_changed(busy: Any) -> None:
    """A message has the old and the new values of each field that changed, as texts."""
    created, updated, seeded, attached = audits(busy)[:4]
    changes = {change["property"]: change for change in updated["propertyChanges"]}
    assert set(changes) == {"name", "version", "rules"}
    assert (changes["name"]["oldValues"], changes["name"]["newValues"]) == (["night"], ["day"])
    assert (changes["version"]["oldValues"], changes["version"]["newValues"]) == (["1"], ["2"])
    assert '"name": "b"' in changes["rules"]["newValues"][0]
    assert [change["oldValues"] for change in created["propertyChanges"] if change["property"] == "name"] == [[]]
    assert [change["property"] for change in seeded["propertyChanges"]] == ["name", "version"]
    assert "ruleSets" in [change["property"] for change in attached["propertyChanges"]]


def test_whose_change_it_was(busy: Any) -> None:
    """A filter on the client leaves what a deployer did; a person is named by id, and by name if that is asked for."""
    own = audits(busy, ("ClientId", busy.sandbox.client_id))
    assert len(own) == 5
    assert all(message["user"] is None and "name" not in message["client"] for message in own)
    (other,) = [message for message in audits(busy) if message not in own]
    assert other["client"]["id"] != busy.sandbox.client_id
    assert other["user"]["name"] is None
    assert audits(busy, ("UserId", other["user"]["id"])) == [other]
    page = busy.http.post(f"{AUDITS}/realtime", params={"expand": "user"}, json={"interval": DAY}).json()
    assert {(message["user"] or {}).get("name") for message in page["entities"]} == {None, "Pat"}


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ([("EntityType", "RuleSet")], 4),
        ([("EntityType", "RuleSet"), ("Action", "Update")], 2),
        ([("Action", "Create"), ("Action", "Delete")], 2),
        ([("EntityId", "c1")], 2),
        ([("EntityType", "ContactList")], 0),
        ([("TrusteeOrganizationId", "t")], 0),
    ],
)
def test_filters(busy: Any, filters: list[tuple[str, str]], count: int) -> None:
    """Filters on one property are alternatives, those on several must all match."""
    assert len(audits(busy, *filters)) == count


def test_the_interval_ends_before_its_end(busy: Any, clock: Any) -> None:
    """A change is in an interval that starts at its time, and not in one that ends there."""
    assert audits(busy, interval="2026-03-07T00:00:00Z/2026-03-07T12:00:00Z") == []
    assert len(audits(busy, interval="2026-03-07T12:00:00Z/PT1S")) == 6
    assert audits(busy, serviceName="Routing") == []


def test_results_wait_for_the_query(busy: Any, assert_error: Any) -> None:
    """Results are there when the query has succeeded, and are those of its start."""
    query = busy.http.post(AUDITS, json={"interval": DAY}).json()["id"]
    assert_error(busy.http.get(f"{AUDITS}/{query}/results"), 400)
    busy.create_set("late")
    for _ in range(2):
        busy.http.get(f"{AUDITS}/{query}")
    assert len(busy.http.get(f"{AUDITS}/{query}/results").json()["entities"]) == 6
    assert_error(busy.http.get(f"{AUDITS}/gone"), 404)
    assert_error(busy.http.get(f"{AUDITS}/gone/results"), 404)
    for bad in ({"pageSize": "501"}, {"cursor": "x"}, {"cursor": "ZnJvbSB4"}):
        assert_error(busy.http.get(f"{AUDITS}/{query}/results", params=bad), 400, "invalid.value")


def test_realtime(busy: Any, assert_error: Any) -> None:
    """The realtime query answers at once, by pages, for the last fourteen days."""
    pages = [
        busy.http.post(f"{AUDITS}/realtime", json={"interval": DAY, "pageSize": 4, "pageNumber": number}).json()
        for number in (1, 2)
    ]
    assert [len(page["entities"]) for page in pages] == [4, 2]
    assert (pages[0]["total"], pages[0]["pageCount"]) == (6, 2)
    for key in ("pageSize", "pageNumber"):
        body = assert_error(busy.http.post(f"{AUDITS}/realtime", json={"interval": DAY, key: 0}), 400, "invalid.value")
        assert [entry["fieldName"] for entry in body["details"]] == [key]
    old = {"interval": "2026-02-01T00:00:00Z/2026-03-08T00:00:00Z"}
    assert_error(busy.http.post(f"{AUDITS}/realtime", json=old), 400, "invalid.value")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"interval": "24h"}, "interval"),
        ({"interval": None}, "interval"),
        ({"filters": {}}, "filters"),
        ({"filters": [{"property": "Colour", "value": "x"}]}, "filters[0].property"),
        ({"filters": [{"property": "Action"}]}, "filters[0].value"),
        ({"sort": [{"name": "Timestamp", "sortOrder": "up"}]}, "sort[0].sortOrder"),
        ({"serviceName": 1}, "serviceName"),
    ],
)
def test_queries_that_are_refused(api: Any, assert_error: Any, change: dict[str, Any], field: str) -> None:
    """An invalid query is 400 and names the field."""
    for path in (AUDITS, f"{AUDITS}/realtime"):
        body = assert_error(api.http.post(path, json={"interval": DAY} | change), 400, "invalid.value")
        assert [entry["fieldName"] for entry in body["details"]] == [field]


def test_the_services_that_are_audited(api: Any) -> None:
    """The mapping names what can be asked for."""
    (service,) = api.http.get(f"{AUDITS}/servicemapping").json()["services"]
    assert service["name"] == "Outbound"
    assert {"RuleSet", "Campaign", "ContactList"} == {entity["name"] for entity in service["entities"]}


def test_a_failed_change_is_not_in_the_audit(api: Any) -> None:
    """What was refused leaves no message."""
    created = api.create_set("night")
    api.http.put(created["selfUri"], json=rule_set("night", version=9))
    api.http.post(RULE_SETS, json=rule_set("night"))
    assert [message["action"] for message in audits(api)] == ["Create"]
