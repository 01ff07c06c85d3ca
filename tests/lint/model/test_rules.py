"""Rules files are read into rules; everything wrong is reported at once, at its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.model.parse_rules import parse_rules
from dialproof.model.rules import Condition, Group, RulesFile, When
from dialproof.source import read_source

if TYPE_CHECKING:
    from dialproof.source.positions import Problem

GOOD = """\
campaigns: [cmp_123]
contactList: customers.contactlist.yaml
hitPolicy: first
rules:
  - name: routing
    version: 1
    priority: 100
    executionOrder: 1
    category: wrapUp
    owner: ops
    tags: [vip]
    x-cost: {centre: 7}
    runsAfter: [other]
    conditions:
      - {attribute: customFields.lifetimeValue, operator: GREATER_THAN, value: 5000, type: number, inverted: true}
      - any:
          - {context: phone.type, operator: in, value: [Home, "5", 5, true]}
          - not: {attribute: state, operator: exists}
    actions:
      - {type: setList, listId: premium, value: true}
      - {type: setAttribute, attribute: tier, value: gold}
      - {type: dataAction, id: d, fields: {a: 1}}
  - name: in cel
    version: 1
    priority: 1000
    executionOrder: 2
    enabled: false
    when: |
      contact.state == "TX"
    actions: [{type: doNotDial}]
invariants:
  - {name: consent, always: contact.consent == "yes" || !outcome.dial}
"""


def parse(text: str, name: str = "rules/premium.rules.yaml") -> tuple[RulesFile | None, tuple[Problem, ...]]:
    """Parse the text of a rules file."""
    return parse_rules(read_source(Path(name), name, text.encode()))


def good(text: str) -> RulesFile:
    """Return the file of good text."""
    file, problems = parse(text)
    assert file is not None, [str(p) for p in problems]
    return file


def wrong(text: str) -> list[tuple[int, int, str, str]]:
    """Return line, column, code and message of every error of a bad file."""
    file, problems = parse(text)
    assert file is None
    return [(p.span.line, p.span.column, p.code, p.message) for p in problems]


def rule(**changes: str) -> str:
    """Return a file with one rule, some of its lines replaced ("" leaves one out)."""
    lines = {
        "name": "r",
        "version": "1",
        "priority": "100",
        "executionOrder": "1",
        "conditions": "[{attribute: a, operator: equals, value: x}]",
        "actions": "[{type: doNotDial}]",
        **changes,
    }
    return "rules:\n  -\n" + "".join(f"    {key}: {value}\n" for key, value in lines.items() if value != "")


def test_a_rules_file_is_read_whole() -> None:
    """Every key arrives: ids, order, nested groups, CEL, defaults and the keys that are free for users."""
    file = good(GOOD)
    assert (file.campaigns, file.contact_list, file.rule_set, file.hit_policy) == (
        ("cmp_123",),
        "customers.contactlist.yaml",
        "premium",
        "first",
    )
    first, second = file.rules
    assert (first.category, first.enabled, first.runs_after) == ("wrapUp", True, ("other",))
    assert first.metadata == {"owner": "ops", "tags": ("vip",), "x-cost": {"centre": 7}}
    condition, group = first.conditions
    assert isinstance(condition, Condition)
    assert (condition.operator, condition.value, condition.type, condition.inverted) == (
        "greaterThan",
        5000.0,
        "number",
        True,
    )
    assert isinstance(group, Group)
    inner = group.members[0]
    assert isinstance(inner, Condition)
    assert (inner.source, inner.value) == ("context", ("Home", "5", 5.0, True))
    assert isinstance(group.members[1], Group)
    assert [a.fields for a in first.actions] == [
        {"listId": "premium", "value": "true"},
        {"attribute": "tier", "option": "SET", "value": "gold"},
        {"id": "d", "fields": {"a": 1.0}},
    ]
    assert all(isinstance(hash(value), int) for action in first.actions for value in action.fields.values())
    assert isinstance(second.conditions[0], When)
    assert second.enabled is False
    assert file.invariants[0].always.text.startswith("contact.consent")


def test_values_know_where_they_stand() -> None:
    """Spans are those of the values themselves; a character of CEL in a block scalar has its own place."""
    file = good(GOOD)
    condition = file.rules[0].conditions[0]
    assert isinstance(condition, Condition)
    assert (condition.subject_span.line, condition.subject_span.column) == (15, 21)
    assert condition.value_span.column == GOOD.splitlines()[14].index("5000") + 1
    assert file.rules[0].spans["priority"].column == 15
    when = file.rules[1].conditions[0]
    assert isinstance(when, When)
    assert when.scalar.place(when.text.index('"TX"')) == (29, 24)


RULE_PROBLEMS = {
    "text as order": (
        rule(executionOrder='"1"'),
        6,
        21,
        "DP102",
        'executionOrder: expected an integer, found the text "1"',
    ),
    "priority 0": (rule(priority="0"), 5, 15, "DP108", "priority: expected 1 to 1000, found 0"),
    "priority 1001": (rule(priority="1001"), 5, 15, "DP108", "priority: expected 1 to 1000, found 1001"),
    "priority 1.5": (rule(priority="1.5"), 5, 15, "DP102", "priority: expected an integer, found the number 1.5"),
    "order 0": (rule(executionOrder="0"), 6, 21, "DP102", "executionOrder: expected 1 or more, found 0"),
    "true is no integer": (rule(version="true"), 4, 14, "DP102", "version: expected an integer, found true"),
    "no name": (rule(name=""), 3, 5, "DP107", "this rule lacks name"),
    "empty name": (rule(name="''"), 3, 11, "DP102", "name: expected text, found empty text"),
    "nothing": (rule(name=" "), 3, 10, "DP102", "name: expected text, found nothing"),
    "number as name": (rule(name="5"), 3, 11, "DP102", "name: expected text (in quotes), found the number 5"),
    "colons": (rule(name="a::b"), 3, 11, "DP102", "name: expected a name without '::', found \"a::b\""),
    "two lines": (
        rule(name='"a\\nb"'),
        3,
        11,
        "DP102",
        "name: expected a name on one line, found a line break or control character",
    ),
    "unknown key": (rule(enabeld="false"), 9, 5, "DP102", 'unknown key "enabeld" in this rule; did you mean enabled?'),
    "no conditions": (
        rule(conditions="[]"),
        7,
        17,
        "DP107",
        "conditions: expected at least one item, found an empty list",
    ),
    "neither": (rule(conditions=""), 3, 5, "DP107", "this rule lacks conditions or when"),
    "both": (rule(when='"true"'), 9, 5, "DP102", "expected one of conditions and when, found both"),
    "no action": (rule(actions="[]"), 8, 14, "DP107", "actions: expected at least one item, found an empty list"),
    "a list is due": (rule(actions="{type: doNotDial}"), 8, 15, "DP102", "actions: expected a list, found a mapping"),
    "category": (rule(category="precall"), 9, 15, "DP102", "category: there is no 'precall'; did you mean preCall?"),
    "enabled": (rule(enabled="yes"), 9, 14, "DP102", 'enabled: expected true or false, found the text "yes"'),
    "moment": (
        rule(effectiveUntil="soon"),
        9,
        21,
        "DP102",
        'effectiveUntil: expected a date or time such as 2026-03-07T10:00:00-07:00, found "soon"',
    ),
}


@pytest.mark.parametrize(
    ("begin", "end", "wrong"),
    [
        ("2026-03-07", "2026-03-06", True),
        ("2026-03-07", "2026-03-07", False),
        ("2026-03-07T10:00:00Z", "2026-03-07", False),
        ("2026-03-07T10:00:00Z", "2026-03-07T09:59:00Z", True),
        ("2026-03-07T10:00:00-07:00", "2026-03-07T16:00:00Z", True),
        ("2026-03-07T10:00:00-07:00", "2026-03-07T18:00:00Z", False),
    ],
)
def test_a_rule_ends_after_it_begins(begin: str, end: str, wrong: bool) -> None:
    """An end before the beginning is an error at the end; a day is the whole day."""
    file, problems = parse(rule(effectiveFrom=begin, effectiveUntil=end))
    expected = [(10, 21, "DP102", f"effectiveUntil {end} is before effectiveFrom {begin}")]
    assert [(p.span.line, p.span.column, p.code, p.message) for p in problems] == expected * wrong
    assert (file is None) is wrong


def test_the_dates_of_a_rule_are_compared_beside_other_errors() -> None:
    """A file that is wrong elsewhere says so all the same."""
    _, problems = parse(rule(effectiveFrom="2026-03-07", effectiveUntil="2026-03-06") + "x: 1\n")
    assert len(problems) == 2


@pytest.mark.parametrize(
    ("text", "line", "column", "code", "message"), RULE_PROBLEMS.values(), ids=RULE_PROBLEMS.keys()
)
def test_what_is_wrong_with_a_rule(text: str, line: int, column: int, code: str, message: str) -> None:
    """Each wrong key or value is one error at its place that says what was found and what was expected."""
    file, problems = parse(text)
    assert file is None
    errors = [p for p in problems if getattr(p, "severity", "error") == "error"]
    assert [(p.span.line, p.span.column, p.code, p.message) for p in errors] == [(line, column, code, message)]


CONDITIONS = {
    "unknown operator": (
        "{attribute: a, operator: equal, value: x}",
        "DP102",
        "there is no operator 'equal'; did you mean equals?",
    ),
    "unknown context": (
        "{context: phone.typ, operator: equals, value: x}",
        "DP102",
        "there is no context field 'phone.typ'; did you mean phone.type?",
    ),
    "no operator": ("{attribute: a, value: x}", "DP107", "this condition lacks operator"),
    "no subject": ("{operator: equals, value: x}", "DP107", "this condition lacks attribute or context"),
    "two subjects": (
        "{attribute: a, context: phone.type, operator: equals, value: x}",
        "DP102",
        "expected one of attribute and context, found both",
    ),
    "no value": ("{attribute: a, operator: equals}", "DP107", "this condition lacks value: operator equals needs one"),
    "null value": (
        "{attribute: a, operator: equals, value: null}",
        "DP102",
        "value: expected text, a number, true or false, found nothing",
    ),
    "infinite value": (
        "{attribute: a, operator: equals, value: .inf}",
        "DP102",
        "value: expected text, a number, true or false, found the number .inf",
    ),
    "value of exists": (
        "{attribute: a, operator: exists, value: x}",
        "DP102",
        "operator exists takes no value: remove it",
    ),
    "list for one": (
        "{attribute: a, operator: equals, value: [x]}",
        "DP102",
        "value: expected one value for operator equals, found a list",
    ),
    "one for list": (
        "{attribute: a, operator: in, value: x}",
        "DP102",
        'value: expected a list for operator in, found the text "x"',
    ),
    "empty list": (
        "{attribute: a, operator: in, value: []}",
        "DP107",
        "value: expected at least one item, found an empty list",
    ),
    "three for a pair": (
        "{attribute: a, operator: between, value: [1, 2, 3]}",
        "DP102",
        "value: expected [low, high] for operator between, found a list of 3",
    ),
    "type": (
        "{attribute: a, operator: equals, value: x, type: text}",
        "DP102",
        "type: there is no 'text'; expected one of string, number, boolean, datetime, period",
    ),
    "text": ("x", "DP102", 'condition: expected a condition or one of all, any, not, found the text "x"'),
    "empty group": ("{all: []}", "DP107", "all: expected at least one item, found an empty list"),
    "two groups": (
        "{all: [{attribute: a, operator: exists}], not: {attribute: a, operator: exists}}",
        "DP102",
        "expected one of all and not, found both",
    ),
    "group with operator": (
        "{not: {attribute: a, operator: exists}, operator: equals}",
        "DP102",
        'unknown key "operator" in this group; expected one of all, any, not',
    ),
    "list under not": (
        "{not: [{attribute: a, operator: exists}]}",
        "DP102",
        "not: expected a condition or one of all, any, not, found a list",
    ),
}


@pytest.mark.parametrize(("condition", "code", "message"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_what_is_wrong_with_a_condition(condition: str, code: str, message: str) -> None:
    """Conditions are held against the operator's shape and the context's fields, nested ones too."""
    for written in (condition, f"{{any: [{{not: {condition}}}]}}"):
        [(line, _, found_code, found_message)] = wrong(rule(conditions=f"[{written}]"))
        assert (line, found_code) == (7, code)
        assert found_message.partition(": expected a condition")[2] == message.partition(": expected a condition")[2]
        assert ": expected a condition" in message or found_message == message


ACTIONS = {
    "no type": ("{listId: x}", "DP107", "this action lacks type"),
    "unknown type": ("{type: setlist}", "DP102", "there is no action type 'setlist'; did you mean setList?"),
    "missing field": ("{type: setList}", "DP107", "this setList action lacks listId"),
    "unknown field": (
        "{type: doNotDial, listID: x}",
        "DP102",
        'unknown key "listID" in this doNotDial action; did you mean',
    ),
    "flag": (
        '{type: setList, listId: l, value: "yes"}',
        "DP102",
        'value: expected "true" or "false", found the text "yes"',
    ),
    "choice": (
        "{type: setAttribute, attribute: a, option: set}",
        "DP102",
        "option: there is no 'set'; did you mean SET?",
    ),
    "integer": (
        "{type: scheduleCallback, offsetMinutes: 1.5}",
        "DP102",
        "offsetMinutes: expected an integer, found the number 1.5",
    ),
    "period": (
        "{type: appendToDnc, expires: 7d}",
        "DP102",
        'expires: expected a period such as P7DT0H0M, found the text "7d"',
    ),
    "texts": ("{type: setSkills, skills: [1]}", "DP102", "skills, item: expected text (in quotes), found the number 1"),
    "text": ("doNotDial", "DP102", "action: expected a mapping with type and the fields of the action, found the text"),
}


@pytest.mark.parametrize(("action", "code", "message"), ACTIONS.values(), ids=ACTIONS.keys())
def test_what_is_wrong_with_an_action(action: str, code: str, message: str) -> None:
    """Actions are held against the action table: type, fields, choices."""
    [(line, _, found_code, found_message)] = wrong(rule(actions=f"[{action}]"))
    assert (line, found_code) == (8, code)
    assert found_message.startswith(message.removesuffix("; did you mean"))


def test_everything_wrong_is_reported_at_once() -> None:
    """Errors in several rules, keys and levels come together, none hides another."""
    text = rule(
        priority="0", executionOrder='"1"', conditions="[{attribute: a, operator: equal}]", actions="[{type: x}]"
    )
    text += "  - {}\ninvariants: [{}]\nhitpolicy: all\ncampaign: a\ncampaigns: [b]\n"
    assert [(line, code) for line, _, code, _ in wrong(text)] == [
        (5, "DP108"),
        (6, "DP102"),
        (7, "DP102"),
        (8, "DP102"),
        (9, "DP107"),
        (9, "DP107"),
        (10, "DP107"),
        (10, "DP107"),
        (11, "DP102"),
        (12, "DP102"),
    ]


FILES = {
    "list": (
        "- a\n",
        "DP101",
        "this file: expected a mapping with campaigns, campaign, contactList, ruleSet ..., found a list",
    ),
    "text": (
        "hello\n",
        "DP101",
        "this file: expected a mapping with campaigns, campaign, contactList, ruleSet ..., found the text",
    ),
    "cases": ("cases: []\n", "DP101", "expected rules:, found cases: rename this file to premium.contacts.yaml"),
    "columns": (
        "columns: {}\n",
        "DP101",
        "expected rules:, found columns: rename this file to premium.contactlist.yaml",
    ),
    "no rules": ("campaign: a\n", "DP107", "this rules file lacks rules"),
    "empty rules": ("rules: []\n", "DP107", "rules: expected at least one item, found an empty list"),
}


@pytest.mark.parametrize(("text", "code", "message"), FILES.values(), ids=FILES.keys())
def test_what_is_wrong_with_a_file(text: str, code: str, message: str) -> None:
    """A file of the wrong shape or kind says so in one error."""
    [(_, _, found_code, found_message)] = wrong(text)
    assert found_code == code
    assert found_message.startswith(message)


def test_keys_of_an_api_answer_are_noted_and_ignored() -> None:
    """A rule pasted from an API answer is accepted; its id and dates are hints, not errors."""
    file, problems = parse(rule(id="abc", selfUri="/x", dateCreated="2026-01-01"))
    assert file is not None
    assert [(p.span.line, getattr(p, "severity", "error")) for p in problems] == [
        (9, "info"),
        (10, "info"),
        (11, "info"),
    ]
    assert file.rules[0].metadata == {}


def test_long_values_are_cut_in_messages() -> None:
    """A message is one short line however long the value is."""
    [(_, _, _, message)] = wrong(rule(executionOrder="'" + "9" * 500 + "'"))
    assert len(message) < 130


def test_action_types_of_plugins_are_read_like_built_in_ones() -> None:
    """A type that a plugin describes has its fields checked and its defaults filled in."""
    from dialproof import hookimpl
    from dialproof.model import actions, parse_actions
    from dialproof.model.actions import ActionType, Field
    from dialproof.plugins import plugin_manager

    class Plugin:
        @hookimpl
        def dialproof_action_types(self) -> list[ActionType]:
            fields = {"text": Field("text"), "channel": Field("text", required=False, default="sms")}
            return [ActionType("sendMessage", fields, ("preCall",), writes="message")]

    caches = (actions.action_types, parse_actions._record)
    plugin = Plugin()
    plugin_manager().register(plugin)
    try:
        for cached in caches:
            cached.cache_clear()
        [action] = good(rule(actions="[{type: sendMessage, text: hello}]")).rules[0].actions
        assert action.fields == {"text": "hello", "channel": "sms"}
        [(_, _, code, message)] = wrong(rule(actions="[{type: sendMessage, txt: hello, text: x}]"))
        assert (code, message) == ("DP102", 'unknown key "txt" in this sendMessage action; did you mean text?')
    finally:
        plugin_manager().unregister(plugin)
        for cached in caches:
            cached.cache_clear()


def test_cel_is_checked_beside_other_errors() -> None:
    """A misspelt key in one rule hides no syntax error in the CEL of any rule or invariant."""
    text = GOOD.replace("owner: ops", "ownr: ops").replace('contact.state == "TX"', "contact.state == ")
    text = text.replace('contact.consent == "yes" ||', "contact.consent == ||")
    file, problems = parse(text)
    assert file is None
    assert [(p.code, p.span.line, p.span.column) for p in problems] == [
        ("DP102", 10, 5),
        ("DP103", 29, 23),
        ("DP103", 32, 48),
    ]


@pytest.mark.parametrize("key", ["version", "executionOrder"])
def test_whole_numbers_are_bounded(key: str) -> None:
    """A number that no platform would store is refused with the bound, however long it is."""
    for digits in (10, 30, 5000):
        _, problems = parse(rule(**{key: "9" * digits}))
        assert [p.message[:40] for p in problems] == [f"{key}: expected at most 2147483647, found 9999"[:40]]


def test_a_flood_of_problems_is_counted() -> None:
    """A file of another kind gives the first hundred problems and the number of the others."""
    _, problems = parse(GOOD + "".join(f"key{i}: 1\n" for i in range(2000)))
    assert len(problems) == 101
    assert problems[-1].message == "and 1,900 more in this file"
    _, problems = parse(GOOD.replace("[vip]", f"[{', '.join(['1'] * 2000)}]").replace("x-cost", "id"))
    errors = [p for p in problems if p.code == "DP102" and getattr(p, "severity", "error") == "error"]
    assert len(errors) == 101


def test_a_merge_key_is_named() -> None:
    """Somebody who knows YAML 1.1 is told why ``<<`` does nothing here."""
    _, problems = parse(GOOD.replace("owner: ops", "<<: {owner: ops}"))
    assert [(p.span.line, p.message) for p in problems] == [(10, "YAML 1.2 has no merge key <<: write the keys out")]
