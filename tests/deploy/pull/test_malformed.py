"""What a target sends may be anything: reading it back ends in a rule or in a sentence."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.config import Environment
from dialproof_deploy.pull.contact_list_file import contact_list_file
from dialproof_deploy.pull.holders import Holder
from dialproof_deploy.pull.reading import read_rules
from dialproof_deploy.pull.rules_file import rules_file
from dialproof_deploy.pull.sample import rows_of
from dialproof_deploy.targets import CAMPAIGN_RULES, RULESETS
from tests.deploy.pull import platform_seeds as seeds
from tests.deploy.pull.test_pull_campaign_rules import ACTIONS, CONDITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.targets.base import TargetType

JUNK: list[Any] = [None, True, False, 0, 1, -1, 3.5, "", "x", [], {}, [1], ["a"], {"a": 1}, [[]], [{}], {"id": 5},
                   "a" * 300, [None], 10**20, {"x": {"y": []}}, "a::b", "\x1b"]  # fmt: skip
RULES = {
    "rulesets": [rule for one in seeds.rule_sets(50) for rule in one["rules"]],
    "campaign-rules": [
        {"id": "r", "name": f"r{n}", "version": 1, "priority": 1, "executionOrder": n + 1, "conditions": [c],
         "actions": [ACTIONS[n % len(ACTIONS)]], "enabled": True}
        for n, c in enumerate(CONDITIONS)
    ],
}  # fmt: skip


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value inside."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*place, key)
        yield from places(item, (*place, key))


def spoiled(value: Any, data: st.DataObject) -> Any:
    """Return a copy with one or two values that are something else."""
    value = copy.deepcopy(value)
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(list(places(value))))
        inner = value
        for key in way:
            inner = inner[key]
        inner[last] = copy.deepcopy(data.draw(st.sampled_from(JUNK)))
    return value


@pytest.mark.parametrize("kind", [RULESETS, CAMPAIGN_RULES], ids=lambda kind: kind.name)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_rule_is_read_or_it_is_said_why_not(kind: TargetType, data: st.DataObject) -> None:
    """Nothing else comes of it, and the file that holds both can be written."""
    wire = spoiled(data.draw(st.sampled_from(RULES[kind.name])), data)
    holder = Holder("h", ("c",), (wire,), "h" if kind is RULESETS else "")
    rules, unread = read_rules(holder, kind, Environment("e", time_zone=seeds.ZONE), None, lambda _, i: i)
    assert len(rules) + len(unread) == 1
    assert all(one.why for one in unread)
    assert rules_file({"campaign": "c"}, rules, unread, lambda _, i: i, note="x").startswith("# x\n")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_contact_list_is_written_or_it_is_said_why_not(data: st.DataObject) -> None:
    """Whatever stands in it."""
    spoilt = spoiled(seeds.CONTACT_LIST, data)
    try:
        text = contact_list_file(spoilt, "x")
    except ValueError:
        return
    assert text.startswith("# x\ncolumns:\n")


@given(st.binary(max_size=60))
def test_an_export_is_rows_whatever_it_holds(data: bytes) -> None:
    """Bytes that are no text, quotes that do not end: rows of text by column."""
    for row in rows_of(b'"inin-outbound-id","a"\n' + data):
        assert all(isinstance(value, str) for value in row.values())
