from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_fakes import Campaign, MemoryTarget, rule, stored

from dialproof.errors import InputError, RefusedError, RemoteConflictError
from dialproof_deploy.plan.apply import apply
from dialproof_deploy.plan.plan import Plan, make_plan
from dialproof_deploy.plan.plan_file import departure, read_planned, write_plans
from dialproof_deploy.plan.render import plan_text
from dialproof_deploy.targets.wire import content

if TYPE_CHECKING:
    from pathlib import Path


def actions(plan: Plan) -> list[tuple[str, str]]:
    """Return the steps as (action, rule)."""
    return [(step.action, step.rule) for step in plan.steps]


def suppresses(rule_: Any) -> bool:
    """Tell whether a rule stops dialing, as a caller of the planner would."""
    return any(action["type"] == "doNotDial" for action in rule_["actions"])


STOP = [{"type": "doNotDial"}]


def test_a_thousand_unchanged_rules_need_no_write() -> None:
    """Only what differs is written; versions, ids and defaults are no differences."""
    desired = [rule(f"r{n}", n, version=5) for n in range(1, 1001)]
    remote = [{**stored(f"r{n}", n, version=9), "dateModified": "x"} for n in range(1, 1001)]
    plan = make_plan("c1", desired, remote)
    assert plan.steps == ()
    assert len(plan.unchanged) == 1000
    assert plan_text(plan) == "Campaign c1: no changes, 1000 rules unchanged\n"


def test_create_update_and_delete_are_planned() -> None:
    """Rules are the same by name; a pruned one is deleted."""
    plan = make_plan("c1", [rule("a", 1, priority=5), rule("c", 3)], [stored("a", 1), stored("b", 2)], prune=["b"])
    assert sorted(actions(plan)) == [("create", "c"), ("delete", "b"), ("update", "a")]
    update = next(step for step in plan.steps if step.action == "update")
    assert (update.rule_id, [str(d) for d in update.differences]) == ("id-a", ["priority: 100 → 5"])
    assert plan.refusals == ()


def test_foreign_and_orphan_rules_are_refused() -> None:
    """A remote rule in no file stops the plan, with what to do; the words tell whose it is."""
    plan = make_plan("c1", [], [stored("mine", 1), stored("theirs", 2)], owned={"mine"})
    assert plan.refusals == (
        (
            "orphan rule 'mine', which an earlier deploy created, is in no file: "
            "name it in --prune to delete it, or in keep to leave it"
        ),
        (
            "foreign rule 'theirs' is on the target and in no file: "
            "name it in --prune to delete it, or in keep to leave it"
        ),
    )
    assert plan.steps == ()


def test_kept_rules_stay_and_are_named() -> None:
    """A rule in keep is neither refused nor written."""
    plan = make_plan("c1", [rule("a", 1)], [stored("theirs", 7)], keep=["theirs"])
    assert (plan.kept, plan.refusals, actions(plan)) == (("theirs",), (), [("create", "a")])


def test_an_order_that_a_kept_rule_holds_is_refused() -> None:
    """The sentence names both rules and the order."""
    plan = make_plan("c1", [rule("a", 7)], [stored("theirs", 7)], keep=["theirs"])
    assert plan.refusals == (
        "rule 'a' wants executionOrder 7, which rule 'theirs', which is in no file, holds: change one",
    )


def test_a_kept_rule_that_leaves_no_way_is_refused() -> None:
    """A swap below a kept rule without a gap cannot keep its promise, and is refused with what to change."""
    plan = make_plan("c1", [rule("a", 2), rule("b", 1)], [stored("a", 1), stored("b", 2), stored("k", 3)], keep={"k"})
    assert len(plan.refusals) == 1
    assert "rule 'a' cannot be moved" in plan.refusals[0]
    assert "'k'" in plan.refusals[0]
    assert len(plan.steps) == 2


def test_contradicting_names_are_refused() -> None:
    """A name in --prune and in the files, in --prune and keep, twice on the target or in the files: each is said."""
    remote = [stored("a", 1), {**stored("a", 2), "id": "other"}, stored("k", 3)]
    plan = make_plan("c1", [rule("a", 1), rule("x", 5), rule("x", 5)], remote, prune={"a", "k"}, keep={"k"})
    text = "\n".join(plan.refusals)
    assert "the target holds 2 rules named 'a'" in text
    assert "rule 'a' is in the files and named in --prune" in text
    assert "rule 'k' is named in --prune and in keep" in text
    assert "the files hold two rules named 'x'" in text
    assert "wants executionOrder 5, which rule 'x' holds" in text


def test_a_renamed_rule_keeps_its_id() -> None:
    """RenamedFrom is an update of the name, as long as the target knows only the old one."""
    plan = make_plan("c1", [rule("new", 1)], [stored("old", 1)], renamed={"new": "old"})
    assert actions(plan) == [("update", "new")]
    assert plan.steps[0].rule_id == "id-old"
    again = make_plan("c1", [rule("new", 1)], [stored("new", 1)], renamed={"new": "old"})
    assert again.steps == ()


def test_an_old_name_can_be_used_again() -> None:
    """The renamed rule gets its new name before another is created under the old one."""
    desired = [rule("old", 1, actions=STOP), rule("new", 5)]
    plan = make_plan("c1", desired, [stored("old", 5)], renamed={"new": "old"}, suppresses=suppresses)
    assert actions(plan) == [("update", "new"), ("create", "old")]


def test_renames_that_contradict_are_refused() -> None:
    """Two rules from one, or a chain, must be deployed one after the other."""
    twice = make_plan("c1", [rule("x", 1), rule("y", 2)], [stored("o", 1)], renamed={"x": "o", "y": "o"})
    assert "rules 'x' and 'y' are both renamed from 'o': correct renamedFrom of one" in twice.refusals
    chain = make_plan(
        "c1", [rule("c", 1), rule("b", 2)], [stored("b", 1), stored("a", 2)], renamed={"c": "b", "b": "a"}
    )
    assert any("one renaming after the other" in refusal for refusal in chain.refusals)


def test_suppressing_rules_come_first_and_go_last() -> None:
    """Where the order allows, what stops dialing is created or widened first, and deleted or narrowed last."""
    desired = [rule("narrow", 2), rule("plain", 3, priority=7), rule("begin", 8, actions=STOP)]
    remote = [
        stored("end", 1, actions=STOP),
        stored("narrow", 2, actions=STOP),
        stored("plain", 3),
        stored("gone", 4),
    ]
    plan = make_plan("c1", desired, remote, prune={"end", "gone"}, suppresses=suppresses)
    names = [step.rule for step in plan.steps]
    assert names[0] == "begin"
    assert set(names[-2:]) == {"end", "narrow"}


def test_a_suppressing_rule_is_replaced_in_one_write() -> None:
    """Pruned and created at one executionOrder, it keeps its id: at no moment does neither rule stop dialing."""
    remote = [stored("old", 2, actions=STOP), stored("other", 3)]
    plan = make_plan("c1", [rule("new", 2, actions=STOP), rule("calm", 3)], remote, prune={"old", "other"},
                     suppresses=suppresses)  # fmt: skip
    assert sorted(actions(plan)) == [("create", "calm"), ("delete", "other"), ("update", "new")]
    (update,) = [step for step in plan.steps if step.rule == "new"]
    assert update.rule_id == "id-old"
    assert [str(d) for d in update.differences] == ['name: "old" → "new"']


def test_a_swap_is_written_with_a_shift() -> None:
    """The parked rule's first write is a shift; only order changes travel in it."""
    plan = make_plan("c1", [rule("a", 2, priority=9), rule("b", 1)], [stored("a", 1), stored("b", 2)])
    assert actions(plan) == [("shift", "a"), ("update", "b"), ("update", "a")]
    assert plan.steps[0].after == content(stored("a", 3))
    assert plan.steps[2].before == plan.steps[0].after
    assert plan.steps[2].after == content(rule("a", 2, priority=9))


def test_the_text_is_what_a_reader_of_terraform_expects() -> None:
    """Signs, fields with old and new value, shifts with their reason, unchanged counted."""
    plan = make_plan(
        "c1",
        [rule("a", 2, priority=9), rule("b", 1), rule("d", 9), rule("same", 30)],
        [stored("a", 1), stored("b", 2), stored("c", 20), stored("same", 30), stored("other", 40), stored("k", 50)],
        prune=["c"],
        keep=["k"],
    )
    assert plan_text(plan) == (
        "Campaign c1: 1 create, 2 update, 1 shift, 1 delete\n"
        "  - delete rule 'c'\n"
        "  > shift rule 'a': executionOrder 1 → 3, so that others can pass\n"
        "  ~ update rule 'b'\n"
        "      executionOrder: 2 → 1\n"
        "  ~ update rule 'a'\n"
        "      priority: 100 → 9\n"
        "      executionOrder: 3 → 2\n"
        "  + create rule 'd' (executionOrder 9)\n"
        "  = 1 unchanged\n"
        "  = 1 kept: 'k'\n"
        "Refused: foreign rule 'other' is on the target and in no file: "
        "name it in --prune to delete it, or in keep to leave it\n"
    )


def test_what_is_written_of_plans_is_read_back(tmp_path: Path) -> None:
    """A file of plans gives the plan of each campaign, which departs from itself in nothing."""
    plans = [make_plan(campaign, [rule("a", 2)], [stored("a", 1)]) for campaign in ("c1", "c2")]
    write_plans(tmp_path / "plan.json", "prod", plans)
    planned = read_planned(tmp_path / "plan.json", "prod")
    assert {campaign: one.digest for campaign, one in planned.items()} == {p.campaign: p.digest for p in plans}
    assert departure(planned, plans) is None
    written = json.loads((tmp_path / "plan.json").read_text())
    assert written == {"environment": "prod", "campaigns": [plan.to_json() for plan in plans]}


def test_what_departs_from_a_plan_is_told_by_its_cause(tmp_path: Path) -> None:
    """Files that are others are refused, a target that moved is a conflict; each campaign is named with its cause."""
    plans = [make_plan(campaign, [rule("a", 2)], [stored("a", 1)]) for campaign in ("c1", "c2", "c3")]
    write_plans(tmp_path / "plan.json", "prod", plans)
    planned = read_planned(tmp_path / "plan.json", "prod")
    edited = [make_plan("c1", [rule("a", 3)], [stored("a", 1)]), plans[1]]
    files = "your files, your configuration or your --prune are not those that were planned; plan again"
    error = departure(planned, edited)
    assert isinstance(error, RefusedError)
    assert str(error) == f"campaign c1, c3: {files}"
    error = departure(planned, [edited[0], make_plan("c2", [rule("a", 2)], [stored("a", 5)]), plans[2]])
    assert isinstance(error, RemoteConflictError)
    target = "what stands on the target has changed since it was planned, by somebody or by this very plan; plan again"
    assert str(error) == f"campaign c2: {target}\ncampaign c1: {files}"


def test_a_plan_for_another_environment_is_refused(tmp_path: Path) -> None:
    """Two environments may hold the same rules; what was looked at for one was not looked at for the other."""
    write_plans(tmp_path / "plan.json", "staging", [make_plan("c1", [rule("a", 2)], [])])
    with pytest.raises(RefusedError, match="for the environment 'staging', not for 'prod'"):
        read_planned(tmp_path / "plan.json", "prod")


def test_a_plan_is_the_same_whatever_the_version_and_edited_it_is_none(tmp_path: Path) -> None:
    """A save without a change moves no plan; a file whose steps were changed is refused, digest or not."""
    plan = make_plan("c1", [rule("a", 2)], [stored("a", 1)])
    saved = make_plan("c1", [rule("a", 2)], [{**stored("a", 1), "version": 7, "dateModified": "2026-03-07"}])
    assert saved.digest == plan.digest
    data = plan.to_json()
    edited = {"environment": "prod", "campaigns": [{**data, "steps": [{"x": 1}]}]}
    (tmp_path / "plan.json").write_text(json.dumps(edited))
    with pytest.raises(InputError, match="was edited"):
        read_planned(tmp_path / "plan.json", "prod")


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", '"x"', "{}", '[{"campaign": "c"}]', '{"environment": "prod", "campaigns": []}'),
        '{"environment": "prod", "campaigns": [{"steps": 1}]}',
        '{"environment": "prod", "campaigns": [{"campaign": "c", "digest": 1}]}',
        '{"environment": ["prod"], "campaigns": [{"campaign": "c", "digest": 1}]}',
    ],
)
def test_something_else_is_not_a_plan(tmp_path: Path, text: str) -> None:
    """Anything else is refused with a sentence."""
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(InputError, match="not a plan"):
        read_planned(tmp_path / "plan.json", "prod")


def test_names_and_values_cannot_steer_the_terminal() -> None:
    """Control characters in somebody's rule are shown escaped."""
    evil = "x\x1b[2J\x9b"
    plan = make_plan(
        "c1", [rule("a", 1)], [stored("a", 1, description=evil, **{evil: 1}), stored(evil, 9)], keep=[evil]
    )
    text = plan_text(plan)
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "x\\x1b[2J" in text


def test_the_digest_tells_plans_apart() -> None:
    """The same input gives the same digest, other content on the target another one."""
    one = make_plan("c1", [rule("a", 2)], [stored("a", 1)])
    assert one.digest == make_plan("c1", [rule("a", 2)], [stored("a", 1)]).digest
    assert one.digest != make_plan("c1", [rule("a", 2)], [stored("a", 1, priority=7)]).digest


@st.composite
def changes(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]], set[str], set[str], dict[str, str]]:
    """Draw files and a target: rules that stay, change, move, come, go, are kept or get another name."""
    count = draw(st.integers(1, 7))
    olds = draw(st.permutations(range(1, count + draw(st.integers(1, 5)))))
    news = draw(st.permutations(range(1, count + draw(st.integers(1, 5)))))
    kinds = draw(
        st.lists(st.sampled_from(["stay", "stay", "create", "delete", "rename"]), min_size=count, max_size=count)
    )
    desired, remote, prune, renamed = [], [], set(), {}
    for n, kind in enumerate(kinds):
        name = f"r{n}"
        fields = {"priority": draw(st.sampled_from([100, 200])), "actions": draw(st.sampled_from([STOP, []]))}
        if kind != "create":
            remote.append(stored(name, olds[n], version=n + 1, actions=draw(st.sampled_from([STOP, []]))))
        if kind == "delete":
            prune.add(name)
            continue
        if kind == "rename":
            name = f"renamed{n}"
            renamed[name] = f"r{n}"
        desired.append(rule(name, news[n], **fields))
    keep = set()
    if draw(st.booleans()):
        remote.append(stored("kept", 99))
        keep.add("kept")
    return desired, remote, prune, keep, renamed


@given(changes())
@settings(max_examples=150)
def test_any_plan_leads_to_the_files_and_its_states_are_allowed(
    change: tuple[list[dict[str, Any]], list[dict[str, Any]], set[str], set[str], dict[str, str]],
) -> None:
    """Applied to a server that refuses duplicate orders and wrong versions, each plan ends in what was wanted."""
    desired, remote, prune, keep, renamed = change
    plan = make_plan("c1", desired, remote, prune=prune, keep=keep, renamed=renamed, suppresses=suppresses)
    assert plan.refusals == ()
    assert plan == make_plan("c1", desired, remote, prune=prune, keep=keep, renamed=renamed, suppresses=suppresses)
    old = {r["id"]: r["executionOrder"] for r in remote}
    by_name = {r["name"]: r["id"] for r in remote}
    # A suppressing rule that is written over another one goes on under its id, and so stands where that one stood.
    handed = {step.rule: step.rule_id for step in plan.steps if step.action == "update"}
    ids = {d["name"]: by_name.get(renamed.get(d["name"], d["name"])) or handed.get(d["name"]) for d in desired}
    new = {ids[d["name"]] or d["name"]: d["executionOrder"] for d in desired}
    new |= {r["id"]: r["executionOrder"] for r in remote if r["name"] in keep}

    def watch(campaign: Campaign) -> None:
        now = {r["id"] if r["id"] in old else r["name"]: r["executionOrder"] for r in campaign.rules.values()}
        for one in now:
            for other in now:
                orders = [o for o in (old, new) if one in o and other in o]
                assert not orders or any((o[one] > o[other]) == (now[one] > now[other]) for o in orders)

    campaign = Campaign(*remote)
    campaign.watch = watch
    apply(plan, MemoryTarget(campaign), audit=lambda _record: None)
    wanted = {d["name"]: content(d) for d in desired}
    assert campaign.contents() == wanted | {r["name"]: content(r) for r in remote if r["name"] in keep}
    untouched = {r["name"]: r["version"] for r in remote if r["name"] in {*keep, *plan.unchanged}}
    writes = [step.rule for step in plan.steps]
    assert all(campaign.versions()[n] == v + writes.count(n) for n, v in untouched.items())
    again = make_plan("c1", desired, list(campaign.rules.values()), keep=keep, prune=prune, renamed=renamed)
    assert again.steps == ()
