"""Goals that are said to be possible or impossible, against the run of every contact of a small domain.

Conditions are decided by cel-python, the rest by the definition in ``oracle``: a goal that is said to be impossible is
met by no contact at all, and a contact that is found meets it.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.analysis.answers import RLIMIT, Budget, Found, Nowhere, Unknown
from dialproof.analysis.campaign import CampaignAnalysis
from dialproof.config import Semantics
from dialproof.coverage.observe import Observer
from dialproof.coverage.reach import Reach
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, campaign, group, rule, when
from tests.lint.coverage.oracle import Facts, Tree, cel, groups, shown
from tests.lint.coverage.test_decisions import trees

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.model.rules import Expression
    from dialproof.project import Campaign

COLUMNS = [
    Column("n", "integer", min=0, max=3),
    Column("s", "string", enum=("TX", "CA")),
    Column("b", "boolean", required=True),
]
CONTACTS = [
    {name: value for name, value in zip("nsb", values, strict=True) if value is not None}
    for values in product([None, 0, 1, 2, 3], [None, "TX", "CA"], [True, False])
]
CONDITIONS = {
    "p": "contact.n > 1.0",
    "q": "contact.n >= 3.0",
    "r": 'contact.s == "TX"',
    "t": "contact.b",
    "u": "contact.n == 1.0",
}
WRITES: Sequence[Mapping[str, object]] = ({}, {}, {"n": 2}, {"n": ""}, {"s": "TX"})


def spelt(tree: Tree) -> Tree:
    """Return a tree with the CEL of its letters."""
    return CONDITIONS[tree] if isinstance(tree, str) else (tree[0], tuple(map(spelt, tree[1])))


_PROBE = Evaluator(
    campaign([rule(text, 1, [when(text)], [act("doNotDial")]) for text in CONDITIONS.values()], COLUMNS),
    Semantics(),
    reference=True,
)


@cache
def _verdicts(contact: tuple[tuple[str, object], ...]) -> dict[str, bool | None]:
    return _PROBE.verdicts(dict(contact))


def verdict(text: str, contact: Mapping[str, object]) -> float:
    """Return what cel-python says of a condition."""
    return {True: 1.0, False: 0.0, None: 0.5}[_verdicts(tuple(contact.items()))[text]]


Drawn = list[tuple[Tree, "Mapping[str, object]", bool]]
"""Conditions, writes, and whether they are written in CEL."""

DRAWN = st.lists(st.tuples(trees("pqrtu").map(spelt), st.sampled_from(WRITES), st.booleans()), min_size=1, max_size=3)


def built(drawn: Drawn, *, first: bool) -> Campaign:
    """Return the campaign of drawn rules."""
    rules = []
    for order, (tree, writes, in_cel) in enumerate(drawn, 1):
        condition: Expression = when(cel(tree)) if in_cel else group("all", groups(tree))
        actions = [act("setAttribute", attribute=name, value=value) for name, value in writes.items()]
        rules.append(rule(f"r{order}", order, [condition], actions or [act("doNotDial")]))
    return campaign(rules, COLUMNS, hit_policy="first" if first else "all")


def reach_of(made: Campaign, rlimit: int = RLIMIT) -> Reach:
    """Return what searches goals of a campaign."""
    observer = Observer(Evaluator(made, Semantics()))
    evaluator = observer.evaluator
    return Reach(observer, CampaignAnalysis(evaluator.campaign, evaluator, rlimit))


def facts(reach: Reach, met: int) -> Facts:
    """Return what a bitset of goals says, actions left out."""
    goals = enumerate(reach.observer.goals.all)
    return {(g.rule, g.kind, g.position) for n, g in goals if met >> n & 1 and g.kind != "action"}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(DRAWN, st.booleans())
def test_every_goal_is_decided_as_by_every_contact(drawn: Drawn, first: bool) -> None:
    """What a run shows is what the definition says, and a goal is found or refuted as all runs together say."""
    reach = reach_of(built(drawn, first=first))
    rules = [(tree, writes) for tree, writes, _ in drawn]
    possible: Facts = set()
    for contact in CONTACTS:
        wanted = shown(rules, contact, verdict, first=first)
        assert facts(reach, reach.observer.met(contact)) == wanted
        possible |= wanted
    for goal in reach.observer.goals.all:
        if goal.kind == "action":
            continue
        answer, key = reach.search(goal, Budget().question()), (goal.rule, goal.kind, goal.position)
        assert not isinstance(answer, Unknown), (goal, answer)
        if isinstance(answer, Found):
            assert key in facts(reach, reach.observer.met(answer.scene.contact)), goal
        assert isinstance(answer, Nowhere) is (key not in possible), goal
        assert reach.by_cells(goal) in (None, key in possible), goal


def test_coupled_conditions_cannot_be_exercised() -> None:
    """Of n > 1 && n >= 3 nothing is decided by the first alone, and that is proved."""
    reach = reach_of(built([(spelt(("all", ("p", "q"))), {}, True)], first=False))
    answers = {
        (goal.kind, goal.position): isinstance(reach.search(goal, Budget().question()), Found)
        for goal in reach.observer.goals.all
        if goal.kind.startswith("decides")
    }
    assert answers == {
        ("decides true", 0): True,
        ("decides false", 0): False,
        ("decides true", 1): True,
        ("decides false", 1): True,
    }


def test_what_the_solver_cannot_tell_is_said() -> None:
    """Columns compared with each other over an open domain: without a contact there is a reason, never a proof."""
    columns = [Column("x", "number"), Column("y", "number")]
    condition = when("contact.x * contact.x + contact.y * contact.y == 0.03")
    reach = reach_of(campaign([rule("r", 1, [condition], [act("doNotDial")])], columns), rlimit=1)
    answer = reach.search(reach.observer.goals.all[0], Budget().question())
    assert isinstance(answer, Unknown)
    assert answer.reason
