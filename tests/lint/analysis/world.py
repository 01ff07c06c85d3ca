"""Small campaigns about order, writes and passes, and what a run of every contact of their domain says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from dialproof.cel.values import read_text
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.actions import contradicts
from tests.lint.analysis.build import COLUMNS, act, campaign, campaigns, cond, contacts, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.checks.base import Check, CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

SETTINGS = settings(max_examples=20, suppress_health_check=list(HealthCheck))
Contact = dict[str, object]
NOWHERE = Path("/nowhere")


def run(check: Check, ctx: CheckContext) -> list[Finding]:
    """Return what one check finds; each witness is run and held against what it is to show."""
    ctx.check = check
    found = list(check.run(ctx))
    for finding in found:
        assert finding.witness is not None
        assert finding.witness.outcome is not None
    return found


def left_open(ctx: CheckContext) -> set[str]:
    """Return the codes of the checks that left a question open."""
    return {question.code for question in ctx.analysis.undecided}


@st.composite
def declared(draw: st.DrawFn) -> tuple[Campaign, Semantics]:
    """Draw a campaign whose rules may declare that they override others or run after them, or be switched off."""
    built, semantics = draw(campaigns())
    rules = []
    for index, one in enumerate(built.rules):
        earlier = [r.name for r in built.rules[:index]]
        names = st.lists(st.sampled_from(earlier), max_size=1).map(tuple) if earlier else st.just(())
        chance = draw(st.integers(0, 5))
        rules.append(
            replace(
                one,
                overrides=draw(names) if chance in (0, 4) else (),
                runs_after=draw(names) if chance == 1 else (),
                enabled=chance != 2,
                category="wrapUp" if chance == 3 and all(a.type != "doNotDial" for a in one.actions) else "preCall",
            )
        )
    return replace(built, rules=tuple(rules)), semantics


@st.composite
def machines(draw: st.DrawFn) -> tuple[Campaign, Semantics]:
    """Draw a campaign of rules that set the columns which others of them read."""
    tests = st.one_of(
        st.builds(lambda v: cond("s", "equals", v), st.sampled_from(("TX", "CA", "NV"))),
        st.builds(lambda o, v: cond("a", o, v), st.sampled_from(("equals", "lessThan")), st.sampled_from((0, 3, 5))),
        st.just(cond("s", "exists")),
    )
    writes = st.one_of(
        st.builds(lambda v: act("setAttribute", attribute="s", value=v), st.sampled_from(("TX", "CA", "NV", ""))),
        st.builds(lambda v: act("setAttribute", attribute="a", value=v), st.sampled_from(("0", "3", "5"))),
        st.builds(
            lambda o: act("setAttribute", attribute="b", option=o), st.sampled_from(("INCREMENT", "CURRENT_TIME"))
        ),
        st.builds(lambda v: act("setList", listId="l", value=v), st.sampled_from(("true", "false"))),
    )
    turns = st.builds(
        lambda one, other: ([cond("s", "equals", one)], [act("setAttribute", attribute="s", value=other)]),
        st.sampled_from(("TX", "CA")), st.sampled_from(("TX", "CA", "NV")),
    )  # fmt: skip
    lists = st.tuples(st.lists(tests, min_size=1, max_size=2), st.lists(writes, min_size=1, max_size=2))
    parts = draw(st.lists(st.one_of(turns, lists), min_size=2, max_size=4))
    rules = [rule(f"r{i}", i + 1, conditions, actions) for i, (conditions, actions) in enumerate(parts)]
    semantics = Semantics(undecided=draw(st.sampled_from(("unmet", "met"))), laterRulesSeeUpdates=draw(st.booleans()))
    return campaign(rules, COLUMNS, hit_policy=draw(st.sampled_from(("all", "first")))), semantics


BASES = (cond("b", "greaterThan", 0), cond("s", "exists"), cond("a", "lessThan", 4))
ORDERS = ("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")


@st.composite
def families(draw: st.DrawFn, most: int = 5) -> tuple[Campaign, Semantics]:
    """Draw rules of few kinds, many of which are equal but for the values of one column."""
    values = st.one_of(
        st.builds(lambda v: cond("s", "equals", v), st.sampled_from(("TX", "CA"))),
        st.builds(lambda o, v: cond("a", o, v), st.sampled_from(("equals", *ORDERS)), st.integers(0, 6)),
        st.builds(lambda x, y: cond("a", "between", (x, y)), st.integers(0, 4), st.integers(2, 6)),
        st.builds(lambda v: cond("a", "in", tuple(sorted(v))), st.sets(st.integers(0, 6), min_size=1, max_size=3)),
    )
    actions = st.sampled_from(
        (
            act("setList", listId="l"),
            act("setList", listId="l", value="false"),
            act("setAttribute", attribute="b", option="INCREMENT"),
            act("setAttribute", attribute="s", value="TX"),
            act("doNotDial"),
        )
    )
    bases = st.lists(st.sampled_from(BASES), max_size=1)
    overriding = draw(st.booleans())
    rules = [
        rule(
            f"r{i}", i + 1, [*draw(bases), draw(values)], [draw(actions)], overrides=("r0",) if i and overriding else ()
        )
        for i in range(draw(st.integers(2, most)))
    ]
    semantics = Semantics(
        undecided=draw(st.sampled_from(("refuseToDial", "unmet"))), doNotDialStops=draw(st.booleans())
    )
    return campaign(rules, COLUMNS, hit_policy=draw(st.sampled_from(("all", "all", "first")))), semantics


SYSTEMS = st.one_of(declared(), machines(), machines())


class World:
    """One category of a campaign, run over every contact of the domain, straight from the definition of a run."""

    def __init__(self, built: Campaign, semantics: Semantics, category: Any = "preCall") -> None:
        self.built, self.semantics, self.category = built, semantics, category
        self.evaluator = Evaluator(built, semantics)
        self.rules = [r for r in built.rules if r.enabled and r.category == category]
        self.updated = semantics.laterRulesSeeUpdates and built.hit_policy == "all"

    def run(self, contact: Contact, rules: Sequence[Rule] | None = None, lists: Any = None) -> Outcome:
        """Run some rules over a contact."""
        chosen = self.rules if rules is None else rules
        return self.evaluator.of(chosen).run(contact, category=self.category, lists=lists)

    def runs(self) -> Iterator[tuple[Contact, Outcome]]:
        """Yield every contact with its outcome, but those that break the run."""
        for contact in contacts():
            outcome = self.run(contact)
            if outcome.failure is None:
                yield contact, outcome

    def verdict(self, one: Rule, contact: Any) -> bool | None:
        """Return what a rule says of a contact as it is."""
        return self.evaluator.of([one]).verdicts(contact)[one.name]

    def ends(self, one: Rule) -> bool:
        """Tell whether the run is over when a rule has acted."""
        stops = self.semantics.doNotDialStops and any(a.type == "doNotDial" for a in one.actions)
        return self.built.hit_policy == "first" or stops

    def contradict(self, one: Rule, other: Rule) -> bool:
        """Tell whether two rules contradict each other."""
        return any(contradicts(a, b) for a in one.actions for b in other.actions)


def worlds(built: Campaign, semantics: Semantics) -> list[World]:
    """Return both categories."""
    return [World(built, semantics, category) for category in ("preCall", "wrapUp")]


def counted(rules: Sequence[Rule], *options: str) -> set[str]:
    """Return the columns that some rule writes with one of the options."""
    return {
        str(a.fields["attribute"])
        for r in rules
        for a in r.actions
        if a.type == "setAttribute" and a.fields["option"] in options
    }


def assigned(one: Rule) -> set[str]:
    """Return the columns that a rule sets to a value."""
    return counted([one], "SET")


def reads(world: World, one: Rule) -> set[str]:
    """Return the columns that the conditions of a rule read."""
    from dialproof.model.rules import leaves

    return {v.name for leaf in leaves(one.conditions) for v in world.evaluator.leaf(leaf).reads}


def effect(outcome: Outcome) -> object:
    """Return what an outcome comes to: dial, columns, lists, and how the call is made if there is one."""
    if outcome.failure is not None:
        return "failed"
    columns = {name: read_text(value) for name, value in outcome.contact.items() if read_text(value)}
    others = {a.action.type for a in outcome.acted} & {"switchToPreview", "setSkills"}
    return outcome.dial, columns, dict(outcome.lists), others if outcome.dial is not False else set()
