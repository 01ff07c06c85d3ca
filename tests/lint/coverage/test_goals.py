"""What a case meets, and what the cases of a rules file come to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.config import Semantics, load_config
from dialproof.coverage.goals import Goal, Goals, Share
from dialproof.coverage.observe import Observer, cases_of
from dialproof.coverage.table import table
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from dialproof.model.contacts import Expect, ExpectedAction
from dialproof.project import load_project
from tests.lint.analysis.build import act, campaign, cond, rule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLUMNS = [Column("n", "integer", required=True), Column("s", "string"), Column("tier", "string")]


def met(built: Any, contact: Mapping[str, object], expect: Expect | None = None, **semantics: Any) -> set[str]:
    """Return the goals that a run meets as text: the rule's position, the kind, the position."""
    observer = Observer(Evaluator(built, Semantics(**semantics)))
    found = observer.met(contact, expect)
    return {f"{g.rule} {g.kind} {g.position}" for n, g in enumerate(observer.goals.all) if found >> n & 1}


ONE = campaign(
    [
        rule(
            "many", 1, [cond("n", "greaterThan", 5)],
            [act("setList", listId="a"), act("setAttribute", attribute="tier", value="gold"), act("doNotDial")],
        )
    ],
    COLUMNS,
)  # fmt: skip


@pytest.mark.parametrize(
    ("expect", "actions"),
    [
        (Expect(matched=("many",)), set()),
        (Expect(dial=False), {2}),
        (Expect(dial=True), set()),
        (Expect(lists={"a": True}), {0}),
        (Expect(lists={"b": False}, contact={"tier": "gold"}), {1}),
        (Expect(actions=(ExpectedAction("setList", {}),)), {0, 1, 2}),
    ],
)
def test_an_action_counts_where_the_case_says_what_it_does(expect: Expect, actions: set[int]) -> None:
    """Its list, its column, the dialing it stops, or all actions; that its rule matched says nothing of it."""
    assert {g for g in met(ONE, {"n": 6}, expect) if "action" in g} == {f"0 action {k}" for k in actions}
    assert not {g for g in met(ONE, {"n": 5}, expect) if "action" in g}


def test_undecided_is_neither_matched_nor_missed() -> None:
    """Nor does the condition have a verdict; where undecided counts as met the rule is matched all the same."""
    assert met(ONE, {"n": "many"}) == set()
    assert met(ONE, {"n": "many"}, undecided="met") == {"0 matched 0"}


def test_a_rule_behind_the_end_of_a_run_is_not_exercised() -> None:
    """What the run does not come to is not evaluated."""
    rules = [
        rule("stop", 1, [cond("n", "greaterThan", 5)], [act("doNotDial")]),
        rule("texas", 2, [cond("s", "equals", "TX")], [act("setList", listId="a")]),
    ]
    built = campaign(rules, COLUMNS, hit_policy="first")
    assert met(built, {"n": 6, "s": "TX"}) == {"0 matched 0", "0 true 0", "0 decides true 0"}
    seen = {"0 missed 0", "0 false 0", "0 decides false 0", "1 matched 0", "1 true 0", "1 decides true 0"}
    assert met(built, {"n": 5, "s": "TX"}) == seen


def test_a_rule_sees_what_an_earlier_one_has_written() -> None:
    """Conditions count as the run finds them, not as the contact came."""
    rules = [
        rule("gold", 1, [cond("n", "greaterThan", 5)], [act("setAttribute", attribute="tier", value="gold")]),
        rule("desk", 2, [cond("tier", "equals", "gold")], [act("setList", listId="a")]),
    ]
    assert "1 matched 0" in met(campaign(rules, COLUMNS), {"n": 6, "tier": "none"})
    assert "1 missed 0" in met(campaign(rules, COLUMNS), {"n": 6, "tier": "none"}, laterRulesSeeUpdates=False)


def test_a_run_that_breaks_shows_nothing() -> None:
    """A column that cannot be counted ends the run with a failure: the case fails, and covers nothing."""
    built = campaign(
        [rule("count", 1, [cond("n", "greaterThan", 5)], [act("setAttribute", attribute="s", option="INCREMENT")])],
        COLUMNS,
    )
    assert met(built, {"n": 6, "s": "some"}) == set()


GOALS = Goals(
    "c",
    (("one", "a.rules.yaml"), ("two", "b.rules.yaml")),
    (
        *(Goal(0, "matched"), Goal(0, "missed"), Goal(0, "true"), Goal(0, "false")),
        *(Goal(0, "decides true"), Goal(0, "decides false"), Goal(0, "action")),
        *(Goal(1, "matched"), Goal(1, "missed"), Goal(1, "action")),
    ),
)


def test_shares_by_file() -> None:
    """A pair of MC/DC counts once and only as a whole; all goals weigh the same."""
    coverage = GOALS.coverage(0b001_0011111)
    one, two = coverage.files
    assert coverage.never_matched == ()
    assert coverage.never_missed == ("two",)
    assert one.shares == {
        "matched": Share(1, 1), "missed": Share(1, 1), "conditions": Share(2, 2), "mcdc": Share(0, 1),
        "actions": Share(0, 1),
    }  # fmt: skip
    assert (one.shown_percent, two.shown_percent) == ("66.6", "33.3")
    assert list(table([coverage])) == [
        "coverage      matched  missed  conditions  MC/DC  actions     all",
        "a.rules.yaml      1/1     1/1         2/2    0/1      0/1  66.6 %",
        "b.rules.yaml      1/1     0/1         0/0    0/0      0/1  33.3 %",
    ]


def test_what_is_impossible_counts_for_nothing() -> None:
    """A goal that no contact can meet is no gap, and half of a pair takes the pair with it."""
    goals = replace(GOALS, impossible=0b000_0010000)
    (one, _) = goals.coverage(0b000_1001111).files
    assert one.shares["mcdc"] == Share(0, 0)
    assert one.shown_percent == "100"


def test_nearly_complete_is_not_a_hundred() -> None:
    """Percentages are rounded down."""
    many = Goals("c", (("r", "a.rules.yaml"),), tuple(Goal(0, "action", k) for k in range(3000)))
    (file,) = many.coverage((1 << 2999) - 1).files
    assert file.shown_percent == "99.9"


TIMELINE = """\
now: 2026-03-06T10:00:00Z
cases:
  - name: two attempts
    contact: {attempts: 0}
    timeline:
      - {at: P1D, attempt: {wrapUpCode: none}, expect: {dial: true}}
      - {at: P1D, attempt: {}, expect: {matched: [enough], dial: false}}
"""
RULES = """\
campaign: c
rules:
  - name: enough
    version: 1
    priority: 2
    executionOrder: 1
    conditions: [{attribute: attempts, operator: greaterThanOrEqual, value: 1, type: number}]
    actions: [{type: doNotDial}]
  - name: count
    version: 1
    priority: 1
    executionOrder: 1
    category: wrapUp
    conditions: [{context: call.wrapUpCode, operator: exists}]
    actions: [{type: setAttribute, attribute: attempts, option: INCREMENT}]
"""


def test_a_timeline_meets_what_its_runs_meet(tmp_path: Path) -> None:
    """The first attempt misses the rule, the second one meets it: after the wrap-up of the first has counted."""
    (tmp_path / "c.rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "c.contacts.yaml").write_text(TIMELINE, encoding="utf-8")
    project = load_project(load_config(tmp_path))
    (campaign,) = project.campaigns
    observer = Observer(Evaluator(campaign, project.config.semantics))
    (found,) = (observer.met_by(case, file) for case, file in cases_of(project, campaign))
    left = {f"{observer.goals.rules[g.rule][0]} {g.kind}" for g in observer.goals.open(found)}
    assert left == {"count missed", "count false", "count decides false", "count action"}
