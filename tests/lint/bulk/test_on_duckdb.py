"""DuckDB comes to the outcomes of the row functions, which are those of Polars and of cel-python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from dialproof.bulk.engines import DuckDB
from dialproof.bulk.in_duckdb import DuckDBEvaluator
from dialproof.bulk.lazy import lazy_outcomes
from dialproof.bulk.run import BulkEvaluator
from dialproof.config import Semantics
from dialproof.errors import UsageError
from dialproof.evaluate import Evaluator
from tests.lint.bulk.frames import frames, rows_of, same_by_row
from tests.lint.bulk.test_against_rows import options, sequences
from tests.lint.cel.build import action, campaign, condition, rule, when
from tests.lint.cel.test_against_cel_python import TIMES

if TYPE_CHECKING:
    from dialproof.model.rules import Rule


def _evaluator(*rules: Rule, **semantics: Any) -> DuckDBEvaluator:
    return DuckDBEvaluator(Evaluator(campaign(*rules), Semantics(**semantics)))


@given(rules=sequences(), frame=frames(max_size=6), drawn=options)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_a_frame_has_the_outcomes_of_its_rows(rules: list[Rule], frame: pl.DataFrame, drawn: Any) -> None:
    """Readings, conditions, order, writes, stops, lists, reasons and failures, whatever runs a condition."""
    evaluator = Evaluator(campaign(*rules, hit_policy=drawn["hit_policy"]), drawn["semantics"])
    options = {"category": drawn["category"], "now": drawn["now"], "time_zone": drawn["zone"]}
    there = DuckDBEvaluator(evaluator, **options)
    assert rows_of(there.run(frame)) == rows_of(BulkEvaluator(evaluator, **options).run(frame))
    assert rows_of(there.run(frame)) == same_by_row(there, frame)


def test_texts_are_read_as_times_to_the_microsecond() -> None:
    """Leap days, offsets, fractions, both ends of the calendar, and what is no time."""
    times = [*TIMES, "2024-02-29", "2025-02-29", "1900-02-29", "2000-02-29T23:59", "2026-04-31", "2026-12-31T24:00"]
    times += ["2026-03-01T00:00:00.000001Z", "2026-03-01T00:00:00.1", "2026-03-01T05:30+0530", "2026-03-01T00:00+24:00"]
    times += [
        "0000-01-01",
        "1970-01-01",
        "1969-12-31T23:59:59.999999Z",
        "2026-13-01",
        "2026-00-10",
        "2026-1-1",
        "x",
        "",
    ]
    frame = pl.DataFrame({"t": [*times, None]})
    rules = [rule(f"at {i}", when(f'contact.t == timestamp("{t}")')) for i, t in enumerate(times) if t.endswith("Z")]
    rules += [rule("early", condition("t", "before", "1970-01-01", "datetime"), order=90)]
    there = _evaluator(*rules)
    assert rows_of(there.run(frame)) == same_by_row(there, frame)
    assert (there.by_row, there.whole_by_row) == ({}, "")


def test_columns_are_read_as_the_engine_has_them() -> None:
    """Whole numbers, decimals, dates, local times and columns inside of others."""
    connection = duckdb.connect()
    contacts = connection.sql(
        "SELECT 7::SMALLINT AS n, DATE '2026-01-02' AS t, {'value': 2.50::DECIMAL(9, 2)} AS custom, "
        "TIMESTAMP '2026-01-02 10:00:00.5' AS day, true AS b, 'it''s' AS s, [1] AS ignored"
    )
    rules = [
        rule("number", when("contact.n / 2 == 3.5 && contact.custom.value == 2.5")),
        rule("times", when("contact.day - contact.t == duration('10h500ms')"), order=2),
        rule("plain", when('contact.b && contact.s.startsWith("it\'s")'), order=3),
        rule("as text", when("text['n'] == '7' && text['day'] == '2026-01-02T10:00:00.500000'"), order=4),
    ]
    bulk = BulkEvaluator(Evaluator(campaign(*rules), Semantics()))
    found = lazy_outcomes(bulk, contacts, DuckDB(connection))
    row = dict(zip(found.columns, found.fetchall()[0], strict=True))
    assert [row[f"matched {one.name}"] for one in rules] == [True] * 4
    assert (row["n"], row["ignored"], row["dial"], row["list premium"]) == (7, [1], True, True)
    assert bulk.by_row == {"as text": "a number that is read as text"}


def test_times_are_those_of_the_calendar() -> None:
    """What other engines can hold beyond is no time, and blank; a nanosecond is beyond a microsecond."""
    connection = duckdb.connect()
    contacts = connection.sql(
        "SELECT make_timestamptz(t) AS t, day::TIMESTAMP_NS AS day FROM (VALUES "
        "(253402300800000000, '2026-01-01 10:00'), "
        "(0, '2026-01-01 10:00:00.000001999'), "
        "(-62135596800000001, '1999-01-01')) v(t, day)"
    )
    rules = [
        rule("is a time", condition("t", "exists", kind="datetime")),
        rule("at ten", when("contact.day >= timestamp('2026-01-01T10:00:00.000001Z')"), order=2),
    ]
    bulk = BulkEvaluator(Evaluator(campaign(*rules), Semantics()))
    found = lazy_outcomes(bulk, contacts, DuckDB(connection), kept=[])
    assert pl.DataFrame(found.to_arrow_table())["matched is a time"].to_list() == [False, True, False]
    assert pl.DataFrame(found.to_arrow_table())["matched at ten"].to_list() == [False, True, False]


def test_patterns_are_those_of_re2() -> None:
    """DuckDB has the same dialect, so that nothing is decided row by row."""
    there = _evaluator(rule("r", condition("s", "matches", r"^a.b\pL?$", "string")))
    frame = pl.DataFrame({"s": ["a.b", "axbé", "a\nb", "ab", None]})
    assert there.run(frame).matched["r"].to_list() == [True, True, False, False, False]
    assert there.by_row == {}


def test_a_macro_is_decided_by_the_row_function_alone_and_it_is_said() -> None:
    """The other rules stay expressions; what is written before is what the function reads."""
    there = _evaluator(
        rule("write", condition("n", "equals", 1.0), actions=(action("setAttribute", attribute="s", value="TX"),)),
        rule("macro", when("[1, 2].exists(x, x == contact.n && contact.s == 'TX')"), order=2),
        rule("plain", condition("s", "equals", "TX"), order=3),
    )
    frame = pl.DataFrame({"n": [1.0, 2.0, 2.0, None], "s": ["NY", "TX", "NY", None]})
    assert rows_of(there.run(frame)) == same_by_row(there, frame)
    assert list(there.by_row) == ["macro"]
    assert there.whole_by_row == ""


def test_zeros_of_both_signs_are_two_values_to_a_row_function() -> None:
    """SQL takes them for one, and a division by them comes to two infinities."""
    there = _evaluator(rule("macro", when("[1.0].exists(x, x / contact.n > 0.0 && contact.s != '')")))
    frame = pl.DataFrame({"n": [0.0, -0.0, 1.0, -1.0, None], "s": ["a", "a", "a", "a", "a"]})
    assert there.run(frame).matched["macro"].to_list() == [True, False, True, False, False]
    assert list(there.by_row) == ["macro"]


def test_what_cannot_be_run_there_at_all_is_run_by_rows_and_it_is_said() -> None:
    """A number that was counted has no text that engines agree on."""
    there = _evaluator(
        rule("count", actions=(action("setAttribute", attribute="s", option="INCREMENT"),)),
        rule("text", when("text['s'] == '8'"), order=2),
    )
    frame = pl.DataFrame({"s": ["7", "many", None]})
    assert rows_of(there.run(frame)) == same_by_row(there, frame)
    assert there.whole_by_row == "DuckDB cannot run rule text: it reads a number that a rule has counted as text"


def test_many_rules_end_each_other() -> None:
    """More rules than are decided from one state, of which the first that matches ends the run."""
    rules = [rule(f"r{i}", condition("n", "lessThan", float(i)), order=i + 1) for i in range(45)]
    there = DuckDBEvaluator(Evaluator(campaign(*rules, hit_policy="first"), Semantics()))
    frame = pl.DataFrame({"n": [-1.0, 0.0, 20.0, 43.0, 44.0, None]})
    assert rows_of(there.run(frame)) == same_by_row(there, frame)


def test_a_column_of_the_outcome_is_not_written_over() -> None:
    """Contacts that have such a column are an error."""
    connection = duckdb.connect()
    contacts = connection.from_arrow(pa.table({"n": [1.0], "dial": ["x"]}))
    bulk = BulkEvaluator(Evaluator(campaign(rule("r")), Semantics()))
    with pytest.raises(UsageError, match="the contacts have a column 'dial' already"):
        lazy_outcomes(bulk, contacts, DuckDB(connection))
