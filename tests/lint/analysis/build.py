"""Short ways to write campaigns, and the strategies that draw small ones."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from dialproof.analysis.campaign import CampaignAnalysis
from dialproof.analysis.familiar import Familiar
from dialproof.config import Config, Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column, ContactList
from dialproof.model.rules import Action, Condition, Expression, Group, Rule, When
from dialproof.project import Campaign, Project
from dialproof.source.nodes import Scalar, SourceText
from dialproof.source.positions import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dialproof.checks.base import CheckContext
    from dialproof.model.rules import Category, HitPolicy, Value, ValueType

HERE = Span.point(1, 1)


def cond(
    subject: str,
    operator: str,
    value: Value = None,
    kind: ValueType | None = None,
    *,
    inverted: bool = False,
    context: bool = False,
) -> Condition:
    """Return a condition on a column, or on a field of the context."""
    return Condition("context" if context else "contact", subject, operator, value, kind, inverted, HERE, HERE, HERE)


def when(text: str) -> When:
    """Return a condition in CEL."""
    return When(text, HERE, Scalar(SourceText(text), 0, len(text), text, text, "plain"))


def group(kind: str, *members: Expression) -> Group:
    """Return ``all``, ``any`` or ``not`` of members."""
    return Group(kind, members, HERE)  # type: ignore[arg-type]


def act(kind: str, **fields: Any) -> Action:
    """Return an action with the defaults of the file format filled in."""
    defaults: dict[str, Any] = {"setList": {"value": "true"}, "setAttribute": {"option": "SET"}}.get(kind, {})
    return Action(kind, {**defaults, **fields}, HERE)


def rule(
    name: str,
    order: int,
    conditions: Sequence[Expression],
    actions: Sequence[Action],
    *,
    priority: int = 1,
    overrides: tuple[str, ...] = (),
    runs_after: tuple[str, ...] = (),
    category: Category = "preCall",
) -> Rule:
    """Return an enabled rule that stands in line ``order``."""
    place = Span.point(order, 1)
    return Rule(
        name=name, description="", version=1, priority=priority, execution_order=order, enabled=True, category=category,
        conditions=tuple(conditions), actions=tuple(actions), runs_after=runs_after, overrides=overrides,
        renamed_from=None, metadata={}, path="r.rules.yaml", span=place, name_span=place, spans={},
    )  # fmt: skip


def campaign(
    rules: Sequence[Rule], columns: Sequence[Column], *, hit_policy: HitPolicy = "all", declared: bool = True
) -> Campaign:
    """Return a campaign of these rules in this order."""
    contact_list = ContactList("c.contactlist.yaml", {c.name: c for c in columns}, declared=declared)
    return Campaign(("c",), (), tuple(rules), (), hit_policy, contact_list)


def analysis(
    built: Campaign, semantics: Semantics | None = None, familiar: Sequence[dict[str, object]] = ()
) -> CampaignAnalysis:
    """Return the analysis of a campaign whose project has these contacts."""
    known = Familiar(tuple((contact, {}) for contact in familiar))
    return CampaignAnalysis(built, Evaluator(built, semantics or Semantics()), familiar=known)


def context(built: Campaign, root: Path, semantics: Semantics | None = None, **options: Any) -> CheckContext:
    """Return what checks are given; ``options`` are those of every check."""
    from dialproof.checks.base import CheckContext

    codes = (
        "DP201",
        "DP203",
        "DP301",
        "DP302",
        "DP303",
        "DP304",
        "DP306",
        "DP307",
        "DP403",
        "DP502",
        "DP503",
        "DP504",
        "DP506",
        "DP507",
        "DP508",
        "DP509",
    )
    config = Config(root, semantics=semantics or Semantics(), checks=dict.fromkeys(codes, options))
    return CheckContext(Project(config, {}, {}, {}, (built,), {}, (), {}), built)


COLUMNS = (
    Column("a", "integer", min=0, max=6),
    Column("b", "integer", min=0, max=3, required=True),
    Column("s", "string", enum=("TX", "CA")),
)
"""A domain that is small enough to look at every contact of it."""


def contacts() -> Iterator[dict[str, object]]:
    """Yield every contact of the domain of :data:`COLUMNS`."""
    for a, b, s in product((None, *range(7)), range(4), (None, "TX", "CA")):
        yield {k: v for k, v in {"a": a, "b": b, "s": s}.items() if v is not None}


def _conditions() -> st.SearchStrategy[Expression]:
    orders = st.sampled_from(
        ("equals", "notEquals", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")
    )
    numbers = st.builds(cond, st.sampled_from(("a", "b")), orders, st.integers(-1, 7), inverted=st.booleans())
    between = st.builds(
        lambda c, x, y: cond(c, "between", (x, y)), st.sampled_from(("a", "b")), st.integers(0, 6), st.integers(0, 6)
    )
    exists = st.builds(cond, st.sampled_from(("a", "s")), st.sampled_from(("exists", "notExists")))
    texts = st.builds(cond, st.just("s"), st.sampled_from(("equals", "notEquals")), st.sampled_from(("TX", "CA", "X")))
    prefix = st.builds(cond, st.just("s"), st.sampled_from(("beginsWith", "contains")), st.sampled_from(("T", "A")))
    cel = st.sampled_from(
        ("contact.a > 2 || contact.b > 1", "!(contact.a < 5 && contact.s == 'TX')", "has(contact.a) && contact.a < 3")
    ).map(when)
    leaf = st.one_of(numbers, numbers, between, exists, texts, prefix, cel)
    nested = st.builds(
        lambda kind, members: group(kind, *(members[:1] if kind == "not" else members)),
        st.sampled_from(("all", "any", "not")), st.lists(leaf, min_size=1, max_size=3),
    )  # fmt: skip
    return st.one_of(leaf, leaf, nested)


def _actions() -> st.SearchStrategy[Action]:
    lists = st.builds(lambda v: act("setList", listId="l", value=v), st.sampled_from(("true", "false")))
    plain = st.sampled_from((act("doNotDial"), act("switchToPreview"), act("setSkills", skills=("x",))))
    sets = st.builds(lambda v: act("setAttribute", attribute="a", value=v), st.sampled_from(("3", "9", "", "abc")))
    counts = st.builds(
        lambda c, o, v: act("setAttribute", attribute=c, option=o, value=v),
        st.sampled_from(("a", "b")), st.sampled_from(("INCREMENT", "DECREMENT")), st.sampled_from((None, "2")),
    )  # fmt: skip
    text = st.just(act("setAttribute", attribute="s", value="NV"))
    return st.one_of(lists, lists, plain, sets, counts, text)


@st.composite
def campaigns(draw: st.DrawFn) -> tuple[Campaign, Semantics]:
    """Draw a campaign of two to five rules over :data:`COLUMNS`, and the semantics it runs under."""
    count = draw(st.integers(2, 5))
    rules = [
        rule(
            f"r{i}", i + 1, draw(st.lists(_conditions(), min_size=1, max_size=3)),
            draw(st.lists(_actions(), min_size=1, max_size=2)), priority=draw(st.integers(1, 3)),
        )
        for i in range(count)
    ]  # fmt: skip
    semantics = Semantics(
        undecided=draw(st.sampled_from(("refuseToDial", "met"))),
        laterRulesSeeUpdates=draw(st.sampled_from((True, True, False))),
        doNotDialStops=draw(st.booleans()),
    )
    return campaign(rules, COLUMNS, hit_policy=draw(st.sampled_from(("all", "all", "first")))), semantics
