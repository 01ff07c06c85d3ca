"""Conditions over several columns: what z3 proves and proposes, against the evaluator and against every contact."""

from __future__ import annotations

import math
import sys
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.analysis import sat, smt
from dialproof.analysis.answers import RLIMIT, Demand, Found, Nowhere, Unknown, acted
from dialproof.analysis.campaign import CampaignAnalysis
from dialproof.analysis.runs import Runs
from dialproof.analysis.smt_text import write
from dialproof.checks import always_true_rule, conflicting_rules, undecided, unreachable_rule
from dialproof.config import Config, Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import Column
from tests.lint.analysis.build import act, analysis, campaign, cond, context, group, rule, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.checks.base import CheckContext
    from dialproof.model.rules import Expression
    from dialproof.project import Campaign

z3: Any = pytest.importorskip("z3")
SETTINGS = settings(max_examples=20, suppress_health_check=list(HealthCheck))
WHOLE = (Column("a", "integer", min=0, max=4), Column("b", "integer", min=0, max=3, required=True))
TEXTS = (Column("s", "string", enum=("", "a", "ab", "b")), Column("t", "string", enum=("a", "abc", "b"), required=True))
FLAG = Column("f", "boolean")
SMALL = (*WHOLE, *TEXTS, FLAG)
EVERYBODY = [
    {k: v for k, v in zip("abstf", values, strict=True) if v is not None}
    for values in product(
        (None, 0, 1, 2, 3, 4), range(4), (None, "a", "ab", "b"), ("a", "abc", "b"), (None, True, False)
    )
]
JOINT = (
    "contact.a < contact.b", "contact.a == contact.b", "contact.a + contact.b >= 5.0", "contact.a * contact.b == 6.0",
    "contact.a - contact.b > 2.0", "contact.b / contact.a > 1.0", "-contact.a > contact.b - 5.0",
    "contact.a * 0.5 >= contact.b", "contact.a in [contact.b, 4.0]", "contact.a != contact.b && contact.a < 3.0",
    "contact.s == contact.t", "contact.s < contact.t", "contact.t.startsWith(contact.s)",
    "contact.s.contains(contact.t)", "contact.t.endsWith(contact.s)", "contact.s + contact.t == 'abb'",
    "contact.s >= contact.t || contact.a > contact.b",
    "contact.f ? contact.a > contact.b : contact.s == contact.t", "has(contact.a) ? contact.a == contact.b : contact.f",
    "!(contact.a > contact.b) && size(contact.s) > 0.0", "contact.f == (contact.a > contact.b)",
    "size(contact.s) > size(contact.t)", "number(contact.s) == contact.a",
)  # fmt: skip


def _expressions() -> st.SearchStrategy[Expression]:
    joint = st.sampled_from(JOINT).map(when)
    numbers = st.builds(cond, st.sampled_from("ab"), st.sampled_from(("equals", "lessThan", "greaterThan")),
                        st.integers(0, 4), inverted=st.booleans())  # fmt: skip
    texts = st.builds(cond, st.sampled_from("st"), st.sampled_from(("equals", "beginsWith", "contains", "matches")),
                      st.sampled_from(("a", "ab", "b")), inverted=st.booleans())  # fmt: skip
    leaf = st.one_of(joint, joint, numbers, texts)
    nested = st.builds(lambda k, m: group(k, *(m[:1] if k == "not" else m)), st.sampled_from(("all", "any", "not")),
                       st.lists(leaf, min_size=1, max_size=3))  # fmt: skip
    return st.one_of(leaf, leaf, nested)


@st.composite
def _campaigns(draw: st.DrawFn, *, writes: bool) -> Campaign:
    actions = [act("doNotDial"), act("switchToPreview")]
    if writes:
        sets = [act("setAttribute", attribute="a", value="3"), act("setAttribute", attribute="s", value="zz")]
        actions += [*sets, act("setAttribute", attribute="b", option="INCREMENT")]
    rules = [
        rule(f"r{i}", i + 1, draw(st.lists(_expressions(), min_size=1, max_size=3)), [draw(st.sampled_from(actions))])
        for i in range(draw(st.integers(2, 3)))
    ]
    return campaign(rules, SMALL)


def _together(built: Campaign) -> list[tuple[frozenset[str], Answer, bool]]:
    """Return for each pair of rules what the analysis says and what running every contact shows."""
    runs, evaluator = analysis(built).runs("preCall"), Evaluator(built, Semantics())
    sets = [acted(o) for o in map(evaluator.run, EVERYBODY) if o.failure is None]
    found = []
    for one, other in combinations(range(len(built.rules)), 2):
        names = frozenset((built.rules[one].name, built.rules[other].name))
        answer = runs.both_act(one, other)
        if isinstance(answer, Found):
            assert names <= acted(evaluator.run(answer.scene.contact, now=answer.scene.now))
        found.append((names, answer, any(names <= s for s in sets)))
    return found


@given(_campaigns(writes=False))
@SETTINGS
def test_columns_of_few_values_are_decided_as_by_running_every_contact(built: Campaign) -> None:
    """Whatever conditions compare or compute: nothing is open and nothing is wrong."""
    for _, answer, shown in _together(built):
        assert isinstance(answer, Found if shown else Nowhere)


@given(_campaigns(writes=False))
@SETTINGS
def test_the_solver_agrees_with_running_every_contact(built: Campaign) -> None:
    """The same where combinations of cells are taken for no proof, so that all proofs are those of z3."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Runs, "enumerable", lambda *_: False)
        patched.setattr(sat, "_TOGETHER", 0)
        for _, answer, shown in _together(built):
            assert not isinstance(answer, Nowhere if shown else Found)
            if isinstance(answer, Unknown) and answer.kind != "solver":
                assert any(
                    w in str(r.conditions) for r in built.rules for w in ("size(contact.s) >", "number(", "matches")
                )


@given(_campaigns(writes=True))
@SETTINGS
def test_what_rules_write_is_never_taken_for_what_the_contact_had(built: Campaign) -> None:
    """With writes in between, a proof and a contact still agree with running every contact."""
    for _, answer, shown in _together(built):
        assert not isinstance(answer, Nowhere if shown else Found)


def _fixed(contact: dict[str, object], constants: dict[str, Any]) -> str:
    """Return assertions that give the constants of a question the readings of one contact."""
    lines = []
    for name, (variable, kind) in constants.items():
        value = contact.get(variable.name)
        if kind == "text":
            lines.append(f'(assert (= {name} "{value or ""}"))')
        elif value is None:
            lines.append(f"(assert (not {name}d))")
        else:
            plain = str(value).lower() if kind == "boolean" else str(value)
            lines += [f"(assert {name}d)", f"(assert (= {name} {plain}))"]
    return "\n".join(lines)


@given(
    st.lists(st.sampled_from(JOINT[:19]), min_size=1, max_size=3),
    st.sampled_from(("all", "any", "not")),
    st.sampled_from(EVERYBODY),
)
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_a_translated_condition_says_what_the_evaluator_says(
    texts: list[str], kind: str, contact: dict[str, object]
) -> None:
    """With all columns fixed, exactly the verdict of the evaluator can be: true, false or undecided."""
    built = campaign([rule("r", 1, [group(kind, *map(when, texts))], [act("doNotDial")])], SMALL)
    asked = analysis(built)
    verdict = Evaluator(built, Semantics()).verdicts(contact)["r"]
    wants = {"true": verdict is True, "false": verdict is False, "not true": verdict is not True,
             "not false": verdict is not False}  # fmt: skip
    for want, expected in wants.items():
        question = write([Demand(asked.part(built.rules[0]), want)], asked.columns, built.contact_list)  # type: ignore[arg-type]
        doubles = "Float64" in question.text
        fixed = _fixed(contact, dict(question.constants))
        if doubles:
            for number in range(5):
                fixed = fixed.replace(f" {number}))", f" ((_ to_fp 11 53) RNE {number}.0)))")
        solver = z3.Solver(ctx=z3.Context())
        solver.from_string(f"{question.text}\n{fixed}")
        assert (str(solver.check()) == "sat") is expected


OPEN = (Column("s", "string"), Column("t", "string", required=True))
ATTACK = ["".join(p) for n in range(4) for p in product("ab", repeat=n)] + [
    "x",
    "ax",
    "\u00e9",
    "b\u00e9",
    "\U0001f600",
]
TEXTUAL = st.sampled_from(
    [t for t in JOINT if "contact.t" in t and "contact.a" not in t and "size" not in t]
    + ["contact.s > 'a'", "contact.t <= 'ab'", "contact.t.contains('b')", "!contact.s.endsWith('a')", "contact.s == ''",
       "contact.s.startsWith('ab')", "size(contact.t) < 2.0", "size(contact.s) == 2.0", "contact.t in ['a', 'aba']",
       "contact.t + contact.s != 'ab'", "contact.t + 'a' == contact.s", "contact.s.contains(contact.t + 'b')"]
)  # fmt: skip


@given(st.lists(TEXTUAL, min_size=1, max_size=3), st.lists(TEXTUAL, min_size=1, max_size=2))
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_no_texts_refute_a_proof_about_two_columns_of_text(one: list[str], other: list[str]) -> None:
    """Over all texts, what is proved to be impossible is shown by no pair of short ones, and what is found is run."""
    answer = _pair(" && ".join(one), " && ".join(other), *OPEN)
    built = campaign([rule("r", 1, [when(t) for t in (*one, *other)], [act("doNotDial")])], OPEN)
    holds = Evaluator(built, Semantics()).verdicts
    shown = next((c for s in ATTACK for t in ATTACK if t and holds(c := {"s": s, "t": t})["r"]), None)
    if shown is not None:
        assert isinstance(answer, (Found, Unknown)), shown
    if isinstance(answer, Found):
        assert holds(answer.scene.contact)["r"]


DOUBLES = (0.1, 0.2, 0.3, 1.0, 2.5)
NEAR = [n for x in (*DOUBLES, 0.1 + 0.2, 0.4, 1.1) for n in (math.nextafter(x, -9), x, math.nextafter(x, 9))]
ROUNDED = st.sampled_from(
    [f"contact.x {sign} contact.y {relation} {c}" for sign in "+-" for relation in ("<", ">=", "==") for c in DOUBLES]
    + ["contact.x > contact.y", "contact.x <= 0.2", "contact.y > 0.1", "contact.y >= 0.3", "contact.x == contact.y"]
)


@given(ROUNDED, ROUNDED)
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
def test_sums_are_rounded_as_doubles_are(one: str, other: str) -> None:
    """No pair of doubles around the constants refutes a proof about sums: 0.1 + 0.2 is above 0.3."""
    rules = [rule("one", 1, [when(one)], [act("doNotDial")]), rule("two", 2, [when(other)], [act("switchToPreview")])]
    built = campaign(rules, (Column("x", "number", min=0.0, max=3.0), Column("y", "number", min=0.0, max=3.0)))
    answer = CampaignAnalysis(built, Evaluator(built, Semantics()), 1_000_000).runs("preCall").both_act(0, 1)
    evaluator = Evaluator(built, Semantics())
    shown = any(
        {"one", "two"} <= acted(evaluator.run({"x": x, "y": y})) for x in NEAR for y in NEAR if x <= 3 and y <= 3
    )
    assert not (shown and isinstance(answer, Nowhere))


def _pair(one: str, other: str, *columns: Column, rlimit: int = RLIMIT) -> Answer:
    rules = [rule("one", 1, [when(one)], [act("doNotDial")]), rule("two", 2, [when(other)], [act("switchToPreview")])]
    built = campaign(rules, columns)
    return CampaignAnalysis(built, Evaluator(built, Semantics()), rlimit).runs("preCall").both_act(0, 1)


def test_columns_of_few_values_need_no_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every value of the columns is a cell, all combinations are run, and that none shows it is a proof."""
    monkeypatch.setattr(smt, "installed", lambda: False)
    few = Column("x", "integer", min=0, max=20), Column("y", "integer", min=5, max=40)
    assert isinstance(_pair("contact.x < contact.y", "contact.x >= contact.y", *few), Nowhere)
    assert isinstance(_pair("contact.x * contact.y == 391.0", "contact.x > 16.0", *few), Found)
    assert isinstance(_pair("contact.x * contact.y == 389.0", "contact.x > 16.0", *few), Nowhere)
    texts = Column("s", "string", enum=("a", "b")), Column("t", "string", enum=("c", "d"))
    assert isinstance(_pair("contact.s == contact.t", "contact.s != ''", *texts), Nowhere)
    many = few[0], Column("y", "integer", min=5, max=400)
    assert isinstance(_pair("contact.x < contact.y", "contact.x >= contact.y", *many), Unknown)


X, Y = Column("x", "number"), Column("y", "number")
AGAINST = "contact.x < contact.y", "contact.x > contact.y"


def test_contacts_are_found_by_trying_before_a_solver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal, smaller and larger values around the constants are among the cells of columns that are compared."""
    monkeypatch.setattr(smt, "installed", lambda: False)
    days = Column("d", "date"), Column("e", "date")
    texts = Column("s", "string"), Column("t", "string")
    assert isinstance(_pair("contact.x < contact.y", "contact.x > 7.0", X, Y), Found)
    assert isinstance(_pair("contact.x == contact.y", "contact.x > 7.0", X, Y), Found)
    assert isinstance(_pair("contact.x + contact.y == 10.0", "contact.x > 3.0", X, Y), Found)
    assert isinstance(_pair("contact.d < contact.e", "contact.d > datetime('2027-01-01')", *days), Found)
    assert isinstance(_pair("contact.s == contact.t", "contact.s != ''", *texts), Found)
    assert isinstance(_pair("contact.s < contact.t", "contact.s.startsWith('x')", *texts), Found)


def test_what_only_a_solver_finds_is_run_before_it_is_believed() -> None:
    """A contact that no cell has: the sum of three columns."""
    columns = [Column(n, "integer", min=0, max=1000, required=True) for n in "xyz"]
    answer = _pair("contact.x * 7.0 + contact.y * 11.0 == 997.0", "contact.x > contact.y + 30.0", *columns)
    assert isinstance(answer, Found)
    x, y = (int(str(answer.scene.contact[n])) for n in "xy")
    assert x * 7 + y * 11 == 997
    assert x > y + 30


def test_without_z3_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional: then such questions stay open, with the command that helps."""
    monkeypatch.setattr(smt, "installed", lambda: False)
    answer = _pair(*AGAINST, X, Y)
    assert isinstance(answer, Unknown)
    assert "pip install 'dialproof[smt]'" in answer.reason


def test_a_process_that_does_not_come_back_is_killed_and_started_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No answer is no claim, and the next question is answered."""
    (tmp_path / "sleeper.py").write_text("import time; time.sleep(60)", "utf-8")
    smt._process().close()
    with monkeypatch.context() as patched:
        patched.setattr(smt, "_SECONDS", 0.2)
        patched.setattr(smt, "_SCRIPT", tmp_path / "sleeper.py")
        assert isinstance(_pair(*AGAINST, X, Y), Unknown)
    smt._process().close()
    assert isinstance(_pair(*AGAINST, X, Y), Nowhere)


def test_a_limit_of_one_leaves_questions_open_and_changes_nothing_else() -> None:
    """What z3 would decide becomes DP901; every other finding stays."""
    rules = [
        rule("one", 1, [when("contact.x < contact.y")], [act("setList", listId="l", value="true")]),
        rule("two", 2, [when("contact.x > contact.y + 1.0")], [act("setList", listId="l", value="false")]),
        rule("never", 3, [when(" && ".join(AGAINST))], [act("setList", listId="m", value="false")]),
        rule("always", 4, [when("contact.z < 5.0 || contact.z + 1.0 > 5.0")], [act("setSkills", skills=("a",))]),
        rule("yes", 5, [cond("x", "greaterThan", 3)], [act("setList", listId="m", value="true")]),
        rule("no", 6, [cond("x", "lessThan", 5)], [act("setList", listId="m", value="false")]),
    ]
    built = campaign(rules, (X, Y, Column("z", "number", required=True)))
    checks = (unreachable_rule.CHECK, always_true_rule.CHECK, conflicting_rules.CHECK)

    def findings(**options: object) -> tuple[set[tuple[str, ...]], list[str]]:
        ctx = context(built, Path("/nowhere"))
        object.__setattr__(ctx.project, "config", Config(Path("/nowhere"), checks={"DP901": options}))
        return {(f.code, *f.rules) for check in checks for f in _run(check, ctx)}, [
            f.summary for f in _run(undecided.CHECK, ctx)
        ]

    whole, nothing = findings()
    assert whole == {("DP201", "never"), ("DP202", "always"), ("DP301", "no", "yes")}
    assert nothing == []
    poor, left = findings(rlimit=1)
    assert poor == {("DP301", "no", "yes")}
    assert [summary.split(":")[0] for summary in left] == [
        'DP201 is not decided for "never"',
        'DP202 is not decided for "always"',
        'DP301 is not decided for "two" and "one"',
        'DP301 is not decided for "yes" and "never"',
    ]
    assert all("of z3" in summary or "z3 has not" in summary for summary in left)


def _run(check: Any, ctx: CheckContext) -> Sequence[Any]:
    ctx.check = check
    return list(check.run(ctx))


def test_ages_and_dates_of_two_columns_are_compared_whenever_the_call_is() -> None:
    """The clock is a variable: what is proved holds at every time of the call."""
    columns = Column("s", "datetime"), Column("e", "datetime")
    young = "contact.s < contact.e && now - contact.s < duration('24h')"
    assert isinstance(_pair(young, "now - contact.e > duration('24h')", *columns), Nowhere)
    answer = _pair(young, "now - contact.e > duration('20h')", *columns)
    assert isinstance(answer, Found)


def test_nothing_of_dialproof_is_loaded_in_the_process_of_the_solver() -> None:
    """The script stands alone: it starts fast, and its neighbours hide no module."""
    import subprocess

    script = Path(smt.__file__).with_name("smt_worker.py")
    code = f"import runpy, sys; sys.argv = ['x']; runpy.run_path({str(script)!r}); print('dialproof' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
