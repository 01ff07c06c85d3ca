"""A local Spark comes to the outcomes of the row functions. Not run where Spark or a JVM 17 is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dialproof.bulk.engines import Spark
from dialproof.bulk.in_duckdb import batch_of
from dialproof.bulk.lazy import lazy_outcomes
from dialproof.bulk.run import BulkEvaluator
from dialproof.config import Semantics
from dialproof.errors import UsageError
from dialproof.evaluate import Evaluator
from tests.lint.bulk.frames import frames, rows_of, same_by_row
from tests.lint.bulk.test_against_rows import options, sequences
from tests.lint.cel.build import action, campaign, condition, rule, when
from tests.lint.cel.test_against_cel_python import TEXTS, TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dialproof.model.rules import Rule

ROW = "row.of the frame"


def _missing() -> str:
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return "not run: pyspark is not installed (extra spark)"
    java = os.path.join(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        said = ""
    version = re.search(r'version "(\d+)', said)
    return "" if version and int(version[1]) >= 17 else "not run: no JVM 17"


pytestmark = [pytest.mark.skipif(bool(why := _missing()), reason=why or "-"), pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Return a session of this machine alone."""
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
        for side in ("bindAddress", "host"):
            builder = builder.config(f"spark.driver.{side}", "127.0.0.1")
        session = builder.config("spark.sql.shuffle.partitions", "1").getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()


def _outcomes(spark: Any, bulk: BulkEvaluator, frame: pl.DataFrame) -> list[dict[str, Any]]:
    texts = frame.with_columns(pl.col(pl.Enum, pl.Categorical).cast(pl.String)).with_row_index(ROW)
    contacts = spark.createDataFrame(texts.cast({ROW: pl.Int64}).to_arrow())
    found = lazy_outcomes(bulk, contacts, Spark())
    return rows_of(batch_of(bulk, pl.DataFrame(found.toArrow()).sort(ROW)))


@given(rules=sequences(), frame=frames(max_size=6), drawn=options)
@settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_a_frame_has_the_outcomes_of_its_rows(
    spark: Any, rules: list[Rule], frame: pl.DataFrame, drawn: dict[str, Any]
) -> None:
    """Readings, conditions, order, writes, stops, lists, reasons and failures, whatever runs a condition."""
    evaluator = Evaluator(campaign(*rules, hit_policy=drawn["hit_policy"]), drawn["semantics"])
    bulk = BulkEvaluator(evaluator, category=drawn["category"], now=drawn["now"], time_zone=drawn["zone"])
    try:
        found = _outcomes(spark, bulk, frame)
    except UsageError:
        return  # a rule that cannot be run there is an error for the one who asks
    assert found == same_by_row(bulk, frame)


def test_every_reading_and_operator(spark: Any) -> None:
    """Texts as numbers, booleans and times; columns with points in their names; a macro by the row function."""
    texts = [*TEXTS, *TIMES, "+5", "5.", "-.5", "1" * 320, "inf", "NaN", "true", "FALSE", "1f", "0x1p3", "2024-02-29"]
    frame = pl.DataFrame(
        {
            "s": [*texts, None],
            "n": [float(i % 7) if i % 5 else None for i in range(len(texts) + 1)],
            "emp.var.rate": [*texts, None],
            "t": [*texts, None],
            "b": [i % 3 == 0 for i in range(len(texts) + 1)],
        }
    )
    rules = [
        rule("number of a text", condition("emp.var.rate", "greaterThan", 4.9, "number")),
        rule("text", condition("s", "in", ("TX", "ß", 'quo"te', "back\\slash"), "string"), order=2),
        rule("part.of a text", condition("s", "contains", "\U0001f600", "string"), order=3),
        rule("order of texts", when('contact.s >= "é" && size(contact.s) == 1'), order=4),
        rule("boolean", when("boolean(text['s']) || contact.b"), order=5),
        rule("time", condition("t", "before", "2026-01-01T00:00:00Z", "datetime"), order=6),
        rule("division", when("contact.n / 0 > 1 || contact.n / 0 != contact.n / 0"), order=7),
        rule("count", actions=(action("setAttribute", attribute="n", option="INCREMENT"),), order=8),
        rule("counted", when("contact.n == 4"), order=9),
        rule("macro", when("[1, 2].exists(x, x == contact.n && contact.s != '')"), order=10),
        rule("pattern", condition("s", "matches", r"^\pL+$", "string"), order=11),
    ]
    with_macro = BulkEvaluator(Evaluator(campaign(*rules[:7], *rules[9:]), Semantics()))
    assert _outcomes(spark, with_macro, frame) == same_by_row(with_macro, frame)
    assert with_macro.by_row.pop("macro").startswith("by cel-python: ")
    assert with_macro.by_row == {"pattern": "the function matches()"}
    bulk = BulkEvaluator(Evaluator(campaign(*rules[7:9]), Semantics()))
    assert _outcomes(spark, bulk, frame) == same_by_row(bulk, frame)


def test_the_outcomes_of_a_project(spark: Any, tmp_path: Path) -> None:
    """Structs are paths; a rule that is not decided by columns is warned of."""
    from dialproof.bulk.in_spark import outcomes

    (tmp_path / "dialproof.toml").write_text("")
    (tmp_path / "c.contactlist.yaml").write_text("columns:\n  custom.value: {type: number}\n  day: {type: date}\n")
    (tmp_path / "c.rules.yaml").write_text(
        "campaign: c\ncontactList: c.contactlist.yaml\nrules:\n"
        "  - {name: rich, version: 1, priority: 1, executionOrder: 1, when: contact.custom.value > 4,"
        " actions: [{type: doNotDial}]}\n"
        "  - {name: few, version: 1, priority: 1, executionOrder: 2,"
        " when: '[5, 6].exists(x, x == contact.custom.value) && contact.day > timestamp(\"2026-01-01T00:00:00Z\")',"
        " actions: [{type: setList, listId: l}]}\n"
    )
    contacts = spark.sql(
        "SELECT named_struct('value', 5) AS custom, DATE'2026-01-02' AS day UNION ALL "
        "SELECT named_struct('value', 4), DATE'2026-01-02'"
    )
    with pytest.warns(UserWarning, match="few is decided contact by contact, not by columns: by cel-python"):
        found = outcomes(contacts, tmp_path)
    assert sorted(row["reason"] for row in found.select("reason").collect()) == ["", "doNotDial: rich"]
    assert [row["list l"] for row in found.orderBy("dial").select("list l").collect()] == [True, None]
