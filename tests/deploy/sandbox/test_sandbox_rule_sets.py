"""Rule sets over HTTP, as the public platform has them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sandbox_bodies import CAMPAIGNS, RULE_SETS, rule_set, wire_rule


def test_a_rule_set_travels(api: Any) -> None:
    """A created set is answered with 200, id, version 1 and dates, and reads back the same."""
    created = api.create_set("night", wire_rule("blank", 0))
    assert (created["name"], created["version"], created["selfUri"]) == ("night", 1, f"{RULE_SETS}/{created['id']}")
    assert created["dateCreated"] == created["dateModified"] == "2026-03-07T12:00:00.000Z"
    assert api.http.get(created["selfUri"]).json() == created
    assert api.http.get(RULE_SETS).json()["entities"] == [created]


def test_the_server_rewrites_what_it_is_given(api: Any) -> None:
    """Rules come back in their order with ids, fields not given as false, null or empty, and references with names."""
    api.seed("contactlists/l1", {"name": "Leads", "columnNames": ["Phone"]})
    created = api.create_set("night", wire_rule("b", 5), wire_rule("a", 2), contactList={"id": "l1"}, queue={"id": "q"})
    assert [rule["name"] for rule in created["rules"]] == ["a", "b"]
    assert len({rule["id"] for rule in created["rules"]}) == 2
    condition, action = created["rules"][0]["conditions"][0], created["rules"][0]["actions"][0]
    assert {**condition, **wire_rule("a")["conditions"][0]} == condition
    assert (condition["inverted"], condition["codes"], condition["subConditions"]) == (False, [], [])
    assert condition["timeZoneId"] is condition["dataAction"] is None
    assert (action["properties"], "updateOption" in action, "propertyType" in condition) == ({}, False, False)
    assert created["contactList"] == {"id": "l1", "name": "Leads", "selfUri": "/api/v2/outbound/contactlists/l1"}
    assert (created["queue"]["id"], created["queue"]["name"]) == ("q", None)


def test_update_replaces_all_rules(api: Any, clock: Any, assert_error: Any) -> None:
    """A PUT with the stored version replaces every rule and counts the version; a rule keeps its id if it is sent."""
    created = api.create_set("night", wire_rule("a", 0), wire_rule("b", 1))
    clock.now += 1
    kept = created["rules"][1] | {"order": 0}
    answer = api.http.put(
        created["selfUri"], json=rule_set("night", kept, wire_rule("c", 1) | {"id": "made-up"}, version=1)
    )
    updated = answer.json()
    assert (answer.status_code, updated["version"]) == (200, 2)
    assert [rule["name"] for rule in updated["rules"]] == ["b", "c"]
    assert updated["rules"][0]["id"] == kept["id"]
    assert updated["rules"][1]["id"] not in ("made-up", created["rules"][0]["id"])
    assert (updated["dateCreated"], updated["dateModified"]) == (created["dateCreated"], "2026-03-07T12:00:01.000Z")
    assert api.http.get(created["selfUri"]).json() == updated


def test_an_answer_can_be_sent_back(api: Any) -> None:
    """All fields of an answer, nulls too, are accepted, and change nothing but the version."""
    created = api.create_set("night", wire_rule("a", 0))
    answer = api.http.put(created["selfUri"], json=created)
    assert answer.json() == created | {"version": 2}


@pytest.mark.parametrize("version", [0, 2, 3])
def test_another_version_is_a_conflict(api: Any, assert_error: Any, version: int) -> None:
    """A PUT with a version that is not the stored one is 409 and changes nothing."""
    created = api.create_set("night", wire_rule("a", 0))
    answer = api.http.put(created["selfUri"], json=rule_set("day", version=version))
    body = assert_error(answer, 409, "invalid.update.wrong.version")
    assert f"expected 1, found {version}" in body["message"]
    assert api.http.get(created["selfUri"]).json() == created


def test_an_update_needs_a_version(api: Any, assert_error: Any) -> None:
    """Without a version, or with another thing than a number, a PUT is 400."""
    created = api.create_set("night")
    for body in (rule_set("night"), rule_set("night", version="1"), rule_set("night", version=True)):
        assert_error(api.http.put(created["selfUri"], json=body), 400, "invalid.update")


def test_parallel_updates(api: Any) -> None:
    """Of many clients that update one version exactly one wins."""
    created = api.create_set("night")
    with ThreadPoolExecutor(8) as pool:
        bodies = [rule_set(f"r{number}", version=1) for number in range(8)]
        answers = list(pool.map(lambda body: api.http.put(created["selfUri"], json=body).status_code, bodies))
    assert sorted(answers) == [200] + [409] * 7


def test_delete(api: Any, assert_error: Any) -> None:
    """A deleted set is answered with 200 and nothing, and is gone; its name is free again."""
    created = api.create_set("night")
    answer = api.http.delete(created["selfUri"])
    assert (answer.status_code, answer.content) == (200, b"")
    for method in ("GET", "DELETE"):
        assert_error(api.http.request(method, created["selfUri"]), 404, "not.found")
    assert_error(api.http.put(created["selfUri"], json=rule_set("night", version=1)), 404, "not.found")
    api.create_set("night")


def test_an_attached_set_cannot_be_deleted(api: Any, assert_error: Any) -> None:
    """A set that a campaign uses is kept, and the error names the campaign."""
    created = api.create_set("night")
    campaign = api.http.get(f"{CAMPAIGNS}/c1").json()
    assert api.http.put(f"{CAMPAIGNS}/c1", json=campaign | {"ruleSets": [{"id": created["id"]}]}).status_code == 200
    body = assert_error(api.http.delete(created["selfUri"]), 400, "referential.integrity.error")
    assert body["details"][0]["entityId"] == "c1"
    assert api.http.get(created["selfUri"]).status_code == 200


def test_names_are_unique(api: Any, assert_error: Any) -> None:
    """A taken name is refused, in a create and in an update, with the set that has it."""
    first, second = api.create_set("night"), api.create_set("day")
    body = assert_error(api.http.post(RULE_SETS, json=rule_set("night")), 400, "duplicate.name")
    assert body["details"][0]["entityId"] == first["id"]
    assert_error(api.http.put(second["selfUri"], json=rule_set("night", version=1)), 400, "duplicate.name")


def test_more_sets_than_the_organisation_may_have(api: Any, assert_error: Any) -> None:
    """One set too many is refused with the limit that it meets."""
    api.control("PUT", "settings", json={"rule_sets": 1})
    api.create_set("night")
    body = assert_error(api.http.post(RULE_SETS, json=rule_set("day")), 400, "max.entity.count.reached")
    assert body["limit"]["value"] == 1


def test_a_body_that_is_too_large(api: Any, assert_error: Any) -> None:
    """A body of more than 512,000 bytes is refused."""
    rules = [wire_rule(f"{number:05}" + "x" * 1000, number) for number in range(500)]
    assert_error(api.http.post(RULE_SETS, json=rule_set("night", *rules)), 413, "request.entity.too.large")


def test_lists_by_pages(api: Any) -> None:
    """A list comes in pages of pageSize, with the paths of the pages around it."""
    for number in range(5):
        api.create_set(f"set {number}")
    page = api.http.get(RULE_SETS, params={"pageSize": 2, "sortBy": "name"}).json()
    seen = page["entities"]
    assert (page["total"], page["pageCount"], page["previousUri"]) == (5, 3, None)
    while page["nextUri"] is not None:
        page = api.http.get(page["nextUri"]).json()
        seen += page["entities"]
    assert [entity["name"] for entity in seen] == [f"set {number}" for number in range(5)]
    assert api.http.get(RULE_SETS, params={"pageNumber": 9}).json()["entities"] == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["night", "Nightly", "fortnight"]),
        ({"name": "night"}, ["night", "Nightly"]),
        ({"name": "night", "filterType": "Equals"}, ["night"]),
        ({"name": "NIGHT", "filterType": "Contains"}, ["night", "Nightly", "fortnight"]),
        ({"name": "none"}, []),
        ({"sortBy": "name", "sortOrder": "descending"}, ["Nightly", "night", "fortnight"]),
    ],
)
def test_lists_by_name(api: Any, query: dict[str, str], names: list[str]) -> None:
    """By default a name is a prefix; Equals and Contains can be asked for, and an order."""
    for name in ("night", "Nightly", "fortnight"):
        api.create_set(name)
    page = api.http.get(RULE_SETS, params=query).json()
    assert [entity["name"] for entity in page["entities"]] == names
    assert page["total"] == len(names)


def test_lists_refuse_what_they_do_not_know(api: Any, assert_error: Any) -> None:
    """A page of no size, and unknown filters and orders, are 400."""
    for query in ({"pageSize": "101"}, {"pageNumber": "0"}, {"filterType": "Like"}, {"sortOrder": "up"}):
        assert_error(api.http.get(RULE_SETS, params=query), 400, "bad.request")


def test_a_set_reads_stale_for_a_moment(api: Any, assert_error: Any) -> None:
    """With stale_reads a write shows only after so many reads, while the version that it wrote already counts."""
    created = api.create_set("night")
    api.control("PUT", "settings", json={"stale_reads": 2})
    api.http.put(created["selfUri"], json=rule_set("day", version=1))
    assert_error(api.http.put(created["selfUri"], json=rule_set("noon", version=1)), 409)
    names = [api.http.get(created["selfUri"]).json()["name"] for _ in range(3)]
    assert names == ["night", "night", "day"]
    new = api.create_set("new")
    assert api.http.get(RULE_SETS, params={"name": "new"}).json()["total"] == 0
    assert_error(api.http.get(new["selfUri"]), 404)
    assert api.http.get(new["selfUri"]).json() == new


def test_somebody_else_edits_a_set(api: Any, assert_error: Any) -> None:
    """What is put through the control route counts the version, and may hold what the API itself does not know yet."""
    created = api.create_set("night", wire_rule("a", 0))
    other = {"name": "b", "order": 0, "category": "DIALER_NEW", "conditions": [{"type": "moonPhaseCondition"}]}
    edited = api.seed(f"rulesets/{created['id']}", {"rules": [other]})
    assert (edited["version"], edited["name"]) == (2, "night")
    assert api.http.get(created["selfUri"]).json() == edited
    assert edited["rules"][0]["conditions"] == other["conditions"]
    assert_error(api.http.put(created["selfUri"], json=created), 409, "invalid.update.wrong.version")
    assert api.control("DELETE", f"rulesets/{created['id']}").status_code == 204
    assert_error(api.http.get(created["selfUri"]), 404)


def test_data_outlive_the_server(start: Any, connect: Any, tmp_path: Any) -> None:
    """Rule sets and campaigns are in the data file; a reset removes them."""
    with start(tmp_path) as sandbox:
        created = connect(sandbox).create_set("night")
    api = connect(start(tmp_path))
    assert api.http.get(created["selfUri"]).json() == created
    api.control("POST", "reset")
    assert api.http.get(RULE_SETS).json()["total"] == 0


def test_permissions(start: Any, connect: Any, assert_error: Any) -> None:
    """A client may do what its roles allow, whatever scopes it asked for."""
    api = connect(start(permissions=["outbound:ruleSet:view"]))
    api.login("")
    assert api.http.get(RULE_SETS).status_code == 200
    body = assert_error(api.http.post(RULE_SETS, json=rule_set("a")), 403, "missing.any.permissions")
    assert "outbound:ruleSet:add" in body["message"]
    assert_error(api.http.put(f"{CAMPAIGNS}/c1", json={}), 403, "missing.any.permissions")
