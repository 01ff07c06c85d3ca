"""Rules and campaigns over HTTP."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from dialproof_deploy.sandbox.documents import Documents
from dialproof_deploy.sandbox.events import EventQuery
from dialproof_deploy.sandbox.rule_store import RuleStore
from dialproof_deploy.sandbox.store import Store

if TYPE_CHECKING:
    from pathlib import Path

FULL = {
    "description": "Routes high values",
    "conditions": [
        {"attribute": "customFields.lifetimeValue", "operator": "greaterThan", "value": "5000", "type": "number"}
    ],
    "actions": [{"type": "setList", "listId": "premium", "value": "true"}],
    "enabled": False,
}


def test_every_field_travels(api: Any) -> None:
    """A created rule is answered whole, with id, selfUri and dates, and reads back the same."""
    created = api.create("a", 1, **FULL)
    for key, value in FULL.items():
        assert created[key] == value
    assert created["selfUri"] == api.rules(created["id"])
    assert created["dateCreated"] == created["dateModified"] == "2026-03-07T12:00:00.000Z"
    assert api.http.get(created["selfUri"]).json() == created
    assert api.http.get(api.rules()).json()["entities"] == [created]


def test_optional_fields_have_defaults(api: Any) -> None:
    """A rule with the required fields alone is enabled and has no conditions and actions."""
    created = api.create("a", 1)
    assert [created[key] for key in ("description", "conditions", "actions", "enabled")] == ["", [], [], True]


def test_update_counts_the_version(api: Any, clock: Any, make_rule: Any, assert_error: Any) -> None:
    """A PUT with the stored version + 1 replaces the rule; any other version is 409 and changes nothing."""
    created = api.create("a", 1, version=4, **FULL)
    for version in (1, 4, 6):
        body = assert_error(
            api.http.put(created["selfUri"], json=make_rule("b", 2, version=version)),
            409,
            "invalid.update.wrong.version",
        )
        assert f"expected 5, found {version}" in body["message"]
    assert api.http.get(created["selfUri"]).json() == created
    clock.now += 1
    answer = api.http.put(created["selfUri"], json=make_rule("b", 2, version=5))
    assert answer.status_code == 200
    updated = answer.json()
    assert (updated["id"], updated["name"], updated["version"], updated["actions"]) == (created["id"], "b", 5, [])
    assert updated["dateCreated"] == created["dateCreated"]
    assert updated["dateModified"] == "2026-03-07T12:00:01.000Z"
    assert api.http.get(created["selfUri"]).json() == updated


def test_an_answer_can_be_sent_back(api: Any) -> None:
    """The fields that the server adds are accepted and ignored in a body."""
    created = api.create("a", 1)
    answer = api.http.put(created["selfUri"], json=created | {"version": 2})
    assert answer.json() == created | {"version": 2}


def test_execution_order_and_name_are_unique(api: Any, make_rule: Any, assert_error: Any) -> None:
    """A taken executionOrder or name is 409 and names the rule that has it; another campaign is free to use both."""
    first, second = api.create("a", 1), api.create("b", 2)
    body = assert_error(api.http.post(api.rules(), json=make_rule("c", 1)), 409, "duplicate.execution.order")
    assert body["details"][0]["entityId"] == first["id"]
    assert_error(api.http.post(api.rules(), json=make_rule("a", 3)), 409, "duplicate.name")
    body = assert_error(api.http.put(second["selfUri"], json=make_rule("a", 1, version=1)), 409)
    assert [entry["fieldName"] for entry in body["details"]] == ["version", "name", "executionOrder"]
    assert api.names() == ["a", "b"]
    assert api.http.post(api.rules(campaign="c2"), json=make_rule("a", 1)).status_code == 201


def test_delete(api: Any, make_rule: Any, assert_error: Any) -> None:
    """A deleted rule is gone, and its name and order are free again."""
    created = api.create("a", 1)
    answer = api.http.delete(created["selfUri"])
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert_error(api.http.request(method, created["selfUri"]), 404, "not.found")
    assert_error(api.http.put(created["selfUri"], json=make_rule("a", 1, version=2)), 404)
    assert api.create("a", 1)["id"] != created["id"]


def test_a_rule_belongs_to_its_campaign(api: Any, assert_error: Any) -> None:
    """A rule is not found below another campaign."""
    created = api.create("a", 1)
    for method in ("GET", "DELETE"):
        assert_error(api.http.request(method, api.rules(created["id"], campaign="c2")), 404)
    assert api.names() == ["a"]


INVALID = [
    ({"name": ""}, ["name"]),
    ({"name": 5}, ["name"]),
    ({"description": None}, ["description"]),
    ({"version": 0}, ["version"]),
    ({"version": True}, ["version"]),
    ({"version": "1"}, ["version"]),
    ({"version": 10**30}, ["version"]),
    ({"priority": 0}, ["priority"]),
    ({"priority": 1001}, ["priority"]),
    ({"priority": 1.0}, ["priority"]),
    ({"executionOrder": "1"}, ["executionOrder"]),
    ({"executionOrder": -1}, ["executionOrder"]),
    ({"enabled": "yes"}, ["enabled"]),
    ({"conditions": {}}, ["conditions"]),
    ({"conditions": ["x"]}, ["conditions[0]"]),
    ({"conditions": [{}]}, [f"conditions[0].{key}" for key in ("attribute", "operator", "value")]),
    ({"conditions": [{"attribute": "a", "operator": "gt", "value": "1"}]}, ["conditions[0].operator"]),
    ({"conditions": [{"attribute": "a", "operator": "equals", "value": 1}]}, ["conditions[0].value"]),
    ({"conditions": [{"attribute": "a", "operator": [], "value": "1"}]}, ["conditions[0].operator"]),
    (
        {"conditions": [{"attribute": "a", "operator": "equals", "value": "1", "type": "int", "x": 1}]},
        ["conditions[0].type", "conditions[0].x"],
    ),
    ({"actions": [{"listId": "l"}, {"type": ""}]}, ["actions[0].type", "actions[1].type"]),
    ({"conditons": []}, ["conditons"]),
]


@pytest.mark.parametrize(("change", "fields"), INVALID, ids=lambda value: str(value)[:60])
def test_invalid_fields_are_named(api: Any, make_rule: Any, assert_error: Any, change: Any, fields: Any) -> None:
    """Each invalid field is a detail of the 400, in a create and in an update, and nothing is stored."""
    created = api.create("a", 1)
    for answer in (
        api.http.post(api.rules(), json=make_rule("b", 2) | change),
        api.http.put(created["selfUri"], json=make_rule("a", 1, version=2) | change),
    ):
        body = assert_error(answer, 400, "bad.request")
        assert [entry["fieldName"] for entry in body["details"]] == fields
        assert all(entry["message"] and entry["errorCode"] for entry in body["details"])
    assert api.http.get(api.rules()).json()["entities"] == [created]


def test_all_invalid_fields_at_once(api: Any, assert_error: Any) -> None:
    """An empty rule is answered with every required field."""
    body = assert_error(api.http.post(api.rules(), json={}), 400)
    assert [entry["fieldName"] for entry in body["details"]] == ["name", "version", "priority", "executionOrder"]
    assert {entry["errorCode"] for entry in body["details"]} == {"missing"}


def test_exists_needs_no_value(api: Any) -> None:
    """The two operators that compare with nothing travel without a value."""
    conditions = [{"attribute": "a", "operator": "exists"}, {"attribute": "b", "operator": "notExists"}]
    assert api.create("a", 1, conditions=conditions)["conditions"] == conditions


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"x"', b"null", b'{"name": NaN}', b'{"name": "\\ud800"}', b"\xff", b"[" * 100_000, b"1" * 5000,
     b'{"name": 1e999}', b"[" * 963 + b"]" * 963],
    ids=lambda content: repr(content[:20]),
)  # fmt: skip
def test_bodies_that_are_no_rule_are_400(api: Any, assert_error: Any, content: bytes) -> None:
    """What is not a JSON object with text in it is refused and never a failure of the server."""
    headers = {"Content-Type": "application/json"}
    assert_error(api.http.post(api.rules(), content=content, headers=headers), 400)


def test_what_was_stored_can_be_answered(api: Any, make_rule: Any, assert_error: Any) -> None:
    """An action may carry what its type needs, but no number or depth that would break every later listing."""
    headers = {"Content-Type": "application/json"}
    for value in ("1e999", "-1e999", "[" * 62 + "]" * 62, "[" * 963 + "]" * 963):
        body = json.dumps(make_rule("a", 1, actions=[{"type": "x", "v": "?"}])).replace('"?"', value)
        assert_error(api.http.post(api.rules(), content=body, headers=headers), 400)
    deep = json.loads("[" * 61 + "]" * 61)
    assert api.create("a", 1, actions=[{"type": "x", "v": deep}])["actions"][0]["v"] == deep
    assert api.names() == ["a"]


def test_body_type_and_size(api: Any, assert_error: Any) -> None:
    """A body of another media type is 415, one over 512,000 bytes 413."""
    assert_error(api.http.post(api.rules(), content=b"{}", headers={"Content-Type": "text/plain"}), 415)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert_error(api.http.post(api.rules(), content=b" " * 512_001, headers=headers), 413)
    assert_error(api.http.post(api.rules(), content=b" " * 512_000, headers=headers), 400)


def test_listing_follows_next_uri(api: Any) -> None:
    """Pages are of the asked size, in order of creation, and nextUri leads through all of them."""
    for number in range(5):
        api.create(f"r{number}", 10 - number)
    uri: str | None = api.rules() + "?pageSize=2"
    pages = []
    while uri:
        page = api.http.get(uri).json()
        pages.append(page)
        uri = page["nextUri"]
    assert [[entity["name"] for entity in page["entities"]] for page in pages] == [["r0", "r1"], ["r2", "r3"], ["r4"]]
    assert [(page["pageNumber"], page["pageSize"], page["pageCount"], page["total"]) for page in pages] == [
        (1, 2, 3, 5),
        (2, 2, 3, 5),
        (3, 2, 3, 5),
    ]
    assert pages[2]["previousUri"] == pages[1]["selfUri"]
    assert pages[0]["lastUri"] == pages[2]["selfUri"]
    assert api.http.get(pages[2]["firstUri"]).json() == pages[0]


def test_listing_defaults_and_bounds(api: Any, assert_error: Any) -> None:
    """A page has 25 rules by default and 100 at most; a page behind the last one is empty."""
    for number in range(1, 27):
        api.create(f"r{number}", number)
    page = api.http.get(api.rules()).json()
    assert (len(page["entities"]), page["total"], page["pageCount"]) == (25, 26, 2)
    page = api.http.get(api.rules() + "?pageNumber=9").json()
    assert (page["entities"], page["nextUri"]) == ([], None)
    for query in ("pageSize=0", "pageSize=101", "pageSize=x", "pageSize=²", "pageSize="):
        body = assert_error(api.http.get(f"{api.rules()}?{query}"), 400)
        assert [entry["fieldName"] for entry in body["details"]] == ["pageSize"]
    body = assert_error(api.http.get(f"{api.rules()}?pageSize=-1&pageNumber=0"), 400)
    assert [entry["fieldName"] for entry in body["details"]] == ["pageSize", "pageNumber"]


def test_an_empty_listing(api: Any) -> None:
    """A campaign without rules has one empty page."""
    page = api.http.get(api.rules()).json()
    assert (page["entities"], page["total"], page["pageCount"], page["nextUri"]) == ([], 0, 0, None)


def test_a_rule_is_found_by_name(api: Any) -> None:
    """The name filter is exact, so that a create whose answer was lost can be looked up."""
    wanted = api.create("gold & co = 50% ü", 1)
    api.create("gold", 2)
    api.create("Gold", 3)
    for name, ids in (("gold & co = 50% ü", [wanted["id"]]), ("gol", []), ("", [])):
        page = api.http.get(api.rules(), params={"name": name}).json()
        assert [entity["id"] for entity in page["entities"]] == ids
        assert page["total"] == len(ids)
    page = api.http.get(page_uri := api.http.get(api.rules(), params={"name": "gold"}).json()["selfUri"]).json()
    assert [entity["name"] for entity in page["entities"]] == ["gold"], page_uri


def test_any_campaign_exists_and_is_off(api: Any) -> None:
    """By default every campaign id is a campaign that does not run."""
    campaign = api.http.get("/api/v2/outbound/campaigns/anything").json()
    assert campaign == {
        "id": "anything",
        "name": "anything",
        "campaignStatus": "off",
        "version": 1,
        "ruleSets": [],
        "selfUri": "/api/v2/outbound/campaigns/anything",
    }


def test_unknown_campaigns_are_404_without_auto_create(
    start: Any, connect: Any, make_rule: Any, assert_error: Any
) -> None:
    """Without auto-create each call on an unknown campaign is 404, until the campaign is put there."""
    api = connect(start(auto_create_campaigns=False))
    body = make_rule("a", 1)
    for method, path, sent in (
        ("GET", "/api/v2/outbound/campaigns/c1", None),
        ("GET", api.rules(), None),
        ("POST", api.rules(), body),
        ("GET", api.rules("r"), None),
        ("PUT", api.rules("r"), body),
        ("DELETE", api.rules("r"), None),
    ):
        assert "no campaign c1" in assert_error(api.http.request(method, path, json=sent), 404)["message"]
    assert api.control("PUT", "campaigns/c1", json={"name": "First"}).status_code == 200
    assert api.create("a", 1)["name"] == "a"


def test_a_campaign_can_be_switched_on(api: Any, assert_error: Any) -> None:
    """A test can make a campaign run; its version counts the changes, and what is not given stays."""
    api.control("PUT", "campaigns/c1", json={"name": "First"})
    api.control("PUT", "campaigns/c1", json={"campaignStatus": "on"})
    campaign = api.http.get("/api/v2/outbound/campaigns/c1").json()
    assert (campaign["name"], campaign["campaignStatus"], campaign["version"]) == ("First", "on", 2)
    body = assert_error(api.control("PUT", "campaigns/c1", json={"name": 1, "campaignStatus": "maybe"}), 400)
    assert [entry["fieldName"] for entry in body["details"]] == ["name", "campaignStatus"]
    assert_error(api.control("PUT", "campaigns/c1", json=[]), 400)


def test_unknown_paths_and_methods(api: Any, assert_error: Any) -> None:
    """What is not in the contract is an error of the same shape."""
    assert_error(api.http.get("/api/v2/nothing"), 404, "not.found")
    assert_error(api.http.get(api.rules() + "/"), 404, "not.found")
    assert_error(api.http.patch(api.rules("r"), json={}), 405, "method.not.allowed")


def test_ids_with_odd_characters(api: Any) -> None:
    """URIs in answers are quoted, so that they can be followed as they are."""
    created = api.http.post(api.rules(campaign="a%20b%3Fc%25"), json={}).json()
    assert created["status"] == 400
    created = api.http.post(
        api.rules(campaign="a%20b%3Fc%25"), json={"name": "a", "version": 1, "priority": 1, "executionOrder": 1}
    ).json()
    assert created["selfUri"].startswith("/api/v2/outbound/campaigns/a%20b%3Fc%25/rules/")
    assert api.http.get(created["selfUri"]).json() == created


def test_a_change_that_fails_halfway(tmp_path: Path) -> None:
    """When the data file cannot grow, neither the rule nor its event is stored, and the store works on."""
    store = Store(tmp_path / "sandbox.sqlite", lambda: 0.0)
    rules = RuleStore(store, Documents(store, lambda: 0, auto_create=True))
    body = {"name": "a", "version": 1, "executionOrder": 1, "description": ""}
    try:
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            rules.create_rule("c1", body | {"description": "x" * 100_000})
        assert rules.list_rules("c1", None, 25, 1).total == 0
        created = rules.create_rule("c1", body)
        query = EventQuery(("outbound.rule.created",), None, 0, None, 25)
        assert [event["entityId"] for event in rules.events(query)[0]] == [created["id"]]
    finally:
        store.close()


def test_parallel_writers(api: Any, make_rule: Any) -> None:
    """Of many clients that want one executionOrder or one next version exactly one wins."""
    with ThreadPoolExecutor(8) as pool:
        bodies = [make_rule(f"r{number}", 1) for number in range(16)]
        answers = list(pool.map(lambda body: api.http.post(api.rules(), json=body).status_code, bodies))
        assert sorted(answers) == [201] + [409] * 15
        (entity,) = api.http.get(api.rules()).json()["entities"]
        body = make_rule("won", 1, version=2)
        answers = list(pool.map(lambda _: api.http.put(entity["selfUri"], json=body).status_code, range(16)))
        assert sorted(answers) == [200] + [409] * 15
