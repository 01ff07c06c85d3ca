from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from target_fakes import Campaign, Clock, Server, client, error, rule, stored

from dialproof.errors import RemoteConflictError, RemoteError, UsageError
from dialproof.targets.campaign_rules import suppresses
from dialproof_deploy.api.errors import ConflictAnswerError, NotFoundError, UnreachableError
from dialproof_deploy.targets import StoredOtherwiseError, Written
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from dialproof_deploy.targets.wire import content

if TYPE_CHECKING:
    from dialproof_deploy.targets import Target


@pytest.fixture
def campaign() -> Campaign:
    """Return a campaign with two rules."""
    return Campaign(stored("a", 1, version=3), stored("b", 2))


@pytest.fixture
def server(campaign: Campaign) -> Server:
    """Return its server."""
    return Server(campaign)


@pytest.fixture
def target(server: Server, clock: Clock) -> Target:
    """Return the target by its name in the configuration."""
    return CampaignRulesTarget(client(server, clock))


def test_list_follows_pages_to_the_end(clock: Clock) -> None:
    """250 rules in pages of 100 are read with three requests, each once."""
    server = Server(Campaign(*(stored(f"r{n}", n) for n in range(1, 251))))
    rules = CampaignRulesTarget(client(server, clock)).list_rules("c1")
    assert [r["executionOrder"] for r in rules] == list(range(1, 251))
    assert server.calls == ["GET rules"] * 3


def test_a_rule_that_slips_to_the_next_page_is_listed_once(server: Server, target: Target) -> None:
    """A rule created between two pages pushes another onto the next page; it still counts once."""
    page = {"entities": [stored("a", 1)], "nextUri": "/api/v2/outbound/campaigns/c1/rules"}
    server.faults = [("GET", httpx.Response(200, json=page))]
    assert [r["name"] for r in target.list_rules("c1")] == ["a", "b"]


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"entities": {}},
        [],
        {"entities": ["x"]},
        {"entities": [{"id": "1", "name": "a", "version": True, "executionOrder": 1}]},
        {"entities": [], "nextUri": 7},
    ],
)
def test_a_list_of_another_shape_is_an_error(page: Any, server: Server, target: Target) -> None:
    """What cannot be read as rules is never taken for an empty campaign."""
    server.faults = [("GET", httpx.Response(200, json=page))]
    with pytest.raises(RemoteError):
        target.list_rules("c1")


def test_pages_in_a_circle_end(server: Server, target: Target) -> None:
    """A nextUri that leads to itself is an error and no endless loop."""
    page = {"entities": [], "nextUri": "/api/v2/outbound/campaigns/c1/rules?pageNumber=1"}
    server.faults = [("GET", httpx.Response(200, json=page)) for _ in range(5)]
    with pytest.raises(RemoteError, match="nextUri"):
        target.list_rules("c1")


def test_pages_without_end_are_given_up(clock: Clock) -> None:
    """A server that always names a further page is an error, also when each link is a new one."""
    links = count()

    def endless(request: httpx.Request) -> httpx.Response:
        if "oauth" in request.url.path:
            return httpx.Response(200, json={"access_token": "t", "expires_in": 10**9})
        return httpx.Response(200, json={"entities": [], "nextUri": f"/rules?page={next(links)}"})

    with pytest.raises(RemoteError, match="leads on after 1000 pages"):
        CampaignRulesTarget(client(endless, clock)).list_rules("c1")
    assert next(links) == 1001


def test_ids_cannot_leave_their_path(server: Server, target: Target) -> None:
    """An id stays one part of the path; one that could not is asked for nowhere."""
    with pytest.raises(NotFoundError):
        target.get_rule("c1", "x?y#z%2e")
    assert server.requests[-1].url.raw_path.endswith(b"/rules/x%3Fy%23z%252e")
    sent = len(server.requests)
    for wrong in ("", ".", "..", "../../x", "a\\b", "\ud800"):
        with pytest.raises(NotFoundError, match="cannot be the id of a rule"):
            target.get_rule("c1", wrong)
        with pytest.raises(UsageError, match="cannot be the id of a campaign"):
            target.list_rules(wrong)
    assert len(server.requests) == sent


def deep(levels: int) -> Any:
    """Return lists within one another."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"actions": ["x"]}, "no usable actions"),
        ({"actions": "x"}, "no usable actions"),
        ({"actions": 5}, "no usable actions"),
        ({"actions": [None]}, "no usable actions"),
        ({"actions": [{"type": ["x"]}]}, "an action without a usable type"),
        ({"conditions": {"a": 1}}, "no usable conditions"),
        ({"conditions": [[]]}, "no usable conditions"),
        ({"enabled": "no"}, "no usable enabled"),
        ({"id": ""}, "no usable id"),
        ({"id": ".."}, r"no usable id: '\.\.' would lead to another path"),
        ({"id": "../x"}, "no usable id"),
        ({"id": "\ud800"}, "no usable id"),
        ({"x": deep(900)}, "nested deeper than 64"),
        ({"x": 2**60}, "no exact JSON form"),
        ({"x": float("nan")}, "no exact JSON form"),
        ({"description": "a\ud800"}, "no exact JSON form"),
        ({"actions": [{"type": "x", "\ud800": 1}]}, "no exact JSON form"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_rule_of_another_shape_is_named(change: Any, reason: str, server: Server, target: Target) -> None:
    """What no plan can rest on is an error that names the campaign and the rule, wherever it is read."""
    body = json.dumps({**stored("gold", 1), **change}).encode()
    page = b'{"entities": [%s]}' % body
    server.faults = [("GET", httpx.Response(200, content=page)), ("GET", httpx.Response(200, content=body))]
    where = "campaign 'c1': the server's answer for rule 'gold' "
    with pytest.raises(RemoteError, match=f"^{where}.*{reason}"):
        target.list_rules("c1")
    with pytest.raises(RemoteError, match=f"^{where}.*{reason}"):
        target.get_rule("c1", "id-gold")


def test_a_rule_may_leave_its_lists_out(server: Server, target: Target) -> None:
    """Null and absent are one thing: no conditions, no actions, enabled."""
    bare = {"id": "1", "name": "a", "version": 1, "executionOrder": 1, "x": deep(63)}
    nulls = {**bare, "id": "2", "conditions": None, "actions": None, "enabled": None}
    server.faults = [("GET", httpx.Response(200, json={"entities": [bare, nulls]}))]
    assert target.list_rules("c1") == [bare, nulls]
    assert suppresses({"actions": [{"type": "doNotDial"}], "enabled": None})


def test_create_sends_everything_with_version_one(server: Server, campaign: Campaign, target: Target) -> None:
    """Conditions and actions travel; the author's version does not."""
    written = target.create_rule("c1", rule("c", 3, version=9))
    assert json.loads(server.requests[-1].content) == {**content(rule("c", 3)), "version": 1}
    assert written.request_id == "c-1"
    assert campaign.contents()["c"] == content(rule("c", 3))


def test_create_found_after_a_lost_answer_is_done(server: Server, campaign: Campaign, target: Target) -> None:
    """The rule is looked up by name and not created twice."""
    server.faults = [("POST", "lost after")]
    written = target.create_rule("c1", rule("c", 3))
    assert written.rule is not None
    assert written.rule["name"] == "c"
    assert server.calls == ["POST rules", "GET rules"]
    assert sorted(campaign.orders()) == ["a", "b", "c"]


@pytest.mark.parametrize("fault", ["lost before", error(500, "x")])
def test_create_not_found_after_a_lost_answer_is_sent_again(
    fault: Any, server: Server, campaign: Campaign, target: Target
) -> None:
    """What was not made is made, once."""
    server.faults = [("POST", fault)]
    target.create_rule("c1", rule("c", 3))
    assert server.calls == ["POST rules", "GET rules", "POST rules"]
    assert campaign.orders() == {"a": 1, "b": 2, "c": 3}


def test_create_found_with_other_content_is_a_conflict(server: Server, campaign: Campaign, target: Target) -> None:
    """Somebody else's rule of the same name is not taken for ours."""

    def meanwhile() -> None:
        campaign.create({**rule("c", 3, priority=7), "version": 1})
        raise httpx.ReadError("broken")

    server.faults = [("POST", meanwhile)]
    with pytest.raises(RemoteConflictError, match=r"priority: planned from \(absent\), ours 100, theirs 7"):
        target.create_rule("c1", rule("c", 3))
    assert campaign.contents()["c"]["priority"] == 7


def test_create_whose_unreadable_answer_hid_success_is_done(server: Server, campaign: Campaign, target: Target) -> None:
    """A truncated 201 is a lost answer."""

    def cut() -> None:
        server.faults = []

    server.faults = [("POST", httpx.Response(201, content=b'{"id": "ne')), ("GET", cut)]
    target.create_rule("c1", rule("c", 3))
    assert campaign.orders()["c"] == 3


def test_create_that_conflicts_with_its_own_earlier_try_is_done(
    server: Server, campaign: Campaign, target: Target
) -> None:
    """A 503 that came after the work makes the second try collide with the first: the rule is looked up."""

    def stored_but_503() -> None:
        campaign.create({**content(rule("c", 3)), "version": 1})
        server.faults = [("POST", error(503, "x"))]

    server.faults = [("POST", lambda: (stored_but_503(), (_ for _ in ()).throw(httpx.ConnectError("x")))[0])]
    written = target.create_rule("c1", rule("c", 3))
    assert written.rule is not None
    assert list(campaign.orders().values()).count(3) == 1


def test_create_on_a_taken_order_is_a_conflict(target: Target) -> None:
    """A 409 at the first try is not ours to explain away."""
    with pytest.raises(ConflictAnswerError, match="taken by a"):
        target.create_rule("c1", rule("c", 1))


def test_create_gives_up_after_three_lost_answers(server: Server, target: Target) -> None:
    """A server that never answers does not keep us for ever."""
    server.faults = [("POST", "lost before") for _ in range(9)]
    with pytest.raises(UnreachableError, match="lost 3 times"):
        target.create_rule("c1", rule("c", 3))


def test_a_server_that_drops_fields_is_caught(server: Server, campaign: Campaign, target: Target) -> None:
    """A rule stored without its conditions would dial more people than planned: the error holds what stands there."""

    def drop() -> httpx.Response:
        made = campaign.create({**json.loads(server.requests[-1].content), "conditions": []})
        return httpx.Response(201, json=made, headers={"ININ-Correlation-Id": "c-7"})

    server.faults = [("POST", drop)]
    with pytest.raises(StoredOtherwiseError, match="stored something else than was sent: conditions") as caught:
        target.create_rule("c1", rule("c", 3))
    assert caught.value.written == Written(campaign.get("new-1"), "c-7")


def test_an_answer_that_lacks_fields_is_held_against_the_rule(
    server: Server, campaign: Campaign, target: Target
) -> None:
    """What counts is what the server holds, and not what it answers."""

    def terse() -> httpx.Response:
        made = campaign.update("id-a", {**rule("a", 1, priority=5), "version": 4})
        return httpx.Response(200, json={**made, "conditions": []})

    server.faults = [("PUT", terse)]
    written = target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, priority=5))
    assert written.rule == campaign.get("id-a")


def test_update_sends_the_stored_version_plus_one(campaign: Campaign, target: Target) -> None:
    """The author's version plays no part on the wire."""
    target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, version=40, priority=5))
    assert campaign.versions()["a"] == 4
    assert campaign.contents()["a"]["priority"] == 5


@pytest.mark.parametrize("fault", ["lost after", "lost before", error(500, "x"), error(503, "x")])
def test_update_with_a_lost_answer_is_made_once(fault: Any, server: Server, campaign: Campaign, target: Target) -> None:
    """Whether the lost update was made or not, the version ends one higher."""
    server.faults = [("PUT", fault)]
    target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, priority=5))
    assert campaign.versions()["a"] == 4
    assert campaign.contents()["a"]["priority"] == 5


def test_update_whose_unreadable_answer_hid_success_is_done(server: Server, campaign: Campaign, target: Target) -> None:
    """A truncated 200 is resolved by reading again, not by a second version."""

    def cut() -> None:
        campaign.update("id-a", {**rule("a", 1, priority=5), "version": 4})

    server.faults = [("GET", cut), ("PUT", httpx.Response(200, content=b"{"))]
    written = target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, priority=5))
    assert written.rule is not None
    assert campaign.versions()["a"] == 4


def test_update_after_a_save_without_change_goes_on(campaign: Campaign, target: Target) -> None:
    """A 409 because of a version whose content is what was planned against is written over with the next one."""
    campaign.edit("a")
    target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, priority=5))
    assert campaign.versions()["a"] == 5


def test_update_gives_way_to_somebody_who_saves_all_the_time(
    server: Server, campaign: Campaign, target: Target
) -> None:
    """Three saves without a change in a row end the attempt."""
    server.faults = [("PUT", lambda: campaign.edit("a")) for _ in range(3)]
    with pytest.raises(RemoteConflictError, match="saved again and again"):
        target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, priority=5))


def test_update_after_an_edit_is_a_three_way_conflict(campaign: Campaign, target: Target) -> None:
    """Somebody's edit is never overwritten; the report shows all three sides."""
    campaign.edit("a", description="changed in the UI")
    with pytest.raises(RemoteConflictError) as caught:
        target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, priority=5))
    assert "priority: planned from 100, ours 5, theirs (unchanged)" in str(caught.value)
    assert 'description: planned from "", ours (unchanged), theirs "changed in the UI"' in str(caught.value)
    assert campaign.contents()["a"]["priority"] == 100


def test_update_after_a_lost_answer_and_an_edit_is_a_conflict(
    server: Server, campaign: Campaign, target: Target
) -> None:
    """An edit made on top of our lost update is not overwritten either."""

    def ours_then_theirs() -> None:
        campaign.update("id-a", {**rule("a", 1, priority=5), "version": 4})
        campaign.edit("a", description="edited")
        raise httpx.ReadTimeout("late")

    server.faults = [("PUT", ours_then_theirs)]
    with pytest.raises(RemoteConflictError, match="changed by somebody else"):
        target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, priority=5))
    assert campaign.contents()["a"]["description"] == "edited"


def test_update_to_a_taken_order_is_a_conflict_at_once(server: Server, target: Target) -> None:
    """A 409 that is not about the version is not repeated."""
    with pytest.raises(ConflictAnswerError, match="taken by b"):
        target.update_rule("c1", stored("a", 1, version=3), rule("a", 2))
    assert server.calls.count("PUT id-a") == 1


def test_update_of_a_rule_that_is_gone_is_a_conflict(campaign: Campaign, target: Target) -> None:
    """A rule deleted since the plan is reported, not created anew."""
    campaign.delete("id-a")
    with pytest.raises(RemoteConflictError, match="deleted by somebody else"):
        target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, priority=5))


def test_update_against_a_dead_server_ends(server: Server, target: Target) -> None:
    """When reading again fails as well, the first failure is reported."""
    server.faults = [("PUT", "lost before") for _ in range(9)] + [("GET", "lost before") for _ in range(9)]
    with pytest.raises(UnreachableError, match=r"PUT .* failed after 5 tries"):
        target.update_rule("c1", stored("a", 1, version=3), rule("a", 1, priority=5))


def test_delete_reads_before_it_deletes(server: Server, campaign: Campaign, target: Target) -> None:
    """DELETE carries no version, so the rule is compared first."""
    target.delete_rule("c1", stored("a", 1, version=3))
    assert server.calls == ["GET id-a", "DELETE id-a"]
    assert list(campaign.orders()) == ["b"]


def test_delete_after_an_edit_is_a_conflict(campaign: Campaign, target: Target) -> None:
    """A rule that somebody has changed since the plan is not deleted."""
    campaign.edit("a", priority=9)
    with pytest.raises(RemoteConflictError, match="theirs 9"):
        target.delete_rule("c1", stored("a", 1, version=3))
    assert "a" in campaign.orders()


def test_delete_whose_answer_was_lost_is_done(server: Server, campaign: Campaign, target: Target) -> None:
    """A 404 at the second try is our own success."""
    server.faults = [("DELETE", "lost after")]
    target.delete_rule("c1", stored("a", 1, version=3))
    assert list(campaign.orders()) == ["b"]


def test_delete_of_what_is_gone_is_a_conflict(campaign: Campaign, target: Target) -> None:
    """Somebody else's delete is reported."""
    campaign.delete("id-a")
    with pytest.raises(RemoteConflictError, match="deleted by somebody else"):
        target.delete_rule("c1", stored("a", 1, version=3))


def test_events_follow_next_page_uri_until_null(server: Server, target: Target) -> None:
    """Events of all pages come, and a lost page is asked for again."""
    one = {"timestamp": "t1", "eventName": "outbound.rule.created", "entityId": "x"}
    two = {**one, "entityId": "y"}
    more = "/api/v2/analytics/events/query?cursor=2"
    server.faults = [
        ("POST", "lost before"),
        ("POST", httpx.Response(200, json={"events": [one], "nextPageUri": more})),
        ("GET", httpx.Response(200, json={"events": [two], "nextPageUri": None})),
    ]
    assert list(target.query_events("c1")) == [one, two]
    asked = json.loads(server.requests[1].content)
    assert asked == {
        "eventNames": ["outbound.rule.created", "outbound.rule.updated"],
        "query": "campaignId eq 'c1'",
        "interval": "24h",
    }


def test_a_campaign_id_cannot_widen_the_event_query(server: Server, target: Target) -> None:
    """A quote would end the query's text."""
    with pytest.raises(UsageError, match="quote"):
        list(target.query_events("c1' or 'a' eq 'a"))
    assert server.requests == []
