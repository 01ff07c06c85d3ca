"""What is run by rows instead of by columns is said, and is as right."""

from __future__ import annotations

import sys
from typing import Any

import polars as pl
import pytest

from dialproof.bulk import batch_expressions, check_installed
from dialproof.bulk.batch_expressions import Atoms
from dialproof.bulk.columns import FEW
from dialproof.bulk.run import BulkEvaluator
from dialproof.cel.ast import Call
from dialproof.cel.parse import parse
from dialproof.config import Semantics
from dialproof.errors import UsageError
from dialproof.evaluate import Evaluator
from tests.lint.bulk.frames import rows_of, same_by_row
from tests.lint.cel.build import action, campaign, condition, rule, when

MANY = pl.DataFrame({"s": [f"name {i}" for i in range(FEW + 1)], "n": [float(i % 3) for i in range(FEW + 1)]})


def _bulk(*rules: object, **semantics: object) -> BulkEvaluator:
    return BulkEvaluator(Evaluator(campaign(*rules), Semantics(**semantics)))  # type: ignore[arg-type]


def test_plain_conditions_are_decided_by_columns_alone() -> None:
    """Nothing is reported of rules that columns decide."""
    bulk = _bulk(
        rule("text", condition("s", "beginsWith", "name 1", "string")),
        rule("number", condition("n", "greaterThan", "1"), order=2),
        rule("cel", when("contact.n * 2 > 3 && contact.s != '' || size(contact.s) == 6"), order=3),
    )
    batch = bulk.run(MANY)
    assert bulk.by_row == {}
    assert bulk.whole_by_row == ""
    assert batch.matched["number"].sum() == sum(i % 3 == 2 for i in range(FEW + 1))


def test_a_choice_by_constants_stands_for_every_contact() -> None:
    """The engine makes one value of it, not a column."""
    text = """!("a" == "b" ? now == datetime(text["s"]) : "a" in ["a", "TX", ""])"""
    bulk = _bulk(rule("choice", when(text)))
    batch = bulk.run(MANY)
    assert rows_of(batch) == same_by_row(bulk, MANY)


def test_a_pattern_over_many_values_is_decided_by_the_row_function() -> None:
    """RE2 is not the engine's dialect: with few values it is asked once a value, with many the result says so."""
    bulk = _bulk(rule("pattern", condition("s", "matches", r"^name \d$", "string")), rule("plain", order=2))
    batch = bulk.run(MANY)
    assert batch.matched["pattern"].sum() == 10
    assert bulk.by_row == {"pattern": "the function matches()"}
    few = _bulk(rule("pattern", condition("s", "matches", r"^name \d$", "string")))
    assert few.run(MANY.head(100)).matched["pattern"].sum() == 10
    assert few.by_row == {}


def test_two_threads_that_meet_a_part_of_a_condition_keep_one_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of values goes by the program, so that another one must not come into its place."""
    evaluator = Evaluator(campaign(rule("r", when("text.s.endsWith('1') || contact.n > 1"))), Semantics())
    atoms = Atoms(evaluator.campaign.contact_list, evaluator.view({}))
    node = parse("text.s.endsWith('1')")
    assert isinstance(node, Call)
    made = batch_expressions._atom_of
    others = []

    def made_while_another_thread_makes_it(*asked: Any) -> object:
        monkeypatch.setattr(batch_expressions, "_atom_of", made)
        others.append(atoms.of(node))
        return made(*asked)

    monkeypatch.setattr(batch_expressions, "_atom_of", made_while_another_thread_makes_it)
    assert atoms.of(node) is others[0]
    assert atoms.of(node) is others[0]


def test_a_rule_that_cel_python_decides_is_run_by_one_thread() -> None:
    """Of any category: a run contact by contact decides the rules of the campaign together."""
    macro = rule("macro", when("[1, 2].exists(x, x == contact.n)"), category="wrapUp")
    assert _bulk(rule("plain"), macro).threads == 1
    assert _bulk(rule("plain")).threads == 2


def test_a_macro_is_decided_by_cel_python() -> None:
    """Only the rule that holds it is slow, and the result names it."""
    bulk = _bulk(rule("macro", when("[1, 2].exists(x, x == contact.n && contact.s != '')")), rule("plain", order=2))
    frame = MANY.head(50)
    batch = bulk.run(frame)
    assert list(bulk.by_row) == ["macro"]
    assert bulk.by_row["macro"].startswith("by cel-python: ")
    assert rows_of(batch) == same_by_row(bulk, frame)


def test_a_row_function_that_reads_what_was_written_takes_the_whole_run() -> None:
    """A contact that rules write to is not in the columns any more, so its whole run is that of the row functions."""
    bulk = _bulk(
        rule("write", actions=(action("setAttribute", attribute="s", option="SET", value="TX"),)),
        rule("read", when("[1, 2].exists(x, x == contact.n && contact.s == 'TX')"), order=2),
    )
    frame = MANY.head(20)
    assert rows_of(bulk.run(frame)) == same_by_row(bulk, frame)
    assert bulk.whole_by_row.startswith("read reads what an earlier rule writes")


def test_a_contact_whose_run_breaks_is_run_alone() -> None:
    """INCREMENT of a text breaks the run of that contact; the others do not notice."""
    bulk = _bulk(
        rule("count", actions=(action("setAttribute", attribute="s", option="INCREMENT"),)),
        rule("read", condition("s", "equals", "8", "string"), order=2),
    )
    frame = pl.DataFrame({"s": ["7", "many", "", None]})
    batch = bulk.run(frame)
    assert batch.matched["read"].to_list() == [True, False, False, False]
    assert batch.dial is not None
    assert batch.dial.to_list() == [True, False, True, True]
    assert batch.failed == {1: "setAttribute INCREMENT: column s does not hold a number"}


def test_a_later_rule_sees_what_an_earlier_one_wrote() -> None:
    """Unless the switch says that it reads the contact as it was."""
    rules = (
        rule("write", actions=(action("setAttribute", attribute="s", option="SET", value="TX"),)),
        rule("read", condition("s", "equals", "TX", "string"), order=2),
    )
    assert _bulk(*rules).run(MANY).matched["read"].all()
    assert not _bulk(*rules, laterRulesSeeUpdates=False).run(MANY).matched["read"].any()


def test_only_the_columns_that_matter_are_read() -> None:
    """What conditions read and actions write; everything where an expression looks at the contact as a whole."""
    assert _bulk(
        rule("r", condition("s", "equals", "a"), actions=(action("setAttribute", attribute="n", option="INCREMENT"),))
    ).reads == {"s", "n"}
    assert _bulk(rule("r", when("size(contact) > 3"))).reads is None


def test_without_the_extra_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(UsageError, match=r"pip install 'dialproof\[bulk\]'"):
        check_installed()


@pytest.mark.parametrize("operator", ["in", "notIn"])
def test_long_lists_are_looked_up(operator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of values, both zeros, blank cells and numbers written as text: as row by row."""
    monkeypatch.setattr("dialproof.bulk.columns.FEW", 0)
    numbers = tuple(float(i) for i in range(5000))
    bulk = _bulk(
        rule("numbers", condition("n", operator, numbers, "number")),
        rule("texts", condition("s", operator, tuple(f"name {i}" for i in range(5000)), "string"), order=2),
        rule("days", condition("t", operator, ("2026-01-01", "2026-01-02T00:00:00Z"), "datetime"), order=3),
        rule("cel", when(f"contact.n / 0 in {list(numbers[:9])} || -contact.n in [0]"), order=4),
    )
    frame = pl.DataFrame(
        {
            "n": [-0.0, 0.0, 4999.0, 5000.0, None, float("nan")],
            "s": ["name 1", "", None, "name 5000", "Name 1", "name 01"],
            "t": ["2026-01-01", "2026-01-02", "x", None, "2026-01-03", "2026-01-01T05:30:00+05:30"],
        }
    )
    assert rows_of(bulk.run(frame)) == same_by_row(bulk, frame)
    assert bulk.by_row == {}


@pytest.mark.parametrize("numbers", [[float("nan")], [float("nan"), None], [None, float("inf"), float("nan")]])
def test_what_is_no_number_is_a_text(numbers: list[float | None]) -> None:
    """NaN is read as text, also where it is the only contact of a batch."""
    bulk = _bulk(rule("nan", condition("n", "equals", "nan", "string")), rule("any", when('text.n != ""'), order=2))
    frame = pl.DataFrame({"n": numbers}, schema={"n": pl.Float64})
    assert rows_of(bulk.run(frame)) == same_by_row(bulk, frame)
    assert bulk.run(frame).matched["nan"].sum() == sum(n != n for n in numbers if n is not None)
