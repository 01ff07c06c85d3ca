"""Every verdict of the compiled functions is the verdict of cel-python, on random conditions and contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.cel import reference
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.rules import Group
from tests.lint.cel.build import SPAN, campaign, condition, rule, when

if TYPE_CHECKING:
    from dialproof.model.rules import Expression

NUMBERS = [-1.0, 0.0, 0.5, 1.0, 4.999999999999999, 5.0, 5.000000000000001, 7.0, 10.0, 1e15, 123456789.25]
TEXTS = ["", " ", "a", "A", "ab", "TX", "yes", "true", "5", "5.0", " 5 ", "+5.", ".5", "1e5", "0x10", "ß", "ẞ", "İ"]
TEXTS += ["\U0001f600", "a\U0001f600b", "\ud7ff", "\ue000", 'quo"te', "back\\slash", "new\nline", "tab\t", "café", "Ⅷ"]
TEXTS += ['it\'s "s0" or 7.5']
TIMES = ["2026-01-01", "2025-12-25T12:00", "2025-12-25T12:00:00Z", "2025-12-25T12:00:00.250+05:30", "2026-03-08T02:30"]
TIMES += ["2026-11-01T01:30", "2026-02-30", "12:30", "2026-01-01T25:00", "0001-01-01", "9999-12-31T23:59:59Z"]
TIMES += ["0001-01-01T00:00:00+05:30", "9999-12-31T23:59:59-07:00", "9999-12-31T23:59:59"]
PERIODS = ["P0D", "P7DT0H0M", "P-1DT2H-3M", "PT90M", "P30D"]

values = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(-(10**6), 10**6),
    st.sampled_from([10**400, 2**63, float("inf"), float("nan")]),
    st.sampled_from(TEXTS),
    st.sampled_from(TIMES),
    st.text(max_size=4),
)
contacts = st.builds(
    lambda flat, nested: {**flat, **({} if nested is ... else {"custom": {"value": nested}})},
    st.dictionaries(st.sampled_from(["n", "s", "b", "t", "day", "emp.var.rate"]), values),
    st.one_of(st.just(...), values),
)
SUBJECTS = ["n", "s", "b", "t", "day", "emp.var.rate", "custom.value", "unknown"]
text_value = st.sampled_from([t for t in TEXTS if t])
ORDER = ["equals", "notEquals", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"]


@st.composite
def conditions(draw: st.DrawFn) -> Expression:
    """Draw a condition of any operator and type that has a meaning."""
    kind = draw(st.sampled_from(["string", "number", "boolean", "datetime", "period"]))
    one = {
        "string": text_value,
        "number": st.sampled_from([*NUMBERS, "5", "5.0", "-1", "7"]),
        "boolean": st.sampled_from([True, False, "true", "false"]),
        "datetime": st.sampled_from(TIMES[:6]),
        "period": st.sampled_from(PERIODS),
    }[kind]
    operators = ["equals", "notEquals", "exists", "notExists"] if kind == "boolean" else [*ORDER, "exists", "between"]
    if kind == "string":
        operators += ["contains", "notContains", "beginsWith", "endsWith", "in", "notIn", "matches"]
    if kind == "number":
        operators += ["in", "notIn"]
    operator = draw(st.sampled_from(operators))
    value: object = draw(one)
    if operator in ("in", "notIn"):
        value = tuple(draw(st.lists(one, min_size=1, max_size=3)))
    elif operator == "between":
        value = (value, draw(one))
    elif operator == "matches":
        value = draw(st.sampled_from(["^a", "a|b", r"\d+", "(?i)tx$", "[é-ÿ]", r"\pL+", "a.b"]))
    elif operator in ("exists", "notExists"):
        value = None
    return condition(
        draw(st.sampled_from(SUBJECTS)),
        operator,
        value,
        kind,
        inverted=draw(st.booleans()),
    )


COMPARE = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
numbers = st.recursive(
    st.sampled_from(
        ["contact.n", "contact.custom.value", 'contact["emp.var.rate"]', "5", "0", "7.5", 'number(text["s"])']
    ),
    lambda inner: st.one_of(
        st.builds(lambda a, o, b: f"({a} {o} {b})", inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        inner.map(lambda a: f"(-{a})"),
        st.just("size(contact.s)"),
    ),
    max_leaves=3,
)
texts = st.sampled_from(["contact.s", 'text["n"]', 'text["b"]', '"a"', '"\U0001f600"', 'text["t"]', "fold(contact.s)"])
times = st.sampled_from(["contact.t", "contact.day", "now", 'timestamp("2025-12-25T12:00:00Z")', 'datetime(text["s"])'])
atoms = st.one_of(
    st.builds(lambda a, o, b: f"{a} {o} {b}", numbers, COMPARE, numbers),
    st.builds(lambda a, o, b: f"{a} {o} {b}", texts, COMPARE, texts),
    st.builds(lambda a, o, b: f"{a} {o} {b}", times, COMPARE, times),
    st.builds(
        lambda a, b, o, d: f'{a} - {b} {o} duration("{d}")', times, times, COMPARE, st.sampled_from(["36h", "0s"])
    ),
    st.builds(lambda a, m, b: f"{a}.{m}({b})", texts, st.sampled_from(["contains", "startsWith", "endsWith"]), texts),
    st.builds(lambda a: f"{a} in [1, 5, 7.5]", numbers),
    st.builds(lambda a, b, c: f"{a} in [{b}, {c}]", numbers, numbers, numbers),
    st.builds(lambda a, b: f'{a} in [{b}, datetime("9999-12-31T20:00:00")]', times, times),
    st.builds(lambda a: f"[0, 1, 5].all(x, {a} > x)", numbers),
    st.builds(lambda a: f'{a} in ["a", "TX", ""]', texts),
    st.sampled_from(["contact.b", "has(contact.n)", "contact.b == true", 'boolean(text["s"])', "true", "false"]),
    st.sampled_from(
        ['contact.s.matches("^a|5$")', "[1, 2].exists(x, x > 1)", "contact.n / 2 > 1", "now.getHours() > 3"]
    ),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda a, o, b: f"({a} {o} {b})", inner, st.sampled_from(["&&", "||"]), inner),
        st.builds(
            lambda o, a: o.join(a), st.sampled_from([" && ", " || "]), st.lists(inner, min_size=3, max_size=6)
        ).map(lambda chain: f"({chain})"),
        inner.map(lambda a: f"!({a})"),
        st.builds(lambda a, b, c: f"({a} ? {b} : {c})", inner, inner, inner),
    ),
    max_leaves=8,
).map(when)

groups = st.recursive(
    st.one_of(conditions(), expressions),
    lambda inner: st.one_of(
        st.builds(
            lambda k, m: Group(k, tuple(m), SPAN),
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda m: Group("not", (m,), SPAN), inner),
    ),
    max_leaves=8,
)
semantics = st.builds(
    Semantics,
    undecided=st.sampled_from(["refuseToDial", "unmet", "met"]),
    laterRulesSeeUpdates=st.booleans(),
    doNotDialStops=st.booleans(),
    caseSensitive=st.booleans(),
)


@settings(max_examples=200)
@given(
    st.lists(groups, min_size=1, max_size=4),
    st.lists(contacts, min_size=1, max_size=4),
    semantics,
    st.sampled_from([None, "America/Denver"]),
)
def test_compiled_verdicts_are_those_of_cel_python(
    expressions: list[Expression], people: list[dict[str, object]], switches: Semantics, zone: str | None
) -> None:
    """Condition by condition and rule by rule the compiled function and cel-python agree: true, false, undecided."""
    rules = [rule(f"r{i}", e, order=i) for i, e in enumerate(expressions)]
    subject = campaign(*rules)
    compiled, plain = Evaluator(subject, switches), Evaluator(subject, switches, reference=True)
    assert not compiled.problems
    for contact in people:
        ours = compiled.verdicts(contact, time_zone=zone)
        theirs = plain.verdicts(contact, time_zone=zone)
        view = compiled.view(contact, time_zone=zone)
        whole = {r.name: reference.evaluate(compiled.programs.text(r), reference.activation(view), zone) for r in rules}
        assert ours == theirs, {r.name: compiled.programs.text(r) for r in rules}
        assert compiled.of(rules).verdicts(contact, time_zone=zone) == ours, "each condition by a function of its own"
        assert ours == whole, {r.name: compiled.programs.text(r) for r in rules}
        assert compiled.run(contact, time_zone=zone) == plain.run(contact, time_zone=zone)
