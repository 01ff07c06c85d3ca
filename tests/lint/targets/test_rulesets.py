"""Rules as rule sets hold them: read back they hold on the same contacts, and they are what the platform knows."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.actions import BUILT_IN
from dialproof.model.contactlist import Column, ContactList
from dialproof.targets.base import TIME_ZONE
from dialproof.targets.rulesets import LONGEST_BODY, lower_campaign, lower_rule, suppresses
from dialproof.targets.rulesets_actions import ACTIONS
from dialproof.targets.rulesets_reading import read_rule
from tests.lint.analysis.build import act, campaign, cond, group, rule, when

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.model.rules import Action, Category, Expression, Rule

TABLES: Mapping[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "fixtures/targets/rulesets.yaml").read_text())

COLUMNS = (
    Column("customFields.tries", "integer", min=0, max=3, remote="Tries"),
    Column("state", "string", enum=("TX", "CA"), remote="State"),
    Column("seen", "datetime", remote="Last Seen"),
    Column("vip", "boolean", remote="vip"),
)
LIST = ContactList("c.contactlist.yaml", {c.name: c for c in COLUMNS})
NOW = "2026-01-07T12:00:00Z"
CONTACTS = [
    {k: v for k, v in {"customFields": {"tries": tries}, "state": state, "seen": seen}.items() if v is not None}
    for tries, state, seen in product(
        (None, 0, 1, 2, 3), (None, "TX", "CA"), (None, "2026-01-01", "2026-01-06T12:00:00Z", "2026-01-08")
    )
]
CONTEXTS: tuple[Mapping[str, Any], ...] = (
    {},
    {"call": {"wrapUpCode": "SALE", "systemDisposition": "ok", "analysis": "person"}, "phone": {"type": "Home"}},
    {
        "call": {"wrapUpCode": "BUSY", "analysis": "machine"},
        "phone": {"type": "Cell"},
        "lastWrapUp": {"overall": "BUSY"},
        "lastAttempt": {"overall": "2026-01-07T11:00:00Z", "byColumn": {"Phone": "2026-01-01"}},
        "data": {"balance": {"level": "high"}},
    },
)
MOMENTS = ("2026-01-07T12:00:00Z", "2026-01-31T07:59:00Z", "2026-02-01T20:00:00Z")


def resolve(kind: str, logical: str) -> str | None:
    """Return every id as it is, and UTC, in which the cases here run."""
    return "UTC" if kind == TIME_ZONE else logical


def lowered(written: Rule) -> list[dict[str, Any]]:
    """Return the rules that a rule travels as; there are no refusals."""
    wires, refusals = lower_rule(written, LIST, resolve)
    assert refusals == []
    return wires


def refusals(*conditions: Expression, actions: tuple[Action, ...] = (), category: Category = "preCall") -> list[str]:
    """Return what is refused of a rule, without its beginning."""
    written = rule("r", 1, conditions, actions or (act("contactUncallable"),), category=category)
    _, found = lower_rule(written, LIST, resolve)
    return [str(f).removeprefix("r.rules.yaml:1:1: DP701 rule 'r': rulesets cannot hold ") for f in found]


def conditions() -> st.SearchStrategy[Expression]:
    """Draw conditions on columns, the call, the phone, the clock, and groups of them."""
    orders = st.sampled_from(
        ("equals", "notEquals", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")
    )
    equal = st.sampled_from(("equals", "notEquals"))
    listed = st.sampled_from(("in", "notIn"))
    inverted = st.booleans()

    def one(subject: str, operator: Any, value: Any, kind: Any = None, *, context: bool = False) -> Any:
        kinds = kind if isinstance(kind, st.SearchStrategy) else st.just(kind)
        return st.builds(cond, st.just(subject), operator, value, kinds, inverted=inverted, context=st.just(context))

    texts = st.sampled_from(("TX", "CA", "X"))
    times, days = st.sampled_from(("08:00", "12:00", "20:00")), st.sampled_from((1.0, 6.0, 7.0))
    dates = st.sampled_from(("2026-01-01", "2026-01-06T12:00:00Z"))
    column = st.one_of(
        one("customFields.tries", orders, st.sampled_from((0.0, 1.0, 2.0))),
        one("customFields.tries", listed, st.sampled_from(((1.0,), (1.0, 2.0), (2.0, "2")))),
        one("customFields.tries", st.just("between"), st.just((1.0, 2.0))),
        one("customFields.tries", st.sampled_from(("exists", "notExists")), st.none()),
        one("state", equal, texts),
        one("state", listed, st.just(("TX", "CA"))),
        one(
            "state", st.sampled_from(("contains", "notContains", "beginsWith", "endsWith")), st.sampled_from(("T", "X"))
        ),
        one("state", orders, st.just("CB")),
        one("state", st.just("matches"), st.just("^T")),
        one("seen", st.sampled_from(("before", "after", "lessThanOrEqual", "equals")), dates),
        one("seen", st.just("between"), st.just(("2026-01-01", "2026-01-07"))),
        one("seen", st.sampled_from(("before", "after", "lessThan", "greaterThanOrEqual")), st.just("P1D"), "period"),
    )
    clock = st.one_of(
        one("now.timeOfDay", orders, times, context=True),
        one("now.timeOfDay", st.just("between"), st.just(("08:00", "20:00")), context=True),
        one("now.dayOfWeek", orders, days, context=True),
        one("now.dayOfWeek", listed, st.just((6.0, 7.0)), context=True),
        one("now.dayOfMonth", orders, st.just(31.0), context=True),
        one("now.date", orders, st.just("2026-01-31"), context=True),
    )
    call = st.one_of(
        one("call.wrapUpCode", st.one_of(equal, listed), st.just(("SALE", "BUSY")), context=True).map(_whole),
        one("call.systemDisposition", equal, st.just("ok"), context=True),
        one("call.analysis", st.sampled_from(("equals", "contains")), st.just("person"), context=True),
        one("phone.type", equal, st.just("Home"), context=True),
        one("lastWrapUp.overall", st.one_of(equal, listed), st.just(("SALE", "BUSY")), context=True).map(_whole),
        one(
            "lastAttempt.overall", st.sampled_from(("before", "greaterThan")), st.just("P0DT2H"), "period", context=True
        ),
        one("lastAttempt.byColumn.Phone", st.just("after"), st.just("2026-01-02"), context=True),
        one("data.balance.level", st.sampled_from(("equals", "beginsWith", "lessThan")), st.just("h"), context=True),
    )
    leaf: st.SearchStrategy[Expression] = st.one_of(column, clock, call)
    nested = st.builds(
        lambda kind, members: group(kind, *(members[:1] if kind == "not" else members)),
        st.sampled_from(("all", "any", "not")), st.lists(st.one_of(leaf, clock), min_size=1, max_size=3),
    )  # fmt: skip
    return st.one_of(leaf, nested)


def _whole(condition: Any) -> Any:
    """Return a condition with one value where its operator takes one."""
    from dataclasses import replace

    if condition.operator in ("equals", "notEquals"):
        return replace(condition, value=condition.value[0])
    return condition


@given(st.lists(conditions(), min_size=1, max_size=2), st.sampled_from(("preCall", "wrapUp")))
def test_what_is_lowered_holds_on_the_same_contacts(written: list[Expression], category: Category) -> None:
    """Read back, one of the rules acts exactly where the rule does, and where it is undecided one of them is."""
    ours = rule("r", 1, written, [act("contactUncallable")], category=category)
    wires, refused = lower_rule(ours, LIST, resolve)
    assume(not refused)
    read = [
        read_rule({**wire, "name": f"{wire['name']}!", "order": n, "id": "x"}, LIST) for n, wire in enumerate(wires)
    ]
    assert [r.category for r in read] == [category] * len(read)
    evaluator = Evaluator(campaign([ours, *read], COLUMNS), Semantics())
    for contact, context, now in product(CONTACTS, CONTEXTS, MOMENTS):
        original, *found = evaluator.verdicts(contact, context=context, now=now).values()
        assert (True if True in found else None if None in found else False) is original
        assert sum(verdict is True for verdict in found) <= 1
        assert original is not True or None not in found


@given(st.lists(conditions(), min_size=1, max_size=3), st.sampled_from(("preCall", "wrapUp")))
def test_what_is_lowered_is_what_the_platform_knows(written: list[Expression], category: Category) -> None:
    """Every condition has a type of the platform, for this category, with the fields that it needs."""
    wires, refused = lower_campaign(
        campaign([rule("r", 1, written, [act("contactUncallable")], category=category)], COLUMNS), resolve
    )
    assume(not refused)
    for wire in wires:
        check(wire)


def check(wire: Mapping[str, Any]) -> None:
    """Hold a rule against the tables of the platform."""
    assert set(TABLES["rule"]["needs"]) == set(wire)
    assert wire["category"] in TABLES["rule"]["categories"]
    for condition in wire["conditions"]:
        known = TABLES["conditions"][condition["type"]]
        own = set(condition) - {"type", "inverted"}
        assert set(known["needs"]) <= own <= {*known["needs"], *known.get("optional", ())}
        assert wire["category"] in known.get("categories", TABLES["rule"]["categories"])
        assert isinstance(condition["inverted"], bool)
        assert condition.get("operator", "EQUALS") in TABLES["operators"]
        assert condition.get("valueType", "STRING") in TABLES["valueTypes"]
        assert isinstance(condition.get("value", ""), str)
        assert condition.get("propertyType", "LAST_ATTEMPT_OVERALL") in TABLES["propertyTypes"]
        parts = condition.get("subConditions", [])
        assert len(parts) <= TABLES["subConditions"]["most"]
        for part in parts:
            assert part["type"] in TABLES["subConditions"]["types"]
            assert TABLES["subConditions"]["needs"][part["operator"]] in part
        for predicate in condition.get("predicates", ()):
            assert set(predicate) == set(TABLES["predicate"])
    for action in wire["actions"]:
        known = TABLES["actions"][action["actionTypeName"]]
        assert action["type"] == known["type"]
        assert wire["category"] in known.get("categories", TABLES["rule"]["categories"])
        if known["type"] == "Action":
            assert set(action["properties"]) <= set(known.get("properties", ()))
        if "updateOptions" in known:
            assert action["updateOption"] in known["updateOptions"]
        assert all(isinstance(value, str) for value in action.get("properties", {}).values())


EVERY_ACTION: tuple[tuple[Category, Action, Mapping[str, Any]], ...] = (
    ("preCall", act("doNotDial"), {"actionTypeName": "DO_NOT_DIAL", "properties": {}}),
    ("preCall", act("switchToPreview"), {"actionTypeName": "SWITCH_TO_PREVIEW", "properties": {}}),
    ("preCall", act("setCallerId", callerAddress="contact.customFields.tries", callerName="Acme"),
     {"actionTypeName": "SET_CALLER_ID", "properties": {"callerAddress": "contact.Tries", "callerName": "Acme"}}),
    ("preCall", act("setSkills", skills=("a", "b")),
     {"actionTypeName": "SET_SKILLS", "properties": {"skills": '["a", "b"]'}}),
    ("wrapUp", act("scheduleCallback", offsetMinutes=90),
     {"actionTypeName": "SCHEDULE_CALLBACK", "properties": {"callbackOffset": "90"}}),
    ("wrapUp", act("appendToDnc", list="numbers"),
     {"actionTypeName": "APPEND_NUMBER_TO_DNC_LIST", "properties": {"neverExpire": "true"}}),
    ("wrapUp", act("appendToDnc", list="custom", expires="P30DT0H0M"),
     {"actionTypeName": "APPEND_CUSTOM_ENTRY_TO_DNC_LIST", "properties": {"expirationDuration": "P30DT0H0M"}}),
    ("wrapUp", act("contactUncallable"), {"actionTypeName": "CONTACT_UNCALLABLE", "properties": {}}),
    ("preCall", act("numberUncallable"), {"actionTypeName": "NUMBER_UNCALLABLE", "properties": {}}),
    ("wrapUp", act("setAttribute", attribute="seen", option="CURRENT_TIME"),
     {"updateOption": "CURRENT_TIME", "properties": {"Last Seen": ""}}),
    ("preCall", act("setAttribute", attribute="state", value=5.0),
     {"updateOption": "SET", "properties": {"State": "5"}}),
    ("preCall", act("setAttribute", attribute="customFields.tries", option="INCREMENT"),
     {"updateOption": "INCREMENT", "properties": {"Tries": ""}}),
    ("preCall", act("dataAction", id="balance"), {"actionTypeName": "DATA_ACTION", "dataAction": {"id": "balance"}}),
)  # fmt: skip


@pytest.mark.parametrize(("category", "action", "expected"), EVERY_ACTION, ids=lambda value: getattr(value, "type", ""))
def test_an_action_travels_as_the_platform_names_it(
    category: Category, action: Action, expected: Mapping[str, Any]
) -> None:
    """With our fields in its properties, columns by their names there; read back it is the same action."""
    (wire,) = lowered(rule("r", 1, [cond("state", "equals", "TX")], [action], category=category))
    check({**wire, "order": 0})
    (found,) = wire["actions"]
    assert {key: found[key] for key in expected} == expected
    (read,) = read_rule(wire, LIST).actions
    assert read.type == action.type
    assert {k: str(v) for k, v in read.fields.items()} == {
        k: ("5" if v == 5.0 else str(v)) for k, v in action.fields.items() if v is not None
    }


def test_every_action_but_set_list_has_a_counterpart() -> None:
    """The table is complete, and its names are all that the platform has."""
    assert set(BUILT_IN) - set(ACTIONS) == {"setList"}
    assert {*ACTIONS.values(), "APPEND_CUSTOM_ENTRY_TO_DNC_LIST"} == set(TABLES["actions"])
    for name, there in ACTIONS.items():
        categories = {"DIALER_PRECALL": "preCall", "DIALER_WRAPUP": "wrapUp"}
        known = TABLES["actions"][there].get("categories", categories)
        assert set(BUILT_IN[name].categories) == {categories[c] for c in known}


def test_a_data_action_gets_columns_alone() -> None:
    """A column is passed by its name there; a constant cannot be."""
    action = act("dataAction", id="d", fields={"tries": "contact.customFields.tries", "source": "dialproof"})
    wires, (refusal,) = lower_rule(rule("r", 1, [cond("state", "equals", "TX")], [action]), LIST, resolve)
    assert wires[0]["actions"][0]["contactColumnToDataActionFieldMappings"] == [
        {"contactColumnName": "Tries", "dataActionField": "tries"}
    ]
    assert str(refusal).endswith(
        "a constant for the field source of a data action: it passes columns (contact.COLUMN) alone"
    )


ONE_EACH = "it takes one rule for each value, and two of them could act"
CALL_BACK = act("scheduleCallback", offsetMinutes=5)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (refusals(when("1.0 < 2.0")), ["'when' (CEL): write conditions"]),
        (refusals(when("true")), []),
        (refusals(group("not", when("true"))), ["a group in which alternatives hold several conditions"]),
        (
            refusals(group("any", cond("state", "equals", "TX"), cond("vip", "exists"))),
            ["a group in which one of several conditions must hold"],
        ),
        (refusals(cond("state", "matches", "^T")), ["the operator matches under type string"]),
        (
            refusals(cond("vip", "equals", True)),
            ["a condition of type boolean on vip: compare it as text (type: string)"],
        ),
        (refusals(cond("seen", "equals", "P1D", "period")), ["the operator equals under type period"]),
        (refusals(cond("customFields.tries", "between", (1, 2), inverted=True)), ["an inverted between"]),
        (
            refusals(cond("call.wrapUpCode", "equals", "SALE", context=True)),
            ["a condition on call.wrapUpCode in a pre-call rule: it is for wrap-up rules"],
        ),
        (
            refusals(cond("call.wrapUpCode", "contains", "S", context=True), category="wrapUp"),
            ["contains on call.wrapUpCode: it compares whole codes alone"],
        ),
        (refusals(cond("now.timeOfDay", "contains", "1", context=True)), ["this contains on now.timeOfDay"]),
        (refusals(cond("now.timeOfDay", "equals", "9:00", context=True)), ["this equals on now.timeOfDay"]),
        (
            refusals(cond("now.timeOfDay", "between", ("20:00", "08:00"), context=True)),
            ["between with the later bound first: nothing is between the two"],
        ),
        (refusals(cond("now.dayOfWeek", "greaterThan", 8.0, context=True)), ["this greaterThan on now.dayOfWeek"]),
        (refusals(cond("customFields.tries", "equals", "many")), ["a condition without a meaning (DP103)"]),
        (
            refusals(cond("state", "equals", "TX"), actions=(act("setList", listId="l"),)),
            ["the action setList, which has no counterpart there: write the membership to a column with setAttribute"],
        ),
        (
            refusals(
                cond("state", "equals", "TX"),
                actions=(act("setAttribute", attribute="customFields.tries", option="INCREMENT", value="2"),),
            ),
            ["setAttribute INCREMENT by another amount than 1: it counts by one"],
        ),
        (
            refusals(
                cond("state", "in", ("TX", "CA")), actions=(act("setAttribute", attribute="state", value="CA"),)
            ),
            [f"in on state, which the rule itself writes to: {ONE_EACH}"],
        ),
        (
            refusals(cond("state", "in", ("TX", "tx")), actions=(CALL_BACK,), category="wrapUp"),
            [f"in on state in a rule with an action that must not be done twice: {ONE_EACH}"],
        ),
        (
            refusals(*(cond("customFields.tries", "in", (0, 1, 2, 3)) for _ in range(4))),
            ["256 rules, one for each combination of values: split the rule"],
        ),
    ],
)  # fmt: skip
def test_what_rule_sets_cannot_hold(found: list[str], expected: list[str]) -> None:
    """Each refusal says what it is, and what rule sets hold instead where there is something."""
    assert found == expected


def test_a_list_of_values_is_one_rule_each() -> None:
    """`in` on a column travels as rules with names of their own; values that are one value there are one rule."""
    ours = rule(
        "r", 1, [cond("state", "in", ("TX", "CA")), cond("customFields.tries", "in", (1.0, "1"))], [act("doNotDial")]
    )
    wires = lowered(ours)
    assert [wire["name"] for wire in wires] == ["r (1/2)", "r (2/2)"]
    assert [[c["value"] for c in wire["conditions"]] for wire in wires] == [["1", "TX"], ["1", "CA"]]


def test_quiet_hours_are_one_condition() -> None:
    """An `any` of times is one time and date condition of which any part may hold."""
    hours = group("any", cond("now.timeOfDay", "lessThan", "08:00", context=True),
                  cond("now.timeOfDay", "greaterThanOrEqual", "20:00", context=True))  # fmt: skip
    (wire,) = lowered(rule("r", 1, [hours], [act("doNotDial")]))
    (condition,) = wire["conditions"]
    assert condition["matchAnyConditions"] is True
    assert condition["timeZoneId"] == "UTC"
    assert [(p["operator"], p["thresholdValue"], p["inverted"]) for p in condition["subConditions"]] == [
        ("BEFORE", "08:00", False),
        ("BEFORE", "20:00", True),
    ]


def test_an_age_is_a_time_relative_to_now() -> None:
    """Older than a day is before this time yesterday, as rule sets that the platform exports write it."""
    old = cond("lastAttempt.overall", "greaterThan", "P1D", "period", context=True)
    (wire,) = lowered(rule("r", 1, [old], [act("doNotDial")]))
    (condition,) = wire["conditions"]
    assert (condition["operator"], condition["value"], condition["inverted"]) == ("BEFORE", "P-1DT-0H-0M", False)


def test_the_clock_needs_a_time_zone() -> None:
    """Without the environment's time zone a condition on the clock is refused."""
    ours = rule("r", 1, [cond("now.timeOfDay", "lessThan", "08:00", context=True)], [act("doNotDial")])
    _, (refusal,) = lower_rule(ours, LIST, lambda kind, logical: None if kind == TIME_ZONE else logical)
    assert refusal.hint == "write time_zone to the environment"


def test_ids_are_those_of_the_environment() -> None:
    """Wrap-up codes and skills are resolved; one that the environment does not map is refused by its name."""
    known = {"SALE": "id-1", "spanish": "id-2"}
    ours = rule("r", 1, [cond("call.wrapUpCode", "in", ("SALE", "BUSY"), context=True)],
                [act("scheduleCallback", offsetMinutes=1)], category="wrapUp")  # fmt: skip
    (wire,), (refusal,) = lower_rule(ours, LIST, lambda _, logical: known.get(logical))
    assert wire["conditions"][0]["codes"][0] == "id-1"
    assert str(refusal).endswith("'BUSY': the environment maps no such id (ids.wrapUpCodes)")
    skilled = rule("r", 1, [cond("state", "equals", "TX")], [act("setSkills", skills=("spanish",))])
    (wire,), none = lower_rule(skilled, LIST, lambda _, logical: known.get(logical))
    assert (wire["actions"][0]["properties"], none) == ({"skills": '["id-2"]'}, [])


def test_a_campaign_is_one_list_in_order() -> None:
    """Rules of both categories are numbered from 0; disabled ones stay at home."""
    from dataclasses import replace

    rules = [
        rule("a", 3, [cond("state", "in", ("TX", "CA"))], [act("doNotDial")]),
        replace(rule("b", 5, [when("true")], [act("setList", listId="l")]), enabled=False),
        rule("c", 9, [cond("state", "equals", "TX")], [act("contactUncallable")], category="wrapUp"),
    ]
    wires, refused = lower_campaign(campaign(rules, COLUMNS), resolve)
    assert refused == []
    assert [(w["name"], w["order"], w["category"]) for w in wires] == [
        ("a (1/2)", 0, "DIALER_PRECALL"), ("a (2/2)", 1, "DIALER_PRECALL"), ("c", 2, "DIALER_WRAPUP"),
    ]  # fmt: skip
    assert [suppresses(wire) for wire in wires] == [True, True, False]
    assert LONGEST_BODY == 512_000


def test_two_columns_of_one_name_are_refused() -> None:
    """Nobody there could tell them apart."""
    columns = (Column("a.tries", "integer", remote="tries"), Column("b.tries", "integer", remote="tries"))
    rules = [rule("r", 1, [cond("a.tries", "equals", 1.0), cond("b.tries", "equals", 2.0)], [act("doNotDial")])]
    _, (refusal,) = lower_campaign(campaign(rules, columns), resolve)
    assert "cannot hold b.tries beside a.tries: both are column 'tries' there" in str(refusal)


WIRE: Mapping[str, Any] = {
    "name": "r",
    "order": 4,
    "category": "DIALER_PRECALL",
    "conditions": [],
    "actions": [{"type": "Action", "actionTypeName": "DO_NOT_DIAL"}],
}
ATTRIBUTE = {"type": "contactAttributeCondition", "attributeName": "State", "operator": "EQUALS", "value": "TX",
             "valueType": "STRING"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": ""}, "the name is no text"),
        ({"order": -1}, "order is -1"),
        ({"category": "DIALER_LATER"}, "a rule of category 'DIALER_LATER'"),
        ({"conditions": {}}, ""),
        ({"conditions": [7]}, "conditions is no list of objects"),
        ({"conditions": [{**ATTRIBUTE, "type": "moonCondition"}]}, "a condition of type 'moonCondition'"),
        ({"conditions": [{**ATTRIBUTE, "operator": "IN"}]}, "a condition with operator 'IN' under type string"),
        ({"conditions": [{**ATTRIBUTE, "valueType": "COLOR"}]}, "a condition of valueType 'COLOR'"),
        ({"conditions": [{**ATTRIBUTE, "value": 5}]}, "whose value is no text"),
        ({"conditions": [{**ATTRIBUTE, "attributeName": None}]}, "a column named None"),
        ({"conditions": [{**ATTRIBUTE, "valueType": "PERIOD", "operator": "BEFORE", "value": "x"}]}, "a period 'x'"),
        ({"conditions": [{"type": "wrapupCondition", "codes": []}]}, "a list of texts was expected"),
        (
            {"conditions": [{"type": "contactPropertyCondition", "propertyType": "LAST_MOOD"}]},
            "a condition on the property 'LAST_MOOD'",
        ),
        ({"conditions": [{"type": "timeAndDateCondition", "subConditions": []}]}, "a time and date condition of 0"),
        (
            {"conditions": [{"type": "timeAndDateCondition", "subConditions": [{"type": "dayOfWeek", "operator": "IN",
                             "range": {"inSet": ["LAST_DAY"]}}]}]},
            "other values than times",
        ),
        (
            {"conditions": [{"type": "dataActionCondition", "dataAction": {"id": "d"}, "dataNotFoundResolution": True,
                             "predicates": [{"outputField": "f", "outputOperator": "EQUALS", "comparisonValue": "x",
                                             "outputFieldMissingResolution": False}]}]},
            "says otherwise than here what a missing answer means",
        ),
        ({"actions": [{"actionTypeName": "LAUNCH"}]}, "an action of type 'LAUNCH'"),
        (
            {"actions": [{"actionTypeName": "MODIFY_CONTACT_ATTRIBUTE", "updateOption": "SET", "properties": {}}]},
            "with updateOption 'SET' and 0 columns",
        ),
        ({"actions": [{"actionTypeName": "SET_SKILLS", "properties": {"skills": "x"}}]}, "a list of texts"),
        ({"actions": [{"actionTypeName": "SCHEDULE_CALLBACK"}]}, "with callbackOffset None"),
        ({"actions": [{"actionTypeName": "DATA_ACTION"}]}, "a data action without an id"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_here_is_not_read_back(change: Mapping[str, Any], reason: str) -> None:
    """Somebody else's rule is read as it is meant or not at all."""
    if not reason:
        assert read_rule({**WIRE, **change}).conditions == ()
        return
    with pytest.raises(ValueError) as raised:
        read_rule({**WIRE, **change})
    assert reason in str(raised.value)


def test_columns_are_read_back_by_our_names() -> None:
    """With a contact list by its names, without one as they are there."""
    wire = {**WIRE, "conditions": [{**ATTRIBUTE, "attributeName": "Tries", "valueType": "NUMERIC", "value": "1"}]}
    names = [getattr(read_rule(wire, columns).conditions[0], "subject", "") for columns in (LIST, None)]
    assert names == ["customFields.tries", "Tries"]
