"""No state of a deploy dials a contact that both the old and the new rules refuse."""

from __future__ import annotations

import re
import sys
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_fakes import rule, stored

from dialproof.config import Semantics
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.rules import Condition
from dialproof.targets.campaign_rules import lower_rule, read_rule, suppresses
from dialproof_deploy.plan.plan import Plan, make_plan
from dialproof_deploy.plan.render import plan_text
from dialproof_deploy.plan.safety import Safety
from dialproof_deploy.targets.wire import same_content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Wire = dict[str, Any]

STOP = [{"type": "doNotDial"}]
LIST = [{"type": "setList", "listId": "gold", "value": "true"}]
COLUMNS = ContactList(
    "a.contactlist.yaml",
    {
        "x": Column("x", "integer", required=True, min=0, max=3),
        "y": Column("y", "integer", min=0, max=3),
        "score": Column("score", "integer", required=True, min=0, max=100),
        "phone": Column("phone", "string", phone=True),
        "flag": Column("flag", "string"),
        "note": Column("note", "string"),
    },
)


def when(*conditions: tuple[str, str, object]) -> list[dict[str, str]]:
    """Return wire conditions."""
    kinds = {"phone": "string", "flag": "string", "note": "string"}
    return [
        {"attribute": column, "operator": operator, "value": str(value), "type": kinds.get(column, "number")}
        for column, operator, value in conditions
    ]


def dnd(name: str, order: int, *conditions: tuple[str, str, object]) -> Wire:
    """Return a rule of the files that stops dialing."""
    return rule(name, order, conditions=when(*conditions), actions=STOP)


def on_target(*rules: Wire) -> list[Wire]:
    """Return rules as they are stored."""
    return [stored(r["name"], r["executionOrder"], **{k: r[k] for k in ("conditions", "actions")}) for r in rules]


def planned(
    desired: Sequence[Wire], remote: Sequence[Wire], semantics: Semantics | None = None, **options: Any
) -> Plan:
    """Plan with the promise; every remote rule in no file is pruned unless ``keep`` names it."""
    safety = Safety(options.pop("columns", COLUMNS), semantics or Semantics(), read_rule, suppresses)
    prune = {r["name"] for r in remote} - {r["name"] for r in desired} - set(options.get("keep", ()))
    return make_plan("c1", desired, remote, prune=prune, suppresses=suppresses, safety=safety, **options)


def states(plan: Plan) -> list[dict[str, Wire]]:
    """Return the rules by id after no write, one write, and so on to the last."""
    state: dict[str, Wire] = {r["id"]: dict(r) for r in plan.remote}
    result = [state]
    for step in plan.steps:
        state = dict(state)
        key = step.rule_id or step.rule
        if step.after is None:
            del state[key]
        else:
            state[key] = step.after
        result.append(state)
    return result


def order_of(plan: Plan) -> list[str]:
    """Return the rules in the order of their writes."""
    return [step.rule for step in plan.steps]


def test_what_takes_over_is_written_first() -> None:
    """A widened rule is written before the one whose contacts it takes over is narrowed, whatever their places."""
    old = on_target(dnd("a", 1, ("score", "lessThan", 100)), dnd("b", 2, ("score", "lessThan", 10)))
    new = [dnd("a", 1, ("score", "lessThan", 50)), dnd("b", 2, ("score", "lessThan", 100))]
    plan = planned(new, old)
    assert (order_of(plan), plan.refusals, plan.notes) == (["b", "a"], (), ())


def test_a_swap_of_conditions_is_refused_with_the_contact() -> None:
    """Where no sequence of single writes keeps the promise, the plan names both rules and a contact."""
    one, other = ("score", "lessThan", 10), ("score", "greaterThan", 90)
    plan = planned([dnd("a", 1, other), dnd("b", 2, one)], on_target(dnd("a", 1, one), dnd("b", 2, other)))
    (refusal,) = plan.refusals
    assert "contact with score = 0, x = 0 is refused now (doNotDial: a) and by the new rules (doNotDial: b)" in refusal
    assert "--allow-transient" in refusal
    assert "rulesets" in refusal
    allowed = planned(
        [dnd("a", 1, other), dnd("b", 2, one)],
        on_target(dnd("a", 1, one), dnd("b", 2, other)),
        allow_transient=True,
    )
    assert (allowed.refusals, allowed.notes, len(allowed.steps)) == ((), (refusal,), 2)
    assert f"Note: {refusal}" in plan_text(allowed)


def test_a_rule_that_stays_covers_a_swap() -> None:
    """What another rule refuses all the while is no reason to refuse the plan; a kept rule counts as well."""
    one, other = ("score", "lessThan", 10), ("score", "greaterThan", 90)
    keeper = dnd("all", 9, ("score", "greaterThan", -1))
    old = on_target(dnd("a", 1, one), dnd("b", 2, other), keeper)
    assert planned([dnd("a", 1, other), dnd("b", 2, one)], old, keep=["all"]).refusals == ()


def test_personal_columns_of_the_contact_are_masked() -> None:
    """The witness of a refusal shows no value of a pii or phone column."""
    one, other = ("phone", "beginsWith", "+1303"), ("phone", "beginsWith", "+4420")
    plan = planned([dnd("a", 1, other), dnd("b", 2, one)], on_target(dnd("a", 1, one), dnd("b", 2, other)))
    (refusal,) = plan.refusals
    assert "phone = •••" in refusal
    assert "+1303" not in refusal
    assert "+4420" not in refusal


def test_a_content_need_not_wait_for_its_place() -> None:
    """A rule inserted at the top moves the others from the bottom; what takes over is written before its turn."""
    old = on_target(dnd("a", 1, ("score", "lessThan", 10)), dnd("b", 2, ("score", "lessThan", 100)))
    new = [
        rule("top", 1, conditions=when(("flag", "equals", "x")), actions=LIST),
        dnd("a", 2, ("score", "lessThan", 100)),
        dnd("b", 3, ("score", "lessThan", 50)),
    ]
    plan = planned(new, old)
    assert (order_of(plan), plan.refusals) == (["a", "b", "a", "top"], ())


def test_a_rule_that_only_refuses_undecided_contacts_is_replaced_in_one_write() -> None:
    """Under refuseToDial a blank column is refused by a pruned rule and by the one at its place: neither may miss."""
    old = on_target(rule("old", 1, conditions=when(("y", "greaterThan", 1))))
    new = [rule("new", 1, conditions=when(("y", "greaterThan", 2)))]
    assert len(planned(new, old).steps) == 1
    assert order_of(planned(new, old, Semantics(undecided="unmet"))) == ["old", "new"]


def test_a_rule_that_cannot_be_read_back_is_never_taken_for_safe() -> None:
    """A suppressing rule with a field of another program may refuse anybody: what can go wrong with it is refused."""
    strange = dnd("a", 1, ("score", "lessThan", 10))
    strange["conditions"][0]["inverted"] = "yes"
    old = on_target(strange, dnd("b", 2, ("score", "greaterThan", 90)))
    new = [dnd("a", 1, ("score", "greaterThan", 90)), dnd("b", 2, ("score", "lessThan", 10))]
    (refusal,) = planned(new, old).refusals
    assert "not proved" in refusal
    assert "rule 'a' cannot be read back: a condition has a field 'inverted'" in refusal
    assert planned(new[:1], old, keep=["b"]).refusals == ()


def test_conditions_that_cannot_be_decided_are_not_claimed_to_be_safe() -> None:
    """Contains may hold where cells do not tell: a swap is refused as not proved, a replacement is put in order."""
    one, other = ("note", "contains", "stop"), ("note", "matches", "^(no|never)[0-9]$")
    old = on_target(dnd("a", 1, one), dnd("b", 2, other))
    assert len(planned([dnd("a", 1, other), dnd("b", 2, one)], old).refusals) == 1
    plan = planned([dnd("c", 3, one)], old)
    assert (order_of(plan)[0], plan.refusals) == ("c", ())


def test_a_large_change_of_plain_rules_is_noted_and_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not decided about contacts that no suppressing rule refuses is said, and stops nobody."""
    monkeypatch.setattr("dialproof.analysis.outside._STEPS", 20)
    bounds = [(("x", "greaterThan", n % 4), ("y", "lessThan", n % 3)) for n in range(21)]
    old = [rule(f"r{n}", n, conditions=when(*bounds[n])) for n in range(1, 20)]
    new = [rule(f"r{n}", n, conditions=when(*bounds[n + 1])) for n in range(1, 20)]
    plan = planned(new, on_target(*old))
    assert plan.refusals == ()
    assert "refused only because a rule is undecided, that is not proved (not decided within 20 steps)" in plan.notes[0]
    one, other = ("score", "lessThan", 10), ("score", "greaterThan", 90)
    swapped = planned(
        [*new, dnd("a", 20, other), dnd("b", 21, one)], on_target(*old, dnd("a", 20, one), dnd("b", 21, other))
    )
    assert "would be dialed in between" in swapped.refusals[0]


def test_plans_that_change_no_suppression_load_no_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand rules whose priorities and lists change cost no analysis, and their plan is the same as without."""
    monkeypatch.setitem(sys.modules, "dialproof_deploy.plan.refusing", None)
    old = [dnd(f"r{n}", n, ("score", "lessThan", n % 100)) for n in range(1, 1001)]
    new = [{**r, "priority": 7} for r in old]
    plan = planned(new, on_target(*old))
    assert len(plan.steps) == 1000
    assert plan == make_plan("c1", new, on_target(*old), suppresses=suppresses)


def test_a_writer_that_changes_is_followed_through_runs() -> None:
    """A suppressing rule reads what another one writes: only whole runs show that the marked contacts get through."""

    def mark(value: str) -> Wire:
        action = {"type": "setAttribute", "attribute": "flag", "option": "SET", "value": value}
        return rule("mark", 1, conditions=when(("x", "equals", 1)), actions=[action])

    old = on_target(mark("stop"), dnd("b", 2, ("flag", "equals", "stop")))
    plan = planned([mark("halt"), dnd("b", 2, ("flag", "equals", "halt"))], old)
    (refusal,) = plan.refusals
    assert "x = 1" in refusal
    assert "this sequence does it" in refusal


def test_rules_are_read_back_as_they_were_sent() -> None:
    """Lists and pairs are JSON arrays on the wire; sent again, the rule is the same."""
    wire = dnd("a", 3, ("note", "in", '["x","y"]'), ("score", "between", '["1","5"]'), ("flag", "exists", ""))
    wire["actions"] = [*STOP, *LIST, {"type": "setAttribute", "attribute": "flag", "option": "SET", "value": "1"}]
    read = read_rule({**wire, "id": "1", "selfUri": "/1", "dateCreated": "x", "more": None})
    assert [c.value for c in read.conditions if isinstance(c, Condition)] == [("x", "y"), ("1", "5"), None]
    lowered, problems = lower_rule(read, COLUMNS, lambda _kind, logical: logical)
    assert (same_content(lowered, wire), problems) == (True, [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"category": "wrapUp"}, "the rule has a field 'category'"),
        ({"conditions": when(("note", "soundsLike", "x"))}, "operator 'soundsLike'"),
        ({"conditions": when(("note", "in", "x,y"))}, "no JSON array of texts"),
        ({"conditions": when(("score", "between", '["1"]'))}, "other than two values"),
        ({"conditions": [7]}, "a condition is no object"),
        ({"conditions": {"all": []}}, "conditions is no list"),
        ({"conditions": [{"attribute": "x", "operator": "equals", "value": 5}]}, "whose value is no text"),
        ({"actions": [None]}, "an action is no object"),
        ({"actions": [{"type": "launch"}]}, "an action of type 'launch'"),
        ({"actions": [{"type": "setList"}]}, "an action setList without listId"),
        ({"actions": [{"type": "doNotDial", "until": 0}]}, "an action doNotDial has a field 'until'"),
    ],
)
def test_what_has_no_meaning_here_is_not_read_back(change: dict[str, Any], reason: str) -> None:
    """A field, operator, type or value that dialproof does not know is named."""
    with pytest.raises(ValueError, match=re.escape(reason)):
        read_rule({**dnd("a", 1, ("score", "lessThan", 5)), **change})


# A run of suppressing rules in few words, which shares nothing with the evaluator.


def holds(conditions: Sequence[Mapping[str, str]], contact: Mapping[str, int | None]) -> bool | None:
    """Tell whether all conditions hold; None where a blank column leaves that open."""
    verdicts: list[bool | None] = []
    for c in conditions:
        value, bound = contact[c["attribute"]], int(c["value"])
        if value is None:
            verdicts.append(None)
        else:
            verdicts.append(
                {"lessThan": value < bound, "greaterThan": value > bound, "equals": value == bound}[c["operator"]]
            )
    return False if False in verdicts else None if None in verdicts else True


def refused(rules: Sequence[Wire], contact: Mapping[str, int | None], undecided: str) -> bool:
    """Tell whether some rule keeps the contact from being dialed, each one seeing what those in front have written."""
    now = dict(contact)
    for r in sorted(rules, key=lambda r: r["executionOrder"]):
        verdict = holds(r["conditions"], now) if r["enabled"] else False
        if verdict is None and undecided == "refuseToDial":
            return True
        if verdict or (verdict is None and undecided == "met"):
            if r["actions"] == STOP:
                return True
            for action in r["actions"]:
                if action["type"] == "setAttribute":
                    value, by = now[action["attribute"]], int(action["value"])
                    now[action["attribute"]] = by if action["option"] == "SET" else (value or 0) + by
    return False


CONTACTS = [{"x": x, "y": y} for x in range(4) for y in (*range(4), None)]


def is_safe(sequence: Sequence[Sequence[Wire]], undecided: str) -> bool:
    """Tell whether every state refuses what the first and the last one refuse."""
    both = [c for c in CONTACTS if refused(sequence[0], c, undecided) and refused(sequence[-1], c, undecided)]
    return all(refused(state, c, undecided) for state in sequence for c in both)


def keeps_order(state: Mapping[str, int], *orders: Mapping[str, int]) -> bool:
    """Tell whether no place is taken twice and each pair stands as before or as after."""
    for one, other in combinations(state, 2):
        wanted = {o[one] < o[other] for o in orders if one in o and other in o}
        if state[one] == state[other] or (wanted and (state[one] < state[other]) not in wanted):
            return False
    return True


def some_order_is_safe(old: dict[str, Wire], new: dict[str, Wire], undecided: str) -> bool:
    """Try every order of single writes, without parking, for one that keeps both promises."""
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    places = [{name: r["executionOrder"] for name, r in rules.items()} for rules in (old, new)]
    for order in permutations(changed):
        state, sequence = dict(old), [old]
        for name in order:
            state = {n: r for n, r in {**state, name: new.get(name)}.items() if r is not None}
            sequence.append(state)
        if is_safe([list(s.values()) for s in sequence], undecided) and all(
            keeps_order({n: r["executionOrder"] for n, r in s.items()}, *places) for s in sequence
        ):
            return True
    return False


@st.composite
def campaigns(draw: st.DrawFn, plain: Sequence[Any] = ()) -> tuple[dict[str, Wire], dict[str, Wire]]:
    """Draw up to four rules before and after, that stop dialing or have actions of ``plain``."""
    condition = st.tuples(
        st.sampled_from("xy"), st.sampled_from(["lessThan", "greaterThan", "equals"]), st.integers(0, 3)
    )
    campaign: tuple[dict[str, Wire], dict[str, Wire]] = ({}, {})
    count = draw(st.integers(2, 4))
    for rules in campaign:
        for name, order in zip("abcd"[:count], draw(st.permutations(range(1, count + 2))), strict=False):
            made = dnd(name, order, *draw(st.lists(condition, min_size=1, max_size=2)))
            if plain and draw(st.booleans()):
                made["actions"] = draw(st.sampled_from(plain))
            if draw(st.integers(0, 3)):
                rules[name] = made
    if draw(st.booleans()):  # the same places before and after, so that contents alone decide
        for name, r in campaign[1].items():
            r["executionOrder"] = "abcd".index(name) + 1
        for name, r in campaign[0].items():
            r["executionOrder"] = "abcd".index(name) + 1
    return campaign


def check(old: dict[str, Wire], new: dict[str, Wire], undecided: Any) -> None:
    """Hold a plan against brute force: it is safe, or no order of single writes is."""
    plan = planned(list(new.values()), on_target(*old.values()), Semantics(undecided=undecided))
    if plan.refusals:
        assert not some_order_is_safe(old, new, undecided)
        assert all("would be dialed in between" in refusal for refusal in plan.refusals)
        return
    played = states(plan)
    assert is_safe([list(state.values()) for state in played], undecided)
    first, last = ({key: r["executionOrder"] for key, r in played[i].items()} for i in (0, -1))
    assert all(keeps_order({k: r["executionOrder"] for k, r in s.items()}, first, last) for s in played)
    assert {r["name"]: r["conditions"] for r in played[-1].values()} == {n: r["conditions"] for n, r in new.items()}


@given(campaigns())
@settings(max_examples=150)
def test_suppressing_rules_never_leave_a_gap_or_the_plan_says_so(
    campaign: tuple[dict[str, Wire], dict[str, Wire]],
) -> None:
    """Any change of suppressing rules is safe in every state, or brute force finds no safe order either."""
    check(*campaign, "unmet")


@given(campaigns(plain=[LIST]), st.sampled_from(["refuseToDial", "met"]))
@settings(max_examples=150)
def test_rules_that_are_undecided_count_as_the_semantics_say(
    campaign: tuple[dict[str, Wire], dict[str, Wire]], undecided: str
) -> None:
    """Under refuseToDial any rule refuses where a blank column leaves it open, whatever its actions are."""
    check(*campaign, undecided)


WRITES = [
    [{"type": "setAttribute", "attribute": column, "option": option, "value": value}]
    for column, option, value in (("x", "SET", "0"), ("x", "SET", "3"), ("y", "SET", "1"), ("y", "INCREMENT", "1"))
]


@given(campaigns(plain=WRITES), st.sampled_from(["refuseToDial", "met", "unmet"]))
@settings(max_examples=150)
def test_what_rules_write_for_others_is_followed(
    campaign: tuple[dict[str, Wire], dict[str, Wire]], undecided: Any
) -> None:
    """Where rules read what others write, a plan without refusals is safe in every state as well."""
    old, new = campaign
    plan = planned(list(new.values()), on_target(*old.values()), Semantics(undecided=undecided))
    if not plan.refusals:
        assert is_safe([list(state.values()) for state in states(plan)], undecided)
