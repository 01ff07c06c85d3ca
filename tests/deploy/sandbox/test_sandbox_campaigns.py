"""Campaigns over HTTP, as the public platform has them."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_bodies import CAMPAIGNS

C1 = f"{CAMPAIGNS}/c1"


def test_a_rule_set_is_attached(api: Any, clock: Any) -> None:
    """A PUT of the whole body with rule sets and the version that was read attaches them; all else stays."""
    seeded = api.seed("campaigns/c1", {"name": "Spring", "dialingMode": "preview", "campaignStatus": "on"})
    night = api.create_set("night")
    clock.now += 1
    answer = api.http.put(C1, json=seeded | {"ruleSets": [{"id": night["id"]}]})
    updated = answer.json()
    assert answer.status_code == 200
    assert updated["ruleSets"] == [{"id": night["id"], "name": "night", "selfUri": night["selfUri"]}]
    assert (updated["version"], updated["campaignStatus"], updated["dialingMode"]) == (2, "on", "preview")
    assert updated["dateModified"] > updated["dateCreated"]
    assert api.http.get(C1).json() == updated
    api.http.put(night["selfUri"], json=night | {"name": "day"})
    assert api.http.get(C1).json()["ruleSets"][0]["name"] == "day"


def test_a_campaign_that_nobody_made(api: Any) -> None:
    """Every id is a campaign; it can be written to as it was read, and is listed from then on."""
    assert api.http.get(CAMPAIGNS).json()["total"] == 0
    answer = api.http.put(C1, json=api.http.get(C1).json() | {"priority": 3})
    assert (answer.status_code, answer.json()["version"], answer.json()["priority"]) == (200, 2, 3)
    assert api.http.get(CAMPAIGNS).json()["entities"] == [answer.json()]


def test_what_was_never_stored_cannot_be_removed(api: Any, assert_error: Any) -> None:
    """Only a campaign that somebody made or changed can be removed."""
    assert_error(api.control("DELETE", "campaigns/c1"), 404, "not.found")
    api.seed("campaigns/c1", {})
    assert api.control("DELETE", "campaigns/c1").status_code == 204


def test_both_contracts_know_the_same_campaigns(api: Any) -> None:
    """The rules of the other contract are below the same campaign."""
    api.create("a", 1)
    assert [campaign["id"] for campaign in api.http.get(CAMPAIGNS).json()["entities"]] == ["c1"]
    assert api.http.put(C1, json={"name": "x", "version": 1}).status_code == 200
    assert api.names() == ["a"]


@pytest.mark.parametrize(
    ("stored", "asked", "status"),
    [("off", "on", 200), ("on", "off", 200), ("on", "on", 200), ("complete", "complete", 200), ("complete", "on", 200),
     ("on", None, 200), ("complete", "off", 400), ("on", "complete", 400), ("off", "stopping", 400)],
)  # fmt: skip
def test_status_transitions(api: Any, assert_error: Any, stored: str, asked: str | None, status: int) -> None:
    """A status that was read can be sent back; a campaign that is complete cannot be made off."""
    campaign = api.seed("campaigns/c1", {"campaignStatus": stored})
    answer = api.http.put(C1, json=campaign | {"campaignStatus": asked})
    if status == 200:
        assert answer.json()["campaignStatus"] == (asked or stored)
    else:
        assert_error(answer, 400, "invalid.update.bad.status.transition")
        assert api.http.get(C1).json() == campaign


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "name.cannot.be.blank"),
        ({"name": 1}, "invalid.value"),
        ({"campaignStatus": "maybe"}, "invalid.value"),
        ({"ruleSets": [{"id": "gone"}]}, "rule.set.not.found"),
        ({"ruleSets": {}}, "invalid.value"),
        ({"ruleSets": [{}]}, "invalid.value"),
        ({"contactList": "l"}, "invalid.value"),
        ({"version": None}, "invalid.update"),
    ],
)
def test_what_is_refused(api: Any, assert_error: Any, change: dict[str, Any], code: str) -> None:
    """A campaign that refers to nothing, or has no name, is 400 and changes nothing."""
    campaign = api.seed("campaigns/c1", {})
    assert_error(api.http.put(C1, json=campaign | change), 400, code)
    assert api.http.get(C1).json() == campaign


def test_another_version_is_a_conflict(api: Any, assert_error: Any) -> None:
    """Somebody else's edit since the read makes a PUT a 409."""
    campaign = api.seed("campaigns/c1", {})
    api.seed("campaigns/c1", {"priority": 5})
    assert_error(api.http.put(C1, json=campaign), 409, "invalid.update.wrong.version")


def test_lists_by_pages_and_filters(api: Any) -> None:
    """Campaigns are listed by pages, by name, id, contact list and queue."""
    for number in range(3):
        fields = {"name": f"Camp {number}", "contactList": {"id": f"l{number}"}, "queue": {"id": "q"}}
        api.seed(f"campaigns/c{number}", fields)
    page = api.http.get(CAMPAIGNS, params={"pageSize": 2}).json()
    assert [campaign["id"] for campaign in page["entities"]] == ["c0", "c1"]
    assert [campaign["id"] for campaign in api.http.get(page["nextUri"]).json()["entities"]] == ["c2"]
    for query, ids in (
        ({"name": "camp 1"}, ["c1"]),
        ({"id": ["c0", "c2"]}, ["c0", "c2"]),
        ({"contactListId": "l2"}, ["c2"]),
        ({"distributionQueueId": "q"}, ["c0", "c1", "c2"]),
    ):
        found = api.http.get(CAMPAIGNS, params=query).json()["entities"]
        assert [campaign["id"] for campaign in found] == ids


def test_unknown_campaigns_are_404_without_auto_create(start: Any, connect: Any, assert_error: Any) -> None:
    """Without auto-create a campaign has to be put there before it can be read or changed."""
    api = connect(start(auto_create_campaigns=False))
    assert_error(api.http.get(C1), 404, "not.found")
    assert_error(api.http.put(C1, json={"name": "a", "version": 1}), 404, "not.found")
    api.seed("campaigns/c1", {})
    assert api.http.put(C1, json={"name": "a", "version": 1}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("campaigns/c", {"ruleSets": [{}]}),
        ("campaigns/c", {"contactList": []}),
        ("rulesets/r", {"rules": ["a"]}),
        ("rulesets/r", {"rules": [{"conditions": [1]}]}),
        ("contactlists/l", {"columnNames": [1]}),
        ("queues/q", {"wrapupCodes": "w"}),
        ("settings", {"stale_reads": -1}),
        ("settings", {"rate_limit": True}),
        ("settings", {"speed": 1}),
        ("settings", []),
    ],
)
def test_what_cannot_be_seeded(api: Any, assert_error: Any, path: str, body: Any) -> None:
    """What the sandbox itself could not read back is 400."""
    assert_error(api.control("PUT", path, json=body), 400, "bad.request")
