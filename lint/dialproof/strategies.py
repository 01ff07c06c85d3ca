"""Hypothesis strategies for contacts, the context of a call, rules and campaigns: what property tests draw from.

::

    from hypothesis import given
    from dialproof.strategies import contacts

    @given(contacts(campaign.contact_list, rules=campaign.rules))
    def test_nobody_without_consent_is_dialed(contact): ...

Values lie on and beside the boundaries: those of the contact list's domain and the constants that rules and invariants
compare with.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal

from hypothesis import strategies as st

from dialproof.cel.values import from_micros, number_text, parse_datetime, parse_number, read_text
from dialproof.model.actions import BUILT_IN
from dialproof.model.contactlist import VALUE_TYPES, Column
from dialproof.model.operators import OPERATORS, context_type
from dialproof.model.rules import Action, Condition, Group, Rule, When, leaves
from dialproof.source.positions import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dialproof.cel.ast import Node
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Expression, Invariant, Value

__all__ = ["campaigns", "contacts", "contexts", "moments", "rules"]

_SPAN = Span.point(1, 1)
_TEXTS = st.text(
    st.one_of(
        st.sampled_from("aAbzZ09 ._-"),
        st.sampled_from("\u00df\u0130\u0131\u03c2\uffff\U00010000\U0001f600"),  # folding, and both sides of the BMP
    ),
    max_size=4,
)
_UNREADABLE: tuple[object, ...] = ("", " ", "abc", "1e3", "0x10", "1,5", "--1", "NaN", True, False, "2026-02-30", "yes")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_ZONES = ("UTC", "America/New_York", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland")
_SOME_DAY = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z in microseconds


@st.composite
def contacts(
    draw: st.DrawFn,
    contact_list: ContactList,
    *,
    rules: Iterable[Rule] = (),
    invariants: Iterable[Invariant] = (),
    blanks: bool = True,
    wrong_types: bool = False,
) -> dict[str, object]:
    """Draw a contact of a contact list, as a flat mapping of column names to values.

    ``rules`` and ``invariants`` lend their constants as boundary values. With ``blanks`` a column that is not required
    may be absent, empty or null; with ``wrong_types`` any column may hold what its type cannot read.
    """
    constants = _constants(rules, invariants)
    contact: dict[str, object] = {}
    for name, column in contact_list.columns.items():
        choices: list[st.SearchStrategy[Any]] = [_values(column, constants.get(("contact", name), ()))]
        if blanks and not column.required:
            choices.insert(0, st.sampled_from((_ABSENT, "", None)))  # the simplest contact has the fewest columns
        if wrong_types:
            choices.append(st.sampled_from((_ABSENT, None, *_UNREADABLE)))
        value = draw(st.one_of(choices))
        if value is not _ABSENT:
            contact[name] = value
    return contact


_ABSENT = object()


@st.composite
def contexts(
    draw: st.DrawFn, *, rules: Iterable[Rule] = (), invariants: Iterable[Invariant] = ()
) -> dict[str, dict[str, object]]:
    """Draw what surrounds a call: the fields that ``rules`` and ``invariants`` read, each of which may be absent.

    The fields of ``now`` are left out: they follow the clock.
    """
    context: dict[str, Any] = {}
    for (source, name), values in _constants(rules, invariants).items():
        kind = context_type(name) if source == "context" else None
        if kind is None or name.startswith("now."):
            continue
        value = draw(st.one_of(st.just(_ABSENT), _values(Column(name, kind), values)))  # type: ignore[arg-type]
        if value is not _ABSENT:
            *parents, last = name.split(".")
            inner = context
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[last] = value
    return context


def moments(*, rules: Iterable[Rule] = (), invariants: Iterable[Invariant] = ()) -> st.SearchStrategy[str]:
    """Draw the moment of a call (RFC 3339, UTC): noon first, any minute of the year, those that are compared with."""
    constants = [value for values in _constants(rules, invariants).values() for value in values]
    times = [t for t in constants if isinstance(t, str) and _TIME.fullmatch(t)]
    days = [t[:10] for t in constants if isinstance(t, str) and parse_datetime(t) is not None]
    near = [(int(t[:2]) * 60 + int(t[3:]) + d) % 1440 for t in times for d in (0, -1, 1)]
    minutes = st.one_of(st.sampled_from((720, *near)), st.integers(0, 1439))
    some_day = st.integers(0, 364).map(lambda n: _moment_text(_SOME_DAY + n * 86_400_000_000, date=True))
    return st.builds(
        lambda day, minute: f"{day}T{minute // 60:02}:{minute % 60:02}:00Z",
        st.one_of(st.sampled_from(("2026-01-01", *days)), some_day), minutes,
    )  # fmt: skip


def _constants(
    rules: Iterable[Rule], invariants: Iterable[Invariant] = ()
) -> dict[tuple[str, str], tuple[str | float | bool, ...]]:
    """Return the constants that each column, and each field of the context, is compared with.

    Those of an expression in CEL are lent to everything that it reads.
    """
    found: dict[tuple[str, str], dict[tuple[type, str | float | bool], None]] = {}

    def lend(source: str, name: str, values: Iterable[str | float | bool]) -> None:
        # By type too: to a dict, True and 1.0 are one key.
        found.setdefault((source, name), {}).update({(type(v), v): None for v in values})

    for leaf in (leaf for rule in rules for leaf in leaves(rule.conditions)):
        if isinstance(leaf, When):
            _lend_cel(leaf.text, lend)
        else:
            values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
            lend(leaf.source, leaf.subject, [v for v in values if v is not None])
    for invariant in invariants:
        _lend_cel(invariant.always.text, lend)
    return {name: tuple(value for _, value in keys) for name, keys in found.items()}


def _lend_cel(text: str, lend: Callable[[str, str, Iterable[str | float | bool]], None]) -> None:
    from dialproof.cel.ast import Literal as CelLiteral
    from dialproof.cel.ast import children, path
    from dialproof.cel.parse import CelSyntaxError, parse

    try:
        pending: list[Node] = [parse(text)]
    except CelSyntaxError:
        return
    read: list[tuple[str, str]] = []
    values: list[str | float | bool] = []
    while pending:
        node = pending.pop()
        parts = path(node)
        if parts is not None and len(parts) > 1:
            source, name = ("contact" if parts[0] == "text" else parts[0]), ".".join(parts[1:])
            read.append(("context", name[8:]) if parts[0] == "text" and name.startswith("context.") else (source, name))
        elif isinstance(node, CelLiteral) and isinstance(node.value, (str, float, bool)):
            values.append(node.value)
        pending.extend(children(node) if parts is None else ())
    for source, name in read:
        lend(source, name, values)


def _values(column: Column, constants: Sequence[str | float | bool]) -> st.SearchStrategy[Any]:
    """Return values of a column within its domain, those near constants and bounds first."""
    if column.enum is not None:
        return st.sampled_from(column.enum)
    if column.time_zone:
        return st.sampled_from(_ZONES)
    match column.type:
        case "boolean":
            return st.sampled_from((True, False, "true", "false"))
        case "integer" | "number":
            return _numbers(column, constants)
        case "datetime" | "date":
            return _moments(column, constants)
        case _:
            return _strings(column, constants)


def _numbers(column: Column, constants: Sequence[str | float | bool]) -> st.SearchStrategy[Any]:
    low = float(column.min) if column.min is not None else -1_000_000.0
    high = float(column.max) if column.max is not None else 1_000_000.0
    decimals = 0 if column.type == "integer" else 2 if column.decimals is None else column.decimals
    step = 10.0**-decimals
    near = [n for n in map(_number, constants) if n is not None]
    points = [n + d for n in (*near, low, high) for d in (0.0, -1.0, 1.0, -step, step)]
    points = [n for n in dict.fromkeys(round(p, decimals) for p in points) if low <= n <= high]
    scaled = st.integers(math.ceil(low * 10**decimals), math.floor(high * 10**decimals))
    anywhere = scaled.map(lambda n: round(n / 10**decimals, decimals)).filter(lambda n: low <= n <= high)
    numbers = st.one_of(st.sampled_from(points), anywhere) if points else anywhere
    # A contact list holds text; files may hold numbers: both are read alike.
    return st.one_of(numbers, numbers.map(number_text))


def _number(value: object) -> float | None:
    if isinstance(value, str):
        return parse_number(value)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _moments(column: Column, constants: Sequence[str | float | bool]) -> st.SearchStrategy[Any]:
    def instant(value: object) -> int | None:
        return parse_datetime(value) if isinstance(value, str) else None

    day = 86_400_000_000
    low, high = instant(column.min), instant(column.max)
    near = [n for n in map(instant, constants) if n is not None] or [_SOME_DAY]
    step = day if column.type == "date" else 1_000_000
    points = [n + d for n in (*near, low, high) if n is not None for d in (0, -step, step, -7 * day, 7 * day)]
    points = [n for n in dict.fromkeys(points) if (low is None or n >= low) and (high is None or n <= high)]
    return st.sampled_from([_moment_text(n, date=column.type == "date") for n in points])


def _moment_text(micros: int, *, date: bool) -> str:
    moment = from_micros(micros)
    return moment.date().isoformat() if date else moment.isoformat().replace("+00:00", "Z")


def _strings(column: Column, constants: Sequence[str | float | bool]) -> st.SearchStrategy[Any]:
    if column.pattern is not None:
        return st.from_regex(column.pattern, fullmatch=True)
    texts = [read_text(constant) for constant in constants]
    near = [t + a for t in texts for a in ("", "a", "\U0001f600")] + [a + t for t in texts for a in ("x",)]
    near += [t[:-1] for t in texts] + [t.upper() for t in texts] + [t.lower() for t in texts]
    filled = [t for t in dict.fromkeys(near) if t]
    words = _TEXTS.filter(bool)
    return st.one_of(st.sampled_from(filled), words) if filled else words


@st.composite
def rules(
    draw: st.DrawFn,
    contact_list: ContactList,
    *,
    name: str = "rule",
    execution_order: int = 1,
    category: Literal["preCall", "wrapUp"] = "preCall",
) -> Rule:
    """Draw an enabled rule whose conditions fit the types of a contact list and whose actions are of its category."""
    expressions = st.recursive(_conditions(contact_list), _groups, max_leaves=4)
    conditions = draw(st.lists(expressions, min_size=1, max_size=3))
    actions = draw(st.lists(_actions(contact_list, category), min_size=1, max_size=2))
    return Rule(
        name=name,
        description="",
        version=1,
        priority=draw(st.integers(1, 1000)),
        execution_order=execution_order,
        enabled=True,
        category=category,
        conditions=tuple(conditions),
        actions=tuple(actions),
        runs_after=(),
        overrides=(),
        renamed_from=None,
        metadata={},
        path="drawn.rules.yaml",
        span=_SPAN,
        name_span=_SPAN,
        spans={},
    )


@st.composite
def campaigns(
    draw: st.DrawFn,
    contact_list: ContactList,
    *,
    max_rules: int = 5,
    category: Literal["preCall", "wrapUp"] = "preCall",
) -> list[Rule]:
    """Draw the rules of a campaign in execution order, ``rule_1`` first."""
    count = draw(st.integers(1, max_rules))
    return [
        draw(rules(contact_list, name=f"rule_{n}", execution_order=n, category=category)) for n in range(1, count + 1)
    ]


def _groups(members: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(members, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Group, st.sampled_from(("all", "any")), several, st.just(_SPAN)),
        st.builds(Group, st.just("not"), members.map(lambda m: (m,)), st.just(_SPAN)),
    )


@st.composite
def _conditions(draw: st.DrawFn, contact_list: ContactList) -> Condition:
    column = draw(st.sampled_from(list(contact_list.columns.values())))
    kind = VALUE_TYPES[column.type]
    operator = draw(st.sampled_from([o for o, (_, types) in OPERATORS.items() if kind in types and o != "matches"]))
    return Condition(
        source="contact",
        subject=column.name,
        operator=operator,
        value=draw(_operands(column, operator)),
        type=draw(st.sampled_from((None, kind))),
        inverted=draw(st.booleans()),
        span=_SPAN,
        subject_span=_SPAN,
        value_span=_SPAN,
    )


def _operands(column: Column, operator: str) -> st.SearchStrategy[Value]:
    """Return values that the operator takes for a column."""
    constants: tuple[str | float, ...] = {"string": ("TX", "b"), "integer": (3.0,), "number": (2.5,)}.get(
        column.type, ()
    )
    one = _values(column, constants).filter(lambda v: v != "")
    shape = OPERATORS[operator][0]
    if shape == "none":
        return st.none()
    if shape == "list":
        return st.lists(one, min_size=1, max_size=3).map(tuple)
    return st.tuples(one, one) if shape == "pair" else one


@st.composite
def _actions(draw: st.DrawFn, contact_list: ContactList, category: Literal["preCall", "wrapUp"]) -> Action:
    names = ["setList", "setAttribute", "doNotDial", "switchToPreview", "contactUncallable", "scheduleCallback"]
    kind = draw(st.sampled_from([n for n in names if category in BUILT_IN[n].categories]))
    fields: dict[str, Any] = {}
    if kind == "setList":
        fields = {
            "listId": draw(st.sampled_from(("list_a", "list_b"))),
            "value": draw(st.sampled_from(("true", "false"))),
        }
    elif kind == "scheduleCallback":
        fields = {"offsetMinutes": draw(st.sampled_from((30, 60)))}
    elif kind == "setAttribute":
        column = draw(st.sampled_from(list(contact_list.columns.values())))
        fields = {"attribute": column.name, "option": "SET", "value": draw(_values(column, ()))}
        if column.type in ("integer", "number") and draw(st.booleans()):
            fields |= {"option": draw(st.sampled_from(("INCREMENT", "DECREMENT"))), "value": 1.0}
    return Action(kind, fields, _SPAN)
