"""Rule sets of the public platform: one write, what others change meanwhile, lost answers, and who uses a set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rule_set_fakes import SET, Platform, rule, target
from target_fakes import error

from dialproof.errors import PartlyAppliedError, RefusedError, RemoteConflictError, RemoteError
from dialproof_deploy.plan.apply import apply
from dialproof_deploy.plan.render import plan_text
from dialproof_deploy.plan.rule_set import plan_rule_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_fakes import Clock

    from dialproof_deploy.plan.plan import Plan
    from dialproof_deploy.targets.rulesets import RuleSetsTarget


@pytest.fixture
def platform() -> Platform:
    """Return a platform with one campaign, which uses no rule set."""
    made = Platform()
    made.add_campaign("c1", script={"id": "s1"}, status="on")
    return made


def planned(there: RuleSetsTarget, *rules: dict[str, Any], **options: Any) -> Plan:
    """Return the plan for these rules."""
    return plan_rule_set(SET, rules, there.list_rules(SET), campaigns=["c1"], **options)


def applied(there: RuleSetsTarget, plan: Plan) -> list[dict[str, Any]]:
    """Apply a plan and return the audit records."""
    records: list[dict[str, Any]] = []
    apply(plan, there, audit=records.append)
    return records


def with_set(platform: Platform, *rules: dict[str, Any]) -> str:
    """Give the campaign a rule set with these rules."""
    key = platform.add_set(SET, *rules)
    platform.campaigns["c1"]["ruleSets"] = [{"id": key, "name": SET}]
    return key


def five_campaigns(other: str) -> Platform:
    """Return a platform with c1 to c5 on pages of two, of which c1 and another one have a rule set."""
    made = Platform(page_size=2)
    for number in range(1, 6):
        made.add_campaign(f"c{number}")
    made.campaigns[other]["ruleSets"] = [{"id": with_set(made, rule("a")), "name": SET}]
    return made


def parts(plan: Plan) -> list[tuple[str, str]]:
    """Return what becomes of single rules."""
    return [(part.action, part.rule) for step in plan.steps for part in step.parts]


def test_a_new_set_is_created_and_given_to_the_campaign(platform: Platform, clock: Clock) -> None:
    """Two writes; the campaign keeps everything else, its status included; then nothing is left to do."""
    there = target(platform, clock)
    plan = planned(there, rule("a"), rule("b"))
    assert [step.title for step in plan.steps] == [f"create of rule set {SET!r}", "attach to campaign 'Campaign c1'"]
    records = applied(there, plan)
    assert platform.rules() == ["a", "b"]
    stored = platform.campaigns["c1"]
    assert [r["name"] for r in stored["ruleSets"]] == [SET]
    assert (stored["campaignStatus"], stored["script"], stored["version"]) == ("on", {"id": "s1"}, 2)
    assert platform.writes == ["POST /rulesets", "PUT /campaigns/c1"]
    made = [r for r in records if r["phase"] == "change.made"]
    assert [(r["action"], r["rule"], r["version_after"]) for r in made] == [
        ("create", SET, 1),
        ("attach", "Campaign c1", 2),
    ]
    assert set(made[0]["rules"]) == {"a", "b"}
    again = planned(there, rule("a"), rule("b"))
    assert (again.steps, again.unchanged) == ((), ("a", "b"))


def test_what_the_server_adds_is_no_difference(platform: Platform, clock: Clock) -> None:
    """Ids, nulls, names of references and dates are the server's: nothing is written again."""
    data = rule(
        "a", actions=[{"type": "dataActionBehavior", "actionTypeName": "DATA_ACTION", "dataAction": {"id": "d"}}]
    )
    key = with_set(platform, data)
    reference = platform.sets[key]["rules"][0]["actions"][0]["dataAction"]
    reference |= {"name": "Look up", "selfUri": "/d"}
    platform.sets[key]["rules"][0]["somethingNew"] = {"level": 3}
    there = target(platform, clock)
    assert planned(there, data).steps == ()


def test_a_changed_rule_is_one_write_of_all(platform: Platform, clock: Clock) -> None:
    """The stored version and the rule ids travel; a rule that stays keeps fields that nobody here knows."""
    with_set(platform, rule("a"), rule("b"), rule("c"))
    platform.named(SET)["rules"][0]["somethingNew"] = {"level": 3}
    before = platform.named(SET)
    there = target(platform, clock)
    plan = planned(there, rule("a"), rule("b", "7"), rule("c"))
    assert parts(plan) == [("update", "b")]
    assert "rule 'b'" in plan_text(plan)
    assert 'conditions[0].value: "5" → "7"' in plan_text(plan)
    assert "used by campaign 'Campaign c1' (on)" in plan_text(plan)
    applied(there, plan)
    after = platform.named(SET)
    assert after["version"] == before["version"] + 1
    assert [r["id"] for r in after["rules"]] == [r["id"] for r in before["rules"]]
    assert after["rules"][0]["somethingNew"] == {"level": 3}
    assert platform.writes == [f"PUT /rulesets/{after['id']}"]


def test_a_rule_in_front_moves_nothing_else(platform: Platform, clock: Clock) -> None:
    """Only the sequence of rules counts; of two that change places one is said to move."""
    with_set(platform, rule("a"), rule("b"), rule("c"))
    there = target(platform, clock)
    assert parts(planned(there, rule("new"), rule("a"), rule("b"), rule("c"))) == [("create", "new")]
    moved = planned(there, rule("c"), rule("a"), rule("b"))
    assert parts(moved) == [("update", "c")]
    assert "order: 2 → 0" in plan_text(moved)
    applied(there, moved)
    assert platform.rules() == ["c", "a", "b"]


def test_columns_that_are_emptied_or_counted_are_told_apart(platform: Platform, clock: Clock) -> None:
    """The column of an action is the name of a property, whose value may be empty."""

    def counting(column: str) -> dict[str, Any]:
        action = {"type": "modifyContactAttribute", "actionTypeName": "MODIFY_CONTACT_ATTRIBUTE"}
        return rule("a", actions=[{**action, "updateOption": "INCREMENT", "properties": {column: ""}}])

    with_set(platform, counting("tries"))
    there = target(platform, clock)
    assert planned(there, counting("tries")).steps == ()
    assert parts(planned(there, counting("calls"))) == [("update", "a")]


def test_renamed_rules_keep_their_id(platform: Platform, clock: Clock) -> None:
    """A renamed rule is written over the old one, also where it travels as several."""
    with_set(platform, rule("old"), rule("list (1/2)"), rule("list (2/2)"))
    ids = [r["id"] for r in platform.named(SET)["rules"]]
    there = target(platform, clock)
    renamed = {"new": "old", "states": "list"}
    applied(there, planned(there, rule("new"), rule("states (1/2)"), rule("states (2/2)"), renamed=renamed))
    assert platform.rules() == ["new", "states (1/2)", "states (2/2)"]
    assert [r["id"] for r in platform.named(SET)["rules"]] == ids


def test_rules_of_others_are_refused_kept_in_place_or_pruned(platform: Platform, clock: Clock) -> None:
    """A kept rule stays behind the rule that it follows, and a second plan finds nothing to do."""
    with_set(platform, rule("first"), rule("a"), rule("mine"), rule("b"))
    there = target(platform, clock)
    ours = [rule("b"), rule("a")]
    refused = planned(there, *ours, owned=["mine"])
    assert [refusal.partition(":")[0] for refusal in refused.refusals] == [
        "foreign rule 'first' is on the target and in no file",
        "orphan rule 'mine', which an earlier deploy created, is in no file",
    ]
    with pytest.raises(RefusedError):
        applied(there, refused)
    keep = ["first", "mine"]
    applied(there, planned(there, *ours, keep=keep))
    assert platform.rules() == ["first", "b", "a", "mine"]
    assert planned(there, *ours, keep=keep).steps == ()
    pruned = planned(there, *ours, keep=["mine"], prune=["first"])
    assert parts(pruned) == [("delete", "first")]
    applied(there, pruned)
    assert platform.rules() == ["b", "a", "mine"]


def test_an_edit_after_the_plan_is_never_overwritten(platform: Platform, clock: Clock) -> None:
    """Whether it comes before the deploy reads again, or between its reading and its write."""
    with_set(platform, rule("a"), rule("b"))
    there = target(platform, clock)
    plan = planned(there, rule("a", "7"), rule("b"))

    def edit() -> None:
        platform.edit(SET, lambda body: body["rules"][1]["conditions"][0].update(value="99"))

    platform.faults.append(("PUT", edit))
    with pytest.raises(RemoteConflictError, match=r'rules\.b\.conditions\[0\]\.value: planned from "5".*theirs "99"'):
        applied(there, plan)
    with pytest.raises(RemoteConflictError, match="nothing was written, plan again"):
        applied(there, plan)
    assert [r["conditions"][0]["value"] for r in platform.named(SET)["rules"]] == ["5", "99"]


def test_a_save_without_a_change_is_written_over(platform: Platform, clock: Clock) -> None:
    """A 409 whose cause changed nothing that the plan rests on is written again with the version that stands there."""
    with_set(platform, rule("a"))
    there = target(platform, clock)
    platform.faults.append(("PUT", lambda: platform.edit(SET, lambda _: None)))
    applied(there, planned(there, rule("a", "7")))
    assert platform.named(SET)["version"] == 3
    assert platform.named(SET)["rules"][0]["conditions"][0]["value"] == "7"


def test_a_field_that_nobody_knows_survives_a_save_meanwhile(platform: Platform, clock: Clock) -> None:
    """What somebody adds to a rule that stays goes back as it is read last."""
    with_set(platform, rule("a"), rule("b"))
    there = target(platform, clock)
    plan = planned(there, rule("a", "7"), rule("b"))
    platform.faults.append(("PUT", lambda: platform.edit(SET, lambda body: body["rules"][1].update(flag="on"))))
    applied(there, plan)
    assert platform.named(SET)["rules"][1]["flag"] == "on"


@pytest.mark.parametrize("lost", ["lost before", "lost after"])
def test_a_lost_answer_is_resolved_by_reading(lost: str, platform: Platform, clock: Clock) -> None:
    """A write whose answer is lost is made once, whether or not it arrived."""
    there = target(platform, clock)
    platform.faults.append(("POST", lost))
    applied(there, planned(there, rule("a")))
    assert platform.rules() == ["a"]
    platform.faults += [("PUT", lost)]
    platform.stale = 2
    applied(there, planned(there, rule("a", "7")))
    assert platform.named(SET)["version"] == 2


def test_a_write_is_waited_for_until_it_shows(platform: Platform, clock: Clock) -> None:
    """The old version may be read for a moment after a write."""
    key = with_set(platform, rule("a"))
    there = target(platform, clock)
    plan = planned(there, rule("a", "7"))
    platform.faults.append(("PUT", lambda: setattr(platform, "stale", 3)))
    applied(there, plan)
    after = platform.calls[platform.calls.index(f"PUT /rulesets/{key}") + 1 :]
    assert after == [f"GET /rulesets/{key}"] * 4
    assert planned(there, rule("a", "7")).steps == ()


def test_what_the_server_drops_is_put_back(platform: Platform, clock: Clock) -> None:
    """A set that is stored otherwise than it was sent is written back to what stood there, with a further version."""
    key = with_set(platform, rule("a"), rule("b"))
    there = target(platform, clock)
    plan = planned(there, rule("a", "7"), rule("b"))

    def drop() -> None:
        save = platform._save

        def dropping(things: Any, key: Any, body: Any) -> Any:
            platform._save = save  # type: ignore[method-assign]
            body["rules"][0]["conditions"] = []
            return save(things, key, body)

        platform._save = dropping  # type: ignore[method-assign]

    platform.faults.append(("PUT", drop))
    with pytest.raises(RemoteError, match=r"stored something else than was sent(?s:.*)the 1 write made was undone"):
        applied(there, plan)
    assert platform.sets[key]["version"] == 3
    assert platform.sets[key]["rules"][0]["conditions"][0]["value"] == "5"


def test_a_campaign_that_cannot_be_written_takes_the_set_back(platform: Platform, clock: Clock) -> None:
    """All of a deploy or nothing: the set that was created for the campaign is deleted again."""
    there = target(platform, clock)
    plan = planned(there, rule("a"))
    platform.faults.append(("PUT", error(400, "no")))
    with pytest.raises(
        RemoteError, match=r"write 2 of 2 \(attach to campaign 'Campaign c1'\) failed; the 1 write made"
    ):
        applied(there, plan)
    assert platform.sets == {}
    platform.faults += [("PUT", error(400, "no")), ("DELETE", error(403, "no"))]
    with pytest.raises(PartlyAppliedError, match="made and still standing: create of rule set 'Premium routing'"):
        applied(there, planned(there, rule("a")))


def test_a_campaign_is_written_as_it_is_then(platform: Platform, clock: Clock) -> None:
    """Somebody else's change to another field of the campaign stays; another rule set is a conflict."""
    other = platform.add_set("Other")
    there = target(platform, clock)
    plan = planned(there, rule("a"))
    platform.campaigns["c1"] |= {"campaignStatus": "off", "version": 5, "priority": 3}
    applied(there, plan)
    stored = platform.campaigns["c1"]
    assert (stored["campaignStatus"], stored["priority"], stored["version"]) == ("off", 3, 6)
    stored["ruleSets"] = []
    plan = planned(there, rule("a"))
    stored["ruleSets"] = [{"id": other, "name": "Other"}]
    with pytest.raises(RemoteConflictError, match="campaign 'Campaign c1' was changed"):
        applied(there, plan)


def test_every_campaign_that_uses_the_set_is_named(clock: Clock) -> None:
    """All pages are read; a campaign of somebody else is a refusal unless keep names it."""
    platform = five_campaigns("c5")
    there = target(platform, clock)
    plan = planned(there, rule("a", "7"))
    (refusal,) = plan.refusals
    assert refusal.startswith("campaign 'Campaign c5', which is not of these files, uses the rule set")
    assert "'campaign:Campaign c5' to keep" in refusal
    kept = planned(there, rule("a", "7"), keep=["campaign:c5"])
    assert kept.refusals == ()
    assert "used by campaign 'Campaign c5' (off), which is not of these files\n" in plan_text(kept)
    platform.campaigns["c4"]["ruleSets"] = platform.campaigns["c1"]["ruleSets"]
    with pytest.raises(RemoteConflictError, match="campaign 'Campaign c4' was created"):
        applied(there, kept)


def test_a_campaign_that_slips_between_two_pages_is_not_missed(clock: Clock) -> None:
    """One that is deleted while the pages are read moves the others up; the list is read again then, within reason."""
    platform = five_campaigns("c3")
    there = target(platform, clock)
    before_second_page = [("GET", lambda: None)] * 3 + [("GET", lambda: platform.campaigns.pop("c2"))]
    platform.faults += before_second_page
    assert [d["id"] for d in there.list_rules(SET)[1:]] == ["c1", "c3"]
    serve = platform._serve

    def restless(request: Any) -> Any:
        answer = serve(request)
        if request.url.path.endswith("/campaigns"):
            answer = type(answer)(200, json={**answer.json(), "total": 99})
        return answer

    platform._serve = restless  # type: ignore[method-assign]
    with pytest.raises(RemoteError, match="changes whenever it is read: 4 were seen of 99"):
        there.list_rules(SET)


def test_another_set_is_named_and_told_once(platform: Platform, clock: Clock) -> None:
    """A reference may be an id alone; what is refused is no note as well."""
    other = platform.add_set("Other", rule("x"))
    platform.campaigns["c1"]["ruleSets"] = [{"id": other}]
    plan = planned(target(platform, clock), rule("a"))
    assert ["has another rule set, 'Other'" in refusal for refusal in plan.refusals] == [True]
    assert plan.notes == ()


def test_another_set_of_the_campaign_is_never_taken_away_unasked(platform: Platform, clock: Clock) -> None:
    """Keep leaves it in front, --prune takes it from the campaign in the same write that gives it ours."""
    other = platform.add_set("Other", rule("x"))
    platform.campaigns["c1"]["ruleSets"] = [{"id": other, "name": "Other"}]
    there = target(platform, clock)
    assert "has another rule set, 'Other'" in planned(there, rule("a")).refusals[0]
    applied(there, planned(there, rule("a"), keep=["ruleSet:Other"]))
    assert [r["name"] for r in platform.campaigns["c1"]["ruleSets"]] == ["Other", SET]
    plan = planned(there, rule("a"), prune=["ruleSet:Other"])
    assert [step.action for step in plan.steps] == ["attach"]
    applied(there, plan)
    assert [r["name"] for r in platform.campaigns["c1"]["ruleSets"]] == [SET]
    assert "Other" in {found["name"] for found in platform.sets.values()}


def test_a_campaign_that_is_not_there_is_a_refusal(clock: Clock) -> None:
    """An id that the target does not know is said before anything is written."""
    there = target(Platform(), clock)
    assert planned(there, rule("a")).refusals == ("the target has no campaign 'c1': correct ids.campaigns",)


def test_a_set_takes_no_more_than_a_request_can_hold(platform: Platform, clock: Clock) -> None:
    """The rules that are kept count too; two rules of one name are a refusal as well."""
    with_set(platform, *(rule(f"k{n} {'x' * 900}") for n in range(400)))
    there = target(platform, clock)
    kept = [r["name"] for r in platform.named(SET)["rules"]]
    (refusal,) = planned(there, rule("a"), keep=kept).refusals
    assert "bytes with those that are kept, and a set takes 512,000: write fewer or shorter ones" in refusal
    assert "the files hold two rules named 'a': rename one" in planned(there, rule("a"), rule("a"), prune=kept).refusals


def test_values_that_nobody_knows_yet_stop_nothing(platform: Platform, clock: Clock) -> None:
    """A platform is ahead of its clients: types, operators, actions and states of tomorrow are compared as they are."""
    tomorrow = rule(
        "a",
        category="DIALER_TOMORROW",
        conditions=[{"type": "moodCondition", "operator": "FEELS", "value": "5"}],
        actions=[{"type": "Action", "actionTypeName": "TELEPORT", "properties": {}}],
    )
    with_set(platform, tomorrow, rule("b"))
    platform.campaigns["c1"]["campaignStatus"] = "meditating"
    there = target(platform, clock)
    plan = planned(there, rule("a"), rule("b"))
    assert parts(plan) == [("update", "a")]
    assert "used by campaign 'Campaign c1' (meditating)" in plan_text(plan)
    applied(there, plan)
    assert platform.rules() == ["a", "b"]
    assert platform.campaigns["c1"]["campaignStatus"] == "meditating"


def test_what_is_asked_and_how_often(platform: Platform, clock: Clock) -> None:
    """One token, the set by its name and id, each page of campaigns; nothing is written where nothing differs."""
    key = with_set(platform, rule("a"))
    there = target(platform, clock)
    assert planned(there, rule("a")).steps == ()
    assert platform.calls == ["GET /rulesets", f"GET /rulesets/{key}", "GET /campaigns"]
    assert len(platform.requests) == 4
    assert platform.requests[0].url == "https://login.usw2.pure.cloud/oauth/token"
    assert b"scope" not in platform.requests[0].content
    assert platform.requests[1].url.params["filterType"] == "Equals"


def test_several_sets_are_listed_with_one_reading_of_the_campaigns(platform: Platform, clock: Clock) -> None:
    """Each is listed as it is alone, and nothing is kept for the next listing, which may be the one before a write."""
    with_set(platform, rule("a"))
    other = platform.add_set("Other", rule("x"))
    platform.add_campaign("c2", other)
    there = target(platform, clock)
    both = there.list_each([SET, "Other"])
    assert [[d["name"] for d in documents] for documents in both] == [[SET, "Campaign c1"], ["Other", "Campaign c2"]]
    assert platform.calls.count("GET /campaigns") == 1
    assert both == [there.list_rules(SET), there.list_rules("Other")]
    platform.campaigns["c2"]["ruleSets"].append({"id": platform.named(SET)["id"], "name": SET})
    assert [d["id"] for d in there.list_rules(SET)[1:]] == ["c1", "c2"]


def test_the_digest_of_a_plan_is_about_what_is_written(platform: Platform, clock: Clock) -> None:
    """A campaign that is switched on or off meanwhile, or a name that it gives a reference, makes it no other plan."""
    with_set(platform, rule("a"))
    there = target(platform, clock)
    digest = planned(there, rule("a", "7")).digest
    platform.campaigns["c1"] |= {"campaignStatus": "off", "version": 9}
    assert planned(there, rule("a", "7")).digest == digest
    assert planned(there, rule("a", "8")).digest != digest


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"rules": {}}, "holds no list of rules"),
        ({"rules": [{"name": 3}]}, "holds a rule without a usable name or id"),
        ({"rules": [{"name": "a", "conditions": "x"}]}, "rule 'a' holds no usable conditions"),
        ({"rules": [{"name": "a", "order": "1"}]}, "rule 'a' holds no usable order"),
        ({"version": "1"}, "holds no usable version"),
        ({"id": "../x"}, "would lead to another path"),
        ({"rules": [{"name": "a", "actions": [{"n": 2**60}]}]}, "cannot be compared"),
    ],
)
def test_what_no_plan_can_rest_on_is_an_error(
    body: dict[str, Any], says: str, platform: Platform, clock: Clock
) -> None:
    """A sentence with the rule set and the rule, and no traceback."""
    key = with_set(platform, rule("a"))
    platform.sets[key] |= body
    with pytest.raises(RemoteError, match=says):
        target(platform, clock).list_rules(SET)


def test_kept_rules_of_a_long_list_stay_where_they_are(platform: Platform, clock: Clock) -> None:
    """Rules that follow one another stay together, whatever goes and comes around them."""
    names: Sequence[str] = ["k1", "a", "k2", "k3", "gone", "k4", "b"]
    with_set(platform, *map(rule, names))
    there = target(platform, clock)
    keep = ["k1", "k2", "k3", "k4"]
    applied(there, planned(there, rule("new"), rule("b"), rule("a"), keep=keep, prune=["gone"]))
    assert platform.rules() == ["k1", "new", "b", "a", "k2", "k3", "k4"]
